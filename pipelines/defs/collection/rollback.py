"""Rollback to an earlier build, and the list of builds to choose from."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from gallery.errors import Invalid, NotFound, Unavailable
from gallery.models import Build
from gallery.objects.base import ObjectStore
from gallery.vectors.base import VectorStore, original_name
from pipelines import lock
from pipelines.defs.collection.builds import live_or_none
from pipelines.defs.collection.manifests import (
    block,
    blocked_builds,
    dataset_of,
    lift_block,
    publications,
    published_builds,
    record_publication,
    record_unrecorded,
)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Rollback:
    """The build that is live now, and the name of the previous one, which is blocked; "" for none."""

    build: Build
    before: str


def roll_back(
    store: VectorStore, tables: ObjectStore, to: str | None, run: str, *, force: bool = False
) -> Rollback:
    """Make `to` live, by default the previously live build, and block the build that was live.

    Only a pointer moves, however large the collection is. With `force`, a build that has never been live may
    become so; it may be one that the evaluation refused.

    Raises LockLost if another process took over the publication lock; NotFound if there is no such build;
    Invalid if it is incomplete, live already or has never been live.
    """
    with lock.publication(tables) as check_lock:
        live = live_or_none(store)
        record_unrecorded(tables, live)
        name = to or _previous(store, tables, live)
        if live is not None and live.name == name:
            raise Invalid(f"build {name} is live already")
        collection = store.open(name)
        if not force and name not in published_builds(tables):
            raise Invalid(
                f"build {name} has never been live: its evaluation may have refused it. `gallery builds` "
                f"shows which builds have been live; `gallery rollback --force {name}` publishes it anyway"
            )
        if not collection.build.ready or collection.count() != collection.build.works:
            raise Invalid(
                f"build {name} cannot become live: it is incomplete ({collection.count()} of "
                f"{collection.build.works} works)"
            )
        check_lock()
        # Block first: if this is interrupted, the next refresh finds the build live and changes nothing.
        if live:
            block(tables, live.name)
        for other in blocked_builds(tables):
            if original_name(other) == original_name(name) and not (live and other == live.name):
                lift_block(tables, other)
        check_lock()
        # Once the pointer has moved, nothing may fail: repeating the rollback would go back by another build.
        try:
            store.publish(name)
        except Unavailable:
            now = live_or_none(store)
            if now is None or now.name != name:
                raise
        try:
            record_publication(tables, name, live.name if live else "", "rollback", run)
        except Unavailable as error:
            log.warning("%s; the next refresh or rollback records that build %s is live", error, name)
        return Rollback(collection.build, live.name if live else "")


def unblock(tables: ObjectStore, build: str | None) -> list[str]:
    """Let refreshes publish this build again, or all blocked ones; return their names. Raises NotFound."""
    blocked = blocked_builds(tables)
    freed = [name for name in blocked if build is None or original_name(name) == original_name(build)]
    if build is not None and not freed:
        raise NotFound(
            f"build {build} is not blocked" + (f"; blocked: {', '.join(blocked)}" if blocked else "")
        )
    for name in freed:
        lift_block(tables, name)
    return freed


def _previous(store: VectorStore, tables: ObjectStore, live: Build | None) -> str:
    """Return the build that was live last, of those that exist and are not blocked.

    A candidate that was refused has never been live, so it is not chosen.
    """
    blocked = blocked_builds(tables)
    # Not one that the live build replaced, since it is damaged.
    live_name = original_name(live.name) if live else ""
    ready = [build.name for build in store.builds() if build.ready and original_name(build.name) != live_name]
    for name in published_builds(tables):
        if name in ready and name not in blocked:
            return name
    if live is None and not ready:
        raise NotFound("there are no builds yet; run `gallery refresh`")
    hint = (
        f"name one of the existing builds: {', '.join(ready)}"
        if ready
        else "GALLERY_KEEP_BUILDS sets how many are kept"
    )
    raise NotFound(f"there is no earlier build to roll back to; {hint}")


def list_builds(store: VectorStore, tables: ObjectStore) -> list[dict[str, Any]]:
    """Return facts about every build, newest first."""
    live = live_or_none(store)
    blocked = blocked_builds(tables)
    published = {entry.build: entry for entry in publications(tables)}
    return [
        {
            "build": build.name,
            "live": live is not None and build.name == live.name,
            "state": _state(build, build.name in blocked, build.name in published),
            "works": build.works,
            "encoder": build.encoder,
            "dataset": (dataset := dataset_of(tables, build)).address,
            "version": dataset.version,
            "made": build.created_at,
            "published": entry.at if (entry := published.get(build.name)) else "",
            "run": entry.run if entry else "",
        }
        for build in store.builds()
    ]


def _state(build: Build, blocked: bool, published: bool) -> str:
    if not build.ready:
        return "incomplete"
    return "blocked" if blocked else "ready" if published else "never live"
