"""CORS headers: pages of the sites in GALLERY_CORS may read the API.

flask-cors is not used: without cookies and keys, one rule for one prefix is enough, and its matching of paths
and origins has had vulnerabilities.
"""

from __future__ import annotations

from flask import Flask, Response, request

from serving.api.routing import PREFIX
from serving.context import state

ANY_ORIGIN = "*"
ALLOWED_METHODS = "GET, HEAD, POST"
ALLOWED_HEADERS = "Content-Type, If-None-Match"
EXPOSED_HEADERS = "ETag, Link, Retry-After"
PREFLIGHT_MAX_AGE_S = 7_200
"""Time for which browsers may cache a preflight response. Chromium accepts no more than this."""


def register(app: Flask) -> None:
    """Add the headers to all responses of the API, including errors."""
    app.after_request(_add_headers)


def _add_headers(response: Response) -> Response:
    allowed = origins(state().settings.cors)
    if not allowed or not request.path.startswith(PREFIX):
        return response
    if ANY_ORIGIN not in allowed:
        response.vary.add("Origin")
    origin = ANY_ORIGIN if ANY_ORIGIN in allowed else request.headers.get("Origin", "")
    if origin not in allowed:
        return response
    response.headers["Access-Control-Allow-Origin"] = origin
    response.headers["Access-Control-Expose-Headers"] = EXPOSED_HEADERS
    if request.method == "OPTIONS":
        response.headers["Access-Control-Allow-Methods"] = ALLOWED_METHODS
        response.headers["Access-Control-Allow-Headers"] = ALLOWED_HEADERS
        response.headers["Access-Control-Max-Age"] = str(PREFLIGHT_MAX_AGE_S)
    return response


def origins(setting: str | None) -> tuple[str, ...]:
    """Return the origins in the setting; "*" allows every site."""
    return tuple(part.strip() for part in (setting or "").split(",") if part.strip())
