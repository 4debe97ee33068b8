"""Archives on the local disk: a zip, read without unpacking it, or a folder."""

from __future__ import annotations

import contextlib
import hashlib
import lzma
import os
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path, PurePosixPath

from gallery.addresses import Address
from gallery.datasets.base import (
    ARTISTS_CSV,
    IMAGE_FOLDER,
    Archive,
    Entry,
    ProgressCallback,
    is_ignored,
    no_progress,
)
from gallery.errors import Invalid, NotFound

EXPECTED_LAYOUT = f"a zip or a folder with {ARTISTS_CSV} and {IMAGE_FOLDER}<Artist_Name>/<file>.jpg"
MAX_SIZE_BYTES = 1 << 60
"""Cap on reported sizes: a header may claim a size that overflows the integers of a table."""


class Changed(Invalid):
    """A file changed since the archive was listed."""


def leads_out(path: str) -> bool:
    """Return whether a path would escape the folder into which it is unpacked."""
    return (
        path.startswith(("/", "\\"))
        or ".." in PurePosixPath(path.replace("\\", "/")).parts
        or path[1:3] == ":\\"
    )


class ZipArchive:
    """The files of a zip."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._zip = zipfile.ZipFile(path)
        except FileNotFoundError:
            raise Invalid(f"no archive at {path}; expected {EXPECTED_LAYOUT}") from None
        except (zipfile.BadZipFile, zlib.error, OSError, UnicodeDecodeError, NotImplementedError) as error:
            raise Invalid(f"{path} cannot be read as a zip ({error}); expected {EXPECTED_LAYOUT}") from error
        # The last of several entries with one path counts, as in unpacking.
        self._infos = {_unpacked_name(info): info for info in self._zip.infolist() if info.filename}

    def entries(self) -> list[Entry]:
        return [
            Entry(name, min(info.file_size, MAX_SIZE_BYTES), f"{info.file_size}-{info.CRC:08x}")
            for name, info in sorted(self._infos.items())
            if not name.endswith("/")
        ]

    def read(self, path: str, limit: int) -> bytes:
        try:
            info = self._infos[path]
        except KeyError:
            raise NotFound(f"{self._path} has no {path}") from None
        if leads_out(path):
            raise Invalid("its path leads out of the archive")
        if info.file_size > limit:
            raise Invalid(f"it unpacks to {info.file_size:,} bytes, over the limit of {limit:,}")
        try:
            with self._zip.open(info) as file:
                # zipfile stops at the size in the header and then verifies the checksum, so an entry that
                # unpacks to more is detected without unpacking the rest.
                return file.read(limit + 1)
        except (
            zipfile.BadZipFile,
            zlib.error,
            lzma.LZMAError,
            EOFError,
            OSError,
            UnicodeDecodeError,
        ) as error:
            raise Invalid(f"its entry in the archive is damaged ({error})") from error
        except NotImplementedError as error:
            raise Invalid(f"its compression is not supported ({error})") from error
        except RuntimeError as error:  # raised for an encrypted entry
            raise Invalid("its entry in the archive is encrypted") from error

    def fingerprint(self) -> str:
        """Return 16 hex digits that change with any file's name, size or checksum."""
        digest = hashlib.sha256()
        for name, info in sorted(self._infos.items()):
            digest.update(f"{name}|{info.file_size}|{info.CRC:08x}\n".encode("utf-8", "surrogateescape"))
        return digest.hexdigest()[:16]

    def close(self) -> None:
        self._zip.close()


def _unpacked_name(info: zipfile.ZipInfo) -> str:
    """Return the entry's path as unpacking programs read it: without "./", and with "/" where Windows wrote
    "\\"."""
    made_on_windows = info.create_system == 0
    name = info.filename.replace("\\", "/") if made_on_windows else info.filename
    while name.startswith("./"):
        name = name[2:]
    return name


