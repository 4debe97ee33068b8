"""What a failed step says, in our own words."""

from __future__ import annotations

from typing import Any

from gallery.errors import GalleryError


def _ours(kind: type[GalleryError] = GalleryError) -> set[str]:
    return {kind.__name__}.union(*(_ours(below) for below in kind.__subclasses__()))


def error_message(error: Any) -> str:
    """What an error as Dagster keeps it says: our own words where one of ours is in its chain, else those of what
    Dagster wrapped."""
    ours = _ours()
    chain = []
    while error:
        chain.append(error)
        error = error.cause
    for link in chain:
        if link.cls_name in ours:
            # The class name leads Dagster's text of an error; what we raise on purpose reads well without it.
            return str(link.message.strip().split(": ", 1)[-1])
    return str(chain[min(1, len(chain) - 1)].message.strip()) if chain else "no reason given"
