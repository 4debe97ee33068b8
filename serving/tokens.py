"""An uploaded picture as a signed token short enough for an address, so that its search is a link to be shared.

Nothing of an upload is kept here: its vector, rounded to a byte a float, and a tiny copy travel in the address. A token
can be read by anyone who has the link, and made by nobody without the key.
"""

from __future__ import annotations

import base64
import hashlib
import math
import secrets
import struct
import zlib
from dataclasses import dataclass

import numpy as np
from flask_babel import gettext
from itsdangerous import BadSignature, SignatureExpired, TimestampSigner

from gallery.search.query import ImageTerm
from gallery.vectors.base import Vector
from serving.errors import Rejected
from serving.language import marked

MAX_AGE = 7 * 24 * 60 * 60
"""Seconds that a token can be used for."""

# Raise the number when the token's content changes, so that older ones are refused rather than misread.
SALT = "picture/2"
HEADER = struct.Struct("<8sHHHf")
"""The fingerprint's digest, the copy's width and height, the bytes of the packed vector, the size of its steps."""

UNUSABLE = marked("The picture of this search can no longer be used. Please add it again.")
LONGEST = 65_536
"""Numbers of a vector, at most; whoever has the key must not have the memory too."""


@dataclass(frozen=True, eq=False)
class Upload:
    """A picture to search by: its vector, and a tiny WebP copy of `width` x `height` pixels to show back."""

    part: ImageTerm
    copy: bytes
    width: int
    height: int

    @property
    def data_uri(self) -> str:
        """The copy as an address that needs no request."""
        return "data:image/webp;base64," + base64.b64encode(self.copy).decode("ascii")


class Tokens:
    """Signs uploads, and reads back what it signed. Without a key it makes one, good for this process."""

    def __init__(self, key: str | None) -> None:
        self._signer = TimestampSigner(
            key or secrets.token_hex(32), salt=SALT, key_derivation="hmac", digest_method=hashlib.sha256
        )

    def write(self, upload: Upload) -> str:
        """The upload as a parameter's value: about 1,000 characters for the vector, and up to 1,100 for the copy."""
        packed, step = _packed(upload.part.vector)
        digest = _digest(upload.part.fingerprint)
        header = HEADER.pack(digest, upload.width, upload.height, len(packed), step)
        text = base64.urlsafe_b64encode(header + packed + upload.copy).rstrip(b"=")
        return self._signer.sign(text).decode("ascii")

    def read(self, token: str, fingerprint: str) -> Upload:
        """The upload that `write` was given, its vector off by about 1 %. Raises Rejected where the token is not ours,
        too old, or of a picture seen by another encoder than the one with this fingerprint."""
        try:
            text = self._signer.unsign(token.encode("ascii", "replace"), max_age=MAX_AGE)
        except SignatureExpired:
            raise Rejected(
                gettext("The picture of this search was uploaded over a week ago. Please add it again.")
            ) from None
        except BadSignature:
            raise Rejected(gettext(UNUSABLE)) from None
        # Of one token there is one spelling: base64 has others, for the signature too.
        body, _, signature = token.rpartition(".")
        if self._signer.get_signature(body).decode("ascii") != signature:
            raise Rejected(gettext(UNUSABLE))
        data = base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))
        if len(data) < HEADER.size:
            raise Rejected(gettext(UNUSABLE))
        digest, width, height, length, step = HEADER.unpack_from(data)
        if digest != _digest(fingerprint):
            raise Rejected(
                gettext(
                    "The collection has changed since the picture of this search was uploaded. Please add it again."
                )
            )
        vector = _unpacked(data[HEADER.size : HEADER.size + length], step)
        return Upload(ImageTerm(vector, fingerprint), data[HEADER.size + length :], width, height)


def _packed(vector: Vector) -> tuple[bytes, float]:
    """The vector in steps of one size, a byte each, deflated; and that size."""
    step = float(np.abs(vector).max()) / 127
    return zlib.compress(np.rint(vector / step).astype(np.int8).tobytes(), 9), step


def _unpacked(packed: bytes, step: float) -> Vector:
    """The vector again, of unit length. Raises Rejected."""
    try:
        numbers = zlib.decompressobj().decompress(packed, LONGEST)
    except zlib.error:
        raise Rejected(gettext(UNUSABLE)) from None
    vector = np.frombuffer(numbers, dtype=np.int8).astype(np.float32)
    length = np.linalg.norm(vector)
    if not (length and math.isfinite(step)):
        raise Rejected(gettext(UNUSABLE))
    return np.asarray(vector * np.float32(np.sign(step)) / length, dtype=np.float32)


def _digest(fingerprint: str) -> bytes:
    return hashlib.blake2b(fingerprint.encode(), digest_size=8).digest()
