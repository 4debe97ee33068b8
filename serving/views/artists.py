"""The list of artists and the pages of artists."""

from __future__ import annotations

from flask import Blueprint, request, url_for

from gallery.errors import NotFound
from gallery.search.query import SearchQuery
from gallery.vectors.filters import Filter
from serving.context import live_collection, state
from serving.old_addresses import redirect_old_names
from serving.query import parse
from serving.view_models import ArtistPage, ArtistsPage, layout, render, result_cards

blueprint = Blueprint("artists", __name__)
blueprint.before_request(redirect_old_names)


@blueprint.get("/artists")
def index() -> str:
    """Return the list of artists by name."""
    artists = state().summary.artists(live_collection())
    empty = SearchQuery(limit=state().settings.default_results)
    return render(ArtistsPage(layout(empty), tuple(artists.values())))


@blueprint.get("/artists/<slug>")
def artist(slug: str) -> str:
    """Return the page of an artist, with their works."""
    collection, settings = live_collection(), state().settings
    query = parse(request.args, settings)
    summary = state().summary.artists(collection).get(slug)
    if summary is None:
        raise NotFound(f"no artist {slug}")
    limit, offset = query.limit, query.offset
    works = collection.works(Filter(artists=(slug,)), limit + 1, offset)
    more = ""
    if len(works) > limit:
        given = limit if "limit" in request.args else None
        more = url_for("artists.artist", slug=slug, limit=given, offset=offset + limit)
    cards = result_cards(collection, works[:limit], divided=False)
    empty = SearchQuery(limit=settings.default_results, offset=offset)
    return render(ArtistPage(layout(empty), summary, cards, more))
