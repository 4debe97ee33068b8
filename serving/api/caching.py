"""Conditional GET: an ETag identifies build and request, so unchanged responses are not computed again."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from importlib.metadata import version
from urllib.parse import quote, urlencode

from flask import Response, request
from pydantic import BaseModel
from werkzeug.datastructures import MultiDict

from gallery.models import Build
from serving.client_address import root_url
from serving.context import state

CHANGES_PER_LIFETIME = 4
"""Changes of the ETag during the lifetime of a signed image address. An address is issued with at least half
of its lifetime left, so addresses in a cached response are valid for at least a quarter."""
RELEASE = version("artwork-gallery")
"""Part of each ETag, because a new release may change responses."""


def answer(model: BaseModel) -> Response:
    """Return the model as JSON."""
    return Response(model.model_dump_json(), mimetype="application/json")


def cached(build: Build, make: Callable[[], BaseModel]) -> Response:
    """Return the response of `make`, or a 304 without calling it if the client has this build's response.

    The ETags are weak, because the duration of a search varies.
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
    """Return a digest of everything that the response to this request depends on."""
    settings = state().settings
    signed = settings.delivery == "signed"
    period = int(time.time() * CHANGES_PER_LIFETIME / settings.signed_for) if signed else ""
    facts = (RELEASE, build.name, root_url(), request.path, str(period), settings.default_results)
    values = sorted(request.args.items(multi=True))
    return hashlib.blake2b(json.dumps([facts, values]).encode(), digest_size=12).hexdigest()


def _add_link(response: Response, model: BaseModel) -> None:
    """Add a Link header with the address of the next page (RFC 8288)."""
    if next_cursor := getattr(model, "next_cursor", None):
        values = MultiDict(request.args)
        values["cursor"] = next_cursor
        query = urlencode(list(values.items(multi=True)))
        response.headers["Link"] = f'<{root_url().rstrip("/")}{quote(request.path)}?{query}>; rel="next"'
