"""What each page receives, one frozen dataclass for each; its fields are all that its template sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from flask import current_app, render_template, request
from flask_babel import gettext

from gallery.errors import GalleryError
from gallery.models import Artwork, Build
from gallery.search.calibration import Relevance
from gallery.search.engine import SearchResult
from serving.composer import Card
from serving.language import Language, Way, language, marked, ways, words_hint
from serving.query import Chip, Query
from serving.site import Site
from serving.wall import Facet, Painter

EXAMPLES = (
    "sailing boats on the sea",
    "flowers in a vase",
    "a village in the snow",
    "a bowl of fruit",
    "mountains",
)
"""Words to try. They are not translated: the encoders know English best."""
MORE = "more"
"""The id of the element that htmx puts further results in the place of."""


@dataclass(frozen=True)
class Banner:
    """Something that a visitor must know about the collection, on every page."""

    title: str
    text: str


GENERATED = Banner(
    marked("These pictures are generated."),
    marked("They were painted by this program to try it out; the painters and their lives are invented."),
)
ROUGHER = Banner(
    marked("Results are rougher than they could be."),
    marked(
        "CLIP could not be had when this collection was built, so the smaller offline encoder was used; it is weakest "
        "with words. For CLIP, let the pipeline reach the model hub once, or name a folder that holds the model in "
        "GALLERY_ENCODER, and run gallery refresh."
    ),
)


@dataclass(frozen=True)
class Frame:
    """What surrounds every page: the search form's state and limits, the live build, None where there is none, the
    page's language and the ways to others, and what to say of the words that the encoder understands."""

    query: Query
    cards: tuple[Card, ...]
    build: Build | None
    banners: tuple[Banner, ...]
    painters: int
    default_results: int
    max_results: int
    max_query: int
    max_upload: int
    language: Language
    ways: tuple[Way, ...]
    words_hint: str


@dataclass(frozen=True)
class Page:
    """A page with its frame; `template` is the file that renders it."""

    template: ClassVar[str]
    frame: Frame


@dataclass(frozen=True)
class HomePage(Page):
    """Before a search: examples to try, works to look at, and ways into the collection."""

    template = "home.html"
    examples: tuple[Query, ...]
    works: tuple[Artwork, ...]
    facets: tuple[Facet, ...]


@dataclass(frozen=True)
class Tile:
    """A work among results: what the search says of it, None in a mere list; its painter, who is introduced where
    `introduced` says so; and whether weak matches begin with it."""

    work: Artwork
    match: SearchResult | None
    painter: Painter
    introduced: bool
    weak_from_here: bool


@dataclass(frozen=True)
class ResultsPage(Page):
    """What a search found, or what passes a filter. `more` is where the works go on, "" after the last; `outstanding`
    is False where every match of the first page is a weak one."""

    template = "results.html"
    sentence: str
    tiles: tuple[Tile, ...]
    works: int
    more: str
    outstanding: bool
    chips: tuple[Chip, ...]
    facets: tuple[Facet, ...]
    encoder: str
    seconds: float


@dataclass(frozen=True)
class WorkPage(Page):
    """One work: where it comes from, works like it, and others by its artist."""

    template = "work.html"
    work: Artwork
    painter: Painter
    build: Build
    encoder: str
    similar: tuple[Tile, ...]
    more: Query


@dataclass(frozen=True)
class ArtistsPage(Page):
    """Every painter of the collection, by name."""

    template = "artists.html"
    painters: tuple[Painter, ...]


@dataclass(frozen=True)
class ArtistPage(Page):
    """One painter and their works; `more` is where these go on, "" after the last."""

    template = "artist.html"
    painter: Painter
    tiles: tuple[Tile, ...]
    more: str


@dataclass(frozen=True)
class ErrorPage(Page):
    """Any error: `refresh` is the seconds after which the page asks again by itself, None where that is no use."""

    template = "error.html"
    status: int
    title: str
    message: str
    refresh: int | None


@dataclass(frozen=True)
class BarePage(Page):
    """There is no collection yet."""

    template = "bare.html"


def frame(site: Site, query: Query, cards: tuple[Card, ...] = ()) -> Frame:
    """The frame around a page. Never raises where the collection is out of reach: error pages have one too."""
    painters = 0
    try:
        build = site.services.vectors.live()
        painters = len(site.wall.painters(build)) if build else 0
    except GalleryError:
        build = None
    settings = site.settings
    return Frame(
        query,
        cards,
        build,
        banners(build, settings.encoder),
        painters,
        settings.default_results,
        settings.max_results,
        settings.max_query,
        settings.max_upload,
        language(),
        ways(),
        words_hint(build.encoder) if build else "",
    )


def banners(build: Build | None, encoder: str) -> tuple[Banner, ...]:
    """What to say of the build everywhere, given the encoder that the settings ask for."""
    generated = build is not None and build.generated
    rougher = build is not None and build.encoder == "offline" and encoder == "auto"
    said = (GENERATED,) * generated + (ROUGHER,) * rougher
    return tuple(Banner(gettext(banner.title), gettext(banner.text)) for banner in said)


def tiles(
    site: Site, build: Build, works: Sequence[Artwork | SearchResult], *, divided: bool
) -> tuple[Tile, ...]:
    """The works as tiles, each painter introduced once; `divided` where the weak matches are to be set apart."""
    painters, introduced = site.wall.painters(build), set()
    weak = [isinstance(item, SearchResult) and item.weak for item in works]
    first_weak = next((place for place in range(len(weak)) if all(weak[place:])), None) if divided else None
    made = []
    for place, item in enumerate(works):
        match = item if isinstance(item, SearchResult) else None
        work = item.artwork if isinstance(item, SearchResult) else item
        # A collection larger than the wall reads may have painters that it does not know.
        painter = painters.get(work.artist.slug) or Painter(work.artist, 1, (work,))
        first = work.artist.slug not in introduced
        introduced.add(work.artist.slug)
        made.append(Tile(work, match, painter, first, place == first_weak))
    return tuple(made)


def is_outstanding(hits: Sequence[SearchResult]) -> bool:
    """False where all matches are weak, so that there is nothing to set the weak ones apart from."""
    return not hits or not all(hit.weak for hit in hits) or hits[0].relevance is Relevance.UNKNOWN


def render(page: Page) -> str:
    """The page as HTML; only its block of results where htmx asks for more of them."""
    context: dict[str, Any] = {field.name: getattr(page, field.name) for field in fields(page)}
    if request.headers.get("HX-Target") == MORE:
        template = current_app.jinja_env.get_template(page.template)
        if block := template.blocks.get("hits"):
            current_app.update_template_context(context)
            return "".join(block(template.new_context(context)))
    return render_template(page.template, **context)
