"""Style sheets, scripts and the icon, at addresses with a digest of the content."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, abort, request
from werkzeug.wrappers import Response

from serving.views.media import IMMUTABLE

FOLDER = Path(__file__).with_name("static")
MAX_COMPRESSED_SHARE = 0.9
"""Files are sent compressed if gzip reduces them to at most this share of their size."""


def register(app: Flask) -> None:
    """Serve the files in static/ from memory, at `url_for("static_files.file", name=…)`."""
    paths = [path for path in sorted(FOLDER.rglob("*")) if path.is_file()]
    files = {path.relative_to(FOLDER).as_posix(): path.read_bytes() for path in paths}
    compressed = {name: gzip.compress(data, 9, mtime=0) for name, data in files.items()}
    digests = {name: hashlib.sha256(data).hexdigest()[:12] for name, data in files.items()}
    blueprint = Blueprint("static_files", __name__)

    @blueprint.get("/static/<digest>/<path:name>")
    def file(digest: str, name: str) -> Response:
        if name not in files:
            abort(404)
        is_smaller = len(compressed[name]) <= MAX_COMPRESSED_SHARE * len(files[name])
        use_gzip = is_smaller and "gzip" in request.accept_encodings
        data = compressed[name] if use_gzip else files[name]
        response = Response(data, mimetype=mimetypes.guess_type(name)[0])
        if use_gzip:
            response.headers["Content-Encoding"] = "gzip"
        response.vary.add("Accept-Encoding")
        response.set_etag(digests[name] + ("-gzip" if use_gzip else ""))
        # Pages from before an upgrade still get the file, but must not cache it at the old address.
        response.headers["Cache-Control"] = IMMUTABLE if digest == digests[name] else "no-cache"
        return response.make_conditional(request)

    def add_digest(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint == "static_files.file":
            values.setdefault("digest", digests[values["name"]])

    app.register_blueprint(blueprint)
    app.url_default_functions.setdefault(None, []).append(add_digest)
