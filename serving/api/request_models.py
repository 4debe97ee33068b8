"""Request models: they validate requests and describe them in the OpenAPI document.

If a limit is a setting, the model has its upper bound. The document shows the value of this server.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, JsonValue, Tag
from pydantic.config import JsonDict

from gallery.models import MAX_VALUE_CHARS
from gallery.search.query import (
    MAX_FILTER_VALUES,
    MAX_IMAGES,
    MAX_WEIGHT,
    MAX_WORKS,
    MAX_YEAR,
    MIN_WEIGHT,
    ImageTerm,
    SearchQuery,
    Term,
    TextTerm,
    WorkTerm,
    checked,
)
from gallery.settings import Settings
from gallery.vectors.base import Collection
from gallery.vectors.filters import Filter
from serving.api.cursors import PATTERN
from serving.context import state
from serving.errors import Rejected
from serving.query import MAX_TOKEN_CHARS
from serving.uploads import MIN_SHARE, Box, encode

MAX_RESULTS_BOUND, MAX_QUERY_BOUND = 100, 10_000
"""Upper bounds of the settings max_results and max_query. No other limit here may have these values."""
_CONTROL = r"\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f"
NOT_BLANK = rf"^[^{_CONTROL}]*[^\s\x85{_CONTROL}][^{_CONTROL}]*$"
"""Pattern of text that is not blank and has no control characters, except those that `clean_text` of
`gallery.search.query` takes for spaces."""


def _integer(value: object) -> object:
    """Return 2.0 as 2, since JSON Schema accepts both as an integer."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Text = Annotated[str, Field(min_length=1, max_length=MAX_QUERY_BOUND, pattern=NOT_BLANK)]
Name = Annotated[str, Field(min_length=1, max_length=MAX_VALUE_CHARS, pattern=NOT_BLANK)]
Names = Annotated[list[Name], Field(max_length=MAX_FILTER_VALUES)]
Weight = Annotated[float, Field(ge=MIN_WEIGHT, le=MAX_WEIGHT, allow_inf_nan=False)]
Year = Annotated[int, Field(ge=0, le=MAX_YEAR), BeforeValidator(_integer)]
Count = Annotated[int, Field(ge=1, le=MAX_RESULTS_BOUND), BeforeValidator(_integer)]
Edge = Annotated[float, Field(ge=0, le=1 - MIN_SHARE, allow_inf_nan=False)]
Side = Annotated[float, Field(ge=MIN_SHARE, le=1, allow_inf_nan=False)]
Cursor = Annotated[str, Field(pattern=PATTERN)]

TEXT = "Text to search for: what the works should show, or an artist, style or nationality."
EXCLUDE = "Text for what the works should not show."
LIKE, UNLIKE = "Works that results should resemble.", "Works that results should not resemble."
WEIGHT = "Weight relative to the other terms; the default is 1."
PER_ARTIST = "Maximum number of results per artist."
LIMIT = "Maximum number of results."
CURSOR = "To get the next page, pass `next_cursor` here, with the same other parameters except `limit`."
FORMATS = "JPEG, PNG, WebP, GIF, TIFF, BMP, AVIF or HEIC"


def _any_of(*names: str) -> JsonDict:
    """Return the JSON Schema rule that at least one of these fields is not null or empty."""
    rules: list[JsonValue] = [
        {"required": [name], "properties": {name: {"type": ["string", "array"], "minItems": 1}}}
        for name in names
    ]
    return {"anyOf": rules}


def _not_given(value: object) -> bool:
    return value in (None, [])


