"""What requests may say: models that check it, from which the OpenAPI document is written too.

Limits that are settings stand here at the most that a setting can be; the document gives those of this server.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue
from pydantic.config import JsonDict

from gallery.search.query import (
    MAX_FILTER_VALUES,
    MAX_IMAGES,
    MAX_VALUE_CHARS,
    MAX_WEIGHT,
    MAX_WORKS,
    MAX_YEAR,
    MIN_WEIGHT,
    SearchQuery,
    Term,
    TextTerm,
    WorkTerm,
    checked,
)
from gallery.settings import Settings
from gallery.vectors.filters import Filter
from serving.api.cursors import LENGTH, PATTERN
from serving.errors import Rejected
from serving.query import MAX_TOKEN_CHARS
from serving.uploads import MIN_SHARE, Box

T = TypeVar("T")

_KEYS = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
SAID = rf"^[^{_KEYS}]*[^\s{_KEYS}][^{_KEYS}]*$"
"""Not blank, and without control characters but tabs and line breaks."""


def _whole(value: object) -> object:
    """2.0 as 2: JSON has one kind of number, and JSON Schema takes both for an integer."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Text = Annotated[str, Field(min_length=1, max_length=10_000, pattern=SAID)]
Name = Annotated[str, Field(min_length=1, max_length=MAX_VALUE_CHARS, pattern=SAID)]
Names = Annotated[list[Name], Field(max_length=MAX_FILTER_VALUES)]
Weight = Annotated[float, Field(ge=MIN_WEIGHT, le=MAX_WEIGHT, allow_inf_nan=False)]
Year = Annotated[int, Field(ge=0, le=MAX_YEAR), BeforeValidator(_whole)]
Count = Annotated[int, Field(ge=1, le=100), BeforeValidator(_whole)]
Edge = Annotated[float, Field(ge=0, le=1 - MIN_SHARE, allow_inf_nan=False)]
Side = Annotated[float, Field(ge=MIN_SHARE, le=1, allow_inf_nan=False)]
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


class RequestModel(BaseModel):
    """What every model here is: a name that it does not know is a mistake, not silence."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_by_name=False, validate_by_alias=True)


class NoParams(RequestModel):
    """No parameters."""


class Filters(RequestModel):
    """Filters: AND across them, OR within one."""

    artist: Names = Field([], exclude_if=_empty, description="Slugs of artists: works of any of them.")
    style: Names = Field(
        [], exclude_if=_empty, description="Styles, as `facets` has them: works of artists with any of them."
    )
    nationality: Names = Field([], exclude_if=_empty, description="Nationalities, as `facets` has them.")
    exclude_artist: Names = Field(
        [], exclude_if=_empty, description="Slugs of artists whose works are left out."
    )
    active_from: Year | None = Field(
        None,
        exclude_if=_empty,
        description="A year: works of artists who lived in it or later.",
    )
    active_to: Year | None = Field(
        None, exclude_if=_empty, description="A year: works of artists who lived in it or before."
    )

    def where(self) -> Filter:
        """Return the filter."""
        return Filter(
            tuple(self.artist),
            tuple(self.exclude_artist),
            tuple(self.style),
            tuple(self.nationality),
            self.active_from,
            self.active_to,
        )


class PageParameters(RequestModel):
    """Which stretch of a list."""

    limit: Count | None = Field(None, description=K)
    cursor: Cursor | None = Field(None, description=NEXT)


class WorksParameters(Filters, PageParameters):
    """Works of the collection, through filters."""

    def query(self, settings: Settings) -> SearchQuery:
        """Return the query. Raises InvalidQuery."""
        limit = settings.default_results if self.limit is None else self.limit
        return checked(SearchQuery(self.terms(), self.where(), self.most_per_artist(), limit), settings)

    def terms(self) -> tuple[Term, ...]:
        """Return the terms of the search; there are none in a list."""
        return ()

    def most_per_artist(self) -> int | None:
        """Return the most works of one artist; any number in a list."""
        return None


class SimilarParameters(WorksParameters):
    """How many of one artist's may be among the results."""

    per_artist: Count | None = Field(None, description="How many works of one artist, at most.")

    def most_per_artist(self) -> int | None:
        return self.per_artist


