"""An object store in a local folder."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gallery import durable
from gallery.addresses import Address
from gallery.errors import NotFound, Unavailable
from gallery.objects.base import KEY_PATTERN, check_key, no_url

NO_LINK_ERRORS = (
    errno.EPERM,
    errno.EACCES,
    errno.ENOSYS,
    errno.ENOTSUP,
    errno.EOPNOTSUPP,
    errno.EMLINK,
    errno.EXDEV,
)
"""Errors of file systems without hard links, such as FAT or some network shares."""


class LocalObjects:
    """Objects as files below a folder, which is created by the first write."""

    def __init__(self, root: Path) -> None:
        self.address = f"file://{root}"
        self._root = root

    def put(self, key: str, data: bytes, content_type: str = "application/octet-stream") -> None:
        path = self._root / check_key(key)
        with _temporary_file(path, data) as temporary:
            temporary.replace(path)

    def add(
        self, key: str, data: bytes, content_type: str = "application/octet-stream", *, replace: bool = False
    ) -> str | None:
        path = self._root / check_key(key)
        if _size(path) and not replace:
            return None
        with _temporary_file(path, data) as temporary:
            etag = _etag(temporary.stat())
            try:
                os.link(temporary, path)  # unlike a rename, fails if the file exists
            except OSError as error:
                if error.errno not in (errno.EEXIST, *NO_LINK_ERRORS):
                    raise
                if _size(path) and not replace:
                    return None
                temporary.replace(path)
        return etag

    def get(self, key: str) -> bytes:
        path = self._root / check_key(key)
        try:
            return path.read_bytes()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise NotFound(f"{self.address}: no object {key}") from None
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:
                raise NotFound(f"{self.address}: no object {key[:80]}…") from None
            raise Unavailable(f"cannot read {path}: {error.strerror}") from error

    def sizes(self, prefix: str = "") -> dict[str, int]:
        return {key: found.st_size for key, found in self._list(prefix).items()}

    def etags(self, prefix: str = "") -> dict[str, str]:
        return {key: _etag(found) for key, found in self._list(prefix).items()}

    def _list(self, prefix: str) -> dict[str, os.stat_result]:
        found: dict[str, os.stat_result] = {}
        # Walk only the folder that the prefix names.
        start = self._root / prefix[: prefix.rfind("/") + 1]
        try:
            for folder, _, names in os.walk(start, onerror=_fail_listing):
                for name in names:
                    path = Path(folder, name)
                    key = path.relative_to(self._root).as_posix()
                    # Leave out names that are not valid keys: the remains of a killed write, .DS_Store.
                    if key.startswith(prefix) and KEY_PATTERN.fullmatch(key):
                        with suppress(FileNotFoundError):  # deleted since it was listed
                            found[key] = path.stat()
        except OSError as error:
            raise Unavailable(f"cannot list {start}: {error.strerror}") from error
        return dict(sorted(found.items()))

    def delete(self, key: str) -> None:
        try:
            (self._root / check_key(key)).unlink(missing_ok=True)
        except OSError as error:
            raise Unavailable(f"cannot delete {key} in {self._root}: {error.strerror}") from error

    def remove_leftovers(self) -> int:
        try:
            return durable.remove_leftovers(self._root)
        except OSError as error:
            raise Unavailable(f"cannot delete in {self._root}: {error.strerror}") from error

    def public_url(self, key: str) -> str:
        raise no_url(self.address, key)

    def signed_url(self, key: str, seconds: int) -> str:
        raise no_url(self.address, key)


@contextmanager
def _temporary_file(path: Path, data: bytes) -> Iterator[Path]:
    """Yield a file with the bytes for moving to `path`; afterwards, sync the folder. Raises Unavailable."""
    try:
        with durable.temporary_file(path, data) as temporary:
            yield temporary
            durable.sync(path.parent)
    except OSError as error:
        raise Unavailable(
            f"cannot write {path}: {error.strerror}; check free space and permissions"
        ) from error


def _fail_listing(error: OSError) -> None:
    """Raise the error of a folder that os.walk would leave out, unless the folder does not exist."""
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        raise error


def _etag(found: os.stat_result) -> str:
    return f"{found.st_size}-{found.st_mtime_ns}"


def _size(path: Path) -> int:
    """Return the file's size in bytes, or 0 if there is no regular file."""
    try:
        found = path.stat()
    except OSError:
        return 0  # any other problem shows when writing
    return found.st_size if stat.S_ISREG(found.st_mode) else 0


def open_local(address: Address, *, fail_fast: bool = False) -> LocalObjects:
    """Return the store in the address's folder, without creating it; `fail_fast` has no effect."""
    return LocalObjects(address.path)
