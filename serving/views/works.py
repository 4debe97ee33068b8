"""Pages of works."""

from __future__ import annotations

from flask import Blueprint

from gallery.search.query import SearchQuery, WorkTerm
from serving.context import ready_collection, state
from serving.view_models import WorkPage, layout, render, result_cards

blueprint = Blueprint("works", __name__)

SIMILAR_WORKS = 12
"""Similar works on the page of a work."""


@blueprint.get("/works/<id>")
def work(id: str) -> str:
    """Return the page of a work, with similar works and more by its artist."""
    collection, empty = ready_collection(), SearchQuery(limit=state().settings.default_results)
    [own] = result_cards(collection, [collection.get(id)], divided=False)
    results = state().engine.search(collection, SearchQuery((WorkTerm(id),), limit=SIMILAR_WORKS))
    similar = result_cards(collection, results.hits, divided=False)
    more = empty.with_term(WorkTerm(id))
    page = WorkPage(layout(empty), own.work, own.artist, collection.build, results.encoder, similar, more)
    return render(page)
