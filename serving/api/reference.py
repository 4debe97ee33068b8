"""The OpenAPI document as JSON, and the reference page made from it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, current_app, request

from gallery.search.query import SearchQuery
from serving.api.openapi import openapi_document
from serving.api.routing import PREFIX, VERSION
from serving.client_address import root_url
from serving.context import state
from serving.view_models import Page, layout, render

EXTENSION = "gallery-openapi"

blueprint = Blueprint("reference", __name__)


@dataclass(frozen=True)
class ReferencePage(Page):
    """The API reference. `base` is the URL of the site."""

    template = "api.html"
    base: str
    api: Mapping[str, Any]


@blueprint.get(f"{PREFIX}{VERSION}/openapi.json")
def openapi() -> Response:
    """Return the OpenAPI document."""
    response = Response(json.dumps(_document(), ensure_ascii=False), mimetype="application/json")
    response.add_etag(weak=True)
    return response.make_conditional(request)  # type: ignore[return-value]


@blueprint.get(PREFIX.rstrip("/"))
@blueprint.get(PREFIX, alias=True)
def page() -> str:
    """Return the reference page."""
    around = layout(SearchQuery(limit=state().settings.default_results))
    return render(ReferencePage(around, root_url().rstrip("/"), _document()))


def _document() -> dict[str, Any]:
    """Return the document, cached per app, with the path at which the app is mounted for this request."""
    extensions = current_app.extensions
    if EXTENSION not in extensions:
        extensions[EXTENSION] = openapi_document(state().settings)
    return {**extensions[EXTENSION], "servers": [{"url": request.root_path or "/"}]}
