"""Metrics of the evaluation: how a build is measured, and how far each metric may drop."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import numpy as np
import pytest

from gallery.encoders.fake import FakeEncoder
from gallery.models import Artist, Artwork, Build, Hit, StoredImage
from gallery.vectors.memory import MemoryCollection
from pipelines.defs.evaluation.comparison import most_changed, overlaps, works_not_found
from pipelines.defs.evaluation.metrics import (
    LIMITS,
    MIN_TIMED_QUERIES,
    Limit,
    Measurement,
    MetricResult,
    TopK,
    compare,
    keyed_sample,
    measure,
    recall,
)
from pipelines.defs.evaluation.queries import query_maker

BUILD = Build("b1", "fake", "fake/8/1", 8, 40, "", "", False, "2026-01-01")
GOOD = {
    "self_retrieval": 1.0,
    "recall_at_10": 1.0,
    "same_artist": 0.5,
    "same_style": 0.6,
    "modified_copies": 0.9,
}


def measurement(milliseconds: float = 5.0, searches: int = MIN_TIMED_QUERIES, **scores: float) -> Measurement:
    """Return a measurement with one query, which has these scores."""
    return Measurement(
        build=BUILD,
        scores={metric: {"query": score} for metric, score in scores.items()},
        seconds=[milliseconds / 1000] * searches,
        results={},
        rows=40,
        bad_rows=0,
    )


def problems(results: list[MetricResult]) -> list[str]:
    return [text for result in results for text in (result.too_low, result.dropped) if text]


def test_a_build_is_not_worse_than_itself() -> None:
    assert problems(compare(measurement(**GOOD), measurement(**GOOD), tolerance=0.0)) == []


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.metric)
def test_each_metric_may_drop_by_its_limit_and_no_further(limit: Limit) -> None:
    max_drop = 0.05 if limit.max_drop is None else limit.max_drop
    for drop, count in ((max_drop, 0), (max_drop + 0.001, 1)):
        now = GOOD | {limit.metric: GOOD[limit.metric] - drop}
        dropped = [
            result.dropped
            for result in compare(measurement(**now), measurement(**GOOD), tolerance=0.05)
            if result.dropped
        ]
        assert len(dropped) == count and all(limit.metric in text for text in dropped)


@pytest.mark.parametrize(
    "limit", [limit for limit in LIMITS if limit.minimum], ids=lambda limit: limit.metric
)
def test_a_first_build_must_reach_the_minimum_of_each_metric(limit: Limit) -> None:
    for value, count in ((limit.minimum, 0), (limit.minimum - 0.001, 1)):
        found = problems(compare(measurement(**GOOD | {limit.metric: value}), None, tolerance=0.05))
        assert len(found) == count and all("below the minimum" in text for text in found)


def test_a_metric_that_cannot_be_measured_is_not_a_problem() -> None:
    assert problems(compare(measurement(), measurement(**GOOD), tolerance=0.0)) == []


def test_builds_are_compared_on_the_queries_of_both() -> None:
    candidate = dataclasses.replace(measurement(), scores={"same_artist": {"a": 0.5, "new": 0.0}})
    live = dataclasses.replace(measurement(), scores={"same_artist": {"a": 0.5, "removed": 1.0}})
    (result,) = (row for row in compare(candidate, live, tolerance=0.0) if row.metric == "same_artist")
    assert (result.candidate, result.shared, result.live, result.dropped) == (0.25, 0.5, 0.5, "")


@pytest.mark.parametrize(("now", "before", "refused"), [(90, 5, False), (290, 100, False), (310, 100, True)])
def test_a_slower_search_is_refused_if_it_is_slow_and_much_slower(
    now: float, before: float, refused: bool
) -> None:
    results = compare(measurement(now, **GOOD), measurement(before, **GOOD), tolerance=0.05)
    assert bool(problems(results)) is refused


def test_the_duration_of_a_few_searches_has_no_limit() -> None:
    few = measurement(5_000, searches=MIN_TIMED_QUERIES - 1, **GOOD)
    assert problems(compare(few, measurement(5, **GOOD), tolerance=0.05)) == []


def test_samples_of_two_builds_overlap_as_the_builds_do() -> None:
    ids = [f"work-{n}" for n in range(1_000)]
    assert keyed_sample(ids, 100) == keyed_sample(reversed(ids), 100)
    assert len(set(keyed_sample([*ids, "another"], 100)) & set(keyed_sample(ids, 100))) >= 99


def test_the_best_of_several_blocks_are_the_best_of_all() -> None:
    scores = np.random.default_rng(3).standard_normal((7, 100)).astype(np.float32)
    scores[:, 50] = -np.inf
    ids = np.array([f"w{n:02}" for n in range(100)], dtype=object)
    whole, parts = TopK(7, 10), TopK(7, 10)
    whole.add(scores, ids)
    for start in range(0, 100, 13):
        parts.add(scores[:, start : start + 13], ids[start : start + 13])
    assert whole.ids() == parts.ids() == [list(ids[np.argsort(-row)[:10]]) for row in scores]
    few = TopK(1, 5)
    few.add(np.array([[0.3, -np.inf]], dtype=np.float32), ids[:2])
    assert few.ids() == [["w00"]]


@pytest.mark.parametrize(
    ("returned", "exact", "expected"),
    [
        ([0.9, 0.8], [0.9, 0.8], 1.0),
        ([0.9, 0.5], [0.9, 0.8], 0.5),
        ([0.8, 0.8], [0.8, 0.8], 1.0),  # either of two works with equal scores counts
        ([0.9], [0.9, -np.inf], 1.0),
        ([], [0.9, 0.8], 0.0),
        ([], [], None),
    ],
)
def test_recall_compares_scores(returned: list[float], exact: list[float], expected: float | None) -> None:
    arrays = (np.array(values, dtype=np.float32) for values in (returned, exact))
    assert recall(*arrays) == expected


def test_overlap_is_the_share_of_earlier_results_that_stayed() -> None:
    found = overlaps({"q": ["a", "b"], "r": ["a"], "s": []}, {"q": ["b", "c"], "s": ["a"]})
    assert found == {"q": 0.5}
    assert most_changed({"a": 0.5, "b": 1.0, "c": 0.2}) == ["c", "a"]


def works_of(count: int) -> list[Artwork]:
    artists = [Artist(name, name, 1800, 1850, (name,), (), "", "", "") for name in ("ann", "bob")]
    image = StoredImage("o", "l", "s", 1, 1, "#000000")
    return [Artwork(f"w{n:03}", artists[n % 2], f"{n}.jpg", f"{n:064}", image) for n in range(count)]


def built(vectors: np.ndarray, kind: type[MemoryCollection] = MemoryCollection) -> MemoryCollection:
    collection = kind(dataclasses.replace(BUILD, dim=vectors.shape[1], works=len(vectors)))
    collection.upsert(works_of(len(vectors)), vectors)
    return collection


def measured(collection: MemoryCollection) -> Measurement:
    works = {work.id: work for work in works_of(collection.count())}
    copies = {
        ("w000", "same"): collection.vectors(["w000"])[0],
        ("w000", "other"): collection.vectors(["w001"])[0],
    }
    return measure(collection, works, set(works), lambda rows: rows, copies)


def means(found: Measurement) -> dict[str, float | None]:
    return {row.metric: row.candidate for row in compare(found, None, tolerance=0.0)}


def two_clusters(count: int = 40) -> np.ndarray:
    """Return vectors of two artists' works, far apart."""
    rows = np.random.default_rng(1).standard_normal((count, 8)) * 0.05
    rows[::2, 0] += 1
    rows[1::2, 1] += 1
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_a_sound_build_finds_everything() -> None:
    found = measured(built(two_clusters()))
    assert {metric: means(found)[metric] for metric in GOOD if metric != "modified_copies"} == {
        "self_retrieval": 1,
        "recall_at_10": 1,
        "same_artist": 1,
        "same_style": 1,
    }
    assert (found.rows, found.bad_rows, len(found.seconds)) == (40, 0, 40)
    assert found.latency_ms(50) is not None
    assert found.scores["modified_copies"] == {"w000 same": 1.0, "w000 other": 0.0}


