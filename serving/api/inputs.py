"""What requests may say: models that check it, from which the OpenAPI document is written too.

Limits that are settings stand here at the most that a setting can be; the document gives those of this server.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue
from pydantic.config import JsonDict
from werkzeug.datastructures import MultiDict

from serving.api.cursors import LENGTH, PATTERN
from serving.errors import Rejected
from serving.query import HEAVIEST, LIGHTEST, MAX_TOKEN, MAX_VALUE, MAX_VALUES, MOST
from serving.uploads import BOX, SMALLEST, Box

_KEYS = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
SAID = rf"^[^{_KEYS}]*[^\s{_KEYS}][^{_KEYS}]*$"
"""Not blank, and without control characters but tabs and line breaks."""


def _whole(value: object) -> object:
    """2.0 as 2: JSON has one kind of number, and JSON Schema takes both for an integer."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Text = Annotated[str, Field(min_length=1, max_length=10_000, pattern=SAID)]
Name = Annotated[str, Field(min_length=1, max_length=MAX_VALUE, pattern=SAID)]
Names = Annotated[list[Name], Field(max_length=MAX_VALUES)]
Weight = Annotated[float, Field(ge=LIGHTEST, le=HEAVIEST, allow_inf_nan=False)]
Year = Annotated[int, Field(ge=0, le=9999), BeforeValidator(_whole)]
Count = Annotated[int, Field(ge=1, le=100), BeforeValidator(_whole)]
Edge = Annotated[float, Field(ge=0, le=1 - SMALLEST, allow_inf_nan=False)]
Side = Annotated[float, Field(ge=SMALLEST, le=1, allow_inf_nan=False)]
Cursor = Annotated[str, Field(min_length=LENGTH, max_length=LENGTH, pattern=PATTERN)]

WEIGHT = "How much it counts beside the other parts, 1 where nothing is said."
K = "How many, at most."
NEXT = "The `next_cursor` of the answer before, to go on from there. Everything else must be as it was."


def _something(*names: str) -> JsonDict:
    """The rule that one of these is there, and is neither null nor an empty list."""
    held: list[JsonValue] = [
        {"required": [name], "properties": {name: {"type": ["string", "array"], "minItems": 1}}}
        for name in names
    ]
    return {"anyOf": held}


def _empty(value: object) -> bool:
    """True for a filter that is not given; answers leave it out."""
    return value in (None, [])


class Asked(BaseModel):
    """What every model here is: a name that it does not know is a mistake, not silence."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_by_name=False, validate_by_alias=True)

    def values(self) -> MultiDict[str, str]:
        """The parameters of the page's address that say the same."""
        values: MultiDict[str, str] = MultiDict()
        for name, value in self.model_dump(by_alias=True, exclude_none=True, exclude={"cursor"}).items():
            for item in value if isinstance(value, list) else [value]:
                values.add(name, _text(item))
        return values


class Nothing(Asked):
    """No parameters."""


class Narrowing(Asked):
    """Filters: AND across them, OR within one."""

    artist: Names = Field([], exclude_if=_empty, description="Slugs of artists: works of any of them.")
    genre: Names = Field(
        [], exclude_if=_empty, description="Genres, as `facets` has them: works of artists with any of them."
    )
    nationality: Names = Field([], exclude_if=_empty, description="Nationalities, as `facets` has them.")
    notby: Names = Field([], exclude_if=_empty, description="Slugs of artists whose works are left out.")
    active_from: Year | None = Field(
        None,
        alias="from",
        exclude_if=_empty,
        description="A year: works of artists who lived in it or later.",
    )
    active_to: Year | None = Field(
        None, alias="to", exclude_if=_empty, description="A year: works of artists who lived in it or before."
    )


class Paging(Asked):
    """Which stretch of a list."""

    k: Count | None = Field(None, description=K)
    cursor: Cursor | None = Field(None, description=NEXT)


class WorksParameters(Narrowing, Paging):
    """Works of the collection, through filters."""


class Shaped(WorksParameters):
    """How many of one artist's may be among the results."""

    each: Count | None = Field(None, description="How many works of one artist, at most.")


class Parts(Shaped):
    """The parts of a search that fit into fields, each with its weight in the field named like it with a `w`."""

    avoid: Text | None = Field(None, alias="not", description="Words for what the works should not show.")
    avoidw: Weight | None = Field(None, alias="notw", description=f"The weight of `not`. {WEIGHT}")
    like: list[Name] = Field(
        [], max_length=MOST["like"], description="Ids of works that results should be like."
    )
    likew: list[Weight] = Field(
        [], max_length=MOST["like"], description="The weights of `like`, in its order."
    )
    less: list[Name] = Field(
        [], max_length=MOST["less"], description="Ids of works that results should be unlike."
    )
    lessw: list[Weight] = Field(
        [], max_length=MOST["less"], description="The weights of `less`, in its order."
    )
    qw: Weight | None = Field(None, description=f"The weight of `q`. {WEIGHT}")


class SearchParameters(Parts):
    """A search by words."""

    q: Text = Field(description="What the works should show, or whose they should be, in words.")


class FormFields(Parts):
    """A search by fields of a form."""

    model_config = ConfigDict(json_schema_extra=_something("q", "not", "like", "less"))

    q: Text | None = Field(None, description="What the works should show, or whose they should be, in words.")


