"""The home page and the search results."""

from __future__ import annotations

from flask import Blueprint, make_response, redirect, request
from flask_babel import gettext
from werkzeug.wrappers import Response

from gallery.search.query import SearchQuery, TextTerm
from gallery.vectors.base import Collection
from serving.context import live_collection, ready_collection, state
from serving.describe import active_filters, describe, resolve_terms
from serving.errors import FieldError, Rejected
from serving.old_addresses import redirect_old_names
from serving.query import checked_href, href, parse, read_image
from serving.uploads import read_upload
from serving.view_models import EXAMPLES, HomePage, ResultsPage, is_outstanding, layout, render, result_cards

blueprint = Blueprint("search", __name__)
blueprint.before_request(redirect_old_names)

MAIN_ID = "main"
"""Id of the element that the script replaces with the results."""
DIVIDED = "divided"
"""Parameter of a next page: the weak matches have begun on an earlier page."""


@blueprint.get("/")
def page() -> Response:
    """Return the home page, the results of a search, or the works that match a filter."""
    query = parse(request.args, state().settings, read_image)
    response = make_response(_page(query))
    if request.headers.get("HX-Target") == MAIN_ID:
        response.headers["HX-Push-Url"] = href(query)  # without the parameters of buttons
    response.vary.add("HX-Target")
    return response


@blueprint.post("/")
def submit() -> Response:
    """Redirect to the address of the form's query, with an uploaded image as a token."""
    query = parse(request.form, state().settings, read_image)
    if image := read_upload(ready_collection()):
        query = query.with_term(image)
    if not (query.terms or query.where):
        raise _empty_search()
    return redirect(checked_href(query), 303)


def _page(query: SearchQuery) -> str:
    if query.terms:
        return _results(query, ready_collection())
    if query.where:
        return _list(query, live_collection())
    if "q" in request.args:
        raise _empty_search()
    return _home(query, live_collection())


def _empty_search() -> Rejected:
    message = gettext("Type something or choose an image.")
    return Rejected(message, field_errors=(FieldError("q", message),))


def _home(query: SearchQuery, collection: Collection) -> str:
    examples = tuple(query.with_term(TextTerm(words)) for words in EXAMPLES)
    summary = state().summary
    facets = summary.facets(collection, query.where)
    return render(HomePage(layout(query), examples, summary.highlights(collection), facets))


def _results(query: SearchQuery, collection: Collection) -> str:
    summary = state().summary
    terms = resolve_terms(query, collection)
    names = summary.names(collection)
    results = state().engine.search(collection, query)
    outstanding = query.offset > 0 or is_outstanding(results.hits)
    divided = outstanding and DIVIDED not in request.args
    cards = result_cards(collection, results.hits, divided=divided)
    was_divided = not divided or any(card.weak_from_here for card in cards)
    return render(
        ResultsPage(
            layout(query, terms),
            describe(query, terms, names),
            cards,
            results.searched,
            _more(query, results.next_offset, divided=was_divided),
            outstanding,
            active_filters(query, names),
            summary.facets(collection, query.where),
            results.encoder,
            results.seconds,
        )
    )


def _list(query: SearchQuery, collection: Collection) -> str:
    summary = state().summary
    names = summary.names(collection)
    works = collection.works(query.where, query.limit + 1, query.offset)
    has_more = len(works) > query.limit
    return render(
        ResultsPage(
            layout(query),
            describe(query, (), names),
            result_cards(collection, works[: query.limit], divided=False),
            collection.count(query.where),
            _more(query, query.offset + query.limit if has_more else None),
            True,
            active_filters(query, names),
            summary.facets(collection, query.where),
            "",
            0.0,
        )
    )


def _more(query: SearchQuery, offset: int | None, *, divided: bool = False) -> str:
    if offset is None:
        return ""
    address = href(query.at(offset))
    return f"{address}&{DIVIDED}=1" if divided else address
