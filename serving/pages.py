"""What each page receives, one frozen dataclass for each; its fields are all that its template sees."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import ClassVar

from flask import render_template

from gallery.catalog import Artwork, Build, Hit
from gallery.errors import GalleryError
from serving.query import Chip, Query
from serving.site import Site
from serving.tokens import Upload
from serving.wall import Facets, Spread

EXAMPLES = (
    "sailing boats on the sea",
    "flowers in a vase",
    "a village in the snow",
    "a bowl of fruit",
    "mountains",
)


@dataclass(frozen=True)
class Banner:
    """Something that a visitor must know about the collection, on every page."""

    title: str
    text: str


GENERATED = Banner(
    "These pictures are generated.",
    "They were painted by this program to try it out; the painters and their lives are invented.",
)
ROUGHER = Banner(
    "Results are rougher than they could be.",
    "CLIP could not be had when this collection was built, so the smaller offline encoder was used; it is weakest "
    "with words. For CLIP, let the pipeline reach the model hub once, or name a folder that holds the model in "
    "GALLERY_ENCODER, and run gallery refresh.",
)


@dataclass(frozen=True)
class Frame:
    """What surrounds every page: the search form's state and limits, and the live build, None where there is none."""

    query: Query
    build: Build | None
    banners: tuple[Banner, ...]
    facets: Facets | None
    max_results: int
    max_query: int
    max_upload: int


@dataclass(frozen=True)
class Page:
    """A page with its frame; `template` is the file that renders it."""

    template: ClassVar[str]
    frame: Frame


@dataclass(frozen=True)
class HomePage(Page):
    """Before a search: examples to try, and works to look at, perhaps through filters."""

    template = "home.html"
    examples: tuple[Query, ...]
    wall: Spread
    chips: tuple[Chip, ...]


@dataclass(frozen=True)
class Card:
    """A work that was found, and more works by its artist."""

    hit: Hit
    others: tuple[Artwork, ...]


@dataclass(frozen=True)
class ResultsPage(Page):
    """What a search found. `upload` is the picture searched by, `token` its signed field; None and "" for words."""

    template = "results.html"
    cards: tuple[Card, ...]
    chips: tuple[Chip, ...]
    encoder: str
    seconds: float
    upload: Upload | None
    token: str


@dataclass(frozen=True)
class WorkPage(Page):
    """One work: where it comes from, works like it, and others by its artist."""

    template = "work.html"
    work: Artwork
    build: Build
    encoder: str
    similar: tuple[Hit, ...]
    others: tuple[Artwork, ...]


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


def frame(site: Site, query: Query) -> Frame:
    """The frame around a page. Never raises where the collection is out of reach: error pages have one too."""
    try:
        build = site.ports.vectors.live()
        facets = site.wall.facets(build) if build else None
    except GalleryError:
        build = facets = None
    settings = site.settings
    return Frame(
        query,
        build,
        banners(build, settings.encoder),
        facets,
        settings.max_results,
        settings.max_query,
        settings.max_upload,
    )


def banners(build: Build | None, encoder: str) -> tuple[Banner, ...]:
    """What to say of the build everywhere, given the encoder that the settings ask for."""
    generated = build is not None and build.generated
    rougher = build is not None and build.encoder == "offline" and encoder == "auto"
    return (GENERATED,) * generated + (ROUGHER,) * rougher


def render(page: Page) -> str:
    """The page as HTML."""
    return render_template(page.template, **{field.name: getattr(page, field.name) for field in fields(page)})