class SearchForm(Parts):
    """A search by fields of a form, among them files."""

    model_config = ConfigDict(json_schema_extra=_something("q", "not", "like", "less", "picture"))

    q: Text | None = Field(None, description="What the works should show, or whose they should be, in words.")
    picture: list[Annotated[str, Field(json_schema_extra={"format": "binary"})]] = Field(
        [],
        max_length=MOST["pic"],
        description="Files of pictures to be like: JPEG, PNG, WebP, GIF, TIFF, BMP or AVIF. They are not kept.",
    )
    picturew: list[Weight] = Field(
        [], max_length=MOST["pic"], description="The weights of the pictures, in order."
    )
    x: list[Edge] = Field(
        [],
        max_length=MOST["pic"],
        description="The left edge of the part of each picture to use, as a share of its width.",
    )
    y: list[Edge] = Field([], max_length=MOST["pic"], description="The upper edge, as a share of its height.")
    w: list[Side] = Field([], max_length=MOST["pic"], description="The width of the part, as a share.")
    h: list[Side] = Field([], max_length=MOST["pic"], description="The height of the part, as a share.")

    def values(self) -> MultiDict[str, str]:
        values = super().values()
        for name in ("picture", "picturew", *BOX):
            values.poplist(name)
        return values

    def sources(self, files: list[bytes]) -> tuple[Source, ...]:
        """The pictures, given the bytes of the files."""
        boxes = (self.x, self.y, self.w, self.h)
        return tuple(
            Source(
                self.picturew[place] if place < len(self.picturew) else 1.0,
                _box(*(side[place] if place < len(side) else None for side in boxes)),
                data=data,
            )
            for place, data in enumerate(files)
        )


class Crop(Asked):
    """The part of a picture to use, in shares of its sides."""

    x: Edge = Field(0.0, description="The left edge.")
    y: Edge = Field(0.0, description="The upper edge.")
    w: Side = Field(1.0, description="The width; what reaches beyond the picture is cut off.")
    h: Side = Field(1.0, description="The height.")


class SentPicture(Asked):
    """A picture sent along."""

    data: str = Field(
        min_length=4,
        pattern=r"^[A-Za-z0-9+/]+={0,2}$",
        description="The file in Base64: JPEG, PNG, WebP, GIF, TIFF, BMP or AVIF. It is not kept.",
        json_schema_extra={"contentEncoding": "base64"},
    )
    crop: Crop | None = None
    weight: Weight = Field(1.0, description=WEIGHT)

    def source(self) -> Source:
        """Raises Rejected where the text is no Base64."""
        try:
            data = base64.b64decode(self.data, validate=True)
        except binascii.Error:
            raise Rejected("The data of a picture is not Base64.", 415) from None
        return Source(self.weight, _cropped(self.crop), data=data)


class KnownPicture(Asked):
    """A picture that was sent with an earlier search, by the token that its answer gave it. Good for a week."""

    token: str = Field(min_length=1, max_length=MAX_TOKEN, pattern=r"^[A-Za-z0-9_.~-]+$")
    weight: Weight = Field(1.0, description=WEIGHT)

    def source(self) -> Source:
        """The picture."""
        return Source(self.weight, token=self.token)


class PartOfWork(Asked):
    """A part of a work of the collection."""

    work: Name = Field(description="The id of the work.")
    crop: Crop
    weight: Weight = Field(1.0, description=WEIGHT)

    def source(self) -> Source:
        """The picture."""
        return Source(self.weight, _cropped(self.crop), work=self.work)


class KnownWork(Asked):
    """A work of the collection."""

    id: Name
    weight: Weight = Field(1.0, description=WEIGHT)


class Mixture(Asked):
    """Any mix of words, pictures and works, through filters. The `query` of an answer is one too."""

    model_config = ConfigDict(json_schema_extra=_something("words", "avoid", "pictures", "like", "less"))

    words: Text | None = Field(None, description="What the works should show, or whose they should be.")
    words_weight: Weight = Field(1.0, description=WEIGHT)
    avoid: Text | None = Field(None, description="Words for what the works should not show.")
    avoid_weight: Weight = Field(1.0, description=WEIGHT)
    pictures: list[SentPicture | KnownPicture | PartOfWork] = Field(
        [], max_length=MOST["pic"], description="Pictures to be like."
    )
    like: list[KnownWork] = Field([], max_length=MOST["like"], description="Works to be like.")
    less: list[KnownWork] = Field([], max_length=MOST["less"], description="Works to be unlike.")
    filters: Narrowing = Field(default_factory=lambda: Narrowing.model_validate({}))
    each: Count | None = Field(None, description="How many works of one artist, at most.")
    k: Count | None = Field(None, description=K)
    cursor: Cursor | None = Field(None, description=NEXT)

    def values(self) -> MultiDict[str, str]:
        values = self.filters.values()
        for name, value in self._pairs():
            if value is not None:
                values.add(name, _text(value))
        return values

    def _pairs(self) -> Iterator[tuple[str, Any]]:
        yield from (
            ("q", self.words),
            ("qw", self.words_weight),
            ("not", self.avoid),
            ("notw", self.avoid_weight),
        )
        for name, works in (("like", self.like), ("less", self.less)):
            for work in works:
                yield from ((name, work.id), (f"{name}w", work.weight))
        yield from (("each", self.each), ("k", self.k))

    def sources(self) -> tuple[Source, ...]:
        """The pictures. Raises Rejected."""
        return tuple(picture.source() for picture in self.pictures)


@dataclass(frozen=True)
class Source:
    """A picture to search by: the bytes of a file, a token, or a work's id; and the part of it to use."""

    weight: float
    box: Box | None = None
    data: bytes | None = None
    token: str | None = None
    work: str | None = None


def _cropped(crop: Crop | None) -> Box | None:
    return _box(crop.x, crop.y, crop.w, crop.h) if crop else None


def _box(*sides: float | None) -> Box | None:
    texts = {name: f"{side:.6f}" for name, side in zip(BOX, sides, strict=True) if side is not None}
    return Box.parse(MultiDict(texts))


def _text(value: Any) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)
