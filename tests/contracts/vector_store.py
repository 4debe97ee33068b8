"""The contract of every vector store. The tests of a store subclass it and provide the fixture `store`.

A hybrid search is reciprocal rank fusion with a k of 60 and equal weights. A store may limit the depth of its
rankings, use any BM25, and break ties in any order, so only clear cases are tested.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gallery.encoders.fake import FakeEncoder
from gallery.errors import Invalid, NotFound
from gallery.models import Artist, Artwork, Build, Hit, StoredImage
from gallery.vectors.base import (
    MAX_NAME_LENGTH,
    Collection,
    VectorStore,
    original_name,
    replacement_name,
)
from gallery.vectors.filters import Filter
from pipelines.defs.collection.builds import Candidate, build_candidate
from pipelines.records import DatasetRecord

DIM = 8
FINGERPRINT = "fake/8"


def build(name: str = "one", created_at: str = "2026-01-01T00:00:00+00:00", works: int = 0) -> Build:
    return Build(name, "fake", FINGERPRINT, DIM, works, "memory://", "1", False, created_at)


def artist(
    slug: str = "a", birth: int | None = 1840, death: int | None = 1926, **other: tuple[str, ...]
) -> Artist:
    facts = {"styles": ("Realism",), "nationalities": ("French",), **other}
    return Artist(slug, slug.title(), birth, death, facts["styles"], facts["nationalities"], "s", "b", "")


def work(id: str, by: Artist | None = None, file: str | None = None) -> Artwork:
    return Artwork(
        id, by or artist(), file or f"f/{id}.jpg", "00", StoredImage("o", "l", "s", 4, 3, "#102030")
    )


def row(*values: float) -> np.ndarray:
    vector = np.zeros(DIM, dtype=np.float32)
    vector[: len(values)] = values
    return vector / np.linalg.norm(vector)


def rows(*vectors: np.ndarray) -> np.ndarray:
    return np.stack(vectors)


def ids(hits: Iterable[Hit]) -> list[str]:
    return [hit.artwork.id for hit in hits]


def random_rows(count: int, seed: int = 3) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(count, DIM)).astype(np.float32)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


class VectorStoreContract:
    @pytest.fixture
    def store(self, tmp_path: Path) -> VectorStore:
        raise AssertionError("subclasses provide the store")

    @pytest.fixture
    def collection(self, store: VectorStore) -> Collection:
        return store.create(build())

    # -- searching

    def test_score_is_cosine_similarity_and_higher_is_closer(self, collection: Collection) -> None:
        collection.upsert([work("near"), work("far")], rows(row(3, 4), row(-1)))
        near, far = collection.search(row(1), 2, fingerprint=FINGERPRINT)
        assert (near.artwork.id, far.artwork.id) == ("near", "far")
        assert near.score == pytest.approx(0.6, abs=1e-5) and far.score == pytest.approx(-1, abs=1e-5)

    def test_a_query_need_not_be_of_unit_length(self, collection: Collection) -> None:
        collection.upsert([work("x")], rows(row(3, 4)))
        assert collection.search(row(1) * 7, 1, fingerprint=FINGERPRINT)[0].score == pytest.approx(
            0.6, abs=1e-5
        )

    def test_ties_are_ordered_by_id_even_across_the_limit(self, collection: Collection) -> None:
        ids = [f"{number:03}" for number in range(60)]
        shuffled = list(np.random.default_rng(1).permutation(ids))
        collection.upsert([work(str(id)) for id in shuffled], rows(*[row(1, 1)] * 60))
        assert [hit.artwork.id for hit in collection.search(row(1), 7, fingerprint=FINGERPRINT)] == ids[:7]

    def test_order_is_by_score_over_many_works(self, collection: Collection) -> None:
        vectors = np.random.default_rng(2).normal(size=(300, DIM)).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        collection.upsert([work(f"{number:03}") for number in range(300)], vectors)
        query = row(1, 2, 3, 4)
        found = [hit.artwork.id for hit in collection.search(query, 20, fingerprint=FINGERPRINT)]
        assert found == [f"{number:03}" for number in np.argsort(-(vectors @ query))[:20]]

    def test_an_empty_collection_gives_no_hits(self, collection: Collection) -> None:
        assert collection.search(row(1), 5, fingerprint=FINGERPRINT) == []
        assert collection.count() == 0 and collection.ids() == set() and collection.works() == []

    def test_k_beyond_the_size_gives_all(self, collection: Collection) -> None:
        collection.upsert([work("a"), work("b")], rows(row(1), row(0, 1)))
        assert len(collection.search(row(1), 1_000, fingerprint=FINGERPRINT)) == 2

    @pytest.mark.parametrize("k", [0, -1])
    def test_k_below_one_is_invalid(self, collection: Collection, k: int) -> None:
        with pytest.raises(Invalid):
            collection.search(row(1), k, fingerprint=FINGERPRINT)

    def test_a_query_of_the_wrong_length_is_invalid(self, collection: Collection) -> None:
        with pytest.raises(Invalid, match="8 floats"):
            collection.search(np.ones(DIM + 1, dtype=np.float32), 1, fingerprint=FINGERPRINT)

    @pytest.mark.parametrize("bad", [math.nan, math.inf, 0.0])
    def test_a_query_that_is_not_finite_or_all_zero_is_invalid(
        self, collection: Collection, bad: float
    ) -> None:
        with pytest.raises(Invalid):
            collection.search(np.full(DIM, bad, dtype=np.float32), 1, fingerprint=FINGERPRINT)

    def test_a_query_by_another_encoder_is_invalid(self, collection: Collection) -> None:
        with pytest.raises(Invalid, match="other/8"):
            collection.search(row(1), 1, fingerprint="other/8")

    # -- pages of results, and limits per artist

    def test_pages_join_into_the_whole_list(self, collection: Collection) -> None:
        collection.upsert([work(f"{number:03}") for number in range(100)], random_rows(100))
        whole = collection.search(row(1, 2, 3), 100, fingerprint=FINGERPRINT)
        pages = [
            collection.search(row(1, 2, 3), 7, fingerprint=FINGERPRINT, offset=offset)
            for offset in range(0, 105, 7)
        ]
        assert len(whole) == 100 and [id for page in pages for id in ids(page)] == ids(whole)

    def test_pages_join_even_if_a_tie_spans_them(self, collection: Collection) -> None:
        names = [f"{number:03}" for number in range(60)]
        shuffled = [str(name) for name in np.random.default_rng(1).permutation(names)]
        collection.upsert([work(name) for name in shuffled], rows(*[row(1, 1)] * 60))
        pages = [
            collection.search(row(1), 7, fingerprint=FINGERPRINT, offset=offset) for offset in range(0, 60, 7)
        ]
        assert [id for page in pages for id in ids(page)] == names

    @pytest.mark.parametrize("offset", [2, 3, 1_000])
    def test_an_offset_beyond_the_end_gives_no_hits(self, collection: Collection, offset: int) -> None:
        collection.upsert([work("a"), work("b")], rows(row(1), row(0, 1)))
        assert collection.search(row(1), 5, fingerprint=FINGERPRINT, offset=offset) == []
        assert collection.search(row(1), 5, fingerprint=FINGERPRINT, text="a", offset=offset) == []

    @pytest.mark.parametrize("wrong", [{"offset": -1}, {"per_artist": 0}, {"per_artist": -1}])
    def test_a_negative_offset_or_a_per_artist_below_one_is_invalid(
        self, collection: Collection, wrong: dict[str, Any]
    ) -> None:
        with pytest.raises(Invalid, match=next(iter(wrong))):
            collection.search(row(1), 1, fingerprint=FINGERPRINT, **wrong)
        with pytest.raises(Invalid, match=next(iter(wrong))):
            collection.search(row(1), 1, fingerprint=FINGERPRINT, text="a", **wrong)

    @pytest.fixture
    def many(self, collection: Collection) -> list[Artwork]:
        """Store 120 works of 12 artists, every second one Dutch, with the vectors random_rows(120)."""
        painters = [artist(f"p{n:02}", nationalities=(("Dutch", "French")[n % 2],)) for n in range(12)]
        works = [work(f"{number:03}", painters[number % 12]) for number in range(120)]
        collection.upsert(works, random_rows(120))
        return works

    @pytest.mark.parametrize("per_artist", [1, 3, 10, 50])
    @pytest.mark.parametrize("where", [Filter(), Filter(nationalities=("Dutch",), exclude_artists=("p04",))])
    @pytest.mark.parametrize("offset", [0, 4])
    def test_per_artist_keeps_the_nearest_works_of_each_artist(
        self, collection: Collection, many: list[Artwork], per_artist: int, where: Filter, offset: int
    ) -> None:
        query, seen, expected = row(1, 2, 3), dict.fromkeys((one.artist.slug for one in many), 0), []
        for place in np.argsort(-(random_rows(120) @ query)):
            by = many[place].artist
            seen[by.slug] += where.matches(by)
            if where.matches(by) and seen[by.slug] <= per_artist:
                expected.append(many[place].id)
        hits = collection.search(
            query, 9, fingerprint=FINGERPRINT, where=where, offset=offset, per_artist=per_artist
        )
        assert ids(hits) == expected[offset : offset + 9]

    def test_k_is_reached_even_if_one_artist_has_the_nearest_hundreds(self, collection: Collection) -> None:
        crowd = [work(f"crowd{number:03}", artist("crowd")) for number in range(400)]
        others = [work(f"other{number}", artist(f"other{number}")) for number in range(3)]
        close = [row(10, 0.001 * (number + 1)) for number in range(400)]
        collection.upsert(crowd + others, rows(*close, row(3, 1), row(2, 1), row(1, 1)))
        hits = collection.search(row(1), 4, fingerprint=FINGERPRINT, per_artist=2)
        assert [hit.artwork.artist.slug for hit in hits] == ["crowd", "crowd", "other0", "other1"]
        rest = collection.search(row(1), 4, fingerprint=FINGERPRINT, per_artist=2, offset=4)
        assert ids(rest) == ["other2"]

    def test_ties_within_an_artist_are_ordered_by_id(self, collection: Collection) -> None:
        works = [work(f"{number:02}", artist("ab"[number % 2])) for number in reversed(range(40))]
        collection.upsert(works, rows(*[row(1, 1)] * 40))
        hits = collection.search(row(1), 10, fingerprint=FINGERPRINT, per_artist=2)
        assert ids(hits) == ["00", "01", "02", "03"]

    # -- hybrid searches

    @staticmethod
    def nearly_tied(collection: Collection, *works: Artwork) -> None:
        """Insert works that are almost as near as one another, the nearest first.

        Weaviate's hybrid search ranks works of the same distance in any order, so the distances differ.
        """
        collection.upsert(works, rows(*[row(100, 100 + place) for place in range(len(works))]))

    def test_words_rank_matching_works_above_nearer_ones(self, collection: Collection) -> None:
        others = [work(f"a{number}", artist("someone")) for number in range(5)]
        monets = [work("z1", artist("claude-monet")), work("z2", artist("claude-monet"))]
        self.nearly_tied(collection, *others, *monets)
        assert ids(collection.search(row(1), 2, fingerprint=FINGERPRINT)) == ["a0", "a1"]
        for words in ("Monet", "claude monet", "paintings by Claude Monet"):
            assert set(ids(collection.search(row(1), 2, fingerprint=FINGERPRINT, text=words))) == {"z1", "z2"}

    @pytest.mark.parametrize(
        "words", ["cubism", "cubist", "a Cubist painting", "spanish", "Guernica", "great war"]
    )
    def test_words_match_style_nationality_and_file_name(self, collection: Collection, words: str) -> None:
        others = [work(f"a{number}") for number in range(5)]
        match = artist("pablo", styles=("Cubism", "Great War"), nationalities=("Spanish",))
        self.nearly_tied(collection, *others, work("z", match, file="Pablo/Pablo_Guernica_7.jpg"))
        assert ids(collection.search(row(1), 1, fingerprint=FINGERPRINT, text=words)) == ["z"]

    @pytest.mark.parametrize("words", ["durer", "Dürer", "DÜRER", "Du\u0308rer", "ALBRECHT durer"])
    def test_accents_and_case_do_not_matter(self, collection: Collection, words: str) -> None:
        others = [work(f"a{number}", artist("someone")) for number in range(5)]
        self.nearly_tied(
            collection, *others, work("z", dataclasses.replace(artist("d"), name="Albrecht Dürer"))
        )
        assert ids(collection.search(row(1), 1, fingerprint=FINGERPRINT, text=words)) == ["z"]

    def test_a_word_inside_another_does_not_match(self, collection: Collection) -> None:
        self.nearly_tied(collection, work("a", artist("someone")), work("z", artist("monet")))
        assert ids(collection.search(row(1), 1, fingerprint=FINGERPRINT, text="mon one net")) == ["a"]

    def test_works_that_match_more_words_come_first(self, collection: Collection) -> None:
        one = work("a", artist("x", styles=("Realism",), nationalities=("Dutch",)))
        two = [
            work(f"m{number}", artist("x", styles=("Baroque",), nationalities=("Dutch",)))
            for number in range(5)
        ]
        three = work("b", artist("jan", styles=("Baroque",), nationalities=("Dutch",)))
        strangers = [
            work(f"zz{number}", artist("x", styles=("Pop",), nationalities=("Irish",)))
            for number in range(20)
        ]
        self.nearly_tied(collection, one, three, *two, *strangers)
        found = ids(collection.search(row(1), 27, fingerprint=FINGERPRINT, text="jan dutch baroque"))
        assert len(found) == 27 and found.index("b") < found.index("a")

    def test_words_find_a_distant_work(self, collection: Collection) -> None:
        near = [work(f"a{number:03}", artist("someone")) for number in range(300)]
        close = [row(10, 0.01 * (number + 1)) for number in range(300)]
        collection.upsert([*near, work("far", artist("monet"))], rows(*close, row(-1)))
        assert "far" in ids(collection.search(row(1), 2, fingerprint=FINGERPRINT, text="monet"))

    @pytest.mark.parametrize("words", ["", "   ", "!?", "xyzzy plugh", "a painting of the", "モネ"])
    @pytest.mark.parametrize(
        "how",
        [
            {},
            {"offset": 5},
            {"per_artist": 2},
            {"where": Filter(nationalities=("Dutch",)), "offset": 1, "per_artist": 1},
        ],
    )
    def test_words_that_match_nothing_leave_the_order_of_search(
        self, collection: Collection, many: list[Artwork], words: str, how: dict[str, Any]
    ) -> None:
        query = row(1, 2, 3)
        plain = collection.search(query, 10, fingerprint=FINGERPRINT, **how)
        assert plain
        assert ids(collection.search(query, 10, fingerprint=FINGERPRINT, text=words, **how)) == ids(plain)

    def test_a_hybrid_score_is_cosine_similarity(self, collection: Collection) -> None:
        collection.upsert(
            [work("near", artist("someone")), work("far", artist("monet"))], rows(row(3, 4), row(-1))
        )
        hits = collection.search(row(1) * 5, 2, fingerprint=FINGERPRINT, text="monet")
        assert {hit.artwork.id: hit.score for hit in hits} == pytest.approx(
            {"near": 0.6, "far": -1}, abs=1e-5
        )

    def test_pages_do_not_overlap_if_all_works_match_equally(self, collection: Collection) -> None:
        names = [f"{number:03}" for number in range(60)]
        collection.upsert([work(name, artist("monet"), file="same.jpg") for name in names], random_rows(60))
        pages = [
            ids(collection.search(row(1), 7, text="monet", fingerprint=FINGERPRINT, offset=offset))
            for offset in range(0, 60, 7)
        ]
        assert sorted(id for page in pages for id in page) == names

    def test_filters_apply_to_hybrid_searches(self, collection: Collection, many: list[Artwork]) -> None:
        french = Filter(nationalities=("French",))
        for words in ("p03", "p04", "dutch"):
            hits = collection.search(row(1), 120, fingerprint=FINGERPRINT, text=words, where=french)
            assert set(ids(hits)) == {one.id for one in many if french.matches(one.artist)}
        without = Filter(exclude_artists=("p03",))
        hits = collection.search(row(1), 120, fingerprint=FINGERPRINT, text="p03", where=without)
        assert set(ids(hits)) == {one.id for one in many if one.artist.slug != "p03"}

    def test_hybrid_pages_join_into_the_whole_list(self, collection: Collection, many: list[Artwork]) -> None:
        whole = collection.search(row(1, 2), 120, fingerprint=FINGERPRINT, text="dutch p03")
        pages = [
            collection.search(row(1, 2), 9, fingerprint=FINGERPRINT, text="dutch p03", offset=offset)
            for offset in range(0, 126, 9)
        ]
        assert len(whole) == 120 and [id for page in pages for id in ids(page)] == ids(whole)

    def test_per_artist_applies_to_hybrid_searches(self, collection: Collection, many: list[Artwork]) -> None:
        hits = collection.search(row(1), 24, fingerprint=FINGERPRINT, text="p03 p05", per_artist=2)
        slugs = [hit.artwork.artist.slug for hit in hits]
        assert len(hits) == 24 and {slugs.count(slug) for slug in slugs} == {2}
        assert set(slugs[:4]) == {"p03", "p05"}
        rest = collection.search(row(1), 24, fingerprint=FINGERPRINT, text="p03 p05", per_artist=2, offset=20)
        assert ids(rest) == ids(hits)[20:]

    def test_words_match_the_present_works(self, collection: Collection) -> None:
        works = [work("a", artist("someone")), work("z", artist("monet"))]
        collection.upsert(works, rows(row(1), row(2, 1)))
        assert ids(collection.search(row(1), 2, fingerprint=FINGERPRINT, text="monet")) == ["z", "a"]
        collection.upsert([work("z", artist("manet"))], rows(row(2, 1)))
        assert ids(collection.search(row(1), 2, fingerprint=FINGERPRINT, text="monet")) == ["a", "z"]
        assert ids(collection.search(row(1), 2, fingerprint=FINGERPRINT, text="manet")) == ["z", "a"]
        collection.delete(["z"])
        assert ids(collection.search(row(1), 2, fingerprint=FINGERPRINT, text="manet")) == ["a"]

    def test_an_empty_collection_gives_no_hits_for_words(self, collection: Collection) -> None:
        assert collection.search(row(1), 5, fingerprint=FINGERPRINT, text="monet") == []

    @pytest.mark.parametrize(
        "words",
        [
            '"',
            "'",
            '"unclosed phrase',
            "AND OR NOT",
            "monet AND NOT (",
            "mon*",
            "*",
            "(((",
            "a:b^2~3",
            "+p01 -p02",
            "x" * 500,
            "p01 " * 125,
            " ".join(f"w{number}" for number in range(110)),
            "'; DROP TABLE works; --",
            "1' OR '1'='1",
            '{Get{Artwork{_additional{id}}}} "}',
            "%_\\",
            "\x00\ufffd",
            "🎨 <b>",
        ],
    )
    def test_words_are_never_syntax(self, collection: Collection, many: list[Artwork], words: str) -> None:
        hits = collection.search(row(1), 200, fingerprint=FINGERPRINT, text=words)
        assert sorted(ids(hits)) == [one.id for one in many] and collection.count() == 120

    def test_hybrid_searches_reject_invalid_queries(self, collection: Collection) -> None:
        with pytest.raises(Invalid, match="other/8"):
            collection.search(row(1), 1, fingerprint="other/8", text="monet")
        with pytest.raises(Invalid, match="8 floats"):
            collection.search(np.ones(DIM + 1, dtype=np.float32), 1, fingerprint=FINGERPRINT, text="monet")
        with pytest.raises(Invalid, match="k must"):
            collection.search(row(1), 0, fingerprint=FINGERPRINT, text="monet")

    # -- writing

    def test_a_write_is_readable_when_the_call_returns(
        self, store: VectorStore, collection: Collection
    ) -> None:
        written = work(
            "é'\"", artist("o'keeffe", None, None, styles=("L'art", 'so "called"'), nationalities=())
        )
        collection.upsert([written], rows(row(1)))
        for reader in (collection, store.open("one")):
            assert reader.get("é'\"") == written
            assert reader.search(row(1), 1, fingerprint=FINGERPRINT)[0].artwork == written
            assert reader.vectors(["é'\""])[0] == pytest.approx(row(1))

    def test_a_repeated_id_keeps_the_newer_work(self, collection: Collection) -> None:
        collection.upsert([work("x", file="old"), work("x", file="newer")], rows(row(1), row(0, 1)))
        assert collection.get("x").file == "newer"
        collection.upsert([work("x", file="newest")], rows(row(0, 0, 1)))
        assert collection.count() == 1 and collection.get("x").file == "newest"
        assert collection.search(row(0, 0, 1), 1, fingerprint=FINGERPRINT)[0].score == pytest.approx(
            1, abs=1e-5
        )

    def test_writing_nothing_is_not_an_error(self, collection: Collection) -> None:
        collection.upsert([], np.zeros((0, DIM), dtype=np.float32))
        assert collection.count() == 0

    @pytest.mark.parametrize(
        "bad",
        [
            np.ones((1, DIM - 1)),
            np.ones((2, DIM)),
            np.full((1, DIM), math.nan),
            np.ones((1, DIM)) * 3,
            np.zeros((1, DIM)),
        ],
    )
    def test_invalid_rows_change_nothing(self, collection: Collection, bad: np.ndarray) -> None:
        with pytest.raises(Invalid):
            collection.upsert([work("x")], bad.astype(np.float32))
        assert collection.count() == 0

    def test_a_refused_write_names_the_ids(self, collection: Collection) -> None:
        with pytest.raises(Invalid, match="culprit"):
            collection.upsert([work("fine"), work("culprit")], rows(row(1), row(1) * 2))

    def test_deleted_works_are_gone(self, collection: Collection) -> None:
        collection.upsert([work("a"), work("b")], rows(row(1), row(0, 1)))
        collection.delete(["a"])
        assert collection.ids() == {"b"}

    def test_deleting_an_unknown_id_is_not_an_error(self, collection: Collection) -> None:
        collection.delete(["nobody"])
        collection.delete([])

    def test_an_unknown_id_is_not_found(self, collection: Collection) -> None:
        collection.upsert([work("a")], rows(row(1)))
        for id in ("nobody' OR 1=1 --", "", "A", "a "):
            with pytest.raises(NotFound):
                collection.get(id)
            with pytest.raises(NotFound):
                collection.vectors([id])

    # -- rows

    def test_vectors_come_in_the_requested_order_with_repeats(self, collection: Collection) -> None:
        written = random_rows(50)
        collection.upsert([work(f"{number:02}") for number in range(50)], written)
        places = [7, 3, 49, 3, 0, 7]
        found = collection.vectors([f"{place:02}" for place in places])
        assert found.shape == (6, DIM) and found.dtype == np.float32
        assert found == pytest.approx(written[places], abs=1e-6)

    def test_no_ids_give_no_vectors(self, collection: Collection) -> None:
        found = collection.vectors([])
        assert found.shape == (0, DIM) and found.dtype == np.float32

    def test_vectors_of_many_works_come_in_one_call(self, collection: Collection) -> None:
        written = random_rows(1_500)
        names = [f"{number:04}" for number in range(1_500)]
        collection.upsert([work(name) for name in names], written)
        assert collection.vectors(names[::-1]) == pytest.approx(written[::-1], abs=1e-6)

    def test_ids_without_a_vector_are_named(self, collection: Collection) -> None:
        collection.upsert([work("held9")], rows(row(1)))
        with pytest.raises(NotFound, match=r"lost1.*lost2") as caught:
            collection.vectors(["lost1", "held9", "lost2"])
        assert "held9" not in str(caught.value)

    # -- facets

    def test_facets_are_ordered_by_count_then_by_value(self, painters: Collection) -> None:
        facets = painters.facets()
        assert list(facets.artists.items()) == [
            (slug, 1) for slug in ("bosch", "living", "monet", "nobody", "o'dd", "sisley")
        ]
        assert list(facets.styles.items()) == [
            ("Impressionism", 3),
            ("It's, odd", 1),
            ("Northern Renaissance", 1),
            ("Pop Art", 1),
        ]
        assert list(facets.nationalities.items()) == [
            ("British", 2),
            ("French", 2),
            ("Dutch", 1),
            ("Irish", 1),
        ]

    def test_facets_count_only_works_that_match_the_filter(self, painters: Collection) -> None:
        facets = painters.facets(Filter(nationalities=("British",)))
        assert dict(facets.artists) == {"living": 1, "sisley": 1}
        assert dict(facets.styles) == {"Impressionism": 2, "Pop Art": 1}
        assert dict(facets.nationalities) == {"British": 2, "French": 1}
        nothing = painters.facets(Filter(artists=("stranger",)))
        assert (nothing.artists, nothing.styles, nothing.nationalities) == ({}, {}, {})

    def test_facets_of_an_empty_collection_are_empty(self, collection: Collection) -> None:
        facets = collection.facets()
        assert (facets.artists, facets.styles, facets.nationalities) == ({}, {}, {})

    def test_facets_count_every_work_and_every_value(self, collection: Collection) -> None:
        numbers = [number for number in range(150) for _ in range(1 + (number == 149) * 500)]
        works = [
            work(f"{place:04}", artist(f"p{number:03}", styles=(f"g {number:03}",)))
            for place, number in enumerate(numbers)
        ]
        collection.upsert(works, random_rows(len(works)))
        facets = collection.facets()
        assert list(facets.artists.items()) == [("p149", 501), *((f"p{n:03}", 1) for n in range(149))]
        assert list(facets.styles.items()) == [("g 149", 501), *((f"g {n:03}", 1) for n in range(149))]
        assert dict(facets.nationalities) == {"French": 650}

    # -- filters

    @pytest.fixture
    def painters(self, collection: Collection) -> Collection:
        by = [
            artist("monet", 1840, 1926, styles=("Impressionism",), nationalities=("French",)),
            artist("sisley", 1839, 1899, styles=("Impressionism",), nationalities=("French", "British")),
            artist("bosch", 1450, 1516, styles=("Northern Renaissance",), nationalities=("Dutch",)),
            artist("living", 1932, None, styles=("Pop Art", "Impressionism"), nationalities=("British",)),
            artist("nobody", None, None, styles=(), nationalities=()),
            artist("o'dd", None, 1700, styles=("It's, odd",), nationalities=("Irish",)),
        ]
        collection.upsert(
            [work(one.slug, one) for one in by], rows(*[row(1, place) for place in range(len(by))])
        )
        return collection

    @pytest.mark.parametrize(
        ("where", "expected"),
        [
            (Filter(), {"monet", "sisley", "bosch", "living", "nobody", "o'dd"}),
            (Filter(artists=("monet",)), {"monet"}),
            (Filter(artists=("monet", "bosch")), {"monet", "bosch"}),
            (Filter(artists=("o'dd",)), {"o'dd"}),
            (Filter(styles=("Impressionism",)), {"monet", "sisley", "living"}),
            (Filter(styles=("impression",)), set()),
            (Filter(styles=("It's, odd", "Pop Art")), {"o'dd", "living"}),
            (Filter(nationalities=("British",)), {"sisley", "living"}),
            (Filter(styles=("Impressionism",), nationalities=("British",)), {"sisley", "living"}),
            (Filter(artists=("monet",), nationalities=("Dutch",)), set()),
            (Filter(active_from=1900), {"monet", "living"}),
            (Filter(active_to=1700), {"bosch", "o'dd"}),
            (Filter(active_from=1600, active_to=1839), {"sisley", "o'dd"}),
            (Filter(active_from=2020), {"living"}),
            (Filter(artists=("nobody",), active_to=3000), set()),
            (Filter(exclude_artists=("monet",)), {"sisley", "bosch", "living", "nobody", "o'dd"}),
            (Filter(exclude_artists=("o'dd", "bosch")), {"monet", "sisley", "living", "nobody"}),
            (
                Filter(exclude_artists=("stranger",)),
                {"monet", "sisley", "bosch", "living", "nobody", "o'dd"},
            ),
            (Filter(styles=("Impressionism",), exclude_artists=("sisley",)), {"monet", "living"}),
            (Filter(artists=("monet", "bosch"), exclude_artists=("monet",)), {"bosch"}),
            (Filter(artists=("monet",), exclude_artists=("monet",)), set()),
            (Filter(active_from=1600, active_to=1839, exclude_artists=("o'dd",)), {"sisley"}),
        ],
    )
    def test_filters_are_and_across_fields_and_or_within(
        self, painters: Collection, where: Filter, expected: set[str]
    ) -> None:
        assert {
            hit.artwork.id for hit in painters.search(row(1), 10, fingerprint=FINGERPRINT, where=where)
        } == expected
        assert {one.id for one in painters.works(where)} == expected
        assert painters.count(where) == len(expected)
        assert set(painters.facets(where).artists) == expected

    def test_a_filter_is_applied_before_the_cut(self, painters: Collection) -> None:
        (hit,) = painters.search(row(1), 1, fingerprint=FINGERPRINT, where=Filter(artists=("living",)))
        assert hit.artwork.id == "living"

    def test_works_are_ordered_by_file_and_paged(self, collection: Collection) -> None:
        collection.upsert(
            [work(id, file=file) for id, file in [("1", "c"), ("2", "a"), ("3", "b")]], rows(*[row(1)] * 3)
        )
        assert [one.id for one in collection.works(limit=2)] == ["2", "3"]
        assert [one.id for one in collection.works(limit=2, offset=2)] == ["1"]

    # -- builds

    def test_a_new_store_has_a_version_and_no_builds(self, store: VectorStore) -> None:
        assert len(store.version()) > 5
        assert store.builds() == []

    def test_nothing_is_created_by_a_read(self, store: VectorStore) -> None:
        assert store.live() is None and store.builds() == []
        with pytest.raises(NotFound):
            store.open("one")
        with pytest.raises(NotFound):
            store.publish("one")
        with pytest.raises(NotFound):
            store.seal("one")
        store.drop("one")
        assert store.builds() == []

    def test_a_build_is_not_ready_until_sealed(self, store: VectorStore) -> None:
        store.create(build())
        assert not store.open("one").build.ready
        with pytest.raises(Invalid, match="not ready"):
            store.publish("one")
        assert store.live() is None
        assert store.seal("one").ready and store.open("one").build.ready
        store.publish("one")
        live = store.live()
        assert live is not None and live.name == "one"

    def test_a_build_remembers_what_it_was_made_from(self, store: VectorStore) -> None:
        store.create(build(works=3))
        assert store.open("one").build == build(works=3) == store.builds()[0]

    def test_the_same_name_twice_is_invalid(self, store: VectorStore) -> None:
        store.create(build())
        with pytest.raises(Invalid):
            store.create(build())

    @pytest.mark.parametrize(
        "name", ["", "../escape", "a/b", "a-1", "Capital", "a b", "é", "a\n", "x" * (MAX_NAME_LENGTH + 1)]
    )
    def test_a_name_that_some_store_refuses_is_refused_by_all(self, store: VectorStore, name: str) -> None:
        with pytest.raises(Invalid, match="cannot name a build"):
            store.create(build(name))
        for ask in (store.open, store.seal, store.publish):
            with pytest.raises(NotFound):
                ask(name)
        store.drop(name)
        assert store.builds() == []

    @pytest.mark.parametrize("name", ["b0123456789ab", "b0123456789ab_1", "0", "x" * MAX_NAME_LENGTH])
    def test_every_other_name_is_accepted(self, store: VectorStore, name: str) -> None:
        store.create(build(name))
        assert store.seal(name).name == name
        store.publish(name)
        assert store.live() == dataclasses.replace(build(name), ready=True)

    @pytest.mark.parametrize("damage", ["swapped vectors", "other data", "other JSON"])
    def test_a_damaged_live_build_is_replaced(
        self, store: VectorStore, damage: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        works = [work(f"{number:02}") for number in range(20)]

        def candidate() -> Candidate:
            return build_candidate(
                store,
                works,
                FakeEncoder(DIM).embed_texts([one.id for one in works]),
                FakeEncoder(DIM),
                vectors_version="1",
                dataset=DatasetRecord(address="memory://", version="1", generated=False),
            )

        live = candidate().build
        store.publish(live.name)
        assert candidate() == Candidate(live, reused=True)
        damaged = store.open(live.name)
        rows = damaged.vectors(["04", "03"] if damage == "swapped vectors" else ["03", "04"])
        if damage == "other JSON":
            for place in ("lance.table", "qdrant.points", "weaviate.schema"):
                monkeypatch.setattr(f"gallery.vectors.{place}.to_payload", lambda work: {"id": work.id})
        file = "f/other.jpg" if damage.startswith("other") else "f/03.jpg"
        damaged.upsert([work("03", file=file), work("04")], rows)
        monkeypatch.undo()
        made = candidate()
        assert not made.reused and made.build.name == replacement_name(live.name, 1)
        assert original_name(made.build.name) == original_name(live.name) == live.name
        store.publish(made.build.name)
        assert store.open(made.build.name).works() == works
        assert candidate() == Candidate(made.build, reused=True)

    def test_builds_are_separate(self, store: VectorStore) -> None:
        store.create(build("one")).upsert([work("x", file="1")], rows(row(1)))
        store.create(build("two")).upsert([work("x", file="2"), work("y")], rows(row(1), row(0, 1)))
        assert store.open("one").get("x").file == "1" and store.open("one").count() == 1
        assert store.open("two").get("x").file == "2" and store.open("two").count() == 2

    def test_builds_come_newest_first(self, store: VectorStore) -> None:
        for name, day in (("b", 2), ("c", 3), ("a", 1)):
            store.create(build(name, f"2026-01-0{day}T00:00:00+00:00"))
        assert [one.name for one in store.builds()] == ["c", "b", "a"]

    def test_publishing_moves_and_moves_back(self, store: VectorStore) -> None:
        for name in ("one", "two"):
            store.create(build(name))
            store.seal(name)
        for name in ("one", "two", "one"):
            store.publish(name)
            live = store.live()
            assert live is not None and live.name == name

    def test_the_live_build_cannot_be_dropped(self, store: VectorStore) -> None:
        store.create(build())
        store.seal("one")
        store.publish("one")
        with pytest.raises(Invalid, match="live"):
            store.drop("one")
        assert store.live() is not None

    def test_a_dropped_build_is_gone_and_its_name_free(self, store: VectorStore) -> None:
        store.create(build()).upsert([work("x")], rows(row(1)))
        store.drop("one")
        with pytest.raises(NotFound):
            store.open("one")
        assert store.create(build(created_at="2026-02-02T00:00:00+00:00")).count() == 0
        assert store.open("one").count() == 0


class ThreadedStoreContract(VectorStoreContract):
    """The contract of embedded stores, which fuse both rankings themselves and serve several threads."""

    def test_of_works_that_match_equally_the_nearest_comes_first(self, collection: Collection) -> None:
        by = artist("monet")
        works = [work(id, by, file="x.jpg") for id in "abcdef"] + [work("g", artist("someone"))]
        collection.upsert(works, rows(*[row(1, 5 - place) for place in range(6)], row(1, 0.01)))
        assert ids(collection.search(row(1), 7, fingerprint=FINGERPRINT, text="monet")) == list("fedcbag")

    def test_a_style_listed_twice_counts_once(self, collection: Collection) -> None:
        collection.upsert([work("a", artist("x", styles=("Pop", "Pop")))], rows(row(1)))
        assert collection.facets().styles == {"Pop": 1}
        assert collection.get("a").artist.styles == ("Pop", "Pop")

    def test_one_thread_may_write_while_others_read(self, collection: Collection) -> None:
        works = [work(f"{number:03}", artist(f"p{number % 7}")) for number in range(200)]
        vectors = random_rows(200)
        collection.upsert(works[:20], vectors[:20])

        def read(_: int) -> int:
            collection.facets(), collection.works(), collection.vectors(["003"])
            collection.search(row(1), 5, fingerprint=FINGERPRINT, text="p3")
            return len(collection.search(row(1), 20, fingerprint=FINGERPRINT))

        with ThreadPoolExecutor(4) as pool:
            counts = pool.map(read, range(24))
            for start in range(20, 200, 20):
                collection.upsert(works[start : start + 20], vectors[start : start + 20])
            assert set(counts) == {20}
        assert collection.count() == 200
