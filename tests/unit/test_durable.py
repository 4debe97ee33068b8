"""What is written is on the disk before anything that leads to it, checked at each fsync and rename."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gallery.objects.local import LocalObjects
from gallery.vectors.lance.store import LanceStore
from pipelines.tables import SAMPLE
from tests.contracts.vector_store import build, row, work


class Disk:
    """Records the state of files and folders at each fsync, and what is not synced at each rename."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.renamed: list[str] = []
        self.lost: dict[str, list[str]] = {}
        """Target of a rename -> what a power cut right after it could lose of earlier writes."""
        self._synced: dict[int, object] = {}
        fsync = os.fsync

        def recorded(handle: int) -> None:
            fsync(handle)
            self._synced[os.fstat(handle).st_ino] = self._state(handle)

        monkeypatch.setattr(os, "fsync", recorded)
        for name in ("replace", "link"):
            monkeypatch.setattr(os, name, self._watched(getattr(os, name)))

    def _watched(self, move: Callable[..., None]) -> Callable[..., None]:
        def moved(source: Any, target: Any) -> None:
            target = Path(target)
            # The folder of the target is synced after the rename.
            unsynced = [path for path in self._unsynced() if path != target.parent]
            move(source, target)
            self.renamed.append(target.name)
            self.lost[target.name] = [str(path) for path in unsynced]

        return moved

    def _state(self, file: Path | int) -> object:
        """Return the time of a file's last change, or the names in a folder, without temporary ones."""
        found = os.stat(file)  # noqa: PTH116  # a path or a handle
        if stat.S_ISDIR(found.st_mode):
            names = os.listdir(file)  # noqa: PTH208
            return {name for name in names if not name.startswith(".")}
        return found.st_mtime_ns

    def _unsynced(self) -> Iterator[Path]:
        for path in (self.root, *self.root.rglob("*")):
            if not path.name.startswith(".") and self._state(path) != self._synced.get(path.stat().st_ino):
                yield path

    def unsynced(self) -> list[str]:
        return [str(path) for path in self._unsynced()]


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Disk:
    root = tmp_path / "disk"
    root.mkdir()
    return Disk(root, monkeypatch)


def test_objects_and_tables_are_on_the_disk_when_a_write_returns(disk: Disk) -> None:
    store = LocalObjects(disk.root / "new" / "store")
    writes: list[Callable[[], object]] = [
        lambda: store.add("thumbs/ab/1.webp", b"image", "image/webp"),
        lambda: store.put("notes.json", b"{}"),
        lambda: store.put("notes.json", b"{} "),
        lambda: SAMPLE.write(store, SAMPLE.frame([])),
    ]
    for write in writes:
        write()
        assert disk.unsynced() == []
    assert disk.lost == {"1.webp": [], "notes.json": [], "sample.parquet": []}


def test_a_build_is_on_the_disk_before_its_manifest_and_that_before_the_pointer(disk: Disk) -> None:
    store = LanceStore(disk.root / "vectors")
    store.create(build("b1")).upsert([work("w")], row(1.0)[None])
    disk.renamed.clear()
    store.seal("b1")
    assert disk.unsynced() == []
    store.publish("b1")
    assert disk.unsynced() == []
    assert disk.renamed[-2:] == ["b1.json", "LIVE"]
    assert disk.lost["b1.json"] == disk.lost["LIVE"] == []
