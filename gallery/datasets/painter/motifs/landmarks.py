"""Lighthouses, bridges, windmills, castles."""

from __future__ import annotations

import math

from gallery.datasets.painter.canvas import Canvas, Points, arc, box
from gallery.datasets.painter.colours import Colour, mix, vary
from gallery.datasets.painter.motifs.buildings import window


def lighthouse(c: Canvas, x: float, y: float, s: float, tower: Colour, stripe: Colour, beam: bool) -> None:
    """A striped lighthouse of height `s` standing at (x, y)."""
    p, d = c.palette, c.sun
    if beam:
        for side in (-1, 1):
            for k in range(4):
                spread = 0.16 - 0.035 * k
                far = x + side * c.w
                c.glow(x + side * 0.12 * (k + 1), y - 0.9 * s, 0.25, spread * 0.4, p.second, 0.35)
                if k == 0:
                    c.stroke([(x, y - 0.9 * s), (far, y - 0.95 * s)], 0.004, mix(p.second, p.sky, 0.5))

    def half(t: float) -> float:
        return s * (0.125 - 0.05 * t)

    bands = 5
    for k in range(bands):
        t0, t1 = k / bands * 0.8, (k + 1) / bands * 0.8
        tone = stripe if k % 2 else tower
        c.fill(
            [
                (x - half(t1), y - s * t1),
                (x + half(t1), y - s * t1),
                (x + half(t0), y - s * t0),
                (x - half(t0), y - s * t0),
            ],
            tone,
        )
        for part, amount in ((0.55, 0.16), (0.25, 0.3)):
            c.fill(
                [
                    (x - d * half(t1), y - s * t1),
                    (x - d * half(t1) * (1 - part), y - s * t1),
                    (x - d * half(t0) * (1 - part), y - s * t0),
                    (x - d * half(t0), y - s * t0),
                ],
                mix(tone, p.dark, amount),
            )
    c.fill(
        [
            (x - 0.11 * s, y - 0.8 * s),
            (x + 0.11 * s, y - 0.8 * s),
            (x + 0.1 * s, y - 0.77 * s),
            (x - 0.1 * s, y - 0.77 * s),
        ],
        p.dark,
    )
    c.fill(box(x - 0.06 * s, y - 0.93 * s, x + 0.06 * s, y - 0.8 * s), mix(p.second, p.light, 0.5))
    for k in (-1, 0, 1):
        c.stroke([(x + k * 0.055 * s, y - 0.93 * s), (x + k * 0.055 * s, y - 0.8 * s)], 0.01 * s, p.dark)
    c.fill(
        [(x - 0.085 * s, y - 0.92 * s), (x, y - 1.03 * s), (x + 0.085 * s, y - 0.92 * s)],
        stripe,
        mix(stripe, p.dark, 0.3),
    )
    c.fill(
        [
            *arc(x, y - 0.07 * s, 0.03 * s, 0.04 * s, math.pi, 2 * math.pi, 8),
            (x + 0.03 * s, y),
            (x - 0.03 * s, y),
        ],
        p.dark,
    )
    for t in (0.3, 0.55):
        window(c, x, y - t * s, 0.025 * s, 0.05 * s, p.dark, mix(tower, p.dark, 0.2))


def arches(c: Canvas, y: float, top: float, count: int, stone: Colour, hump: float = 0.05) -> None:
    """A stone bridge across the whole picture: its road at `top`, the water at `y`, `count` arches."""
    p, w = c.palette, c.w

    def road(x: float) -> float:
        return top - hump * math.sin(math.pi * min(1.0, max(0.0, x / w)))

    steps = [k / 30 * (w + 0.1) - 0.05 for k in range(31)]
    span = w / count
    outline: Points = [(x, road(x)) for x in steps]
    lower: Points = []
    for k in range(count):
        left, middle = k * span, (k + 0.5) * span
        rise = (y - road(middle)) * 0.72
        lower += [
            (left - 0.01, y),
            (left + 0.1 * span, y),
            *arc(middle, y, 0.4 * span, rise, math.pi, 2 * math.pi, 16),
            (left + 0.9 * span, y),
        ]
    c.fill([*outline, (w + 0.05, y), *reversed(lower), (-0.05, y)], stone, mix(stone, p.dark, 0.35))
    for k in range(count):
        middle = (k + 0.5) * span
        rise = (y - road(middle)) * 0.72
        c.stroke(
            arc(middle, y, 0.41 * span, rise + 0.008, math.pi, 2 * math.pi, 16),
            0.014,
            mix(stone, p.light, 0.3),
        )
    c.stroke(outline, 0.018, mix(stone, p.light, 0.35))
    for _ in range(60):
        x = c.rng.uniform(0, w)
        yy = road(x) + c.rng.uniform(0.015, 0.06)
        c.stroke([(x, yy), (x + 0.02, yy)], 0.007, vary(c.rng, mix(stone, p.dark, 0.2), 0.06))


