"""Metrics of a build, and how far each may be below that of the live build.

Two builds are compared on the same queries and on works that both contain, so a larger sample or a new artist
changes no metric, while a worse encoder, a damaged row, or a store that misses neighbours does.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gallery.models import Artwork, Build, Hit
from gallery.vectors.base import Collection, Vector, Vectors

VERSION = 2
"""Increase when the same builds would get other figures."""
MAX_QUERIES = 300
"""Works used as queries. At 5 ms a search they take 1.5 s per build; a share is then accurate to about
0.03, and the difference of two builds, which get the same queries, much more so."""
NEIGHBORS = 10
"""Number of nearest works that count for a query."""
COPY_NEIGHBORS = 5
"""Number of nearest works among which a modified copy must find its original."""
SCORE_TOLERANCE = 1e-5
"""Largest difference of scores that count as equal; stores round scores to six digits."""
BLOCK_ROWS = 2_000
"""Vectors read from a store at a time, which bounds memory: 4 MB with 512 floats."""
WARM_UP_QUERIES = 5
"""First searches, left out of the latency because they open files and connections."""
MIN_TIMED_QUERIES = 50
"""Searches below which their duration has no limit: the median of a few depends on what else the machine
does."""
MAX_SLOWDOWN = 3.0
"""Maximum ratio of the median search time to that of the live build."""
FAST_MS = 100.0
"""A median search time below this, in milliseconds, is never too slow."""


@dataclass(frozen=True)
class Limit:
    """Limits of a metric: its minimum, and how far it may be below the live build.

    A `max_drop` of None stands for GALLERY_TOLERANCE.
    """

    metric: str
    minimum: float
    max_drop: float | None


LIMITS = (
    # Tight limits, since a store that does not find what it stores is broken.
    Limit("self_retrieval", minimum=0.99, max_drop=0.01),
    Limit("recall_at_10", minimum=0.95, max_drop=0.02),
    # No minimum, since the similarity within an artist or a style depends on the dataset.
    Limit("same_artist", minimum=0.0, max_drop=None),
    Limit("same_style", minimum=0.0, max_drop=None),
    # With a minimum, since an encoder that does not recognise cropped images is unusable.
    Limit("modified_copies", minimum=0.5, max_drop=None),
)
LATENCIES = {"search_p50_ms": 50, "search_p95_ms": 95}
"""Metric -> percentile of the search times."""

Scores = Mapping[str, float]
"""Query -> score from 0 to 1, higher is better, for the queries that can be measured."""
QueryMaker = Callable[[Vectors], Vectors]
"""Turns stored vectors [n, dim] into queries [n, dim], as `Encoder.as_query` does."""


@dataclass(frozen=True)
class Measurement:
    """The metrics of one build.

    `scores` has one entry per metric of `LIMITS`:

    - self_retrieval: 1 if the work is the first result for its own vector
    - recall_at_10: share of the ten nearest works by exact search that the store's search returns
    - same_artist, same_style: share of the ten nearest works with the same artist, or with a style in common
    - modified_copies: 1 if a copy (cropped, shrunk or recompressed) has its original among the first five
      results
    """

    build: Build
    scores: Mapping[str, Scores]
    seconds: list[float]
    """Duration of each search, in order."""
    results: dict[str, list[Hit]]
    """Query -> its ten nearest works, without itself."""
    rows: int
    bad_rows: int
    """Rows that are not finite or not of unit length."""

    def latency_ms(self, percentile: int) -> float | None:
        """Return that percentile of the search times without the first few, or None without searches."""
        seconds = self.seconds[min(WARM_UP_QUERIES, len(self.seconds) // 2) :]
        return float(np.percentile(seconds, percentile)) * 1000 if seconds else None


@dataclass(frozen=True)
class MetricResult:
    """One metric of the candidate beside that of the live build, and what is wrong with it.

    `candidate` is over all of its queries; `shared` and `live` are over the queries of both builds.
    `too_low` says that it is below its minimum, `dropped` that it is too far below the live build; "" if
    it is not.
    """

    metric: str
    candidate: float | None
    shared: float | None
    live: float | None
    minimum: float | None
    max_drop: float | None
    too_low: str = ""
    dropped: str = ""


def compare(candidate: Measurement, live: Measurement | None, tolerance: float) -> list[MetricResult]:
    """Return the result of every metric.

    `tolerance` is the drop allowed if `LIMITS` leaves it to the setting.
    """
    results = []
    for limit in LIMITS:
        scores: Scores = candidate.scores.get(limit.metric, {})
        live_scores: Scores = live.scores.get(limit.metric, {}) if live else {}
        queries = scores.keys() & live_scores.keys()
        value = mean(scores.values())
        shared, before = (mean(of[query] for query in queries) for of in (scores, live_scores))
        max_drop = tolerance if limit.max_drop is None else limit.max_drop
        too_low = dropped = ""
        if value is not None and value < limit.minimum:
            too_low = f"{limit.metric} is {value:.3f}, below the minimum of {limit.minimum:.3f}"
        if shared is not None and before is not None and before - shared > max_drop + 1e-9:
            setting = " (GALLERY_TOLERANCE)" if limit.max_drop is None else ""
            dropped = (
                f"{limit.metric} is {shared:.3f}, and {before:.3f} in the live build; "
                f"it may drop by {max_drop:.3f}{setting}"
            )
        results.append(
            MetricResult(limit.metric, value, shared, before, limit.minimum, max_drop, too_low, dropped)
        )
    return results + [_compare_latency(metric, candidate, live) for metric in LATENCIES]


def _compare_latency(metric: str, candidate: Measurement, live: Measurement | None) -> MetricResult:
    """Compare search times.

    Only the median of many searches has a limit; other figures vary with the load.
    """
    value = candidate.latency_ms(LATENCIES[metric])
    before = live.latency_ms(LATENCIES[metric]) if live else None
    dropped = ""
    enough = len(candidate.seconds) >= MIN_TIMED_QUERIES
    if metric == "search_p50_ms" and enough and value is not None and before is not None:
        limit = max(FAST_MS, MAX_SLOWDOWN * before)
        if value > limit:
            dropped = (
                f"{metric} is {value:.0f}, and {before:.0f} in the live build; at most {limit:.0f} is allowed"
            )
    return MetricResult(metric, value, value if live else None, before, None, None, "", dropped)


def mean(values: Iterable[float]) -> float | None:
    """Return the mean; None without values."""
    values = list(values)
    return sum(values) / len(values) if values else None


def keyed_sample(ids: Iterable[str], size: int, key: str = "evaluation") -> list[str]:
    """Return at most `size` of the ids, those with the lowest keyed hashes.

    The samples of two builds overlap as far as the builds do.
    """
    return sorted(
        ids, key=lambda id: hashlib.blake2b(id.encode(), key=key.encode(), digest_size=16).digest()
    )[:size]


class TopK:
    """The k ids with the highest scores for each query, from scores in blocks."""

    def __init__(self, queries: int, k: int) -> None:
        self._k = k
        self.scores = np.zeros((queries, 0), dtype=np.float32)
        self._ids = np.zeros((queries, 0), dtype=object)

    def add(self, scores: NDArray[np.float32], ids: NDArray[np.object_]) -> None:
        """Add scores [queries, m] for ids [m]. A score of -inf excludes the id."""
        best = np.argsort(-scores, axis=1, kind="stable")[:, : self._k]
        all_scores = np.hstack([self.scores, np.take_along_axis(scores, best, axis=1)])
        all_ids = np.hstack([self._ids, ids[best]])
        order = np.argsort(-all_scores, axis=1, kind="stable")[:, : self._k]
        self.scores = np.take_along_axis(all_scores, order, axis=1)
        self._ids = np.take_along_axis(all_ids, order, axis=1)

    def ids(self) -> list[list[str]]:
        """Return at most k ids for each query, best first."""
        return [list(ids[np.isfinite(scores)]) for ids, scores in zip(self._ids, self.scores, strict=True)]


def measure(
    collection: Collection,
    works: Mapping[str, Artwork],
    common: set[str],
    make_queries: QueryMaker,
    copies: Mapping[tuple[str, str], Vector],
) -> Measurement:
    """Use a sample of the build's works as queries, and read all of its rows once for an exact search.

    `works` has the works of `common`, to which neighbours and the originals of copies are limited.
    `copies` are vectors of modified copies, by work and kind. Raises Unavailable, NotFound.
    """
    dim, fingerprint = collection.build.dim, collection.build.fingerprint
    ids = sorted(collection.ids())
    queries = keyed_sample(ids, MAX_QUERIES)
    vectors = make_queries(np.nan_to_num(_rows(collection, queries)))
    results, seconds = _search(collection, vectors, fingerprint)
    copy_vectors = make_queries(np.stack(list(copies.values()))) if copies else np.zeros((0, dim), np.float32)

    exact, neighbors = TopK(len(queries), NEIGHBORS), TopK(len(queries), NEIGHBORS)
    originals = TopK(len(copies), COPY_NEIGHBORS)
    own_ids = np.array(queries, dtype=object)[:, None]
    bad_rows = 0
    for start in range(0, len(ids), BLOCK_ROWS):
        block = np.array(ids[start : start + BLOCK_ROWS], dtype=object)
        rows, bad = _sound_rows(_rows(collection, list(block)))
        bad_rows += bad
        in_common = np.array([id in common for id in block], dtype=np.bool_)
        scores = vectors @ rows.T
        exact.add(scores, block)
        neighbors.add(np.where(in_common & (block != own_ids), scores, -np.inf).astype(np.float32), block)
        originals.add(np.where(in_common, copy_vectors @ rows.T, -np.inf).astype(np.float32), block)

    near = {
        query: ids for query, ids in zip(queries, neighbors.ids(), strict=True) if query in common and ids
    }
    styles = {id: set(works[id].artist.styles) for id in common}
    found = dict(zip(queries, results, strict=True))
    return Measurement(
        build=collection.build,
        scores={
            "self_retrieval": {query: float(_is_first(query, hits)) for query, hits in found.items()},
            "recall_at_10": _recalls(collection, queries, vectors, results, exact.scores),
            "same_artist": {
                query: _share(works[id].artist.slug == works[query].artist.slug for id in ids)
                for query, ids in near.items()
            },
            "same_style": {
                query: _share(bool(styles[query] & styles[id]) for id in ids)
                for query, ids in near.items()
                if styles[query]
            },
            "modified_copies": {
                f"{id} {kind}": float(id in ids)
                for (id, kind), ids in zip(copies, originals.ids(), strict=True)
            },
        },
        seconds=seconds,
        results={
            query: [hit for hit in hits if hit.artwork.id != query][:NEIGHBORS]
            for query, hits in found.items()
        },
        rows=len(ids),
        bad_rows=bad_rows,
    )


def recall(returned: NDArray[np.float32], exact: NDArray[np.float32]) -> float | None:
    """Return the share of the exact nearest neighbours that were returned, or None if there are none.

    Both arguments are scores, so of works with equal scores either counts.
    """
    wanted = exact[np.isfinite(exact)]
    if not wanted.size:
        return None
    return min(int((returned >= wanted.min() - SCORE_TOLERANCE).sum()), wanted.size) / wanted.size


def _search(
    collection: Collection, vectors: Vectors, fingerprint: str
) -> tuple[list[list[Hit]], list[float]]:
    results, seconds = [], []
    for vector in vectors:
        started = time.perf_counter()
        # A zero vector stands for a bad row, which has no neighbours.
        found = collection.search(vector, NEIGHBORS + 1, fingerprint=fingerprint) if vector.any() else []
        seconds.append(time.perf_counter() - started)
        results.append(found)
    return results, seconds


def _recalls(
    collection: Collection,
    queries: Sequence[str],
    vectors: Vectors,
    results: Sequence[Sequence[Hit]],
    exact: NDArray[np.float32],
) -> Scores:
    """Return the recall of each query.

    Scores are computed from the rows: a store may report approximate ones.
    """
    returned = [[hit.artwork.id for hit in hits[:NEIGHBORS]] for hits in results]
    names = sorted({id for ids in returned for id in ids})
    rows, _ = _sound_rows(_rows(collection, names))
    place = {id: position for position, id in enumerate(names)}
    recalls = {}
    for query, vector, ids, wanted in zip(queries, vectors, returned, exact, strict=True):
        value = recall(rows[[place[id] for id in ids]] @ vector, wanted)
        if value is not None:
            recalls[query] = value
    return recalls


def _share(values: Iterable[bool]) -> float:
    return float(np.mean(list(values)))


def _rows(collection: Collection, ids: Sequence[str]) -> Vectors:
    if not ids:
        return np.zeros((0, collection.build.dim), dtype=np.float32)
    return np.asarray(collection.vectors(ids), dtype=np.float32)


def _sound_rows(rows: Vectors) -> tuple[Vectors, int]:
    """Return the rows, with bad ones replaced by zeros, and the number of bad rows."""
    good = np.isfinite(rows).all(axis=1) & (np.abs(np.linalg.norm(rows, axis=1) - 1) < 1e-3)
    return np.where(good[:, None], rows, 0).astype(np.float32), int((~good).sum())


def _is_first(query: str, hits: Sequence[Hit]) -> bool:
    """Return whether the work is the first result or has the same score as the first."""
    return any(hit.artwork.id == query and hit.score >= hits[0].score - SCORE_TOLERANCE for hit in hits)
