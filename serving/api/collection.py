"""The collection as a whole: what there is to filter by, and the builds of it."""

from __future__ import annotations

from flask import Response

from gallery.search.query import SearchQuery, checked
from serving.api.caching import answer, cached
from serving.api.inputs import Narrowing, Nothing
from serving.api.operations import get
from serving.api.outputs import BuildInfo, Builds, Facets, FacetValue, LiveBuild
from serving.context import live_collection, state

TAG = "Collection"


@get("/facets", TAG, Facets, Narrowing, 503)
def facets(asked: Narrowing) -> Response:
    """What there is to filter by, with the number of works."""
    where = checked(SearchQuery(where=asked.where()), state().settings).where
    collection = live_collection()

    def made() -> Facets:
        counted = {
            facet.field: tuple(FacetValue.of(choice) for choice in facet.choices)
            for facet in state().summary.facets(collection, where)
        }
        return Facets(
            build=collection.build.name,
            total=collection.count(where),
            artist=counted["artist"],
            style=counted["style"],
            nationality=counted["nationality"],
        )

    return cached(collection.build, made)


@get("/builds", TAG, Builds, Nothing, 503)
def builds(_: Nothing) -> Response:
    """The builds of the collection that are kept, the newest first."""
    live = state().services.vectors.live()
    kept = [build for build in state().services.vectors.builds() if build.ready]
    found = (
        BuildInfo(**BuildInfo.facts(build, live is not None and build.name == live.name))  # type: ignore[arg-type]
        for build in kept
    )
    return answer(Builds(results=tuple(found)))


@get("/builds/live", TAG, LiveBuild, Nothing, 503)
def live_build(_: Nothing) -> Response:
    """The build that is searched."""
    build = live_collection().build
    encoder = state().engine.encoder_for(build).label
    return cached(build, lambda: LiveBuild(**BuildInfo.facts(build, True), encoder=encoder))  # type: ignore[arg-type]
