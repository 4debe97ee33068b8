"""What every operation of the API shares: its place, its description, and the check of what it is asked."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from flask import Blueprint, Response, request
from pydantic import BaseModel

from serving.api.request_models import NoParams, RequestModel
from serving.api.validation import read_values

PREFIX = "/api/"
VERSION = "v1"
DESCRIBED = "__operation__"
"""The attribute of a view that says what it does."""

blueprint = Blueprint("api", __name__, url_prefix=f"{PREFIX}{VERSION}")

A = TypeVar("A", bound=RequestModel)


@dataclass(frozen=True)
class Operation:
    """One method of one path: what it takes and gives, as models, and the problems that it may end in."""

    tag: str
    answer: type[BaseModel]
    parameters: type[RequestModel] = NoParams
    bodies: Mapping[str, type[RequestModel]] = field(default_factory=dict)
    problems: tuple[int, ...] = ()
    cached: bool = True


def get(
    path: str, tag: str, answer: type[BaseModel], parameters: type[A], *problems: int
) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
    """A view of the API at that path, called with its parameters checked."""
    described = Operation(tag, answer, parameters, problems=(400, *problems))
    return lambda view: _routed(view, path, "GET", described)


def post(
    path: str, tag: str, answer: type[BaseModel], bodies: Mapping[str, type[RequestModel]], *problems: int
) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
    """A view of the API at that path, which reads the body itself."""
    described = Operation(tag, answer, bodies=bodies, problems=(400, 413, 415, *problems), cached=False)
    return lambda view: _routed(view, path, "POST", described)


def operation_of(view: Callable[..., Any]) -> Operation:
    """What the view says of itself."""
    return cast(Operation, getattr(view, DESCRIBED))


def _routed(
    view: Callable[..., Response], path: str, method: str, described: Operation
) -> Callable[..., Response]:
    @functools.wraps(view)
    def checked(**names: str) -> Response:
        return view(read_values(described.parameters, request.args), **names)

    setattr(checked, DESCRIBED, described)
    blueprint.add_url_rule(path, view.__name__, checked, methods=[method])
    return checked
