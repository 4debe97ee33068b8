"""Works."""

from __future__ import annotations

from flask import Response

from serving.api.caching import cached
from serving.api.cursors import cursor, offset_of
from serving.api.request_models import NoParams, WorksParameters
from serving.api.response_models import Work, WorkDetail, WorksResponse
from serving.api.routing import operation
from serving.context import live_collection, state

TAG = "Works"


@operation("GET", "/works", TAG, WorksResponse, WorksParameters, 410, 503)
def list_works(asked: WorksParameters) -> Response:
    """List works, with filters."""
    query, collection = asked.query(state().settings), live_collection()
    build, limit = collection.build.name, query.limit
    list_id = {"list": "works", **asked.model_dump(exclude={"limit", "cursor"})}
    start = offset_of(asked.cursor, build, list_id)

    def make() -> WorksResponse:
        works = collection.works(query.where, limit + 1, start)
        return WorksResponse(
            build=build,
            limit=limit,
            total=collection.count(query.where),
            results=tuple(Work.of(work) for work in works[:limit]),
            next_cursor=cursor(build, list_id, start + limit) if len(works) > limit else None,
        )

    return cached(collection.build, make)


@operation("GET", "/works/<id>", TAG, WorkDetail, NoParams, 404, 503)
def get_work(_: NoParams, id: str) -> Response:
    """Get one work."""
    collection = live_collection()
    build, work = collection.build, collection.get(id)
    return cached(build, lambda: WorkDetail.of(work, sha256=work.sha256, build=build.name))
