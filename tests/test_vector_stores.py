"""The vector stores keep the contract, and the embedded one what only files on disk can break."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest

from gallery.errors import Invalid, Unavailable
from gallery.vectors import VECTORS, VectorStore
from gallery.vectors.lance import LIVE, LanceStore
from gallery.vectors.memory import MemoryStore
from tests.contracts.vector_store import FINGERPRINT, VectorStoreContract, build, row, rows, work


class TestMemoryStore(VectorStoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> VectorStore:
        return MemoryStore()


class TestLanceStore(VectorStoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> VectorStore:
        return LanceStore(tmp_path / "not" / "there" / "yet")

    def test_reading_makes_no_folder(self, store: VectorStore, tmp_path: Path) -> None:
        store.live(), store.builds()
        assert list(tmp_path.iterdir()) == []

    def test_a_pointer_to_a_build_that_is_gone_is_said(self, tmp_path: Path) -> None:
        (tmp_path / LIVE).write_text("vanished\n")
        with pytest.raises(Unavailable, match="vanished"):
            LanceStore(tmp_path).live()

    def test_a_build_whose_rows_are_gone_is_unavailable(self, tmp_path: Path) -> None:
        LanceStore(tmp_path).create(build())
        (tmp_path / "one.lance").rename(tmp_path / "elsewhere")
        with pytest.raises(Unavailable, match="one"):
            LanceStore(tmp_path).open("one").count()

    def test_a_damaged_manifest_or_pointer_is_unavailable_and_says_where(self, tmp_path: Path) -> None:
        store = LanceStore(tmp_path)
        store.create(build())
        for text in ("", "not json", "[]", '{"name": "one"}'):
            (tmp_path / "one.json").write_text(text)
            with pytest.raises(Unavailable, match=r"one\.json"):
                store.open("one")
        for text in ("", "../up", "a/b"):
            (tmp_path / LIVE).write_text(text)
            with pytest.raises(Unavailable, match="LIVE"):
                store.live()

    def test_a_lost_data_file_is_unavailable(self, tmp_path: Path) -> None:
        LanceStore(tmp_path).create(build()).upsert([work("x")], rows(row(1)))
        for file in (tmp_path / "one.lance" / "data").iterdir():
            file.unlink()
        with pytest.raises(Unavailable, match="gallery refresh"):
            LanceStore(tmp_path).open("one").search(row(1), 1, fingerprint=FINGERPRINT)

    def test_rows_that_a_dead_run_left_without_a_manifest_are_written_over(self, tmp_path: Path) -> None:
        LanceStore(tmp_path).create(build()).upsert([work("x")], rows(row(1)))
        (tmp_path / "one.json").unlink()
        assert LanceStore(tmp_path).builds() == []
        assert LanceStore(tmp_path).create(build()).count() == 0

    @pytest.mark.parametrize("name", ["../escape", "", "a/b", "x" * 101])
    def test_a_name_that_is_no_file_name_is_invalid(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(Invalid):
            LanceStore(tmp_path).create(build(name))

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
    with pytest.raises(Invalid, match=r"GALLERY_VECTORS takes lance://, memory://"):
        VECTORS.open("pinecone://x")


def test_an_unknown_option_is_an_error() -> None:
    with pytest.raises(Invalid, match="unknown option 'shards'"):
        VECTORS.open("memory://?shards=3")
