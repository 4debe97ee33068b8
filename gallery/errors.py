"""The errors callers may catch, one tree:

    GalleryError
    ├── Invalid       the input or the configuration is wrong; trying again will not help
    ├── NotFound      the thing asked for does not exist
    └── Unavailable   something outside did not answer; the same call may succeed later
        └── Damaged   it answered: what was stored is gone or unreadable, and a refresh makes it anew

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


class Corrupted(Unavailable):
    """What was stored is gone or unreadable, and a refresh makes it anew. Not raised for a store that merely does not
    answer: a refresh may pass over a damaged build, but never over one that it could not ask for."""
