"""Read JSON that was stored earlier. Checking its shape finds damage here, not where it is used."""

from __future__ import annotations

from collections.abc import Hashable
from functools import cache
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

Kind = TypeVar("Kind")


_adapter = cache(TypeAdapter)


def parse_json(kind: type[Kind], data: str | bytes) -> Kind:
    """Return the JSON as an instance of the type. Raises ValueError, naming the field that does not fit."""
    try:
        found: Kind = _adapter(cast(Hashable, kind)).validate_json(data, strict=True)
    except ValidationError as error:
        raise _short(error) from error
    return found


def check_fields(kind: type[Kind], fields: Any) -> Kind:
    """Return a dataclass with these fields, which may be lists in place of tuples. Raises ValueError."""
    try:
        found: Kind = _adapter(cast(Hashable, kind)).validate_python(fields)
    except ValidationError as error:
        raise _short(error) from error
    return found


def _short(error: ValidationError) -> ValueError:
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(map(str, first["loc"]))
    return ValueError(f"{where}: {first['msg']}" if where else first["msg"])
