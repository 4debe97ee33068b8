"""The object stores keep the contract."""

from __future__ import annotations

from pathlib import Path

import pytest

from gallery.errors import NotFound, Unavailable
from gallery.objects import IMAGES, ObjectStore
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

    def test_a_write_that_cannot_be_is_unavailable_and_says_where(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("in the way")
        with pytest.raises(Unavailable, match="file"):
            LocalObjects(tmp_path / "file").put("a", b"x")

    def test_what_a_killed_write_left_is_not_an_object(self, tmp_path: Path) -> None:
        (tmp_path / "a").mkdir()
        (tmp_path / "a" / "tmp123.part").write_bytes(b"half")
        assert LocalObjects(tmp_path).sizes() == {}

    def test_an_address_opens_a_folder(self, tmp_path: Path) -> None:
        store = IMAGES.open(f"file://{tmp_path}/images")
        with pytest.raises(NotFound):
            store.get("a")
        assert not (tmp_path / "images").exists()
