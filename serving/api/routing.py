"""Routing: each view is registered with the models of its parameters, bodies and response."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from flask import Blueprint, Response, request
from pydantic import BaseModel

from serving.api.request_models import NoParams, RequestModel
from serving.api.validation import read_values

PREFIX = "/api/"
VERSION = "v1"

View = Callable[..., Response]

blueprint = Blueprint("api", __name__, url_prefix=f"{PREFIX}{VERSION}")


@dataclass(frozen=True)
class Operation:
    """A method and path, with its models and possible error statuses."""

    method: str
    path: str
    view: View
    tag: str
    answer: type[BaseModel]
    parameters: type[RequestModel]
    bodies: Mapping[str, type[RequestModel]]
    problems: tuple[int, ...]


OPERATIONS: list[Operation] = []
"""All operations, in the order of registration."""


def operation(
    method: str,
    path: str,
    tag: str,
    answer: type[BaseModel],
    parameters: type[RequestModel] = NoParams,
    *problems: int,
    bodies: Mapping[str, type[RequestModel]] = MappingProxyType({}),
) -> Callable[[View], View]:
    """Register a view. It receives the validated query parameters, and reads the body itself."""

    def register(view: View) -> View:
        @functools.wraps(view)
        def validated(**names: str) -> Response:
            return view(read_values(parameters, request.args), **names)

        OPERATIONS.append(
            Operation(method, path, validated, tag, answer, parameters, bodies, (400, *problems))
        )
        blueprint.add_url_rule(path, view.__name__, validated, methods=[method])
        return validated

    return register
