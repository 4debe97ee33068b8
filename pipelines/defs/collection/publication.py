"""Publication: make a complete build live, and drop old builds.

Whoever moves the pointer or drops a build holds `lock.publication`, so a refresh and a rollback never work on
different ideas of what is live.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from gallery.errors import Corrupted, Invalid, NotFound
from gallery.models import Build
from gallery.objects.base import ObjectStore
from gallery.vectors.base import VectorStore
from pipelines import lock
from pipelines.defs.collection.builds import live_or_none
from pipelines.defs.collection.manifests import published_builds, record_publication, record_unrecorded
from pipelines.defs.evaluation.gate import check_gate
from pipelines.records import PublicationsRecord

log = logging.getLogger(__name__)

STALE_AFTER = timedelta(days=1)
"""Age from which an incomplete build belongs to a dead run. A younger one may still be being written."""


@dataclass(frozen=True)
class PublishedBuild:
    """The live build, the name of the previous one ("" for none), and the names of dropped builds."""

    build: Build
    before: str
    dropped: list[str]

    @property
    def moved(self) -> bool:
        """Whether another build was live before."""
        return self.before != self.build.name


def publish_candidate(
    store: VectorStore, tables: ObjectStore, name: str, *, owner: str, run: str, keep: int
) -> PublishedBuild:
    """Make the candidate live if its evaluation allows it, record that, and drop all but `keep` builds.

    Raises LockLost if `owner` no longer holds the refresh lock, or another process took over the publication
    lock; what `check_gate` and `publish` raise.
    """
    with lock.publication(tables) as check_publication_lock:

        def check_locks() -> None:
            lock.check(tables, owner)
            check_publication_lock()

        check_locks()  # time has passed since the step started
        live = live_or_none(store)
        record_unrecorded(tables, live)
        before = live.name if live else ""
        check_gate(tables, name, before)
        build = publish(store, name, check_locks)
        if before != build.name:
            record_publication(tables, build.name, before, "refresh", run)
        check_locks()
        dropped = prune(store, keep=keep, published=published_builds(tables))
    return PublishedBuild(build, before, dropped)


def publish(store: VectorStore, name: str, check_locks: Callable[[], None]) -> Build:
    """Make the build live and return it. Raises NotFound, or Invalid if it is incomplete.

    `check_locks` is called right before the pointer moves. `pipelines.defs.evaluation.gate` decides whether
    the build may replace the live one.
    """
    collection = store.open(name)
    build, count = collection.build, collection.count()
    if not build.ready or count != build.works:
        problem = f"{count} of {build.works} works" if count != build.works else "it was never sealed"
        raise Invalid(
            f"build {name} is not published: it is incomplete ({problem}); materialize `candidate` again"
        )
    check_locks()
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


def drop_refused(store: VectorStore, tables: ObjectStore, refused: str, candidate: str) -> bool:
    """Drop the previous candidate if it was never live; return whether it was dropped.

    Otherwise each refused candidate would stay.
    """
    with lock.publication(tables) as check_lock:
        live = live_or_none(store)
        try:
            PublicationsRecord.load(tables)
        except NotFound:
            pass  # nothing was published yet
        except Corrupted as error:
            log.warning("build %s is kept, since it may have been live: %s", refused, error)
            return False
        if refused in (candidate, live.name if live else "", *published_builds(tables)):
            return False
        check_lock()
        store.drop(refused)
    return True
