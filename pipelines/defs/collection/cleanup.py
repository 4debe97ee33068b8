"""Delete objects from the image store that no build needs.

The manifests of dropped builds say what to delete, not the listing of the store: an object that no
manifest names belongs to someone else.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

import pandas as pd

from gallery.datasets.base import ProgressCallback
from gallery.objects.base import ObjectStore
from gallery.vectors.base import VectorStore
from pipelines.defs.collection.manifests import list_manifests, load_manifest
from pipelines.parallel import parallel_map, report_progress
from pipelines.tables import FILES, IMAGES, Table, build_table

log = logging.getLogger(__name__)

KEY_COLUMNS = ("original", "large", "small")


@dataclass(frozen=True)
class Cleanup:
    """Counts of objects, and why none could be deleted; "" if they could."""

    deleted: int
    needed: int
    protected: int
    """Objects of works whose file exists but is unusable, since it may be repaired."""
    obstacle: str = ""


def delete_unneeded_images(
    tables: ObjectStore, images: ObjectStore, store: VectorStore, *, workers: int, progress: ProgressCallback
) -> Cleanup:
    """Delete the objects that only dropped builds used. Can be repeated after an interruption.

    Objects are kept for every existing build, in this vector store or another, for the table `images`, and
    for works whose file is in the archive but unusable.
    """
    builds = {build.name for build in store.builds()}
    manifests = list_manifests(tables, store)
    dropped = [key for key, name in manifests.items() if name and name not in builds]
    needed = _keys(IMAGES.read(tables))
    for name in builds:
        manifest = load_manifest(tables, store, name)
        if manifest is None:
            return _nothing(f"build {name} has no readable manifest")
        needed |= _keys(manifest)
    for key in (key for key, name in manifests.items() if not name):  # of other vector stores
        manifest = _manifest(key).read_or_none(tables)
        if manifest is None:
            return _nothing(f"the manifest {key} cannot be read")
        needed |= _keys(manifest)
    files = FILES.read(tables)
    unusable = set(files.loc[files["status"] == "quarantined", "path"])

    obsolete, protected = set(), set()
    remaining = {}
    for key in dropped:
        manifest = _manifest(key).read_or_none(tables)
        if manifest is None:
            log.warning("the manifest %s is damaged, so objects of that dropped build stay stored", key)
            tables.delete(key)
            continue
        protect = manifest["file"].isin(unusable)
        remaining[key] = manifest[protect]
        obsolete |= _keys(manifest[~protect])
        protected |= _keys(manifest[protect])
    protected -= needed
    obsolete -= needed | protected
    deletions = parallel_map(images.delete, sorted(obsolete), workers)
    for _ in report_progress(deletions, len(obsolete), "deleted", progress):
        pass
    # Manifests are updated last, so that the next run finds what an interrupted one did not delete.
    for key, frame in remaining.items():
        if frame.empty:
            tables.delete(key)
        else:
            _manifest(key).write(tables, frame)
    return Cleanup(len(obsolete), len(needed), len(protected))


def _nothing(problem: str) -> Cleanup:
    return Cleanup(
        deleted=0,
        needed=0,
        protected=0,
        obstacle=f"{problem}, so the objects that its build needs are unknown; nothing is deleted until that "
        "build is dropped",
    )


def _manifest(key: str) -> Table:
    return Table(key.removesuffix(".parquet"), build_table("", "").columns)


def _keys(frame: pd.DataFrame) -> set[str]:
    return set(frame[list(KEY_COLUMNS)].to_numpy().ravel())
