"""The collection as a whole: what there is to filter by, and the builds of it."""

from __future__ import annotations

from flask import Response

from gallery.search.query import SearchQuery, checked
from serving.api.caching import answer, cached
from serving.api.request_models import Filters, NoParams
from serving.api.response_models import BuildInfo, BuildsResponse, FacetItem, FacetsResponse, LiveBuild
from serving.api.routing import get
from serving.context import live_collection, state

TAG = "Collection"


@get("/facets", TAG, FacetsResponse, Filters, 503)
def facets(asked: Filters) -> Response:
    """What there is to filter by, with the number of works."""
    where = checked(SearchQuery(where=asked.where()), state().settings).where
    collection = live_collection()

    def made() -> FacetsResponse:
        counted = {
            facet.field: tuple(FacetItem.of(choice) for choice in facet.choices)
            for facet in state().summary.facets(collection, where)
        }
        return FacetsResponse(
            build=collection.build.name,
            total=collection.count(where),
            artist=counted["artist"],
            style=counted["style"],
            nationality=counted["nationality"],
        )

    return cached(collection.build, made)


@get("/builds", TAG, BuildsResponse, NoParams, 503)
def builds(_: NoParams) -> Response:
    """The builds of the collection that are kept, the newest first."""
    live = state().services.vectors.live()
    kept = [build for build in state().services.vectors.builds() if build.ready]
    found = (
        BuildInfo(**BuildInfo.facts(build, live is not None and build.name == live.name))  # type: ignore[arg-type]
        for build in kept
    )
    return answer(BuildsResponse(results=tuple(found)))


@get("/builds/live", TAG, LiveBuild, NoParams, 503)
def live_build(_: NoParams) -> Response:
    """The build that is searched."""
    build = live_collection().build
    encoder = state().engine.encoder_for(build).label
    return cached(build, lambda: LiveBuild(**BuildInfo.facts(build, True), encoder=encoder))  # type: ignore[arg-type]
