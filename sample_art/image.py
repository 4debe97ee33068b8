"""One image: its scene, its size and its colors are drawn from its own seed alone."""

from __future__ import annotations

import io
import random
import struct
from collections.abc import Iterator
from typing import NamedTuple

from sample_art.canvas import Canvas
from sample_art.finishes import FINISHES
from sample_art.generated_artists import artist_at
from sample_art.palettes import PALETTES, tuned
from sample_art.scenes import scenes

LONG_SIDE_PX = (480, 640)
JPEG_QUALITY = 88
# Width to height of the images that a scene of the shape is painted on.
PROPORTIONS = {"wide": (1.22, 1.34, 1.5), "tall": (0.7, 0.76, 0.82), "even": (0.8, 1.0, 1.0, 1.25)}
CONTOUR = 0.0045  # width of the outlines in heights, for the finish that has them

LENGTH = struct.Struct(">I")  # how many bytes a JPEG has, written before it between processes


class Batch(NamedTuple):
    """Some of one artist's works, `first` to before `end`, that one process paints in one go."""

    seed: int
    artist: int
    first: int
    end: int

    def paint(self) -> Iterator[bytes]:
        return (paint_image(self.seed, self.artist, work) for work in range(self.first, self.end))


def paint_image(seed: int, artist_index: int, work: int) -> bytes:
    """Return the JPEG of the artist's work number `work`, the same whatever else is painted."""
    rng = random.Random(f"{seed}/{artist_index}/{work}")
    artist = artist_at(artist_index)
    scene = scenes()[rng.choice(artist.scenes)]
    ratio = rng.choice(PROPORTIONS[scene.shape]) * rng.uniform(0.97, 1.03)
    side = rng.randint(*LONG_SIDE_PX)
    width, height = (side, round(side / ratio)) if ratio >= 1 else (round(side * ratio), side)
    hue = artist.hue + rng.gauss(0, 0.008)
    palette = tuned(PALETTES[artist.palette], hue, rng.uniform(0.9, 1.08), rng.uniform(0.95, 1.03))
    canvas = Canvas(width, height, palette, rng, CONTOUR if artist.finish == "ink" else 0.0)
    scene.paint(canvas)
    file = io.BytesIO()
    FINISHES[artist.finish].apply(canvas.image, rng).save(file, "JPEG", quality=JPEG_QUALITY)
    return file.getvalue()
