"""Finishes: how the paint lies on the finished drawing, from brush strokes and dots to flat gouache."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from sample_art.canvas import SCALE

Floats = npt.NDArray[np.float32]
_TILE = 704  # the texture tiles' side at the final size; larger than any picture plus some room to shift
_BIG = _TILE * SCALE


@lru_cache(maxsize=16)
def _noise(seed: int, step: int, side: int = _TILE) -> Floats:
    """Smooth noise in -1..1 about `step` pixels coarse, float32 [side, side]."""
    coarse = (
        np.random.default_rng(seed).uniform(-1, 1, (side // step + 2, side // step + 2)).astype(np.float32)
    )
    image = Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC)
    return np.asarray(image)


@lru_cache(maxsize=1)
def _flow() -> Floats:
    """The direction of the brush at every point of a big tile, in radians, bending slowly."""
    return np.asarray(_noise(11, 150, _BIG) * 1.5 + _noise(12, 60, _BIG) * 0.5)


@lru_cache(maxsize=4)
def _bristle(along: int) -> Floats:
    """Marks of a brush's hairs drawn sideways over `along` pixels, about -1..1."""
    raw = np.random.default_rng(5).standard_normal((_TILE, _TILE)).astype(np.float32)
    total = np.cumsum(np.concatenate([raw, raw[:, :along]], axis=1), axis=1)
    hairs = (total[:, along:] - total[:, :-along])[:, :_TILE] / math.sqrt(along)
    # The rows drift up and down, or every picture would look brushed with a ruler.
    drift = np.rint(_noise(13, 90) * 14).astype(np.int32)
    rows = (np.arange(_TILE)[:, None] + drift) % _TILE
    return np.asarray(hairs[rows, np.arange(_TILE)[None, :]] * 0.6)


@lru_cache(maxsize=1)
def _weave() -> Floats:
    """The threads of a canvas, about -1..1."""
    at = np.arange(_TILE, dtype=np.float32)
    threads = np.sin(at * 2.1)[:, None] * 0.5 + np.sin(at * 2.1)[None, :] * 0.5
    return np.asarray(threads * (0.7 + 0.6 * _noise(14, 4)), dtype=np.float32)


@lru_cache(maxsize=1)
def _grain() -> Floats:
    return np.random.default_rng(15).standard_normal((_TILE, _TILE)).astype(np.float32) * 0.4