def windmill_at(c: Canvas, x: float, y: float, s: float, body: Colour, cap: Colour) -> None:
    """A tower mill of height `s` (to its cap) standing at (x, y), with four lattice sails."""
    p, d, rng = c.palette, c.sun, c.rng
    c.fill(
        [(x - 0.13 * s, y - 0.8 * s), (x + 0.13 * s, y - 0.8 * s), (x + 0.21 * s, y), (x - 0.21 * s, y)],
        body,
        mix(body, p.dark, 0.2),
    )
    c.fill(
        [
            (x - d * 0.13 * s, y - 0.8 * s),
            (x - d * 0.03 * s, y - 0.8 * s),
            (x - d * 0.06 * s, y),
            (x - d * 0.21 * s, y),
        ],
        mix(body, p.dark, 0.25),
        mix(body, p.dark, 0.4),
    )
    c.fill(
        [
            (x - 0.15 * s, y - 0.78 * s),
            *arc(x, y - 0.82 * s, 0.14 * s, 0.17 * s, math.pi, 2 * math.pi, 12),
            (x + 0.15 * s, y - 0.78 * s),
        ],
        cap,
        mix(cap, p.dark, 0.3),
    )
    c.stroke([(x - 0.24 * s, y - 0.3 * s), (x + 0.24 * s, y - 0.3 * s)], 0.022 * s, mix(p.earth, p.dark, 0.4))
    for t in (0.15, 0.45, 0.62):
        window(c, x + d * 0.03 * s, y - t * s, 0.035 * s, 0.06 * s, p.dark, mix(body, p.light, 0.5))
    turn, hx, hy = rng.uniform(0.2, 1.3), x + d * 0.02 * s, y - 0.86 * s
    wood, cloth = mix(p.earth, p.dark, 0.6), mix(p.light, p.glow, 0.4)
    for k in range(4):
        a = turn + k * math.pi / 2
        ux, uy = math.cos(a), math.sin(a)
        vx, vy = -uy, ux
        reach, width = 0.62 * s, 0.11 * s

        def at(
            along: float, across: float, ux: float = ux, uy: float = uy, vx: float = vx, vy: float = vy
        ) -> tuple[float, float]:
            return (hx + ux * along + vx * across, hy + uy * along + vy * across)

        c.draw.polygon(
            c.pixels([at(0.13 * s, 0), at(reach, 0), at(reach, width), at(0.13 * s, width)]), fill=cloth
        )
        for j in range(8):
            t = 0.13 * s + (reach - 0.13 * s) * j / 7
            c.stroke([at(t, 0), at(t, width)], 0.007 * s, wood)
        c.stroke([at(0.13 * s, width), at(reach, width)], 0.008 * s, wood)
        c.stroke([at(0, 0), at(reach, 0)], 0.02 * s, wood)
    c.oval(hx, hy, 0.03 * s, 0.03 * s, wood)


def castle(c: Canvas, x: float, y: float, s: float, stone: Colour) -> None:
    """A castle of height `s` with battlements and pointed towers, the middle of its foot at (x, y)."""
    p, d = c.palette, c.sun
    shade = mix(stone, p.dark, 0.3)

    def block(left: float, right: float, top: float, tone: Colour) -> None:
        c.fill(box(left, top, right, y), tone, mix(tone, p.dark, 0.2))
        teeth = max(3, round((right - left) / (0.055 * s)))
        for k in range(teeth):
            t = left + (right - left) * (k + 0.2) / teeth
            c.fill(box(t, top - 0.045 * s, t + (right - left) * 0.6 / teeth, top + 0.01 * s), tone)

    block(x - 0.5 * s, x + 0.5 * s, y - 0.34 * s, mix(stone, shade, 0.4))
    for place, half, top, roof in (
        (-0.5, 0.08, 0.5, True),
        (0.5, 0.08, 0.46, True),
        (-0.12, 0.11, 0.66, False),
        (0.18, 0.07, 0.8, True),
    ):
        cx = x + place * s
        block(cx - half * s, cx + half * s, y - top * s, stone)
        c.fill(box(cx - d * half * s, y - top * s, cx - d * half * 0.3 * s, y), shade)
        window(c, cx + d * 0.02 * s, y - (top - 0.12) * s, 0.025 * s, 0.06 * s, p.dark, shade)
        if roof:
            c.fill(
                [
                    (cx - half * 1.25 * s, y - top * s),
                    (cx, y - (top + 0.24) * s),
                    (cx + half * 1.25 * s, y - top * s),
                ],
                mix(p.accent, p.dark, 0.15),
                mix(p.accent, p.dark, 0.4),
            )
        else:
            c.stroke([(cx, y - top * s), (cx, y - (top + 0.2) * s)], 0.012 * s, p.dark)
            c.fill(
                [
                    (cx, y - (top + 0.2) * s),
                    (cx + 0.14 * s, y - (top + 0.16) * s),
                    (cx, y - (top + 0.11) * s),
                ],
                p.accent,
            )
    c.fill(
        [
            *arc(x + 0.02 * s, y - 0.12 * s, 0.07 * s, 0.1 * s, math.pi, 2 * math.pi),
            (x + 0.09 * s, y),
            (x - 0.05 * s, y),
        ],
        p.dark,
    )
