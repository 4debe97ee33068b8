"""The local and the in-memory object store: the contract, and what only files have."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from gallery import durable
from gallery.errors import NotFound, Unavailable
from gallery.objects.base import IMAGES, ObjectStore
from gallery.objects.local import LocalObjects
from gallery.objects.memory import MemoryObjects
from tests.contracts.object_store import ObjectStoreContract


class TestMemoryObjects(ObjectStoreContract):
    @pytest.fixture
    def objects(self, tmp_path: Path) -> ObjectStore:
        return MemoryObjects()


class TestLocalObjects(ObjectStoreContract):
    @pytest.fixture
    def objects(self, tmp_path: Path) -> ObjectStore:
        return LocalObjects(tmp_path / "not" / "yet")

    def test_a_failed_write_names_the_path(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("in the way")
        with pytest.raises(Unavailable, match="file"):
            LocalObjects(tmp_path / "file").put("a", b"x")

    @pytest.mark.parametrize("name", [".tmp123", ".DS_Store", "._b", "notes (1).txt"])
    def test_a_file_that_is_not_an_object_is_not_listed(self, tmp_path: Path, name: str) -> None:
        store = LocalObjects(tmp_path)
        store.put("a/b", b"x")
        (tmp_path / "a" / name).write_bytes(b"half")
        assert store.sizes() == {"a/b": 1} and list(store.etags("a/")) == ["a/b"]

    def test_a_folder_that_cannot_be_listed_is_not_an_empty_one(self, tmp_path: Path) -> None:
        (tmp_path / "a").symlink_to("a")
        with pytest.raises(Unavailable, match="cannot list"):
            LocalObjects(tmp_path).sizes("a/")

    def test_a_listing_leaves_out_what_is_deleted_meanwhile(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store, walk = LocalObjects(tmp_path), os.walk
        for name in ("a/1", "a/2"):
            store.put(name, b"x")

        def walk_beside_a_delete(start: Path, **options: Any) -> object:
            listed = list(walk(start, **options))
            store.delete("a/1")
            return listed

        monkeypatch.setattr(os, "walk", walk_beside_a_delete)
        assert store.sizes("a/") == {"a/2": 1}

    def test_adding_works_without_hard_links(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def refused(*_: object) -> None:
            raise PermissionError(errno.EPERM, "Operation not permitted")

        monkeypatch.setattr(os, "link", refused)
        store = LocalObjects(tmp_path)
        assert store.add("a/b", b"first") and store.add("a/b", b"second") is None
        store.put("a/empty", b"")
        assert store.add("a/empty", b"full")
        assert store.get("a/b") == b"first" and store.get("a/empty") == b"full"
        assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["b", "empty"]

    def test_a_failed_add_is_unavailable_and_leaves_nothing(self, tmp_path: Path) -> None:
        (tmp_path / "folder" / "below").mkdir(parents=True)
        (tmp_path / "file").write_text("in the way")
        for key in ("folder/below", "file/a"):
            with pytest.raises(Unavailable, match=key):
                LocalObjects(tmp_path).add(key, b"x")
        assert list((tmp_path / "folder").iterdir()) == [tmp_path / "folder" / "below"]

    def test_other_users_can_read_added_objects(self, tmp_path: Path) -> None:
        LocalObjects(tmp_path).add("a", b"x")
        assert (tmp_path / "a").stat().st_mode & 0o777 == 0o644 and (tmp_path / "a").stat().st_nlink == 1

    def test_opening_creates_nothing(self, tmp_path: Path) -> None:
        store = IMAGES.open(f"file://{tmp_path}/images")
        with pytest.raises(NotFound):
            store.get("a")
        assert not (tmp_path / "images").exists()


def test_what_killed_writes_left_is_deleted_after_a_day(tmp_path: Path) -> None:
    store = LocalObjects(tmp_path)
    store.put("a/b", b"x")
    left, others = tmp_path / "a" / ".x1y2z3_8.part", [tmp_path / "version-2.zip.part", tmp_path / ".a.part"]
    for path in (left, *others):
        path.write_bytes(b"x")
        os.utime(path, (0, 0))
    with durable.temporary_file(tmp_path / "a" / "c", b"x") as being_written:
        assert store.remove_leftovers() == 1 and being_written.exists()
    assert not left.exists() and all(path.exists() for path in others) and store.get("a/b") == b"x"
