"""The page of one work."""

from __future__ import annotations

from flask import Blueprint

from serving.pages import WorkPage, frame, render, tiles
from serving.query import Query
from serving.site import site

blueprint = Blueprint("works", __name__)

SIMILAR = 12


@blueprint.get("/works/<id>")
def work(id: str) -> str:
    """The work, large, with works like it and more by its artist."""
    build = site().ready()
    [own] = tiles(site(), build, [site().engine.work(id)], divided=False)
    found = site().engine.like(id, SIMILAR)
    similar = tiles(site(), found.build, found.hits, divided=False)
    more = Query().with_part("like", id)
    return render(
        WorkPage(frame(site(), Query()), own.work, own.painter, build, found.encoder, similar, more)
    )
