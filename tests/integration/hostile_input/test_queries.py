"""Search parameters and bodies: none is a server error, and every filter value is escaped in every store."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import tracemalloc
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote_from_bytes, urlencode

import numpy as np
import pytest
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from gallery.errors import Invalid, NotFound
from gallery.search.query import (
    KINDS,
    ImageTerm,
    InvalidQuery,
    SearchQuery,
    TextTerm,
    checked,
    parameter,
)
from gallery.vectors.base import VECTORS, Collection
from gallery.vectors.filters import Filter
from gallery.vectors.memory import MemoryStore
from serving.api.request_models import SearchBody, SearchForm, SearchParameters
from serving.api.search import JSON
from serving.api.search import URLENCODED as FORM
from serving.api.validation import read_json, read_values
from serving.old_addresses import RENAMED
from serving.query import LIST_FIELDS, params, parse
from tests.contracts.vector_store import FINGERPRINT, artist, build, ids, random_rows, row, work
from tests.fakes.weaviate import FakeWeaviate
from tests.fakes.web import state_of

TERMS = [parameter(kind) for kind in KINDS]
NAMES = [
    *TERMS, *(f"{name}_weight" for name in TERMS), *LIST_FIELDS, "active_from", "active_to", "limit",
    "per_artist", "offset",
    "drop", "divided", "work", "page", "cursor", *RENAMED,
]  # fmt: skip
VALUES = st.one_of(
    st.text(max_size=30),
    st.integers().map(str),
    st.floats().map(str),
    st.sampled_from(
        [
            "",
            "0",
            "-1",
            "1e9",
            "٣",
            "like:0",
            "nan",
            "inf",
            "\0",
            "\ufeff",
            "\u202e",
            "a" * 9_000,
            "%00",
            "[]",
            "{}",
        ]
    ),
)
PARAMETERS = st.lists(st.tuples(st.sampled_from(NAMES), VALUES), max_size=12)


@given(parameters=PARAMETERS)
@settings(max_examples=300)
def test_a_query_is_rejected_or_survives_a_round_trip(
    client: FlaskClient, parameters: list[tuple[str, str]]
) -> None:
    chosen = state_of(client.application).settings

    def parsed(pairs: list[tuple[str, str]]) -> SearchQuery:
        vector = np.ones(1, dtype=np.float32)
        return parse(MultiDict(pairs), chosen, lambda token: ImageTerm(vector, "f", token=token))

    try:
        query = parsed(parameters)
    except InvalidQuery:
        return
    address = urlencode(params(query, chosen), doseq=True, errors="replace")
    assert params(parsed(parse_qsl(address, keep_blank_values=True)), chosen) == params(query, chosen)


UNSEEN = [
    character
    for character in map(chr, range(0x10000))
    if unicodedata.category(character) in ("Cc", "Cf", "Zs", "Zl", "Zp")
]


@pytest.mark.parametrize("field", ["q", "exclude", "style"])
def test_pages_api_and_command_line_accept_the_same_characters(client: FlaskClient, field: str) -> None:
    chosen = state_of(client.application).settings

    def accepts(read: Callable[[], object]) -> bool:
        try:
            read()
        except Invalid:
            return False
        return True

    def verdicts(text: str) -> list[bool]:
        asked = {"q": "sea", field: text}
        body = json.dumps({"q": "sea", "filters": {"style": [text]}} if field == "style" else asked)
        terms = (TextTerm(asked["q"]), TextTerm(asked.get("exclude", "people"), -1))
        where = Filter(styles=(text,) if field == "style" else ())
        return [
            accepts(lambda: parse(MultiDict(asked), chosen)),
            accepts(lambda: read_values(SearchParameters, MultiDict(asked)).query(chosen)),
            accepts(lambda: read_json(SearchBody, body.encode()).query(chosen)),
            accepts(lambda: checked(SearchQuery(terms, where), chosen)),  # the command line
        ]

    with client.application.test_request_context():
        found = {character: verdicts(f"a{character}b") for character in UNSEEN}
    assert {character: all(one) for character, one in found.items() if len(set(one)) > 1} == {}
    assert found["\v"][0] and not found["\0"][0]


def written(parameters: list[tuple[bytes, bytes]]) -> str:
    """The parameters as a query string."""
    return "&".join(f"{quote_from_bytes(name)}={quote_from_bytes(value)}" for name, value in parameters)


@given(
    parameters=st.lists(
        st.tuples(
            st.sampled_from(NAMES).map(str.encode),
            VALUES.map(lambda text: text.encode("utf-8", "replace")) | st.binary(max_size=20),
        ),
        max_size=8,
    ),
    path=st.sampled_from(
        [
            "/",
            "/api/v1/search",
            "/api/v1/works",
            "/api/v1/artists",
            "/api/v1/facets",
            "/map",
            "/artists/ada-amber",
        ]
    ),
)
@settings(max_examples=120)
def test_no_parameters_are_a_server_error(
    client: FlaskClient, parameters: list[tuple[bytes, bytes]], path: str
) -> None:
    assert client.get(f"{path}?{written(parameters)}").status_code < 500
    if path == "/":
        answer = client.post(path, data=written(parameters), content_type="application/x-www-form-urlencoded")
        assert answer.status_code < 500


@given(raw=st.binary(max_size=200), header=st.binary(max_size=40))
@settings(max_examples=80)
def test_no_bytes_are_a_server_error(client: FlaskClient, raw: bytes, header: bytes) -> None:
    text = header.translate(None, b"\r\n\0").decode("latin-1")
    environ = {
        "QUERY_STRING": raw.decode("latin-1"),
        **{
            f"HTTP_{name}": text
            for name in ("ACCEPT", "ACCEPT_LANGUAGE", "HX_TARGET", "IF_NONE_MATCH", "RANGE", "COOKIE")
        },
    }
    for path in ("/", "/api/v1/search"):
        assert client.get(path, environ_overrides=environ).status_code < 500


# -- stores

HOSTILE_NAMES = [
    "'", "''", '"', "\\", "\\'", "' OR '1'='1", "') OR 1=1 --", "'; DROP TABLE works; --",
    "x' UNION SELECT * FROM x --",
    '"}}) { _additional { id } } #', '{"operator":"Or"}', "${jndi:ldap://x}", "{{7*7}}", "%", "_", "*", "?",
    "Pop*", "P?p", "%op%",
    ".*", "[a-z]+", "(Pop|Realism)", "null", "NULL", "true", "\\u0027", "`", "$where", "a,b", "Pop Art",
    "pop", "POP", "Pöp", "🌊", "; --", "/*", "é' --",
]  # fmt: skip
"""Names of artists, styles and nationalities that have a meaning in some query language."""


@pytest.fixture(scope="module", params=["memory", "lance", "qdrant", "weaviate"])
def pair(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Collection, Collection]]:
    """Return a collection of works with hostile names in a store, and the same collection in memory."""
    expected = stocked(MemoryStore())
    folder: Path = tmp_path_factory.mktemp("store")
    with contextlib.ExitStack() as after:
        if request.param == "weaviate":
            address = after.enter_context(FakeWeaviate()).address
        else:
            address = (
                "memory://attacked" if request.param == "memory" else f"{request.param}://{folder}/vectors"
            )
        store: Any = VECTORS.open(address, api_key=None)
        if hasattr(store, "close"):
            after.callback(store.close)
        yield stocked(store), expected


def stocked(store: Any) -> Collection:
    """Store one work for each name, with different names as its artist, style and nationality."""
    names = [*HOSTILE_NAMES, "Pop", "Realism", "Art"]
    works = [
        work(
            f"w{place:03}",
            artist(f"slug {name}", styles=(name, "All"), nationalities=(names[place - 1],)),
            file=f"f/{place:03}.jpg",
        )
        for place, name in enumerate(names)
    ]
    collection: Collection = store.create(build())
    collection.upsert(works, random_rows(len(works)))
    return collection


def filters() -> list[Filter]:
    one = [Filter(**{field: (name,)}) for name in HOSTILE_NAMES for field in ("styles", "nationalities")]
    slugs = [Filter(artists=(f"slug {name}",)) for name in HOSTILE_NAMES] + [
        Filter(artists=(name,)) for name in HOSTILE_NAMES
    ]
    without = [Filter(styles=("All",), exclude_artists=(f"slug {name}", name)) for name in HOSTILE_NAMES]
    return [
        *one,
        *slugs,
        *without,
        Filter(styles=tuple(HOSTILE_NAMES[:20])),
        Filter(styles=tuple(HOSTILE_NAMES[20:]), nationalities=tuple(HOSTILE_NAMES[:20])),
    ]


def test_filters_match_the_same_works_as_in_memory(pair: tuple[Collection, Collection]) -> None:
    found, expected = pair
    different = [
        where
        for where in filters()
        if [each.id for each in found.works(where, 100)] != [each.id for each in expected.works(where, 100)]
        or found.count(where) != expected.count(where)
    ]
    assert different == []
    assert any(expected.count(where) == 1 for where in filters())


def test_filtered_searches_find_the_same_works_as_in_memory(pair: tuple[Collection, Collection]) -> None:
    found, expected = pair
    for where in filters()[::3]:
        hits, right = (
            each.search(row(1, 2), 50, fingerprint=FINGERPRINT, where=where) for each in (found, expected)
        )
        assert ids(hits) == ids(right), where


@pytest.mark.parametrize("words", HOSTILE_NAMES)
def test_hybrid_searches_find_the_same_works_as_in_memory(
    pair: tuple[Collection, Collection], words: str
) -> None:
    found, expected = pair
    hits, right = (
        each.search(row(1, 2), 60, fingerprint=FINGERPRINT, text=words) for each in (found, expected)
    )
    assert len(hits) == len(right) and set(ids(hits)) == set(ids(right))


@pytest.mark.parametrize("id", [*HOSTILE_NAMES, "", "w000' OR '1'='1", "../w000", "w000\0", "0" * 5_000])
def test_hostile_ids_are_not_found(pair: tuple[Collection, Collection], id: str) -> None:
    with pytest.raises((NotFound, Invalid)):
        pair[0].get(id)


def test_no_work_was_lost(pair: tuple[Collection, Collection]) -> None:
    assert pair[0].ids() == pair[1].ids() and dataclasses.asdict(pair[0].build)["name"] == "one"


BREADTH = 900_000
WIDE: dict[str, tuple[str, Callable[[], bytes]]] = {
    "names in JSON": (JSON, lambda: json.dumps({f"{number:x}": 0 for number in range(BREADTH)}).encode()),
    "values in JSON": (JSON, lambda: b'{"like": [' + b"{}," * BREADTH + b"{}]}"),
    "brackets in JSON": (JSON, lambda: b'{"like": ' + b"[" * BREADTH + b"]" * BREADTH + b"}"),
    "text in JSON": (JSON, lambda: b'{"q": "data", "x": "' + b"a" * BREADTH + b'"}'),
    "an image in JSON without an end": (JSON, lambda: b'{"images": [{"data": "' + b"a" * BREADTH),
    "fields of a form": (FORM, lambda: b"&".join(b"%x=" % number for number in range(BREADTH))),
    "as many fields as a form may hold": (FORM, lambda: b"&".join(b"%x=" % n for n in range(12_000))),
}


@pytest.mark.parametrize(("content_type", "make"), WIDE.values(), ids=WIDE.keys())
def test_a_wide_body_is_refused_before_it_is_validated(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, content_type: str, make: Callable[[], bytes]
) -> None:
    """Neither the time nor the memory for the mistakes in a body depends on their number."""
    body, validated = make(), []
    client.post("/api/v1/search", data=b"{}", content_type=JSON)  # imports what a request needs
    for model, method in ((SearchBody, "model_validate_json"), (SearchForm, "model_validate")):
        monkeypatch.setattr(model, method, lambda *given, **_: validated.append(given))
    tracemalloc.start()
    try:
        answer = client.post(
            "/api/v1/search",
            input_stream=io.BytesIO(body),
            content_length=len(body),
            content_type=content_type,
        )
        taken = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert answer.status_code in (400, 413) and not validated
    assert taken < 2 * len(body) + 5_000_000
