"""Conditional answers: an ETag names the build and the request, so an unchanged answer is not computed again."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from importlib.metadata import version
from urllib.parse import urlencode

from flask import Response, request
from pydantic import BaseModel
from werkzeug.datastructures import MultiDict

from gallery.models import Build
from serving.context import state

CHANGES_PER_LIFETIME = 4
"""Times that an ETag changes while a signed address is valid. An address is handed out with at least half of its lifetime
left, so a cached answer holds addresses that work for at least another quarter of it."""
RELEASE = version("artwork-gallery")


def answer(model: BaseModel) -> Response:
    """Return the model as JSON."""
    return Response(model.model_dump_json(), mimetype="application/json")


def cached(build: Build, make: Callable[[], BaseModel]) -> Response:
    """Return the answer that `make` computes, or a 304 without calling it if the client has the answer of this build.

    The ETags are weak, since the seconds that a search took differ.
    """
    tag = _tag(build)
    if request.if_none_match.contains_weak(tag):
        response = Response(status=304)
    else:
        model = make()
        response = answer(model)
        _add_link(response, model)
    response.set_etag(tag, weak=True)
    return response


def _tag(build: Build) -> str:
    """Return a digest of everything that the answer to this request depends on."""
    settings = state().settings
    signed = settings.delivery == "signed"
    period = int(time.time() * CHANGES_PER_LIFETIME / settings.signed_for) if signed else ""
    facts = (RELEASE, build.name, request.root_url, request.path, str(period), settings.default_results)
    values = sorted(request.args.items(multi=True))
    return hashlib.blake2b(json.dumps([facts, values]).encode(), digest_size=12).hexdigest()


def _add_link(response: Response, model: BaseModel) -> None:
    """Add the address of the next page in the header that generic clients follow (RFC 8288)."""
    if next_cursor := getattr(model, "next_cursor", None):
        values = MultiDict(request.args)
        values["cursor"] = next_cursor
        query = urlencode(list(values.items(multi=True)))
        response.headers["Link"] = f'<{request.base_url}?{query}>; rel="next"'
