"""Abstract images: grids, discs, quilts, shapes, stripes, poured paint, color fields and gestures."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image

from sample_art.canvas import Canvas
from sample_art.layers import layer
from sample_art.palettes import Color, Ink
from sample_art.shapes import Point, Pose, arc, blob, box


@layer
def grid(c: Canvas) -> None:
    """Paint black lines on white, with a few blocks in color."""
    rng, thick = c.rng, c.rng.uniform(0.014, 0.026)
    blocks: list[tuple[float, float, float, float]] = []

    def divide(left: float, top: float, right: float, foot: float, depth: int) -> None:
        w, h = right - left, foot - top
        if depth == 0 or max(w, h) < 0.2 or (depth < 3 and rng.random() < 0.22):
            blocks.append((left, top, right, foot))
        elif w > h * rng.uniform(0.7, 1.4):
            at = left + w * rng.choice((0.24, 0.36, 0.62, 0.76))
            divide(left, top, at, foot, depth - 1)
            divide(at, top, right, foot, depth - 1)
        else:
            at = top + h * rng.choice((0.24, 0.36, 0.62, 0.76))
            divide(left, top, right, at, depth - 1)
            divide(left, at, right, foot, depth - 1)

    divide(0.0, 0.0, c.w, 1.0, rng.choice((3, 4, 4, 5)))
    paints = rng.sample(("accent", "second", "water", "dark"), 4)
    colored = rng.sample(range(len(blocks)), min(len(blocks), rng.randint(3, 6)))
    for k, block in enumerate(blocks):
        white = c.vary(c.mix("light", "glow", 0.25 * rng.random()), 0.015)
        c.fill(box(*block), c.vary(paints[colored.index(k) % 4], 0.02) if k in colored else white)
    for left, top, right, foot in blocks:
        width = thick * rng.choice((0.8, 1.0, 1.0, 1.5))
        if right < c.w - 0.01:
            c.fill(box(right - width / 2, top - thick / 2, right + width / 2, foot + thick / 2), "dark")
        if foot < 0.99:
            c.fill(box(left - thick / 2, foot - width / 2, right + thick / 2, foot + width / 2), "dark")


@layer
def discs(c: Canvas) -> None:
    """Paint rings of color, divided into sectors."""
    rng, tones = c.rng, "accent second water leaf sky glow earth light accent+second.5 water+dark.4"
    for k in range(6):
        left, top = c.w * (k % 3) / 3, k // 3 / 2
        c.fill(box(left, top, left + c.w / 3, top + 0.5), c.vary(c.mix(tones, "light", 0.2)))
    count = rng.choice((1, 2, 3, 4, 5))
    for n in range(count):
        big = 0.46 if count == 1 else rng.uniform(0.36, 0.42) if n == 0 else rng.uniform(0.15, 0.3)
        x, y = (c.w / 2, 0.5) if count == 1 else (rng.uniform(0.15, 0.85) * c.w, rng.uniform(0.2, 0.8))
        turn, parts, rings = rng.uniform(0, 1.57), rng.choice((2, 4, 4, 6)), rng.randint(4, 7)
        for r in (big * (1 - ring / rings) for ring in range(rings)):
            for a in (turn + math.tau * part / parts for part in range(parts)):
                c.flat([(x, y), *arc(x, y, r, r, a, a + math.tau / parts, 26)], c.vary(tones))
            turn += 0.4 if rng.random() < 0.25 else 0


@layer
def quilt(c: Canvas) -> None:
    """Paint the squares of a quilt: triangles, quarter circles, leaves, circles or stripes."""
    rng = c.rng
    tones = ("accent", "second", "water", "leaf", "earth", "dark", "light", "glow", "sky")
    chosen, rows = rng.sample(tones, 5), rng.choice((3, 4, 4, 5, 6))
    kinds = rng.sample(tuple(_PATCHES), rng.choice((1, 2, 2, 3)))
    side = 1 / rows
    for row in range(rows):
        for k in range(math.ceil(c.w / side)):
            ground, shape, other = (
                c.vary(tone, 0.025) for tone in (*rng.sample(chosen, 2), rng.choice(chosen))
            )
            c.flat(box(k * side, row * side, (k + 1) * side + 0.002, (row + 1) * side + 0.002), ground)
            pose = Pose((k + 0.5) * side, (row + 0.5) * side, side / 2, turn=rng.randrange(4) * math.pi / 2)
            for part, ink in zip(_PATCHES[rng.choice(kinds)], (shape, other, shape), strict=False):
                c.flat(pose.of(part), ink)


_PATCHES: dict[str, tuple[list[Point], ...]] = {
    "triangle": ([(-1, -1), (1, -1), (-1, 1)],),
    "quarter": tuple([(-1, -1), *arc(-1, -1, r, r, 0, math.pi / 2)] for r in (2, 1)),
    "leaf": ([*arc(-1, 1, 2, 2, -math.pi / 2, 0), *arc(1, -1, 2, 2, math.pi / 2, math.pi)],),
    "circle": (arc(0, 0, 0.78, 0.78, parts=36), arc(0, 0, 0.78, 0.78, 0, math.pi)),
    "stripes": tuple(box(-1, -0.85 + 0.65 * k, 1, -0.5 + 0.65 * k) for k in range(3)),
}


@layer
def floating_shapes(c: Canvas) -> None:
    """Paint bars, squares, discs and wedges on white, most leaning the same way."""
    rng = c.rng
    c.backdrop((0, "light+glow.2"), (1, "light+glow.2+earth.12"))
    lean = rng.uniform(-0.9, 0.9)
    for k in range(rng.randint(9, 16)):
        size = (0.3 if k < 3 else 0.17 if k < 8 else 0.08) * rng.uniform(0.7, 1.25)
        angle = lean + rng.choice((0, 0, 0, math.pi / 2, rng.uniform(-0.5, 0.5)))
        pose = Pose(c.w / 2 + rng.gauss(0, 0.24) * c.w, 0.5 + rng.gauss(0, 0.22), size, turn=angle)
        tone = c.vary("dark accent second water dark accent leaf+dark.2 earth+light.3", 0.02)
        kind = rng.choice(("bar", "bar", "bar", "block", "disc", "wedge", "ring"))
        if kind == "disc":
            c.fill(pose.of(arc(0, 0, 0.4, 0.4, parts=40)), tone)
        elif kind == "ring":
            c.stroke(pose.of(arc(0, 0, 0.45, 0.45, parts=48)), 0.05 * size, tone)
        else:
            bars = {"bar": "-1,-.09 1,-.09 1,.09 -1,.09", "block": "-.5,-.36 .5,-.36 .5,.36 -.5,.36"}
            c.fill(pose.of(bars.get(kind, "-.7,-.1 .7,0 -.7,.35")), tone)
    for _ in range(rng.randint(2, 5)):
        turn = lean + rng.choice((0, math.pi / 2))
        pose = Pose(rng.uniform(0.1, 0.9) * c.w, rng.uniform(0.1, 0.9), 1, turn=turn)
        c.stroke(pose.of("-.3,0 .3,0"), 0.004, "dark")


@layer
def op_waves(c: Canvas) -> None:
    """Paint stripes, squares or rings of changing width, so that the image seems to move."""
    rng = c.rng
    pairs = (
        ("dark", "light"),
        ("dark", "light"),
        ("accent", "light"),
        ("water", "light"),
        ("dark", "second"),
    )
    dark, light = rng.choice(pairs)
    c.backdrop((0, light), (1, light))
    rng.choice((_waves, _waves, _checks, _rings))(c, dark, light, rng.uniform(0, math.tau))


def _waves(c: Canvas, dark: Ink, light: Ink, phase: float) -> None:
    count, swing, length = c.rng.randint(16, 30), c.rng.uniform(0.02, 0.06), c.rng.uniform(0.3, 0.8)
    for k in range(count + 6):
        base, line = (k - 3) / count, []
        for x in (c.w * j / 60 for j in range(61)):
            squeeze = 1 + 0.7 * math.sin(x * 3 / c.w + base * 4 + phase)
            line.append((x, base + swing * squeeze * math.sin(x * math.tau / length + phase + base * 3)))
        band = [*line, *((x, y + 0.5 / count) for x, y in reversed(line))]
        c.flat(band, c.mix(dark, "accent", 0.75 if k % 9 == 4 else 0))


def _checks(c: Canvas, dark: Ink, light: Ink, phase: float) -> None:
    rows = c.rng.choice((10, 12, 14))
    cx, cy = c.rng.uniform(0.3, 0.7) * c.w, c.rng.uniform(0.3, 0.7)

    def bend(x: float, y: float) -> Point:
        dx, dy = x - cx, y - cy
        pull = 0.85 * (1 + 0.9 * math.exp(-(dx * dx + dy * dy) / 0.06))
        return (cx + dx * pull - 0.02, cy + dy * pull)

    edge = ((0, 0), (0.5, 0), (1, 0), (1, 0.5), (1, 1), (0.5, 1), (0, 1), (0, 0.5))
    for row in range(-3, rows + 3):
        for k in range(-3, round(rows * c.w) + 3):
            if (row + k) % 2:
                c.flat([bend((k + x) / rows, (row + y) / rows) for x, y in edge], dark)


def _rings(c: Canvas, dark: Ink, light: Ink, phase: float) -> None:
    count = c.rng.randint(14, 22)
    for k in range(count):
        r, shift = (1 - k / count) * 0.8 * max(1.0, c.w), 0.3 * (k / count) ** 1.5
        x, y = c.w / 2 + math.cos(phase) * shift * c.w, 0.5 + math.sin(phase) * shift
        c.flat(arc(x, y, r, r, parts=90), "accent" if k == count - 1 else (dark, light)[k % 2])


@layer
def drips(c: Canvas) -> None:
    """Paint skeins of poured paint in several layers, with splashes."""
    rng, ground = c.rng, c.color("light+glow.4 earth+light.6 sky+light.5 dark+water.2")
    c.backdrop((0, ground), (1, c.mix(ground, "earth", 0.2)))
    for _ in range(7):
        c.glows(1, (0, 1), (0, 1), (0.15, 0.35), (0.15, 0.35), c.mix(ground, "earth sky accent", 0.35), 0.7)
    paints = rng.sample(("dark", "light", "accent", "second", "water", "leaf"), 4)
    for paint in (*paints, "dark", "light", paints[0]):
        for _ in range(rng.randint(4, 7)):
            _skein(c, paint)
        for _ in range(50):
            r = abs(rng.gauss(0, 0.006)) + 0.0015
            c.oval(rng.uniform(0, c.w), rng.uniform(0, 1), r, r * rng.uniform(0.7, 1.3), c.vary(paint))
        for _ in range(3):
            x, y, r = rng.uniform(0, c.w), rng.uniform(0, 1), rng.uniform(0.01, 0.028)
            c.fill(blob(rng, x, y, r, r, 0.35, 9), c.vary(paint))
            c.dots(9, x, y, (1.4 * r, 1.4 * r), 0.12 * r, paint)


def _skein(c: Canvas, paint: Ink) -> None:
    rng, color = c.rng, c.color(paint)
    x, y, a = rng.uniform(-0.05, c.w + 0.05), rng.uniform(-0.05, 1.05), rng.uniform(0, math.tau)
    bend, width = rng.uniform(-0.25, 0.25), rng.uniform(0.0025, 0.009)
    for _ in range(rng.randint(35, 80)):
        bend = bend * 0.9 + rng.gauss(0, 0.13)
        a += bend
        if not -0.1 < x < c.w + 0.1 or not -0.1 < y < 1.1:
            a = math.atan2(0.5 - y, c.w / 2 - x) + rng.uniform(-0.5, 0.5)
        step = rng.uniform(0.02, 0.045)
        end = (x + math.cos(a) * step, y + math.sin(a) * step)
        c.stroke([(x, y), end], max(0.0015, width * rng.uniform(0.55, 1.5)), color)
        x, y = end


@layer
def color_field(c: Canvas) -> None:
    """Paint two to four soft-edged fields on a ground of a similar color."""
    rng = c.rng
    tones = (
        "accent",
        "second",
        "water",
        "leaf",
        "earth",
        "dark",
        "glow",
        "accent+dark.45",
        "second+accent.5",
        "water+dark.4",
    )
    ground, *fields = (c.vary(tone, 0.04) for tone in rng.sample(tones, 5))
    ground = c.mix(ground, fields[0], 0.2)
    c.backdrop((0, c.mix(ground, "dark", 0.08)), (1, c.mix(ground, "light", 0.06)))
    shares = [rng.uniform(0.5, 1.6) for _ in range(rng.choice((2, 2, 3, 3, 4)))]
    gap, y = rng.uniform(0.02, 0.04), rng.uniform(0.05, 0.09)
    left, right, height = y, c.w - y, 1 - 2 * y - gap * (len(shares) - 1)
    for share, tone in zip(shares, fields, strict=False):
        foot = y + height * share / sum(shares)
        _soft_field(c, (left, y, right, foot), tone, 0.9)
        inner = (left + 0.03, y + 0.015, right - 0.03, foot - 0.015)
        _soft_field(c, inner, c.mix(tone, "light dark", 0.13), 0.55)
        y = foot + gap


def _soft_field(c: Canvas, area: tuple[float, float, float, float], color: Color, strength: float) -> None:
    """Paint a rectangle with worn edges and an uneven thickness of paint."""
    left, top, right, foot = (round(value * c.unit) for value in area)
    width, height = max(8, (right - left) // 4), max(8, (foot - top) // 4)
    noise = np.random.default_rng(c.rng.getrandbits(32))

    def cloud(step: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        coarse = noise.uniform(-1, 1, (height // step + 2, width // step + 2)).astype(np.float32)
        return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))

    rough = cloud(26) * 0.55 + cloud(7) * 0.45
    across = np.minimum(np.arange(width), np.arange(width)[::-1])[None, :]
    down = np.minimum(np.arange(height), np.arange(height)[::-1])[:, None]
    edge = np.clip((np.minimum(across, down) + rough * 3.5) / 6.5, 0, 1)
    mask = np.clip(edge * strength * (0.86 + 0.2 * rough), 0, 1)
    image = Image.fromarray((mask * 255).astype(np.uint8))
    c.image.paste(color, (left, top), image.resize((right - left, foot - top), Image.Resampling.BICUBIC))


@layer
def ink_clouds(c: Canvas) -> None:
    """Paint broad strokes of thinned paint over clouds of color."""
    rng = c.rng
    c.backdrop((0, "light+glow.4"), (1, "light+glow.4+sky.2"))
    chosen = " ".join(rng.sample(("sky", "glow", "accent", "water", "second", "leaf", "earth"), 3))
    x, y = c.w * rng.uniform(0.35, 0.65), rng.uniform(0.35, 0.65)
    for _ in range(26):
        at = x + rng.gauss(0, 0.27) * c.w, y + rng.gauss(0, 0.22)
        c.glow(
            *at, rng.uniform(0.1, 0.3), rng.uniform(0.08, 0.24), c.vary(chosen, 0.05), rng.uniform(0.4, 0.8)
        )
    for _ in range(rng.randint(2, 4)):
        ink = c.color(f"dark dark water+dark.5 {chosen}")
        _gesture(c, x + rng.gauss(0, 0.12), y + rng.gauss(0, 0.12), rng.uniform(0.25, 0.5), ink)
    c.dots(28, x, y, (0.3 * c.w, 0.28), (0.002, 0.016), c.mix(f"dark {chosen}", "light", 0.2))
    if rng.random() < 0.6:
        s, left, top = rng.uniform(0.03, 0.045), c.w * rng.choice((0.1, 0.88)), rng.uniform(0.8, 0.9)
        c.fill(box(left, top, left + s, top + s), "accent", rough=0.003)


def _gesture(c: Canvas, x: float, y: float, reach: float, ink: Color) -> None:
    """Paint one sweep of a wide brush: many hairs on nearly the same path, which run dry towards the end."""
    rng = c.rng
    a, bend, half = rng.uniform(0, math.tau), rng.uniform(-0.32, 0.32), rng.uniform(0.025, 0.065)
    spine: list[Point] = []
    for _ in range(16):
        spine.append((x, y))
        x, y = x + math.cos(a) * reach / 9, y + math.sin(a) * reach / 9
        a += bend + rng.gauss(0, 0.07)
    for u in ((k / 33 - 0.5) * 2 * half for k in range(34)):
        last = len(spine) - max(0, round(abs(rng.gauss(0, 4))))
        hair = []
        for j in range(1, max(3, last)):
            (x0, y0), (x1, y1) = spine[j - 1], spine[j]
            length = math.hypot(x1 - x0, y1 - y0) or 1.0
            swell = math.sin(math.pi * min(1.0, (j + 3) / 16)) ** 0.5
            hair.append((x1 - (y1 - y0) / length * u * swell, y1 + (x1 - x0) / length * u * swell))
        c.stroke(hair, 0.0055, c.mix(ink, "light", 0.3 * rng.random()))
