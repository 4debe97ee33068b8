"""What is remembered of builds beside the vector store: what went into each, which were live when, which are held back.

builds/<store>/<build>.parquet   one row a work: the record of a build, written before the build is
publications.json                what became live when, the oldest first
held.json                        builds that were rolled back from, which no refresh publishes again
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from gallery.errors import Corrupted
from gallery.models import Artwork, to_payload
from gallery.objects.base import ObjectStore
from gallery.vectors.base import VectorStore
from pipelines.defs.collection.builds import live_or_none
from pipelines.tables import build_folder, build_table, note_or_none, write_note

log = logging.getLogger(__name__)

MOST = 100
"""Publications remembered."""


def record(tables: ObjectStore, store: VectorStore, build: str, works: Sequence[Artwork]) -> None:
    """Remember what goes into the build. Written before the build, so that no build is without one."""
    table = build_table(store.address, build)
    rows = [
        {
            "id": work.id,
            "file": work.file,
            "sha256": work.sha256,
            "original": work.image.original,
            "large": work.image.large,
            "small": work.image.small,
            "digest": hashlib.sha256(json.dumps(to_payload(work), sort_keys=True).encode()).hexdigest()[:16],
        }
        for work in works
    ]
    table.write(tables, table.frame(rows))


def load_manifest(tables: ObjectStore, store: VectorStore, build: str) -> pd.DataFrame | None:
    """What went into the build; None where nobody wrote that down."""
    return build_table(store.address, build).read_or_none(tables)


def live_works(store: VectorStore, tables: ObjectStore) -> set[str]:
    """The ids of what is live, by our record where there is one; none where nothing is live or it is damaged. Raises
    Unavailable."""
    live = live_or_none(store)
    if live is None:
        return set()
    frame = load_manifest(tables, store, live.name)
    if frame is not None:
        return set(frame["id"])
    try:
        return store.open(live.name).ids()
    except Corrupted as error:
        log.warning("%s", error)
        return set()


def list_manifests(tables: ObjectStore, store: VectorStore) -> dict[str, str]:
    """Every record's key -> the build, for builds of this store; "" for those of another."""
    folder = build_folder(store.address)
    return {
        key: key.removeprefix(folder).removesuffix(".parquet") if key.startswith(folder) else ""
        for key in tables.sizes("builds/")
    }


def publications(tables: ObjectStore) -> list[dict[str, Any]]:
    """What became live, the oldest first: build, before, how (refresh or rollback), run, at."""
    note = note_or_none(tables, "publications")
    return list(note["publications"]) if note else []


def record_publication(tables: ObjectStore, build: str, before: str, how: str, run: str) -> None:
    """Remember that the build became live."""
    entry = {
        "build": build,
        "before": before,
        "how": how,
        "run": run,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    write_note(tables, "publications", {"publications": [*publications(tables), entry][-MOST:]})


def was_live(tables: ObjectStore) -> list[str]:
    """Builds that were live at some time, the latest first."""
    entries = reversed(publications(tables))
    return list(
        dict.fromkeys(name for entry in entries for name in (entry["build"], entry["before"]) if name)
    )


def blocked_builds(tables: ObjectStore) -> list[str]:
    """Builds that were rolled back from and are not published again until they are released."""
    note = note_or_none(tables, "held")
    return list(note["builds"]) if note else []


def block(tables: ObjectStore, builds: Sequence[str]) -> None:
    """Hold back these builds and no others."""
    write_note(tables, "held", {"builds": list(builds)})
