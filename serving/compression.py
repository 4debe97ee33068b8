"""Compress pages and JSON with gzip.

Compressing secrets beside text that an attacker chooses would leak them through the length (BREACH). These pages hold
no secrets: there are no sessions.
"""

from __future__ import annotations

import gzip

from flask import Flask, request
from werkzeug.wrappers import Response

from serving.errors import PROBLEM

COMPRESSED_TYPES = ("text/html", "application/json", PROBLEM)
MIN_BYTES = 1_000
"""Smaller responses are sent as they are."""
GZIP_LEVEL = 5
"""A page of 90 KB takes 2 ms and becomes 15 KB; higher levels take longer and save hardly more."""


def register(app: Flask) -> None:
    """Compress the app's text responses for clients that accept gzip."""
    app.after_request(_compress)


def _compress(response: Response) -> Response:
    if (
        response.mimetype not in COMPRESSED_TYPES
        or response.is_streamed
        or response.status_code in (206, 304)
    ):
        return response
    response.vary.add("Accept-Encoding")
    if "gzip" in request.accept_encodings and "Content-Encoding" not in response.headers:
        data = response.get_data()
        if len(data) >= MIN_BYTES:
            response.set_data(gzip.compress(data, GZIP_LEVEL, mtime=0))
            response.headers["Content-Encoding"] = "gzip"
    return response
