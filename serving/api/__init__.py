"""The JSON API at /api/v1, its OpenAPI document, and the reference page."""

from __future__ import annotations

from flask import Flask

from serving.api import artists, collection, cors, reference, search, works
from serving.api.routing import PREFIX, blueprint

__all__ = ["PREFIX", "register"]

VIEWS = (search, works, artists, collection)
"""Modules that register their operations when imported."""


def register(app: Flask) -> None:
    """Register the API, its OpenAPI document and the reference page."""
    app.register_blueprint(blueprint)
    app.register_blueprint(reference.blueprint)
    cors.register(app)
