"""The folder where a dataset's archives lie: the verified one of each version, and what is still being downloaded.

version-2.zip              an archive
version-2.verified.json    its size and time when every checksum in it was found right
version-2.zip.part         a download that has not ended
version-2.part.json        what the download is of, so that it can go on
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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gallery.datasets.base import ProgressCallback
from gallery.datasets.kaggle.progress import Progress
from gallery.errors import Invalid

CHUNK = 1 << 20
"""Bytes held at once."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Origin:
    """What a download is of: the server's name for the content, and the whole archive's size in bytes."""

    validator: str
    total: int


class Shelf:
    """The archives of one dataset."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def archive(self, version: int) -> Path:
        """Where the archive of the version lies, or would."""
        return self.folder / f"version-{version}.zip"

    def part(self, version: int) -> Path:
        """Where the archive is put together while it is downloaded."""
        return self.folder / f"version-{version}.zip.part"

    def origin(self, version: int) -> Origin | None:
        """What the part is of; None where that is not known, so that it cannot be gone on with."""
        note = _read_note(self._origin_note(version))
        validator, total = note.get("validator"), note.get("total")
        return Origin(validator, total) if isinstance(validator, str) and isinstance(total, int) else None

    def set_origin(self, version: int, origin: Origin | None) -> None:
        """Note what the part is of from now on."""
        if origin is None:
            self._origin_note(version).unlink(missing_ok=True)
        else:
            _write_note(self._origin_note(version), {"validator": origin.validator, "total": origin.total})

    def is_verified(self, version: int) -> bool:
        """True where the archive is here and still has the size and the time that it was verified with."""
        note = _read_note(self._verified_note(version))
        return bool(note) and note == _stamp(self.archive(version))

    def mark_verified(self, version: int) -> None:
        """Note that the archive's checksums were found right."""
        _write_note(self._verified_note(version), _stamp(self.archive(version)))

    def put_in_place(self, version: int) -> None:
        """Make the part, found sound, the archive of the version."""
        self.part(version).replace(self.archive(version))
        self.mark_verified(version)
        self._origin_note(version).unlink(missing_ok=True)

    def newest_verified(self) -> tuple[int, Path] | None:
        """The newest version whose verified archive is here, and its path."""
        found = (re.fullmatch(r"version-(\d+)\.zip", path.name) for path in self.folder.glob("version-*.zip"))
        versions = [int(match[1]) for match in found if match]
        held = max((version for version in versions if self.is_verified(version)), default=None)
        return None if held is None else (held, self.archive(held))

    def clear_but(self, version: int) -> None:
        """Remove what there is of other versions."""
        for path in self.folder.glob("version-*"):
            if not path.name.startswith(f"version-{version}."):
                try:
                    path.unlink()
                except OSError as error:
                    log.warning("%s is no longer needed but cannot be removed (%s)", path, error.strerror)

    @contextmanager
    def lock(self, progress: ProgressCallback) -> Iterator[None]:
        """Hold the folder for as long as the block lasts, once any other process has let go of it.

        Raises Invalid where the folder cannot be used, then or in the block.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with (self.folder / "lock").open("a") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    progress("waiting for another process that is fetching the dataset")
                    fcntl.flock(
                        file, fcntl.LOCK_EX
                    )  # the system's: it goes with that process, however that ends
                yield
        except OSError as error:
            raise Invalid(f"{self.folder} cannot be used ({error.strerror}); see GALLERY_HOME") from error

    def _verified_note(self, version: int) -> Path:
        return self.folder / f"version-{version}.verified.json"

    def _origin_note(self, version: int) -> Path:
        return self.folder / f"version-{version}.part.json"


def find_damage(path: Path, progress: ProgressCallback) -> str | None:
    """What is wrong with a zip, or None: every entry is unpacked, `CHUNK` bytes at a time, and its checksum compared."""
    entry = "its list of files"
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
            counter = Progress(progress, "checking", sum(info.file_size for info in infos))
            for info in infos:
                entry = info.filename
                if info.flag_bits & 1:  # encrypted; whoever reads it is told so
                    continue
                try:
                    with archive.open(info) as file:
                        while chunk := file.read(CHUNK):
                            counter.add(len(chunk))
                except NotImplementedError:  # packed in a way unknown here, which the download has no part in
                    continue
    except (
        zipfile.BadZipFile,
        zlib.error,
        lzma.LZMAError,
        EOFError,
        OSError,
        ValueError,
        NotImplementedError,
    ) as error:
        return f"{entry}: {error}"
    return None


def _stamp(path: Path) -> dict[str, int]:
    try:
        stat = path.stat()
    except FileNotFoundError:
        return {}
    return {"size": stat.st_size, "mtime_ns": stat.st_mtime_ns}


def _read_note(path: Path) -> dict[str, Any]:
    """A note's content, empty where there is none to be read: a lost note costs time, never the archive."""
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _write_note(path: Path, content: dict[str, Any]) -> None:
    """Write a note so that no half of it is ever read."""
    draft = path.with_name(path.name + ".new")
    draft.write_text(json.dumps(content), "utf-8")
    draft.replace(path)
