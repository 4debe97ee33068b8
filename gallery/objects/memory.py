"""An object store in memory, for tests and trials."""

from __future__ import annotations

import threading
import zlib

from gallery.addresses import Address
from gallery.errors import NotFound
from gallery.objects.base import check_key, no_url

_STORES: dict[str, MemoryObjects] = {}


class MemoryObjects:
    """Objects in a dict, lost when the process ends."""

    def __init__(self, address: str = "memory://") -> None:
        self.address = address
        self._objects: dict[str, bytes] = {}
        self._add_lock = threading.Lock()

    def put(self, key: str, data: bytes, content_type: str = "application/octet-stream") -> None:
        self._objects[check_key(key)] = bytes(data)

    def add(
        self, key: str, data: bytes, content_type: str = "application/octet-stream", *, replace: bool = False
    ) -> str | None:
        with self._add_lock:
            if self._objects.get(check_key(key)) and not replace:
                return None
            self.put(key, data, content_type)
            return _etag(data)

    def get(self, key: str) -> bytes:
        try:
            return self._objects[check_key(key)]
        except KeyError:
            raise NotFound(f"{self.address}: no object {key}") from None

    def sizes(self, prefix: str = "") -> dict[str, int]:
        return {key: len(data) for key, data in sorted(self._objects.items()) if key.startswith(prefix)}

    def etags(self, prefix: str = "") -> dict[str, str]:
        return {key: _etag(data) for key, data in sorted(self._objects.items()) if key.startswith(prefix)}

    def delete(self, key: str) -> None:
        self._objects.pop(check_key(key), None)

    def remove_leftovers(self) -> int:
        return 0

    def public_url(self, key: str) -> str:
        raise no_url(self.address, key)

    def signed_url(self, key: str, seconds: int) -> str:
        raise no_url(self.address, key)


def _etag(data: bytes) -> str:
    return f"{len(data)}-{zlib.crc32(data):08x}"


def open_memory(address: Address, *, fail_fast: bool = False) -> MemoryObjects:
    """Return the store of that name; one name is one store within a process. `fail_fast` has no effect."""
    return _STORES.setdefault(address.location, MemoryObjects(address.text))
