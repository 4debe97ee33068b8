"""Trees, bushes and grass."""

from __future__ import annotations

import math
from collections.abc import Sequence

from gallery.datasets.painter.canvas import Canvas, blob, smooth
from gallery.datasets.painter.colours import Colour, mix, vary


def crown(c: Canvas, x: float, y: float, rx: float, ry: float, leaf: Colour, light: Colour) -> None:
    """Foliage: a dark mass, then clumps that get lighter towards the sun."""
    rng = c.rng
    dark = mix(leaf, c.palette.dark, 0.45)
    c.fill(blob(rng, x, y, rx, ry, 0.16, 11), mix(leaf, dark, 0.4), dark)
    clumps = 16
    for k in range(clumps):
        t = k / clumps
        a, r = rng.uniform(0, 6.28), math.sqrt(rng.random()) * 0.8
        dx = math.cos(a) * r * rx + c.sun * 0.16 * rx * t
        dy = math.sin(a) * r * ry - 0.2 * ry * t
        size = rng.uniform(0.2, 0.36) * (1.1 - 0.45 * t)
        tone = mix(mix(leaf, dark, 0.3), light, t * 0.75 + 0.15 * (-dy / ry))
        c.draw.polygon(
            c.pixels(blob(rng, x + dx, y + dy, rx * size, ry * size, 0.2, 7)), fill=vary(rng, tone, 0.025)
        )


def round_tree(c: Canvas, x: float, y: float, s: float, leaf: Colour | None = None) -> None:
    """A broad tree of height `s` standing at (x, y)."""
    p, rng = c.palette, c.rng
    leaf = vary(rng, leaf or p.leaf, 0.04)
    trunk = mix(p.earth, p.dark, 0.55)
    lean = rng.uniform(-0.06, 0.06) * s
    c.fill(
        [
            (x - 0.045 * s, y),
            (x - 0.03 * s + lean, y - 0.5 * s),
            (x + 0.03 * s + lean, y - 0.5 * s),
            (x + 0.05 * s, y),
        ],
        trunk,
    )
    c.stroke([(x + lean, y - 0.35 * s), (x + lean + 0.16 * s, y - 0.55 * s)], 0.025 * s, trunk)
    crown(
        c, x + lean, y - 0.66 * s, 0.33 * s * rng.uniform(0.9, 1.15), 0.33 * s, leaf, mix(leaf, p.glow, 0.5)
    )


def poplar(c: Canvas, x: float, y: float, s: float, leaf: Colour | None = None) -> None:
    p, rng = c.palette, c.rng
    leaf = vary(rng, leaf or p.leaf, 0.04)
    c.stroke([(x, y), (x, y - 0.3 * s)], 0.03 * s, mix(p.earth, p.dark, 0.6))
    half = rng.uniform(0.085, 0.12) * s
    outline = [
        (x, y - s),
        (x + 0.6 * half, y - 0.75 * s),
        (x + half, y - 0.4 * s),
        (x + 0.6 * half, y - 0.1 * s),
        (x - 0.6 * half, y - 0.1 * s),
        (x - half, y - 0.4 * s),
        (x - 0.6 * half, y - 0.75 * s),
    ]
    dark = mix(leaf, p.dark, 0.4)
    c.fill(smooth(outline), mix(leaf, dark, 0.3), dark)
    for k in range(16):
        t = rng.random()
        width = half * (0.9 - abs(t - 0.4)) * rng.uniform(-0.6, 0.8) * c.sun
        top = y - 0.12 * s - 0.8 * s * t
        c.stroke(
            [(x + width, top), (x + width * 0.8, top - 0.07 * s)],
            0.018 * s,
            mix(leaf, p.glow, 0.15 + 0.3 * k / 16),
        )


def fir(c: Canvas, x: float, y: float, s: float, leaf: Colour | None = None, snow: bool = False) -> None:
    p, rng = c.palette, c.rng
    leaf = vary(rng, leaf or mix(p.leaf, p.dark, 0.35), 0.03)
    c.stroke([(x, y), (x, y - 0.2 * s)], 0.04 * s, mix(p.earth, p.dark, 0.6))
    for k in range(5):
        t = k / 5
        foot, half = y - (0.08 + 0.72 * t) * s, 0.24 * s * (1 - 0.78 * t)
        tip = foot - 0.34 * s * (1 - 0.25 * t)
        tone = mix(leaf, p.light, 0.05 * k)
        c.fill(
            [(x, tip), (x + half, foot + 0.02 * s), (x, foot - 0.03 * s), (x - half, foot + 0.02 * s)],
            tone,
            mix(tone, p.dark, 0.3),
        )
        if snow:
            c.fill(
                [(x, tip), (x + c.sun * half * 0.85, foot), (x + c.sun * half * 0.3, foot - 0.05 * s)],
                p.light,
            )


def birch(c: Canvas, x: float, y: float, s: float, width: float) -> None:
    """A birch's trunk from beyond the top of the picture to (x, y), branches included."""
    p, rng = c.palette, c.rng
    bark, lean = mix(p.light, p.glow, 0.2), rng.uniform(-0.05, 0.05)
    shape = [
        (x - width / 2, y),
        (x - width * 0.35 + lean, y - s),
        (x + width * 0.35 + lean, y - s),
        (x + width / 2, y),
    ]
    c.fill(shape, bark, rough=width * 0.04)
    c.stroke(
        [(x - c.sun * width * 0.3, y), (x - c.sun * width * 0.22 + lean, y - s)],
        width * 0.35,
        mix(bark, p.sky, 0.4),
    )
    for _ in range(int(12 * s)):
        t = rng.random()
        px, side = x + lean * t, rng.choice((-1, 1))
        c.stroke(
            [
                (px + side * width * 0.45, y - s * t),
                (px + side * width * rng.uniform(-0.1, 0.25), y - s * t - 0.003),
            ],
            rng.uniform(0.003, 0.008),
            p.dark,
        )
    for _ in range(3):
        t, side = rng.uniform(0.4, 0.85), rng.choice((-1, 1))
        start = (x + lean * t, y - s * t)
        c.stroke(
            [start, (start[0] + side * 0.07, start[1] - 0.07), (start[0] + side * 0.12, start[1] - 0.16)],
            width * 0.13,
            mix(p.dark, bark, 0.25),
        )


def bare_branches(
    c: Canvas, x: float, y: float, length: float, angle: float, width: float, colour: Colour
) -> None:
    """A branch that divides until its twigs get thin."""
    rng = c.rng
    if length < 0.03:
        return
    end = (x + math.cos(angle) * length, y + math.sin(angle) * length)
    c.stroke([(x, y), end], width, colour)
    for side in (-1, 1):
        bare_branches(
            c,
            *end,
            length * rng.uniform(0.62, 0.78),
            angle + side * rng.uniform(0.25, 0.6),
            width * 0.65,
            colour,
        )


def grass(c: Canvas, top: float, colours: Sequence[Colour], count: int = 160) -> None:
    """Blades from `top` to the foot of the picture."""
    c.dabs(count, (-0.02, top, c.w + 0.02, 1.03), 0.06, 0.006, colours, angle=-math.pi / 2, spread=0.35)
