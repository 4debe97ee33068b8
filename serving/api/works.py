"""Works of the collection: a list through filters, and one."""

from __future__ import annotations

from flask import Response

from gallery.models import Build
from serving.api.caching import cached
from serving.api.cursors import cursor, start_of
from serving.api.inputs import Nothing, WorksParameters
from serving.api.operations import get
from serving.api.outputs import OneWork, Work, Works
from serving.query import Query
from serving.site import site

TAG = "Works"


@get("/works", TAG, Works, WorksParameters, 410, 503)
def works(asked: WorksParameters) -> Response:
    """Works of the collection, through filters."""
    query = Query.parse(asked.values(), site().settings)
    build = site().live()
    question = {name: value for name, value in query.params.items() if name != "k"} | {"list": "works"}
    start = start_of(asked.cursor, build.name, question)

    def made() -> tuple[Build, Works]:
        k = query.k or site().settings.default_results
        collection = site().services.vectors.open(build.name)
        found = collection.works(query.where, k + 1, start)
        return build, Works(
            build=build.name,
            k=k,
            total=collection.count(query.where),
            results=tuple(Work(**Work.facts(work)) for work in found[:k]),  # type: ignore[arg-type]
            next_cursor=cursor(build.name, question, start + k) if len(found) > k else None,
        )

    return cached(build, made)


@get("/works/<id>", TAG, OneWork, Nothing, 404, 503)
def work(_: Nothing, id: str) -> Response:
    """One work."""
    build = site().live()
    found = site().services.vectors.open(build.name).get(id)
    return cached(
        build,
        lambda: (build, OneWork(**Work.facts(found), sha256=found.sha256, build=build.name)),  # type: ignore[arg-type]
    )
