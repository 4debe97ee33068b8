"""The map: the collection laid out by similarity, with highlighted results and a list view."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass

from flask import Blueprint, abort, render_template, request, url_for
from werkzeug.wrappers import Response

from gallery.map_layout import MapItem, MapLayout, tile_name
from gallery.models import Artist, Artwork
from gallery.search.query import SearchQuery
from gallery.vectors.base import Collection
from serving.collection_summary import ArtistSummary
from serving.context import live_collection, ready_collection, state
from serving.describe import ResolvedTerm, describe, resolve_terms
from serving.i18n import PARAMETER, named
from serving.loaded_map import LoadedMap
from serving.old_addresses import redirect_old_names
from serving.query import map_href, params, parse, read_image
from serving.view_models import Page, is_outstanding, layout, render
from serving.views.media import IMMUTABLE

blueprint = Blueprint("map", __name__, url_prefix="/map")
blueprint.before_request(redirect_old_names)
data = Blueprint("map_data", __name__, url_prefix="/map")
"""Requests of the map's script, with the rate limit of images, because a visitor loads many cards."""

HIGHLIGHTED_RESULTS = 60
"""Highlighted results of a search, if the address has no `limit`."""
MAX_HIGHLIGHTED = 5_000
"""Maximum number of works highlighted by a filter alone."""
MAX_LISTED = 60
"""Maximum number of highlighted works listed below the map."""
GROUPS_PER_PAGE = 2
PAGE_PARAMETER = "page"
"""Parameter with the page of the list, from 1."""
CARD_CACHE_CONTROL = "public, max-age=300"


@dataclass(frozen=True)
class Highlights:
    """The works that a query highlights, best match first in a search, and their places on the map.

    `works` has the first MAX_LISTED of them. `missing` is the number of matches that are not on the map;
    `weak` is True if the search has no clear match.
    """

    description: str
    works: tuple[Artwork, ...]
    places: tuple[int, ...]
    missing: int
    weak: bool


@dataclass(frozen=True)
class MapEntry:
    """A work in the list, its place on the map, and its artist."""

    place: int
    item: MapItem
    artist: Artist


@dataclass(frozen=True)
class Group:
    """Neighbouring works in the list, and the names of their most frequent artists."""

    names: tuple[str, ...]
    entries: tuple[MapEntry, ...]


@dataclass(frozen=True)
class Listing:
    """A page of the list. `previous` and `next` are addresses, "" if there is no such page."""

    number: int
    pages: int
    groups: tuple[Group, ...]
    previous: str
    next: str


@dataclass(frozen=True)
class MapPage(Page):
    """The map. `map_layout` is None while the live build has no map, `highlights` without a query.

    `tiles` is the address of the tiles, with {z}, {x} and {y}. `fields` are the parameters of the query
    except its text.
    """

    template = "map.html"
    map_layout: MapLayout | None
    tiles: str
    data_url: str
    highlights: Highlights | None
    fields: tuple[tuple[str, str], ...]
    listing: Listing | None


@blueprint.get("")
def page() -> str:
    """Return the map page, with the list view."""
    query = parse(request.args, state().settings, read_image)
    collection = ready_collection() if query.terms else live_collection()
    loaded = state().maps.of(collection.build)
    if loaded is None:
        return render(MapPage(layout(query), None, "", "", None, (), None))
    artists = state().summary.artists(collection)
    terms = resolve_terms(query, collection)
    highlights = _highlights(query, terms, collection, loaded) if query.terms or query.where else None
    data_url = url_for("map_data.layout_json", map=loaded.layout.digest)
    listing, fields = _listing(query, loaded, artists), tuple(_fields(query))
    tiles = _tiles_address(loaded.layout)
    return render(MapPage(layout(query, terms), loaded.layout, tiles, data_url, highlights, fields, listing))


