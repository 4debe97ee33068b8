"""Object stores: bytes under keys, for the images that visitors see and for the pipeline's own tables.

Each has its own setting, so that images can be in a public bucket and tables in a private one.
"""

from __future__ import annotations

import re
from typing import Protocol

from gallery.addresses import Option, Registry, Scheme
from gallery.errors import Invalid

KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*")


class ObjectStore(Protocol):
    """Bytes under keys such as ``originals/ab/abcd….jpg``. Thread-safe.

    A key consists of names joined by ``/``, each of ASCII letters, digits, ``.``, ``_`` and ``-``, starting
    with a letter or digit. Every other key is Invalid, so that no key leads out of the store. Writes are
    atomic, and readable once they return.
    """

    address: str

    def put(self, key: str, data: bytes, content_type: str = "application/octet-stream") -> None:
        """Store the bytes, replacing an existing object. Raises Unavailable."""

    def add(self, key: str, data: bytes, content_type: str = "application/octet-stream") -> bool:
        """Store the bytes if the key has no object yet; return whether they were stored. Raises Unavailable.

        For keys that name their content. An empty object, which a power cut can leave, counts as none.
        """

    def get(self, key: str) -> bytes:
        """Return the bytes. Raises NotFound, Unavailable."""

    def sizes(self, prefix: str = "") -> dict[str, int]:
        """Return the keys that start with `prefix`, in order, with sizes in bytes. Raises Unavailable."""

    def delete(self, key: str) -> None:
        """Delete the object; an unknown key is not an error. Raises Unavailable."""

    def public_url(self, key: str) -> str:
        """Return the address of a public object. Raises Invalid if the store has no web addresses."""

    def signed_url(self, key: str, seconds: int) -> str:
        """Return an address that is valid for that long. Raises Invalid if there is none, Unavailable."""


def check_key(key: str) -> str:
    """Return the key. Raises Invalid if it is not a valid key."""
    if len(key) > 500 or not KEY.fullmatch(key):
        raise Invalid(f"{key[:80]!r} is not a valid object key")
    return key


def no_web_address(store: str, key: str) -> Invalid:
    """Return the error of a store whose objects a browser cannot open."""
    return Invalid(
        f"{store} has no web address for {check_key(key)}; set GALLERY_DELIVERY=app to send images through "
        "the app"
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
"""Factories take `(address, *, fail_fast: bool = False)`. True is for the web app, where a store that is down
must not hold up threads."""
