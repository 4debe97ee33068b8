"""A generated dataset that needs no download; it includes typical faults of real archives."""

from __future__ import annotations

import time
from pathlib import Path

from gallery.addresses import Address
from gallery.datasets.archive import open_archive
from gallery.datasets.base import Archive, ProgressCallback, no_progress
from gallery.errors import Invalid, Unavailable
from sample_art import GENERATOR_VERSION

PROGRESS_INTERVAL_S = 5.0


class SampleDataset:
    """Works of invented artists, determined by the parameters. The archive is generated once and kept."""

    generated = True

    def __init__(self, address: str, folder: Path, *, artists: int, works: int, seed: int) -> None:
        self.address = address
        self._folder = folder
        self._artists, self._works, self._seed = artists, works, seed

    def version(self) -> str:
        return f"generated-{GENERATOR_VERSION}-{self._artists}x{self._works}-{self._seed}"

    def fetch(self, progress: ProgressCallback = no_progress, version: str | None = None) -> Archive:
        """Return the archive, generating it first if necessary.

        Raises Invalid if it cannot be written, Unavailable if a worker dies.
        """
        path = self._folder / f"{self.version()}.zip"
        if not path.exists():
            progress(f"generating the works of {self._artists} artists, once")
            self._generate(path, progress)
        return open_archive(path)

    def _generate(self, path: Path, progress: ProgressCallback) -> None:
        from sample_art.archive import write_archive
        from sample_art.pool import WorkerDied

        reported = time.monotonic()

        def report(done: int, total: int) -> None:
            nonlocal reported
            if time.monotonic() - reported > PROGRESS_INTERVAL_S:
                reported = time.monotonic()
                progress(f"generated {done} of {total} images")

        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            write_archive(path, artists=self._artists, works=self._works, seed=self._seed, progress=report)
        except WorkerDied as error:
            raise Unavailable(str(error)) from error
        except OSError as error:
            raise Invalid(f"cannot write {path} ({error.strerror}); check GALLERY_HOME") from error


def open_sample(address: Address, *, home: Path) -> SampleDataset:
    """Return the dataset ``sample://?artists=50&works=24&seed=7``, whose archive is kept below `home`."""
    return SampleDataset(
        address.text,
        home / "datasets",
        artists=address.integer("artists") or 0,
        works=address.integer("works") or 0,
        seed=address.integer("seed") or 0,
    )