class RequestModel(BaseModel):
    """Base of all request models; unknown fields are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NoParams(RequestModel):
    """No parameters."""


class Filters(RequestModel):
    """Filters. A work must match all given filters, and at least one value of each."""

    artist: Names = Field([], exclude_if=_not_given, description="Only these artists, by slug.")
    style: Names = Field(
        [],
        exclude_if=_not_given,
        description="Only artists with one of these styles; `facets` lists the values.",
    )
    nationality: Names = Field(
        [],
        exclude_if=_not_given,
        description="Only artists with one of these nationalities; `facets` lists the values.",
    )
    exclude_artist: Names = Field([], exclude_if=_not_given, description="Leave out these artists, by slug.")
    active_from: Year | None = Field(
        None, exclude_if=_not_given, description="Only artists who were alive in this year or later."
    )
    active_to: Year | None = Field(
        None, exclude_if=_not_given, description="Only artists who were alive in this year or earlier."
    )

    def where(self) -> Filter:
        """Return the Filter."""
        return Filter(
            tuple(self.artist),
            tuple(self.exclude_artist),
            tuple(self.style),
            tuple(self.nationality),
            self.active_from,
            self.active_to,
        )

    @classmethod
    def of(cls, where: Filter) -> Filters:
        """Return the model of a filter."""
        return cls(
            artist=list(where.artists),
            style=list(where.styles),
            nationality=list(where.nationalities),
            exclude_artist=list(where.exclude_artists),
            active_from=where.active_from,
            active_to=where.active_to,
        )


class PageParameters(RequestModel):
    """Which page of a list."""

    limit: Count | None = Field(None, description=LIMIT)
    cursor: Cursor | None = Field(None, description=CURSOR)


class WorksParameters(Filters, PageParameters):
    """A page of the works that match the filters."""

    def query(self, settings: Settings) -> SearchQuery:
        """Return the query. Raises InvalidQuery."""
        return _query(settings, self, self.limit)


class SimilarParameters(WorksParameters):
    """A page of search results that match the filters."""

    per_artist: Count | None = Field(None, description=PER_ARTIST)

    def query(self, settings: Settings) -> SearchQuery:
        return _query(settings, self, self.limit, self.terms(), self.per_artist)

    def terms(self) -> list[Term]:
        """Return the terms among the parameters."""
        return []


class TermFields(SimilarParameters):
    """Search terms as flat fields. `<name>_weight` has the weights of `<name>`, in the same order."""

    q: Text | None = Field(None, description=TEXT)
    q_weight: Weight = Field(1.0, description=WEIGHT)
    exclude: Text | None = Field(None, description=EXCLUDE)
    exclude_weight: Weight = Field(1.0, description=WEIGHT)
    like: list[Name] = Field([], max_length=MAX_WORKS, description=f"{LIKE} By id.")
    like_weight: list[Weight] = Field(
        [], max_length=MAX_WORKS, description="Weights of `like`, in the same order."
    )
    unlike: list[Name] = Field([], max_length=MAX_WORKS, description=f"{UNLIKE} By id.")
    unlike_weight: list[Weight] = Field(
        [], max_length=MAX_WORKS, description="Weights of `unlike`, in the same order."
    )

    def terms(self) -> list[Term]:
        like = [WorkTerm(id, _at(self.like_weight, index)) for index, id in enumerate(self.like)]
        unlike = [WorkTerm(id, -_at(self.unlike_weight, index)) for index, id in enumerate(self.unlike)]
        return [*_text_terms(self), *like, *unlike]


class SearchParameters(TermFields):
    """A search by text."""

    q: Text = Field(description=TEXT)


class SearchForm(TermFields):
    """A search as form fields."""

    model_config = ConfigDict(json_schema_extra=_any_of("q", "exclude", "like", "unlike"))


class UploadForm(TermFields):
    """A search as form fields, with image files.

    `x`, `y`, `w` and `h` select a detail of each image, in the same order.
    """

    model_config = ConfigDict(json_schema_extra=_any_of("q", "exclude", "like", "unlike", "image"))

    image: list[Annotated[str, Field(json_schema_extra={"format": "binary"})]] = Field(
        [],
        max_length=MAX_IMAGES,
        description=f"Image files that results should resemble: {FORMATS}. They are not stored.",
    )
    image_weight: list[Weight] = Field(
        [], max_length=MAX_IMAGES, description="Weights of `image`, in the same order."
    )
    x: list[Edge] = Field(
        [], max_length=MAX_IMAGES, description="Left edge of the detail, as a fraction of the image's width."
    )
    y: list[Edge] = Field(
        [], max_length=MAX_IMAGES, description="Top edge, as a fraction of the image's height."
    )
    w: list[Side] = Field([], max_length=MAX_IMAGES, description="Width, as a fraction of the image's width.")
    h: list[Side] = Field(
        [], max_length=MAX_IMAGES, description="Height, as a fraction of the image's height."
    )

    def image_terms(self, files: Sequence[bytes], collection: Collection) -> tuple[ImageTerm, ...]:
        """Encode the files. Raises Rejected, Busy, Unavailable."""
        return tuple(
            encode(
                collection,
                data,
                Box.within(
                    _at(self.x, index, 0.0), _at(self.y, index, 0.0), _at(self.w, index), _at(self.h, index)
                ),
                _at(self.image_weight, index),
            )
            for index, data in enumerate(files)
        )


class Crop(RequestModel):
    """A detail of an image, in fractions of its sides."""

    x: Edge = Field(0.0, description="Left edge.")
    y: Edge = Field(0.0, description="Top edge.")
    w: Side = Field(1.0, description="Width; cut off at the edge of the image.")
    h: Side = Field(1.0, description="Height; cut off at the edge of the image.")

    def box(self) -> Box | None:
        """Return the box, None for the whole image."""
        return Box.within(self.x, self.y, self.w, self.h)


class UploadedImage(RequestModel):
    """An image in the request."""

    data: str = Field(
        min_length=4,
        pattern=r"^(data:[^,]*;base64,)?[A-Za-z0-9+/_\s-]+=*\s*$",
        description=f"The file in Base64, with or without line breaks: {FORMATS}. It is not stored.",
        json_schema_extra={"contentEncoding": "base64"},
    )
    crop: Crop | None = None
    weight: Weight = Field(1.0, description=WEIGHT)

    def image_term(self, collection: Collection) -> ImageTerm:
        """Encode the image. Raises Rejected, Busy, Unavailable."""
        try:
            text = "".join(self.data.rpartition(",")[2].split()).rstrip("=")
            data = base64.b64decode(
                text + "=" * (-len(text) % 4), b"-_" if set("-_") & set(text) else None, validate=True
            )
        except binascii.Error:
            raise Rejected("The data of an image is not valid Base64.", 415) from None
        return encode(collection, data, self.crop.box() if self.crop else None, self.weight)


class ImageRef(RequestModel):
    """An image of an earlier search, by its token in that response. Tokens are valid for a week."""

    token: str = Field(min_length=1, max_length=MAX_TOKEN_CHARS, pattern=r"^[A-Za-z0-9_.~-]+$")
    weight: Weight = Field(1.0, description=WEIGHT)

    def image_term(self, collection: Collection) -> ImageTerm:
        """Read the token. Raises Rejected with status 410 if it is invalid or expired."""
        try:
            image = state().tokens.read(self.token, collection.build.fingerprint)
        except Rejected as error:
            raise Rejected(str(error), 410) from error
        return dataclasses.replace(image, weight=self.weight)


class WorkCrop(RequestModel):
    """A detail of a work in the collection."""

    work: Name = Field(description="Id of the work.")
    crop: Crop
    weight: Weight = Field(1.0, description=WEIGHT)

    def image_term(self, collection: Collection) -> ImageTerm:
        """Encode the detail. Raises NotFound, Busy, Unavailable."""
        data = state().services.images.get(collection.get(self.work).image.large)
        return encode(collection, data, self.crop.box(), self.weight)


IMAGE_MODELS = {"UploadedImage": "data", "ImageRef": "token", "WorkCrop": "work"}
"""Image model -> the field that only this model has."""


def _image_model(value: Any) -> str | None:
    """Return the name of the image's model, so that errors are about this model only."""
    if isinstance(value, dict):
        return next((name for name, field in IMAGE_MODELS.items() if field in value), None)
    name = type(value).__name__
    return name if name in IMAGE_MODELS else None


