"""The style sheets, the scripts and the icon, at addresses that name their content."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, abort, request
from werkzeug.wrappers import Response

from serving.pictures import FOREVER

FOLDER = Path(__file__).with_name("static")
WORTH = 0.9
"""A file is sent packed where that leaves no more than this share of it."""


def register(app: Flask) -> None:
    """Serve the files of static/ from memory; `url_for("assets.file", name=…)` finds a file's current address."""
    paths = [path for path in sorted(FOLDER.rglob("*")) if path.is_file()]
    files = {path.relative_to(FOLDER).as_posix(): path.read_bytes() for path in paths}
    packed = {name: gzip.compress(data, 9, mtime=0) for name, data in files.items()}
    digests = {name: hashlib.sha256(data).hexdigest()[:12] for name, data in files.items()}
    blueprint = Blueprint("assets", __name__)

    @blueprint.get("/static/<digest>/<path:name>")
    def file(digest: str, name: str) -> Response:
        if name not in files:
            abort(404)
        small = len(packed[name]) <= WORTH * len(files[name]) and "gzip" in request.accept_encodings
        response = Response(packed[name] if small else files[name], mimetype=mimetypes.guess_type(name)[0])
        if small:
            response.headers["Content-Encoding"] = "gzip"
        response.vary.add("Accept-Encoding")
        response.set_etag(digests[name] + ("-gzip" if small else ""))
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
