"""The OpenAPI 3.1 document: apispec puts it together from the operations' own descriptions, pydantic from the models."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version
from typing import Any, Literal

from apispec import APISpec
from flask import Flask
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from gallery.settings import Settings
from serving.api.request_models import FormFields, RequestModel, SearchForm
from serving.api.response_models import Problem
from serving.api.routing import Operation, blueprint, operation_of
from serving.errors import PROBLEM

REFERENCES = "#/components/schemas/{model}"
ALWAYS = (429, 500)
"""Problems that any operation may end in."""
NAME = {"type": "string", "minLength": 1, "maxLength": 200}
DESCRIPTION = """\
Search a collection of paintings by words, pictures and works, and read its catalogue. There is no key to ask for.

Every answer names the build it is of. Lists go on by `cursor`, which is good for one request and one build: a build
published in between is answered with 410, and the list begins again. Answers to GET carry an `ETag`; with
`If-None-Match` an unchanged one is a 304 that costs no search. Errors are `application/problem+json` (RFC 9457).
"""
PROBLEMS = {
    400: "The request is not as it should be; `errors` says where.",
    404: "There is no such work or artist in the live build.",
    410: "The cursor, or the token of a picture, is of a build or a time that has passed.",
    413: "The body, or the picture, is too large.",
    415: "The body is of another type, or a picture is none that can be read.",
    429: "Too many requests from one client; `Retry-After` says when to come back.",
    500: "A fault of the server.",
    503: "There is no collection yet, or the search cannot be had just now; `Retry-After` says when to come back.",
}
EXTRA: Mapping[int, tuple[str, ...]] = {429: ("Retry-After",), 503: ("Retry-After",)}


def document(app: Flask, settings: Settings) -> dict[str, Any]:
    """The document of the app's API, without the servers that it can be had from."""
    spec = APISpec(
        title="Likeness",
        version=version("artwork-gallery"),
        openapi_version="3.1.0",
        info={"description": DESCRIPTION, "license": {"name": "Apache 2.0", "identifier": "Apache-2.0"}},
    )
    described = sorted(_described(app), key=lambda item: item[0])
    schemas = _schemas([operation for _, _, _, operation in described], settings)
    for name, schema in schemas.items():
        spec.components.schema(name, schema)
    for status, description in PROBLEMS.items():
        content = {PROBLEM: {"schema": {"$ref": REFERENCES.format(model="Problem")}}}
        headers = {name: {"schema": {"type": "string"}} for name in EXTRA.get(status, ())}
        spec.components.response(
            _problem(status), {"description": description, "content": content, "headers": headers}
        )
    for path, method, view, operation in described:
        spec.path(path, operations={method: _operation(path, view, operation, settings)})
    for tag in dict.fromkeys(operation.tag for _, _, _, operation in described):
        spec.tag({"name": tag})
    written: dict[str, Any] = spec.to_dict()
    return written


def _described(app: Flask) -> Iterator[tuple[str, str, Callable[..., Any], Operation]]:
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith(f"{blueprint.name}."):
            view = app.view_functions[rule.endpoint]
            for method in (rule.methods or set()) & {"GET", "POST"}:
                yield re.sub(r"<(\w+)>", r"{\1}", rule.rule), method.lower(), view, operation_of(view)


def _operation(
    path: str, view: Callable[..., Any], operation: Operation, settings: Settings
) -> dict[str, Any]:
    summary, _, more = inspect.cleandoc(view.__doc__ or "").partition("\n")
    names = re.findall(r"{(\w+)}", path)
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": NAME} for name in names
    ]
    parameters += _parameters(operation.parameters, settings)
    headers: dict[str, Any] = {}
    if operation.cached:
        known = {"type": "string"}
        headers["ETag"] = {"description": "Names the answer.", "schema": known}
        if "cursor" in operation.parameters.model_fields:
            headers["Link"] = {"description": "Where the list goes on, as `next`.", "schema": known}
    responses: dict[str, Any] = {
        "200": {
            "description": "The answer.",
            "headers": headers,
            "content": {"application/json": {"schema": _reference(operation.answer)}},
        }
    }
    if operation.cached:
        responses["304"] = {"description": "The answer is the one that If-None-Match names."}
    responses |= {str(status): _problem(status) for status in sorted({*operation.problems, *ALWAYS})}
    written: dict[str, Any] = {
        "operationId": view.__name__,
        "tags": [operation.tag],
        "summary": summary.rstrip("."),
        "parameters": parameters,
        "responses": responses,
    }
    if more.strip():
        written["description"] = more.strip()
    if operation.bodies:
        bodies = {kind: {"schema": _reference(model)} for kind, model in operation.bodies.items()}
        written["requestBody"] = {"required": True, "content": bodies}
    return written


def _parameters(model: type[RequestModel], settings: Settings) -> Iterator[dict[str, Any]]:
    schema = _limited(model.model_json_schema(ref_template=REFERENCES), settings)
    for name, described in schema.get("properties", {}).items():
        described = {key: value for key, value in described.items() if key != "title"}
        described = _given(described)
        yield {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", ()),
            "description": described.pop("description", ""),
            "schema": described,
        }


def _given(described: dict[str, Any]) -> dict[str, Any]:
    """The schema of a field that is a text on the wire: there is no null, only what is not given."""
    kept = {key: value for key, value in described.items() if key not in ("anyOf", "default")}
    return kept | next((kind for kind in described.get("anyOf", ()) if kind != {"type": "null"}), {})


def _schemas(operations: list[Operation], settings: Settings) -> dict[str, Any]:
    models: dict[type[BaseModel], Literal["validation", "serialization"]] = {Problem: "serialization"}
    for operation in operations:
        models |= dict.fromkeys(operation.bodies.values(), "validation")
        models[operation.answer] = "serialization"
    _, schema = models_json_schema(list(models.items()), ref_template=REFERENCES)
    schemas = {name: _limited(body, settings) for name, body in schema["$defs"].items()}
    for form in (FormFields, SearchForm):
        fields = schemas[form.__name__]["properties"]
        schemas[form.__name__]["properties"] = {name: _given(field) for name, field in fields.items()}
    return schemas


def _limited(schema: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """The schema with the limits of this server where the models have the most that a setting can be."""
    limits: dict[str, tuple[str, int]] = {
        **dict.fromkeys(("limit", "per_artist"), ("maximum", settings.max_results)),
        **dict.fromkeys(("q", "exclude"), ("maxLength", settings.max_query)),
    }
    for name, (keyword, most) in limits.items():
        described = schema.get("properties", {}).get(name, {})
        for kind in (described, *described.get("anyOf", ())):
            if keyword in kind:
                kind[keyword] = min(most, kind[keyword])
    return schema


def _reference(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": REFERENCES.format(model=model.__name__)}


def _problem(status: int) -> str:
    return f"Problem{status}"
