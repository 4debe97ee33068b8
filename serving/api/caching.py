"""Answers that name the build and the request they follow from, so that what a client has is not made again."""

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

RENEWED = 4
"""Times that an answer with signed addresses changes while such an address is good. One that is handed out is good for
half of its time at least, so what a client is told to keep holds addresses that work for a quarter of it."""
RELEASE = version("artwork-gallery")


def answer(model: BaseModel) -> Response:
    """The model as JSON."""
    return Response(model.model_dump_json(by_alias=True), mimetype="application/json")


def cached(build: Build, make: Callable[[], BaseModel]) -> Response:
    """Return the answer that `make` gives; 304 without calling it where the client has the one of this build.

    The tags are weak: of the same search, the seconds that it took differ.
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
    """Changes with everything that the answer to this request depends on."""
    settings = state().settings
    addresses = "" if settings.delivery != "signed" else str(int(time.time() * RENEWED / settings.signed_for))
    facts = (RELEASE, build.name, request.root_url, request.path, addresses, settings.default_results)
    values = sorted(request.args.items(multi=True))
    return hashlib.blake2b(json.dumps([facts, values]).encode(), digest_size=12).hexdigest()


def _add_link(response: Response, model: BaseModel) -> None:
    """The address at which a list goes on, in the header that generic clients follow (RFC 8288)."""
    following = getattr(model, "next_cursor", None)
    if following:
        values = MultiDict(request.args)
        values["cursor"] = following
        query = urlencode(list(values.items(multi=True)))
        response.headers["Link"] = f'<{request.base_url}?{query}>; rel="next"'
