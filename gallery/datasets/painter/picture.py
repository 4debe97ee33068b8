"""One picture: which motif, how large and in which colours is drawn from its own seed alone."""

from __future__ import annotations

import io
import random
import struct
from collections.abc import Iterator
from typing import NamedTuple

from gallery.datasets.painter.canvas import Canvas
from gallery.datasets.painter.colours import PALETTES, tuned
from gallery.datasets.painter.motifs import MOTIFS
from gallery.datasets.painter.newcomers import painter_at
from gallery.datasets.painter.touches import TOUCHES

LONG_SIDE = (480, 640)  # pixels
QUALITY = 88
# Width to height: what a motif of the shape is painted on.
PROPORTIONS = {"wide": (1.22, 1.34, 1.5), "tall": (0.7, 0.76, 0.82), "even": (0.8, 1.0, 1.0, 1.25)}
INK = 0.0045  # the contour's width in heights, for the touch that has one

LENGTH = struct.Struct(">I")  # how many bytes a JPEG has, written before it between processes


class Sitting(NamedTuple):
    """Some of one artist's works, `first` to before `end`, that one process paints in one go."""

    seed: int
    artist: int
    first: int
    end: int

    def paint(self) -> Iterator[bytes]:
        return (paint_picture(self.seed, self.artist, work) for work in range(self.first, self.end))


def paint_picture(seed: int, artist: int, work: int) -> bytes:
    """The JPEG of the artist's picture number `work`, the same whatever else is painted."""
    rng = random.Random(f"{seed}/{artist}/{work}")
    painter = painter_at(artist)
    motif = MOTIFS[rng.choice(painter.motifs)]
    ratio = rng.choice(PROPORTIONS[motif.shape]) * rng.uniform(0.97, 1.03)
    side = rng.randint(*LONG_SIDE)
    width, height = (side, round(side / ratio)) if ratio >= 1 else (round(side * ratio), side)
    palette = tuned(
        PALETTES[painter.palette],
        painter.hue + rng.gauss(0, 0.008),
        rng.uniform(0.9, 1.08),
        rng.uniform(0.95, 1.03),
    )
    canvas = Canvas(width, height, palette, rng, INK if painter.touch == "ink" else 0.0)
    motif.paint(canvas)
    picture = TOUCHES[painter.touch](canvas.image, rng)
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=QUALITY)
    return file.getvalue()
