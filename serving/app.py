"""The Flask application, wired from its settings."""

from __future__ import annotations

from flask import Flask, Response, request

from gallery.services import Services
from gallery.settings import Settings
from serving import (
    api,
    artists,
    assets,
    failures,
    health,
    language,
    limits,
    map,
    markup,
    packing,
    pictures,
    proxies,
    search,
    works,
)
from serving.errors import ALLOWANCE
from serving.failures import PROBLEM
from serving.proxies import came_by_https
from serving.requests import GalleryRequest
from serving.site import EXTENSION, Site, site

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",  # what frame-ancestors says, for older browsers
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""For every answer; the pictures alone may be shown by pages of other sites."""
SECURE = "max-age=31536000"
"""For a year the browser asks by https only; said to those who did."""


# Nothing is loaded from elsewhere, run inline, or framed, but for pictures from the store where it delivers them.
# data: is for the uploaded picture shown back.
POLICY = (
    "default-src 'none'; img-src 'self' data:{store}; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def create_app(settings: Settings, *, services: Services | None = None) -> Flask:
    """The app, its encoder not yet loaded: call `warmup.start()` of its `Site` in the process that serves it.

    Raises Invalid where the settings do not go together.
    """
    app = Flask(__name__, static_folder=None)
    app.request_class = GalleryRequest
    app.extensions[EXTENSION] = Site.open(settings, services or Services(settings, searching=True))
    app.config.update(
        MAX_CONTENT_LENGTH=settings.max_upload + ALLOWANCE,
        MAX_FORM_MEMORY_SIZE=ALLOWANCE,
        MAX_FORM_PARTS=100,
        DEBUG=False,  # whatever FLASK_DEBUG says: nothing of the inside is shown to visitors
    )
    for group in (search, works, artists, map, pictures, health):
        app.register_blueprint(group.blueprint)
    app.register_blueprint(map.pieces)
    api.register(app)
    proxies.register(app, settings)
    assets.register(app)
    markup.register(app)
    language.register(app, untranslated=api.PREFIX)
    limits.register(app, settings)
    failures.register(app)
    packing.register(app)
    app.after_request(_add_headers)
    return app


def _add_headers(response: Response) -> Response:
    if request.blueprint == pictures.blueprint.name:
        response.headers.setdefault("Cross-Origin-Resource-Policy", "cross-origin")
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if came_by_https():
        response.headers.setdefault("Strict-Transport-Security", SECURE)
    origin = site().delivery.origin
    response.headers.setdefault(
        "Content-Security-Policy", POLICY.format(store=f" {origin}" if origin else "")
    )
    response.headers.setdefault("Cache-Control", "no-cache")
    if response.mimetype in ("text/html", PROBLEM):
        response.vary.add("Accept")  # errors are pages or JSON at the same address
    return response
