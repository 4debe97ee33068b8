"""Compress pages and JSON with gzip.

Compressing a secret together with text chosen by an attacker leaks the secret through the length (BREACH).
These pages contain no secrets: there are no sessions.
"""

from __future__ import annotations

import gzip

from flask import Flask, request
from werkzeug.wrappers import Response

from serving.errors import PROBLEM

COMPRESSED_TYPES = ("text/html", "application/json", PROBLEM)
MIN_BYTES = 1_000
"""Smaller responses are not compressed."""
GZIP_LEVEL = 5
"""A page of 90 kB becomes 15 kB in 2 ms; higher levels take longer and save little more."""


def register(app: Flask) -> None:
    """Compress text responses for clients that accept gzip."""
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
