"""The errors callers may catch, one tree:

    GalleryError
    ├── Invalid       the input or the configuration is wrong; trying again will not help
    ├── NotFound      the thing asked for does not exist
    ├── Unavailable   something outside did not answer; the same call may succeed later
    └── Corrupted     stored data is missing or unreadable; trying again will not help, a refresh replaces it

Adapters translate their client's errors into these at their edge, with ``from``. Messages say what
happened, to which thing, and what to do about it.
"""

from __future__ import annotations


class GalleryError(Exception):
    """Base of every error this project raises on purpose."""


class Invalid(GalleryError):
    """The input or the configuration is wrong; trying again will not help."""


class NotFound(GalleryError):
    """The thing asked for does not exist."""


class Unavailable(GalleryError):
    """Something outside did not answer; the same call may succeed later."""


class Corrupted(GalleryError):
    """Stored data is missing or unreadable; trying again will not help, but a refresh replaces it.

    Never raised for a store that does not answer: a refresh may replace a corrupted build, but must not replace one
    that it could not read."""
