"""Image files, from the image store."""

from __future__ import annotations

from flask import Blueprint, abort, request
from werkzeug.wrappers import Response

from gallery.errors import Invalid, NotFound
from gallery.images.derivatives import CONTENT_TYPES
from gallery.objects.base import KEY_PATTERN
from serving.context import state

blueprint = Blueprint("media", __name__)

PUBLIC_FOLDERS = ("originals/", "thumbs/", "maps/")
"""Folders of the image store that are public."""

IMMUTABLE = "public, max-age=31536000, immutable"
"""Cache-Control for addresses whose content never changes."""


@blueprint.get("/images/<path:key>")
def image(key: str) -> Response:
    """Return the bytes of an image, or the requested range."""
    content_type = CONTENT_TYPES.get(key.rpartition(".")[2])
    if content_type is None or not key.startswith(PUBLIC_FOLDERS) or not KEY_PATTERN.fullmatch(key):
        abort(404)
    # The client has it, so the store is not needed.
    if key in request.if_none_match.as_set(include_weak=True):
        return _immutable(Response(status=304), key)
    try:
        data = state().services.images.get(key)
    except (NotFound, Invalid):
        abort(404)
    response = _immutable(Response(data, mimetype=content_type), key)
    response.headers["Accept-Ranges"] = "bytes"
    return response.make_conditional(request, accept_ranges=_has_one_range(), complete_length=len(data))


def _has_one_range() -> bool:
    """Return True if one range of bytes is requested. Any other Range is ignored (RFC 9110, 14.2)."""
    asked = request.range
    return asked is not None and asked.units == "bytes" and len(asked.ranges) == 1


def _immutable(response: Response, key: str) -> Response:
    response.set_etag(key)
    response.headers["Cache-Control"] = IMMUTABLE
    return response
