"""Filters, vector search, keyword search and fusion over the objects of a collection."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
from weaviate.proto.v1 import base_pb2

from tests.fakes.weaviate.data import Collection, Refused, Stored, tokens

OPERATOR = base_pb2.Filters.Operator
COMPARE: dict[int, Callable[[Any, Any], bool]] = {
    OPERATOR.OPERATOR_GREATER_THAN: lambda have, want: have > want,
    OPERATOR.OPERATOR_GREATER_THAN_EQUAL: lambda have, want: have >= want,
    OPERATOR.OPERATOR_LESS_THAN: lambda have, want: have < want,
    OPERATOR.OPERATOR_LESS_THAN_EQUAL: lambda have, want: have <= want,
}


def passes(filters: Any, collection: Collection) -> Callable[[Stored], bool]:
    """Return the filter as a function of an object."""
    operator = filters.operator
    if operator in (OPERATOR.OPERATOR_AND, OPERATOR.OPERATOR_OR):
        parts = [passes(part, collection) for part in filters.filters]
        join = all if operator == OPERATOR.OPERATOR_AND else any
        return lambda one: join(part(one) for part in parts)
    name = filters.target.property
    raw = getattr(filters, filters.WhichOneof("test_value"))
    want = list(raw.values) if hasattr(raw, "values") else raw
    if name == "_id":
        ids = set(want if isinstance(want, list) else [want])
        if operator not in (OPERATOR.OPERATOR_EQUAL, OPERATOR.OPERATOR_CONTAINS_ANY):
            raise Refused(422, f"{OPERATOR.Name(operator)} on ids is not implemented by the fake")
        return lambda one: one.uuid in ids
    if collection.known(name) not in collection.filterable and operator not in COMPARE:
        raise Refused(422, f"property '{name}' is not filterable")
    if operator in COMPARE:
        compare = COMPARE[operator]
        return lambda one: one.properties.get(name) is not None and compare(one.properties[name], want)

    tokenization = collection.tokenization[name]

    def equal(one: Stored, value: Any) -> bool:
        """Return True if the object has the value; of a text, if it has all of its tokens."""
        have = one.properties.get(name)
        entries = have if isinstance(have, list) else [] if have is None else [have]
        if not isinstance(value, str):
            return value in entries
        return set(tokens(value, tokenization)) <= {
            token for entry in entries for token in tokens(entry, tokenization)
        }

    match operator:
        case OPERATOR.OPERATOR_EQUAL:
            return lambda one: equal(one, want)
        case OPERATOR.OPERATOR_NOT_EQUAL:
            return lambda one: not equal(one, want)
        case OPERATOR.OPERATOR_CONTAINS_ANY:
            return lambda one: any(equal(one, value) for value in want)
    raise Refused(422, f"filter operator {OPERATOR.Name(operator)} is not implemented by the fake")


def selected(request: Any, collection: Collection) -> np.ndarray:
    """Return the positions, in order of uuid, of the objects that pass the request's filter."""
    ordered, _ = collection.by_uuid()
    if not request.HasField("filters"):
        return np.arange(len(ordered))
    filters = request.filters
    if filters.target.property == "_id" and filters.HasField(
        "value_text_array"
    ):  # many ids, not worth a scan
        ids = [id for id in filters.value_text_array.values if id in collection.objects]
        return np.searchsorted(collection.uuids(), np.array(sorted(set(ids)), dtype="U36"))
    test = passes(filters, collection)
    return np.array([place for place, one in enumerate(ordered) if test(one)], dtype=int)


def nearest(
    query: np.ndarray, places: np.ndarray, limit: int, collection: Collection
) -> list[tuple[Stored, float]]:
    """Return the nearest `limit` of the objects at those positions by cosine distance, ties by uuid."""
    ordered, rows = collection.by_uuid()
    if not len(places):
        return []
    if len(query) != rows.shape[1]:
        raise Refused(422, f"vector search: vector lengths don't match: {rows.shape[1]} vs {len(query)}")
    chosen = rows if len(places) == len(rows) else rows[places]
    distances = (1 - chosen @ (query / np.linalg.norm(query))).astype(np.float32)
    first = np.argsort(distances, kind="stable")[:limit]
    return [(ordered[places[at]], float(distances[at])) for at in first]


def matching(
    query: str, names: list[str], places: np.ndarray, collection: Collection
) -> list[tuple[Stored, float]]:
    """Return the objects with any of the words, best BM25 (k1 1.2, b 0.75) first, ties by uuid."""
    for name in names:
        if collection.known(name) not in collection.searchable:
            raise Refused(422, f"property '{name}' is not searchable")
    ordered, _ = collection.by_uuid()
    bags = {
        one.uuid: Counter(word for name in names for word in tokens(one.properties.get(name) or "", "word"))
        for one in ordered
    }
    mean = sum(bag.total() for bag in bags.values()) / max(1, len(bags))
    scores: Counter[str] = Counter()
    for word in set(tokens(query, "word")):
        holders = [id for id, bag in bags.items() if bag[word]]
        rarity = math.log(1 + (len(bags) - len(holders) + 0.5) / (len(holders) + 0.5))
        for id in holders:
            often, length = bags[id][word], bags[id].total()
            scores[id] += rarity * often * 2.2 / (often + 1.2 * (0.25 + 0.75 * length / mean))
    found = [
        (ordered[place], scores[ordered[place].uuid]) for place in places if ordered[place].uuid in scores
    ]
    return sorted(found, key=lambda pair: -pair[1])


def fused(
    vector: list[tuple[Stored, float]], keywords: list[tuple[Stored, float]], alpha: float
) -> list[tuple[Stored, float]]:
    """Fuse two rankings as the server's FusionRanked does: 1 / (60 + rank from 0).

    Ties are ordered by keyword score or similarity, then by uuid.
    """
    scores: Counter[str] = Counter()
    second: dict[str, float] = {}
    objects: dict[str, Stored] = {}
    for weight, ranking in (
        (alpha, [(one, 1 - distance) for one, distance in vector]),
        (1 - alpha, keywords),
    ):
        for rank, (one, value) in enumerate(ranking):
            scores[one.uuid] += weight / (60 + rank)  # type: ignore[assignment]
            second[one.uuid], objects[one.uuid] = value, one
    order = sorted(scores, key=lambda id: (-round(scores[id], 7), -round(second[id], 7), id))
    return [(objects[id], float(scores[id])) for id in order]
