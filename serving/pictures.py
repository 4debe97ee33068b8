"""The pictures themselves, out of the image store."""

from __future__ import annotations

from flask import Blueprint, abort, request
from werkzeug.wrappers import Response

from gallery.errors import Invalid, NotFound
from gallery.images.derivatives import CONTENT_TYPES
from serving.site import site

blueprint = Blueprint("pictures", __name__)

FOLDERS = ("originals/", "thumbs/", "maps/")
"""What of the image store may be seen."""

FOREVER = "public, max-age=31536000, immutable"
"""For addresses that name their content: the same address never answers with other bytes."""


@blueprint.get("/pictures/<path:key>")
def picture(key: str) -> Response:
    """The bytes of a picture, or the range of them that was asked for."""
    content_type = CONTENT_TYPES.get(key.rpartition(".")[2])
    if content_type is None or not key.startswith(FOLDERS):
        abort(404)
    if request.if_none_match.contains_weak(key):  # the client has it: no need to ask the store
        return _lasting(Response(status=304), key)
    try:
        data = site().services.images.get(key)
    except (NotFound, Invalid):
        abort(404)
    response = _lasting(Response(data, mimetype=content_type), key)
    return response.make_conditional(request, accept_ranges=True, complete_length=len(data))


def _lasting(response: Response, key: str) -> Response:
    response.set_etag(key)
    response.headers["Cache-Control"] = FOREVER
    return response
