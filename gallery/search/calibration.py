"""Calibration of scores: how far a hit stands out from the collection's scores for the same query.

Nearest neighbours always exist, and a cosine similarity of 0.3 is high for one query and low for another. So
each query is also scored against a fixed sample of the collection. A hit's z-score is its distance above the
sample's median, in standard deviations. The deviation is estimated by the median absolute deviation: the
sample also contains works that match, and both medians are robust to them. docs/search.md has the
measurements behind the constants.
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

SAMPLE_WORKS = 512
"""Works in the sample; with this many, the standard deviation is accurate to about 4 %."""
SAMPLE_KEY = b"background"
"""Key of the hash that draws the sample; a fixed key draws the same sample in every process."""
MIN_SAMPLE_WORKS = 16
"""Works that a collection must have for scores to be calibrated."""
MAD_TO_SIGMA = 1.4826
"""Standard deviation of a normal distribution divided by its median absolute deviation."""
FAIR_Z = NormalDist().inv_cdf(0.99)
"""The z-score that 1 % of a collection reaches by chance."""


class Relevance(Enum):
    """How far a hit stands out from the collection, for this query."""

    CLOSE = "close"
    FAIR = "fair"
    WEAK = "weak"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class ScoreStats:
    """Median and standard deviation, above zero, of a query's scores over the collection."""

    median: float
    deviation: float

    def z_score(self, score: float) -> float:
        """Return how many standard deviations the score lies above the median."""
        return (score - self.median) / self.deviation


@dataclass(frozen=True, eq=False)
class ScoreBaseline:
    """A sample of a collection, against which queries are scored.

    `vectors` are the sampled works' vectors, float32 [n, dim]. `words` are those in the names of all the
    collection's artists, styles and nationalities.
    """

    vectors: Vectors
    words: frozenset[str] = frozenset()

    @classmethod
    def of(cls, collection: Collection) -> ScoreBaseline:
        """Return the baseline of a collection; its sample is the works with the lowest keyed hashes."""
        sample = heapq.nsmallest(SAMPLE_WORKS, collection.ids(), key=_sample_order)
        facets = collection.facets()
        names = " ".join((*facets.artists, *facets.styles, *facets.nationalities))
        return cls(collection.vectors(sample), frozenset(tokens(names)))

    def stats(self, query: Vector) -> ScoreStats | None:
        """Return the statistics of the query's scores; None if works are too few or all score the same."""
        if len(self.vectors) < MIN_SAMPLE_WORKS:
            return None
        scores = self.vectors @ query
        median = float(np.median(scores))
        deviation = MAD_TO_SIGMA * float(np.median(np.abs(scores - median))) or float(scores.std())
        return ScoreStats(median, deviation) if deviation > 1e-6 else None


def relevance_of(z_score: float | None, works: int) -> Relevance:
    """Return the relevance of a z-score among that many searched works.

    CLOSE: by chance, fewer than one of them would score this high. FAIR: fewer than 1 % of them would. Below
    100 works the first limit is the lower one, so the two swap. UNKNOWN: there is no z-score.
    """
    if z_score is None:
        return Relevance.UNKNOWN
    close_z = NormalDist().inv_cdf(1 - 1 / max(works, MIN_SAMPLE_WORKS))
    if z_score >= max(close_z, FAIR_Z):
        return Relevance.CLOSE
    return Relevance.FAIR if z_score >= min(close_z, FAIR_Z) else Relevance.WEAK


def _sample_order(id: str) -> bytes:
    return hashlib.blake2b(id.encode(), key=SAMPLE_KEY, digest_size=16).digest()
