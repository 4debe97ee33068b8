"""The OpenAPI document as JSON, and as a page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, current_app, request

from gallery.search.query import SearchQuery
from serving.api.openapi import document
from serving.api.routing import PREFIX, VERSION
from serving.context import state
from serving.view_models import Page, layout, render

blueprint = Blueprint("reference", __name__)

EXTENSION = "gallery-openapi"


@dataclass(frozen=True)
class ReferencePage(Page):
    """The API: each operation with what it takes and gives."""

    template = "api.html"
    base: str
    sections: Mapping[str, tuple[OneOperation, ...]]
    problems: Mapping[str, Mapping[str, Any]]
    schemas: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class OneOperation:
    """One method of one path, as the document has it."""

    method: str
    path: str
    described: Mapping[str, Any]


@blueprint.get(f"{PREFIX}{VERSION}/openapi.json")
def openapi() -> Response:
    """The document."""
    text = json.dumps(_document(), ensure_ascii=False)
    response = Response(text, mimetype="application/json")
    response.add_etag(weak=True)
    return response.make_conditional(request)  # type: ignore[return-value]


@blueprint.get(PREFIX.rstrip("/"))
@blueprint.get(PREFIX, alias=True)
def page() -> str:
    """The document to be read by people."""
    told = _document()
    sections: dict[str, tuple[OneOperation, ...]] = {}
    for path, methods in told["paths"].items():
        for method, described in methods.items():
            tag = described["tags"][0]
            sections[tag] = (*sections.get(tag, ()), OneOperation(method.upper(), path, described))
    components = told["components"]
    base = request.root_url.rstrip("/")
    return render(
        ReferencePage(
            layout(SearchQuery(limit=state().settings.default_results)),
            base,
            sections,
            components["responses"],
            components["schemas"],
        )
    )


def _document() -> dict[str, Any]:
    """The document, made once; where the app is mounted is known by request only."""
    kept = current_app.extensions
    if EXTENSION not in kept:
        kept[EXTENSION] = document(current_app, state().settings)
    return {**kept[EXTENSION], "servers": [{"url": request.root_path or "/"}]}
