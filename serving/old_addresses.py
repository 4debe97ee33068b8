"""Redirects from old names of search parameters to the current ones.

Links to searches are meant to be shared, so old links keep working. The API accepts only the current names.
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
"""Old parameter -> current parameter."""


def redirect_old_names() -> Response | None:
    """Return a redirect for a GET with old parameters, keeping all others; None for other requests."""
    if request.method not in ("GET", "HEAD") or not any(name in RENAMED for name in request.args):
        return None
    pairs = [(RENAMED.get(name, name), value) for name, value in request.args.items(multi=True)]
    return redirect(f"{request.root_path}{request.path}?{urlencode(pairs)}", 301)
