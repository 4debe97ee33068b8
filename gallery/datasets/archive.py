"""Archives on the local disk: a zip, read without unpacking it first, or a folder."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from gallery.addresses import Address
from gallery.datasets import ARTISTS_CSV, PICTURES, Archive, Entry
from gallery.errors import Invalid, NotFound

EXPECTED = f"a zip or a folder with {ARTISTS_CSV} and {PICTURES}<Artist_Name>/<file>.jpg"
CHUNK = 1 << 20


def climbs_out(path: str) -> bool:
    """True for a path that would leave the folder it is unpacked into."""
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
            raise Invalid(f"no archive at {path}; expected {EXPECTED}") from None
        except (zipfile.BadZipFile, zlib.error, OSError, UnicodeDecodeError, NotImplementedError) as error:
            raise Invalid(f"{path} cannot be read as a zip ({error}); expected {EXPECTED}") from error

    def entries(self) -> list[Entry]:
        # By name: where an archive holds one path twice, the last one counts, as it does when unpacked.
        return sorted(
            (
                Entry(info.filename, info.file_size)
                for info in self._zip.NameToInfo.values()
                if not info.is_dir()
            ),
            key=lambda entry: entry.path,
        )

    def read(self, path: str, limit: int) -> bytes:
        try:
            info = self._zip.getinfo(path)
        except KeyError:
            raise NotFound(f"{self._path} has no {path}") from None
        if climbs_out(path):
            raise Invalid("its path climbs out of the archive")
        if info.file_size > limit:
            raise Invalid(f"it unpacks to {info.file_size:,} bytes, over the limit of {limit:,}")
        try:
            with self._zip.open(info) as file:
                # zipfile stops at the size that the header claims and then compares the checksum, so an
                # entry that unpacks to more than it says is found out without unpacking the rest.
                return file.read(limit + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
            raise Invalid(f"its entry in the archive is damaged ({error})") from error
        except RuntimeError as error:
            raise Invalid("its entry in the archive is encrypted") from error
        except NotImplementedError as error:
            raise Invalid(f"its entry is packed in an unknown way ({error})") from error

    def fingerprint(self) -> str:
        """Sixteen hex digits that change when any file's name, size or checksum does."""
        digest = hashlib.sha256()
        for name, info in sorted(self._zip.NameToInfo.items()):
            digest.update(f"{name}|{info.file_size}|{info.CRC:08x}\n".encode("utf-8", "surrogateescape"))
        return digest.hexdigest()[:16]

    def close(self) -> None:
        self._zip.close()


class FolderArchive:
    """The files below a folder."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()

    def _files(self) -> dict[str, Path]:
        # A name that is not UTF-8 gets its bad bytes spelled out: what leaves this class can always be written.
        return {
            path.relative_to(self._root)
            .as_posix()
            .encode("utf-8", "surrogateescape")
            .decode("utf-8", "backslashreplace"): path
            for path in self._root.rglob("*")
            if path.is_file() or path.is_symlink()
        }

    def entries(self) -> list[Entry]:
        return [Entry(name, path.lstat().st_size) for name, path in sorted(self._files().items())]

    def read(self, path: str, limit: int) -> bytes:
        file = self._root / path
        if not file.is_symlink() and not file.is_file():
            file = self._files().get(path, file)
        if climbs_out(path) or not file.resolve().is_relative_to(self._root):
            raise Invalid("its path climbs out of the folder")
        try:
            with file.open("rb") as handle:
                data = handle.read(limit + 1)
        except (FileNotFoundError, IsADirectoryError):
            raise NotFound(f"{self._root} has no {path}") from None
        except OSError as error:
            raise Invalid(f"it cannot be read ({error.strerror})") from error
        if len(data) > limit:
            raise Invalid(f"it holds more than the limit of {limit:,} bytes")
        return data

    def fingerprint(self) -> str:
        """Sixteen hex digits that change when any file's name, size or modification time does."""
        digest = hashlib.sha256()
        for name, path in sorted(self._files().items()):
            stat = path.lstat()
            digest.update(f"{name}|{stat.st_size}|{stat.st_mtime_ns}\n".encode())
        return digest.hexdigest()[:16]

    def close(self) -> None:
        return


def open_archive(path: Path) -> ZipArchive | FolderArchive:
    """The archive at the path. Raises Invalid where there is none, or nothing in it is laid out as expected."""
    archive = FolderArchive(path) if path.is_dir() else ZipArchive(path)
    names = [entry.path for entry in archive.entries()]
    if ARTISTS_CSV not in names:
        archive.close()
        raise Invalid(f"{path} holds no {ARTISTS_CSV}; expected {EXPECTED}")
    if not any(name.startswith(PICTURES) for name in names):
        archive.close()
        raise Invalid(f"{path} holds nothing under {PICTURES}; expected {EXPECTED}")
    return archive


class FileDataset:
    """A dataset that lies on the local disk already."""

    generated = False

    def __init__(self, path: Path) -> None:
        self.address = f"file://{path}"
        self._path = path

    def version(self) -> str:
        archive = open_archive(self._path)
        try:
            return archive.fingerprint()
        finally:
            archive.close()

    def fetch(self) -> Archive:
        return open_archive(self._path)


def open_file(address: Address, *, home: Path) -> FileDataset:
    """The dataset in the address's zip or folder. `home` is not needed: nothing is copied."""
    address.check_options()
    return FileDataset(address.path)
