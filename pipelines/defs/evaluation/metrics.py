"""How good a build is, in figures, and whether one may take another's place. Pure: numbers in, judgement out.

The figures of two builds are only set against each other on works that both hold, and on the same queries. So a larger
sample or a new artist changes nothing in them; a worse encoder, a damaged row or a store that finds less does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

VERSION = 1
"""Raise when the same builds would get other figures."""
QUERIES = 300
"""Works asked for what is like them, at most: at 5 ms a search, 1.5 s a build. A share is then good to about 0.03, and a fall
from one build to the next, which is over the same queries, to much less."""
NEIGHBOURS = 10
"""Places looked at after each query."""
ALTERED_PLACES = 5
"""Places among which an altered copy has to find its original."""
TIE = 1e-5
"""Scores nearer than this are equal; stores round them to six digits."""


@dataclass(frozen=True)
class Quality:
    """A build's figures; shares from 0 to 1, None where there was nothing to measure.

    - self_retrieval: works that are the first answer to their own vector
    - recall_at_10: of the ten nearest by exact search, those that the store's search gives
    - same_artist, same_genre: of a work's ten nearest, those by its artist, and those that share a genre with it
    - altered_found: cropped, shrunk or recompressed copies with their original among the first five
    - search_p50_ms, search_p95_ms: how long one search took
    """

    self_retrieval: float | None = None
    recall_at_10: float | None = None
    same_artist: float | None = None
    same_genre: float | None = None
    altered_found: float | None = None
    search_p50_ms: float | None = None
    search_p95_ms: float | None = None


@dataclass(frozen=True)
class Limit:
    """What a share must keep to: never below `least`, and never more than `fall` below the live build's.

    A `fall` of None is the setting GALLERY_TOLERANCE.
    """

    figure: str
    least: float
    fall: float | None


LIMITS = (
    # A store that does not find what it was just given is broken; so both are held tightly.
    Limit("self_retrieval", least=0.99, fall=0.01),
    Limit("recall_at_10", least=0.95, fall=0.02),
    # How much artists and genres have in common is the dataset's affair, so there is no least share.
    Limit("same_artist", least=0.0, fall=None),
    Limit("same_genre", least=0.0, fall=None),
    # An encoder that loses a picture when its edges are cut off is no use, however it compares.
    Limit("altered_found", least=0.5, fall=None),
)
SLOWER = 3.0
"""Times the live build's median search that a new one's may take."""
QUICK_MS = 100.0
"""A median search below this is quick enough, whatever the live build's."""


@dataclass(frozen=True)
class MetricResult:
    """One figure of the candidate beside the live build's, and what is wrong with it.

    `candidate` is over all of its queries, `shared` and `live` over those that both builds were asked. `too_low` says in
    words that it is below its least, `worse` that it fell too far; "" where not.
    """

    figure: str
    candidate: float | None
    shared: float | None
    live: float | None
    least: float | None
    fall: float | None
    too_low: str = ""
    worse: str = ""


def compare(
    candidate: Quality, shared: Quality | None, live: Quality | None, *, tolerance: float
) -> list[MetricResult]:
    """Every figure judged. `shared` is the candidate's over the queries that `live` is over; None without a live build.

    `tolerance` is the fall allowed where `LIMITS` leaves it to the setting.
    """
    judged = []
    for limit in LIMITS:
        fall = tolerance if limit.fall is None else limit.fall
        value = getattr(candidate, limit.figure)
        now, before = (getattr(quality, limit.figure) if quality else None for quality in (shared, live))
        too_low = worse = ""
        if value is not None and value < limit.least:
            too_low = f"{limit.figure} is {value:.3f}; at least {limit.least:.3f} is needed"
        if now is not None and before is not None and before - now > fall + 1e-9:
            worse = f"{limit.figure} is {now:.3f}, the live build's {before:.3f}; it may fall by {fall:.3f}"
            worse += " (GALLERY_TOLERANCE)" if limit.fall is None else ""
        judged.append(MetricResult(limit.figure, value, now, before, limit.least, fall, too_low, worse))
    for figure in ("search_p50_ms", "search_p95_ms"):
        value, before = getattr(candidate, figure), getattr(live, figure) if live else None
        worse = ""
        if figure == "search_p50_ms" and value is not None and before is not None:
            most = max(QUICK_MS, SLOWER * before)
            if value > most:
                worse = (
                    f"{figure} is {value:.0f}, the live build's {before:.0f}; at most {most:.0f} is allowed"
                )
        judged.append(MetricResult(figure, value, value if live else None, before, None, None, "", worse))
    return judged


def keyed_sample(ids: Iterable[str], most: int, key: str = "evaluation") -> list[str]:
    """At most that many of the ids, always the same ones: those whose keyed hash comes first.

    Samples of two builds overlap as far as the builds do.
    """
    return sorted(
        ids, key=lambda id: hashlib.blake2b(id.encode(), key=key.encode(), digest_size=16).digest()
    )[:most]


def share(values: NDArray[np.float64] | Sequence[float]) -> float | None:
    """The mean of the values that are numbers; None where there are none."""
    array = np.asarray(values, dtype=np.float64)
    array = array[~np.isnan(array)]
    return float(array.mean()) if array.size else None


class Nearest:
    """For each of some queries the k highest scores, from blocks of scores that come one after another."""

    def __init__(self, queries: int, k: int) -> None:
        self._k = k
        self.scores = np.full((queries, 0), -np.inf, dtype=np.float32)
        self.places = np.full((queries, 0), -1, dtype=np.int64)

    def add(self, scores: NDArray[np.float32], places: NDArray[np.int64]) -> None:
        """Take in a block: scores [queries, m] of the works at these places [m]. -inf leaves a work out."""
        all_scores = np.hstack([self.scores, scores])
        all_places = np.hstack([self.places, np.broadcast_to(places, scores.shape)])
        order = np.argsort(-all_scores, axis=1, kind="stable")[:, : self._k]
        self.scores = np.take_along_axis(all_scores, order, axis=1)
        self.places = np.where(np.isneginf(self.scores), -1, np.take_along_axis(all_places, order, axis=1))


def recall(given: NDArray[np.float32], exact: NDArray[np.float32]) -> NDArray[np.float64]:
    """For each query the share of the exact nearest that were given, in scores: [n, k] each, -inf or nan for none.

    Scores rather than ids, so that of equally near works either will do.
    """
    wanted = np.isfinite(exact).sum(axis=1)
    least = np.where(np.isfinite(exact), exact, np.inf).min(axis=1, initial=np.inf)
    right = (np.nan_to_num(given, nan=-np.inf) >= least[:, None] - TIE).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(wanted > 0, np.minimum(right, wanted) / wanted, np.nan)


def share_alike(own: Set[str], neighbours: Sequence[Set[str]]) -> float:
    """The share of the neighbours that have a label in common with a work's own; nan where there is nothing to compare."""
    return (
        sum(bool(own & labels) for labels in neighbours) / len(neighbours) if own and neighbours else np.nan
    )


def overlaps(before: Mapping[str, Sequence[str]], after: Mapping[str, Sequence[str]]) -> dict[str, float]:
    """For each query that both were asked, the share of its answers before that are still among those after."""
    return {
        query: len(set(before[query]) & set(after[query])) / len(before[query])
        for query in before
        if query in after and before[query]
    }
