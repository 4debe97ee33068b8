"""The collection: filter values and builds."""

from __future__ import annotations

from flask import Response, request

from gallery.search.query import SearchQuery, checked
from serving.api.caching import answer, cached
from serving.api.request_models import Filters, NoParams
from serving.api.response_models import BuildInfo, BuildsResponse, FacetsResponse, LiveBuild
from serving.api.routing import operation
from serving.context import live_collection, state

TAG = "Collection"


@operation("GET", "/facets", TAG, FacetsResponse, Filters, 503)
def list_facets(asked: Filters) -> Response:
    """List filter values with the number of works."""
    where = checked(SearchQuery(where=asked.where()), state().settings).where
    collection = live_collection()

    def make() -> FacetsResponse:
        values = {facet.field: facet.choices for facet in state().summary.facets(collection, where)}
        return FacetsResponse(
            build=collection.build.name,
            total=collection.count(where),
            artist=values["artist"],
            style=values["style"],
            nationality=values["nationality"],
        )

    return cached(collection.build, make)


@operation("GET", "/builds", TAG, BuildsResponse, NoParams, 503)
def list_builds(_: NoParams) -> Response:
    """List the builds that are kept, newest first."""
    store = state().services.vectors
    live = store.live()  # None before the first build is published; the list is empty then
    builds = [build for build in store.builds() if build.ready]
    name = live.name if live else None
    response = answer(BuildsResponse(results=tuple(BuildInfo.of(one, one.name == name) for one in builds)))
    response.add_etag(weak=True)
    return response.make_conditional(request)  # type: ignore[return-value]


@operation("GET", "/builds/live", TAG, LiveBuild, NoParams, 503)
def get_live_build(_: NoParams) -> Response:
    """Get the current build."""
    build = live_collection().build
    encoder = state().engine.encoder_for(build).label
    return cached(build, lambda: LiveBuild.of(build, True, encoder=encoder))
