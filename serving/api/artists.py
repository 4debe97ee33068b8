"""Artists."""

from __future__ import annotations

from flask import Response

from gallery.errors import NotFound
from gallery.search.query import SearchQuery, checked
from serving.api.caching import cached
from serving.api.cursors import cursor, offset_of
from serving.api.request_models import NoParams, PageParameters
from serving.api.response_models import ArtistDetail, ArtistListItem, ArtistsResponse, Work
from serving.api.routing import operation
from serving.context import live_collection, state

TAG = "Artists"
LIST_ID = {"list": "artists"}


@operation("GET", "/artists", TAG, ArtistsResponse, PageParameters, 410, 503)
def list_artists(asked: PageParameters) -> Response:
    """List artists by name."""
    collection, settings = live_collection(), state().settings
    build = collection.build.name
    start = offset_of(asked.cursor, build, LIST_ID)
    limit = settings.default_results if asked.limit is None else asked.limit
    checked(SearchQuery(limit=limit), settings)

    def make() -> ArtistsResponse:
        summaries = list(state().summary.artists(collection).values())
        end = start + limit
        return ArtistsResponse(
            build=build,
            limit=limit,
            total=len(summaries),
            results=tuple(ArtistListItem.of(summary) for summary in summaries[start:end]),
            next_cursor=cursor(build, LIST_ID, end) if len(summaries) > end else None,
        )

    return cached(collection.build, make)


@operation("GET", "/artists/<slug>", TAG, ArtistDetail, NoParams, 404, 503)
def get_artist(_: NoParams, slug: str) -> Response:
    """Get one artist, with their biography and some of their works."""
    collection = live_collection()
    build = collection.build
    summary = state().summary.artists(collection).get(slug)
    if summary is None:
        raise NotFound(f"no artist {slug}")

    def make() -> ArtistDetail:
        samples = tuple(Work.of(work) for work in summary.samples)
        return ArtistDetail.of(summary, bio=summary.artist.bio, samples=samples, build=build.name)

    return cached(build, make)
