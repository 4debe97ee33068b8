"""A new build of the collection beside the live one, and the step that makes it live."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd

from gallery.encoders.base import Encoder, Vectors
from gallery.errors import Corrupted, Invalid, NotFound
from gallery.models import Artist, Artwork, Build, StoredImage, to_payload
from gallery.vectors import lexical
from gallery.vectors.base import Collection, VectorStore, replacement_name

log = logging.getLogger(__name__)

BATCH = 1_000
"""Works in one write to the vector store."""


@dataclass(frozen=True)
class Candidate:
    """A complete build, and whether it had to be made or was there already."""

    build: Build
    reused: bool


def assemble_works(artists: pd.DataFrame, artworks: pd.DataFrame, images: pd.DataFrame) -> list[Artwork]:
    """The works that `images` has pictures of, as the collection keeps them, ordered by id.

    Raises Invalid where the tables do not belong together, as when two refreshes ran at once.
    """

    def year(value: Any) -> int | None:
        return None if pd.isna(value) else int(value)

    painters = {
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
    wanted = images[images["fault"] == ""]
    usable = wanted.merge(artworks, on=["id", "sha256"], validate="one_to_one")
    if len(usable) != len(wanted) or not set(usable["artist"]) <= set(painters):
        raise Invalid(
            "the tables artists, artworks and images come from different runs; run `gallery refresh` again"
        )
    works = [
        Artwork(
            id=row["id"],
            artist=painters[row["artist"]],
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


def content_name(works: list[Artwork], fingerprint: str) -> str:
    """A build's name: the same works, words and encoder give the same one, so nothing is built twice."""
    digest = hashlib.sha256(f"{fingerprint} words-v{lexical.VERSION}".encode())
    for work in works:
        digest.update(json.dumps(to_payload(work), sort_keys=True).encode())
    return "b" + digest.hexdigest()[:12]


def build_candidate(
    store: VectorStore,
    works: list[Artwork],
    vectors: Callable[[], Vectors],
    encoder: Encoder,
    *,
    dataset: str,
    version: str,
    generated: bool,
    record: Callable[[str], None] = lambda _: None,
) -> Candidate:
    """A complete, reconciled build of these works, made now or found as an earlier run left it.

    `vectors` gives the works' rows in their order, and is only asked where the build has to be made. `record` is
    called with the build's name before anything is written, and also where it is found.
    Raises Invalid where there are no works, or what the store holds afterwards is not exactly what was written.
    """
    if not works:
        raise Invalid("there are no works to publish")
    name = content_name(works, encoder.fingerprint)
    live = live_or_none(store)
    for attempt in range(100):
        build = Build(
            name=name if not attempt else replacement_name(name, attempt),
            encoder=encoder.address,
            fingerprint=encoder.fingerprint,
            dim=encoder.dim,
            works=len(works),
            dataset=dataset,
            version=version,
            generated=generated,
            created_at=datetime.now(UTC).isoformat(timespec="microseconds"),
        )
        try:
            existing = store.open(build.name)
        except NotFound:
            break
        if existing.build.ready and is_whole(existing, works):
            record(build.name)
            return Candidate(existing.build, reused=True)
        if not existing.build.ready and existing.build != live:
            store.drop(build.name)  # what a run that was cut short left behind
            break
        # A build that was complete and is not any more stays for a person to look at; the new one goes beside it.
    rows = vectors()
    record(build.name)
    collection = store.create(build)
    for start in range(0, len(works), BATCH):
        collection.upsert(works[start : start + BATCH], rows[start : start + BATCH])
    problem = difference(collection, works)
    if problem:
        raise Invalid(f"build {build.name} does not hold what was written to it: {problem}")
    return Candidate(store.seal(build.name), reused=False)


def live_or_none(store: VectorStore) -> Build | None:
    """The live build, or None also where the pointer leads nowhere: publishing another is what mends that.

    Raises Unavailable where the store does not say: a live build that cannot be asked for must not be taken for none,
    or nothing would be compared with it.
    """
    try:
        return store.live()
    except Corrupted as error:
        log.warning("%s", error)
        return None


def is_whole(collection: Collection, works: list[Artwork]) -> bool:
    """True where the collection holds exactly these works, False also where it is damaged. Raises Unavailable."""
    try:
        return not difference(collection, works)
    except Corrupted as error:
        log.warning("%s", error)
        return False


def difference(collection: Collection, works: list[Artwork]) -> str:
    """In words, how the ids in the collection differ from the works'; "" where they do not."""
    held, wanted = collection.ids(), {work.id for work in works}
    if held == wanted and collection.count() == len(wanted):
        return ""
    return f"{len(wanted - held)} missing, {len(held - wanted)} not wanted, {collection.count()} rows for {len(wanted)} works"


def drop_refused(store: VectorStore, refused: str, candidate: str, were_live: Sequence[str]) -> bool:
    """Whether the last candidate was dropped: another has taken its place, and it was never live.

    Without this, each refresh that the gate refuses would leave a build behind.
    """
    live = live_or_none(store)
    if refused in (candidate, live.name if live else "", *were_live):
        return False
    store.drop(refused)
    return True


def publish(store: VectorStore, name: str) -> Build:
    """The build, now live. Raises NotFound, or Invalid where it is not complete, whoever asks;
    `pipelines.defs.evaluation.gate` says whether it is good enough."""
    collection = store.open(name)
    build, held = collection.build, collection.count()
    if not build.ready or held != build.works:
        problem = f"{held} of {build.works} works" if held != build.works else "it was never sealed"
        raise Invalid(
            f"build {name} is not complete ({problem}), so it stays unpublished; materialize `candidate` again"
        )
    store.publish(name)
    return build


def prune(store: VectorStore, *, keep: int, were_live: Sequence[str] = ()) -> list[str]:
    """The names of builds that were dropped so that `keep` stay: the live one, those that `were_live`, the latest
    first, then others. Raises Unavailable."""
    live = live_or_none(store)
    builds = store.builds()
    ready = [build.name for build in builds if build.ready]
    wanted = [*([live.name] if live else []), *(old for old in were_live if old in ready), *ready]
    keepers = list(dict.fromkeys(wanted))[:keep]
    # An incomplete build may be another run's, being written right now; a day later it is a dead run's.
    stale = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    old_builds = [build for build in builds if build.name not in keepers]
    dropped = [build.name for build in old_builds if build.ready or build.created_at < stale]
    for old in dropped:
        store.drop(old)
    return dropped
