"""The painters of the collection, and the page of each."""

from __future__ import annotations

from flask import Blueprint, request, url_for

from gallery.errors import NotFound
from gallery.vectors.filters import Filter
from serving.pages import ArtistPage, ArtistsPage, frame, render, tiles
from serving.query import Query
from serving.site import site

blueprint = Blueprint("artists", __name__)


@blueprint.get("/artists")
def index() -> str:
    """Every painter by name, with a work of theirs."""
    painters = site().wall.painters(site().live())
    return render(ArtistsPage(frame(site(), Query()), tuple(painters.values())))


@blueprint.get("/artists/<slug>")
def artist(slug: str) -> str:
    """The painter's life, and all their works."""
    build, query = site().live(), Query.parse(request.args, site().settings)
    painter = site().wall.painters(build).get(slug)
    if painter is None:
        raise NotFound(f"no artist {slug}")
    k = query.k or site().settings.default_results
    works = site().engine.works(Filter(artists=(slug,)), k + 1, query.start)
    more = url_for("artists.artist", slug=slug, start=query.start + k) if len(works) > k else ""
    shown = tiles(site(), build, works[:k], divided=False)
    return render(ArtistPage(frame(site(), Query(start=query.start)), painter, shown, more))
