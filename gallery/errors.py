"""The errors that callers may catch:

    GalleryError
    ├── Invalid       the input or the configuration is wrong; trying again will not help
    ├── NotFound      the thing asked for does not exist
    ├── Unavailable   an outside service did not answer; the same call may succeed later
    └── Corrupted     stored data is missing or unreadable; trying again will not help, a refresh replaces it

Adapters translate the errors of their client libraries into these. Messages say what happened, to which
thing, and what to do about it.
"""

from __future__ import annotations

from gallery.text import printable


class GalleryError(Exception):
    """Base class of the errors that this project raises on purpose. Each argument is a line of its message.

    Messages quote names and texts from outside, so hidden characters in them are escaped.
    """

    def __str__(self) -> str:
        return "\n".join(printable(str(line)) for line in self.args)


class Invalid(GalleryError):
    """The input or the configuration is wrong; trying again will not help."""


class NotFound(GalleryError):
    """The thing asked for does not exist."""


class Unavailable(GalleryError):
    """An outside service did not answer; the same call may succeed later."""


class Corrupted(GalleryError):
    """Stored data is missing or unreadable; trying again will not help, but a refresh replaces it.

    Not raised for a store that does not answer: a refresh may replace a corrupted build, but not one that it
    merely failed to read.
    """
