"""Validation of requests with `serving.api.request_models`. Errors name each invalid field."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from itertools import islice
from typing import Any, TypeVar, get_origin

from pydantic import BaseModel, ValidationError
from werkzeug.datastructures import MultiDict

from gallery.text import printable
from serving.api.request_models import IMAGE_MODELS, RequestModel
from serving.errors import FieldError, Rejected
from serving.old_addresses import RENAMED

MAX_ERRORS = 20
"""Maximum number of errors in a response."""
MAX_FIELDS = 500
"""Maximum number of different fields of a form or an address."""
MAX_JSON_MARKS = 10_000
"""Maximum number of quotes, commas, colons and brackets in a JSON body. A search has a few hundred."""
MAX_JSON_BYTES = 100_000
"""Maximum size of a JSON body without its images."""
IMAGE_DATA = re.compile(rb'"data"\s*:\s*"')
MAX_NAME_CHARS = 100
"""Maximum length of a client's field name repeated in a response."""
FIELD_MESSAGES = {
    "cursor": "Invalid cursor; pass next_cursor unchanged.",
    "token": "Invalid token; pass the token of an earlier response unchanged.",
    "data": "Must be an image file in Base64, as `base64 FILE` prints it.",
}
"""Field with its own text format -> message for invalid text."""
MESSAGES = {
    "missing": "Required.",
    "string_pattern_mismatch": "Must not be blank or contain control characters.",
    "string_too_short": "Must not be empty.",
    "string_too_long": "Must have at most {max_length} characters.",
    "too_long": "Must have at most {max_length} items.",
    "greater_than_equal": "Must be at least {ge:g}.",
    "less_than_equal": "Must be at most {le:g}.",
    "string_type": "Must be text.",
    "list_type": "Must be a list.",
    "model_type": "Must be an object.",
    "json_invalid": "Must be valid JSON.",
    "union_tag_not_found": "Must have one of data, token and work.",
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "Must be a whole number."),
    **dict.fromkeys(("float_type", "float_parsing", "finite_number"), "Must be a number."),
}
"""Pydantic error type -> message. Placeholders are filled from the error's context."""

M = TypeVar("M", bound=RequestModel)


def read_values(model: type[M], values: MultiDict[str, str]) -> M:
    """Return the model of query parameters or form fields. Raises Rejected with all errors."""
    if len(values) > MAX_FIELDS:
        raise Rejected(f"Too many fields; a request has at most {MAX_FIELDS}.")
    fields, given, errors = model.model_fields, dict[str, Any](), []
    for name, texts in values.lists():
        is_list = name in fields and get_origin(fields[name].annotation) is list
        given[name] = texts if is_list else texts[0]
        if name in fields and not is_list and len(texts) > 1:
            errors.append(FieldError(name, "Must be given only once."))
    try:
        read = model.model_validate(given)
    except ValidationError as error:
        found = [*errors, *_field_errors(error, model)]
        raise _rejected(found, len(errors) + error.error_count()) from None
    if errors:
        raise _rejected(errors, len(errors))
    return read


def read_json(model: type[M], body: bytes) -> M:
    """Return the model of a JSON body. Raises Rejected with all errors.

    The size of the body's structure is limited before it is parsed, so the work on a bad request is small.
    """
    if sum(body.count(mark) for mark in b'",:[{') > MAX_JSON_MARKS:
        raise Rejected("The JSON body has too many values.")
    if len(body) > MAX_JSON_BYTES and len(body) - _image_bytes(body) > MAX_JSON_BYTES:
        raise Rejected(f"A JSON body has at most {MAX_JSON_BYTES} bytes without its images.", 413)
    try:
        return model.model_validate_json(body, strict=True)
    except ValidationError as error:
        raise _rejected(_field_errors(error, model), error.error_count()) from None


def _image_bytes(body: bytes) -> int:
    """Return the number of bytes in the `data` fields of the body."""
    starts = (match.end() for match in IMAGE_DATA.finditer(body))
    return sum(max(start, body.find(b'"', start)) - start for start in starts)


def _field_errors(error: ValidationError, model: type[BaseModel]) -> list[FieldError]:
    """Return the first MAX_ERRORS errors."""
    found = []
    for one in islice(error.errors(include_url=False, include_input=False), MAX_ERRORS):
        # Pydantic inserts the model of a union into the location, which is not a field of the request.
        path = [str(part) for part in one["loc"] if part not in IMAGE_MODELS]
        found.append(FieldError(printable(".".join(path))[:MAX_NAME_CHARS], _message(one, path, model)))
    return found


def _message(error: Mapping[str, Any], path: list[str], model: type[BaseModel]) -> str:
    kind, name = error["type"], path[-1] if path else ""
    if kind == "extra_forbidden":
        if name in RENAMED:
            return f"Unknown field; it is now called {RENAMED[name]}."
        near = difflib.get_close_matches(name[:MAX_NAME_CHARS], _names(model, path[:-1]), n=1)
        return f"Unknown field; did you mean {near[0]}?" if near else "Unknown field."
    if name in FIELD_MESSAGES and kind.startswith("string_") and kind != "string_type":
        return FIELD_MESSAGES[name]
    return MESSAGES[kind].format(**error.get("ctx", {})) if kind in MESSAGES else str(error["msg"])


def _names(model: type[BaseModel], path: list[str]) -> list[str]:
    """Return the field names of the object at the path; empty inside a list."""
    for part in path:
        inner: Any = model.model_fields[part].annotation if part in model.model_fields else None
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            return []
        model = inner
    return list(model.model_fields)


def _rejected(errors: list[FieldError], total: int) -> Rejected:
    first = errors[0]
    field = f"{first.field}: " if first.field else ""
    count = f" (1 of {total} errors)" if total > 1 else ""
    return Rejected(f"{field}{first.message}{count}", field_errors=tuple(errors[:MAX_ERRORS]))