def test_works_without_a_style_have_no_style_score() -> None:
    collection = built(two_clusters())
    works = {work.id: work for work in works_of(40)}
    plain = dataclasses.replace(works["w000"].artist, styles=())
    works["w000"] = dataclasses.replace(works["w000"], artist=plain)
    found = measure(collection, works, set(works), lambda rows: rows, {})
    assert "w000" not in found.scores["same_style"] and "w000" in found.scores["same_artist"]


def test_rows_that_are_not_finite_or_not_of_unit_length_are_counted() -> None:
    collection = built(two_clusters())
    for id, factor in (("w003", np.nan), ("w004", 2.0), ("w005", 0.0)):
        work, row = collection._kept[id]
        collection._kept[id] = (work, row * np.float32(factor))
    assert measured(collection).bad_rows == 3


class Forgetful(MemoryCollection):
    """A collection whose search leaves out the nearest work."""

    def search(self, *args: Any, **kwargs: Any) -> list[Hit]:
        return super().search(*args, **kwargs)[1:]


def test_a_store_that_misses_the_nearest_work_is_detected() -> None:
    found = means(measured(built(two_clusters(), Forgetful)))
    assert found["self_retrieval"] == 0.0
    assert found["recall_at_10"] == pytest.approx(0.9, abs=0.01)
    assert found["same_artist"] == 1.0  # from the rows, not from the search


def test_works_that_look_the_same_both_find_themselves() -> None:
    rows = two_clusters()
    rows[2] = rows[0]
    assert means(measured(built(rows)))["self_retrieval"] == 1.0


def test_works_with_one_vector_do_not_pass_and_are_named() -> None:
    collection = built(np.repeat(two_clusters()[:1], 30, axis=0))
    found = measured(collection)
    assert means(found)["self_retrieval"] < 0.5  # as of an encoder that tells no images apart
    works = {work.id: work for work in collection.works(limit=30)}
    assert re.search(r"works, such as \S+, .*same vector .* keep one of each", works_not_found(found, works))


def test_an_empty_build_has_no_metrics() -> None:
    found = measure(built(two_clusters()[:0]), {}, set(), lambda rows: rows, {})
    assert set(means(found).values()) == {None} and found.rows == 0


def test_rows_become_queries_as_the_encoder_of_the_build_makes_them() -> None:
    rows = two_clusters()
    for encoder in ("fake://?dim=8", "no/such-model-anywhere", "fake://?nonsense"):
        make = query_maker(dataclasses.replace(BUILD, encoder=encoder), FakeEncoder(16))
        assert (make(rows) == rows).all()
