"""Rankings of a Weaviate collection, exact where the server's own are not: ties by id, cuts inside a tie, any depth."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from weaviate.classes.query import Filter as Condition
from weaviate.classes.query import MetadataQuery

from gallery.errors import Invalid
from gallery.vectors.base import Vector
from gallery.vectors.filters import Filter
from gallery.vectors.ranking import reciprocal_rank_fusion
from gallery.vectors.weaviate.schema import condition, uuid_of

DEEPEST = 10_000
"""How far into a ranking a server goes: QUERY_MAXIMUM_RESULTS, unless set otherwise."""
SPARE = 8
"""How many more than asked for are fetched, so that a tie at the cut is mostly seen whole at once."""
DEPTH = 500
"""How far down each of the two rankings of a hybrid search counts, unless the page lies deeper."""

Query = Callable[[Callable[[Any], Any]], Any]
"""Runs a function of the client's collection, errors translated."""


@dataclass(frozen=True)
class Found:
    """A work in a ranking: its cosine similarity, or how well its words match."""

    score: float
    id: str
    artist: str


def check_depth(wanted: int) -> None:
    """Raises Invalid where the page lies deeper than a server goes."""
    if wanted > DEEPEST:
        raise Invalid(
            f"only the first {DEEPEST} results of a search can be paged through, and this page ends at {wanted}"
        )


def by_nearness(
    query: Query, vector: Vector, wanted: int, where: Filter, per_artist: int | None
) -> list[Found]:
    """The first `wanted` of the ranking by cosine similarity, ties by id, at most `per_artist` of an artist."""
    fetch = wanted + SPARE
    while True:
        fetch = min(fetch, DEEPEST)
        found = nearest(query, vector, fetch, condition(where))
        whole = len(found) < fetch
        # Others may tie with the last one fetched, so its score is left out until all of them are here.
        sure = found if whole else [one for one in found if one.score > found[-1].score]
        kept = limit_per_artist(sure, per_artist)
        if whole or len(kept) >= wanted:
            return kept[:wanted]
        if fetch == DEEPEST:
            break
        fetch *= 4
    full = [slug for slug, count in Counter(one.artist for one in kept).items() if count == per_artist]
    if not full:
        # A tie of thousands goes by id among those that the server gave.
        return limit_per_artist(found, per_artist)[:wanted]
    others = dataclasses.replace(where, exclude_artists=(*where.exclude_artists, *full))
    done = [one for one in kept if one.artist in full]
    rest = by_nearness(query, vector, wanted, others, per_artist)
    return sorted([*done, *rest], key=_order)[:wanted]


def by_nearness_and_words(
    query: Query, vector: Vector, words: Sequence[str], wanted: int, where: Filter, per_artist: int | None
) -> list[Found]:
    """The first `wanted` of both rankings fused; their scores are cosine similarities all the same.

    Not the server's hybrid search: that takes at most QUERY_HYBRID_MAXIMUM_RESULTS (100) of each ranking, so deep pages
    would be short, and leaves open the order of works whose words match equally, which most of a painter's do.
    """
    depth = max(DEPTH, wanted + SPARE)
    while True:
        depth = min(depth, DEEPEST)
        matched = matching(query, words, depth, where)
        if not matched:
            return by_nearness(query, vector, wanted, where, per_artist)
        near = by_nearness(query, vector, depth, where, None)
        known = {one.id: one for one in near}
        missing = [uuid_of(one.id) for one in matched if one.id not in known]
        if missing:
            far = nearest(query, vector, len(missing), Condition.by_id().contains_any(missing))
            known |= {one.id: one for one in far}
        order = reciprocal_rank_fusion([one.id for one in near], [one.id for one in matched])
        kept = limit_per_artist([known[id] for id in order if id in known], per_artist)
        if len(kept) >= wanted or len(near) < depth or depth == DEEPEST:
            return kept[:wanted]
        depth *= 4


def nearest(query: Query, vector: Vector, limit: int, terms: Any) -> list[Found]:
    """At most `limit` works that meet the terms, by cosine similarity rounded to six places, then id."""
    reply = query(
        lambda collection: collection.query.near_vector(
            near_vector=vector.tolist(),
            limit=limit,
            filters=terms,
            return_properties=["work_id", "artist"],
            return_metadata=MetadataQuery(distance=True),
        )
    )
    found = [
        Found(round(1.0 - one.metadata.distance, 6), one.properties["work_id"], one.properties["artist"])
        for one in reply.objects
    ]
    return sorted(found, key=_order)


def matching(query: Query, words: Sequence[str], limit: int, where: Filter) -> list[Found]:
    """At most `limit` works that have any of the words, by BM25, then id."""
    reply = query(
        lambda collection: collection.query.bm25(
            query=" ".join(words),
            query_properties=["words"],
            limit=limit,
            filters=condition(where),
            return_properties=["work_id", "artist"],
            return_metadata=MetadataQuery(score=True),
        )
    )
    found = [
        Found(round(one.metadata.score, 6), one.properties["work_id"], one.properties["artist"])
        for one in reply.objects
    ]
    return sorted(found, key=_order)


def limit_per_artist(ranking: Sequence[Found], per_artist: int | None) -> list[Found]:
    """The ranking with at most `per_artist` of each artist; all of it for None."""
    seen: Counter[str] = Counter()
    kept = []
    for one in ranking:
        seen[one.artist] += 1
        if per_artist is None or seen[one.artist] <= per_artist:
            kept.append(one)
    return kept


def _order(one: Found) -> tuple[float, str]:
    return -one.score, one.id
