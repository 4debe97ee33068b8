"""The map: the whole collection laid out by likeness, what a search finds lit up on it, and all of it as a list."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from flask import Blueprint, abort, render_template, request, url_for
from werkzeug.wrappers import Response

from gallery.map_layout import MapItem, MapLayout, tile_name
from gallery.models import Artist, Artwork, Build
from serving.atlases import ShownAtlas
from serving.composer import Card, cards_of, mix_of, sentence_of
from serving.language import PARAMETER, named
from serving.pages import Page, frame, is_outstanding, render
from serving.pictures import FOREVER
from serving.query import Query
from serving.site import Site, site
from serving.wall import Painter

blueprint = Blueprint("map", __name__, url_prefix="/map")
pieces = Blueprint("pieces", __name__, url_prefix="/map")
"""What the script fetches. As with pictures, one visitor asks for many, so these are not counted."""

FOUND = 60
"""Works that a search lights up, where it does not say how many."""
PASSING = 5_000
"""Works that a mere filter lights up, at most."""
LISTED = 60
"""Works that are lit up and named beside the map, at most."""
SHOWN = 2
"""Neighbourhoods on a page of the list."""
AT = "at"
"""The parameter that says which page of the list, from 1."""
CARD_FOR = "public, max-age=300"


@dataclass(frozen=True)
class Lit:
    """What a query lights up: the works, nearest first where it searches, and their places on the map.

    `elsewhere` is how many of them are not on the map; `weak` is True where nothing stands out for this search.
    """

    sentence: str
    works: tuple[Artwork, ...]
    places: tuple[int, ...]
    elsewhere: int
    weak: bool


@dataclass(frozen=True)
class Hung:
    """A work in the list: its place on the map, and its painter."""

    place: int
    item: MapItem
    artist: Artist


@dataclass(frozen=True)
class Group:
    """A neighbourhood in the list, around these painters."""

    names: tuple[str, ...]
    works: tuple[Hung, ...]


@dataclass(frozen=True)
class Listing:
    """One page of the list; `before` and `after` are the addresses of the pages beside it, "" where there is none."""

    number: int
    pages: int
    groups: tuple[Group, ...]
    before: str
    after: str


@dataclass(frozen=True)
class MapPage(Page):
    """The map; `layout` is None while the live build has no map, and `lit` where nothing is asked for.

    `tiles` is where the tiles are, with {z}, {x} and {y}; `kept` are the query's parameters but for its words.
    """

    template = "map.html"
    layout: MapLayout | None
    tiles: str
    layout_url: str
    lit: Lit | None
    kept: tuple[tuple[str, str], ...]
    listing: Listing | None


@blueprint.get("")
def page() -> str:
    """The map, as a picture to wander through and as a list."""
    query = Query.parse(request.args, site().settings)
    build = site().ready() if query.parts else site().live()
    shown = site().atlases.of(build)
    if shown is None:
        return render(MapPage(frame(site(), query), None, "", "", None, (), None))
    painters = site().wall.painters(build)
    cards = cards_of(site(), query, build)
    surround = frame(site(), query, cards)
    lit = _lit(site(), query, cards, build, shown, painters) if query.parts or query.where else None
    layout_url = url_for("pieces.layout", map=shown.layout.digest)
    listing = _listing(query, shown, painters)
    kept = tuple(_fields(query))
    return render(
        MapPage(surround, shown.layout, _tiles(site(), shown.layout), layout_url, lit, kept, listing)
    )


@pieces.get("/layout.json")
def layout() -> Response:
    """Where each work hangs, for the script. The page names the map it wants, so that the answer can be kept."""
    shown = site().atlases.of(site().live())
    if shown is None:
        abort(404)
    response = Response(shown.script_json, mimetype="application/json")
    response.set_etag(shown.layout.digest, weak=True)  # it is also sent packed
    asked = request.args.get("map") == shown.layout.digest
    response.headers["Cache-Control"] = FOREVER if asked else "no-cache"
    return response.make_conditional(request)


@pieces.get("/card/<id>")
def card(id: str) -> Response:
    """What is said of a work under the pointer: a fragment."""
    response = Response(render_template("_map_card.html", work=site().engine.work(id)), mimetype="text/html")
    response.headers["Cache-Control"] = CARD_FOR
    return response


def _lit(
    site: Site,
    query: Query,
    cards: tuple[Card, ...],
    build: Build,
    shown: ShownAtlas,
    painters: Mapping[str, Painter],
) -> Lit:
    names = {slug: painter.artist.name for slug, painter in painters.items()}
    sentence, weak = sentence_of(query, cards, names), False
    works: list[Artwork]
    if query.parts:
        k = query.k or min(FOUND, site.settings.max_results)
        hits = site.engine.search(mix_of(query, cards), k).hits
        weak = not is_outstanding(hits)
        works = [hit.artwork for hit in hits if weak or not hit.weak]
    else:
        works = site.engine.works(query.where, PASSING)
    here = [work for work in works if work.id in shown.places]
    places = tuple(shown.places[work.id] for work in here)
    return Lit(sentence, tuple(here[:LISTED]), places, len(works) - len(here), weak)


def _listing(query: Query, shown: ShownAtlas, painters: Mapping[str, Painter]) -> Listing:
    pages = max(1, -(-shown.neighbourhoods // SHOWN))
    text = request.args.get(AT, "1")
    number = int(text) if re.fullmatch(r"[0-9]{1,6}", text) else 1
    number = min(max(number, 1), pages)
    first = (number - 1) * SHOWN
    groups = []
    for each in range(first, min(first + SHOWN, shown.neighbourhoods)):
        near = shown.neighbourhood(each)
        works = tuple(Hung(place, *_spot(shown.layout, place, painters)) for place in near.places)
        groups.append(Group(near.names, works))

    def address(page: int) -> str:
        if not 1 <= page <= pages:
            return ""
        return url_for("map.page", **query.params, at=page if page > 1 else None, _anchor="list")

    return Listing(number, pages, tuple(groups), address(number - 1), address(number + 1))


def _spot(layout: MapLayout, place: int, painters: Mapping[str, Painter]) -> tuple[MapItem, Artist]:
    item = layout.items[place]
    slug, name = layout.artists[item.artist]
    known = painters.get(slug)  # a collection larger than the wall reads may have others
    return item, known.artist if known else Artist(slug, name, None, None, (), (), "", "", "")


def _tiles(site: Site, layout: MapLayout) -> str:
    """The address of tiles, with {z}, {x} and {y} in it. Signed addresses have no pattern, so those go by the app."""
    first = tile_name(0, 0, 0)
    stored = site.image_urls.url_for(layout.folder + first) if site.settings.delivery == "public" else None
    address = stored or url_for("pictures.picture", key=layout.folder + first)
    return address.removesuffix(first) + "{z}/{x}/{y}.webp"


def _fields(query: Query) -> list[tuple[str, str]]:
    """The query's parameters, and the language's, for a form that asks for other words."""
    fields = []
    for name, value in query.params.items():
        if name not in ("q", "qw", "start"):
            values = value if isinstance(value, list | tuple) else [value]
            fields += [(name, str(each)) for each in values]
    if asked := named():
        fields.append((PARAMETER, asked.code))
    return fields
