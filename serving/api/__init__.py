"""The JSON API below /api/v1, its OpenAPI document, and the page that shows that document."""

from __future__ import annotations

from flask import Flask

from serving.api import artists, collection, cors, reference, search, works
from serving.api.routing import PREFIX, blueprint

__all__ = ["PREFIX", "register"]

VIEWS = (search, works, artists, collection)
"""Modules whose import adds their operations to the blueprint."""


def register(app: Flask) -> None:
    """Serve the API, its document and its page."""
    app.register_blueprint(blueprint)
    app.register_blueprint(reference.blueprint)
    cors.register(app)
