"""The contract of every object store."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from gallery.errors import Invalid, NotFound
from gallery.objects.base import ObjectStore


class ObjectStoreContract:
    @pytest.fixture
    def objects(self, tmp_path: Path) -> ObjectStore:
        raise AssertionError("subclasses provide the store")

    def test_put_bytes_can_be_read(self, objects: ObjectStore) -> None:
        objects.put("a/b.bin", b"\x00\xff", "image/png")
        assert objects.get("a/b.bin") == b"\x00\xff"

    def test_a_second_put_replaces_the_first(self, objects: ObjectStore) -> None:
        objects.put("a", b"old")
        objects.put("a", b"newer")
        assert objects.get("a") == b"newer" and objects.sizes() == {"a": 5}

    def test_an_unknown_key_is_not_found(self, objects: ObjectStore) -> None:
        objects.put("a/b", b"x")
        for key in ("nothing", "a", "a/b/c"):
            with pytest.raises(NotFound):
                objects.get(key)

    def test_sizes_lists_the_keys_of_a_prefix_in_order(self, objects: ObjectStore) -> None:
        for key in ("thumbs/b", "thumbs/a", "thumbsnail", "originals/a"):
            objects.put(key, b"1234")
        assert list(objects.sizes("thumbs/")) == ["thumbs/a", "thumbs/b"]
        assert list(objects.sizes("thumbs")) == ["thumbs/a", "thumbs/b", "thumbsnail"]
        assert len(objects.sizes()) == 4

    def test_a_new_store_is_empty(self, objects: ObjectStore) -> None:
        assert objects.sizes() == {} and objects.sizes("a/") == {}
        with pytest.raises(NotFound):
            objects.get("a")

    def test_deleting_an_unknown_key_is_not_an_error(self, objects: ObjectStore) -> None:
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
    def test_an_invalid_key_is_rejected(self, objects: ObjectStore, key: str) -> None:
        for act in (
            objects.get,
            objects.delete,
            lambda key: objects.put(key, b""),
            lambda key: objects.add(key, b"x"),
            objects.public_url,
            lambda key: objects.signed_url(key, 60),
        ):
            with pytest.raises(Invalid):
                act(key)

    def test_many_threads_may_write_one_key(self, objects: ObjectStore) -> None:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda number: objects.put("same/key", bytes([number]) * 1000), range(40)))
        assert objects.get("same/key") in [bytes([number]) * 1000 for number in range(40)]
        assert objects.sizes() == {"same/key": 1000}

    # Adding

    def test_added_bytes_can_be_read(self, objects: ObjectStore) -> None:
        assert objects.add("a/b.bin", b"\x00\xff", "image/png")
        assert objects.get("a/b.bin") == b"\x00\xff" and objects.sizes() == {"a/b.bin": 2}

    def test_a_second_add_changes_nothing(self, objects: ObjectStore) -> None:
        assert objects.add("a", b"first")
        assert objects.add("a", b"another") is None
        assert objects.get("a") == b"first" and objects.sizes() == {"a": 5}

    def test_adding_does_not_replace_a_put_object(self, objects: ObjectStore) -> None:
        objects.put("a", b"put")
        assert objects.add("a", b"added") is None
        assert objects.get("a") == b"put"

    def test_an_empty_object_counts_as_absent(self, objects: ObjectStore) -> None:
        objects.put("a", b"")
        assert objects.add("a", b"whole")
        assert objects.add("a", b"again") is None
        assert objects.get("a") == b"whole"

    def test_a_deleted_object_can_be_added_again(self, objects: ObjectStore) -> None:
        objects.add("a", b"old")
        objects.delete("a")
        assert objects.add("a", b"new")
        assert objects.get("a") == b"new"

    def test_exactly_one_of_many_threads_adds_a_key(self, objects: ObjectStore) -> None:
        data = [bytes([number]) * 1000 for number in range(40)]
        with ThreadPoolExecutor(8) as pool:
            added = list(pool.map(lambda number: objects.add("same/key", data[number]), range(40)))
        (first,) = [number for number, etag in enumerate(added) if etag]
        assert objects.get("same/key") == data[first] and objects.sizes() == {"same/key": 1000}

    # Etags

    def test_the_etag_of_an_object_is_that_of_its_last_write(self, objects: ObjectStore) -> None:
        first = objects.add("a/b", b"first")
        objects.add("a/c", b"other")
        assert objects.etags("a/b") == {"a/b": first}
        assert objects.add("a/b", b"FIRST") is None and objects.etags("a/b") == {"a/b": first}
        second = objects.add("a/b", b"FIRST", replace=True)
        assert objects.get("a/b") == b"FIRST" and objects.etags("a/b") == {"a/b": second}
        objects.put("a/b", b"third")
        assert first and second and len({first, second, objects.etags()["a/b"]}) == 3
        assert list(objects.etags("a/")) == list(objects.sizes("a/"))

    # Web addresses

    @pytest.mark.parametrize("key", ["a", "thumbs/320-v1/ab/abcd.webp"])
    def test_a_web_address_ends_with_the_key_or_the_error_names_a_setting(
        self, objects: ObjectStore, key: str
    ) -> None:
        objects.put(key, b"x")
        for address_of in (objects.public_url, lambda key: objects.signed_url(key, 60)):
            try:
                address = urlsplit(address_of(key))
            except Invalid as error:
                assert "GALLERY_DELIVERY=app" in str(error)
            else:
                assert address.scheme in ("https", "http") and address.netloc
                assert unquote(address.path).endswith(f"/{key}")
