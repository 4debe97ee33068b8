"""Searches in addresses.

    parse(values, settings, image_of)  the SearchQuery in a request's parameters; raises InvalidQuery
    parse_valid(values, settings)      the SearchQuery in the valid parameters, and the invalid parameters
    read_image(token)                  the image of a token, for `parse`
    params(query, settings)            the parameters of a query; the inverse of `parse`
    href(query)                        the address of the query's results; `map_href` is that of the map
    only(query, field, value)          the query for the works with one filter value
    rejected(error)                    the error page's version of an InvalidQuery

Pages and API have the same parameters: `q`, `exclude`, `image` (a token), `like` and `unlike` (ids of works),
each with weights in `<name>_weight`; the filters `artist`, `style`, `nationality`, `exclude_artist`,
`active_from`, `active_to`; `per_artist`, `limit`, `offset`. Repeated parameters are lists.
`gallery.search.query.checked` enforces the limits.
"""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Callable
from typing import Literal, get_args

from flask import url_for
from flask_babel import gettext
from werkzeug.datastructures import MultiDict

from gallery.errors import GalleryError
from gallery.search.query import (
    KINDS,
    MAX_IMAGES,
    ImageTerm,
    InvalidQuery,
    Kind,
    SearchQuery,
    Term,
    TextTerm,
    WorkTerm,
    bad_count,
    bad_offset,
    bad_weight,
    bad_year,
    checked,
    clean_text,
    parameter,
)
from gallery.settings import Settings
from gallery.vectors.filters import Filter
from serving.context import live_collection, state
from serving.errors import FieldError, Rejected
from serving.i18n import number

ListField = Literal["artist", "style", "nationality", "exclude_artist"]
LIST_FIELDS: tuple[ListField, ...] = get_args(ListField)
ATTRIBUTES: dict[ListField, str] = {
    "artist": "artists",
    "style": "styles",
    "nationality": "nationalities",
    "exclude_artist": "exclude_artists",
}
"""Parameter -> attribute of Filter."""
MAX_TOKEN_CHARS = 4_000
"""Maximum length of an image's token; tokens have about 2,000 characters."""
MAX_ADDRESS_CHARS = 8_000
"""Maximum length of an address; the server accepts 8,190 with method and protocol."""

ImageReader = Callable[[str], ImageTerm]
"""Returns the image of a token. Raises Rejected."""


def parse(
    values: MultiDict[str, str], settings: Settings, image_of: ImageReader | None = None
) -> SearchQuery:
    """Return the checked query in a request's parameters. Unknown parameters are ignored.

    `image_of` reads image tokens, usually `read_image`; None leaves images out. The form's buttons remove a
    term with the parameter `drop`, such as "like:0". Raises InvalidQuery, and the errors of `image_of`.
    """
    terms = [term for kind in KINDS for term in _terms(values, kind, image_of)]
    where = Filter(
        **{ATTRIBUTES[field]: tuple(values.getlist(field)) for field in LIST_FIELDS},
        active_from=_year(values, "active_from"),
        active_to=_year(values, "active_to"),
    )
    query = SearchQuery(
        tuple(terms),
        where,
        _count(values, "per_artist", settings.max_results),
        _limit(values, settings),
        _offset(values),
    )
    return checked(query, settings)


def parse_valid(values: MultiDict[str, str], settings: Settings) -> tuple[SearchQuery, dict[str, str]]:
    """Return the query in the valid parameters, and the text of the invalid ones by name.

    Images whose tokens cannot be read are left out.
    """
    values, invalid = values.copy(), dict[str, str]()
    while True:
        try:
            return parse(values, settings, read_image), invalid
        except InvalidQuery as error:
            name = error.field
        except GalleryError:
            name = "image"
        texts = values.poplist(name)
        if not texts:  # no parameter is at fault alone
            return SearchQuery(limit=settings.default_results), invalid
        invalid[name] = texts[0]


def params(query: SearchQuery, settings: Settings) -> dict[str, list[str]]:
    """Return the parameters of the query, without defaults. `parse` returns the same query for them."""
    found: dict[str, list[str]] = {}
    for kind in KINDS:
        terms, name = query.of(kind), parameter(kind)
        weights = [f"{abs(term.weight):g}" for term in terms]
        while weights and weights[-1] == "1":
            weights.pop()
        found |= {name: [value_of(term) for term in terms], f"{name}_weight": weights}
    found |= {field: list(getattr(query.where, ATTRIBUTES[field])) for field in LIST_FIELDS}
    single = {
        "active_from": query.where.active_from,
        "active_to": query.where.active_to,
        "per_artist": query.per_artist,
        "limit": None if query.limit == settings.default_results else query.limit,
        "offset": query.offset or None,
    }
    found |= {name: [str(value)] for name, value in single.items() if value is not None}
    return {name: values for name, values in found.items() if values}


def href(query: SearchQuery) -> str:
    """Return the address of the query's results."""
    return _address("search.page", query)


