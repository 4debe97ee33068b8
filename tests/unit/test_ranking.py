"""Rankings: reciprocal rank fusion, keyword weights, and limits per artist."""

from __future__ import annotations

import pytest

from gallery.models import Hit
from gallery.vectors.ranking import (
    by_match,
    first_per_artist,
    idf,
    limit_per_artist,
    most_frequent_first,
    reciprocal_rank_fusion,
)
from tests.contracts.vector_store import artist, work


def test_one_ranking_stays_as_it_is() -> None:
    assert (
        reciprocal_rank_fusion(["c", "a", "b"])
        == ["c", "a", "b"]
        == reciprocal_rank_fusion(["c", "a", "b"], [])
    )
    assert reciprocal_rank_fusion() == reciprocal_rank_fusion([]) == []


def test_a_work_in_both_rankings_comes_before_the_first_of_one() -> None:
    assert reciprocal_rank_fusion(["a", "b", "x"], ["c", "d", "x"])[0] == "x"


def test_ties_come_by_id() -> None:
    assert reciprocal_rank_fusion(["b", "a"], ["a", "b"]) == ["a", "b"]
    assert reciprocal_rank_fusion(["z"], ["y"]) == ["y", "z"]


def test_ranks_count_as_in_the_paper() -> None:
    # 1/61 + 1/64 = 0.03202 for a, 1/62 + 1/62 = 0.03226 for b
    assert reciprocal_rank_fusion(["a", "b", "x", "y"], ["x", "b", "y", "a"]).index("b") < 2
    assert reciprocal_rank_fusion(["a", "b"], ["c", "b", "d", "a"])[:2] == ["b", "a"]


def test_idf_falls_with_frequency_and_stays_positive() -> None:
    weights = [idf(1_000, having) for having in (1, 10, 500, 999, 1_000)]
    assert weights == sorted(weights, reverse=True) and weights[-1] > 0


def test_works_that_match_equally_keep_the_vector_order() -> None:
    scores = {"a": 0.3, "b": 0.3, "c": 2.0}
    assert by_match(scores, ["d", "b", "e", "a", "c"]) == ["c", "b", "a"]


@pytest.mark.parametrize(
    ("per_artist", "kept"),
    [(1, ["1", "3"]), (2, ["1", "2", "3"]), (3, ["1", "2", "3", "4"]), (None, ["1", "2", "3", "4"])],
)
def test_the_first_few_of_each_artist_stay(per_artist: int | None, kept: list[str]) -> None:
    hits = [Hit(work(id, artist(by)), 0.5) for id, by in [("1", "x"), ("2", "x"), ("3", "y"), ("4", "x")]]
    assert [hit.artwork.id for hit in limit_per_artist(iter(hits), per_artist)] == kept
    places = first_per_artist((hit.artwork.artist.slug for hit in hits), per_artist)
    assert [hits[place].artwork.id for place in places] == kept


def test_counts_fall_and_ties_come_by_value() -> None:
    assert list(most_frequent_first({"b": 1, "a": 1, "z": 3})) == ["z", "a", "b"]
