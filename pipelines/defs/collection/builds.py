"""Builds: make a candidate beside the live build, and compare a build with what it should contain."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd

from gallery.encoders.base import Encoder, Vectors
from gallery.errors import Corrupted, Invalid, NotFound
from gallery.models import Artist, Artwork, Build, StoredImage, to_payload
from gallery.vectors import lexical
from gallery.vectors.base import Collection, VectorStore, replacement_name
from pipelines.records import DatasetRecord

log = logging.getLogger(__name__)

BATCH_WORKS = 1_000
"""Works per write to the vector store."""
MAX_REPLACEMENTS = 100
"""Maximum number of damaged builds with the same content."""
VECTOR_TOLERANCE = 1e-5
"""Largest difference in a float of a stored vector. Stores keep float32; some scale vectors to length 1."""


@dataclass(frozen=True)
class Candidate:
    """A complete build, and whether an earlier run made it."""

    build: Build
    reused: bool


def artists_by_slug(artists: pd.DataFrame) -> dict[str, Artist]:
    """Return the artists of the table ARTISTS."""

    def year(value: Any) -> int | None:
        return None if pd.isna(value) else int(value)

    return {
        row["slug"]: Artist(
            slug=row["slug"],
            name=row["name"],
            birth=year(row["birth"]),
            death=year(row["death"]),
            styles=tuple(row["styles"]),
            nationalities=tuple(row["nationalities"]),
            summary=row["summary"],
            bio=row["bio"],
            wikipedia=row["wikipedia"],
        )
        for row in artists.to_dict("records")
    }


def assemble_works(artists: pd.DataFrame, artworks: pd.DataFrame, images: pd.DataFrame) -> list[Artwork]:
    """Return the works that have images, ordered by id.

    Raises Invalid if the tables are from different runs.
    """
    artist_of = artists_by_slug(artists)
    stored = images[images["fault"] == ""]
    usable = stored.merge(artworks, on=["id", "sha256"], validate="one_to_one")
    if len(usable) != len(stored) or not set(usable["artist"]) <= set(artist_of):
        raise Invalid(
            "the tables artists, artworks and images are from different runs; run `gallery refresh` again"
        )
    works = [
        Artwork(
            id=row["id"],
            artist=artist_of[row["artist"]],
            file=row["file"],
            sha256=row["sha256"],
            image=StoredImage(
                row["original"],
                row["large"],
                row["small"],
                int(row["width"]),
                int(row["height"]),
                row["color"],
            ),
        )
        for row in usable.to_dict("records")
    ]
    return sorted(works, key=lambda work: work.id)


def content_name(works: list[Artwork], vectors_version: str) -> str:
    """Return the name of a build: "b" and twelve hex digits that depend on works and vectors alone."""
    digest = hashlib.sha256(f"{vectors_version} words-v{lexical.VERSION}".encode())
    for work in works:
        digest.update(json.dumps(to_payload(work), sort_keys=True).encode())
    return "b" + digest.hexdigest()[:12]


def build_candidate(
    store: VectorStore,
    works: list[Artwork],
    vectors: Vectors,
    encoder: Encoder,
    *,
    vectors_version: str,
    dataset: DatasetRecord,
    record: Callable[[str], object] = lambda _: None,
) -> Candidate:
    """Return a build of these works, made now or by an earlier run; all of it has been read and compared.

    `vectors` has the vectors of the works in order, float32 [works, dim]. `vectors_version` identifies how
    they are made. `record` is called with the name of the build, before anything is written if it is new.

    Raises Invalid if there are no works, or if the store does not contain exactly what was written.
    """
    if not works:
        raise Invalid("there are no works to publish")
    build = Build(
        name=content_name(works, vectors_version),
        encoder=encoder.address,
        fingerprint=encoder.fingerprint,
        dim=encoder.dim,
        works=len(works),
        dataset=dataset.address,
        version=dataset.version,
        generated=dataset.generated,
        created_at=datetime.now(UTC).isoformat(timespec="microseconds"),
    )
    existing, build = _existing_or_new(store, build, works, vectors)
    if existing:
        record(existing.name)
        return Candidate(existing, reused=True)
    record(build.name)
    collection = store.create(build)
    for start in range(0, len(works), BATCH_WORKS):
        collection.upsert(works[start : start + BATCH_WORKS], vectors[start : start + BATCH_WORKS])
    problem = damage(collection, build, works, vectors)
    if problem:
        raise Invalid(f"build {build.name} does not contain what was written: {problem}")
    return Candidate(store.seal(build.name), reused=False)


def _existing_or_new(
    store: VectorStore, build: Build, works: list[Artwork], vectors: Vectors
) -> tuple[Build | None, Build]:
    """Return the undamaged build with this content or None, and the new build under a free name.

    An incomplete build of an interrupted run is dropped. A build that was complete and is damaged now is
    kept, since it may be live, and the new build gets another name.
    """
    live = live_or_none(store)
    for attempt in range(MAX_REPLACEMENTS):
        name = replacement_name(build.name, attempt) if attempt else build.name
        new = replace(build, name=name)
        try:
            existing = store.open(name)
        except NotFound:
            return None, new
        except Corrupted as error:
            log.warning("%s", error)
            continue
        if existing.build.ready:
            problem = damage(existing, new, works, vectors)
            if not problem:
                return existing.build, new
            log.warning("build %s is damaged, so it is made again under another name: %s", name, problem)
        elif existing.build != live:
            store.drop(name)
            return None, new
    raise Invalid(
        f"there are {MAX_REPLACEMENTS} damaged builds named {build.name}; delete them in the vector store"
    )


def live_or_none(store: VectorStore) -> Build | None:
    """Return the live build; None if there is none, or if its pointer is broken, which publishing repairs.

    Raises Unavailable: treating an unknown live build as none would skip the comparison with it.
    """
    try:
        return store.live()
    except Corrupted as error:
        log.warning("%s", error)
        return None


def damage(collection: Collection, build: Build, works: list[Artwork], vectors: Vectors) -> str:
    """Return how the collection differs from this build of these works and vectors; "" if it does not.

    Reads all of it, since a store may return other rows than were written. Raises Unavailable.
    """
    stored = collection.build
    if (stored.fingerprint, stored.dim, stored.works) != (build.fingerprint, build.dim, build.works):
        return "its manifest names another encoder or number of works"
    try:
        if problem := difference(collection, works):
            return problem
        found = {work.id: work for work in collection.works(limit=len(works))}
        changed = [work.id for work in works if found.get(work.id) != work]
        for start in range(0, len(works), BATCH_WORKS):
            ids = [work.id for work in works[start : start + BATCH_WORKS]]
            rows, wanted = collection.vectors(ids), vectors[start : start + BATCH_WORKS]
            same = np.abs(_unit(rows) - _unit(wanted)) < VECTOR_TOLERANCE  # False for NaN
            changed += [id for id, whole in zip(ids, same.all(axis=1), strict=True) if not whole]
        if changed:
            return f"{len(set(changed))} of {len(works)} works or their vectors differ, such as {changed[0]}"
        # Raises if an index is damaged.
        text = lexical.searchable_text(works[0])
        collection.search(vectors[0], 1, fingerprint=build.fingerprint, text=text)
    except (Corrupted, NotFound) as error:
        return str(error)
    return ""


def _unit(rows: Vectors) -> Vectors:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def difference(collection: Collection, works: list[Artwork]) -> str:
    """Return a description of how the collection differs from these works; "" if it does not."""
    ids, wanted = collection.ids(), {work.id for work in works}
    if ids == wanted and collection.count() == len(wanted):
        return ""
    return (
        f"{len(wanted - ids)} missing, {len(ids - wanted)} unexpected, {collection.count()} rows for "
        f"{len(wanted)} works"
    )
