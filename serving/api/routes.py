"""Every route of the API, its document and its page."""

from __future__ import annotations

from flask import Flask

from serving.api import artists, collection, cors, reference, search, works
from serving.api.routing import blueprint

VIEWS = (search, works, artists, collection)
"""Modules whose import puts their operations on the blueprint."""


def register(app: Flask) -> None:
    """Serve the API, its document and its page."""
    app.register_blueprint(blueprint)
    app.register_blueprint(reference.blueprint)
    cors.register(app)
