"""Which other sites' pages may read the API: those that GALLERY_CORS names, by the Fetch standard's CORS headers.

A few lines rather than flask-cors: there are no cookies and no keys, so one rule for one prefix is all there is to it,
and that library's matching of paths and origins is where its security faults have been.
"""

from __future__ import annotations

from flask import Flask, Response, request

from serving.api.routing import PREFIX
from serving.context import state

ANY = "*"
METHODS = "GET, HEAD, POST"
SENT = "Content-Type, If-None-Match"
READ = "ETag, Link, Retry-After"
REMEMBERED = 7_200
"""Seconds that a browser need not ask again; browsers take no more than this."""


def register(app: Flask) -> None:
    """Add the headers to every answer below the API's prefix, errors too."""
    app.after_request(_allow)


def _allow(response: Response) -> Response:
    allowed = origins(state().settings.cors)
    if not allowed or not request.path.startswith(PREFIX):
        return response
    if ANY not in allowed:
        response.vary.add("Origin")
    origin = ANY if ANY in allowed else request.headers.get("Origin", "")
    if origin not in allowed:
        return response
    response.headers["Access-Control-Allow-Origin"] = origin
    response.headers["Access-Control-Expose-Headers"] = READ
    if request.method == "OPTIONS":
        response.headers["Access-Control-Allow-Methods"] = METHODS
        response.headers["Access-Control-Allow-Headers"] = SENT
        response.headers["Access-Control-Max-Age"] = str(REMEMBERED)
    return response


def origins(setting: str | None) -> tuple[str, ...]:
    """The origins of the setting; "*" among them allows every site."""
    return tuple(part.strip() for part in (setting or "").split(",") if part.strip())
