"""Error responses: a page or problem+json, whichever the client accepts, without internal details."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from typing import Any

from flask import Flask, Response, make_response, request, url_for
from flask_babel import gettext
from flask_limiter import RateLimitExceeded
from werkzeug.exceptions import BadHost, HTTPException, SecurityError
from werkzeug.http import HTTP_STATUS_CODES

from gallery.errors import Corrupted, GalleryError, Invalid, NotFound
from gallery.search.query import InvalidQuery, SearchQuery, TextTerm
from gallery.text import visible
from serving.api import PREFIX
from serving.context import live_collection, state
from serving.describe import resolve_terms
from serving.errors import (
    PROBLEM,
    Busy,
    FieldError,
    NoCollection,
    Rejected,
    Starting,
    error_text,
    max_body_bytes,
)
from serving.query import parse_valid, rejected
from serving.rate_limits import rate_limits
from serving.view_models import EmptyPage, ErrorPage, Layout, Page, layout, render

FORM_STATUSES = (400, 413, 415)
"""Statuses about the entered search; their pages show the search form filled in, for correction."""
KEPT_HEADERS = ("Allow", "Content-Range")
"""Headers kept from Werkzeug's response: the allowed methods for 405, the length for 416."""
STARTING_REFRESH_S, NO_COLLECTION_RETRY_S, BUSY_RETRY_S, UNAVAILABLE_RETRY_S = 3, 30, 5, 10
"""Values of Retry-After, in seconds."""

log = logging.getLogger(__name__)


def register(app: Flask) -> None:
    """Handle all errors of the app."""
    app.register_error_handler(GalleryError, _handle_gallery_error)
    app.register_error_handler(HTTPException, _handle_http_error)
    app.register_error_handler(Exception, _handle_unexpected)


def _handle_gallery_error(error: GalleryError) -> Response:
    if isinstance(error, InvalidQuery):
        error = rejected(error)
    if isinstance(error, Rejected):
        title = gettext("Please check your search") if error.status == 400 else ""
        return _respond(error.status, str(error), title=title, field_errors=error.field_errors)
    if isinstance(error, Invalid | NotFound):
        log.info("%s: %s", request.path, error)
        return _respond(400) if isinstance(error, Invalid) else _respond(404, _missing())
    if isinstance(error, NoCollection):  # the normal state until the first refresh has ended: no warning
        message = gettext("There is no collection yet. Run `gallery refresh` to build one.")
        return _retry(_respond(503, message, no_collection=True), NO_COLLECTION_RETRY_S)
    log.warning("%s: %s", request.path, error)
    if isinstance(error, Starting):
        refresh = STARTING_REFRESH_S if request.method == "GET" else None
        message = gettext("Search is starting up. Please try again in a few seconds.")
        return _retry(
            _respond(503, message, title=gettext("Starting up"), refresh=refresh), STARTING_REFRESH_S
        )
    if isinstance(error, Busy):
        message = gettext("We’re busy with other images. Please try again in a moment.")
        return _retry(_respond(503, message), BUSY_RETRY_S)
    if isinstance(error, Corrupted):  # waiting does not help, so no Retry-After
        return _respond(503, gettext("The stored data can’t be read and has to be rebuilt."))
    return _retry(_respond(503), UNAVAILABLE_RETRY_S)


def _handle_http_error(error: HTTPException) -> Response:
    title, message = _form_too_large() if error.code == 413 else ("", "")
    if error.code == 404:
        message = gettext("There’s no page at this address.")
        if request.path.startswith(PREFIX):
            message = f"The API has no such address; {url_for('reference.page')} lists them."
    response = _respond(error.code or 500, message, title=title)
    if isinstance(error, RateLimitExceeded):
        _retry(response, rate_limits().retry_after_s())
    for name, value in error.get_headers(request.environ):
        if name in KEPT_HEADERS:
            response.headers[name] = value
    return response


def _missing() -> str:
    """Return what is not in the collection: the artist of the address, or a work."""
    if request.url_rule is not None and "slug" in request.url_rule.arguments:
        return gettext("This artist may no longer be in the collection.")
    return ""  # the default message is about a painting


def _form_too_large() -> tuple[str, str]:
    """Return title and message if a form is too large and not its files; empty for the default ones."""
    within = request.content_length is not None and request.content_length <= max_body_bytes(state().settings)
    if request.mimetype != "application/x-www-form-urlencoded" and not within:
        return "", ""
    return (
        gettext("That form is too large"),
        gettext("The form has too many fields, or one with too much text. Send images as files."),
    )


def _handle_unexpected(error: Exception) -> Response:
    log.error("%s %s failed", request.method, request.path, exc_info=error)
    return _respond(500)


def _respond(
    status: int,
    message: str = "",
    *,
    title: str = "",
    refresh: int | None = None,
    no_collection: bool = False,
    field_errors: Sequence[FieldError] = (),
) -> Response:
    default_title, default_message = error_text(status)
    title, message = title or default_title, message or default_message
    if _wants_json():
        # For the type about:blank, the title is the name of the status (RFC 9457, section 4.2.1).
        name = HTTP_STATUS_CODES.get(status, "Unknown Error")
        problem: dict[str, Any] = {"type": "about:blank", "title": name, "status": status, "detail": message}
        if field_errors:
            problem["errors"] = [vars(error) for error in field_errors]
        return Response(json.dumps(problem), status, mimetype=PROBLEM)
    plain = Response(f"{title}. {message}\n", status, mimetype="text/plain")
    if isinstance(request.routing_exception, BadHost | SecurityError):
        return plain  # no links can be built for an invalid host
    try:
        around = _rejected_form(field_errors) if status in FORM_STATUSES else layout(_entered_text())
        page: Page = (
            EmptyPage(around) if no_collection else ErrorPage(around, status, title, message, refresh)
        )
        return make_response(render(page), status)
    except Exception:
        # The fault may affect the error page too.
        log.exception("The error page could not be rendered")
        return plain


def _rejected_form(field_errors: Sequence[FieldError]) -> Layout:
    """Return a layout whose search form keeps what was entered and marks the invalid fields."""
    try:
        values = request.form if request.method == "POST" else request.args
    except (HTTPException, Rejected):  # the form cannot be read
        return layout(_entered_text())
    query, invalid = parse_valid(values, state().settings)
    invalid = {error.field: values.get(error.field, "") for error in field_errors} | invalid
    try:
        return layout(query, resolve_terms(query, live_collection()), invalid)
    except GalleryError:  # a work has left the collection, or there is no collection
        return layout(_entered_text())


def _entered_text() -> SearchQuery:
    """Return the text in the address, to fill in the form."""
    words = "" if request.method == "POST" else request.args.get("q", "")
    words = visible(words).strip()[: state().settings.max_query]
    terms = (TextTerm(words),) if words else ()
    return SearchQuery(terms, limit=state().settings.default_results)


def _wants_json() -> bool:
    if request.path.startswith(PREFIX):
        return True
    best = request.accept_mimetypes.best_match(["text/html", "application/json", PROBLEM], "text/html")
    return best != "text/html"


def _retry(response: Response, seconds: int) -> Response:
    response.headers["Retry-After"] = str(seconds)
    return response