class Parts(SimilarParameters):
    """The terms of a search that fit into fields, each with its weight in the field `<name>_weight`."""

    q: Text | None = Field(None, description="What the works should show, or whose they should be, in words.")
    q_weight: Weight | None = Field(None, description=f"The weight of `q`. {WEIGHT}")
    exclude: Text | None = Field(None, description="Words for what the works should not show.")
    exclude_weight: Weight | None = Field(None, description=f"The weight of `exclude`. {WEIGHT}")
    like: list[Name] = Field(
        [], max_length=MAX_WORKS, description="Ids of works that results should be like."
    )
    like_weight: list[Weight] = Field(
        [], max_length=MAX_WORKS, description="The weights of `like`, in its order."
    )
    unlike: list[Name] = Field(
        [], max_length=MAX_WORKS, description="Ids of works that results should be unlike."
    )
    unlike_weight: list[Weight] = Field(
        [], max_length=MAX_WORKS, description="The weights of `unlike`, in its order."
    )

    def terms(self) -> tuple[Term, ...]:
        terms: list[Term] = [TextTerm(self.q, _weight(self.q_weight))] if self.q else []
        terms += [TextTerm(self.exclude, -_weight(self.exclude_weight))] if self.exclude else []
        terms += [WorkTerm(id, weight) for id, weight in _weighted(self.like, self.like_weight)]
        terms += [WorkTerm(id, -weight) for id, weight in _weighted(self.unlike, self.unlike_weight)]
        return tuple(terms)


class SearchParameters(Parts):
    """A search by words."""

    q: Text = Field(description="What the works should show, or whose they should be, in words.")


class FormFields(Parts):
    """A search by fields of a form."""

    model_config = ConfigDict(json_schema_extra=_something("q", "exclude", "like", "unlike"))


class SearchForm(Parts):
    """A search by fields of a form, among them files."""

    model_config = ConfigDict(json_schema_extra=_something("q", "exclude", "like", "unlike", "image"))

    image: list[Annotated[str, Field(json_schema_extra={"format": "binary"})]] = Field(
        [],
        max_length=MAX_IMAGES,
        description="Files of pictures to be like: JPEG, PNG, WebP, GIF, TIFF, BMP or AVIF. They are not kept.",
    )
    image_weight: list[Weight] = Field(
        [], max_length=MAX_IMAGES, description="The weights of the pictures, in order."
    )
    x: list[Edge] = Field(
        [],
        max_length=MAX_IMAGES,
        description="The left edge of the part of each picture to use, as a share of its width.",
    )
    y: list[Edge] = Field([], max_length=MAX_IMAGES, description="The upper edge, as a share of its height.")
    w: list[Side] = Field([], max_length=MAX_IMAGES, description="The width of the part, as a share.")
    h: list[Side] = Field([], max_length=MAX_IMAGES, description="The height of the part, as a share.")

    def sources(self, files: list[bytes]) -> tuple[Source, ...]:
        """The pictures, given the bytes of the files."""
        boxes = (self.x, self.y, self.w, self.h)
        weights = [weight for _, weight in _weighted(files, self.image_weight)]
        return tuple(
            Source(
                weights[place],
                _box(*(side[place] if place < len(side) else None for side in boxes)),
                data=data,
            )
            for place, data in enumerate(files)
        )


class Crop(RequestModel):
    """The part of a picture to use, in shares of its sides."""

    x: Edge = Field(0.0, description="The left edge.")
    y: Edge = Field(0.0, description="The upper edge.")
    w: Side = Field(1.0, description="The width; what reaches beyond the picture is cut off.")
    h: Side = Field(1.0, description="The height.")


