"""Requests read as the models of `serving.api.request_models`, with every mistake in them named."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any, TypeVar, get_origin

from pydantic import ValidationError
from werkzeug.datastructures import MultiDict

from serving.api.request_models import RequestModel
from serving.errors import FieldError, Rejected

NAMED = 20
"""Mistakes named in one answer, at most."""
SENTENCES = {
    "string_pattern_mismatch": "This must be of the form that the documentation gives: text must not be blank, nor hold control characters",
    "extra_forbidden": "There is no such field",
    "missing": "This is needed",
}
"""Kinds of mistakes that pydantic says with a pattern, or says drily."""

A = TypeVar("A", bound=RequestModel)


def read_values(model: type[A], values: MultiDict[str, str]) -> A:
    """The model from the parameters of an address, or the fields of a form. Raises Rejected naming all mistakes."""
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    given: dict[str, Any] = {}
    mistakes = []
    for name, texts in values.lists():
        if name not in fields:
            mistakes.append(FieldError(_shown(name), _unknown(name, fields)))
        elif get_origin(fields[name].annotation) is list:
            given[name] = texts
        elif len(texts) > 1:
            mistakes.append(FieldError(name, "This can be given only once"))
        else:
            given[name] = texts[0]
    try:
        asked = model.model_validate(given)
    except ValidationError as error:
        raise _rejected([*mistakes, *_mistakes(error)]) from None
    if mistakes:
        raise _rejected(mistakes)
    return asked


def read_json(model: type[A], body: bytes) -> A:
    """The model from a body of JSON. Raises Rejected naming all mistakes."""
    try:
        return model.model_validate_json(body, strict=True)
    except ValidationError as error:
        raise _rejected(_mistakes(error)) from None


def _mistakes(error: ValidationError) -> list[FieldError]:
    found = error.errors(include_url=False, include_input=False, include_context=False)
    return [
        FieldError(_shown(".".join(map(str, mistake["loc"]))), SENTENCES.get(mistake["type"], mistake["msg"]))
        for mistake in found
    ]


def _rejected(mistakes: list[FieldError]) -> Rejected:
    first, more = mistakes[0], len(mistakes) - 1
    place = f"{first.at}: " if first.at else ""
    end = "" if first.message.endswith("?") else "."
    others = f" (And {more} more.)" if more else ""
    return Rejected(f"{place}{first.message}{end}{others}", field_errors=tuple(mistakes[:NAMED]))


def _unknown(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name[:100], list(known), n=1)
    return "There is no such parameter" + (f"; did you mean {near[0]}?" if near else "")


def _shown(text: str) -> str:
    """A name as the client gave it, within reason."""
    return "".join(character for character in text if character.isprintable())[:100]
