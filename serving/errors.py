"""Errors of requests, and the texts of error pages.

Only these texts and the messages of `Rejected` are shown to visitors. Messages of stores and encoders may contain
folders and addresses, so they go to the log only.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext

from gallery.errors import Invalid, Unavailable
from serving.i18n import marked

PROBLEM = "application/problem+json"
FORM_OVERHEAD_BYTES = 1_000_000
"""Size of a request beyond the uploaded image, at most: the form's fields and the multipart framing."""


@dataclass(frozen=True)
class FieldError:
    """What is wrong with one field of a request."""

    at: str
    message: str


class Rejected(Invalid):
    """The request is invalid. The message is shown to the visitor, `status` is the HTTP status, and `field_errors`
    list each invalid field for API clients."""

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


# status -> (title, message)
ERROR_TEXTS: dict[int, tuple[str, str]] = {
    400: (
        marked("That request cannot be read"),
        marked("Something in the address or the form is not as it should be."),
    ),
    404: (
        marked("There is nothing here"),
        marked("No page, work or picture has this address. It may have left the collection."),
    ),
    405: (marked("That is not possible here"), marked("This address does not take that kind of request.")),
    408: (
        marked("That took too long"),
        marked("The connection was too slow for the request to arrive. Please try again."),
    ),
    410: (marked("That is no more"), marked("The collection has changed since. Please begin again.")),
    413: (
        marked("That is too large"),
        marked("The request is larger than this site accepts. Try a smaller copy of the picture."),
    ),
    415: (
        marked("That is not a picture we can read"),
        marked("JPEG, PNG, WebP, GIF, TIFF, BMP and AVIF are understood."),
    ),
    429: (
        marked("That was a lot at once"),
        marked("This site answers only so many requests a minute. Please wait a moment."),
    ),
    416: (
        marked("That part does not exist"),
        marked("The picture has no bytes in the range that was asked for."),
    ),
    500: (
        marked("Something broke"),
        marked("The fault is ours, and it has been noted. The search itself may still work."),
    ),
    503: (
        marked("The collection is out of reach"),
        marked("The search cannot be answered just now. Please try again in a moment."),
    ),
}


def error_text(status: int) -> tuple[str, str]:
    """The title and message for a status; those of 400 or 500 for a status that has none."""
    title, text = ERROR_TEXTS.get(status) or ERROR_TEXTS[500 if status >= 500 else 400]
    return gettext(title), gettext(text)
