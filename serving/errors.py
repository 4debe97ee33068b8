"""Errors of requests, and the texts of error pages.

Visitors see only these texts and the messages of `Rejected`. Messages of stores and encoders may contain
folders and addresses, so they are only logged.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext

from gallery.errors import Invalid, Unavailable
from gallery.settings import Settings
from serving.i18n import marked

PROBLEM = "application/problem+json"
FORM_OVERHEAD_BYTES = 1_000_000
"""Maximum size of a request without the uploaded image: form fields and multipart framing."""
MAX_URLENCODED_BYTES = 64_000
"""Maximum size of a form without files."""


def max_body_bytes(settings: Settings) -> int:
    """Return the largest request body in bytes: the uploaded images in Base64, which is a third larger."""
    return settings.max_upload * 4 // 3 + FORM_OVERHEAD_BYTES


@dataclass(frozen=True)
class FieldError:
    """An error in one field of a request.

    `field` is a parameter or a path in the body, such as "filters.style"; "" for the request as a whole.
    """

    field: str
    message: str


class Rejected(Invalid):
    """The request is invalid. Visitors see the message; `field_errors` has one entry per invalid field."""

    def __init__(self, message: str, status: int = 400, field_errors: tuple[FieldError, ...] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.field_errors = field_errors


class NoCollection(Unavailable):
    """No collection has been published yet."""


class Starting(Unavailable):
    """The encoder is still loading."""


class Busy(Unavailable):
    """Too many concurrent uploads."""


ERROR_TEXTS: dict[int, tuple[str, str]] = {
    400: (
        marked("We can’t read that request"),
        marked("Something in the address or the form is invalid."),
    ),
    404: (
        marked("Page not found"),
        marked("This painting may no longer be in the collection."),
    ),
    405: (marked("Not possible here"), marked("This address doesn’t accept that kind of request.")),
    410: (marked("This has expired"), marked("The collection has been updated since. Please start again.")),
    413: (
        marked("That file is too large"),
        marked("Please try a smaller copy of the image."),
    ),
    415: (
        marked("We can’t read that image"),
        marked("We accept JPEG, PNG, WebP, GIF, TIFF, BMP, AVIF and HEIC."),
    ),
    429: (
        marked("Too many requests"),
        marked("You’re searching very quickly. Please wait a moment."),
    ),
    416: (
        marked("That range doesn’t exist"),
        marked("The image has no bytes in the requested range."),
    ),
    500: (
        marked("Something went wrong on our side"),
        marked("The error has been logged. Other searches may still work."),
    ),
    503: (
        marked("The collection is unavailable"),
        marked("Please try again in a moment."),
    ),
}
"""HTTP status -> title and message."""


def error_text(status: int) -> tuple[str, str]:
    """Return title and message for a status, or those of 400 or 500 if it has none."""
    title, text = ERROR_TEXTS.get(status) or ERROR_TEXTS[500 if status >= 500 else 400]
    return gettext(title), gettext(text)
