"""The scan: read and decode every new file of the dataset once.

Digests, image facts and thumbnails come from this one pass. Originals and thumbnails of the works that
will probably be sampled are stored at once, so no later step reads these files again.

In the table store: scan/plan/...               the files to read, in shards
                    scan/results/<shard>.parquet  results of a shard, until they are in the table `contents`
"""

from __future__ import annotations

import hashlib
import io
import logging
from collections.abc import Hashable
from dataclasses import asdict
from typing import Any

import pandas as pd
import pyarrow as pa
from PIL import Image

from gallery.datasets.base import Archive, ProgressCallback, is_ignored
from gallery.errors import Corrupted, Invalid, NotFound, Unavailable
from gallery.images.derivatives import decode_image
from gallery.objects.base import ObjectStore
from pipelines.defs.images.inventory import ImageWriter
from pipelines.defs.images.storage import ImageLimits, keys_of
from pipelines.parallel import parallel_map, report_progress
from pipelines.parquet import read_parquet, write_parquet
from pipelines.records import ScanRecord
from pipelines.shards import Plan
from pipelines.tables import CONTENTS, SNAPSHOT

log = logging.getLogger(__name__)

RESULTS = "scan/results/"
PREVIEW_SIDE = 96
"""Longer side of a preview, in pixels."""


def list_files(archive: Archive) -> pd.DataFrame:
    """Return every file of the archive that may be an image, without reading any (SNAPSHOT)."""
    return SNAPSHOT.frame(
        [
            {"path": entry.path, "size": entry.size, "signature": entry.signature}
            for entry in archive.entries()
            if not is_ignored(entry.path)
        ]
    )


def scan_plan(tables: ObjectStore) -> Plan:
    """Return the plan of the files to read."""
    return Plan(tables, "scan")


def forget_contents(tables: ObjectStore) -> None:
    """Delete the results of earlier scans, so that every file is read again."""
    for key in (CONTENTS.key, *tables.sizes(RESULTS)):
        tables.delete(key)


def known_contents(tables: ObjectStore, snapshot: pd.DataFrame, limits: ImageLimits) -> pd.DataFrame:
    """Return the results of earlier scans, finished or not, for unchanged files (CONTENTS).

    A file is unchanged if its path and signature are. Results under other limits count unless the limit
    matters.
    """
    table = CONTENTS.read_or_none(tables)
    found = [CONTENTS.frame([]) if table is None else table, *_results(tables).values()]
    known = pd.concat(found, ignore_index=True).drop_duplicates(["path", "signature"], keep="last")
    known = snapshot[["path", "signature"]].merge(known, on=["path", "signature"])
    readable = known["fault"] == ""
    same_size_limit = known["max_file"] == limits.max_file
    same_pixel_limit = known["max_pixels"] == limits.max_pixels
    return known[
        (readable & (known["size"] <= limits.max_file) & same_pixel_limit) | (~readable & same_size_limit)
    ].reset_index(drop=True)


def scan_files(
    archive: Archive,
    writer: ImageWriter,
    files: pd.DataFrame,
    *,
    limits: ImageLimits,
    workers: int,
    progress: ProgressCallback,
) -> pd.DataFrame:
    """Read and decode each file once (CONTENTS). Raises Unavailable.

    `files` has path, size and signature, and two flags: `store`, to store the original and its
    thumbnails, and `preview`, to keep a small copy for the report on unusable files.
    """

    def scan(file: dict[Hashable, Any]) -> dict[str, Any]:
        row = {name: file[name] for name in ("path", "size", "signature")}
        row |= {"max_file": limits.max_file, "max_pixels": limits.max_pixels}
        row |= {"sha256": "", "fault": "", "image_fault": "", "preview": b"", "stored": False}
        try:
            data = archive.read(str(file["path"]), limits.max_file)
        except (Invalid, NotFound) as error:
            return row | {"fault": str(error)}
        row |= {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        try:
            decoded = decode_image(data, longest=limits.large, max_pixels=limits.max_pixels)
        except Invalid as error:
            return row | {"image_fault": str(error)}
        except Unavailable as error:
            raise Unavailable(f"{file['path']} could not be decoded: {error}") from error
        row |= asdict(decoded.info)
        if file["store"]:
            large, small = decoded.thumbnails((limits.large, limits.small))
            # The original is last, so a work whose original is stored has its thumbnails.
            files_made = {"large": large, "small": small, "original": data}
            keys = keys_of(row, limits)
            added = [writer.add(keys[name], made) for name, made in files_made.items()]
            row["stored"] = any(added)
        if file["preview"]:
            row["preview"] = _preview(decoded.image)
        return row

    items = files.to_dict("records")
    return CONTENTS.frame(
        list(report_progress(parallel_map(scan, items, workers), len(items), "read", progress))
    )


def write_result(tables: ObjectStore, shard: str, rows: pd.DataFrame) -> None:
    """Store the result of a shard, so that an interrupted run does not read its files again."""
    table = pa.Table.from_pandas(rows, schema=CONTENTS.schema, preserve_index=False)
    write_parquet(tables, f"{RESULTS}{shard}.parquet", table)


def collect_results(
    tables: ObjectStore, snapshot: pd.DataFrame, limits: ImageLimits, run_id: str
) -> pd.DataFrame:
    """Return the results for exactly the files of the snapshot, ordered by path (CONTENTS).

    Saves a ScanRecord with what this scan read and which originals it stored. Once the table is written,
    `delete_results` deletes the results of the shards.

    Raises NotFound if a file was never read, for example because a step of the fan-out was lost.
    """
    contents = known_contents(tables, snapshot, limits)
    lost = sorted(set(snapshot["path"]) - set(contents["path"]))
    if lost:
        raise NotFound(
            f"{len(lost)} of {len(snapshot)} files were never read, such as {lost[0]}; materialize "
            "`scanned_files` again, which reads only those"
        )
    new = [frame for frame in _results(tables).values() if len(frame)]
    stored = sorted({sha256 for frame in new for sha256 in frame.loc[frame["stored"], "sha256"]})
    ScanRecord(run=run_id, read=sum(map(len, new)), stored=stored).save(tables)
    return contents.sort_values("path", ignore_index=True)


def delete_results(tables: ObjectStore) -> None:
    """Delete the results of the shards."""
    for key in tables.sizes(RESULTS):
        tables.delete(key)


def _preview(image: Image.Image) -> bytes:
    small = image.copy()
    small.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE))
    buffer = io.BytesIO()
    small.save(buffer, "PNG")
    return buffer.getvalue()


def _results(tables: ObjectStore) -> dict[str, pd.DataFrame]:
    found = {}
    for key in tables.sizes(RESULTS):
        try:
            if key.endswith(".parquet"):
                found[key] = read_parquet(tables, key, CONTENTS.schema).to_pandas()
        except Corrupted as error:
            log.warning("%s; its files are read again", error)
            tables.delete(key)
    return found


def stored_by_scan(tables: ObjectStore, run_id: str) -> set[str]:
    """Return the digests of the originals that the scan of this run stored."""
    record = ScanRecord.load_or_none(tables)
    return set(record.stored) if record and record.run == run_id else set()