Image = Annotated[
    Annotated[UploadedImage, Tag("UploadedImage")]
    | Annotated[ImageRef, Tag("ImageRef")]
    | Annotated[WorkCrop, Tag("WorkCrop")],
    Discriminator(_image_model),
]


class WorkRef(RequestModel):
    """A work in the collection."""

    id: Name
    weight: Weight = Field(1.0, description=WEIGHT)


class SearchBody(RequestModel):
    """A search by any combination of text, images and works."""

    model_config = ConfigDict(json_schema_extra=_any_of("q", "exclude", "images", "like", "unlike"))

    q: Text | None = Field(None, description=TEXT)
    q_weight: Weight = Field(1.0, description=WEIGHT)
    exclude: Text | None = Field(None, description=EXCLUDE)
    exclude_weight: Weight = Field(1.0, description=WEIGHT)
    images: list[Image] = Field([], max_length=MAX_IMAGES, description="Images that results should resemble.")
    like: list[WorkRef] = Field([], max_length=MAX_WORKS, description=LIKE)
    unlike: list[WorkRef] = Field([], max_length=MAX_WORKS, description=UNLIKE)
    filters: Filters = Field(default_factory=lambda: Filters.model_validate({}))
    per_artist: Count | None = Field(None, description=PER_ARTIST)
    limit: Count | None = Field(None, description=LIMIT)
    cursor: Cursor | None = Field(None, description=CURSOR)

    def query(self, settings: Settings) -> SearchQuery:
        """Return the query without its images. Raises InvalidQuery."""
        works = [WorkTerm(work.id, work.weight) for work in self.like]
        works += [WorkTerm(work.id, -work.weight) for work in self.unlike]
        return _query(settings, self.filters, self.limit, [*_text_terms(self), *works], self.per_artist)

    def image_terms(self, collection: Collection) -> tuple[ImageTerm, ...]:
        """Encode or read the images. Raises Rejected, NotFound, Busy, Unavailable."""
        return tuple(image.image_term(collection) for image in self.images)

    @classmethod
    def of(cls, query: SearchQuery) -> SearchBody:
        """Return the body for this query, with images as tokens."""
        values: dict[str, Any] = {"images": [], "like": [], "unlike": []}
        for term in query.terms:
            weight = abs(term.weight)
            if isinstance(term, TextTerm):
                name = "q" if term.weight > 0 else "exclude"
                values |= {name: term.text, f"{name}_weight": weight}
            elif isinstance(term, WorkTerm):
                values[term.kind].append(WorkRef(id=term.id, weight=weight))
            else:
                values["images"].append(ImageRef(token=term.token, weight=weight))
        return cls(filters=Filters.of(query.where), per_artist=query.per_artist, limit=query.limit, **values)


def _query(
    settings: Settings,
    filters: Filters,
    limit: int | None,
    terms: Sequence[Term] = (),
    per_artist: int | None = None,
) -> SearchQuery:
    limit = settings.default_results if limit is None else limit
    return checked(SearchQuery(tuple(terms), filters.where(), per_artist, limit), settings)


def _text_terms(asked: TermFields | SearchBody) -> list[Term]:
    terms: list[Term] = [TextTerm(asked.q, asked.q_weight)] if asked.q else []
    return [*terms, TextTerm(asked.exclude, -asked.exclude_weight)] if asked.exclude else terms


def _at(values: Sequence[float], index: int, default: float = 1.0) -> float:
    """Return the value at the index, or the default if the list is shorter."""
    return values[index] if index < len(values) else default
