"""Object stores: bytes under keys, for the pictures that visitors see and for the pipeline's own tables.

Two settings open one each, so that pictures can lie in a public bucket and tables in a private one.
"""

from __future__ import annotations

import re
from typing import Protocol

from gallery.addresses import Option, Registry, Scheme
from gallery.errors import Invalid

KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*")


class ObjectStore(Protocol):
    """Bytes under keys such as ``originals/ab/abcd….jpg``. May be used from several threads.

    A key is words of letters, digits, ``.``, ``_`` and ``-`` joined by ``/``; any other is Invalid, so no
    key can climb out of the store. A write is whole or absent, never partial, and readable once it returns.
    """

    address: str

    def put(self, key: str, data: bytes, content_type: str = "application/octet-stream") -> None:
        """Store the bytes, replacing what was there. Raises Unavailable."""

    def add(self, key: str, data: bytes, content_type: str = "application/octet-stream") -> bool:
        """Store the bytes under a key that names their content: False, and nothing written, where there is such an
        object already; one of no bytes, which a power cut can leave, does not count. Raises Unavailable."""

    def get(self, key: str) -> bytes:
        """The bytes. Raises NotFound, Unavailable."""

    def sizes(self, prefix: str = "") -> dict[str, int]:
        """Every key that starts with `prefix`, with its size in bytes. A store never written to is empty."""

    def delete(self, key: str) -> None:
        """Remove the object; an unknown key is not an error."""

    def public_url(self, key: str) -> str:
        """Where anybody can get the object, if it is public. Raises Invalid where the store has no such addresses."""

    def signed_url(self, key: str, seconds: int) -> str:
        """Where anybody can get the object for that long. Raises Invalid where the store has no such addresses,
        Unavailable."""


def check_key(key: str) -> str:
    """The key itself. Raises Invalid where it is not one."""
    if len(key) > 500 or not KEY.fullmatch(key):
        raise Invalid(f"{key[:80]!r} is not an object key")
    return key


def not_addressed(store: str, key: str) -> Invalid:
    """The error of a store whose objects have no address that a visitor's browser could open."""
    return Invalid(
        f"{store} has no address for visitors to get {check_key(key)} from; set GALLERY_DELIVERY=app, which sends "
        "pictures through the app"
    )


_SCHEMES = {
    "gs": Scheme(
        "gallery.objects.gcs:open_gcs",
        "gs://bucket/prefix",
        (
            Option(
                "timeout",
                "Seconds for which a failed call is repeated: 30, or 3 in the web app.",
                None,
                (1, 3600),
            ),
            Option("project", "Project billed for requests to a Requester Pays bucket."),
        ),
        extra="gcs",
    ),
    "file": Scheme("gallery.objects.local:open_local", "file:///folder"),
    "memory": Scheme("gallery.objects.memory:open_memory", "memory://name"),
}
IMAGES: Registry[ObjectStore] = Registry("image store", "GALLERY_IMAGES", _SCHEMES)
TABLES: Registry[ObjectStore] = Registry("table store", "GALLERY_TABLES", _SCHEMES)
"""Factories take `(address, *, fail_fast: bool = False)`: true where a visitor waits for the answer, so that a store
that is down does not hold up threads."""
