"""Uploaded images as signed tokens, short enough for an address, so that the search can be shared as a link.

The server stores nothing of an upload. The token holds its vector, rounded to one byte per number, and a
small preview. Tokens are not encrypted: anyone with the link can read them, but only the server can create
valid ones.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import math
import secrets
import struct
import time
import zlib

import numpy as np
from flask_babel import gettext
from itsdangerous import BadSignature, TimestampSigner

from gallery.search.query import ImageTerm, Preview
from gallery.vectors.base import Vector
from serving.errors import Rejected
from serving.i18n import marked

MAX_AGE_S = 7 * 24 * 60 * 60
"""Lifetime of a token."""
CLOCK_SKEW_S = 60
"""How far the clock of the replica that signed a token may be ahead of this one's."""

SALT = "picture/2"
"""Increase the number when the content of tokens changes, so that older tokens are rejected."""
HEADER = struct.Struct("<8sHHHf")
"""Digest of the encoder's fingerprint, preview width and height, length of the packed vector, step size."""

UNUSABLE = marked("The image of this search can no longer be used. Please add it again.")
MAX_DIM = 65_536
"""Maximum vector length; limits memory even for tokens with a valid signature."""


class Tokens:
    """Signs images and reads the tokens. Without a key, one is generated for this process."""

    def __init__(self, key: str | None) -> None:
        self._signer = TimestampSigner(
            key or secrets.token_hex(32), salt=SALT, key_derivation="hmac", digest_method=hashlib.sha256
        )

    def sign(self, image: ImageTerm) -> ImageTerm:
        """Return the image with its token, of about 2,000 characters, half of them for the preview.

        The returned vector is rounded as in the token, to about 1 %, so that the link gives the same results.
        """
        packed, step = _packed(image.vector)
        preview = image.preview or Preview(b"", 1, 1)
        digest = _digest(image.fingerprint)
        header = HEADER.pack(digest, preview.width, preview.height, len(packed), step)
        text = base64.urlsafe_b64encode(header + packed + preview.webp).rstrip(b"=")
        token = self._signer.sign(text).decode("ascii")
        return dataclasses.replace(image, vector=_unpacked(packed, step), token=token)

    def read(self, token: str, fingerprint: str) -> ImageTerm:
        """Return the image of a token, with weight 1.

        Raises Rejected if the token is invalid, has expired, or its vector is from an encoder with another
        fingerprint.
        """
        try:
            text, signed_at = self._signer.unsign(token.encode("ascii", "replace"), return_timestamp=True)
        except BadSignature:
            raise Rejected(gettext(UNUSABLE)) from None
        age_s = time.time() - signed_at.timestamp()
        if age_s > MAX_AGE_S:
            raise Rejected(
                gettext("The image of this search was uploaded more than a week ago. Please add it again.")
            )
        if age_s < -CLOCK_SKEW_S:
            raise Rejected(gettext(UNUSABLE))
        # Base64 allows several spellings of the same bytes; accept only one.
        body, _, signature = token.rpartition(".")
        if self._signer.get_signature(body).decode("ascii") != signature:
            raise Rejected(gettext(UNUSABLE))
        data = base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))
        if len(data) < HEADER.size:
            raise Rejected(gettext(UNUSABLE))
        digest, width, height, length, step = HEADER.unpack_from(data)
        if digest != _digest(fingerprint):
            raise Rejected(
                gettext("The collection has changed since you uploaded this image. Please add it again.")
            )
        vector = _unpacked(data[HEADER.size : HEADER.size + length], step)
        preview = Preview(data[HEADER.size + length :], width, height)
        return ImageTerm(vector, fingerprint, token=token, preview=preview)


def _packed(vector: Vector) -> tuple[bytes, float]:
    """Return the vector, quantised to one byte per number and deflated, and the step size."""
    step = float(np.abs(vector).max()) / 127
    return zlib.compress(np.rint(vector / step).astype(np.int8).tobytes(), 9), step


def _unpacked(packed: bytes, step: float) -> Vector:
    """Return the vector, scaled to unit length. Raises Rejected."""
    try:
        numbers = zlib.decompressobj().decompress(packed, MAX_DIM)
    except zlib.error:
        raise Rejected(gettext(UNUSABLE)) from None
    vector = np.frombuffer(numbers, dtype=np.int8).astype(np.float32)
    length = np.linalg.norm(vector)
    if not (length and math.isfinite(step)):
        raise Rejected(gettext(UNUSABLE))
    return np.asarray(vector * np.float32(np.sign(step)) / length, dtype=np.float32)


def _digest(fingerprint: str) -> bytes:
    return hashlib.blake2b(fingerprint.encode(), digest_size=8).digest()
