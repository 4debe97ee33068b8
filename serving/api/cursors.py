"""Pagination cursors: the offset of the next page, valid for one request and one build.

A cursor is not signed, because it contains only an offset, which clients may choose anyway. So cursors
survive restarts and are valid on all replicas, even without GALLERY_SECRET_KEY.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import struct
from typing import Any

from serving.errors import FieldError, Rejected

VERSION = 1
"""Increase this when the content of cursors changes, so that older cursors are rejected."""
LAYOUT = struct.Struct(">B8s8sI")
"""Version, digest of the build's name, digest of the request, offset."""
LENGTH = LAYOUT.size * 8 // 6
"""Length of a cursor in characters. Its bytes are a multiple of three, so there is no padding."""
PATTERN = f"^[A-Za-z0-9_-]{{{LENGTH}}}$"


def cursor(build: str, asked: Any, offset: int) -> str:
    """Return a cursor for the page that starts at `offset`. `asked` is the request as a JSON value."""
    packed = LAYOUT.pack(VERSION, _digest(build), _digest(asked), offset)
    return base64.urlsafe_b64encode(packed).decode("ascii")


def offset_of(text: str | None, build: str, asked: Any) -> int:
    """Return the offset of a cursor; 0 for None.

    Raises Rejected: status 400 if the cursor is invalid or of another request, 410 if it is of another build.
    """
    if text is None:
        return 0
    try:
        version, of_build, of_asked, offset = LAYOUT.unpack(base64.b64decode(text, b"-_", validate=True))
    except (binascii.Error, struct.error, ValueError):
        version = None
    if version != VERSION:
        raise _rejected("Invalid cursor; pass next_cursor unchanged.")
    if of_build != _digest(build):
        raise _rejected("The collection has changed since this cursor was made. Start again without it.", 410)
    if of_asked != _digest(asked):
        raise _rejected("This cursor belongs to another request. Keep all other parameters the same.")
    return int(offset)


def _rejected(message: str, status: int = 400) -> Rejected:
    return Rejected(message, status, (FieldError("cursor", message),))


def _digest(value: Any) -> bytes:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return hashlib.blake2b(text.encode(), digest_size=8).digest()
