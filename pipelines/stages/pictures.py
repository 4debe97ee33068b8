"""Originals and thumbnails into the image store, under keys that their content decides."""

from __future__ import annotations

import io
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import pandas as pd
from PIL import Image

from gallery.datasets import Archive, Say
from gallery.errors import Invalid, NotFound
from gallery.images.decode import open_picture
from gallery.images.derivatives import CONTENT_TYPES, VERSION, thumbnails
from gallery.objects import ObjectStore
from pipelines.stages.catalogue import read_again
from pipelines.stages.parallel import count_aloud, parallel_map
from pipelines.tables import IMAGES


@dataclass(frozen=True)
class PictureLimits:
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


def store_pictures(
    archive: Archive,
    store: ObjectStore,
    works: pd.DataFrame,
    *,
    limits: PictureLimits,
    workers: int,
    say: Say,
) -> tuple[pd.DataFrame, int]:
    """Where each work's pictures lie (IMAGES), and how many works had any to upload.

    `works` has id, file, sha256 and extension. What the store holds already is left alone; an object of no bytes,
    which a power cut can leave, counts as absent.
    """
    present = {
        key for prefix in ("originals/", "thumbs/") for key, size in store.sizes(prefix).items() if size
    }

    def one(work: dict[Hashable, Any]) -> tuple[dict[str, Any], bool]:
        sha256 = work["sha256"]
        keys = {
            "original": original_key(sha256, work["extension"]),
            "large": thumbnail_key(sha256, limits.large),
            "small": thumbnail_key(sha256, limits.small),
        }
        row = {"id": work["id"], "sha256": sha256, **keys, "fault": ""}
        missing = {name for name, key in keys.items() if key not in present}
        if missing:
            try:
                data = read_again(archive, work["file"], sha256, limits.max_file)
                large, small = thumbnails(data, (limits.large, limits.small), max_pixels=limits.max_pixels)
            except (Invalid, NotFound) as error:
                return {**row, "fault": str(error)}, False
            made = {"large": large, "small": small, "original": data}
            for name in missing:
                store.put(keys[name], made[name], CONTENT_TYPES[keys[name].rpartition(".")[2]])
        return row, bool(missing)

    items = works.to_dict("records")
    done = list(count_aloud(parallel_map(one, items, workers), len(items), "stored", say))
    return IMAGES.frame([row for row, _ in done]), sum(uploaded for _, uploaded in done)


def contact_sheet(pictures: list[bytes], *, columns: int = 10, side: int = 72) -> bytes:
    """A JPEG of the pictures in a grid, small enough (under about 100 KB for 50) to lie in a run's metadata."""
    rows = max(1, -(-len(pictures) // columns))
    sheet = Image.new("RGB", (columns * side, rows * side), "white")
    for place, data in enumerate(pictures):
        picture = open_picture(data, max_pixels=10**9, side=side)
        picture.thumbnail((side - 4, side - 4))
        x, y = place % columns * side, place // columns * side
        sheet.paste(picture, (x + (side - picture.width) // 2, y + (side - picture.height) // 2))
    buffer = io.BytesIO()
    sheet.save(buffer, "JPEG", quality=70)
    return buffer.getvalue()
