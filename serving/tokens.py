"""An uploaded picture as a signed form field, so that a search can be refined without a second upload.

Nothing of an upload is kept here: its vector and a little copy travel with the page that shows it.
"""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass

import numpy as np
from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer

from gallery.search import PictureQuery
from serving.errors import Rejected

MAX_AGE = 24 * 60 * 60
"""Seconds that a field can be used for."""

# Raise the number when the field's content changes, so that older fields are refused rather than misread.
SALT = "picture/1"


@dataclass(frozen=True)
class Upload:
    """A picture to search by: its query, and a small WebP copy of `width` x `height` pixels to show back."""

    query: PictureQuery
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
        self._serializer = URLSafeTimedSerializer(key or secrets.token_hex(32), salt=SALT)

    def write(self, upload: Upload) -> str:
        """The upload as a form field's value."""
        vector = np.asarray(upload.query.vector, dtype="<f4").tobytes()
        parts = [base64.b64encode(data).decode("ascii") for data in (vector, upload.copy)]
        signed = self._serializer.dumps([upload.query.fingerprint, *parts, upload.width, upload.height])
        return signed if isinstance(signed, str) else signed.decode("ascii")

    def read(self, token: str) -> Upload:
        """The upload that `write` was given. Raises Rejected where it is not ours or too old."""
        try:
            fingerprint, vector, copy, width, height = self._serializer.loads(token, max_age=MAX_AGE)
        except SignatureExpired:
            raise Rejected("This picture was uploaded over a day ago. Please upload it again.") from None
        except BadSignature:
            raise Rejected("This picture can no longer be used. Please upload it again.") from None
        row = np.frombuffer(base64.b64decode(vector), dtype="<f4").astype(np.float32)
        return Upload(PictureQuery(row, fingerprint), base64.b64decode(copy), width, height)
