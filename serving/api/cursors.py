"""Where a list goes on: opaque to clients, and good for one list of one build.

A cursor is checked, not signed. It holds no more than an offset, which a client may move as it likes by asking for
pages; so it outlives a restart and is good at every replica, with or without GALLERY_SECRET_KEY.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import struct
from typing import Any

from serving.errors import Rejected

VERSION = 1
"""Raise it when a cursor's content changes, so that older ones are refused rather than misread."""
LAYOUT = struct.Struct(">B8s8sI")
"""The version, the digests of the build's name and of the question, the offset."""
LENGTH = LAYOUT.size * 8 // 6
"""Characters of a cursor; its bytes are a multiple of three, so there is no padding."""
PATTERN = f"^[A-Za-z0-9_-]{{{LENGTH}}}$"


def cursor(build: str, question: Any, start: int) -> str:
    """The cursor of the list that answers a question, JSON values all through, from that offset on."""
    packed = LAYOUT.pack(VERSION, _digest(build), _digest(question), start)
    return base64.urlsafe_b64encode(packed).decode("ascii")


def start_of(text: str | None, build: str, question: Any) -> int:
    """The offset of a cursor, 0 for none.

    Raises Rejected: 400 where it is none of ours or of another question, 410 where it is of another build, whose list
    cannot be gone on with.
    """
    if text is None:
        return 0
    try:
        version, of_build, of_question, start = LAYOUT.unpack(base64.b64decode(text, b"-_", validate=True))
    except (binascii.Error, struct.error, ValueError):
        version = None
    if version != VERSION:
        raise Rejected("This is no cursor of this API. Give the next_cursor of an answer as it is.")
    if of_build != _digest(build):
        raise Rejected("The collection has changed since this cursor was made. Begin again without it.", 410)
    if of_question != _digest(question):
        raise Rejected(
            "This cursor is of another request. Repeat the request that gave it, with nothing changed."
        )
    return int(start)


def _digest(value: Any) -> bytes:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return hashlib.blake2b(text.encode(), digest_size=8).digest()
