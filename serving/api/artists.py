"""Artists of the collection: a list, and one."""

from __future__ import annotations

from flask import Response

from gallery.errors import NotFound
from gallery.search.query import SearchQuery, checked
from serving.api.caching import cached
from serving.api.cursors import cursor, start_of
from serving.api.inputs import Nothing, Paging
from serving.api.operations import get
from serving.api.outputs import Artists, OneArtist, Painted, Work
from serving.context import live_collection, state

TAG = "Artists"
QUESTION = {"list": "artists"}


@get("/artists", TAG, Artists, Paging, 410, 503)
def artists(asked: Paging) -> Response:
    """Artists of the collection by name."""
    collection = live_collection()
    build, settings = collection.build, state().settings
    start = start_of(asked.cursor, build.name, QUESTION)
    limit = settings.default_results if asked.limit is None else asked.limit
    checked(SearchQuery(limit=limit), settings)

    def made() -> Artists:
        summaries = list(state().summary.artists(collection).values())
        end = start + limit
        return Artists(
            build=build.name,
            limit=limit,
            total=len(summaries),
            results=tuple(Painted(**Painted.counted(summary)) for summary in summaries[start:end]),  # type: ignore[arg-type]
            next_cursor=cursor(build.name, QUESTION, end) if len(summaries) > end else None,
        )

    return cached(build, made)


@get("/artists/<slug>", TAG, OneArtist, Nothing, 404, 503)
def artist(_: Nothing, slug: str) -> Response:
    """One artist, with their life and some of their works."""
    collection = live_collection()
    build = collection.build
    summary = state().summary.artists(collection).get(slug)
    if summary is None:
        raise NotFound(f"no artist {slug}")

    def made() -> OneArtist:
        samples = tuple(Work(**Work.facts(work)) for work in summary.samples)  # type: ignore[arg-type]
        counted = Painted.counted(summary)
        return OneArtist(**counted, bio=summary.artist.bio, samples=samples, build=build.name)  # type: ignore[arg-type]

    return cached(build, made)
