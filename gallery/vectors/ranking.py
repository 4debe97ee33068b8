"""Rankings made, joined and thinned out, for stores that leave this to the client."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from gallery.models import Hit

FUSION = 60
"""The k of reciprocal rank fusion: Cormack, Clarke and Büttcher, SIGIR 2009, where 60 did best; Weaviate's too."""


def reciprocal_rank_fusion(*rankings: Sequence[str]) -> list[str]:
    """Every id of the rankings, by falling sum of 1 / (FUSION + place), places counted from 1; ties by id."""
    scores: defaultdict[str, float] = defaultdict(float)
    for ranking in rankings:
        for place, id in enumerate(ranking, start=1):
            scores[id] += 1 / (FUSION + place)
    return sorted(scores, key=lambda id: (-scores[id], id))


def idf(total: int, having: int) -> float:
    """What a word tells about a work, above 0: more, the fewer of the `total` works have it. BM25's weight of a word."""
    return math.log(1 + (total - having + 0.5) / (having + 0.5))


def by_match(scores: Mapping[str, float], nearest: Iterable[str]) -> list[str]:
    """The ids that have a score, by falling score; among those that match alike the nearer first.

    Scores want rounding first: a sum of the same weights in another order may differ in its last digit.
    """
    return sorted((id for id in nearest if id in scores), key=scores.__getitem__, reverse=True)


def limit_per_artist(hits: Iterable[Hit], per_artist: int | None) -> list[Hit]:
    """The hits in their order, at most `per_artist` of each artist; all of them for None."""
    hits = list(hits)
    return [hits[place] for place in first_per_artist((hit.artwork.artist.slug for hit in hits), per_artist)]


def first_per_artist(artists: Iterable[str], per_artist: int | None) -> Iterator[int]:
    """The places that stay where at most `per_artist` of each artist do; all of them for None."""
    seen: Counter[str] = Counter()
    for place, artist in enumerate(artists):
        seen[artist] += 1
        if per_artist is None or seen[artist] <= per_artist:
            yield place


def most_frequent_first(counts: Mapping[str, int]) -> dict[str, int]:
    """The counts by falling number, ties by value."""
    return dict(sorted(counts.items(), key=lambda entry: (-entry[1], entry[0])))
