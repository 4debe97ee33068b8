"""The local cache of a dataset: a verified archive for each version, and unfinished downloads.

version-2.zip              an archive
version-2.verified.json    its size and modification time when its checksums were verified
version-2.zip.part         an unfinished download
version-2.part.json        identifies the content being downloaded, so that it can be resumed
lock                       held by the process that fetches
"""

from __future__ import annotations

import fcntl
import json
import logging
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

from gallery import durable
from gallery.datasets.base import ProgressCallback
from gallery.errors import Invalid
from gallery.stored_json import parse_json

Note = TypeVar("Note")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PartialDownload:
    """Identifies the content of an unfinished download: its ETag or date, and its full size in bytes."""

    validator: str
    total: int


@dataclass(frozen=True)
class Stamp:
    """The size of a file in bytes and its modification time, which change if the file is written."""

    size: int
    mtime_ns: int

    @classmethod
    def of(cls, path: Path) -> Stamp | None:
        """Return the stamp of the file, or None if it does not exist."""
        try:
            found = path.stat()
        except FileNotFoundError:
            return None
        return cls(found.st_size, found.st_mtime_ns)


class ArchiveCache:
    """The archives of one dataset."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def archive_path(self, version: int) -> Path:
        """Return the path of the version's archive, whether or not it exists."""
        return self.folder / f"version-{version}.zip"

    def partial_path(self, version: int) -> Path:
        """Return the path of the archive while it is being downloaded."""
        return self.folder / f"version-{version}.zip.part"

    def partial_size(self, version: int) -> int:
        """Return the number of bytes downloaded so far."""
        stamp = Stamp.of(self.partial_path(version))
        return stamp.size if stamp else 0

    def partial(self, version: int) -> PartialDownload | None:
        """Return the identity of the unfinished download, or None if it cannot be resumed."""
        return _read_note(PartialDownload, self._partial_note(version))

    def set_partial(self, version: int, partial: PartialDownload | None) -> None:
        """Record the identity of the unfinished download; None makes it start over."""
        if partial is None:
            self._partial_note(version).unlink(missing_ok=True)
        else:
            _write_note(self._partial_note(version), partial)

    def is_verified(self, version: int) -> bool:
        """Return whether the archive exists and is unchanged, by size and time, since it was verified."""
        verified = _read_note(Stamp, self._verified_note(version))
        return verified is not None and verified == Stamp.of(self.archive_path(version))

    def mark_verified(self, version: int) -> None:
        """Record that the archive's checksums have been verified."""
        if stamp := Stamp.of(self.archive_path(version)):
            _write_note(self._verified_note(version), stamp)

    def commit(self, version: int) -> None:
        """Turn the verified download into the version's archive."""
        self.partial_path(version).replace(self.archive_path(version))
        self.mark_verified(version)
        self.set_partial(version, None)

    def newest_verified(self) -> tuple[int, Path] | None:
        """Return the newest version with a verified archive, and its path, or None."""
        names = (re.fullmatch(r"version-(\d+)\.zip", path.name) for path in self.folder.glob("version-*.zip"))
        versions = [int(name[1]) for name in names if name]
        newest = max((version for version in versions if self.is_verified(version)), default=None)
        return None if newest is None else (newest, self.archive_path(newest))

    def delete_other_versions(self, version: int) -> None:
        """Delete all files of other versions; a failure is only logged."""
        for path in self.folder.glob("version-*"):
            if not path.name.startswith(f"version-{version}."):
                try:
                    path.unlink()
                except OSError as error:
                    log.warning("cannot delete %s, which is no longer needed (%s)", path, error.strerror)

    @contextmanager
    def lock(self, progress: ProgressCallback) -> Iterator[None]:
        """Hold the folder's lock during the block, after waiting for any process that holds it.

        Raises Invalid if the folder cannot be used, here or within the block.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with (self.folder / "lock").open("a") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    progress("waiting for another process to fetch the dataset")
                    # The system releases the lock however the other process ends.
                    fcntl.flock(file, fcntl.LOCK_EX)
                yield
        except OSError as error:
            raise Invalid(
                f"cannot use the folder {self.folder} ({error.strerror}); check GALLERY_HOME"
            ) from error

    def _verified_note(self, version: int) -> Path:
        return self.folder / f"version-{version}.verified.json"

    def _partial_note(self, version: int) -> Path:
        return self.folder / f"version-{version}.part.json"


def find_damage(path: Path) -> str | None:
    """Return what is wrong with a zip, or None. Verifies every file's checksum, in constant memory."""
    try:
        with zipfile.ZipFile(path) as archive:
            name = archive.testzip()
            return None if name is None else f"wrong checksum of {name}"
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError) as error:
        return str(error)
    except RuntimeError:
        return None  # a file is encrypted or its compression unknown; `ZipArchive.read` reports it


def _read_note(kind: type[Note], path: Path) -> Note | None:
    """Return the note, or None if it cannot be read: a lost note costs time, not the archive."""
    try:
        return parse_json(kind, path.read_bytes())
    except (OSError, ValueError):
        return None


def _write_note(path: Path, note: PartialDownload | Stamp) -> None:
    durable.write_file(path, json.dumps(asdict(note)).encode())