@data.get("/layout.json")
def layout_json() -> Response:
    """Return the layout for the script. The address contains its digest, so the response can be cached."""
    loaded = state().maps.of(live_collection().build)
    if loaded is None:
        abort(404)
    response = Response(loaded.script_json, mimetype="application/json")
    response.set_etag(loaded.layout.digest, weak=True)  # weak, because it is also sent compressed
    is_current = request.args.get("map") == loaded.layout.digest
    response.headers["Cache-Control"] = IMMUTABLE if is_current else "no-cache"
    return response.make_conditional(request)


@data.get("/card/<id>")
def card(id: str) -> Response:
    """Return the HTML fragment with the card of a work."""
    work = live_collection().get(id)
    response = Response(render_template("_map_card.html", work=work), mimetype="text/html")
    response.headers["Cache-Control"] = CARD_CACHE_CONTROL
    return response


def _highlights(
    query: SearchQuery, terms: tuple[ResolvedTerm, ...], collection: Collection, loaded: LoadedMap
) -> Highlights:
    settings, weak = state().settings, False
    works: list[Artwork]
    if query.terms:
        if "limit" not in request.args:
            query = dataclasses.replace(query, limit=min(HIGHLIGHTED_RESULTS, settings.max_results))
        hits = state().engine.search(collection, query.at(0)).hits
        weak = not is_outstanding(hits)
        works = [hit.artwork for hit in hits if weak or not hit.weak]
    else:
        works = collection.works(query.where, MAX_HIGHLIGHTED)
    found = [work for work in works if work.id in loaded.places]
    places = tuple(loaded.places[work.id] for work in found)
    description = describe(query, terms, state().summary.names(collection))
    return Highlights(description, tuple(found[:MAX_LISTED]), places, len(works) - len(found), weak)


def _listing(query: SearchQuery, loaded: LoadedMap, artists: Mapping[str, ArtistSummary]) -> Listing:
    pages = max(1, -(-loaded.neighbourhoods // GROUPS_PER_PAGE))
    text = request.args.get(PAGE_PARAMETER, "1")
    number = int(text) if re.fullmatch(r"[0-9]{1,6}", text) else 1
    number = min(max(number, 1), pages)
    first = (number - 1) * GROUPS_PER_PAGE
    groups = []
    for index in range(first, min(first + GROUPS_PER_PAGE, loaded.neighbourhoods)):
        near = loaded.neighbourhood(index)
        entries = tuple(_entry(loaded.layout, place, artists) for place in near.places)
        groups.append(Group(near.names, entries))
    previous = map_href(query, number - 1) if number > 1 else ""
    following = map_href(query, number + 1) if number < pages else ""
    return Listing(number, pages, tuple(groups), previous, following)


def _entry(map_layout: MapLayout, place: int, artists: Mapping[str, ArtistSummary]) -> MapEntry:
    item = map_layout.items[place]
    slug, name = map_layout.artists[item.artist]
    known = artists.get(slug)  # artists can be missing from the summary of a very large collection
    artist = known.artist if known else Artist(slug, name, None, None, (), (), "", "", "")
    return MapEntry(place, item, artist)


def _tiles_address(map_layout: MapLayout) -> str:
    """Return the address of tiles with {z}, {x} and {y}: in the app if addresses in the store are signed."""
    first = map_layout.folder + tile_name(0, 0, 0)
    stored = state().image_urls.url_for(first) if state().settings.delivery == "public" else None
    address = stored or url_for("media.image", key=first)
    return address.removesuffix(tile_name(0, 0, 0)) + "{z}/{x}/{y}.webp"


def _fields(query: SearchQuery) -> list[tuple[str, str]]:
    """Return the hidden fields of the map's form: the query without its text, and the language."""
    kept = params(query, state().settings)
    fields = [
        (name, value)
        for name, values in kept.items()
        if name not in ("q", "q_weight", "offset")
        for value in values
    ]
    if language := named():
        fields.append((PARAMETER, language.code))
    return fields
