"""The collection as a whole: what there is to filter by, and the builds of it."""

from __future__ import annotations

from flask import Response

from gallery.models import Build
from serving.api.caching import answer, cached
from serving.api.inputs import Narrowing, Nothing
from serving.api.operations import get
from serving.api.outputs import BuildInfo, Builds, Facets, FacetValue, LiveBuild
from serving.query import Query
from serving.site import site

TAG = "Collection"


@get("/facets", TAG, Facets, Narrowing, 503)
def facets(asked: Narrowing) -> Response:
    """What there is to filter by, with the number of works."""
    where = Query.parse(asked.values(), site().settings).where
    build = site().live()

    def made() -> tuple[Build, Facets]:
        counted = {
            facet.field: tuple(FacetValue.of(choice) for choice in facet.choices)
            for facet in site().wall.facets(build, where)
        }
        total = site().services.vectors.open(build.name).count(where)
        return build, Facets(
            build=build.name,
            total=total,
            artist=counted["artist"],
            genre=counted["genre"],
            nationality=counted["nationality"],
        )

    return cached(build, made)


@get("/builds", TAG, Builds, Nothing, 503)
def builds(_: Nothing) -> Response:
    """The builds of the collection that are kept, the newest first."""
    live = site().services.vectors.live()
    kept = [build for build in site().services.vectors.builds() if build.ready]
    found = (
        BuildInfo(**BuildInfo.facts(build, live is not None and build.name == live.name))  # type: ignore[arg-type]
        for build in kept
    )
    return answer(Builds(results=tuple(found)))


@get("/builds/live", TAG, LiveBuild, Nothing, 503)
def live_build(_: Nothing) -> Response:
    """The build that is searched."""
    build = site().live()
    encoder = site().engine.encoder_for(build).label
    return cached(build, lambda: (build, LiveBuild(**BuildInfo.facts(build, True), encoder=encoder)))  # type: ignore[arg-type]
