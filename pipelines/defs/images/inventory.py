"""What the image store should hold: checksums of originals, thumbnails and tiles of the map.

In the table store: inventory.parquet          the objects that are known
                    inventory/<part>.parquet   what a step has added since the last check

An object is whole if its etag is the one that it had when it was stored or last read. Otherwise it is read
once and compared with its checksum, so a changed object is found without reading the others. A bucket's etag
contains a checksum. A folder's is size and time, which a failing disk does not change; there,
`gallery refresh --reread` compares every object, and `StoredImages` each one that is read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from PIL import Image

from gallery import map_layout
from gallery.errors import Corrupted, Invalid, NotFound
from gallery.images.decode import open_image
from gallery.images.derivatives import CONTENT_TYPES
from gallery.objects.base import ObjectStore
from pipelines.parallel import parallel_map
from pipelines.parquet import delete_superseded
from pipelines.tables import INVENTORY, Table

PARTS = "inventory/"
PREFIXES = ("originals/", "thumbs/", map_layout.FOLDER)
MAX_PIXELS = 10**8
"""Limit for decoding a thumbnail or tile."""
UNKNOWN = ""
"""Etag of an object that must be read to know whether it is whole."""


class Checksum(NamedTuple):
    """The SHA-256 of an object in hex, and its etag when it was last known to be whole."""

    sha256: str
    etag: str


class ImageWriter:
    """Adds objects to the image store and keeps their entries for `save`. Thread-safe."""

    def __init__(self, images: ObjectStore) -> None:
        self._images = images
        self._added: dict[str, Checksum] = {}

    def add(self, key: str, data: bytes, *, replace: bool = False) -> bool:
        """Store the object unless it exists; return whether it was stored. Raises Unavailable."""
        etag = self._images.add(key, data, CONTENT_TYPES[key.rpartition(".")[2]], replace=replace)
        if etag is not None:
            self._added[key] = Checksum(hashlib.sha256(data).hexdigest(), etag)
        return etag is not None

    def save(self, tables: ObjectStore, part: str) -> None:
        """Record what was added as this part of the inventory. Raises Unavailable."""
        if self._added:
            _part(part).write(tables, INVENTORY.frame(_rows(self._added)))


@dataclass(frozen=True)
class Check:
    """Which of the wanted objects are whole, and which are damaged, with the reason."""

    whole: set[str]
    damaged: dict[str, str]


def check_objects(tables: ObjectStore, images: ObjectStore, keys: Iterable[str], *, workers: int) -> Check:
    """Compare the objects with the inventory, and update it. Reads those whose etag is not the known one.

    Raises Unavailable.
    """
    etags = {key: etag for prefix in PREFIXES for key, etag in images.etags(prefix).items()}
    parts = _parts(tables)
    before = load_inventory(tables)
    known = {key: entry for key, entry in before.items() if key in etags}
    wanted = [key for key in dict.fromkeys(keys) if key in etags]
    doubtful = [key for key in wanted if key not in known or known[key].etag != etags[key]]
    damaged = {}
    for key, (sha256, fault) in zip(
        doubtful,
        parallel_map(lambda key: _examine(images, key, known.get(key)), doubtful, workers),
        strict=True,
    ):
        if fault:
            damaged[key] = fault
        else:
            known[key] = Checksum(sha256, etags[key])
    if parts or known != before:
        INVENTORY.write(tables, INVENTORY.frame(_rows(known)))
        delete_superseded(tables, parts)
    return Check(set(wanted) - damaged.keys(), damaged)


def _examine(images: ObjectStore, key: str, entry: Checksum | None) -> tuple[str, str]:
    """Read the object; return its digest, and what is wrong with it or ""."""
    try:
        data = images.get(key)
    except NotFound:
        return "", "it is missing"
    sha256 = hashlib.sha256(data).hexdigest()
    name = key.rpartition("/")[2].partition(".")[0]
    expected = name if key.startswith("originals/") else entry.sha256 if entry else ""
    if expected:
        return sha256, "" if sha256 == expected else "its checksum is wrong"
    try:
        open_image(data, max_pixels=MAX_PIXELS)  # stored by a run that was interrupted
    except Invalid as error:
        return sha256, str(error)
    return sha256, ""


def load_inventory(tables: ObjectStore) -> dict[str, Checksum]:
    """Return the entries of all known objects. Those of a damaged table are unknown, so they are read."""
    frames = [_part_at(key).read_or_none(tables) for key in (INVENTORY.key, *_parts(tables))]
    return {
        key: Checksum(sha256, etag)
        for frame in frames
        if frame is not None
        for key, sha256, etag in zip(frame["key"], frame["sha256"], frame["etag"], strict=True)
    }


def doubt(tables: ObjectStore, keys: Iterable[str] | None = None) -> None:
    """Have the next check read these objects, by default all, whatever their etags are."""
    entries = load_inventory(tables)
    chosen = entries if keys is None else {key: entries[key] for key in keys if key in entries}
    if chosen:
        rows = {key: Checksum(entry.sha256, UNKNOWN) for key, entry in chosen.items()}
        name = hashlib.sha256("|".join(sorted(rows)).encode()).hexdigest()[:12]
        _part(f"zz-doubted-{name}").write(tables, INVENTORY.frame(_rows(rows)))


class StoredImages:
    """Thumbnails of the image store, compared with their checksums as they are read. Thread-safe."""

    def __init__(self, images: ObjectStore, tables: ObjectStore) -> None:
        self._images = images
        self._tables = tables

    @cached_property
    def _entries(self) -> dict[str, Checksum]:
        return load_inventory(self._tables)

    def open(self, key: str, *, max_pixels: int = MAX_PIXELS, side: int | None = None) -> Image.Image:
        """Return the decoded image.

        Raises NotFound, Unavailable, or Corrupted if it is damaged; then the next refresh stores it again.
        """
        data = self._images.get(key)
        entry = self._entries.get(key)
        try:
            if entry and hashlib.sha256(data).hexdigest() != entry.sha256:
                raise Invalid("its checksum is wrong")
            return open_image(data, max_pixels=max_pixels, side=side)
        except Invalid as error:
            doubt(self._tables, [key])
            raise Corrupted(
                f"{key} in {self._images.address} is damaged ({error}); `gallery refresh` stores it again"
            ) from error


def _rows(entries: Mapping[str, Checksum]) -> list[dict[str, str]]:
    return [{"key": key, "sha256": entry.sha256, "etag": entry.etag} for key, entry in entries.items()]


def _parts(tables: ObjectStore) -> list[str]:
    """Return the keys of the parts, ordered: those of `doubt` are last, since later entries count."""
    return [key for key in tables.sizes(PARTS) if key.endswith(".parquet")]


def _part(name: str) -> Table:
    return Table(f"{PARTS}{name}", INVENTORY.columns)


def _part_at(key: str) -> Table:
    return Table(key.removesuffix(".parquet"), INVENTORY.columns)