class UploadedImage(RequestModel):
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


class ImageToken(RequestModel):
    """A picture that was sent with an earlier search, by the token that its answer gave it. Good for a week."""

    token: str = Field(min_length=1, max_length=MAX_TOKEN_CHARS, pattern=r"^[A-Za-z0-9_.~-]+$")
    weight: Weight = Field(1.0, description=WEIGHT)

    def source(self) -> Source:
        """The picture."""
        return Source(self.weight, token=self.token)


class WorkDetailImage(RequestModel):
    """A part of a work of the collection."""

    work: Name = Field(description="The id of the work.")
    crop: Crop
    weight: Weight = Field(1.0, description=WEIGHT)

    def source(self) -> Source:
        """The picture."""
        return Source(self.weight, _cropped(self.crop), work=self.work)


class KnownWork(RequestModel):
    """A work of the collection."""

    id: Name
    weight: Weight = Field(1.0, description=WEIGHT)


class SearchBody(RequestModel):
    """Any mix of words, pictures and works, through filters. The `query` of an answer is one too."""

    model_config = ConfigDict(json_schema_extra=_something("q", "exclude", "images", "like", "unlike"))

    q: Text | None = Field(None, description="What the works should show, or whose they should be.")
    q_weight: Weight = Field(1.0, description=WEIGHT)
    exclude: Text | None = Field(None, description="Words for what the works should not show.")
    exclude_weight: Weight = Field(1.0, description=WEIGHT)
    images: list[UploadedImage | ImageToken | WorkDetailImage] = Field(
        [], max_length=MAX_IMAGES, description="Pictures to be like."
    )
    like: list[KnownWork] = Field([], max_length=MAX_WORKS, description="Works to be like.")
    unlike: list[KnownWork] = Field([], max_length=MAX_WORKS, description="Works to be unlike.")
    filters: Filters = Field(default_factory=lambda: Filters.model_validate({}))
    per_artist: Count | None = Field(None, description="How many works of one artist, at most.")
    limit: Count | None = Field(None, description=K)
    cursor: Cursor | None = Field(None, description=NEXT)

    def query(self, settings: Settings) -> SearchQuery:
        """Return the query without its images. Raises InvalidQuery."""
        terms: list[Term] = [TextTerm(self.q, self.q_weight)] if self.q else []
        terms += [TextTerm(self.exclude, -self.exclude_weight)] if self.exclude else []
        terms += [WorkTerm(work.id, work.weight) for work in self.like]
        terms += [WorkTerm(work.id, -work.weight) for work in self.unlike]
        limit = settings.default_results if self.limit is None else self.limit
        return checked(SearchQuery(tuple(terms), self.filters.where(), self.per_artist, limit), settings)

    def sources(self) -> tuple[Source, ...]:
        """The pictures. Raises Rejected."""
        return tuple(picture.source() for picture in self.images)


@dataclass(frozen=True)
class Source:
    """A picture to search by: the bytes of a file, a token, or a work's id; and the part of it to use."""

    weight: float
    box: Box | None = None
    data: bytes | None = None
    token: str | None = None
    work: str | None = None


def _cropped(crop: Crop | None) -> Box | None:
    return Box.within(crop.x, crop.y, crop.w, crop.h) if crop else None


def _box(x: float | None, y: float | None, w: float | None, h: float | None) -> Box | None:
    """Return the box of these sides, each of which may be left out."""
    return Box.within(x or 0.0, y or 0.0, 1.0 if w is None else w, 1.0 if h is None else h)


def _weight(weight: float | None) -> float:
    return 1.0 if weight is None else weight


def _weighted(items: Sequence[T], weights: Sequence[float]) -> list[tuple[T, float]]:
    """Return the items with their weights, 1 where there are not enough of these."""
    return list(zip(items, (*weights, *(1.0 for _ in items)), strict=False))
