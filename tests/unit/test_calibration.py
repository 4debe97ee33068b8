"""The relevance of a score, calibrated by the scores of the whole collection."""

from __future__ import annotations

import numpy as np
import pytest

from gallery.models import Build
from gallery.search.calibration import FAIR_Z, SAMPLE_WORKS, Relevance, ScoreBaseline, relevance_of
from gallery.vectors.base import Vectors
from gallery.vectors.memory import MemoryCollection
from tests.contracts.vector_store import work

DIM = 32


def rows(count: int, seed: int = 1) -> Vectors:
    drawn = np.random.default_rng(seed).normal(size=(count, DIM)).astype(np.float32)
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True))


def collection(count: int) -> MemoryCollection:
    made = MemoryCollection(Build("one", "fake", "fake/32", DIM, count, "x", "1", False, "2026-01-01"))
    made.upsert([work(f"w{number}") for number in range(count)], rows(count))
    return made


def test_the_sample_is_deterministic_and_bounded() -> None:
    first, second = (ScoreBaseline.of(collection(2_000)).vectors for _ in range(2))
    assert first.shape == (SAMPLE_WORKS, DIM)
    assert np.array_equal(first, second)
    assert ScoreBaseline.of(collection(20)).vectors.shape == (20, DIM)


def test_the_sample_estimates_the_distribution_of_all_scores() -> None:
    whole, query = rows(2_000), rows(1, seed=2)[0]
    stats = ScoreBaseline.of(collection(2_000)).stats(query)
    assert stats is not None
    scores = whole @ query
    assert stats.median == pytest.approx(np.median(scores), abs=0.02)
    assert stats.deviation == pytest.approx(scores.std(), rel=0.15)


def test_matching_works_hardly_change_the_baseline() -> None:
    plain, query = rows(500), rows(1, seed=2)[0]
    with_matches = np.vstack([plain[:450], np.tile(query, (50, 1))])
    without, found = ScoreBaseline(plain).stats(query), ScoreBaseline(with_matches).stats(query)
    assert without and found
    assert found.z_score(1.0) > 0.75 * without.z_score(1.0)


@pytest.mark.parametrize("count", [0, 15])
def test_too_few_works_have_no_statistics(count: int) -> None:
    assert ScoreBaseline(rows(count)).stats(rows(1)[0]) is None


def test_equal_scores_have_no_statistics() -> None:
    assert ScoreBaseline(np.tile(rows(1), (40, 1))).stats(rows(1, seed=3)[0]) is None


def test_relevance_depends_on_the_z_score_and_the_size_of_the_collection() -> None:
    assert relevance_of(None, 1_000) is Relevance.UNKNOWN
    assert relevance_of(3.05, 698) is Relevance.CLOSE
    assert relevance_of(3.05, 100_000) is Relevance.FAIR  # so large a collection has some that high by chance
    assert relevance_of(FAIR_Z + 0.01, 698) is Relevance.FAIR
    assert relevance_of(FAIR_Z - 0.01, 698) is Relevance.WEAK
    assert relevance_of(9.0, 10_000_000) is Relevance.CLOSE


def test_random_scores_are_mostly_weak() -> None:
    random = np.random.default_rng(5).normal(size=698)
    words = [relevance_of(float(z_score), 698) for z_score in random]
    assert words.count(Relevance.WEAK) > 680
    assert words.count(Relevance.CLOSE) <= 3
