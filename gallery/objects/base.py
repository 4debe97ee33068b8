"""Object stores: bytes under keys, for images and for the pipeline's own tables.

Each use has its own setting, so that images can be in a public bucket and tables in a private one.
"""

from __future__ import annotations

import re
from typing import Protocol

from gallery.addresses import Option, Registry, Scheme
from gallery.errors import Invalid

KEY_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*")


class ObjectStore(Protocol):
    """Bytes under keys such as ``originals/ab/abcd….jpg``. Thread-safe.

    A key consists of names joined by ``/``, each of ASCII letters, digits, ``.``, ``_`` and ``-``, starting
    with a letter or digit. Methods raise Invalid for any other key, so that no key can escape the store.
    Writes are atomic, and visible to readers once they return.
    """

    address: str

    def put(self, key: str, data: bytes, content_type: str = "application/octet-stream") -> None:
        """Store the bytes, replacing an existing object. Raises Unavailable."""

    def add(
        self, key: str, data: bytes, content_type: str = "application/octet-stream", *, replace: bool = False
    ) -> str | None:
        """Store the bytes if the key has no object yet; return the new object's etag, else None.

        For keys derived from the content. An empty object counts as none, since a power cut can leave one.
        With `replace`, an existing object is replaced: it was found damaged. Raises Unavailable.
        """

    def get(self, key: str) -> bytes:
        """Return the bytes. Raises NotFound, Unavailable."""

    def sizes(self, prefix: str = "") -> dict[str, int]:
        """Return key -> size in bytes for keys that start with `prefix`, ordered. Raises Unavailable."""

    def etags(self, prefix: str = "") -> dict[str, str]:
        """Return key -> etag for keys that start with `prefix`, ordered, without reading any object.

        An etag is a short text that changes when the object is written: size and checksum in a bucket, size
        and time of the last change in a folder, where only reading finds damage by a failing disk. Raises
        Unavailable.
        """

    def delete(self, key: str) -> None:
        """Delete the object, if it exists. Raises Unavailable."""

    def remove_leftovers(self) -> int:
        """Delete what killed writes left more than a day ago; return the number of files.

        Raises Unavailable.
        """

    def public_url(self, key: str) -> str:
        """Return the URL of a public object. Raises Invalid if the store has no URLs."""

    def signed_url(self, key: str, seconds: int) -> str:
        """Return a URL that is valid for that long. Raises Invalid if the store has no URLs, Unavailable."""


def check_key(key: str) -> str:
    """Return the key unchanged. Raises Invalid if it is not a valid key."""
    if len(key) > 500 or not KEY_PATTERN.fullmatch(key):
        raise Invalid(f"{key[:80]!r} is not a valid object key")
    return key


def no_url(store: str, key: str) -> Invalid:
    """Return the error of a store whose objects have no URL."""
    return Invalid(
        f"{store} has no URL for {check_key(key)}; set GALLERY_DELIVERY=app to send images through the app"
    )


_SCHEMES = {
    "gs": Scheme(
        "gallery.objects.gcs:open_gcs",
        "gs://bucket/prefix",
        (
            Option(
                "timeout",
                "Seconds for which a failed call is retried: 30, or 3 in the web app.",
                None,
                (1, 3600),
            ),
            Option("project", "Project billed for requests to a Requester Pays bucket."),
        ),
        extra="gcs",
        location=rf"[a-z0-9][a-z0-9._-]{{1,220}}[a-z0-9](/+({KEY_PATTERN.pattern})?/*)?",
    ),
    "file": Scheme("gallery.objects.local:open_local", "file:///folder", location=".+"),
    "memory": Scheme("gallery.objects.memory:open_memory", "memory://name"),
}
IMAGES: Registry[ObjectStore] = Registry("image store", "GALLERY_IMAGES", _SCHEMES)
TABLES: Registry[ObjectStore] = Registry("table store", "GALLERY_TABLES", _SCHEMES)
"""Factories take `(address, *, fail_fast: bool = False)`. The web app passes True, so that its threads do not
wait for a store that is down."""
