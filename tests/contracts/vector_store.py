"""What every vector store keeps, one test a sentence. A store's own tests subclass this with one fixture."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from gallery.catalog import Artist, Artwork, Build, Picture
from gallery.errors import Invalid, NotFound
from gallery.vectors import Collection, VectorStore
from gallery.vectors.filters import Filter

DIM = 8
FINGERPRINT = "fake/8"


def build(name: str = "one", created_at: str = "2026-01-01T00:00:00+00:00", works: int = 0) -> Build:
    return Build(name, "fake", FINGERPRINT, DIM, works, "memory://", "1", False, created_at)


def artist(
    slug: str = "a", birth: int | None = 1840, death: int | None = 1926, **other: tuple[str, ...]
) -> Artist:
    facts = {"genres": ("Realism",), "nationalities": ("French",), **other}
    return Artist(slug, slug.title(), birth, death, facts["genres"], facts["nationalities"], "s", "b", "")


def work(id: str, by: Artist | None = None, file: str | None = None) -> Artwork:
    return Artwork(id, by or artist(), file or f"f/{id}.jpg", "00", Picture("o", "l", "s", 4, 3, "#102030"))


def row(*values: float) -> np.ndarray:
    vector = np.zeros(DIM, dtype=np.float32)
    vector[: len(values)] = values
    return vector / np.linalg.norm(vector)


def rows(*vectors: np.ndarray) -> np.ndarray:
    return np.stack(vectors)


class VectorStoreContract:
    @pytest.fixture
    def store(self, tmp_path: Path) -> VectorStore:
        raise AssertionError("the subclass gives its store")

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

    def test_ties_are_ordered_by_id_also_where_the_cut_falls_inside_one(self, collection: Collection) -> None:
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

    # -- writing

    def test_a_write_is_readable_when_the_call_returns(
        self, store: VectorStore, collection: Collection
    ) -> None:
        written = work(
            "é'\"", artist("o'keeffe", None, None, genres=("L'art", 'so "called"'), nationalities=())
        )
        collection.upsert([written], rows(row(1)))
        for reader in (collection, store.open("one")):
            assert reader.get("é'\"") == written
            assert reader.search(row(1), 1, fingerprint=FINGERPRINT)[0].artwork == written
            assert reader.vector("é'\"") == pytest.approx(row(1))

    def test_the_same_id_twice_leaves_one_record_the_newer(self, collection: Collection) -> None:
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
    def test_rows_that_do_not_belong_are_invalid_and_change_nothing(
        self, collection: Collection, bad: np.ndarray
    ) -> None:
        with pytest.raises(Invalid):
            collection.upsert([work("x")], bad.astype(np.float32))
        assert collection.count() == 0

    def test_a_refused_write_names_the_ids(self, collection: Collection) -> None:
        with pytest.raises(Invalid, match="culprit"):
            collection.upsert([work("fine"), work("culprit")], rows(row(1), row(1) * 2))

    def test_deleting_takes_works_away(self, collection: Collection) -> None:
        collection.upsert([work("a"), work("b")], rows(row(1), row(0, 1)))
        collection.delete(["a"])
        assert collection.ids() == {"b"}

    def test_deleting_an_unknown_id_is_not_an_error(self, collection: Collection) -> None:
        collection.delete(["nobody"])
        collection.delete([])

    def test_an_unknown_id_is_not_found(self, collection: Collection) -> None:
        for look in (collection.get, collection.vector):
            with pytest.raises(NotFound):
                look("nobody' OR 1=1 --")

    # -- filters

    @pytest.fixture
    def painters(self, collection: Collection) -> Collection:
        by = [
            artist("monet", 1840, 1926, genres=("Impressionism",), nationalities=("French",)),
            artist("sisley", 1839, 1899, genres=("Impressionism",), nationalities=("French", "British")),
            artist("bosch", 1450, 1516, genres=("Northern Renaissance",), nationalities=("Dutch",)),
            artist("living", 1932, None, genres=("Pop Art", "Impressionism"), nationalities=("British",)),
            artist("nobody", None, None, genres=(), nationalities=()),
            artist("o'dd", None, 1700, genres=("It's, odd",), nationalities=("Irish",)),
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
            (Filter(genres=("Impressionism",)), {"monet", "sisley", "living"}),
            (Filter(genres=("impression",)), set()),
            (Filter(genres=("It's, odd", "Pop Art")), {"o'dd", "living"}),
            (Filter(nationalities=("British",)), {"sisley", "living"}),
            (Filter(genres=("Impressionism",), nationalities=("British",)), {"sisley", "living"}),
            (Filter(artists=("monet",), nationalities=("Dutch",)), set()),
            (Filter(since=1900), {"monet", "living"}),
            (Filter(until=1700), {"bosch", "o'dd"}),
            (Filter(since=1600, until=1839), {"sisley", "o'dd"}),
            (Filter(since=2020), {"living"}),
            (Filter(artists=("nobody",), until=3000), set()),
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

    def test_a_filter_is_applied_before_the_cut(self, painters: Collection) -> None:
        (hit,) = painters.search(row(1), 1, fingerprint=FINGERPRINT, where=Filter(artists=("living",)))
        assert hit.artwork.id == "living"

    def test_works_come_by_file_and_page(self, collection: Collection) -> None:
        collection.upsert(
            [work(id, file=file) for id, file in [("1", "c"), ("2", "a"), ("3", "b")]], rows(*[row(1)] * 3)
        )
        assert [one.id for one in collection.works(limit=2)] == ["2", "3"]
        assert [one.id for one in collection.works(limit=2, offset=2)] == ["1"]

    # -- builds

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

    def test_builds_are_apart(self, store: VectorStore) -> None:
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
