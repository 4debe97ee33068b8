"""Originals and thumbnails into the image store, under keys that their content decides.

In the table store: pictures/plan/…              which works have any to upload, in shards
                    pictures/faults/<shard>.json  the works of a shard that turned out to be unusable, and why
"""

from __future__ import annotations

import io
import json
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import pandas as pd
from PIL import Image

from gallery.datasets.base import Archive, ProgressCallback
from gallery.errors import Invalid, NotFound
from gallery.images.decode import open_image
from gallery.images.derivatives import CONTENT_TYPES, VERSION, thumbnails
from gallery.objects.base import ObjectStore
from pipelines.defs.catalog.files import read_again
from pipelines.parallel import parallel_map, report_progress
from pipelines.shards import Plan
from pipelines.tables import IMAGES

FOLDER = "pictures"
FAULTS = f"{FOLDER}/faults/"


@dataclass(frozen=True)
class ImageLimits:
    """Sizes that the pictures stage keeps to: bytes and pixels of an original, longer sides of the thumbnails."""

    max_file: int
    max_pixels: int
    small: int
    large: int


def original_key(sha256: str, extension: str) -> str:
    """Where an original lies."""
    return f"originals/{sha256[:2]}/{sha256}.{extension}"


def thumbnail_key(sha256: str, side: int) -> str:
    """Where a thumbnail lies; another size or another way of making it is another key."""
    return f"thumbs/{side}-v{VERSION}/{sha256[:2]}/{sha256}.webp"


def keys_of(work: dict[Hashable, Any], limits: ImageLimits) -> dict[str, str]:
    """Where the pictures of a work lie: original, large, small."""
    sha256 = work["sha256"]
    return {
        "original": original_key(sha256, work["extension"]),
        "large": thumbnail_key(sha256, limits.large),
        "small": thumbnail_key(sha256, limits.small),
    }


def stored_keys(store: ObjectStore) -> set[str]:
    """The keys of every picture in the store. An object of no bytes, which a power cut can leave, counts as absent."""
    return {key for prefix in ("originals/", "thumbs/") for key, size in store.sizes(prefix).items() if size}


def image_plan(tables: ObjectStore) -> Plan:
    """Which works have pictures to upload."""
    return Plan(tables, FOLDER)


def missing_images(works: pd.DataFrame, store: ObjectStore, limits: ImageLimits) -> pd.DataFrame:
    """The works that any picture is missing of, and which, in a column `missing`. `works` has sha256 and extension."""
    present = stored_keys(store)
    missing = pd.Series(
        [
            [name for name, key in keys_of(work, limits).items() if key not in present]
            for work in works.to_dict("records")
        ],
        index=works.index,
        dtype=object,
    )
    return works.assign(missing=missing)[missing.map(bool).astype(bool)]


def store_images(
    archive: Archive,
    store: ObjectStore,
    works: pd.DataFrame,
    *,
    limits: ImageLimits,
    workers: int,
    progress: ProgressCallback,
) -> dict[str, str]:
    """Upload what these works lack, and return the ids of unusable ones with the reason.

    `works` has id, file, sha256, extension and missing. What another try has stored since stays as it is.
    """

    def one(work: dict[Hashable, Any]) -> str:
        try:
            data = read_again(archive, work["file"], work["sha256"], limits.max_file)
            large, small = thumbnails(data, (limits.large, limits.small), max_pixels=limits.max_pixels)
        except (Invalid, NotFound) as error:
            return str(error)
        keys, made = keys_of(work, limits), {"large": large, "small": small, "original": data}
        for name in work["missing"]:
            store.add(keys[name], made[name], CONTENT_TYPES[keys[name].rpartition(".")[2]])
        return ""

    items = works.to_dict("records")
    faults = report_progress(parallel_map(one, items, workers), len(items), "stored", progress)
    return {item["id"]: fault for item, fault in zip(items, faults, strict=True) if fault}


def forget_faults(tables: ObjectStore) -> None:
    """Begin without the last run's faults, so that none of them stands for a shard that was lost."""
    for key in tables.sizes(FAULTS):
        tables.delete(key)


def note_faults(tables: ObjectStore, shard: str, faults: dict[str, str]) -> None:
    """Store which works of a shard are unusable."""
    tables.put(f"{FAULTS}{shard}.json", json.dumps(faults).encode(), "application/json")


def noted_faults(tables: ObjectStore) -> dict[str, str]:
    """The unusable works of all shards: id -> reason."""
    faults: dict[str, str] = {}
    for key in tables.sizes(FAULTS):
        faults |= json.loads(tables.get(key))
    return faults


def verify_images(
    works: pd.DataFrame, faults: dict[str, str], store: ObjectStore, limits: ImageLimits
) -> pd.DataFrame:
    """Where each work's pictures lie, or why it has none (IMAGES). Raises NotFound naming works that have neither
    pictures nor a fault, as when a step never ran."""
    present = stored_keys(store)
    rows, lost = [], []
    for work in works.to_dict("records"):
        keys = keys_of(work, limits)
        fault = ""
        if not present.issuperset(keys.values()):
            fault = faults.get(work["id"], "")
            if not fault:
                lost.append(work["id"])
        rows.append({"id": work["id"], "sha256": work["sha256"], **keys, "fault": fault})
    if lost:
        raise NotFound(
            f"{len(lost)} of {len(rows)} works have no pictures in {store.address}, such as {', '.join(lost[:3])}; "
            "materialize `images` again, which uploads only those"
        )
    return IMAGES.frame(rows)


def contact_sheet(pictures: list[bytes], *, columns: int = 10, side: int = 72) -> bytes:
    """A JPEG of the pictures in a grid, small enough (under about 100 KB for 50) to lie in a run's metadata."""
    rows = max(1, -(-len(pictures) // columns))
    sheet = Image.new("RGB", (columns * side, rows * side), "white")
    for place, data in enumerate(pictures):
        picture = open_image(data, max_pixels=10**9, side=side)
        picture.thumbnail((side - 4, side - 4))
        x, y = place % columns * side, place // columns * side
        sheet.paste(picture, (x + (side - picture.width) // 2, y + (side - picture.height) // 2))
    buffer = io.BytesIO()
    sheet.save(buffer, "JPEG", quality=70)
    return buffer.getvalue()