def map_href(query: SearchQuery, page: int = 1) -> str:
    """Return the address of the map with the results highlighted, at a page of its list, from 1."""
    extra = {"page": str(page)} if page > 1 else {}
    return _address("map.page", query, **extra, _anchor="list")


def checked_href(query: SearchQuery) -> str:
    """Return the query's address. Raises InvalidQuery if it is longer than MAX_ADDRESS_CHARS."""
    address = href(query)
    if len(address) > MAX_ADDRESS_CHARS:
        raise InvalidQuery("", "This search is too long for a link. Use fewer images, or fewer words.")
    return address


def read_image(token: str) -> ImageTerm:
    """Return the image of a token. Raises Rejected if it cannot be used, and Unavailable."""
    return state().tokens.read(token, live_collection().build.fingerprint)


def only(query: SearchQuery, field: ListField, value: str) -> SearchQuery:
    """Return the query for all works with this filter value, with the limit of `query`."""
    return SearchQuery(where=Filter(**{ATTRIBUTES[field]: (value,)}), limit=query.limit)  # type: ignore[arg-type]


def value_of(term: Term) -> str:
    """Return the parameter value of the term: its text, work id or token."""
    if isinstance(term, TextTerm):
        return term.text
    return term.id if isinstance(term, WorkTerm) else term.token


def rejected(error: InvalidQuery) -> Rejected:
    """Return the error with its message in the language of the response."""
    values = {
        name: value if isinstance(value, str) else number(value) for name, value in error.values.items()
    }
    message = gettext(error.template, **values)
    return Rejected(message, field_errors=(FieldError(error.field, message),))


def _address(endpoint: str, query: SearchQuery, **extra: str) -> str:
    values: dict[str, str | list[str]] = {**params(query, state().settings), **extra}
    return url_for(endpoint, **values)  # type: ignore[arg-type]


def _terms(values: MultiDict[str, str], kind: Kind, image_of: ImageReader | None) -> list[Term]:
    name = parameter(kind)
    texts = values.getlist(name)[: 1 if kind in ("text", "exclude") else None]
    weights = [_weight(text, f"{name}_weight") for text in values.getlist(f"{name}_weight")]
    weights += [1.0] * (len(texts) - len(weights))
    weighted = [
        pair
        for index, pair in enumerate(zip(texts, weights, strict=False))
        if index not in _dropped(values, name)
    ]
    if kind == "image":
        return _image_terms(weighted, image_of)
    sign = -1 if kind in ("exclude", "unlike") else 1
    make = TextTerm if kind in ("text", "exclude") else WorkTerm
    return [make(text, sign * weight) for text, weight in weighted]


def _image_terms(weighted: list[tuple[str, float]], image_of: ImageReader | None) -> list[Term]:
    if image_of is None:
        return []
    tokens: dict[str, float] = {}
    for text, weight in weighted:
        if len(text) > MAX_TOKEN_CHARS:
            raise InvalidQuery("image", "This link is too long. Other text may have been pasted into it.")
        if token := clean_text(text, "image"):
            tokens.setdefault(token, weight)
    # One too many is enough for `checked` to reject them.
    return [
        dataclasses.replace(image_of(token), weight=weight)
        for token, weight in itertools.islice(tokens.items(), MAX_IMAGES + 1)
    ]


def _dropped(values: MultiDict[str, str], name: str) -> set[int]:
    """Return the indexes of the terms of that name that `drop` removes."""
    pairs = [drop.partition(":")[::2] for drop in values.getlist("drop")]
    return {int(index) for dropped, index in pairs if dropped == name and re.fullmatch(r"[0-9]{1,3}", index)}


def _weight(text: str, name: str) -> float:
    if not text.strip():
        return 1.0
    if re.fullmatch(r"\s*[0-9]{1,3}(\.[0-9]{1,6})?\s*", text):
        return float(text)  # `checked` enforces the bounds
    raise bad_weight(name)


def _count(values: MultiDict[str, str], name: str, most: int) -> int | None:
    text = values.get(name, "")
    if not text:
        return None
    if re.fullmatch(r"[0-9]{1,9}", text):
        return int(text)
    raise bad_count(name, most)


def _limit(values: MultiDict[str, str], settings: Settings) -> int:
    if values.get("limit") == "":
        raise bad_count("limit", settings.max_results)
    limit = _count(values, "limit", settings.max_results)
    return settings.default_results if limit is None else limit


def _offset(values: MultiDict[str, str]) -> int:
    text = values.get("offset", "0")
    if re.fullmatch(r"[0-9]{1,9}", text):
        return int(text)
    raise bad_offset()


def _year(values: MultiDict[str, str], name: str) -> int | None:
    text = values.get(name, "").strip()
    if not text:
        return None
    if re.fullmatch(r"[0-9]{1,4}", text):
        return int(text)
    raise bad_year(name)
