"""A dataset that needs no download: a collection painted by this program, faults included."""

from __future__ import annotations

import time
from pathlib import Path

from gallery.addresses import Address
from gallery.datasets.archive import open_archive
from gallery.datasets.base import Archive, ProgressCallback, no_progress
from gallery.datasets.painter import PAINTER_VERSION, paint_archive

SAY_EVERY_S = 5.0
"""Seconds between lines of progress."""


class SampleDataset:
    """Paintings by invented painters, the same for the same parameters, kept as a zip once painted."""

    generated = True

    def __init__(self, address: str, folder: Path, *, artists: int, works: int, seed: int) -> None:
        self.address = address
        self._folder = folder
        self._artists, self._works, self._seed = artists, works, seed

    def version(self) -> str:
        return f"painted-{PAINTER_VERSION}-{self._artists}x{self._works}-{self._seed}"

    def fetch(self, progress: ProgressCallback = no_progress) -> Archive:
        path = self._folder / f"{self.version()}.zip"
        if not path.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            said = time.monotonic()

            def painted(done: int, total: int) -> None:
                nonlocal said
                if time.monotonic() - said > SAY_EVERY_S:
                    said = time.monotonic()
                    progress(f"painted: {done} of {total}")

            progress(f"painting {self._artists} artists' works, once")
            paint_archive(path, artists=self._artists, works=self._works, seed=self._seed, progress=painted)
        return open_archive(path)


def open_sample(address: Address, *, home: Path) -> SampleDataset:
    """The painted collection: ``sample://?artists=50&works=24&seed=7``, kept below `home`."""
    return SampleDataset(
        address.text,
        home / "datasets",
        artists=address.integer("artists") or 0,
        works=address.integer("works") or 0,
        seed=address.integer("seed") or 0,
    )
