"""An object store in memory, for tests and trials."""

from __future__ import annotations

import threading

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

    def add(self, key: str, data: bytes, content_type: str = "application/octet-stream") -> bool:
        with self._add_lock:
            if self._objects.get(check_key(key)):
                return False
            self.put(key, data, content_type)
            return True

    def get(self, key: str) -> bytes:
        try:
            return self._objects[check_key(key)]
        except KeyError:
            raise NotFound(f"{self.address}: no object {key}") from None

    def sizes(self, prefix: str = "") -> dict[str, int]:
        return {key: len(data) for key, data in sorted(self._objects.items()) if key.startswith(prefix)}

    def delete(self, key: str) -> None:
        self._objects.pop(check_key(key), None)

    def public_url(self, key: str) -> str:
        raise no_url(self.address, key)

    def signed_url(self, key: str, seconds: int) -> str:
        raise no_url(self.address, key)


def open_memory(address: Address, *, fail_fast: bool = False) -> MemoryObjects:
    """Return the store of that name; one name is one store within a process. `fail_fast` has no effect."""
    return _STORES.setdefault(address.location, MemoryObjects(address.text))
