"""Publication: make a complete build live, and drop old builds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from gallery.errors import Invalid
from gallery.models import Build
from gallery.vectors.base import VectorStore
from pipelines.defs.collection.builds import live_or_none

STALE_AFTER = timedelta(days=1)
"""Age from which an incomplete build belongs to a dead run. A younger one may still be being written."""


def publish(store: VectorStore, name: str) -> Build:
    """Make the build live and return it. Raises NotFound, or Invalid if it is incomplete.

    `pipelines.defs.evaluation.gate` decides whether it may replace the live build.
    """
    collection = store.open(name)
    build, count = collection.build, collection.count()
    if not build.ready or count != build.works:
        problem = f"{count} of {build.works} works" if count != build.works else "it was never sealed"
        raise Invalid(
            f"build {name} is not published: it is incomplete ({problem}); materialize `candidate` again"
        )
    store.publish(name)
    return build


def prune(store: VectorStore, *, keep: int, published: Sequence[str] = ()) -> list[str]:
    """Drop all but `keep` builds; return the names of the dropped ones. Raises Unavailable.

    The live build is kept first, then those that have been live (`published`, latest first), then others.
    """
    live = live_or_none(store)
    builds = store.builds()
    ready = [build.name for build in builds if build.ready]
    wanted = [*([live.name] if live else []), *(name for name in published if name in ready), *ready]
    kept = list(dict.fromkeys(wanted))[:keep]
    stale = (datetime.now(UTC) - STALE_AFTER).isoformat()
    others = [build for build in builds if build.name not in kept]
    dropped = [build.name for build in others if build.ready or build.created_at < stale]
    for name in dropped:
        store.drop(name)
    return dropped
