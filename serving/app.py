"""The Flask application factory."""

from __future__ import annotations

import io
from typing import Any
from urllib.parse import parse_qsl

from flask import Flask, Request
from flask_babel import gettext
from werkzeug.datastructures import ImmutableMultiDict, MultiDict
from werkzeug.formparser import FormDataParser
from werkzeug.utils import cached_property

from gallery.services import Services
from gallery.settings import Settings
from serving import (
    api,
    client_address,
    compression,
    error_handlers,
    i18n,
    rate_limits,
    security,
    static_files,
    template_filters,
)
from serving.context import EXTENSION, AppState
from serving.errors import FORM_OVERHEAD_BYTES, MAX_URLENCODED_BYTES, Rejected, max_body_bytes
from serving.views import artists, health, map_view, media, search, works


class FormParser(FormDataParser):
    """Rejects a form that cannot be parsed. Werkzeug's version takes it for an empty one."""

    def parse(self, *args: Any, **kwargs: Any) -> Any:
        """Return the stream, the fields and the files of a form. Raises Rejected."""
        self.silent = False
        try:
            return super().parse(*args, **kwargs)
        except UnicodeDecodeError as error:
            raise Rejected(
                gettext("The form can’t be read: the name of a file is not in UTF-8. Please rename the file.")
            ) from error
        except ValueError as error:
            raise Rejected(gettext("The form can’t be read: it is incomplete or damaged.")) from error


class GalleryRequest(Request):
    """A request that keeps uploads in memory and accepts any bytes in an address."""

    form_data_parser_class = FormParser

    @cached_property
    def args(self) -> MultiDict[str, str]:
        """The address parameters. Werkzeug's version raises for raw bytes beyond ASCII that are not UTF-8."""
        text = self.query_string.decode("utf-8", "replace")
        return ImmutableMultiDict(parse_qsl(text, keep_blank_values=True))

    @property
    def max_content_length(self) -> int | None:
        """The largest body in bytes; a form without files needs no megabytes."""
        if self.mimetype == "application/x-www-form-urlencoded":
            return MAX_URLENCODED_BYTES
        return super().max_content_length

    @max_content_length.setter
    def max_content_length(self, value: int | None) -> None:
        self._max_content_length = value

    def _get_file_stream(self, *_: object, **__: object) -> io.BytesIO:
        # Werkzeug's version writes larger uploads to a temporary file.
        return io.BytesIO()


def create_app(settings: Settings, *, services: Services | None = None) -> Flask:
    """Create the app. Its encoder is not loaded yet; call `warmup.start()` of its `AppState` to load it.

    Raises Invalid if the settings contradict each other.
    """
    app = Flask(__name__, static_folder=None)
    app.request_class = GalleryRequest
    app.extensions[EXTENSION] = AppState.open(settings, services or Services(settings, searching=True))
    app.config.update(
        MAX_CONTENT_LENGTH=max_body_bytes(settings),
        MAX_FORM_MEMORY_SIZE=FORM_OVERHEAD_BYTES,
        MAX_FORM_PARTS=100,
        DEBUG=False,  # even if FLASK_DEBUG is set, because the debugger shows source code to visitors
    )
    for views in (search, works, artists, map_view, media, health):
        app.register_blueprint(views.blueprint)
    app.register_blueprint(map_view.data)
    api.register(app)
    client_address.register(app, settings)
    static_files.register(app)
    template_filters.register(app)
    i18n.register(app, untranslated=api.PREFIX)
    rate_limits.register(app, settings)
    error_handlers.register(app)
    compression.register(app)
    security.register(app)
    return app
