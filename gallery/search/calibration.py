"""How much a score says: judged for each query by the scores that the collection at large gets from it.

Nearest neighbours always exist, and a cosine of 0.3 is much for one query and nothing for another. So a query is
also scored against a fixed sample of the collection, and a hit counts by how many deviations it lies above the
sample's middle. Both are robust (the median, and the median absolute deviation), since the works that do match are in
the sample too. docs/search.md has the measurements behind the numbers.
"""

from __future__ import annotations

import hashlib
import heapq
from dataclasses import dataclass
from enum import Enum
from statistics import NormalDist

import numpy as np

from gallery.vectors.base import Collection, Vector, Vectors
from gallery.vectors.lexical import tokens

SAMPLE = 512
"""Works in the sample; the deviation is then good to about 4 %."""
KEY = b"background"
"""Draws the sample; the same works for the same collection, wherever it is asked."""
FEWEST = 16
"""Works without which nothing is judged."""
TO_SIGMA = 1.4826
"""From a median absolute deviation to the standard deviation of a normal distribution."""
FAIR = NormalDist().inv_cdf(0.99)
"""Deviations above which chance puts 1 % of a collection."""


class Relevance(Enum):
    """How a hit stands out from the collection, for this query."""

    CLOSE = "close"
    FAIR = "fair"
    WEAK = "weak"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class ScoreStats:
    """Where the scores of a query lie in the collection: their middle, and the deviation from it, above zero."""

    middle: float
    deviation: float

    def z_score(self, score: float) -> float:
        """Deviations above the middle."""
        return (score - self.middle) / self.deviation


@dataclass(frozen=True, eq=False)
class ScoreBaseline:
    """The rows of the sample, float32 [n, dim], and the words of all the collection's artists, genres and nationalities."""

    rows: Vectors
    words: frozenset[str] = frozenset()

    @classmethod
    def of(cls, collection: Collection) -> ScoreBaseline:
        """The sample of a collection: the works whose keyed hashes are lowest."""
        drawn = heapq.nsmallest(SAMPLE, collection.ids(), key=_rank)
        facets = collection.facets()
        said = " ".join((*facets.artists, *facets.styles, *facets.nationalities))
        return cls(collection.vectors(drawn), frozenset(tokens(said)))

    def stats(self, query: Vector) -> ScoreStats | None:
        """The spread of the query's scores; None where there are too few works, or all score the same."""
        if len(self.rows) < FEWEST:
            return None
        scores = self.rows @ query
        middle = float(np.median(scores))
        deviation = TO_SIGMA * float(np.median(np.abs(scores - middle))) or float(scores.std())
        return ScoreStats(middle, deviation) if deviation > 1e-6 else None


def relevance_of(z_score: float | None, works: int) -> Relevance:
    """The word for a strength among that many works searched.

    Close: chance alone would not put even one of so many works this high. Fair: it would put less than 1 % of them.
    """
    if z_score is None:
        return Relevance.UNKNOWN
    close = NormalDist().inv_cdf(1 - 1 / max(works, FEWEST))
    if z_score >= max(close, FAIR):
        return Relevance.CLOSE
    return Relevance.FAIR if z_score >= min(close, FAIR) else Relevance.WEAK


def _rank(id: str) -> bytes:
    return hashlib.blake2b(id.encode(), key=KEY, digest_size=16).digest()
