"""Damage to stored images is found by the listing alone, or by reading where the listing cannot show it."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gallery.errors import Corrupted
from gallery.objects.base import ObjectStore
from gallery.objects.local import LocalObjects
from gallery.objects.memory import MemoryObjects
from pipelines.defs.images.inventory import ImageWriter, StoredImages, check_objects, doubt
from pipelines.defs.images.storage import stored_sheet
from pipelines.tables import INVENTORY
from tests.fakes.archives import picture

THUMBNAIL = picture(1)
ORIGINALS = {f"originals/{hashlib.sha256(data).hexdigest()}.jpg": data for data in (picture(2), picture(3))}
OBJECTS = ORIGINALS | {"thumbs/a.jpg": THUMBNAIL, "thumbs/b.jpg": picture(4)}
DAMAGE = {
    "cut": lambda data: data[: len(data) // 2],
    "zeros": lambda data: bytes(len(data)),
    "empty": lambda data: b"",
    "flipped bit": lambda data: data[:-30] + bytes([data[-30] ^ 1]) + data[-29:],
    "another image": lambda data: picture(5),
}


class CountedReads(MemoryObjects):
    """A store that keeps the keys that were read."""

    def __init__(self) -> None:
        super().__init__()
        self.read: set[str] = set()

    def get(self, key: str) -> bytes:
        self.read.add(key)
        return super().get(key)


def stored(images: ObjectStore) -> MemoryObjects:
    """Store the objects; return the table store with their inventory."""
    tables, writer = MemoryObjects(), ImageWriter(images)
    for key, data in OBJECTS.items():
        assert writer.add(key, data)
    writer.save(tables, "s1")
    return tables


def damaged(tables: ObjectStore, images: ObjectStore) -> set[str]:
    return OBJECTS.keys() - check_objects(tables, images, OBJECTS, workers=1).whole


@settings(max_examples=30)
@given(st.dictionaries(st.sampled_from(sorted(OBJECTS)), st.sampled_from([*DAMAGE, "lost", "rewritten"])))
def test_exactly_the_damaged_objects_are_found_and_no_unchanged_one_is_read(changes: dict[str, str]) -> None:
    images = CountedReads()
    tables = stored(images)
    for key, change in changes.items():
        if change == "lost":
            images.delete(key)
        else:
            images.put(key, DAMAGE.get(change, bytes)(OBJECTS[key]))
    bad = {key for key, change in changes.items() if change != "rewritten"}
    assert damaged(tables, images) == bad
    assert images.read <= changes.keys()
    writer = ImageWriter(images)
    for key in bad:
        writer.add(key, OBJECTS[key], replace=True)
    writer.save(tables, "s2")
    images.read.clear()
    assert damaged(tables, images) == set() and images.read == set()


def test_without_an_inventory_each_object_is_read_once() -> None:
    images = CountedReads()
    tables = stored(images)
    images.put("thumbs/a.jpg", DAMAGE["cut"](THUMBNAIL))
    for key in tables.sizes():
        tables.put(key, b"cut")
    assert damaged(tables, images) == {"thumbs/a.jpg"} and images.read == OBJECTS.keys()
    images.put("thumbs/a.jpg", THUMBNAIL)
    assert damaged(tables, images) == set()
    images.read.clear()
    assert damaged(tables, images) == set() and images.read == set()
    assert set(tables.sizes("inventory")) == {INVENTORY.key}


@pytest.mark.parametrize("found_by", ["reading", "reread"])
def test_a_flipped_bit_that_a_folder_does_not_show_is_found_by_reading(tmp_path: Path, found_by: str) -> None:
    images = LocalObjects(tmp_path)
    tables = stored(images)
    path = tmp_path / "thumbs/a.jpg"
    times = (path.stat().st_atime_ns, path.stat().st_mtime_ns)
    path.write_bytes(DAMAGE["flipped bit"](THUMBNAIL))
    os.utime(path, ns=times)
    assert damaged(tables, images) == set()
    if found_by == "reading":
        with pytest.raises(Corrupted, match=r"thumbs/a\.jpg .*its checksum is wrong"):
            StoredImages(images, tables).open("thumbs/a.jpg")
    else:
        doubt(tables)
    assert damaged(tables, images) == {"thumbs/a.jpg"}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_contact_sheet_is_drawn_again_and_one_with_gaps_is_not_stored(damage: str) -> None:
    tables, images = MemoryObjects("memory://tables"), MemoryObjects("memory://images")
    images.put("thumbs/a.jpg", THUMBNAIL)
    sheet = stored_sheet(tables, images, "images", ["thumbs/a.jpg"])
    (key,) = tables.sizes("sheets/")
    tables.put(key, DAMAGE[damage](sheet))
    assert stored_sheet(tables, images, "images", ["thumbs/a.jpg"]) == sheet == tables.get(key)
    stored_sheet(tables, images, "images", ["thumbs/a.jpg", "thumbs/missing.jpg"])
    assert not tables.sizes("sheets/")
