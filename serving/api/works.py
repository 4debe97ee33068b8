"""Works of the collection: a list through filters, and one."""

from __future__ import annotations

from flask import Response

from serving.api.caching import cached
from serving.api.cursors import cursor, start_of
from serving.api.request_models import NoParams, WorksParameters
from serving.api.response_models import Work, WorkDetail, WorksResponse
from serving.api.routing import get
from serving.context import live_collection, state
from serving.query import params

TAG = "Works"


@get("/works", TAG, WorksResponse, WorksParameters, 410, 503)
def works(asked: WorksParameters) -> Response:
    """Works of the collection, through filters."""
    settings = state().settings
    query, collection = asked.query(settings), live_collection()
    build = collection.build
    filters = {name: value for name, value in params(query, settings).items() if name != "limit"}
    question = {**filters, "list": "works"}
    start = start_of(asked.cursor, build.name, question)

    def made() -> WorksResponse:
        limit = query.limit
        found = collection.works(query.where, limit + 1, start)
        return WorksResponse(
            build=build.name,
            limit=limit,
            total=collection.count(query.where),
            results=tuple(Work(**Work.facts(work)) for work in found[:limit]),  # type: ignore[arg-type]
            next_cursor=cursor(build.name, question, start + limit) if len(found) > limit else None,
        )

    return cached(build, made)


@get("/works/<id>", TAG, WorkDetail, NoParams, 404, 503)
def work(_: NoParams, id: str) -> Response:
    """One work."""
    collection = live_collection()
    build, found = collection.build, collection.get(id)
    return cached(
        build,
        lambda: WorkDetail(**Work.facts(found), sha256=found.sha256, build=build.name),  # type: ignore[arg-type]
    )
