"""Helpers for tests of the web app: state, uploads, what a response contains, a server in a thread."""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from werkzeug.datastructures import FileStorage
from werkzeug.serving import make_server
from werkzeug.test import TestResponse, encode_multipart

from gallery.services import Services
from gallery.settings import Settings
from serving import create_app
from serving.context import EXTENSION, AppState
from tests.fakes.collection import drawing, encoded, stocked

API_SEARCH = "/api/v1/search"


class Templates(BytecodeCache):
    """The compiled templates, shared by all apps of a test process: compiling takes longer than a request."""

    def __init__(self) -> None:
        self.compiled: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self.compiled:
            bucket.bytecode_from_string(self.compiled[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.compiled[bucket.key] = bucket.bytecode_to_string()


TEMPLATES = Templates()


def app_with(settings: Settings, services: Services | None = None) -> Flask:
    """Return the app over the sample gallery in memory or over these services, ready to search."""
    app = create_app(settings, services=services or stocked(settings))
    app.jinja_env.bytecode_cache = TEMPLATES
    state_of(app).warmup.attempt()
    return app


def state_of(app: Flask) -> AppState:
    """Return what the app keeps between requests."""
    state: AppState = app.extensions[EXTENSION]
    return state


def upload(
    client: FlaskClient,
    data: bytes | None = None,
    path: str = "/",
    *,
    follow_redirects: bool = True,
    **fields: Any,
) -> TestResponse:
    """Upload an image with these form fields; return the response. Without `data`, upload a drawing."""
    data = encoded(drawing("#c08020", 1)) if data is None else data
    # Encoded here: the client would put a large body into a temporary file and leave it open.
    file = FileStorage(io.BytesIO(data), "mine.png", "image")
    tokens = [fields.pop("image")] if "image" in fields else []
    boundary, body = encode_multipart({"image": [file, *tokens], **fields})
    kind = f"multipart/form-data; boundary={boundary}"
    return client.post(path, data=body, content_type=kind, follow_redirects=follow_redirects)


def body(answer: TestResponse) -> dict[str, Any]:
    """Return the JSON object of a response."""
    assert isinstance(answer.json, dict)
    return answer.json


def token(page: str) -> str:
    """Return the token of the uploaded image on a page."""
    found = re.search(r'name="image" value="([^"]+)"', page)
    assert found
    return found[1]


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """Serve the app on a free port until the end of the block; yield its address."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
