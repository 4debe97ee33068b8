"""Cursors: the offset at which the next page of a list starts, valid for one request and one build.

A cursor is checked, not signed: it holds only an offset, which a client may choose anyway. So it survives restarts and is
valid at every replica, with or without GALLERY_SECRET_KEY.
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
"""Raise it when the content of a cursor changes, so that older cursors are refused rather than misread."""
LAYOUT = struct.Struct(">B8s8sI")
"""The version, the digests of the build's name and of the request, the offset."""
LENGTH = LAYOUT.size * 8 // 6
"""Characters of a cursor; its bytes are a multiple of three, so there is no padding."""
PATTERN = f"^[A-Za-z0-9_-]{{{LENGTH}}}$"


def cursor(build: str, asked: Any, offset: int) -> str:
    """Return the cursor for the page of this request's list that starts at the offset. `asked` is a JSON value."""
    packed = LAYOUT.pack(VERSION, _digest(build), _digest(asked), offset)
    return base64.urlsafe_b64encode(packed).decode("ascii")


def offset_of(text: str | None, build: str, asked: Any) -> int:
    """Return the offset of a cursor, 0 for None.

    Raises Rejected: 400 for an invalid cursor or one of another request, 410 for one of another build.
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
