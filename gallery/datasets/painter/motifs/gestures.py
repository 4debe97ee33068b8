"""Abstract pictures without edges: poured paint, soft fields, broad gestures."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image

from gallery.datasets.painter.canvas import Canvas, Points, blob, box
from gallery.datasets.painter.colours import Colour, mix, vary
from gallery.datasets.painter.motifs.motif import Motif


def drips(c: Canvas) -> None:
    """Skeins of poured paint in several layers, with splashes."""
    p, rng = c.palette, c.rng
    ground = rng.choice(
        (
            mix(p.light, p.glow, 0.4),
            mix(p.earth, p.light, 0.6),
            mix(p.sky, p.light, 0.5),
            mix(p.dark, p.water, 0.2),
        )
    )
    c.backdrop((0, ground), (1, mix(ground, p.earth, 0.2)))
    for _ in range(7):
        c.glow(
            rng.uniform(0, c.w),
            rng.uniform(0, 1),
            rng.uniform(0.15, 0.35),
            rng.uniform(0.15, 0.35),
            mix(ground, rng.choice((p.earth, p.sky, p.accent)), 0.35),
            0.7,
        )
    paints = [p.dark, p.light, p.accent, p.second, p.water, p.leaf]
    rng.shuffle(paints)
    for paint in (*paints[:4], p.dark, p.light, paints[0]):
        for _ in range(rng.randint(4, 7)):
            _skein(c, paint)
        for _ in range(50):
            r = abs(rng.gauss(0, 0.006)) + 0.0015
            c.oval(
                rng.uniform(0, c.w), rng.uniform(0, 1), r, r * rng.uniform(0.7, 1.3), vary(rng, paint, 0.03)
            )
        for _ in range(3):
            x, y, r = rng.uniform(0, c.w), rng.uniform(0, 1), rng.uniform(0.01, 0.028)
            c.fill(blob(rng, x, y, r, r, 0.35, 9), vary(rng, paint, 0.03))
            for _ in range(9):
                a, q = rng.uniform(0, 6.28), r * rng.uniform(1.2, 3)
                c.oval(x + math.cos(a) * q, y + math.sin(a) * q, r * 0.12, r * 0.12, paint)


def _skein(c: Canvas, paint: Colour) -> None:
    rng = c.rng
    x, y, a = rng.uniform(-0.05, c.w + 0.05), rng.uniform(-0.05, 1.05), rng.uniform(0, 6.28)
    bend, width = rng.uniform(-0.25, 0.25), rng.uniform(0.0025, 0.009)
    for _ in range(rng.randint(35, 80)):
        bend = bend * 0.9 + rng.gauss(0, 0.13)
        a += bend
        if not -0.1 < x < c.w + 0.1 or not -0.1 < y < 1.1:
            a = math.atan2(0.5 - y, c.w / 2 - x) + rng.uniform(-0.5, 0.5)
        step = rng.uniform(0.02, 0.045)
        end = (x + math.cos(a) * step, y + math.sin(a) * step)
        c.stroke([(x, y), end], max(0.0015, width * rng.uniform(0.55, 1.5)), paint)
        x, y = end


def colour_field(c: Canvas) -> None:
    """Two to four soft-edged fields on a ground of a near colour."""
    p, rng = c.palette, c.rng
    tones = [
        p.accent,
        p.second,
        p.water,
        p.leaf,
        p.earth,
        p.dark,
        p.glow,
        mix(p.accent, p.dark, 0.45),
        mix(p.second, p.accent, 0.5),
        mix(p.water, p.dark, 0.4),
    ]
    ground, *fields = (vary(rng, tone, 0.04) for tone in rng.sample(tones, 5))
    ground = mix(ground, fields[0], 0.2)
    c.backdrop((0, mix(ground, p.dark, 0.08)), (1, mix(ground, p.light, 0.06)))
    heights = [rng.uniform(0.5, 1.6) for _ in range(rng.choice((2, 2, 3, 3, 4)))]
    gap, margin = rng.uniform(0.02, 0.04), rng.uniform(0.05, 0.09)
    unit = (1 - 2 * margin - gap * (len(heights) - 1)) / sum(heights)
    y = margin
    for height, tone in zip(heights, fields, strict=False):
        _soft_field(c, margin, y, c.w - margin, y + height * unit, tone, 0.9)
        _soft_field(
            c,
            margin + 0.03,
            y + 0.015,
            c.w - margin - 0.03,
            y + height * unit - 0.015,
            mix(tone, rng.choice((p.light, p.dark)), 0.13),
            0.55,
        )
        y += height * unit + gap


def _soft_field(
    c: Canvas, left: float, top: float, right: float, foot: float, colour: Colour, strength: float
) -> None:
    """A rectangle whose edges are worn, and whose paint lies thicker here and thinner there."""
    rng = c.rng
    width, height = max(8, round((right - left) * c.unit / 4)), max(8, round((foot - top) * c.unit / 4))
    noise = np.random.default_rng(rng.getrandbits(32))
    rough = (
        np.asarray(_cloud(noise, 26, width, height)) * 0.55
        + np.asarray(_cloud(noise, 7, width, height)) * 0.45
    )
    across = np.minimum(np.arange(width), np.arange(width)[::-1])[None, :]
    down = np.minimum(np.arange(height), np.arange(height)[::-1])[:, None]
    edge = np.clip((np.minimum(across, down) + rough * 3.5) / 6.5, 0, 1)
    mask = edge * strength * (0.86 + 0.2 * rough)
    image = Image.fromarray((np.clip(mask, 0, 1) * 255).astype(np.uint8))
    box = (round((right - left) * c.unit), round((foot - top) * c.unit))
    c.image.paste(
        colour, (round(left * c.unit), round(top * c.unit)), image.resize(box, Image.Resampling.BICUBIC)
    )


def _cloud(noise: np.random.Generator, step: int, width: int, height: int) -> Image.Image:
    """Smooth noise in -1..1, about `step` pixels coarse."""
    coarse = noise.uniform(-1, 1, (height // step + 2, width // step + 2)).astype(np.float32)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


def ink_clouds(c: Canvas) -> None:
    """Broad strokes of thinned paint over clouds of colour."""
    p, rng = c.palette, c.rng
    paper = mix(p.light, p.glow, 0.4)
    c.backdrop((0, paper), (1, mix(paper, p.sky, 0.2)))
    tones = (p.sky, p.glow, p.accent, p.water, p.second, p.leaf, p.earth)
    chosen = rng.sample(tones, 3)
    x, y = c.w * rng.uniform(0.35, 0.65), rng.uniform(0.35, 0.65)
    for _ in range(26):
        c.glow(
            x + rng.gauss(0, 0.27) * c.w,
            y + rng.gauss(0, 0.22),
            rng.uniform(0.1, 0.3),
            rng.uniform(0.08, 0.24),
            vary(rng, rng.choice(chosen), 0.05),
            rng.uniform(0.4, 0.8),
        )
    for _ in range(rng.randint(2, 4)):
        _gesture(
            c,
            x + rng.gauss(0, 0.12),
            y + rng.gauss(0, 0.12),
            rng.uniform(0.25, 0.5),
            rng.choice((p.dark, p.dark, mix(p.water, p.dark, 0.5), *chosen)),
        )
    for _ in range(28):
        r = abs(rng.gauss(0, 0.008)) + 0.002
        c.oval(
            x + rng.gauss(0, 0.3) * c.w,
            y + rng.gauss(0, 0.28),
            r,
            r,
            mix(rng.choice((p.dark, *chosen)), paper, 0.2),
        )
    if rng.random() < 0.6:
        s = rng.uniform(0.03, 0.045)
        sx, sy = c.w * rng.choice((0.1, 0.88)), rng.uniform(0.8, 0.9)
        c.fill(box(sx, sy, sx + s, sy + s), p.accent, rough=0.003)


def _gesture(c: Canvas, x: float, y: float, reach: float, ink: Colour) -> None:
    """One sweep of a wide brush: many hairs on nearly the same path, running dry towards its end."""
    rng = c.rng
    a, bend = rng.uniform(0, 6.28), rng.uniform(-0.32, 0.32)
    spine: Points = []
    for _ in range(16):
        spine.append((x, y))
        x, y = x + math.cos(a) * reach / 9, y + math.sin(a) * reach / 9
        a += bend + rng.gauss(0, 0.07)
    half = rng.uniform(0.025, 0.065)
    for k in range(34):
        u = (k / 33 - 0.5) * 2 * half
        last = len(spine) - max(0, round(abs(rng.gauss(0, 4))))
        hair = []
        for j in range(1, max(3, last)):
            (x0, y0), (x1, y1) = spine[j - 1], spine[j]
            length = math.hypot(x1 - x0, y1 - y0) or 1.0
            swell = math.sin(math.pi * min(1.0, (j + 3) / 16)) ** 0.5
            hair.append((x1 - (y1 - y0) / length * u * swell, y1 + (x1 - x0) / length * u * swell))
        c.stroke(hair, 0.0055, mix(ink, c.palette.light, 0.3 * rng.random()))


GESTURES = {
    "colour field": Motif(colour_field, "tall"),
    "drips": Motif(drips, "wide"),
    "ink clouds": Motif(ink_clouds, "even"),
}
