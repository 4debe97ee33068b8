"""What can go wrong with a request: errors with a status, and the sentence a visitor reads.

Only the sentences written here and in `Rejected` reach a page. What the stores and encoders say of themselves may
hold folders and addresses, so it goes to the log.
"""

from __future__ import annotations

from dataclasses import dataclass

from gallery.errors import Invalid, Unavailable

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
    400: ("That request cannot be read", "Something in the address or the form is not as it should be."),
    404: (
        "There is nothing here",
        "No page, work or picture has this address. It may have left the collection.",
    ),
    405: ("That is not possible here", "This address does not take that kind of request."),
    408: ("That took too long", "The connection was too slow for the request to arrive. Please try again."),
    410: ("That is no more", "The collection has changed since. Please begin again."),
    413: (
        "That is too large",
        "The request is larger than this site accepts. Try a smaller copy of the picture.",
    ),
    415: ("That is not a picture we can read", "JPEG, PNG, WebP, GIF, TIFF, BMP and AVIF are understood."),
    429: ("That was a lot at once", "This site answers only so many requests a minute. Please wait a moment."),
    416: ("That part does not exist", "The picture has no bytes in the range that was asked for."),
    500: ("Something broke", "The fault is ours, and it has been noted. The search itself may still work."),
    503: (
        "The collection is out of reach",
        "The search cannot be answered just now. Please try again in a moment.",
    ),
}


def sentence(status: int) -> tuple[str, str]:
    """The title and the sentence of a status, or those of its class for a status that has none."""
    return SENTENCES.get(status) or SENTENCES[500 if status >= 500 else 400]
