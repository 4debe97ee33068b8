"""The app keeps to its OpenAPI document: responses are as described, and invalid requests are rejected."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from schemathesis.config import SchemathesisConfig
from schemathesis.generation import GenerationMode
from schemathesis.schemas import BaseSchema

from gallery.settings import Settings
from tests.fakes.web import app_with

OPERATIONS = [
    ("GET", "/api/v1/search"),
    ("POST", "/api/v1/search"),
    ("GET", "/api/v1/works"),
    ("GET", "/api/v1/works/{id}"),
    ("GET", "/api/v1/works/{id}/similar"),
    ("GET", "/api/v1/artists"),
    ("GET", "/api/v1/artists/{slug}"),
    ("GET", "/api/v1/facets"),
    ("GET", "/api/v1/builds"),
    ("GET", "/api/v1/builds/live"),
]
PATH = "/api/v1/openapi.json"
EXAMPLES = 25
"""The most valid requests to each operation, and the most invalid ones."""
CONFIG = SchemathesisConfig.from_dict(
    {
        "generation": {"deterministic": True},
        "checks": {
            # A valid request may name an unknown work, token or cursor, or upload what is not an image.
            # A form with too many parts is too large before any field is looked at.
            "negative_data_rejection": {"expected-statuses": ["400", "404", "405", "410", "413", "415"]},
            "positive_data_acceptance": {"expected-statuses": ["2xx", "304", "404", "410", "413", "415"]},
        },
    }
)


@pytest.fixture
def app(settings_with: Callable[..., Settings]) -> Flask:
    return app_with(settings_with(max_results=50, max_query=100))


@pytest.fixture
def described(app: Flask) -> BaseSchema:
    inner = app.wsgi_app

    def uncompressed(environ: Any, start: Any) -> Any:
        # schemathesis asks for compressed responses, and cannot read them.
        return inner({**environ, "HTTP_ACCEPT_ENCODING": "identity"}, start)

    app.wsgi_app = uncompressed  # type: ignore[method-assign]
    return schemathesis.openapi.from_wsgi(PATH, app, config=CONFIG)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "path", "mode"),
    [
        pytest.param(method, path, mode, id=f"{mode}: {method} {path}")
        for mode in GenerationMode
        for method, path in OPERATIONS
        if mode.is_positive or "builds" not in path  # without parameters, no request is invalid
    ],
)
def test_answers_match_the_document(
    described: BaseSchema, method: str, path: str, mode: GenerationMode
) -> None:
    operation = described[path][method]
    statuses = set()

    @examples(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def answered(case: schemathesis.Case) -> None:
        if mode.is_positive:
            _correct(case)
        elif "/anyOf/" in repr(case.meta.phase.data if case.meta else ""):
            return  # breaks one of several alternatives, and may fit another
        statuses.add(case.call_and_validate().status_code)

    answered()
    assert statuses, "no request was made"


def _correct(case: schemathesis.Case) -> None:
    """Correct what no schema can state: cursors of other requests, reversed years, excluding the query."""
    body = case.body if isinstance(case.body, dict) else {}
    filters = body.get("filters") if isinstance(body.get("filters"), dict) else {}
    for asked in (case.query or {}, body, filters or {}):
        asked.pop("cursor", None)
        if {"active_from", "active_to"} <= set(asked) and None not in (
            asked["active_from"],
            asked["active_to"],
        ):
            asked["active_from"], asked["active_to"] = sorted(
                (asked["active_from"], asked["active_to"]), key=int
            )
    for wanted, avoided in (("q", "exclude"),):
        for asked in (case.query or {}, body):
            if asked.get(wanted) and asked.get(wanted) == asked.get(avoided):
                asked[avoided] = asked[avoided][:50] + " x"


def test_the_document_has_the_limits_of_this_server(app: Flask) -> None:
    answer: dict[str, Any] = app.test_client().get(PATH).json  # type: ignore[assignment]
    assert answer["openapi"] == "3.1.0"
    parameters = {
        one["name"]: one["schema"] for one in answer["paths"]["/api/v1/search"]["get"]["parameters"]
    }
    assert (parameters["limit"]["maximum"], parameters["q"]["maxLength"]) == (50, 100)
    assert (
        answer["components"]["schemas"]["SearchBody"]["properties"]["per_artist"]["anyOf"][0]["maximum"] == 50
    )


def test_the_document_has_every_route(app: Flask) -> None:
    answer: dict[str, Any] = app.test_client().get(PATH).json  # type: ignore[assignment]
    routes = {
        (method, rule.rule.replace("<", "{").replace(">", "}"))
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/v1/") and rule.rule != PATH
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    described = {(method.upper(), path) for path, methods in answer["paths"].items() for method in methods}
    assert routes == described == set(OPERATIONS)


def test_the_server_url_is_the_mount_path(app: Flask) -> None:
    answer = app.test_client().get(PATH, environ_overrides={"SCRIPT_NAME": "/art"}).json
    assert answer is not None and answer["servers"] == [{"url": "/art"}]
