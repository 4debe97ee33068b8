"""Addresses of searches from before their parameters were renamed redirect to the present ones.

Links to searches are meant to be shared, so old ones keep working. Only pages redirect; the API has one set of names.
"""

from __future__ import annotations

from urllib.parse import urlencode

from flask import redirect, request
from werkzeug.wrappers import Response

RENAMED = {
    "qw": "q_weight",
    "not": "exclude",
    "notw": "exclude_weight",
    "pic": "image",
    "picw": "image_weight",
    "likew": "like_weight",
    "less": "unlike",
    "lessw": "unlike_weight",
    "genre": "style",
    "notby": "exclude_artist",
    "from": "active_from",
    "to": "active_to",
    "each": "per_artist",
    "k": "limit",
    "start": "offset",
    "below": "divided",
    "at": "page",
}
"""Old parameter -> present one."""


def redirect_old_names() -> Response | None:
    """Redirect a GET whose address has old parameters, all others carried over; None for any other request."""
    if request.method not in ("GET", "HEAD") or not any(name in RENAMED for name in request.args):
        return None
    pairs = [(RENAMED.get(name, name), value) for name, value in request.args.items(multi=True)]
    return redirect(f"{request.root_path}{request.path}?{urlencode(pairs)}", 301)
