"""Altered copies of works, as people have them on their disks: does a search by one find the original?"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from PIL import Image

from gallery.encoders.base import Encoder, Vectors
from gallery.images.decode import open_image
from gallery.models import Artwork
from gallery.objects.base import ObjectStore
from gallery.vectors.base import Vector
from pipelines.defs.embeddings.vectors import VectorCache
from pipelines.parallel import parallel_map

VERSION = 2
"""Part of where the copies' vectors are kept: raise it when a copy would come out differently."""
WORKS = 48
"""Works that copies are made of; each has three, so a share is good to about 0.04."""
SIDE = 512
"""Pixels of the shorter side that copies are made from, at least; no encoder here looks at more."""


def cropped(picture: Image.Image) -> Image.Image:
    """The middle, a tenth of each side cut off, as a photograph of a painting in its frame would be."""
    width, height = picture.size
    box = (width // 10, height // 10, width - width // 10, height - height // 10)
    return picture.crop(box)


def shrunk(picture: Image.Image) -> Image.Image:
    """A thumbnail of it, 96 pixels on the longer side."""
    small = picture.copy()
    small.thumbnail((96, 96))
    return small


def recompressed(picture: Image.Image) -> Image.Image:
    """It as a JPEG of quality 20, blocks and all."""
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=20)
    return Image.open(buffer).convert("RGB")


ALTERATIONS: Mapping[str, Callable[[Image.Image], Image.Image]] = {
    "cropped": cropped,
    "shrunk": shrunk,
    "recompressed": recompressed,
}


class AugmentedCopies:
    """The vectors of altered copies by one encoder; each copy is encoded once and then kept beside the works' own."""

    def __init__(self, tables: ObjectStore, fingerprint: str, dim: int) -> None:
        self._cache = VectorCache(tables, f"{fingerprint}+altered/{VERSION}", dim)

    def encode(
        self,
        encoder: Encoder,
        pictures: ObjectStore,
        works: Sequence[Artwork],
        *,
        max_pixels: int,
        batch_size: int,
        workers: int,
    ) -> int:
        """How many copies were encoded, those of the works that had no vector yet. Raises NotFound, Invalid, Unavailable."""
        present = self._cache.present()
        new = [work for work in works if not all(_name(work.sha256, kind) in present for kind in ALTERATIONS)]

        def copies(work: Artwork) -> list[Image.Image]:
            data = pictures.get(work.image.large)
            picture = open_image(data, max_pixels=max_pixels, side=max(SIDE, encoder.image_side))
            return [alter(picture) for alter in ALTERATIONS.values()]

        rows: list[Vectors] = []
        step = max(1, batch_size // len(ALTERATIONS))
        for start in range(0, len(new), step):
            made = [
                copy for group in parallel_map(copies, new[start : start + step], workers) for copy in group
            ]
            rows.append(encoder.embed_images(made))
        names = [_name(work.sha256, kind) for work in new for kind in ALTERATIONS]
        if names:
            self._cache.add(names, np.concatenate(rows))
        return len(names)

    def vectors(self, works: Sequence[Artwork]) -> dict[tuple[str, str], Vector]:
        """The vectors there are, by work id and kind of copy."""
        present = self._cache.present()
        wanted = {
            (work.id, kind): name
            for work in works
            for kind in ALTERATIONS
            if (name := _name(work.sha256, kind)) in present
        }
        rows = self._cache.vectors(list(wanted.values()))
        return dict(zip(wanted, rows, strict=True))


def _name(sha256: str, kind: str) -> str:
    return f"{sha256}-{kind}"
