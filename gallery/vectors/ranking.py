"""Rankings: fuse them, limit them per artist, and order counts."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from gallery.models import Hit

RRF_K = 60
"""Constant of reciprocal rank fusion (Cormack, Clarke and Büttcher, SIGIR 2009), as in Weaviate and Lance."""


class RankedWork(NamedTuple):
    """A work in a ranking, before its record is read; the higher the score, the better."""

    id: str
    artist: str
    score: float


def reciprocal_rank_fusion(*rankings: Sequence[str]) -> list[str]:
    """Return every id of the rankings by decreasing sum of 1 / (RRF_K + rank), ranks from 1, ties by id."""
    scores: defaultdict[str, float] = defaultdict(float)
    for ranking in rankings:
        for rank, id in enumerate(ranking, start=1):
            scores[id] += 1 / (RRF_K + rank)
    return sorted(scores, key=lambda id: (-scores[id], id))


def idf(total: int, having: int) -> float:
    """Return BM25's inverse document frequency of a word in `having` of `total` works; always above 0.

    The formula is Lucene's, ln(1 + (N - n + 0.5) / (n + 0.5)).
    """
    return math.log(1 + (total - having + 0.5) / (having + 0.5))


def by_match(scores: Mapping[str, float], nearest: Iterable[str]) -> list[str]:
    """Return the ids that have a score, by decreasing score; equal scores keep the order of `nearest`.

    Pass rounded scores: sums of the same weights in another order may differ in the last digit.
    """
    return sorted((id for id in nearest if id in scores), key=scores.__getitem__, reverse=True)


def limit_per_artist(hits: Iterable[Hit], per_artist: int | None) -> list[Hit]:
    """Return the hits in order, at most `per_artist` of each artist; all of them if it is None."""
    hits = list(hits)
    return [hits[place] for place in first_per_artist((hit.artwork.artist.slug for hit in hits), per_artist)]


def limit_ranked(ranking: Iterable[RankedWork], per_artist: int | None) -> list[RankedWork]:
    """Return the ranking, at most `per_artist` works of each artist; all of it if it is None."""
    ranking = list(ranking)
    return [ranking[place] for place in first_per_artist((work.artist for work in ranking), per_artist)]


def first_per_artist(artists: Iterable[str], per_artist: int | None) -> Iterator[int]:
    """Yield the positions of the first `per_artist` entries of each artist; all of them if it is None."""
    seen: Counter[str] = Counter()
    for place, artist in enumerate(artists):
        seen[artist] += 1
        if per_artist is None or seen[artist] <= per_artist:
            yield place


def read_fused(
    search: Callable[[int], tuple[list[RankedWork], bool]],
    depths: Iterable[int],
    wanted: int,
    per_artist: int | None,
) -> list[RankedWork]:
    """Return the first `wanted` works of fused rankings, at most `per_artist` of an artist.

    `search(depth)` returns the fusion of the rankings' first `depth` works, and whether a deeper one adds
    nothing. A deeper fusion orders the first works differently, so it only appends works that the shallower
    ones did not return. The pages of one search therefore do not overlap.
    """
    ranking: dict[str, RankedWork] = {}
    kept: list[RankedWork] = []
    for depth in depths:
        found, complete = search(depth)
        for work in found:
            ranking.setdefault(work.id, work)
        kept = limit_ranked(ranking.values(), per_artist)
        if complete or len(kept) >= wanted:
            break
    return kept[:wanted]


def by_score(work: RankedWork) -> tuple[float, str]:
    """Return a sort key: decreasing score, ties by id."""
    return -work.score, work.id


def most_frequent_first(counts: Mapping[str, int]) -> dict[str, int]:
    """Return the counts in decreasing order, ties by value."""
    return dict(sorted(counts.items(), key=lambda entry: (-entry[1], entry[0])))
