"""Vases, jugs, bottles and bowls."""

from __future__ import annotations

import math
from itertools import pairwise

from gallery.datasets.painter.canvas import Canvas, Points
from gallery.datasets.painter.colours import Colour, mix
from gallery.datasets.painter.motifs.indoors import shadow


def vessel(
    c: Canvas, x: float, foot: float, profile: Points, size: float, colour: Colour, pattern: bool = True
) -> float:
    """A turned vessel: `profile` lists (half width, height) from the foot up. Its mouth's height comes back."""
    p, d, rng = c.palette, c.sun, c.rng
    shape = [(x + half * size, foot - up * size) for half, up in profile] + [
        (x - half * size, foot - up * size) for half, up in reversed(profile)
    ]
    shadow(c, x, foot, max(half for half, _ in profile) * size)
    c.fill(shape, mix(colour, p.dark, 0.12), mix(colour, p.dark, 0.35))
    for k in range(8):  # slices from the shaded side to the lit one
        t = k / 7
        wide = 0.96 - 0.2 * t
        shift = d * 0.12 * t
        tone = mix(mix(colour, p.dark, 0.3), mix(colour, p.light, 0.5), t)
        slim = [
            (x + (half * (wide - 0.55 * t) + half * shift * 2.4) * size, foot - (up * 0.985 + 0.004) * size)
            for half, up in profile
        ]
        slim += [
            (x - (half * (wide - 0.55 * t) - half * shift * 2.4) * size, foot - (up * 0.985 + 0.004) * size)
            for half, up in reversed(profile)
        ]
        c.draw.polygon(c.pixels(slim), fill=tone)
    mouth_half, top = profile[-1]
    if pattern and rng.random() < 0.6:
        paint = rng.choice((p.water, p.accent, p.light))
        for share in (0.3, 0.62):
            up = top * share
            half = _width_at(profile, up)
            c.stroke(
                [
                    (x + half * size * s * 0.97, foot - (up - 0.03 * (1 - s * s)) * size)
                    for s in (-1, -0.7, -0.35, 0, 0.35, 0.7, 1)
                ],
                0.02 * size + 0.002,
                paint,
            )
        half = _width_at(profile, top * 0.46)
        for s in (-0.7, -0.35, 0.0, 0.35, 0.7):
            c.oval(
                x + half * size * s,
                foot - (top * 0.46 - 0.03 * (1 - s * s)) * size,
                0.05 * size * (1.1 - abs(s)),
                0.05 * size,
                paint,
            )
    c.oval(x, foot - top * size, mouth_half * size, mouth_half * size * 0.22, mix(colour, p.dark, 0.55))
    c.glow(
        x + d * profile[len(profile) // 2][0] * size * 0.5,
        foot - top * size * 0.55,
        0.08 * size,
        0.2 * size,
        p.light,
        0.7,
    )
    return foot - top * size


def _width_at(profile: Points, up: float) -> float:
    for (h0, u0), (h1, u1) in pairwise(profile):
        if u0 <= up <= u1:
            return h0 + (h1 - h0) * (up - u0) / max(1e-6, u1 - u0)
    return profile[-1][0]


def turned_profile(*corners: tuple[float, float]) -> Points:
    """The corners of a vessel's profile joined by a soft curve."""
    points: Points = []
    for k in range(len(corners) - 1):
        (a0, u0), (a1, u1) = corners[k], corners[k + 1]
        for j in range(6):
            t = j / 6
            ease = (1 - math.cos(math.pi * t)) / 2
            points.append((a0 + (a1 - a0) * ease, u0 + (u1 - u0) * t))
    return [*points, corners[-1]]


VASES = (
    turned_profile((0.2, 0.0), (0.36, 0.45), (0.2, 0.85), (0.26, 1.0)),
    turned_profile((0.24, 0.0), (0.4, 0.3), (0.12, 0.75), (0.22, 1.0)),
    turned_profile((0.22, 0.0), (0.2, 0.3), (0.32, 0.95), (0.33, 1.0)),
    turned_profile((0.28, 0.0), (0.38, 0.5), (0.28, 0.95), (0.3, 1.0)),
)


JUG = turned_profile((0.24, 0.0), (0.4, 0.35), (0.2, 0.8), (0.26, 1.0))


BOTTLE = turned_profile((0.2, 0.0), (0.2, 0.55), (0.07, 0.75), (0.07, 1.0))


BOWL = turned_profile((0.24, 0.0), (0.22, 0.1), (0.75, 0.3), (1.0, 0.55))
