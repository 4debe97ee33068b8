"""Rankings of a Weaviate collection: the nearest works, and the server's hybrid search."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from weaviate.classes.query import HybridFusion, MetadataQuery

from gallery.errors import Invalid
from gallery.vectors.base import Vector
from gallery.vectors.filters import Filter
from gallery.vectors.ranking import RankedWork, by_score, limit_ranked, read_fused
from gallery.vectors.weaviate.schema import SEARCHABLE_TEXT, condition

MAX_RESULTS = 10_000
"""Largest offset + limit of a query: the server's default for QUERY_MAXIMUM_RESULTS."""
SPARE_RESULTS = 8
"""Results fetched beyond those asked for, so that the first query usually includes all ties at the end."""
HYBRID_DEPTHS = (100, 500, 2_500, MAX_RESULTS)
"""Depths of the hybrid rankings, tried in this order until the page is full."""
RANKED_PROPERTIES = ["work_id", "artist"]

Query = Callable[[Callable[[Any], Any]], Any]
"""Runs a function on the client's collection and translates its errors."""


def check_depth(wanted: int) -> None:
    """Raise Invalid if a page ends beyond the server's limit."""
    if wanted > MAX_RESULTS:
        raise Invalid(
            f"a search has at most {MAX_RESULTS} results; this page ends at {wanted}, so use a smaller offset"
        )


def nearest(
    query: Query, vector: Vector, wanted: int, where: Filter, per_artist: int | None
) -> list[RankedWork]:
    """Return the `wanted` most similar works, ties by id, at most `per_artist` of an artist.

    The server's own grouping is not used: it groups only the `limit` nearest objects, so an artist with many
    near works leaves the page short.
    """
    fetch = wanted + SPARE_RESULTS
    while True:
        fetch = min(fetch, MAX_RESULTS)
        found = _near_vector(query, vector, fetch, where)
        complete = len(found) < fetch
        # Unfetched works may tie with the last one, so drop its score unless everything was fetched.
        certain = found if complete else [work for work in found if work.score > found[-1].score]
        kept = limit_ranked(certain, per_artist)
        if complete or len(kept) >= wanted:
            return kept[:wanted]
        if fetch == MAX_RESULTS:
            break
        fetch *= 4
    full = [slug for slug, count in Counter(work.artist for work in kept).items() if count == per_artist]
    if not full:
        # Thousands of works tie: order those that the server returned by id.
        return limit_ranked(found, per_artist)[:wanted]
    # A few artists fill all results that the server returns: exclude them and ask again.
    others = dataclasses.replace(where, exclude_artists=(*where.exclude_artists, *full))
    done = [work for work in kept if work.artist in full]
    rest = nearest(query, vector, wanted, others, per_artist)
    return sorted([*done, *rest], key=by_score)[:wanted]


def hybrid(
    query: Query, vector: Vector, words: Sequence[str], wanted: int, where: Filter, per_artist: int | None
) -> list[RankedWork]:
    """Return the first `wanted` works of the server's hybrid search, at most `per_artist` of an artist.

    The server fuses `max(limit, 100)` works of each ranking. Scores are RRF sums, higher is better.
    """

    def fused(depth: int) -> tuple[list[RankedWork], bool]:
        found = _hybrid(query, vector, words, depth, where)
        return found, len(found) < depth

    return read_fused(fused, HYBRID_DEPTHS, wanted, per_artist)


def _near_vector(query: Query, vector: Vector, limit: int, where: Filter) -> list[RankedWork]:
    """Return at most `limit` works by cosine similarity rounded to six digits, then id."""
    reply = query(
        lambda collection: collection.query.near_vector(
            near_vector=vector.tolist(),
            limit=limit,
            filters=condition(where),
            return_properties=RANKED_PROPERTIES,
            return_metadata=MetadataQuery(distance=True),
        )
    )
    found = [
        RankedWork(
            item.properties["work_id"], item.properties["artist"], round(1.0 - item.metadata.distance, 6)
        )
        for item in reply.objects
    ]
    return sorted(found, key=by_score)


def _hybrid(
    query: Query, vector: Vector, words: Sequence[str], limit: int, where: Filter
) -> list[RankedWork]:
    """Return at most `limit` works in the order of the server's hybrid search."""
    reply = query(
        lambda collection: collection.query.hybrid(
            query=" ".join(dict.fromkeys(words)),  # BM25 would count a repeated word twice
            query_properties=[SEARCHABLE_TEXT],
            vector=vector.tolist(),
            alpha=0.5,
            fusion_type=HybridFusion.RANKED,
            limit=limit,
            filters=condition(where),
            return_properties=RANKED_PROPERTIES,
            return_metadata=MetadataQuery(score=True),
        )
    )
    return [
        RankedWork(item.properties["work_id"], item.properties["artist"], item.metadata.score)
        for item in reply.objects
    ]
