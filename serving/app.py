"""The Flask application factory."""

from __future__ import annotations

from flask import Flask

from gallery.services import Services
from gallery.settings import Settings
from serving import (
    api,
    artists,
    client_address,
    compression,
    error_handlers,
    health,
    language,
    map,
    markup,
    pictures,
    rate_limits,
    search,
    security,
    static_files,
    works,
)
from serving.errors import FORM_OVERHEAD_BYTES
from serving.request import GalleryRequest
from serving.site import EXTENSION, Site


def create_app(settings: Settings, *, services: Services | None = None) -> Flask:
    """Create the app. Its encoder is not loaded yet: call `warmup.start()` of its `Site` before serving it.

    Raises Invalid if the settings contradict each other.
    """
    app = Flask(__name__, static_folder=None)
    app.request_class = GalleryRequest
    app.extensions[EXTENSION] = Site.open(settings, services or Services(settings, searching=True))
    app.config.update(
        MAX_CONTENT_LENGTH=settings.max_upload + FORM_OVERHEAD_BYTES,
        MAX_FORM_MEMORY_SIZE=FORM_OVERHEAD_BYTES,
        MAX_FORM_PARTS=100,
        DEBUG=False,  # even if FLASK_DEBUG is set: the debugger would show the source to visitors
    )
    for group in (search, works, artists, map, pictures, health):
        app.register_blueprint(group.blueprint)
    app.register_blueprint(map.pieces)
    api.register(app)
    client_address.register(app, settings)
    static_files.register(app)
    markup.register(app)
    language.register(app, untranslated=api.PREFIX)
    rate_limits.register(app, settings)
    error_handlers.register(app)
    compression.register(app)
    security.register(app)
    return app
