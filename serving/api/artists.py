"""Artists of the collection: a list, and one."""

from __future__ import annotations

from flask import Response

from gallery.errors import NotFound
from gallery.models import Build
from serving.api.caching import cached
from serving.api.cursors import cursor, start_of
from serving.api.inputs import Nothing, Paging
from serving.api.operations import get
from serving.api.outputs import Artists, OneArtist, Painted, Work
from serving.errors import FieldError, Rejected
from serving.site import site

TAG = "Artists"
QUESTION = {"list": "artists"}


@get("/artists", TAG, Artists, Paging, 410, 503)
def artists(asked: Paging) -> Response:
    """Artists of the collection by name."""
    build = site().live()
    start = start_of(asked.cursor, build.name, QUESTION)
    settings = site().settings
    k = asked.k or settings.default_results
    if k > settings.max_results:
        message = f"The number of artists must be a whole number from 1 to {settings.max_results}."
        raise Rejected(message, field_errors=(FieldError("k", message),))

    def made() -> tuple[Build, Artists]:
        painters = list(site().wall.painters(build).values())
        return build, Artists(
            build=build.name,
            k=k,
            total=len(painters),
            results=tuple(Painted(**Painted.counted(painter)) for painter in painters[start : start + k]),  # type: ignore[arg-type]
            next_cursor=cursor(build.name, QUESTION, start + k) if len(painters) > start + k else None,
        )

    return cached(build, made)


@get("/artists/<slug>", TAG, OneArtist, Nothing, 404, 503)
def artist(_: Nothing, slug: str) -> Response:
    """One artist, with their life and some of their works."""
    build = site().live()
    painter = site().wall.painters(build).get(slug)
    if painter is None:
        raise NotFound(f"no artist {slug}")

    def made() -> tuple[Build, OneArtist]:
        samples = tuple(Work(**Work.facts(work)) for work in painter.samples)  # type: ignore[arg-type]
        counted = Painted.counted(painter)
        return build, OneArtist(**counted, bio=painter.artist.bio, samples=samples, build=build.name)  # type: ignore[arg-type]

    return cached(build, made)
