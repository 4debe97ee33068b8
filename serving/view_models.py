"""What each page receives: one frozen dataclass a page, whose fields are all that its template sees."""

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
"""Words to try. They are not translated: the encoders know English best."""
MORE_ID = "more"
"""The id of the element that htmx replaces with further results."""


@dataclass(frozen=True)
class Banner:
    """A notice about the collection, on every page."""

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

    `query`, `terms` and `invalid` fill in the search form; `invalid` has the text of rejected fields by name. `build` is
    the live build, None if there is none, and `artists` the number of its artists. `words_hint` says which languages
    the encoder understands.
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
    language: Language
    alternates: tuple[Alternate, ...]
    words_hint: str


@dataclass(frozen=True)
class Page:
    """A page with its layout; `template` is the file that renders it."""

    template: ClassVar[str]
    layout: Layout


@dataclass(frozen=True)
class HomePage(Page):
    """Before a search: searches to try, works to look at, and values to browse by."""

    template = "home.html"
    examples: tuple[SearchQuery, ...]
    works: tuple[Artwork, ...]
    facets: tuple[Facet, ...]


@dataclass(frozen=True)
class ResultCard:
    """A work among results.

    `match` is what the search found out about it, None in a list. Its artist is introduced on the first card only, where
    `introduced` is True. Weak matches begin with the card where `weak_from_here` is True.
    """

    work: Artwork
    match: SearchResult | None
    artist: ArtistSummary
    introduced: bool
    weak_from_here: bool


@dataclass(frozen=True)
class ResultsPage(Page):
    """The results of a search, or the works that pass a filter.

    `works` is how many were searched or pass, `more` the address at which the results go on, "" after the last.
    `outstanding` is False where every match on the first page is weak.
    """

    template = "results.html"
    sentence: str
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
    """One work: where it comes from, similar works, and others by its artist."""

    template = "work.html"
    work: Artwork
    artist: ArtistSummary
    build: Build
    encoder: str
    similar: tuple[ResultCard, ...]
    more: SearchQuery


@dataclass(frozen=True)
class ArtistsPage(Page):
    """Every artist of the collection, by name."""

    template = "artists.html"
    artists: tuple[ArtistSummary, ...]


@dataclass(frozen=True)
class ArtistPage(Page):
    """One artist and their works; `more` is the address at which these go on, "" after the last."""

    template = "artist.html"
    summary: ArtistSummary
    cards: tuple[ResultCard, ...]
    more: str


@dataclass(frozen=True)
class ErrorPage(Page):
    """Any error. `refresh` is after how many seconds the page reloads itself, None where that is no use."""

    template = "error.html"
    status: int
    title: str
    message: str
    refresh: int | None


@dataclass(frozen=True)
class EmptyPage(Page):
    """There is no collection yet."""

    template = "empty.html"


def layout(
    query: SearchQuery,
    terms: tuple[ResolvedTerm, ...] = (),
    invalid: Mapping[str, str] = MappingProxyType({}),
) -> Layout:
    """Return the layout of a page. Error pages need one too, so an unavailable collection is not an error here."""
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
        language(),
        alternates(),
        words_hint(build.encoder) if build else "",
    )


def banners(build: Build | None, encoder: str) -> tuple[Banner, ...]:
    """Return the notices about this build, given the encoder that the settings ask for."""
    generated = build is not None and build.generated
    rougher = build is not None and build.encoder == "offline" and encoder == "auto"
    shown = (GENERATED,) * generated + (ROUGHER,) * rougher
    return tuple(Banner(gettext(banner.title), gettext(banner.text)) for banner in shown)


def result_cards(
    collection: Collection, works: Sequence[Artwork | SearchResult], *, divided: bool
) -> tuple[ResultCard, ...]:
    """Return the works as cards, each artist introduced once; `divided` says whether weak matches are set apart."""
    artists = state().summary.artists(collection)
    introduced: set[str] = set()
    weak = [isinstance(item, SearchResult) and item.weak for item in works]
    first_weak = next((place for place in range(len(weak)) if all(weak[place:])), None) if divided else None
    cards = []
    for place, item in enumerate(works):
        match = item if isinstance(item, SearchResult) else None
        work = item.artwork if isinstance(item, SearchResult) else item
        # The summary of a very large collection may not have every artist.
        artist = artists.get(work.artist.slug) or ArtistSummary(work.artist, 1, (work,))
        first = work.artist.slug not in introduced
        introduced.add(work.artist.slug)
        cards.append(ResultCard(work, match, artist, first, place == first_weak))
    return tuple(cards)


def is_outstanding(hits: Sequence[SearchResult]) -> bool:
    """Return False where all matches are weak, so that there is nothing to set the weak ones apart from."""
    return not hits or not all(hit.weak for hit in hits) or hits[0].relevance is Relevance.UNKNOWN


def render(page: Page) -> str:
    """Return the page as HTML; only its block of results where htmx asks for more of them."""
    context: dict[str, Any] = {field.name: getattr(page, field.name) for field in fields(page)}
    if request.headers.get("HX-Target") == MORE_ID:
        template = current_app.jinja_env.get_template(page.template)
        if block := template.blocks.get("hits"):
            current_app.update_template_context(context)
            return "".join(block(template.new_context(context)))
    return render_template(page.template, **context)
