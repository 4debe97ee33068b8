"""A query and its address say the same, both ways; and a sentence says it for people."""

from __future__ import annotations

import unicodedata
from typing import Any

import numpy as np
import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from gallery.search.query import ImageTerm
from gallery.settings import Settings
from gallery.vectors.filters import Filter
from serving.errors import Rejected
from serving.query import KINDS, MOST, Asked, Kind, Query
from serving.sentence import said
from serving.tokens import Tokens, Upload

SETTINGS = Settings(encoder="fake")
LETTERS = st.characters(exclude_categories=("Cc", "Cs", "Zs", "Zl", "Zp"))
WORDS = (
    st.lists(st.text(LETTERS, min_size=1, max_size=8), min_size=1, max_size=4)
    .map(" ".join)
    .filter(lambda text: unicodedata.is_normalized("NFC", text) and " ".join(text.split()) == text)
)
NAMES = st.text("abcdefghij0123456789-_.é", min_size=1, max_size=20)
WEIGHTS = st.integers(5, 1_000).map(lambda hundredths: hundredths / 100)
YEARS = st.one_of(st.none(), st.integers(0, 9_999))


def parts_of(kind: Kind) -> st.SearchStrategy[list[Asked]]:
    values = WORDS if kind in ("q", "not") else NAMES
    part = st.builds(Asked, st.just(kind), values, WEIGHTS | st.just(1.0))
    return st.lists(part, max_size=MOST[kind], unique_by=lambda asked: asked.value)


@st.composite
def queries(draw: st.DrawFn) -> Query:
    found = {kind: draw(parts_of(kind)) for kind in KINDS}
    less = {part.value for part in found["less"]}
    found["like"] = [part for part in found["like"] if part.value not in less]
    lists = st.lists(WORDS.filter(lambda text: len(text) <= 200), max_size=3, unique=True).map(tuple)
    active_from, active_to = draw(YEARS), draw(YEARS)
    if active_from is not None and active_to is not None and active_from > active_to:
        active_from, active_to = active_to, active_from
    where = Filter(draw(lists), draw(lists), draw(lists), draw(lists), active_from, active_to)
    k = draw(st.one_of(st.none(), st.integers(1, 100).filter(lambda k: k != SETTINGS.default_results)))
    each = draw(st.one_of(st.none(), st.integers(1, 100)))
    parts = tuple(part for kind in KINDS for part in found[kind])
    return Query(parts, where, k, each, draw(st.integers(0, 1_000)))


def parsed(params: Any) -> Query:
    pairs = {name: value if isinstance(value, list | tuple) else [value] for name, value in params.items()}
    texts = MultiDict([(name, str(value)) for name, values in pairs.items() for value in values])
    return Query.parse(texts, SETTINGS)


@given(queries())
@settings(max_examples=300, deadline=None)
def test_what_is_written_is_read_back(query: Query) -> None:
    assert parsed(query.params) == query


@pytest.fixture(scope="module")
def routes() -> Flask:
    app = Flask(__name__)
    app.add_url_rule("/", "search.page", lambda: "")
    return app


def test_an_address_is_read_back_too(routes: Flask) -> None:
    @given(queries())
    @settings(max_examples=150, deadline=None)
    def holds(query: Query) -> None:
        with routes.test_request_context():
            href = query.href
        with routes.test_request_context(href) as context:
            assert Query.parse(context.request.args, SETTINGS) == query

    holds()


@given(
    st.dictionaries(
        st.sampled_from([*KINDS, "qw", "likew", "drop", "k", "each", "start", "from", "notby"]),
        st.lists(st.text(max_size=12), max_size=4),
    )
)
@settings(max_examples=300, deadline=None)
def test_anything_is_read_or_rejected_and_reading_settles_it(params: dict[str, list[str]]) -> None:
    try:
        query = parsed(params)
    except Rejected:
        return
    assert parsed(query.params) == query


