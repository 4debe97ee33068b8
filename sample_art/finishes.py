"""Finishes: the texture of the paint on a drawing, from brush strokes and dots to flat gouache."""

from __future__ import annotations

import math
import random
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from sample_art.canvas import SCALE

Floats = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]  # [height, width, 3]
_TILE_PX = 704  # side of the texture tiles in final pixels; larger than any image
_BIG_TILE_PX = _TILE_PX * SCALE


@lru_cache(maxsize=16)
def _noise(seed: int, step: int, side: int = _TILE_PX) -> Floats:
    """Return smooth noise in -1..1 with a grain of about `step` pixels, float32 [side, side]."""
    coarse = (
        np.random.default_rng(seed).uniform(-1, 1, (side // step + 2, side // step + 2)).astype(np.float32)
    )
    image = Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC)
    return np.asarray(image)


@lru_cache(maxsize=1)
def _flow() -> Floats:
    """Return the slowly changing direction of the brush in radians at each point of a big tile."""
    return np.asarray(_noise(11, 150, _BIG_TILE_PX) * 1.5 + _noise(12, 60, _BIG_TILE_PX) * 0.5)


@lru_cache(maxsize=4)
def _bristles(along: int) -> Floats:
    """Return the marks of a brush's hairs, horizontal and `along` pixels long, in about -1..1."""
    raw = np.random.default_rng(5).standard_normal((_TILE_PX, _TILE_PX)).astype(np.float32)
    total = np.cumsum(np.concatenate([raw, raw[:, :along]], axis=1), axis=1)
    hairs = (total[:, along:] - total[:, :-along])[:, :_TILE_PX] / math.sqrt(along)
    # Let the rows drift up and down, so that the strokes do not look ruled.
    drift = np.rint(_noise(13, 90) * 14).astype(np.int32)
    rows = (np.arange(_TILE_PX)[:, None] + drift) % _TILE_PX
    return np.asarray(hairs[rows, np.arange(_TILE_PX)[None, :]] * 0.6)


@lru_cache(maxsize=1)
def _weave() -> Floats:
    """Return the threads of a canvas, in about -1..1."""
    at = np.arange(_TILE_PX, dtype=np.float32)
    threads = np.sin(at * 2.1)[:, None] * 0.5 + np.sin(at * 2.1)[None, :] * 0.5
    return np.asarray(threads * (0.7 + 0.6 * _noise(14, 4)), dtype=np.float32)


@lru_cache(maxsize=1)
def _grain() -> Floats:
    return np.random.default_rng(15).standard_normal((_TILE_PX, _TILE_PX)).astype(np.float32) * 0.4


class Marks(NamedTuple):
    """Brush marks with which a drawing is repainted."""

    step: int  # distance between marks, in pixels of the enlarged drawing
    length: int  # 0 for round dots
    width: int
    jitter: float  # variation of color between marks, of 255
    strength: float  # opacity of the marks


class Finish(NamedTuple):
    """The texture of the paint, and the brush marks, if any."""

    texture: str
    depth: float  # strength of the texture, of 255
    tremble: float  # unevenness of edges, in pixels
    broken: float  # variation of color in patches, of 255
    marks: Marks | None = None

    def apply(self, image: Image.Image, rng: random.Random) -> Image.Image:
        """Return the finished image, at its final size: half that of the drawing."""
        if self.marks:
            image = _repaint(image, self.marks, rng)
        pixels: Pixels = np.asarray(image.reduce(SCALE))
        if self.texture == "facets":
            return _facets(pixels, self, rng)
        if self.tremble:
            pixels = _tremble(pixels, rng, self.tremble)
        return _wash(pixels, rng) if self.texture == "wash" else _relief(pixels, self, rng)


FINISHES: dict[str, Finish] = {
    "oil": Finish("bristles 26", 7.0, 1.3, 7.0),
    "strokes": Finish("bristles 12", 4.0, 1.2, 5.0, Marks(13, 44, 10, 7.5, 0.72)),
    "swirl": Finish("weave", 3.0, 0.0, 5.0, Marks(14, 76, 9, 11.0, 0.62)),
    "dots": Finish("weave", 2.0, 0.0, 0.0, Marks(11, 0, 14, 13.0, 0.86)),
    "knife": Finish("bristles 40", 8.0, 1.5, 6.0, Marks(30, 62, 34, 7.0, 0.46)),
    "canvas": Finish("weave", 5.5, 1.4, 5.0),
    "gouache": Finish("grain", 7.0, 1.0, 4.0),
    "ink": Finish("grain", 7.0, 1.0, 4.0),
    "wash": Finish("wash", 0.0, 3.4, 0.0),
    "cubist": Finish("facets", 6.0, 0.0, 6.0),
}


@lru_cache(maxsize=8)
def _painted(marks: Marks) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Return brush marks covering a big tile: the mark's number at each pixel, and each mark's middle (y, x).

    Computed once per process; each image then only looks up one color per mark.
    """
    rng, step = random.Random(repr(marks)), marks.step
    grid = range(0, _BIG_TILE_PX + step, step)
    spots = [
        (x + rng.uniform(-0.6, 0.6) * step, y + rng.uniform(-0.6, 0.6) * step) for y in grid for x in grid
    ]
    rng.shuffle(spots)
    flow, numbers = _flow(), Image.new("I", (_BIG_TILE_PX, _BIG_TILE_PX))
    draw = ImageDraw.Draw(numbers)
    for number, (x, y) in enumerate(spots):  # first, to fill the gaps between marks
        draw.rectangle((x - 1.1 * step, y - 1.1 * step, x + 1.1 * step, y + 1.1 * step), fill=number)
    for number, (x, y) in enumerate(spots):
        if not marks.length:
            r = marks.width / 2 * rng.uniform(0.75, 1.1)
            draw.ellipse((x - r, y - r, x + r, y + r), fill=number)
            continue
        size, path = marks.length * rng.uniform(0.6, 1.1) / 4, [(x, y)]
        across = 0.9 if marks.width > 20 and number % 3 == 0 else 0.0  # a knife also works against the flow
        for _ in range(4):
            px, py = path[-1]
            row, column = (min(_BIG_TILE_PX - 1, max(0, int(v))) for v in (py, px))
            a = float(flow[row, column]) + across
            path.append((px + math.cos(a) * size, py + math.sin(a) * size))
        dx, dy = path[2][0] - x, path[2][1] - y
        centered = [(px - dx, py - dy) for px, py in path]
        draw.line(centered, fill=number, width=round(marks.width * rng.uniform(0.7, 1.15)))
    middles = np.rint(np.array([(y, x) for x, y in spots])).astype(np.int32)
    return np.asarray(numbers).astype(np.int32), middles


def _repaint(image: Image.Image, marks: Marks, rng: random.Random) -> Image.Image:
    """The drawing painted again in brush marks, each in one color."""
    numbers, middles = _painted(marks)
    width, height = image.size
    dy, dx = rng.randrange(_BIG_TILE_PX - height + 1), rng.randrange(_BIG_TILE_PX - width + 1)
    small = np.asarray(image.reduce(4)).astype(np.float32)
    ys = np.clip((middles[:, 0] - dy) // 4, 0, small.shape[0] - 1)
    xs = np.clip((middles[:, 1] - dx) // 4, 0, small.shape[1] - 1)
    stray = np.random.default_rng(rng.getrandbits(32)).standard_normal((len(middles), 4)).astype(np.float32)
    colors = small[ys, xs] + (stray[:, :3] * 0.55 + stray[:, 3:]) * marks.jitter
    table = np.full((len(middles), 4), 255, np.uint8)
    table[:, :3] = np.clip(colors, 0, 255)
    painted = table.view(np.uint32)[:, 0][numbers[dy : dy + height, dx : dx + width]]
    marked = Image.frombuffer("RGBX", (width, height), painted.tobytes(), "raw", "RGBX", 0, 1).convert("RGB")
    return Image.blend(image, marked, marks.strength)


@lru_cache(maxsize=8)
def _texture(name: str) -> Floats:
    kind, _, along = name.partition(" ")
    return {"weave": _weave, "grain": _grain}[kind]() if not along else _bristles(int(along))


def _tremble(pixels: Pixels, rng: random.Random, far: float) -> Pixels:
    """The image with its edges moved by up to `far` pixels."""
    height, width = pixels.shape[:2]
    rows = np.arange(height, dtype=np.float32)[:, None] + _window(_noise(21, 9), pixels, rng) * far
    columns = np.arange(width, dtype=np.float32)[None, :] + _window(_noise(22, 9), pixels, rng) * far
    at = np.clip(rows, 0, height - 1).astype(np.int32) * width
    at += np.clip(columns, 0, width - 1).astype(np.int32)
    # Whole pixels are moved as single numbers, which is three times as fast as three channels.
    whole = np.zeros((height, width, 4), np.uint8)
    whole[:, :, :3] = pixels
    moved = whole.view(np.uint32).ravel().take(at)
    return np.asarray(moved.view(np.uint8).reshape(height, width, 4)[:, :, :3])


def _relief(pixels: Pixels, finish: Finish, rng: random.Random, light: Floats | None = None) -> Image.Image:
    """Return the image lit by the texture, and by `light` of 255, with its color varied in patches."""
    texture = _texture("bristles 26" if finish.texture == "facets" else finish.texture)
    lit = _window(texture, pixels, rng) * np.float32(finish.depth) + (0 if light is None else light)
    out = pixels + lit.astype(np.int16)[:, :, None]
    for channel in range(3 if finish.broken else 0):
        out[:, :, channel] += (_window(_noise(31, 14), pixels, rng) * finish.broken).astype(np.int16)
    return Image.fromarray(np.clip(out, 0, 255).astype(np.uint8))


def _wash(pixels: Pixels, rng: random.Random) -> Image.Image:
    """Return a watercolor: thin paint that pools, with bare paper around the edge."""
    height, width = pixels.shape[:2]
    edge_y = np.minimum(np.arange(height), np.arange(height)[::-1]).astype(np.float32)
    edge_x = np.minimum(np.arange(width), np.arange(width)[::-1]).astype(np.float32)
    border = np.minimum(edge_y[:, None], edge_x[None, :]) + _window(_noise(22, 9), pixels, rng) * 9
    pool = _window(_noise(33, 60), pixels, rng) * 0.16 + _window(_noise(34, 14), pixels, rng) * 0.08
    thin = np.clip(1.2 + pool - np.clip((border - 12) / 10, 0, 1), 0, 1)[:, :, None]
    paper = np.array([250, 246, 236], np.float32)
    out = pixels + (paper - pixels) * thin + (_window(_grain(), pixels, rng) * 5)[:, :, None]
    return Image.fromarray(np.clip(out, 0, 255).astype(np.uint8))


def _facets(pixels: Pixels, finish: Finish, rng: random.Random) -> Image.Image:
    """Return the image in facets, each shifted, and lighter or darker along its edge."""
    height, width = pixels.shape[:2]
    rows, columns = np.indices((height, width), dtype=np.float32)
    facet, shade = np.zeros(rows.shape, np.int32), np.zeros(rows.shape, np.float32)
    for k in range(6):
        a, cx, cy = rng.uniform(0, math.pi), rng.uniform(0.2, 0.8) * width, rng.uniform(0.2, 0.8) * height
        side = (columns - cx) * np.float32(math.cos(a)) + (rows - cy) * np.float32(math.sin(a))
        facet += (side > 0).astype(np.int32) << k
        shade += np.where(side > 0, 1, -1) * np.exp(-np.abs(side) / 60).astype(np.float32)
    shift = np.random.default_rng(rng.getrandbits(32)).integers(-13, 14, (64, 2))
    y = np.clip(rows.astype(np.int32) + shift[facet, 0], 0, height - 1)
    x = np.clip(columns.astype(np.int32) + shift[facet, 1], 0, width - 1)
    return _relief(pixels[y, x], finish, rng, shade * 17)


def _window(tile: Floats, pixels: Pixels, rng: random.Random) -> Floats:
    """Return a random part of a tile, as large as the image."""
    height, width = pixels.shape[:2]
    dy, dx = rng.randrange(_TILE_PX - height + 1), rng.randrange(_TILE_PX - width + 1)
    return tile[dy : dy + height, dx : dx + width]
