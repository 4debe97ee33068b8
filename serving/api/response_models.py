"""Response models: views build them, and the OpenAPI document describes them."""

from __future__ import annotations

from typing import Annotated, Any, Generic, Self, TypeVar

from flask import url_for
from pydantic import BaseModel, ConfigDict, Field

from gallery.models import Artwork, Build, StoredImage
from gallery.search.calibration import Relevance
from serving.api.request_models import SearchBody
from serving.collection_summary import ArtistSummary, FacetValue
from serving.errors import FieldError
from serving.template_filters import alt, image_url, source

T = TypeVar("T")

Url = Annotated[str, Field(description="Absolute URL.", json_schema_extra={"format": "uri"})]


class ResponseModel(BaseModel):
    """Base of all response models."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


class ImageLinks(ResponseModel):
    """URLs of an image in three sizes, and its mean colour, to show while it loads."""

    small: Url
    large: Url
    original: Url
    width: int = Field(description="Width of the upright original, in pixels.")
    height: int = Field(description="Height of the upright original, in pixels.")
    color: str = Field(description="Mean colour, as #rrggbb.", pattern="^#[0-9a-f]{6}$")

    @classmethod
    def of(cls, image: StoredImage) -> Self:
        """Return the links to a stored image."""
        links = {
            name: image_url(getattr(image, name), external=True) for name in ("small", "large", "original")
        }
        return cls(**links, width=image.width, height=image.height, color=image.color)


class ArtistInfo(ResponseModel):
    """An artist."""

    slug: str = Field(description="Identifier in filters and URLs.")
    name: str
    years: str = Field(description="Life dates as text; empty if unknown.")
    birth: int | None
    death: int | None
    styles: tuple[str, ...]
    nationalities: tuple[str, ...]
    summary: str
    wikipedia: str


class Work(ResponseModel):
    """A work in the collection. Its id stays the same in later builds."""

    id: str
    artist: ArtistInfo
    file: str = Field(description="Path of the image file in the dataset.")
    alt: str = Field(description="Alternative text for the image, made from the catalogue.")
    image: ImageLinks
    url: Url = Field(description="URL of the work's page.")

    @classmethod
    def of(cls, work: Artwork, **more: Any) -> Self:
        """Return the model of a work. `more` has the additional fields of a subclass."""
        return cls(
            id=work.id,
            artist=ArtistInfo.model_validate(work.artist),
            file=work.file,
            alt=alt(work),
            image=ImageLinks.of(work.image),
            url=url_for("works.work", id=work.id, _external=True),
            **more,
        )


class WorkDetail(Work):
    """A work, with the SHA-256 of its file."""

    sha256: str = Field(description="SHA-256 of the original file, in hex.")
    build: str = Field(description="Name of the current build.")


class TermContribution(ResponseModel):
    """The effect of one term of a search on a result."""

    term: str = Field(description="Kind of the term: `q`, `image`, `exclude`, `like` or `unlike`.")
    index: int = Field(description="Index of the term among those of its kind in `query`, from 0.")
    similarity: float = Field(description="Similarity of the work to the term, on the scale of `score`.")
    delta: float = Field(
        description="How far the term raises the result, in standard deviations; negative if it lowers it."
    )


class ResultItem(Work):
    """A search result."""

    score: float = Field(
        ge=-1,
        le=1,
        description="Cosine similarity; 1 is the maximum for this encoder. Only comparable in one response.",
    )
    relevance: Relevance = Field(
        description="How far the score is above those of the rest of the collection."
    )
    z_score: float | None = Field(
        description="Standard deviations above the median score; null if the collection is too small."
    )
    weak: bool = Field(description="True if neither the image nor the catalogue supports the result.")
    matched_terms: tuple[str, ...] = Field(
        description="Words of the search that match the work's catalogue entry."
    )
    contributions: tuple[TermContribution, ...] = Field(
        description="One per term if the search has several terms, else empty."
    )


class ArtistListItem(ArtistInfo):
    """An artist, with the number of their works."""

    works: int
    url: Url = Field(description="URL of the artist's page.")

    @classmethod
    def of(cls, summary: ArtistSummary, **more: Any) -> Self:
        """Return the model of an artist. `more` has the additional fields of a subclass."""
        facts = ArtistInfo.model_validate(summary.artist).model_dump()
        url = url_for("artists.artist", slug=summary.artist.slug, _external=True)
        return cls(**facts, works=summary.works, url=url, **more)


class ArtistDetail(ArtistListItem):
    """An artist, with their biography and some of their works."""

    bio: str
    samples: tuple[Work, ...]
    build: str = Field(description="Name of the current build.")


class ListResponse(ResponseModel, Generic[T]):
    """A page of a list."""

    build: str = Field(description="Name of the build that the list belongs to.")
    limit: int = Field(description="Maximum number of results on this page.")
    results: tuple[T, ...]
    next_cursor: str | None = Field(
        description="To get the next page, pass this as `cursor`. Null on the last page."
    )


class SearchResponse(ListResponse[ResultItem]):
    """Search results, best match first."""

    query: SearchBody = Field(
        description="The search, with images as tokens. It can be posted with another `limit` or a `cursor`."
    )
    description: str = Field(description="The search in words, in English.")
    searched: int = Field(description="Number of works that match the filters.")
    encoder: str = Field(description="Display name of the model that encoded the images.")
    generated: bool = Field(description="True for the computer-generated demo collection.")
    seconds: float = Field(description="Duration of the search.")
    page: Url | None = Field(description="URL of the page with these results; null if it would be too long.")


class WorksResponse(ListResponse[Work]):
    """Works, ordered by file and so by artist."""

    total: int = Field(description="Number of works that match the filters.")


class ArtistsResponse(ListResponse[ArtistListItem]):
    """Artists, ordered by name."""

    total: int = Field(description="Number of artists.")


class FacetsResponse(ResponseModel):
    """Filter values with the number of works. A work counts for each style and nationality of its artist."""

    build: str = Field(description="Name of the current build.")
    total: int = Field(description="Number of works that match the filters.")
    artist: tuple[FacetValue, ...]
    style: tuple[FacetValue, ...]
    nationality: tuple[FacetValue, ...]


class BuildInfo(ResponseModel):
    """A version of the collection."""

    name: str
    works: int
    dataset: str = Field(description="Source of the images.")
    version: str = Field(description="Version of the dataset.")
    fingerprint: str = Field(description="Identifies the encoder, its weights and its preprocessing.")
    dim: int = Field(description="Dimension of the vectors.")
    generated: bool = Field(description="True for the computer-generated demo collection.")
    created_at: str = Field(description="UTC time in ISO 8601.")
    live: bool = Field(description="True for the build that is searched.")

    @classmethod
    def of(cls, build: Build, live: bool, **more: Any) -> Self:
        """Return the model of a build. `more` has the additional fields of a subclass."""
        names = ("name", "works", "version", "fingerprint", "dim", "generated", "created_at")
        values = {name: getattr(build, name) for name in names}
        return cls(**values, dataset=source(build.dataset), live=live, **more)


class LiveBuild(BuildInfo):
    """The current build."""

    encoder: str = Field(description="Display name of the model that encoded the images.")


class BuildsResponse(ResponseModel):
    """The builds that are kept, newest first."""

    results: tuple[BuildInfo, ...]


class Problem(ResponseModel):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    errors: tuple[FieldError, ...] | None = Field(None, description="The invalid fields, if there are any.")
