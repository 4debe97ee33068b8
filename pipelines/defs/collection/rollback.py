"""Back to an earlier build, at once, and what there is to go back to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gallery.errors import Invalid, NotFound
from gallery.models import Build
from gallery.objects.base import ObjectStore
from gallery.vectors.base import VectorStore, original_name
from pipelines.defs.collection.builds import live_or_none
from pipelines.defs.collection.manifests import (
    block,
    blocked_builds,
    publications,
    record_publication,
    was_live,
)


@dataclass(frozen=True)
class Rollback:
    """The build that is live now, and the name of the one before, which is held from now on."""

    build: Build
    before: str


def roll_back(store: VectorStore, tables: ObjectStore, to: str | None, run: str) -> Rollback:
    """Make `to` live, by default the build that was live before this one, and hold back the one that was.

    Only the pointer moves, so it takes no longer for a large collection. Raises NotFound where there is nothing to go
    back to, Invalid where the build is not ready or live already.
    """
    live = live_or_none(store)
    name = to or _previous(store, tables, live)
    if live is not None and live.name == name:
        raise Invalid(f"build {name} is the live one already")
    collection = store.open(name)  # NotFound for a mistyped name
    if not collection.build.ready or collection.count() != collection.build.works:
        raise Invalid(
            f"build {name} is not complete ({collection.count()} of {collection.build.works} works), so it cannot go live"
        )
    # Held before the pointer moves: cut off in between, a refresh finds it live already and changes nothing.
    kept = [other for other in blocked_builds(tables) if original_name(other) != original_name(name)]
    block(tables, [*kept, *([live.name] if live and live.name not in kept else [])])
    store.publish(name)
    record_publication(tables, name, live.name if live else "", "rollback", run)
    return Rollback(collection.build, live.name if live else "")


def unblock(tables: ObjectStore, build: str | None) -> list[str]:
    """Let refreshes publish this build again, or all blocked ones; return their names. Raises NotFound."""
    builds = blocked_builds(tables)
    freed = [name for name in builds if build is None or original_name(name) == original_name(build)]
    if build is not None and not freed:
        raise NotFound(
            f"build {build} is not blocked" + (f"; blocked: {', '.join(builds)}" if builds else "")
        )
    block(tables, [name for name in builds if name not in freed])
    return freed


def _previous(store: VectorStore, tables: ObjectStore, live: Build | None) -> str:
    ready = [build for build in store.builds() if build.ready and (live is None or build.name != live.name)]
    free = [build.name for build in ready if build.name not in blocked_builds(tables)]
    # A candidate that was refused is ready too, so only what has been live before is gone back to unasked.
    for name in was_live(tables):
        if name in free:
            return name
    others = ", ".join(build.name for build in ready)
    if live is None and not ready:
        raise NotFound("there are no builds yet; `gallery refresh` makes one")
    raise NotFound(
        "no earlier build is left to go back to"
        + (
            f"; name one of those that are there: {others}"
            if others
            else "; GALLERY_KEEP_BUILDS says how many are kept"
        )
    )


def list_builds(store: VectorStore, tables: ObjectStore) -> list[dict[str, Any]]:
    """Every build, the newest first, with what a person choosing among them wants to know."""
    live = live_or_none(store)
    kept_back = blocked_builds(tables)
    published = {entry["build"]: entry for entry in publications(tables)}
    return [
        {
            "build": build.name,
            "live": live is not None and build.name == live.name,
            "state": _state(build, build.name in kept_back, build.name in published),
            "works": build.works,
            "encoder": build.encoder,
            "dataset": build.dataset,
            "version": build.version,
            "made": build.created_at,
            "published": published.get(build.name, {}).get("at", ""),
            "run": published.get(build.name, {}).get("run", ""),
        }
        for build in store.builds()
    ]


def _state(build: Build, kept_back: bool, was_published: bool) -> str:
    if not build.ready:
        return "incomplete"
    return "blocked" if kept_back else "ready" if was_published else "never live"
