"""Routes of the API: each view is registered with the models of its parameters, bodies and answer."""

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
    """One method of one path: its models, and the error statuses it may answer with."""

    method: str
    path: str
    view: View
    tag: str
    answer: type[BaseModel]
    parameters: type[RequestModel]
    bodies: Mapping[str, type[RequestModel]]
    problems: tuple[int, ...]


OPERATIONS: list[Operation] = []
"""Every operation, in the order of registration."""


def operation(
    method: str,
    path: str,
    tag: str,
    answer: type[BaseModel],
    parameters: type[RequestModel] = NoParams,
    *problems: int,
    bodies: Mapping[str, type[RequestModel]] = MappingProxyType({}),
) -> Callable[[View], View]:
    """Register a view, which is called with its query parameters, validated. It reads a body itself, by its type."""

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
