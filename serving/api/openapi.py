"""The OpenAPI 3.1 document: operations from `serving.api.routing`, schemas from pydantic.

docs/decisions/011-openapi.md explains why no Flask library is used.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any, Literal, cast

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from gallery.settings import Settings
from serving.api.request_models import (
    MAX_QUERY_BOUND,
    MAX_RESULTS_BOUND,
    RequestModel,
    SearchForm,
    UploadForm,
)
from serving.api.response_models import Problem
from serving.api.routing import OPERATIONS, Operation, blueprint
from serving.errors import PROBLEM

REF_TEMPLATE = "#/components/schemas/{model}"
COMMON_PROBLEMS = (429, 500)
"""Error statuses of all operations."""
TEXT: dict[str, Any] = {"type": "string"}
PATH_VALUE = {"type": "string", "minLength": 1, "maxLength": 200}
DESCRIPTION = """\
Search a collection of paintings by text, images and works, and read its catalogue. No key needed.

Every response names the build of the collection that it comes from. To get the next page of a list, pass
`next_cursor` as `cursor`. A cursor is valid for the same parameters and the same build; after a new build is
published it returns 410. Start again without it. GET responses have an `ETag`; with `If-None-Match`,
unchanged responses return 304. Errors are `application/problem+json` (RFC 9457).
"""
PROBLEMS = {
    400: "Invalid request; `errors` lists the invalid fields.",
    404: "No such work or artist in the current build.",
    410: "The cursor or image token is from an earlier build, or the token has expired.",
    413: "The body or an image is too large.",
    415: "Unsupported Content-Type, or a file that is not a supported image.",
    429: "Too many requests; try again after the seconds in `Retry-After`.",
    500: "Internal server error.",
    503: "No collection yet, or the search is unavailable; try again after the seconds in `Retry-After`.",
}


def openapi_document(settings: Settings) -> dict[str, Any]:
    """Return the document with the limits of these settings, without `servers`."""
    info = {"title": "Likeness", "version": version("artwork-gallery"), "description": DESCRIPTION}
    paths: dict[str, dict[str, Any]] = {}
    for operation in sorted(OPERATIONS, key=lambda operation: operation.path):
        path = f"{blueprint.url_prefix}{operation.path}".replace("<", "{").replace(">", "}")
        paths.setdefault(path, {})[operation.method.lower()] = _operation(path, operation)
    problems = {
        f"Problem{status}": {
            "description": description,
            "content": {PROBLEM: {"schema": _reference(Problem)}},
            "headers": {"Retry-After": {"schema": TEXT}} if "Retry-After" in description else {},
        }
        for status, description in PROBLEMS.items()
    }
    document = {
        "openapi": "3.1.0",
        "info": {**info, "license": {"name": "Apache 2.0", "identifier": "Apache-2.0"}},
        "tags": [{"name": tag} for tag in dict.fromkeys(operation.tag for operation in OPERATIONS)],
        "paths": paths,
        "components": {"schemas": _schemas(), "responses": problems},
    }
    limits = {("maximum", MAX_RESULTS_BOUND): settings.max_results}
    limits |= {("maxLength", MAX_QUERY_BOUND): settings.max_query}
    return cast(dict[str, Any], _with_limits(document, limits))


def _operation(path: str, operation: Operation) -> dict[str, Any]:
    summary, _, description = inspect.cleandoc(operation.view.__doc__ or "").partition("\n")
    names = re.findall(r"{(\w+)}", path)
    in_path = [{"name": name, "in": "path", "required": True, "schema": PATH_VALUE} for name in names]
    bodies = {kind: {"schema": _reference(model)} for kind, model in operation.bodies.items()}
    headers: dict[str, Any] = {}
    responses: dict[str, Any] = {
        "200": {
            "description": "Success.",
            "headers": headers,
            "content": {"application/json": {"schema": _reference(operation.answer)}},
        }
    }
    if operation.method == "GET":
        headers["ETag"] = {"description": "Identifies this response.", "schema": TEXT}
        responses["304"] = {"description": "Unchanged since the response with the ETag in If-None-Match."}
    if "cursor" in operation.parameters.model_fields:
        headers["Link"] = {"description": 'The next page, with `rel="next"`.', "schema": TEXT}
    for status in sorted({*operation.problems, *COMMON_PROBLEMS}):
        responses[str(status)] = {"$ref": f"#/components/responses/Problem{status}"}
    described: dict[str, Any] = {
        "operationId": operation.view.__name__,
        "tags": [operation.tag],
        "summary": summary.rstrip("."),
        "parameters": [*in_path, *_parameters(operation.parameters)],
        "responses": responses,
    }
    described |= {"description": description.strip()} if description else {}
    return described | ({"requestBody": {"required": True, "content": bodies}} if bodies else {})


def _parameters(model: type[RequestModel]) -> Iterator[dict[str, Any]]:
    schema = model.model_json_schema(ref_template=REF_TEMPLATE)
    for name, field in schema.get("properties", {}).items():
        field = _without_null(field)
        field.pop("title", None)
        description = field.pop("description", "")
        required = name in schema.get("required", ())
        yield {"name": name, "in": "query", "required": required, "description": description, "schema": field}


def _schemas() -> dict[str, Any]:
    models: dict[type[BaseModel], Literal["validation", "serialization"]] = {Problem: "serialization"}
    for operation in OPERATIONS:
        models |= dict.fromkeys(operation.bodies.values(), "validation")
        models[operation.answer] = "serialization"
    _, schema = models_json_schema(list(models.items()), ref_template=REF_TEMPLATE)
    schemas: dict[str, Any] = schema["$defs"]
    for form in (SearchForm, UploadForm):
        fields = schemas[form.__name__]["properties"]
        schemas[form.__name__]["properties"] = {name: _without_null(field) for name, field in fields.items()}
    return schemas


def _without_null(field: dict[str, Any]) -> dict[str, Any]:
    """Return the schema without null and default, for parameters and form fields, which are text."""
    kept = {key: value for key, value in field.items() if key not in ("anyOf", "default")}
    return kept | next((kind for kind in field.get("anyOf", ()) if kind != {"type": "null"}), {})


def _with_limits(node: Any, limits: dict[tuple[str, int], int]) -> Any:
    """Return the node with the upper bounds of settings replaced by the values of this server."""
    if isinstance(node, list):
        return [_with_limits(item, limits) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: limits.get((key, value), value) if isinstance(value, int) else _with_limits(value, limits)
        for key, value in node.items()
    }


def _reference(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": REF_TEMPLATE.format(model=model.__name__)}
