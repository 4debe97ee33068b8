"""The Flask application, wired from its settings."""

from __future__ import annotations

from flask import Flask, Response

from gallery.ports import Ports
from gallery.settings import Settings
from serving import api, assets, failures, health, markup, pictures, search, works
from serving.errors import ALLOWANCE
from serving.failures import PROBLEM
from serving.requests import GalleryRequest
from serving.site import EXTENSION, Site

HEADERS = {
    # Nothing is loaded from elsewhere, run inline, or framed. data: is for the uploaded picture shown back.
    "Content-Security-Policy": "default-src 'none'; img-src 'self' data:; style-src 'self'; script-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def create_app(settings: Settings, *, ports: Ports | None = None) -> Flask:
    """The app, its encoder not yet loaded: call `warmup.start()` of its `Site` in the process that serves it."""
    app = Flask(__name__, static_folder=None)
    app.request_class = GalleryRequest
    app.extensions[EXTENSION] = Site.open(settings, ports or Ports(settings))
    app.config.update(
        MAX_CONTENT_LENGTH=settings.max_upload + ALLOWANCE,
        MAX_FORM_MEMORY_SIZE=ALLOWANCE,
        MAX_FORM_PARTS=100,
    )
    for group in (search, works, pictures, api, health):
        app.register_blueprint(group.blueprint)
    assets.register(app)
    markup.register(app)
    failures.register(app)
    app.after_request(_add_headers)
    return app


def _add_headers(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", "no-cache")
    if response.mimetype in ("text/html", PROBLEM):
        response.vary.add("Accept")  # errors are pages or JSON at the same address
    return response
