"""Every error as an answer: a page or problem+json by what the client accepts, never what went wrong inside."""

from __future__ import annotations

import json
import logging

from flask import Flask, Response, make_response, request
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import BadHost, HTTPException, RequestEntityTooLarge, SecurityError

from gallery.errors import GalleryError, Invalid, NotFound
from serving.api import PREFIX
from serving.errors import Busy, NoCollection, Rejected, Starting, sentence
from serving.pages import BarePage, ErrorPage, Page, frame, render
from serving.query import Query
from serving.site import site

PROBLEM = "application/problem+json"
KEPT_HEADERS = ("Allow", "Content-Range")
"""What a client needs of Werkzeug's own answers: the methods for 405, the length for 416."""
REFRESH = 3
"""Seconds between two looks at a site that is starting."""
DRAIN = 32_000_000
"""Bytes read and dropped of a body that is too large, so that the answer is read before the connection ends."""

log = logging.getLogger(__name__)


def register(app: Flask) -> None:
    """Answer every error of the app."""
    app.register_error_handler(GalleryError, _of_the_domain)
    app.register_error_handler(HTTPException, _of_http)
    app.register_error_handler(ParseException, _of_the_body)
    app.register_error_handler(Exception, _unforeseen)


def _of_the_domain(error: GalleryError) -> Response:
    if isinstance(error, Rejected):
        return _answer(
            error.status, str(error), title="That search needs a change" if error.status == 400 else ""
        )
    if isinstance(error, Invalid | NotFound):
        log.info("%s: %s", request.path, error)
        return _answer(400 if isinstance(error, Invalid) else 404)
    log.warning("%s: %s", request.path, error)
    if isinstance(error, NoCollection):
        response = _answer(503, "There is no collection yet; run `gallery refresh` to build one.", bare=True)
        return _retry(response, 30)
    if isinstance(error, Starting):
        refresh = REFRESH if request.method == "GET" else None
        message = "The search is loading the model that looks at pictures. It will be ready in a moment."
        return _retry(_answer(503, message, title="Just starting", refresh=refresh), REFRESH)
    if isinstance(error, Busy):
        return _retry(_answer(503, "Many pictures are being looked at just now. Please try again."), 5)
    return _retry(_answer(503), 10)


def _of_http(error: HTTPException) -> Response:
    if isinstance(error, RequestEntityTooLarge):
        _drain()
    response = _answer(error.code or 500)
    for name, value in error.get_headers(request.environ):
        if name in KEPT_HEADERS:
            response.headers[name] = value
    return response


def _of_the_body(error: ParseException) -> Response:
    """A body whose chunks do not add up, found out by the server while it was read."""
    log.info("%s: %r", request.path, error)
    response = _answer(400)
    response.headers["Connection"] = (
        "close"  # what follows on it cannot be told apart from the rest of the body
    )
    return response


def _unforeseen(error: Exception) -> Response:
    log.error("%s %s failed", request.method, request.path, exc_info=error)
    return _answer(500)


def _answer(
    status: int, message: str = "", *, title: str = "", refresh: int | None = None, bare: bool = False
) -> Response:
    usual_title, usual_message = sentence(status)
    title, message = title or usual_title, message or usual_message
    if _wants_json():
        problem = {"type": "about:blank", "title": title, "status": status, "detail": message}
        return Response(json.dumps(problem), status, mimetype=PROBLEM)
    if isinstance(
        request.routing_exception, BadHost | SecurityError
    ):  # no link can be made on a host that is none
        return Response(f"{title}. {message}\n", status, mimetype="text/plain")
    surround = frame(site(), _typed())
    page: Page = BarePage(surround) if bare else ErrorPage(surround, status, title, message, refresh)
    return make_response(render(page), status)


def _typed() -> Query:
    """What the visitor had typed, to be mended in the form."""
    settings = site().settings
    words = "" if request.method == "POST" else request.args.get("q", "")
    words = "".join(character for character in words if character.isprintable())
    return Query(words.strip()[: settings.max_query], settings.default_results)


def _wants_json() -> bool:
    if request.path.startswith(PREFIX):
        return True
    best = request.accept_mimetypes.best_match(["text/html", "application/json", PROBLEM], "text/html")
    return best != "text/html"


def _retry(response: Response, seconds: int) -> Response:
    response.headers["Retry-After"] = str(seconds)
    return response


def _drain() -> None:
    # Many clients, browsers among them, send all of the body before they read the answer; closing early would
    # show them a broken connection in place of the page.
    if (request.content_length or 0) > DRAIN:
        return
    body, left = request.environ["wsgi.input"], DRAIN
    while left > 0 and (chunk := body.read(min(left, 1 << 16))):
        left -= len(chunk)
