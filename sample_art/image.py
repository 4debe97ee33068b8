"""Generates one image. Its scene, size and colors depend only on its own seed."""

from __future__ import annotations

import io
import random
import struct
from collections.abc import Iterator
from typing import NamedTuple

from sample_art.canvas import Canvas
from sample_art.finishes import FINISHES
from sample_art.generated_artists import artist_at
from sample_art.palettes import PALETTES, adjust
from sample_art.scenes import scenes

LONG_SIDE_PX = (480, 640)
JPEG_QUALITY = 88
# Shape of a scene -> possible ratios of width to height of its images.
PROPORTIONS = {"wide": (1.22, 1.34, 1.5), "tall": (0.7, 0.76, 0.82), "even": (0.8, 1.0, 1.0, 1.25)}
CONTOUR_WIDTH = 0.0045  # in image heights, for the "ink" finish

LENGTH = struct.Struct(">I")  # the size of a JPEG in bytes, sent before it between processes


class Batch(NamedTuple):
    """Works `first` to `end` - 1 of an artist, which one process paints."""

    seed: int
    artist: int
    first: int
    end: int

    def paint(self) -> Iterator[bytes]:
        """Yield the JPEG of each work in order."""
        return (paint_image(self.seed, self.artist, work) for work in range(self.first, self.end))


def paint_image(seed: int, artist_index: int, work: int) -> bytes:
    """Return the JPEG of the artist's work number `work`, the same in any collection."""
    rng = random.Random(f"{seed}/{artist_index}/{work}")
    artist = artist_at(artist_index)
    scene = scenes()[rng.choice(artist.scenes)]
    ratio = rng.choice(PROPORTIONS[scene.shape]) * rng.uniform(0.97, 1.03)
    side = rng.randint(*LONG_SIDE_PX)
    width, height = (side, round(side / ratio)) if ratio >= 1 else (round(side * ratio), side)
    hue = artist.hue + rng.gauss(0, 0.008)
    palette = adjust(PALETTES[artist.palette], hue, rng.uniform(0.9, 1.08), rng.uniform(0.95, 1.03))
    canvas = Canvas(width, height, palette, rng, CONTOUR_WIDTH if artist.finish == "ink" else 0.0)
    scene.paint(canvas)
    file = io.BytesIO()
    FINISHES[artist.finish].apply(canvas.image, rng).save(file, "JPEG", quality=JPEG_QUALITY)
    return file.getvalue()
