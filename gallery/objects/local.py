"""An object store in a local folder."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

from gallery.addresses import Address
from gallery.errors import NotFound, Unavailable
from gallery.objects import check_key

UNFINISHED = ".part"


class LocalObjects:
    """Objects as files below one folder, which the first write creates."""

    def __init__(self, root: Path) -> None:
        self.address = f"file://{root}"
        self._root = root

    def put(self, key: str, data: bytes, content_type: str = "application/octet-stream") -> None:
        path = self._root / check_key(key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Beside the target, so that the rename below stays on one file system and is atomic.
            handle, unfinished = tempfile.mkstemp(dir=path.parent, suffix=UNFINISHED)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(data)
                Path(unfinished).chmod(0o644)  # mkstemp makes it 0600; the web server may be another user
                Path(unfinished).replace(path)
            except BaseException:
                Path(unfinished).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise Unavailable(
                f"cannot write {path}: {error.strerror}. Is the disk full, or not yours to write?"
            ) from error

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
        found: dict[str, int] = {}
        # Only the folder that the prefix names whole needs walking.
        start = self._root / prefix[: prefix.rfind("/") + 1]
        for folder, _, names in os.walk(start):
            for name in names:
                path = Path(folder, name)
                key = path.relative_to(self._root).as_posix()
                if key.startswith(prefix) and not name.endswith(UNFINISHED):
                    found[key] = path.stat().st_size
        return dict(sorted(found.items()))

    def delete(self, key: str) -> None:
        try:
            (self._root / check_key(key)).unlink(missing_ok=True)
        except OSError as error:
            raise Unavailable(f"cannot delete {key} in {self._root}: {error.strerror}") from error


def open_local(address: Address) -> LocalObjects:
    """The store below the address's folder; nothing is created until the first write."""
    address.check_options()
    return LocalObjects(address.path)
