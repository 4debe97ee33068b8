"""What can go wrong with a request: errors with a status, and the sentence a visitor reads.

Only the sentences written here and in `Rejected` reach a page. What the stores and encoders say of themselves may
hold folders and addresses, so it goes to the log.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext

from gallery.errors import Invalid, Unavailable
from serving.language import marked

ALLOWANCE = 1_000_000
"""Bytes that a request may hold beside the uploaded picture: the form's fields and the multipart frame."""


@dataclass(frozen=True)
class Mistake:
    """One thing that is wrong with a request: the name of the field, and what about it."""

    at: str
    message: str


class Rejected(Invalid):
    """The request cannot be answered as it stands; the message is for the visitor, `status` is HTTP's, `mistakes` are
    what a program that sent it can tell one from another."""

    def __init__(self, message: str, status: int = 400, mistakes: tuple[Mistake, ...] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.mistakes = mistakes


class NoCollection(Unavailable):
    """Nothing has been published yet."""


class Starting(Unavailable):
    """The encoder is still being loaded."""


class Busy(Unavailable):
    """Too many uploads at the same time."""


# status -> (title, sentence)
SENTENCES: dict[int, tuple[str, str]] = {
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


def sentence(status: int) -> tuple[str, str]:
    """The title and the sentence of a status, or those of its class for a status that has none."""
    title, text = SENTENCES.get(status) or SENTENCES[500 if status >= 500 else 400]
    return gettext(title), gettext(text)
