"""Messages of failed steps."""

from __future__ import annotations

from typing import Any

from gallery.errors import GalleryError


def error_message(error: Any) -> str:
    """Return the message of an error as Dagster stores it.

    The first of this project's errors in its chain counts; without one, the error that Dagster wrapped.
    """
    own = _class_names(GalleryError)
    chain = []
    while error:
        chain.append(error)
        error = error.cause
    for link in chain:
        if link.cls_name in own:
            # Dagster puts the class name first; these messages need none.
            return str(link.message.strip().split(": ", 1)[-1])
    return str(chain[min(1, len(chain) - 1)].message.strip()) if chain else "no error was recorded"


def _class_names(cls: type[GalleryError]) -> set[str]:
    return {cls.__name__}.union(*(_class_names(subclass) for subclass in cls.__subclasses__()))
