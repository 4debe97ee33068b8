"""The page of one work."""

from __future__ import annotations

from flask import Blueprint

from serving.pages import WorkPage, frame, render
from serving.query import Query
from serving.site import site

blueprint = Blueprint("works", __name__)

SIMILAR, OTHERS = 6, 8


@blueprint.get("/works/<id>")
def work(id: str) -> str:
    """The work, large, with works like it and more by its artist."""
    build, engine = site().ready(), site().engine
    work = engine.work(id)
    similar = engine.like(id, SIMILAR)
    others = engine.works_by(work.artist.slug, OTHERS, leave_out=id)
    query = Query("", site().settings.default_results)
    return render(WorkPage(frame(site(), query), work, build, similar.encoder, similar.hits, tuple(others)))
