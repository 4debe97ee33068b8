"""View models: one frozen dataclass per page, whose fields are the variables of its template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any, ClassVar

from flask import current_app, render_template, request
from flask_babel import gettext

from gallery.errors import GalleryError
from gallery.models import Artwork, Build
from gallery.search.calibration import Relevance
from gallery.search.engine import SearchResult
from gallery.search.query import SearchQuery
from gallery.vectors.base import Collection
from serving.collection_summary import ArtistSummary, Facet
from serving.context import live_collection, state
from serving.describe import ActiveFilter, ResolvedTerm
from serving.i18n import Alternate, Language, alternates, language, marked, words_hint

EXAMPLES = (
    "sailing boats on the sea",
    "flowers in a vase",
    "a village in the snow",
    "a bowl of fruit",
    "mountains",
)
"""Example searches. They are not translated, because encoders understand English best."""
MORE_ID = "more"
"""Id of the element that htmx replaces with the next results."""


@dataclass(frozen=True)
class Banner:
    """A notice about the collection, shown on every page."""

    title: str
    text: str


GENERATED = Banner(
    marked("Demo collection."),
    marked("Paintings and artists are computer-generated."),
)
ROUGHER = Banner(
    marked("Search is running in basic mode."),
    marked("Results for text are less precise than usual."),
)


@dataclass(frozen=True)
class Layout:
    """The parts that all pages share.

    `query`, `terms` and `invalid` fill in the search form; `invalid` has the text of rejected fields by name.
    `build` is the live build, None if there is none, and `artists` the number of its artists. `words_hint`
    says which languages the encoder understands.
    """

    query: SearchQuery
    terms: tuple[ResolvedTerm, ...]
    invalid: Mapping[str, str]
    build: Build | None
    banners: tuple[Banner, ...]
    artists: int
    default_results: int
    max_results: int
    max_query: int
    max_upload: int
    max_upload_pixels: int
    language: Language
    alternates: tuple[Alternate, ...]
    words_hint: str


@dataclass(frozen=True)
class Page:
    """A page with its layout. `template` is the name of its template."""

    template: ClassVar[str]
    layout: Layout


@dataclass(frozen=True)
class HomePage(Page):
    """The home page: example searches, highlights, and filter values to browse."""

    template = "home.html"
    examples: tuple[SearchQuery, ...]
    works: tuple[Artwork, ...]
    facets: tuple[Facet, ...]


@dataclass(frozen=True)
class ResultCard:
    """A work in a list of results.

    `match` is None in lists without a search. `introduced` is True on the first card of each artist, which
    also has the artist's own card. Weak matches begin at the card with `weak_from_here`.
    """

    work: Artwork
    match: SearchResult | None
    artist: ArtistSummary
    introduced: bool
    weak_from_here: bool


@dataclass(frozen=True)
class ResultsPage(Page):
    """The results of a search, or the works that match a filter.

    `works` is the number of works that match the filter, `more` the address of the next results, "" after the
    last. `outstanding` is False if all matches on the first page are weak.
    """

    template = "results.html"
    description: str
    cards: tuple[ResultCard, ...]
    works: int
    more: str
    outstanding: bool
    filters: tuple[ActiveFilter, ...]
    facets: tuple[Facet, ...]
    encoder: str
    seconds: float


@dataclass(frozen=True)
class WorkPage(Page):
    """A work: its provenance, similar works, and others by its artist."""

    template = "work.html"
    work: Artwork
    artist: ArtistSummary
    build: Build
    encoder: str
    similar: tuple[ResultCard, ...]
    more: SearchQuery


@dataclass(frozen=True)
class ArtistsPage(Page):
    """All artists, ordered by name."""

    template = "artists.html"
    artists: tuple[ArtistSummary, ...]


@dataclass(frozen=True)
class ArtistPage(Page):
    """An artist and their works. `more` is the address of the next works, "" after the last."""

    template = "artist.html"
    summary: ArtistSummary
    cards: tuple[ResultCard, ...]
    more: str


@dataclass(frozen=True)
class ErrorPage(Page):
    """An error. `refresh` is the time in seconds after which the page reloads itself, None for never."""

    template = "error.html"
    status: int
    title: str
    message: str
    refresh: int | None


@dataclass(frozen=True)
class EmptyPage(Page):
    """The page before the first collection is published."""

    template = "empty.html"


def layout(
    query: SearchQuery,
    terms: tuple[ResolvedTerm, ...] = (),
    invalid: Mapping[str, str] = MappingProxyType({}),
) -> Layout:
    """Return the layout of a page, also if the collection is unavailable, since error pages need one."""
    app = state()
    build, artists = None, 0
    try:
        collection = live_collection()
        artists = len(app.summary.artists(collection))
        build = collection.build
    except GalleryError:
        pass
    settings = app.settings
    return Layout(
        query,
        terms,
        invalid,
        build,
        banners(build, settings.encoder),
        artists,
        settings.default_results,
        settings.max_results,
        settings.max_query,
        settings.max_upload,
        settings.max_upload_pixels,
        language(),
        alternates(),
        words_hint(build.encoder) if build else "",
    )


def banners(build: Build | None, encoder: str) -> tuple[Banner, ...]:
    """Return the notices about this build. `encoder` is the setting GALLERY_ENCODER."""
    generated = build is not None and build.generated
    rougher = build is not None and build.encoder == "offline" and encoder == "auto"
    shown = (GENERATED,) * generated + (ROUGHER,) * rougher
    return tuple(Banner(gettext(banner.title), gettext(banner.text)) for banner in shown)


def result_cards(
    collection: Collection, works: Sequence[Artwork | SearchResult], *, divided: bool
) -> tuple[ResultCard, ...]:
    """Return the works as cards, each artist introduced once. `divided` separates the weak matches."""
    artists = state().summary.artists(collection)
    introduced: set[str] = set()
    weak = [isinstance(item, SearchResult) and item.weak for item in works]
    first_weak = next((place for place in range(len(weak)) if all(weak[place:])), None) if divided else None
    cards = []
    for place, item in enumerate(works):
        match = item if isinstance(item, SearchResult) else None
        work = item.artwork if isinstance(item, SearchResult) else item
        # Artists can be missing from the summary of a very large collection.
        artist = artists.get(work.artist.slug) or ArtistSummary(work.artist, 1, (work,))
        first = work.artist.slug not in introduced
        introduced.add(work.artist.slug)
        cards.append(ResultCard(work, match, artist, first, place == first_weak))
    return tuple(cards)


def is_outstanding(hits: Sequence[SearchResult]) -> bool:
    """Return False if all matches are weak."""
    return not hits or not all(hit.weak for hit in hits) or hits[0].relevance is Relevance.UNKNOWN


def render(page: Page) -> str:
    """Return the page as HTML, or only its block of results if htmx requests more results."""
    context: dict[str, Any] = {field.name: getattr(page, field.name) for field in fields(page)}
    if request.headers.get("HX-Target") == MORE_ID:
        template = current_app.jinja_env.get_template(page.template)
        if block := template.blocks.get("hits"):
            current_app.update_template_context(context)
            return "".join(block(template.new_context(context)))
    return render_template(page.template, **context)
