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
from typing import Any

from gallery.datasets.base import ProgressCallback
from gallery.errors import Invalid

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PartialDownload:
    """Identifies the content of an unfinished download: its ETag or date, and its full size in bytes."""

    validator: str
    total: int


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
        return _stamp(self.partial_path(version)).get("size", 0)

    def partial(self, version: int) -> PartialDownload | None:
        """Return the identity of the unfinished download, or None if it cannot be resumed."""
        note = _read_json(self._partial_note(version))
        validator, total = note.get("validator"), note.get("total")
        return (
            PartialDownload(validator, total)
            if isinstance(validator, str) and isinstance(total, int)
            else None
        )

    def set_partial(self, version: int, partial: PartialDownload | None) -> None:
        """Record the identity of the unfinished download; None makes it start over."""
        if partial is None:
            self._partial_note(version).unlink(missing_ok=True)
        else:
            _write_json(self._partial_note(version), asdict(partial))

    def is_verified(self, version: int) -> bool:
        """Return whether the archive exists and is unchanged, by size and time, since it was verified."""
        note = _read_json(self._verified_note(version))
        return bool(note) and note == _stamp(self.archive_path(version))

    def mark_verified(self, version: int) -> None:
        """Record that the archive's checksums have been verified."""
        _write_json(self._verified_note(version), _stamp(self.archive_path(version)))

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


def _stamp(path: Path) -> dict[str, int]:
    """Return the size and modification time of a file, or an empty dict if it does not exist."""
    try:
        stat = path.stat()
    except FileNotFoundError:
        return {}
    return {"size": stat.st_size, "mtime_ns": stat.st_mtime_ns}


def _read_json(path: Path) -> dict[str, Any]:
    """Return the file's content, or an empty dict if unreadable: a lost note costs time, not the archive."""
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _write_json(path: Path, content: dict[str, Any]) -> None:
    """Write the file atomically."""
    draft = path.with_name(path.name + ".new")
    draft.write_text(json.dumps(content), "utf-8")
    draft.replace(path)
