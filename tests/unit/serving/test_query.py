"""Queries and their addresses, both ways; limits; descriptions; tokens of images."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from gallery.search.query import (
    KINDS,
    MAX_IMAGES,
    MAX_WORKS,
    ImageTerm,
    InvalidQuery,
    Kind,
    Preview,
    SearchQuery,
    Term,
    TextTerm,
    WorkTerm,
    checked,
)
from gallery.settings import Settings
from gallery.vectors.filters import Filter
from serving import create_app
from serving.describe import active_filters, describe
from serving.errors import Rejected
from serving.query import href, only, params, parse
from serving.tokens import Tokens
from tests.fakes.collection import resolved, stocked

SETTINGS = Settings(encoder="fake")
VECTOR = np.eye(8, dtype=np.float32)[0]
LETTERS = st.characters(exclude_categories=("Cc", "Cs", "Zs", "Zl", "Zp"))
WORDS = (
    st.lists(st.text(LETTERS, min_size=1, max_size=8), min_size=1, max_size=4)
    .map(" ".join)
    .filter(lambda text: unicodedata.is_normalized("NFC", text) and " ".join(text.split()) == text)
)
NAMES = st.text("abcdefghij0123456789-_.é", min_size=1, max_size=20)
WEIGHTS = st.integers(5, 1_000).map(lambda hundredths: hundredths / 100)
YEARS = st.one_of(st.none(), st.integers(0, 9_999))


def image(token: str) -> ImageTerm:
    return ImageTerm(VECTOR, "f", token=token)


def term(kind: Kind, value: str, weight: float) -> Term:
    sign = -1 if kind in ("exclude", "unlike") else 1
    if kind in ("text", "exclude"):
        return TextTerm(value, sign * weight)
    return (
        WorkTerm(value, sign * weight) if kind in ("like", "unlike") else replace(image(value), weight=weight)
    )


def terms_of(kind: Kind) -> st.SearchStrategy[list[Term]]:
    values = WORDS if kind in ("text", "exclude") else NAMES
    most = {"text": 1, "exclude": 1, "image": MAX_IMAGES}.get(kind, MAX_WORKS)
    weighted = st.tuples(values, WEIGHTS | st.just(1.0))
    found = st.lists(weighted, max_size=most, unique_by=lambda pair: pair[0])
    return found.map(lambda pairs: [term(kind, *pair) for pair in pairs])


@st.composite
def queries(draw: st.DrawFn) -> SearchQuery:
    terms = [term for kind in KINDS for term in draw(terms_of(kind))]
    unlike = {term.id for term in terms if isinstance(term, WorkTerm) and term.weight < 0}
    terms = [term for term in terms if term.kind != "like" or term.id not in unlike]  # type: ignore[union-attr]
    lists = st.lists(WORDS.filter(lambda text: len(text) <= 200), max_size=3, unique=True).map(tuple)
    active_from, active_to = draw(YEARS), draw(YEARS)
    if active_from is not None and active_to is not None and active_from > active_to:
        active_from, active_to = active_to, active_from
    where = Filter(draw(lists), draw(lists), draw(lists), draw(lists), active_from, active_to)
    per_artist = draw(st.one_of(st.none(), st.integers(1, 100)))
    return SearchQuery(
        tuple(terms), where, per_artist, draw(st.integers(1, 100)), draw(st.integers(0, 1_000))
    )


def parsed(values: Any) -> SearchQuery:
    pairs = {name: value if isinstance(value, list | tuple) else [value] for name, value in values.items()}
    texts = MultiDict([(name, str(value)) for name, values in pairs.items() for value in values])
    return parse(texts, SETTINGS, image)


def written(query: SearchQuery) -> dict[str, list[str]]:
    return params(query, SETTINGS)


@given(queries())
@settings(max_examples=60)
def test_parse_reads_back_what_params_writes(query: SearchQuery) -> None:
    again = parsed(written(query))
    assert written(again) == written(query)
    assert (again.where, again.per_artist, again.limit, again.offset) == (
        query.where, query.per_artist, query.limit, query.offset,
    )  # fmt: skip
    assert [(term.kind, term.weight) for term in again.terms] == [
        (term.kind, term.weight) for term in query.terms
    ]


def test_parse_reads_back_an_address() -> None:
    app = create_app(SETTINGS, services=stocked(SETTINGS))

    @given(queries())
    @settings(max_examples=60)
    def holds(query: SearchQuery) -> None:
        with app.test_request_context():
            address = href(query)
        with app.test_request_context(address) as context:
            assert written(parse(context.request.args, SETTINGS, image)) == written(query)

    holds()


@given(
    st.dictionaries(
        st.sampled_from(
            ["q", "exclude", "image", "like", "unlike", "q_weight", "like_weight", "drop", "limit",
             "per_artist", "offset",
             "active_from", "exclude_artist"]
        ),
        st.lists(st.text(max_size=12), max_size=4),
    )
)  # fmt: skip
@settings(max_examples=60)
def test_any_parameters_are_parsed_or_rejected_and_parsing_is_idempotent(
    values: dict[str, list[str]],
) -> None:
    try:
        query = parsed(values)
    except InvalidQuery:
        return
    assert written(parsed(written(query))) == written(query)


@given(queries())
@settings(max_examples=60)
def test_a_checked_query_stays_the_same(query: SearchQuery) -> None:
    once = checked(query, SETTINGS)
    assert written(once) == written(query)
    assert written(checked(once, SETTINGS)) == written(once)


def test_weights_belong_to_the_terms_in_order() -> None:
    query = parsed({"like": ["a", "b", "c"], "like_weight": ["", "2"], "q_weight": "3"})
    assert query.terms == (WorkTerm("a"), WorkTerm("b", 2.0), WorkTerm("c"))
    assert written(query) == {"like": ["a", "b", "c"], "like_weight": ["1", "2"]}


def test_a_dropped_term_takes_its_weight_along() -> None:
    query = parsed({"like": ["a", "b", "c"], "like_weight": ["1", "2", "3"], "drop": "like:1"})
    assert query.terms == (WorkTerm("a"), WorkTerm("c", 3.0))


def test_a_work_both_liked_and_unliked_is_unliked() -> None:
    assert parsed({"like": ["a", "b"], "unlike": "a"}).terms == (WorkTerm("b"), WorkTerm("a", -1.0))


def test_a_changed_query_starts_at_its_first_result() -> None:
    query = parsed({"q": "sea", "offset": "48", "style": "Cubism"})
    assert query.offset == 48
    changed = [
        only(query, "style", "x"),
        query.with_term(WorkTerm("a")),
        active_filters(query, {})[0].removed,
    ]
    assert [other.offset for other in changed] == [0, 0, 0]


def test_without_a_reader_images_are_left_out() -> None:
    values = MultiDict([("q", "sea"), ("image", "t")])
    assert parse(values, SETTINGS).terms == (TextTerm("sea"),)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"q": "a\0b"}, "q"),
        ({"exclude": "x" * 501}, "exclude"),
        ({"q": "sea", "q_weight": "11"}, "q_weight"),
        ({"like": "x" * 201}, "like"),
        ({"unlike": [str(number) for number in range(13)]}, "unlike"),
        ({"image": ["a", "b", "c", "d"]}, "image"),
        ({"limit": "101"}, "limit"),
        ({"per_artist": "0"}, "per_artist"),
        ({"offset": "100001"}, "offset"),
        ({"style": [str(number) for number in range(21)]}, "style"),
        ({"active_from": "then"}, "active_from"),
        ({"active_from": "1900", "active_to": "1800"}, "active_from"),
    ],
)
def test_an_invalid_query_names_its_field(values: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidQuery) as caught:
        parsed(values)
    assert caught.value.field == field


ARTISTS = {"monet": "Claude Monet", "bo": "Bo Blue"}
WORKS = {"1": "Claude Monet", "2": "Claude Monet", "3": "Bo Blue"}


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({}, ""),
        ({"q": "a stormy sea"}, "“a stormy sea”"),
        ({"q": "sea", "q_weight": "2", "exclude": "boats"}, "“sea” (importance 2), without “boats”"),
        ({"image": "t", "unlike": "1"}, "in the style of your image, less like a work by Claude Monet"),
        ({"image": ["t", "u"]}, "in the style of your 2 images"),
        ({"like": ["1", "3", "2"]}, "like 2 works by Claude Monet and a work by Bo Blue"),
        ({"like": "gone"}, "like a work"),
        ({"nationality": "French", "active_from": "1860", "active_to": "1900"},
         "by French artists, by artists active 1860–1900"),
        ({"artist": ["monet", "bo"], "style": "Cubism"}, "by Claude Monet or Bo Blue, style: Cubism"),
        ({"q": "x", "exclude_artist": "bo", "per_artist": "2"},
         "“x”, not by Bo Blue, up to 2 results per artist"),
        ({"active_from": "1900"}, "by artists active from 1900"),
        ({"active_to": "1900"}, "by artists active until 1900"),
    ],
)  # fmt: skip
def test_a_query_is_described_in_a_sentence(values: dict[str, Any], sentence: str) -> None:
    query = parsed(values)
    assert describe(query, resolved(query, WORKS), ARTISTS) == sentence


@given(queries())
@settings(max_examples=60)
def test_every_query_has_a_description(query: SearchQuery) -> None:
    assert bool(describe(query, resolved(query, {}), {})) == bool(query.terms or query.where)


@pytest.mark.parametrize("dim", [48, 512, 768])
def test_a_token_is_short_and_its_vector_nearly_the_same(dim: int) -> None:
    vector = np.random.default_rng(dim).normal(size=dim).astype(np.float32)
    vector[0] = 8.0  # CLIP has such floats
    vector /= np.linalg.norm(vector)
    signed = Tokens("key").sign(ImageTerm(vector, "f", preview=Preview(b"\x00" * 800, 90, 60)))
    read = Tokens("key").read(signed.token, "f")
    assert len(signed.token) < 2_300
    assert float(read.vector @ vector) > 0.999
    assert np.linalg.norm(read.vector) == pytest.approx(1, abs=1e-6)
    assert (read.vector == signed.vector).all()  # a search and its link give the same results
    assert read.preview == Preview(b"\x00" * 800, 90, 60)


def test_a_token_does_not_outlive_its_encoder() -> None:
    tokens = Tokens("key")
    token = tokens.sign(ImageTerm(VECTOR, "f")).token
    with pytest.raises(Rejected, match="collection has changed"):
        tokens.read(token, "another")
