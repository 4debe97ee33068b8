"""The style sheet, the script and the icon, at addresses that name their content."""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, abort, request
from werkzeug.wrappers import Response

from serving.pictures import FOREVER

FOLDER = Path(__file__).with_name("static")


def register(app: Flask) -> None:
    """Serve the files of static/ from memory; `url_for("assets.file", name=…)` finds a file's current address."""
    files = {path.name: path.read_bytes() for path in FOLDER.iterdir()}
    digests = {name: hashlib.sha256(data).hexdigest()[:12] for name, data in files.items()}
    blueprint = Blueprint("assets", __name__)

    @blueprint.get("/static/<digest>/<name>")
    def file(digest: str, name: str) -> Response:
        if name not in files:
            abort(404)
        response = Response(files[name], mimetype=mimetypes.guess_type(name)[0])
        response.set_etag(digests[name])
        # A page of before an upgrade still gets its style, but must not remember the newer one as its own.
        response.headers["Cache-Control"] = FOREVER if digest == digests[name] else "no-cache"
        return response.make_conditional(request)

    def add_digest(endpoint: str, values: dict[str, Any]) -> None:
        _add_digest(digests, endpoint, values)

    app.register_blueprint(blueprint)
    app.url_default_functions.setdefault(None, []).append(add_digest)


def _add_digest(digests: Mapping[str, str], endpoint: str, values: dict[str, Any]) -> None:
    if endpoint == "assets.file":
        values.setdefault("digest", digests[values["name"]])
