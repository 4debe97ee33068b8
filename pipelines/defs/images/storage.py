"""Originals and thumbnails in the image store, under keys made from their content.

In the table store: images/plan/...             works whose objects are missing or damaged, in shards
                    images/faults/<shard>.json  the unusable works of a shard, with reasons
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Hashable, Mapping, Set
from dataclasses import dataclass
from typing import Any

import pandas as pd
from PIL import Image

from gallery.datasets.archive import read_unchanged
from gallery.datasets.base import Archive, ProgressCallback
from gallery.errors import Invalid, NotFound
from gallery.images.decode import open_image
from gallery.images.derivatives import VERSION, thumbnails
from gallery.objects.base import ObjectStore
from gallery.settings import Settings
from pipelines.defs.images.inventory import ImageWriter
from pipelines.parallel import parallel_map, report_progress
from pipelines.records import Record
from pipelines.shards import Plan
from pipelines.tables import IMAGES

FOLDER = "images"
FAULTS = f"{FOLDER}/faults/"
SHEET_IMAGES = 50
"""Largest number of images on the contact sheet of an asset."""
SHEET_COLUMNS = 10
SHEET_CELL = 72
"""Width and height of a cell of a contact sheet, in pixels."""


class ShardFaults(Record):
    """The unusable works of a shard: id -> reason."""

    faults: dict[str, str]


@dataclass(frozen=True)
class ImageLimits:
    """Limits of an original in bytes and pixels, and the longer sides of its thumbnails in pixels."""

    max_file: int
    max_pixels: int
    small: int
    large: int

    @classmethod
    def of(cls, settings: Settings) -> ImageLimits:
        """Return the limits of the settings."""
        return cls(settings.max_file, settings.max_pixels, settings.thumb_small, settings.thumb_large)


def original_key(sha256: str, extension: str) -> str:
    """Return the key of an original."""
    return f"originals/{sha256[:2]}/{sha256}.{extension}"


def thumbnail_key(sha256: str, side: int) -> str:
    """Return the key of a thumbnail. It depends on the size and on the version of the thumbnail code."""
    return f"thumbs/{side}-v{VERSION}/{sha256[:2]}/{sha256}.webp"


def keys_of(work: Mapping[Any, Any], limits: ImageLimits) -> dict[str, str]:
    """Return the keys of a work's original, large and small image; `work` has sha256 and extension."""
    sha256 = work["sha256"]
    return {
        "original": original_key(sha256, work["extension"]),
        "large": thumbnail_key(sha256, limits.large),
        "small": thumbnail_key(sha256, limits.small),
    }


def wanted_keys(works: pd.DataFrame, limits: ImageLimits) -> list[str]:
    """Return the keys of the works' objects."""
    return [key for work in works.to_dict("records") for key in keys_of(work, limits).values()]


def image_plan(tables: ObjectStore) -> Plan:
    """Return the plan of the works whose objects are missing or damaged."""
    return Plan(tables, FOLDER)


def missing_images(works: pd.DataFrame, whole: Set[str], limits: ImageLimits) -> pd.DataFrame:
    """Return the works with objects that are not `whole`.

    The column `missing` names these objects: original, large, small.
    """
    missing = pd.Series(
        [
            [name for name, key in keys_of(work, limits).items() if key not in whole]
            for work in works.to_dict("records")
        ],
        index=works.index,
        dtype=object,
    )
    return works.assign(missing=missing)[missing.map(bool).astype(bool)]


def store_images(
    archive: Archive,
    writer: ImageWriter,
    works: pd.DataFrame,
    *,
    limits: ImageLimits,
    workers: int,
    progress: ProgressCallback,
) -> dict[str, str]:
    """Store the missing or damaged objects of these works; return the unusable works: id -> reason.

    `works` has id, file, sha256, extension and missing.
    """

    def store_one(work: dict[Hashable, Any]) -> str:
        try:
            data = read_unchanged(archive, work["file"], work["sha256"], limits.max_file)
            large, small = thumbnails(data, (limits.large, limits.small), max_pixels=limits.max_pixels)
        except (Invalid, NotFound) as error:
            return str(error)
        files = {"large": large, "small": small, "original": data}
        keys = keys_of(work, limits)
        for name in work["missing"]:
            writer.add(keys[name], files[name], replace=True)
        return ""

    items = works.to_dict("records")
    faults = report_progress(parallel_map(store_one, items, workers), len(items), "stored", progress)
    return {item["id"]: fault for item, fault in zip(items, faults, strict=True) if fault}


