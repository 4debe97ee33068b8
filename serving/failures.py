"""Every error as an answer: a page or problem+json by what the client accepts, never what went wrong inside."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from typing import Any

from flask import Flask, Response, make_response, request
from flask_babel import gettext
from flask_limiter import RateLimitExceeded
from werkzeug.exceptions import BadHost, HTTPException, SecurityError

from gallery.errors import GalleryError, Invalid, NotFound
from serving.api import PREFIX
from serving.composer import cards_of
from serving.errors import Busy, Mistake, NoCollection, Rejected, Starting, sentence
from serving.limits import limits
from serving.pages import BarePage, ErrorPage, Frame, Page, frame, render
from serving.query import Query
from serving.site import site

PROBLEM = "application/problem+json"
KEPT_HEADERS = ("Allow", "Content-Range")
"""What a client needs of Werkzeug's own answers: the methods for 405, the length for 416."""
REFRESH = 3
"""Seconds between two looks at a site that is starting."""

log = logging.getLogger(__name__)


def register(app: Flask) -> None:
    """Answer every error of the app."""
    app.register_error_handler(GalleryError, _of_the_domain)
    app.register_error_handler(HTTPException, _of_http)
    app.register_error_handler(Exception, _unforeseen)


def _of_the_domain(error: GalleryError) -> Response:
    if isinstance(error, Rejected):
        title = gettext("That search needs a change") if error.status == 400 else ""
        return _answer(error.status, str(error), title=title, mistakes=error.mistakes)
    if isinstance(error, Invalid | NotFound):
        log.info("%s: %s", request.path, error)
        return _answer(400 if isinstance(error, Invalid) else 404)
    log.warning("%s: %s", request.path, error)
    if isinstance(error, NoCollection):
        response = _answer(
            503, gettext("There is no collection yet; run `gallery refresh` to build one."), bare=True
        )
        return _retry(response, 30)
    if isinstance(error, Starting):
        refresh = REFRESH if request.method == "GET" else None
        message = gettext(
            "The search is loading the model that looks at pictures. It will be ready in a moment."
        )
        return _retry(_answer(503, message, title=gettext("Just starting"), refresh=refresh), REFRESH)
    if isinstance(error, Busy):
        return _retry(
            _answer(503, gettext("Many pictures are being looked at just now. Please try again.")), 5
        )
    return _retry(_answer(503), 10)


def _of_http(error: HTTPException) -> Response:
    response = _answer(error.code or 500)
    if isinstance(error, RateLimitExceeded):
        _retry(response, limits().wait())
    for name, value in error.get_headers(request.environ):
        if name in KEPT_HEADERS:
            response.headers[name] = value
    return response


def _unforeseen(error: Exception) -> Response:
    log.error("%s %s failed", request.method, request.path, exc_info=error)
    return _answer(500)


def _answer(
    status: int,
    message: str = "",
    *,
    title: str = "",
    refresh: int | None = None,
    bare: bool = False,
    mistakes: Sequence[Mistake] = (),
) -> Response:
    usual_title, usual_message = sentence(status)
    title, message = title or usual_title, message or usual_message
    if _wants_json():
        problem: dict[str, Any] = {"type": "about:blank", "title": title, "status": status, "detail": message}
        if mistakes:
            problem["errors"] = [vars(mistake) for mistake in mistakes]
        return Response(json.dumps(problem), status, mimetype=PROBLEM)
    plain = Response(f"{title}. {message}\n", status, mimetype="text/plain")
    if isinstance(request.routing_exception, BadHost | SecurityError):  # no link can be made on such a host
        return plain
    try:
        surround = _asked() if status == 400 else frame(site(), _typed())
        page: Page = BarePage(surround) if bare else ErrorPage(surround, status, title, message, refresh)
        return make_response(render(page), status)
    except Exception:
        # What broke the page breaks what surrounds an error too; a visitor is told of it all the same.
        log.exception("The page of an error could not be made")
        return plain


def _asked() -> Frame:
    """The frame of a page about a search that was refused: all that was asked for, but pictures, to be mended."""
    if request.endpoint == "search.page" and request.method == "GET":
        try:
            query = Query.parse(request.args, site().settings).without_pictures()
            return frame(site(), query, cards_of(site(), query, site().live()))
        except GalleryError:
            pass  # what cannot be read is what was refused
    return frame(site(), _typed())


def _typed() -> Query:
    """What the visitor had typed, to be mended in the form."""
    words = "" if request.method == "POST" else request.args.get("q", "")
    words = "".join(character for character in words if character.isprintable())
    words = words.strip()[: site().settings.max_query]
    return Query().with_part("q", words) if words else Query()


def _wants_json() -> bool:
    if request.path.startswith(PREFIX):
        return True
    best = request.accept_mimetypes.best_match(["text/html", "application/json", PROBLEM], "text/html")
    return best != "text/html"


def _retry(response: Response, seconds: int) -> Response:
    response.headers["Retry-After"] = str(seconds)
    return response
