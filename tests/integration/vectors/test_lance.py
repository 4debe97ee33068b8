"""The Lance store: the contract, and damage to files on disk."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest

from gallery.errors import Corrupted, Invalid, Unavailable
from gallery.vectors.base import VECTORS, VectorStore
from gallery.vectors.filters import Filter
from gallery.vectors.lance import LIVE, LanceStore, collection, table
from gallery.vectors.lance.collection import LanceCollection, lancedb
from gallery.vectors.lance.table import TEXT, VECTOR
from gallery.vectors.memory import MemoryStore
from tests.contracts.vector_store import (
    FINGERPRINT,
    ThreadedStoreContract,
    artist,
    build,
    ids,
    random_rows,
    row,
    rows,
    work,
)
from tests.fakes.processes import HANG_GUARD_S


class TestLanceStore(ThreadedStoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> VectorStore:
        return LanceStore(tmp_path / "not" / "there" / "yet")

    def test_reading_makes_no_folder(self, store: VectorStore, tmp_path: Path) -> None:
        store.live(), store.builds()
        assert list(tmp_path.iterdir()) == []

    def test_a_pointer_to_a_missing_build_is_corrupted(self, tmp_path: Path) -> None:
        (tmp_path / LIVE).write_text("vanished\n")
        with pytest.raises(Corrupted, match="vanished"):
            LanceStore(tmp_path).live()

    def test_a_build_whose_rows_are_gone_is_corrupted(self, tmp_path: Path) -> None:
        LanceStore(tmp_path).create(build())
        (tmp_path / "one.lance").rename(tmp_path / "elsewhere")
        with pytest.raises(Corrupted, match="one"):
            LanceStore(tmp_path).open("one").count()

    def test_a_file_that_the_system_refuses_to_open_is_not_corrupted(self, tmp_path: Path) -> None:
        store = LanceStore(tmp_path)
        store.create(build()).upsert([work("w")], rows(row(1)))
        (file,) = (tmp_path / "one.lance" / "data").iterdir()
        file.unlink()
        with pytest.raises(Corrupted, match="run `gallery refresh`"):
            LanceStore(tmp_path).open("one").works()
        file.symlink_to(file.name)  # too many levels of symbolic links
        with pytest.raises(Unavailable, match="cannot be read now"):
            LanceStore(tmp_path).open("one").works()

    def test_a_damaged_manifest_or_pointer_is_corrupted(self, tmp_path: Path) -> None:
        store = LanceStore(tmp_path)
        store.create(build())
        for data in (b"", b"not json", b"[]", b'{"name": "one"}', b"\xff\xfe"):
            (tmp_path / "one.json").write_bytes(data)
            with pytest.raises(Corrupted, match=r"one\.json"):
                store.open("one")
            assert store.builds() == []
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

    def test_a_build_without_a_text_index_is_searched_by_vector(self, tmp_path: Path) -> None:
        LanceStore(tmp_path).create(build()).upsert(
            [work("a", artist("someone")), work("z", artist("monet"))], rows(row(1), row(1))
        )
        lancedb.connect(tmp_path).open_table("one").drop_columns([TEXT])
        old = LanceStore(tmp_path).open("one")
        for text in ("", "monet"):
            assert ids(old.search(row(1), 5, fingerprint=FINGERPRINT, text=text)) == ["a", "z"]
        assert old.get("z").artist.slug == "monet" and old.facets().artists == {"monet": 1, "someone": 1}

    @pytest.mark.parametrize(
        ("where", "per_artist"),
        [
            (Filter(), None),
            (Filter(), 2),
            (Filter(artists=("p3",)), None),  # 10 works of 600, fewer than are compared one by one
            (Filter(nationalities=("Dutch",)), None),
            (Filter(exclude_artists=("p3",)), 1),
        ],
    )
    def test_an_indexed_build_gives_the_exact_results(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: Filter, per_artist: int | None
    ) -> None:
        monkeypatch.setattr(table, "MIN_INDEXED_ROWS", 500)
        monkeypatch.setattr(collection, "EXACT_ROWS", 50)
        store = LanceStore(tmp_path)
        artists = [artist(f"p{n}", nationalities=(("Dutch", "French")[n % 2],)) for n in range(60)]
        works, vectors = [work(f"{n:03}", artists[n % 60]) for n in range(600)], random_rows(600)
        exact = MemoryStore().create(build())
        for one in (store.create(build()), exact):
            one.upsert(works, vectors)
        store.seal("one")
        indexed = store.open("one")
        assert isinstance(indexed, LanceCollection) and indexed._indexed_columns == {"id", TEXT, VECTOR}
        for k, offset in ((1, 0), (10, 0), (24, 48), (600, 0)):
            found, expected = (
                one.search(
                    row(1, 2, 3),
                    k,
                    fingerprint=FINGERPRINT,
                    where=where,
                    offset=offset,
                    per_artist=per_artist,
                )
                for one in (indexed, exact)
            )
            assert ids(found) == ids(expected)
            assert [hit.score for hit in found] == pytest.approx([hit.score for hit in expected], abs=1e-5)
        assert ids(indexed.search(row(1), 2, fingerprint=FINGERPRINT, text="p3", where=where))

    def test_a_key_is_ignored(self, tmp_path: Path) -> None:
        assert VECTORS.open(f"lance://{tmp_path}", api_key="secret").builds() == []
        assert "secret" not in repr(vars(VECTORS.open("memory://keyed", api_key="secret")))

    def test_rows_without_a_manifest_are_overwritten(self, tmp_path: Path) -> None:
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
        writer.join(HANG_GUARD_S)
        assert writer.exitcode == 0
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