@lru_cache(maxsize=8)
def _marks(kind: str) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Brush marks covering a big tile: the mark's number at every pixel, and every mark's middle as (y, x).

    Painted once per process: a picture then only looks up one colour per mark.
    """
    step, length, width = {
        "strokes": (13, 44, 10),
        "swirl": (14, 76, 9),
        "dots": (11, 0, 14),
        "knife": (30, 62, 34),
    }[kind]
    rng = random.Random(kind)
    spots = [
        (x + rng.uniform(-step, step) * 0.6, y + rng.uniform(-step, step) * 0.6)
        for y in range(0, _BIG + step, step)
        for x in range(0, _BIG + step, step)
    ]
    rng.shuffle(spots)
    flow = _flow()
    numbers = Image.new("I", (_BIG, _BIG))
    draw = ImageDraw.Draw(numbers)
    for number, (x, y) in enumerate(spots):
        if kind == "dots":
            r = width / 2 * rng.uniform(0.75, 1.1)
            draw.ellipse((x - r, y - r, x + r, y + r), fill=number)
            continue
        size = length * rng.uniform(0.6, 1.1) / 4
        path = [(x, y)]
        for _ in range(4):
            px, py = path[-1]
            a = float(flow[min(_BIG - 1, max(0, int(py))), min(_BIG - 1, max(0, int(px)))])
            a += 0.9 if kind == "knife" and number % 3 == 0 else 0.0
            path.append((px + math.cos(a) * size, py + math.sin(a) * size))
        back = (path[2][0] - x, path[2][1] - y)
        draw.line(
            [(px - back[0], py - back[1]) for px, py in path],
            fill=number,
            width=round(width * rng.uniform(0.7, 1.15)),
        )
    middles = np.rint(np.array([(y, x) for x, y in spots])).astype(np.int32)
    return np.asarray(numbers).astype(np.int32), middles


def _repaint(image: Image.Image, kind: str, rng: random.Random, jitter: float, blend: float) -> Image.Image:
    """The drawing painted again in brush marks, each in one colour strayed by `jitter` (of 255)."""
    numbers, middles = _marks(kind)
    width, height = image.size
    dy, dx = rng.randrange(_BIG - height + 1), rng.randrange(_BIG - width + 1)
    small = np.asarray(image.reduce(4)).astype(np.float32)
    ys = np.clip((middles[:, 0] - dy) // 4, 0, small.shape[0] - 1)
    xs = np.clip((middles[:, 1] - dx) // 4, 0, small.shape[1] - 1)
    stray = np.random.default_rng(rng.getrandbits(32)).standard_normal((len(middles), 4)).astype(np.float32)
    colours = small[ys, xs] + (stray[:, :3] * 0.55 + stray[:, 3:]) * jitter
    table = np.full((len(middles), 4), 255, np.uint8)
    table[:, :3] = np.clip(colours, 0, 255)
    painted = table.view(np.uint32)[:, 0][numbers[dy : dy + height, dx : dx + width]]
    marks = Image.frombuffer("RGBX", (width, height), painted.tobytes(), "raw", "RGBX", 0, 1).convert("RGB")
    return Image.blend(image, marks, blend)


def _window(tile: Floats, shape: tuple[int, ...], rng: random.Random) -> Floats:
    dy, dx = rng.randrange(_TILE - shape[0] + 1), rng.randrange(_TILE - shape[1] + 1)
    return tile[dy : dy + shape[0], dx : dx + shape[1]]


def _warp(pixels: npt.NDArray[np.uint8], rng: random.Random, far: float) -> npt.NDArray[np.uint8]:
    """The picture with its edges trembling by up to `far` pixels."""
    height, width = pixels.shape[:2]
    rows = np.arange(height, dtype=np.float32)[:, None] + _window(_noise(21, 9), pixels.shape, rng) * far
    columns = np.arange(width, dtype=np.float32)[None, :] + _window(_noise(22, 9), pixels.shape, rng) * far
    at = np.clip(rows, 0, height - 1).astype(np.int32) * width
    at += np.clip(columns, 0, width - 1).astype(np.int32)
    # Whole pixels are moved as single numbers, which is three times as fast as three channels.
    whole = np.zeros((height, width, 4), np.uint8)
    whole[:, :, :3] = pixels
    moved = whole.view(np.uint32).ravel().take(at)
    return np.asarray(moved.view(np.uint8).reshape(height, width, 4)[:, :, :3])


def _relief(
    pixels: npt.NDArray[np.uint8], lightness: Floats, broken: float, rng: random.Random
) -> Image.Image:
    """The picture lit by `lightness` (in levels of 255), its colour broken up in patches by `broken` levels."""
    out = pixels.astype(np.float32)
    out += lightness[:, :, None]
    if broken:
        for channel in range(3):
            out[:, :, channel] += _window(_noise(31, 14), pixels.shape, rng) * broken
    return Image.fromarray(np.clip(out, 0, 255).astype(np.uint8))


def _finish(
    image: Image.Image, rng: random.Random, tile: Floats, depth: float, warp: float, broken: float
) -> Image.Image:
    pixels = np.asarray(image.reduce(SCALE))
    if warp:
        pixels = _warp(pixels, rng, warp)
    return _relief(pixels, _window(tile, pixels.shape, rng) * np.float32(depth), broken, rng)


def _oil(image: Image.Image, rng: random.Random) -> Image.Image:
    return _finish(image, rng, _bristle(26), 7.0, 1.3, 7.0)


def _strokes(image: Image.Image, rng: random.Random) -> Image.Image:
    return _finish(_repaint(image, "strokes", rng, 7.5, 0.72), rng, _bristle(12), 4.0, 1.2, 5.0)


def _swirl(image: Image.Image, rng: random.Random) -> Image.Image:
    return _finish(_repaint(image, "swirl", rng, 11.0, 0.62), rng, _weave(), 3.0, 0.0, 5.0)


def _dots(image: Image.Image, rng: random.Random) -> Image.Image:
    return _finish(_repaint(image, "dots", rng, 13.0, 0.86), rng, _weave(), 2.0, 0.0, 0.0)


def _knife(image: Image.Image, rng: random.Random) -> Image.Image:
    return _finish(_repaint(image, "knife", rng, 7.0, 0.46), rng, _bristle(40), 8.0, 1.5, 6.0)


def _canvas(image: Image.Image, rng: random.Random) -> Image.Image:
    return _finish(image, rng, _weave(), 5.5, 1.4, 5.0)


def _gouache(image: Image.Image, rng: random.Random) -> Image.Image:
    return _finish(image, rng, _grain(), 7.0, 1.0, 4.0)


def _wash(image: Image.Image, rng: random.Random) -> Image.Image:
    """Watercolour: thin paint that pools, and bare paper round the edge."""
    pixels = _warp(np.asarray(image.reduce(SCALE)), rng, 3.4)
    height, width = pixels.shape[:2]
    edge_y = np.minimum(np.arange(height), np.arange(height)[::-1]).astype(np.float32)
    edge_x = np.minimum(np.arange(width), np.arange(width)[::-1]).astype(np.float32)
    border = np.minimum(edge_y[:, None], edge_x[None, :]) + _window(_noise(22, 9), pixels.shape, rng) * 9
    bare = 1 - np.clip((border - 12) / 10, 0, 1)
    pool = (
        _window(_noise(33, 60), pixels.shape, rng) * 0.16 + _window(_noise(34, 14), pixels.shape, rng) * 0.08
    )
    thin = np.clip(0.2 + pool + bare, 0, 1)[:, :, None]
    paper = np.array([250, 246, 236], np.float32)
    out = pixels + (paper - pixels) * thin + (_window(_grain(), pixels.shape, rng) * 5)[:, :, None]
    return Image.fromarray(np.clip(out, 0, 255).astype(np.uint8))


def _cubist(image: Image.Image, rng: random.Random) -> Image.Image:
    """The drawing seen in facets: each is shifted and turned lighter or darker along its own edge."""
    width, height = image.size
    rows, columns = np.indices((height // 2, width // 2), dtype=np.float32)
    facet: npt.NDArray[np.int32] = np.zeros(rows.shape, np.int32)
    shade = np.zeros(rows.shape, np.float32)
    for k in range(6):
        a = rng.uniform(0, math.pi)
        cx, cy = rng.uniform(0.2, 0.8) * width / 2, rng.uniform(0.2, 0.8) * height / 2
        side = (columns - cx) * np.float32(math.cos(a)) + (rows - cy) * np.float32(math.sin(a))
        facet += (side > 0).astype(np.int32) << k
        shade += np.where(side > 0, 1, -1) * np.exp(-np.abs(side) / 60).astype(np.float32)
    shift = np.random.default_rng(rng.getrandbits(32)).integers(-13, 14, (64, 2))
    y = np.clip(rows.astype(np.int32) + shift[facet, 0], 0, rows.shape[0] - 1)
    x = np.clip(columns.astype(np.int32) + shift[facet, 1], 0, rows.shape[1] - 1)
    pixels = np.asarray(image.reduce(SCALE))[: rows.shape[0], : rows.shape[1]][y, x]
    return _relief(pixels, shade * 17 + _window(_bristle(26), pixels.shape, rng) * 6, 6.0, rng)


Finish = Callable[[Image.Image, random.Random], Image.Image]
FINISHES: dict[str, Finish] = {
    "oil": _oil,
    "strokes": _strokes,
    "swirl": _swirl,
    "dots": _dots,
    "knife": _knife,
    "canvas": _canvas,
    "gouache": _gouache,
    "ink": _gouache,
    "wash": _wash,
    "cubist": _cubist,
}