class FolderArchive:
    """The files below a folder, except those below `skip`."""

    def __init__(self, root: Path, skip: Path | None = None) -> None:
        self._root = root.resolve()
        self._skip = skip.resolve() if skip else None

    def _files(self) -> dict[str, Path]:
        """Return the paths of all entries except folders; `read` rejects devices and pipes."""
        found = {}
        for folder, folders, names in os.walk(self._root, onerror=_fail_listing):
            here = Path(folder)
            folders[:] = [name for name in folders if here / name != self._skip]
            for name in (*names, *(name for name in folders if (here / name).is_symlink())):
                path = here / name
                relative = path.relative_to(self._root).as_posix()
                # Escape bytes that are not UTF-8, so that every name can be encoded.
                found[relative.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")] = path
        return found

    def _stats(self) -> dict[str, os.stat_result]:
        stats = {}
        for name, path in sorted(self._files().items()):
            with contextlib.suppress(FileNotFoundError):  # deleted since it was listed
                try:
                    stats[name] = path.stat()  # follows links
                except OSError:
                    stats[name] = path.lstat()  # a broken link, which `read` reports
        return stats

    def entries(self) -> list[Entry]:
        # Includes ctime, because a program can set mtime back but not ctime.
        return [
            Entry(name, stat.st_size, f"{stat.st_size}-{stat.st_mtime_ns}-{stat.st_ctime_ns}")
            for name, stat in self._stats().items()
        ]

    def read(self, path: str, limit: int) -> bytes:
        file = self._root / path
        if not os.path.lexists(file):
            file = self._files().get(path, file)
        try:
            target = file.resolve(strict=True)
            if leads_out(path) or not target.is_relative_to(self._root):
                what = "it is a link that" if file.is_symlink() else "its path"
                raise Invalid(f"{what} leads out of the folder")
            if not target.is_file():  # opening a pipe would block
                raise Invalid("it is not a regular file")
            with target.open("rb") as handle:
                data = handle.read(limit + 1)
        except FileNotFoundError:
            raise NotFound(f"{self._root} has no {path}") from None
        except (OSError, RuntimeError) as error:  # RuntimeError: a loop of links
            raise Invalid(f"it cannot be read ({error})") from error
        if len(data) > limit:
            raise Invalid(f"it is larger than the limit of {limit:,} bytes")
        return data

    def fingerprint(self) -> str:
        """Return 16 hex digits that change with any file's name, size or modification time."""
        digest = hashlib.sha256()
        for name, stat in self._stats().items():
            digest.update(f"{name}|{stat.st_size}|{stat.st_mtime_ns}\n".encode())
        return digest.hexdigest()[:16]

    def close(self) -> None:
        return


class Unwrapped:
    """The files below the only top-level folder of an archive, as if they were at its top."""

    def __init__(self, archive: ZipArchive | FolderArchive, wrapper: str) -> None:
        self._archive = archive
        self._wrapper = wrapper

    def entries(self) -> list[Entry]:
        return [
            replace(entry, path=entry.path.removeprefix(self._wrapper))
            for entry in self._archive.entries()
            if entry.path.startswith(self._wrapper)
        ]

    def read(self, path: str, limit: int) -> bytes:
        return self._archive.read(f"{self._wrapper}{path}", limit)

    def fingerprint(self) -> str:
        """Return the fingerprint of the whole archive."""
        return self._archive.fingerprint()

    def close(self) -> None:
        self._archive.close()


def _fail_listing(error: OSError) -> None:
    raise Invalid(
        f"cannot list the folder {error.filename} ({error.strerror}), so the dataset would be incomplete"
    )


def read_unchanged(archive: Archive, path: str, sha256: str, limit: int) -> bytes:
    """Return the file's bytes, checked against their SHA-256: a folder may change during a run.

    Raises Changed if they differ, and Invalid and NotFound as `Archive.read` does.
    """
    data = archive.read(path, limit)
    if hashlib.sha256(data).hexdigest() != sha256:
        raise Changed("the file changed while it was read; run `gallery refresh` again")
    return data


def open_archive(path: Path, skip: Path | None = None) -> ZipArchive | FolderArchive | Unwrapped:
    """Return the archive at the path; files below `skip` are left out of a folder.

    If everything is in one folder of another name, that folder is opened. Raises Invalid if there is no
    archive, or its layout is not the expected one.
    """
    archive: ZipArchive | FolderArchive | Unwrapped = (
        FolderArchive(path, skip) if path.is_dir() else ZipArchive(path)
    )
    try:
        names = [
            entry.path
            for entry in archive.entries()
            if not is_ignored(entry.path) or entry.path == ARTISTS_CSV
        ]
        tops = {name.partition("/")[0] for name in names}
        if ARTISTS_CSV not in names and len(tops) == 1 and f"{(top := tops.pop())}/{ARTISTS_CSV}" in names:
            archive = Unwrapped(archive, f"{top}/")  # type: ignore[arg-type]
            names = [entry.path for entry in archive.entries()]
        if ARTISTS_CSV not in names:
            raise Invalid(f"{path} has no {ARTISTS_CSV}; expected {EXPECTED_LAYOUT}")
        if not any(name.startswith(IMAGE_FOLDER) for name in names):
            links = [
                name for name in ("images", "images/images") if name in names and (path / name).is_symlink()
            ]
            cause = f": {links[0]} is a link to another folder, which is not followed" if links else ""
            raise Invalid(f"{path} has no files under {IMAGE_FOLDER}{cause}; expected {EXPECTED_LAYOUT}")
    except Invalid:
        archive.close()
        raise
    return archive


class FileDataset:
    """A dataset on the local disk."""

    generated = False

    def __init__(self, path: Path, home: Path | None = None) -> None:
        self.address = f"file://{path}"
        self._path = path
        self._home = home

    def version(self) -> str:
        with contextlib.closing(open_archive(self._path, skip=self._home)) as archive:
            return archive.fingerprint()

    def fetch(self, progress: ProgressCallback = no_progress, version: str | None = None) -> Archive:
        return open_archive(self._path, skip=self._home)


def open_file(address: Address, *, home: Path) -> FileDataset:
    """Return the dataset in the address's zip or folder; files below `home` are left out of a folder."""
    return FileDataset(address.path, home)