def test_weights_belong_to_the_parts_in_order() -> None:
    query = parsed({"like": ["a", "b", "c"], "likew": ["", "2"], "qw": "3"})
    assert query.parts == (Asked("like", "a"), Asked("like", "b", 2.0), Asked("like", "c"))
    assert query.params == {"like": ["a", "b", "c"], "likew": ["1", "2"]}


def test_a_dropped_part_takes_its_weight_along() -> None:
    query = parsed({"like": ["a", "b", "c"], "likew": ["1", "2", "3"], "drop": "like:1"})
    assert query.parts == (Asked("like", "a"), Asked("like", "c", 3.0))


def test_less_like_a_work_goes_before_more() -> None:
    assert parsed({"like": ["a", "b"], "less": "a"}).parts == (Asked("like", "b"), Asked("less", "a"))


def test_a_changed_query_starts_at_its_first_hit() -> None:
    query = parsed({"q": "sea", "start": "48", "genre": "Cubism"})
    assert query.start == 48
    changed = [query.only("genre", "x"), query.with_part("like", "a"), query.chips({})[0].removed]
    assert [other.start for other in changed] == [0, 0, 0]
    assert query.without_pictures().params == {"q": ["sea"], "genre": ("Cubism",)}


ARTISTS = {"monet": "Claude Monet", "bo": "Bo Blue"}
WORKS = {"1": "Claude Monet", "2": "Claude Monet", "3": "Bo Blue"}


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({}, ""),
        ({"q": "a stormy sea"}, "“a stormy sea”"),
        ({"q": "sea", "qw": "2", "not": "boats"}, "“sea” (weight 2), not “boats”"),
        ({"pic": "t", "less": "1"}, "like your picture, less like a work by Claude Monet"),
        ({"pic": ["t", "u"]}, "like your 2 pictures"),
        ({"like": ["1", "3", "2"]}, "like 2 works by Claude Monet and a work by Bo Blue"),
        ({"like": "gone"}, "like a work"),
        ({"nationality": "French", "from": "1860", "to": "1900"}, "by French painters, by painters alive 1860–1900"),
        ({"artist": ["monet", "bo"], "genre": "Cubism"}, "by Claude Monet or Bo Blue, of Cubism"),
        ({"q": "x", "notby": "bo", "each": "2"}, "“x”, not by Bo Blue, at most 2 by each painter"),
        ({"from": "1900"}, "by painters alive in 1900 or later"),
        ({"to": "1900"}, "by painters alive in 1900 or before"),
    ],
)  # fmt: skip
def test_a_query_is_said_in_a_sentence(params: dict[str, Any], sentence: str) -> None:
    assert said(parsed(params), ARTISTS, WORKS) == sentence


@given(queries())
@settings(max_examples=100, deadline=None)
def test_every_query_can_be_said(query: Query) -> None:
    assert bool(said(query, {}, {})) == bool(query.parts or query.where)


@pytest.mark.parametrize("dim", [48, 512, 768])
def test_a_token_is_short_and_its_vector_nearly_the_same(dim: int) -> None:
    vector = np.random.default_rng(dim).normal(size=dim).astype(np.float32)
    vector[0] = 8.0  # CLIP has such floats
    vector /= np.linalg.norm(vector)
    token = Tokens("key").write(Upload(ImageTerm(vector, "f"), b"\x00" * 800, 90, 60))
    read = Tokens("key").read(token, "f")
    assert len(token) < 2_300
    assert float(read.part.vector @ vector) > 0.999
    assert np.linalg.norm(read.part.vector) == pytest.approx(1, abs=1e-6)
    assert (read.copy, read.width, read.height) == (b"\x00" * 800, 90, 60)


def test_a_token_does_not_outlive_its_encoder() -> None:
    tokens = Tokens("key")
    token = tokens.write(Upload(ImageTerm(np.eye(8, dtype=np.float32)[0], "f"), b"", 1, 1))
    with pytest.raises(Rejected, match="collection has changed"):
        tokens.read(token, "another")
