"""What every object store keeps, one test a sentence."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gallery.errors import Invalid, NotFound
from gallery.objects import ObjectStore


class ObjectStoreContract:
    @pytest.fixture
    def objects(self, tmp_path: Path) -> ObjectStore:
        raise AssertionError("the subclass gives its store")

    def test_what_is_put_is_got(self, objects: ObjectStore) -> None:
        objects.put("a/b.bin", b"\x00\xff", "image/png")
        assert objects.get("a/b.bin") == b"\x00\xff"

    def test_a_second_put_replaces(self, objects: ObjectStore) -> None:
        objects.put("a", b"old")
        objects.put("a", b"newer")
        assert objects.get("a") == b"newer" and objects.sizes() == {"a": 5}

    def test_an_unknown_key_is_not_found(self, objects: ObjectStore) -> None:
        objects.put("a/b", b"x")
        for key in ("nothing", "a", "a/b/c"):
            with pytest.raises(NotFound):
                objects.get(key)

    def test_sizes_lists_a_prefix_in_order(self, objects: ObjectStore) -> None:
        for key in ("thumbs/b", "thumbs/a", "thumbsnail", "originals/a"):
            objects.put(key, b"1234")
        assert list(objects.sizes("thumbs/")) == ["thumbs/a", "thumbs/b"]
        assert list(objects.sizes("thumbs")) == ["thumbs/a", "thumbs/b", "thumbsnail"]
        assert len(objects.sizes()) == 4

    def test_a_store_never_written_to_is_empty(self, objects: ObjectStore) -> None:
        assert objects.sizes() == {} and objects.sizes("a/") == {}
        with pytest.raises(NotFound):
            objects.get("a")

    def test_deleting_removes_and_an_unknown_key_is_not_an_error(self, objects: ObjectStore) -> None:
        objects.put("a", b"x")
        objects.delete("a")
        objects.delete("a")
        assert objects.sizes() == {}

    @pytest.mark.parametrize(
        "key",
        [
            "",
            "/etc/passwd",
            "../up",
            "a/../b",
            "a//b",
            "a/",
            ".hidden",
            "a b",
            "a\x00",
            "a\n",
            "ä",
            "x" * 501,
        ],
    )
    def test_what_is_no_key_is_invalid(self, objects: ObjectStore, key: str) -> None:
        for act in (objects.get, objects.delete, lambda key: objects.put(key, b"")):
            with pytest.raises(Invalid):
                act(key)

    def test_many_threads_may_write_one_key(self, objects: ObjectStore) -> None:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda number: objects.put("same/key", bytes([number]) * 1000), range(40)))
        assert objects.get("same/key") in [bytes([number]) * 1000 for number in range(40)]
        assert objects.sizes() == {"same/key": 1000}