def clear_faults(tables: ObjectStore) -> None:
    """Delete the faults of the previous run, which could hide a lost shard."""
    for key in tables.sizes(FAULTS):
        tables.delete(key)


def write_faults(tables: ObjectStore, shard: str, faults: dict[str, str]) -> None:
    """Store the unusable works of a shard."""
    ShardFaults(faults=faults).save(tables, f"{FAULTS}{shard}.json")


def read_faults(tables: ObjectStore) -> dict[str, str]:
    """Return the unusable works of all shards: id -> reason."""
    faults: dict[str, str] = {}
    for key in tables.sizes(FAULTS):
        record = ShardFaults.load_or_none(tables, key)
        faults |= record.faults if record else {}
    return faults


def verify_images(
    works: pd.DataFrame, faults: dict[str, str], whole: Set[str], limits: ImageLimits, store: str
) -> pd.DataFrame:
    """Return the keys of each work's images, or why it has none (IMAGES). `store` is for the message.

    Raises NotFound for works with neither images nor a reason, for example if a step never ran.
    """
    rows, lost = [], []
    for work in works.to_dict("records"):
        keys = keys_of(work, limits)
        fault = ""
        if not set(keys.values()) <= whole:
            fault = faults.get(work["id"], "")
            if not fault:
                lost.append(work["id"])
        rows.append({"id": work["id"], "sha256": work["sha256"], **keys, "fault": fault})
    if lost:
        raise NotFound(
            f"{len(lost)} of {len(rows)} works have no images in {store}, such as "
            f"{', '.join(lost[:3])}; materialize `images` again, which uploads only those"
        )
    return IMAGES.frame(rows)


def stored_sheet(tables: ObjectStore, images: ObjectStore, name: str, keys: list[str]) -> bytes:
    """Return a contact sheet of these thumbnails, without missing ones.

    It is a JPEG of at most about 100 KB for 50 images, small enough for the metadata of a run. One without
    gaps is stored, under a key that ends with its checksum.
    """
    prefix = f"sheets/{name}-"
    wanted = prefix + _digest("|".join(keys).encode())
    stored = list(tables.sizes(prefix))
    for key in stored:
        data = tables.get(key)
        if key == f"{wanted}-{_digest(data)}.jpg":
            return data
    thumbnails = []
    for key in keys:
        try:
            thumbnails.append(images.get(key))
        except NotFound:
            continue
    sheet = contact_sheet(thumbnails)
    for old in stored:
        tables.delete(old)
    if len(thumbnails) == len(keys):
        tables.put(f"{wanted}-{_digest(sheet)}.jpg", sheet, "image/jpeg")
    return sheet


def contact_sheet(images: list[bytes], *, columns: int = SHEET_COLUMNS) -> bytes:
    """Return a JPEG of the images in a grid. Cells of images that cannot be decoded stay empty."""
    rows = max(1, -(-len(images) // columns))
    sheet = Image.new("RGB", (columns * SHEET_CELL, rows * SHEET_CELL), "white")
    for place, data in enumerate(images):
        try:
            image = open_image(data, max_pixels=10**9, side=SHEET_CELL)
        except Invalid:
            continue
        image.thumbnail((SHEET_CELL - 4, SHEET_CELL - 4))
        x, y = place % columns * SHEET_CELL, place // columns * SHEET_CELL
        sheet.paste(image, (x + (SHEET_CELL - image.width) // 2, y + (SHEET_CELL - image.height) // 2))
    buffer = io.BytesIO()
    sheet.save(buffer, "JPEG", quality=70)
    return buffer.getvalue()


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]
