"""Objects that no build needs any more, out of the image store.

What may go is read off the records of builds, never off the store's own list: an object that we did not put into a
build is not ours to delete.
"""

from __future__ import annotations

from dataclasses import dataclass

from gallery.datasets.base import ProgressCallback
from gallery.objects.base import ObjectStore
from gallery.vectors.base import VectorStore
from pipelines.defs.collection.manifests import list_manifests
from pipelines.parallel import parallel_map, report_progress
from pipelines.tables import FILES, IMAGES, Table, build_table

KEYS = ("original", "large", "small")


@dataclass(frozen=True)
class Swept:
    """How many objects were deleted, how many are still needed, and why none could be where that is so."""

    deleted: int
    kept: int
    spared: int
    """Objects of works whose file is still there but cannot be used: those were not seen to be gone."""
    obstacle: str


def sweep(
    tables: ObjectStore, images: ObjectStore, store: VectorStore, *, workers: int, progress: ProgressCallback
) -> Swept:
    """Delete the objects that only dropped builds referred to. Doing it twice does no harm, nor does being cut off.

    Kept are those of every build that the store still has, ready or not, those of another store's builds, those of the
    current `images` table, and those of works whose file is in the archive but unusable.
    """
    there = {build.name for build in store.builds()}
    all_records = list_manifests(tables, store)
    unrecorded = there - set(all_records.values())
    if unrecorded:
        # Made before records were kept. What it refers to is not known here, so nothing is deleted while it is there.
        return Swept(
            0,
            0,
            0,
            f"build {sorted(unrecorded)[0]} has no record of what went into it; that ends when the build is dropped",
        )

    gone = {key: name for key, name in all_records.items() if name and name not in there}
    needed = set(IMAGES.read(tables)[list(KEYS)].to_numpy().ravel())
    for key in all_records.keys() - gone.keys():
        needed |= set(_record(key).read(tables)[list(KEYS)].to_numpy().ravel())
    files = FILES.read(tables)
    unusable = set(files.loc[files["status"] == "quarantined", "path"])

    doomed: set[str] = set()
    left = {}
    for key in gone:
        frame = _record(key).read(tables)
        spared = frame["file"].isin(unusable)
        left[key] = frame[spared]
        doomed |= set(frame.loc[~spared, list(KEYS)].to_numpy().ravel())
    kept_back = {name for frame in left.values() for name in frame[list(KEYS)].to_numpy().ravel()} - needed
    doomed -= needed | kept_back
    ordered = sorted(doomed)
    for _ in report_progress(
        parallel_map(images.delete, ordered, workers), len(ordered), "deleted", progress
    ):
        pass
    # The records go last, so that what a run which was cut off did not delete is found again by the next.
    for key, frame in left.items():
        if frame.empty:
            tables.delete(key)
        else:
            _record(key).write(tables, frame)
    return Swept(len(ordered), len(needed), len(kept_back), "")


def _record(key: str) -> Table:
    return Table(key.removesuffix(".parquet"), build_table("", "").columns)
