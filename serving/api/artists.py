"""Artists of the collection: a list, and one."""

from __future__ import annotations

from flask import Response

from gallery.errors import NotFound
from gallery.search.query import SearchQuery, checked
from serving.api.caching import cached
from serving.api.cursors import cursor, start_of
from serving.api.request_models import NoParams, PageParameters
from serving.api.response_models import ArtistDetail, ArtistListItem, ArtistsResponse, Work
from serving.api.routing import get
from serving.context import live_collection, state

TAG = "Artists"
QUESTION = {"list": "artists"}


@get("/artists", TAG, ArtistsResponse, PageParameters, 410, 503)
def artists(asked: PageParameters) -> Response:
    """Artists of the collection by name."""
    collection = live_collection()
    build, settings = collection.build, state().settings
    start = start_of(asked.cursor, build.name, QUESTION)
    limit = settings.default_results if asked.limit is None else asked.limit
    checked(SearchQuery(limit=limit), settings)

    def made() -> ArtistsResponse:
        summaries = list(state().summary.artists(collection).values())
        end = start + limit
        return ArtistsResponse(
            build=build.name,
            limit=limit,
            total=len(summaries),
            results=tuple(
                ArtistListItem(**ArtistListItem.counted(summary))  # type: ignore[arg-type]
                for summary in summaries[start:end]
            ),
            next_cursor=cursor(build.name, QUESTION, end) if len(summaries) > end else None,
        )

    return cached(build, made)


@get("/artists/<slug>", TAG, ArtistDetail, NoParams, 404, 503)
def artist(_: NoParams, slug: str) -> Response:
    """One artist, with their life and some of their works."""
    collection = live_collection()
    build = collection.build
    summary = state().summary.artists(collection).get(slug)
    if summary is None:
        raise NotFound(f"no artist {slug}")

    def made() -> ArtistDetail:
        samples = tuple(Work(**Work.facts(work)) for work in summary.samples)  # type: ignore[arg-type]
        counted = ArtistListItem.counted(summary)
        return ArtistDetail(**counted, bio=summary.artist.bio, samples=samples, build=build.name)  # type: ignore[arg-type]

    return cached(build, made)
