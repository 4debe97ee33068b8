"""What answers say: models that they are made by, and that the OpenAPI document is written from."""

from __future__ import annotations

from typing import Annotated, Generic, TypeVar

from flask import url_for
from pydantic import BaseModel, ConfigDict, Field

from gallery.models import Artist, Artwork, Build, StoredImage
from gallery.search.calibration import Relevance
from serving.api.request_models import Filters
from serving.collection_summary import ArtistSummary, FacetValue
from serving.template_filters import alt, image_url, source

T = TypeVar("T")

Url = Annotated[str, Field(description="A whole address.", json_schema_extra={"format": "uri"})]


class ResponseModel(BaseModel):
    """What every model here is."""

    model_config = ConfigDict(frozen=True)


class ImageLinks(ResponseModel):
    """Where an image can be had, and its colour before it has loaded."""

    small: Url
    large: Url
    original: Url
    width: int = Field(description="Of the original, upright, in pixels.")
    height: int
    color: str = Field(description="The mean colour, as #rrggbb.", pattern="^#[0-9a-f]{6}$")

    @classmethod
    def of(cls, image: StoredImage) -> ImageLinks:
        """Return the addresses and the size of that image."""
        copies = {
            name: image_url(getattr(image, name), external=True) for name in ("small", "large", "original")
        }
        return cls(**copies, width=image.width, height=image.height, color=image.color)


class ArtistInfo(ResponseModel):
    """An artist as the catalogue knows them."""

    slug: str = Field(description="The name that filters and addresses take.")
    name: str
    years: str = Field(description="The life dates for people, empty where they are not known.")
    birth: int | None
    death: int | None
    styles: tuple[str, ...]
    nationalities: tuple[str, ...]
    summary: str
    wikipedia: str

    @classmethod
    def facts(cls, artist: Artist) -> dict[str, object]:
        """The fields of this model, of that artist."""
        return {name: getattr(artist, name) for name in ArtistInfo.model_fields}


class Work(ResponseModel):
    """A work of the collection. Its id stays the same from one build to the next."""

    id: str
    artist: ArtistInfo
    file: str = Field(description="Its path in the dataset.")
    alt: str = Field(description="The picture described by what the catalogue knows, for who cannot see it.")
    image: ImageLinks
    url: Url = Field(description="Its page.")

    @classmethod
    def facts(cls, work: Artwork) -> dict[str, object]:
        """The fields of this model, of that work."""
        return {
            "id": work.id,
            "artist": ArtistInfo(**ArtistInfo.facts(work.artist)),  # type: ignore[arg-type]
            "file": work.file,
            "alt": alt(work),
            "image": ImageLinks.of(work.image),
            "url": url_for("works.work", id=work.id, _external=True),
        }


class WorkDetail(Work):
    """A work, and what it is of."""

    sha256: str = Field(description="Of the original's bytes, in hex.")
    build: str


class TermContribution(ResponseModel):
    """What one part of a search does for a result."""

    part: str = Field(description="`q`, `image`, `exclude`, `like` or `unlike`.")
    place: int = Field(description="Which one of its kind in the `query`, from 0.")
    likeness: float = Field(description="How like the part the work is, on the scale of `score`.")
    delta: float = Field(description="Deviations by which the part moves the result up, below 0 for down.")


class Result(Work):
    """A work that was found."""

    score: float = Field(
        ge=-1,
        le=1,
        description="Cosine similarity, 1 for the most that a query of this encoder can reach. To be compared within one answer only.",
    )
    relevance: Relevance = Field(
        description="How the score stands out from the collection's, for this query."
    )
    z_score: float | None = Field(
        description="Deviations above the middle of the collection's scores; null where the collection is too small to tell."
    )
    weak: bool = Field(
        description="True where neither the picture nor the catalogue gives much reason for it."
    )
    matched_terms: tuple[str, ...] = Field(
        description="The searched words that the catalogue has about the work."
    )
    contributions: tuple[TermContribution, ...] = Field(
        description="One for each part of a search of several."
    )


class ArtistListItem(ArtistInfo):
    """An artist, and how much there is by them."""

    works: int
    url: Url = Field(description="Their page.")

    @classmethod
    def counted(cls, summary: ArtistSummary) -> dict[str, object]:
        """The fields of this model, of that painter."""
        url = url_for("artists.artist", slug=summary.artist.slug, _external=True)
        return {**ArtistInfo.facts(summary.artist), "works": summary.works, "url": url}


