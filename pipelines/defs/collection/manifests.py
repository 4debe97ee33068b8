"""What is recorded of builds outside the vector store: what went into each, which were live when, which
are blocked.

builds/<store>/<build>.parquet   the manifest of a build, one row per work, written before the build
publications.json                what became live and when
build_datasets.json              the dataset that each build was last made from
blocked/<build>                  an object for each build that was rolled back from, which no refresh
                                 publishes again; only its key counts, so a damaged file unblocks nothing
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Sequence

import pandas as pd

from gallery.errors import Corrupted, NotFound
from gallery.models import Artist, Artwork, Build, to_payload
from gallery.objects.base import ObjectStore
from gallery.vectors.base import BUILD_NAME, VectorStore
from pipelines.records import (
    BuildDatasetsRecord,
    DatasetRecord,
    Publication,
    PublicationsRecord,
    now,
)
from pipelines.tables import build_folder, build_table

log = logging.getLogger(__name__)

MAX_PUBLICATIONS = 100
"""Publications, and builds with their datasets, to keep a record of."""
ARTIST_FACTS = ("years", "styles", "nationalities", "bio", "link")
"""What may be known of an artist."""
BLOCKED = "blocked/"
MANIFEST = re.compile(r"builds/[0-9a-f]{8}/[a-z0-9_]+\.parquet")
"""Keys of manifests. Other files beside them are left alone."""


def save_manifest(
    tables: ObjectStore, store: VectorStore, build: str, works: Sequence[Artwork]
) -> pd.DataFrame:
    """Record the works of a build, and return the manifest.

    Called before the build is written, so that every build has a manifest.
    """
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
            "artist": work.artist.slug,
            "facts": artist_facts(work.artist),
        }
        for work in sorted(works, key=lambda work: work.id)
    ]
    manifest = table.frame(rows)
    table.write(tables, manifest)
    return manifest


def load_manifest(tables: ObjectStore, store: VectorStore, build: str) -> pd.DataFrame | None:
    """Return the works of the build; None if they are unknown.

    A missing or damaged manifest is written again from the works in the vector store, if all are there.
    Raises Unavailable.
    """
    manifest = build_table(store.address, build).read_or_none(tables)
    if manifest is not None:
        return manifest
    try:
        collection = store.open(build)
        works = collection.works(limit=max(1, collection.build.works))
    except (NotFound, Corrupted) as error:
        log.warning("build %s has no readable manifest, and %s", build, error)
        return None
    if not collection.build.ready or not len(works) == collection.count() == collection.build.works:
        return None
    log.warning("the manifest of build %s was missing or damaged; it is written again", build)
    return save_manifest(tables, store, build, works)


def list_manifests(tables: ObjectStore, store: VectorStore) -> dict[str, str]:
    """Return manifest key -> name of the build, or "" for a build of another vector store."""
    folder = build_folder(store.address)
    return {
        key: key.removeprefix(folder).removesuffix(".parquet") if key.startswith(folder) else ""
        for key in tables.sizes("builds/")
        if MANIFEST.fullmatch(key)
    }


def artist_facts(artist: Artist) -> list[str]:
    """Return which of `ARTIST_FACTS` are known of the artist."""
    known = (
        artist.birth is not None or artist.death is not None,
        artist.styles,
        artist.nationalities,
        artist.bio,
        artist.wikipedia,
    )
    return [name for name, value in zip(ARTIST_FACTS, known, strict=True) if value]


def live_works(store: VectorStore, tables: ObjectStore) -> pd.DataFrame:
    """Return the live works as in a manifest; no rows before the first publication to this store.

    If the pointer is missing or broken, the build that became live last counts. Raises Unavailable, or
    Corrupted if the works are unknown: without them, the checks that compare with them would always pass.
    """
    live, problem = None, ""
    try:
        live = store.live()
    except Corrupted as error:
        problem = str(error)
    for name in [live.name] if live else published_builds(tables):
        manifest = load_manifest(tables, store, name)
        if manifest is not None:
            return manifest
    if live:
        problem = f"neither the manifest nor the works of the live build {live.name} can be read"
    if problem:
        raise Corrupted(
            f"{problem}, so the dataset cannot be checked for lost works and facts. If it has lost none, run "
            "`gallery refresh --allow-removals`"
        )
    return build_table(store.address, "").frame([])


def publications(tables: ObjectStore) -> list[Publication]:
    """Return the changes of the live build, oldest first."""
    record = PublicationsRecord.load_or_none(tables)
    return record.publications if record else []


def record_publication(tables: ObjectStore, build: str, before: str, how: str, run: str) -> None:
    """Record that the build became live."""
    entry = Publication(build=build, before=before, how=how, run=run, at=now())
    entries = [*publications(tables), entry]
    PublicationsRecord(publications=entries[-MAX_PUBLICATIONS:]).save(tables)


def record_unrecorded(tables: ObjectStore, live: Build | None) -> None:
    """Record the live build if another one was recorded last.

    The process that moved the pointer may have been killed before it recorded that. Called with the
    publication lock held.
    """
    last = published_builds(tables)[:1]
    if live and last != [live.name]:
        record_publication(tables, live.name, "".join(last), "unrecorded", "")


def published_builds(tables: ObjectStore) -> list[str]:
    """Return the builds that have been live, latest first."""
    entries = reversed(publications(tables))
    return list(dict.fromkeys(name for entry in entries for name in (entry.build, entry.before) if name))


def record_dataset(tables: ObjectStore, build: str, dataset: DatasetRecord) -> None:
    """Record that the dataset gives this build."""
    record = BuildDatasetsRecord.load_or_none(tables) or BuildDatasetsRecord()
    others = {name: other for name, other in record.datasets.items() if name != build}
    latest = list({**others, build: dataset}.items())[-MAX_PUBLICATIONS:]
    BuildDatasetsRecord(datasets=dict(latest)).save(tables)


def dataset_of(tables: ObjectStore, build: Build) -> DatasetRecord:
    """Return the dataset that the build was last made from.

    The build itself names the one it was first made from: the same content from another address or version
    is the same build.
    """
    record = BuildDatasetsRecord.load_or_none(tables)
    first = DatasetRecord(address=build.dataset, version=build.version, generated=build.generated)
    return record.datasets.get(build.name, first) if record else first


def blocked_builds(tables: ObjectStore) -> list[str]:
    """Return the builds that were rolled back from and are not published again."""
    names = [key.removeprefix(BLOCKED) for key in tables.sizes(BLOCKED)]
    return [name for name in names if BUILD_NAME.fullmatch(name)]


def block(tables: ObjectStore, build: str) -> None:
    """Let no refresh publish the build again. The object says when it was blocked."""
    tables.put(f"{BLOCKED}{build}", f"{now()}\n".encode(), "text/plain")


def lift_block(tables: ObjectStore, build: str) -> None:
    """Let refreshes publish the build again."""
    tables.delete(f"{BLOCKED}{build}")
