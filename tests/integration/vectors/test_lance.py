"""The vector stores keep the contract, and the embedded one what only files on disk can break."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gallery.errors import Corrupted, Invalid
from gallery.vectors.base import VECTORS, Collection, VectorStore
from gallery.vectors.filters import Filter
from gallery.vectors.lance import LIVE, LanceStore, lancedb
from gallery.vectors.memory import MemoryStore
from tests.contracts.vector_store import (
    FINGERPRINT,
    VectorStoreContract,
    artist,
    build,
    ids,
    random_rows,
    row,
    rows,
    work,
)


class ExactStoreContract(VectorStoreContract):
    """What the stores keep besides that rank every work, by the rules of `gallery.vectors.ranking`."""

    def test_among_works_that_match_alike_the_nearer_comes_first(self, collection: Collection) -> None:
        by = artist("monet")
        works = [work(id, by, file="x.jpg") for id in "abcdef"] + [work("g", artist("someone"))]
        collection.upsert(works, rows(*[row(1, 5 - place) for place in range(6)], row(1, 0.01)))
        assert ids(collection.search(row(1), 7, fingerprint=FINGERPRINT, text="monet")) == list("fedcbag")

    def test_a_genre_that_an_artist_has_twice_counts_a_work_once(self, collection: Collection) -> None:
        collection.upsert([work("a", artist("x", styles=("Pop", "Pop")))], rows(row(1)))
        assert collection.facets().styles == {"Pop": 1}
        assert collection.get("a").artist.styles == ("Pop", "Pop")

    @pytest.mark.parametrize("words", ["p03", "dutch p05 baroque", "french", "17 42 p01 p02", "nothing"])
    @pytest.mark.parametrize("per_artist", [None, 2])
    def test_it_finds_what_the_store_in_memory_finds(
        self, collection: Collection, words: str, per_artist: int | None
    ) -> None:
        painters = [
            artist(
                f"p{n:02}",
                styles=(("Baroque", "Pop")[n % 2],),
                nationalities=(("Dutch", "French")[n % 3 > 0],),
            )
            for n in range(12)
        ]
        works = [work(f"{number:03}", painters[number % 12]) for number in range(400)]
        vectors = random_rows(400)
        vectors[200:] = vectors[:200]  # so that every work ties with one
        yardstick = MemoryStore().create(build())
        for one in (collection, yardstick):
            one.upsert(works, vectors)
        for where in (Filter(), Filter(styles=("Pop",), exclude_artists=("p05",))):
            for k, offset in ((1, 0), (10, 0), (25, 13), (500, 3)):
                found, expected = (
                    one.search(
                        row(1, 2, 3),
                        k,
                        text=words,
                        fingerprint=FINGERPRINT,
                        where=where,
                        offset=offset,
                        per_artist=per_artist,
                    )
                    for one in (collection, yardstick)
                )
                assert ids(found) == ids(expected)
                assert [hit.score for hit in found] == pytest.approx(
                    [hit.score for hit in expected], abs=1e-5
                )

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


class TestMemoryStore(ExactStoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> VectorStore:
        return MemoryStore()


class TestLanceStore(ExactStoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> VectorStore:
        return LanceStore(tmp_path / "not" / "there" / "yet")

    def test_reading_makes_no_folder(self, store: VectorStore, tmp_path: Path) -> None:
        store.live(), store.builds()
        assert list(tmp_path.iterdir()) == []

    def test_a_pointer_to_a_build_that_is_gone_is_said(self, tmp_path: Path) -> None:
        (tmp_path / LIVE).write_text("vanished\n")
        with pytest.raises(Corrupted, match="vanished"):
            LanceStore(tmp_path).live()

    def test_a_build_whose_rows_are_gone_is_corrupted(self, tmp_path: Path) -> None:
        LanceStore(tmp_path).create(build())
        (tmp_path / "one.lance").rename(tmp_path / "elsewhere")
        with pytest.raises(Corrupted, match="one"):
            LanceStore(tmp_path).open("one").count()

    def test_a_damaged_manifest_or_pointer_is_corrupted_and_says_where(self, tmp_path: Path) -> None:
        store = LanceStore(tmp_path)
        store.create(build())
        for text in ("", "not json", "[]", '{"name": "one"}'):
            (tmp_path / "one.json").write_text(text)
            with pytest.raises(Corrupted, match=r"one\.json"):
                store.open("one")
        for text in ("", "../up", "a/b"):
            (tmp_path / LIVE).write_text(text)
            with pytest.raises(Corrupted, match="LIVE"):
                store.live()

    def test_a_lost_data_file_is_corrupted(self, tmp_path: Path) -> None:
        LanceStore(tmp_path).create(build()).upsert([work("x")], rows(row(1)))
        for file in (tmp_path / "one.lance" / "data").iterdir():
            file.unlink()
        with pytest.raises(Corrupted, match="gallery refresh"):
            LanceStore(tmp_path).open("one").search(row(1), 1, fingerprint=FINGERPRINT)

    def test_a_build_of_before_there_were_words_is_searched_by_nearness(self, tmp_path: Path) -> None:
        LanceStore(tmp_path).create(build()).upsert(
            [work("a", artist("someone")), work("z", artist("monet"))], rows(row(1), row(1))
        )
        lancedb.connect(tmp_path).open_table("one").drop_columns(["words"])
        old = LanceStore(tmp_path).open("one")
        for text in ("", "monet"):
            assert ids(old.search(row(1), 5, fingerprint=FINGERPRINT, text=text)) == ["a", "z"]
        assert old.get("z").artist.slug == "monet" and old.facets().artists == {"monet": 1, "someone": 1}

    def test_a_key_is_taken_and_not_needed(self, tmp_path: Path) -> None:
        assert VECTORS.open(f"lance://{tmp_path}", api_key="secret").builds() == []
        assert "secret" not in repr(vars(VECTORS.open("memory://keyed", api_key="secret")))

    def test_rows_that_a_dead_run_left_without_a_manifest_are_written_over(self, tmp_path: Path) -> None:
        LanceStore(tmp_path).create(build()).upsert([work("x")], rows(row(1)))
        (tmp_path / "one.json").unlink()
        assert LanceStore(tmp_path).builds() == []
        assert LanceStore(tmp_path).create(build()).count() == 0

    def test_a_reader_follows_what_another_process_publishes(self, tmp_path: Path) -> None:
        reader = LanceStore(tmp_path)
        assert reader.live() is None
        writer = multiprocessing.get_context("spawn").Process(
            target=_write_and_publish, args=(tmp_path, "one")
        )
        writer.start()
        writer.join(60)
        live = reader.live()
        assert live is not None and live.name == "one"
        assert [hit.artwork.id for hit in reader.open("one").search(row(1), 5, fingerprint=FINGERPRINT)] == [
            "x"
        ]


def _write_and_publish(folder: Path, name: str) -> None:
    store = LanceStore(folder)
    store.create(build(name)).upsert([work("x")], rows(row(1)))
    store.seal(name)
    store.publish(name)


def test_an_address_opens_its_store(tmp_path: Path) -> None:
    assert VECTORS.open(f"lance://{tmp_path}").address == f"lance://{tmp_path}"
    assert VECTORS.open("memory://a") is VECTORS.open("memory://a")
    assert VECTORS.open("memory://a") is not VECTORS.open("memory://b")


def test_an_unknown_scheme_says_which_exist() -> None:
    with pytest.raises(Invalid, match=r"GALLERY_VECTORS takes lance://, .*memory://"):
        VECTORS.open("pinecone://x")


def test_an_unknown_option_is_an_error() -> None:
    with pytest.raises(Invalid, match="unknown option 'shards'"):
        VECTORS.open("memory://?shards=3")