class ArtistDetail(ArtistListItem):
    """An artist, with their life and some of their works."""

    bio: str
    samples: tuple[Work, ...]
    build: str


class ImageRef(ResponseModel):
    """A picture that was searched by; the token stands for it in later searches, for a week."""

    token: str
    weight: float


class WorkRef(ResponseModel):
    """A work that was searched by."""

    id: str
    weight: float


class SearchEcho(ResponseModel):
    """What was searched for; to be posted again as it is, with another `limit` or a `cursor` added."""

    q: str | None
    q_weight: float
    exclude: str | None
    exclude_weight: float
    images: tuple[ImageRef, ...]
    like: tuple[WorkRef, ...]
    unlike: tuple[WorkRef, ...]
    filters: Filters
    per_artist: int | None


class ListResponse(ResponseModel, Generic[T]):
    """A stretch of a list."""

    build: str = Field(description="The build that it is of.")
    limit: int = Field(description="How many were asked for.")
    results: tuple[T, ...]
    next_cursor: str | None = Field(description="The `cursor` that goes on from here; null after the last.")


class SearchResponse(ListResponse[Result]):
    """What a search found, the best first."""

    query: SearchEcho
    sentence: str = Field(description="The query for people, in English.")
    searched: int = Field(description="How many works passed the filters.")
    encoder: str = Field(description="What looked at the pictures, by its name for people.")
    generated: bool = Field(
        description="True where the pictures were painted by this program, to try it out."
    )
    seconds: float = Field(description="How long the search took.")
    page: Url | None = Field(
        description="The page that shows this search; null where its address would be too long."
    )


class WorksResponse(ListResponse[Work]):
    """Works ordered by file, which groups them by artist."""

    total: int = Field(description="How many works pass the filters.")


class ArtistsResponse(ListResponse[ArtistListItem]):
    """Artists by name."""

    total: int


class FacetItem(ResponseModel):
    """A value to filter by."""

    value: str = Field(description="What the filter takes.")
    label: str = Field(description="Its name for people.")
    works: int = Field(
        description="How many works there are with it, if nothing else of its field is chosen."
    )
    chosen: bool

    @classmethod
    def of(cls, choice: FacetValue) -> FacetItem:
        """The choice's."""
        return cls(value=choice.value, label=choice.label, works=choice.works, chosen=choice.chosen)


class FacetsResponse(ResponseModel):
    """What there is to filter by. A work with two styles counts under both."""

    build: str
    total: int = Field(description="How many works pass the filters.")
    artist: tuple[FacetItem, ...]
    style: tuple[FacetItem, ...]
    nationality: tuple[FacetItem, ...]


class BuildInfo(ResponseModel):
    """One version of the collection."""

    name: str
    works: int
    dataset: str = Field(description="Where its pictures come from.")
    version: str = Field(description="The dataset's.")
    fingerprint: str = Field(description="The encoder's exact weights and preprocessing.")
    dim: int = Field(description="Floats in a vector.")
    generated: bool = Field(
        description="True where the pictures were painted by this program, to try it out."
    )
    made_at: str = Field(description="UTC, in ISO 8601.")
    live: bool = Field(description="True for the one that is searched.")

    @classmethod
    def facts(cls, build: Build, live: bool) -> dict[str, object]:
        """The fields of this model, of that build."""
        names = ("name", "works", "version", "fingerprint", "dim", "generated")
        values = {name: getattr(build, name) for name in names}
        return {**values, "dataset": source(build.dataset), "made_at": build.created_at, "live": live}


class LiveBuild(BuildInfo):
    """The build that is searched."""

    encoder: str = Field(description="What looked at the pictures, by its name for people.")


class BuildsResponse(ResponseModel):
    """The builds that are kept, the newest first."""

    results: tuple[BuildInfo, ...]


class Problem(ResponseModel):
    """What went wrong, as RFC 9457 has it."""

    type: str
    title: str
    status: int
    detail: str
    errors: tuple[WrongField, ...] | None = Field(
        None, description="What is wrong with each field, where that is known."
    )


class WrongField(ResponseModel):
    """One mistake in a request."""

    at: str = Field(description="The parameter or field; empty for the request as a whole.")
    message: str


Problem.model_rebuild()
