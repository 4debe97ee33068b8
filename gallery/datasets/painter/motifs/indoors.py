"""What still lifes share: the wall, the table and its cloth, fruit, jugs and vases."""

from __future__ import annotations

import math

from gallery.datasets.painter.canvas import Canvas, Points, blob, box, smooth
from gallery.datasets.painter.colours import FRUITS, Colour, mix, vary


def room(c: Canvas, table: float, dark: bool = False) -> Colour:
    """Paint a wall, and a table from `table` down to the foot; the colour of the table's top comes back."""
    p, rng = c.palette, c.rng
    wall = rng.choice(
        (
            mix(p.sky, p.light, 0.3),
            mix(p.glow, p.earth, 0.25),
            mix(p.leaf, p.light, 0.35),
            mix(p.accent, p.glow, 0.6),
            mix(p.water, p.light, 0.2),
        )
    )
    if dark:
        wall = mix(wall, p.dark, 0.75)
    c.backdrop((0, mix(wall, p.dark, 0.12)), (table, wall))
    c.glow(c.w * (0.5 + 0.35 * c.sun), table * 0.4, 0.7, 0.6, mix(wall, p.light, 0.6), 0.7)
    kind = rng.random()
    if kind < 0.3:  # wallpaper
        step = rng.uniform(0.09, 0.14)
        for row in range(int(table / step) + 1):
            for k in range(int(c.w / step) + 2):
                x, y = (k + 0.5 * (row % 2)) * step, (row + 0.4) * step
                c.fill(
                    blob(rng, x, y, step * 0.14, step * 0.2, 0.2, 6),
                    mix(wall, rng.choice((p.light, p.accent)), 0.25),
                )
    elif kind < 0.55:  # a window
        x, w = c.w * rng.choice((0.2, 0.8)), 0.17
        c.fill(box(x - w, -0.02, x + w, table * 0.72), mix(p.sky, p.light, 0.15), mix(p.glow, p.light, 0.4))
        c.fill(blob(rng, x, table * 0.7, w, 0.08, 0.2), mix(p.leaf, p.sky, 0.3))
        frame = mix(p.light, p.earth, 0.2)
        for dx in (-w, 0.0, w):
            c.stroke([(x + dx, -0.02), (x + dx, table * 0.72)], 0.022, frame)
        for y in (table * 0.36, table * 0.72):
            c.stroke([(x - w, y), (x + w, y)], 0.022, frame)
    elif kind < 0.75:  # a curtain
        d, cloth = rng.choice((-1, 1)), mix(rng.choice((p.accent, p.water, p.leaf)), wall, 0.35)
        edge = c.w / 2 + d * c.w * 0.52
        for k in range(6):
            x = edge - d * 0.055 * k
            c.fill(
                smooth(
                    [
                        (x, -0.1),
                        (x - d * 0.07, -0.1),
                        (x - d * (0.07 + 0.02 * k), table * 0.6),
                        (x - d * 0.02 * k, table + 0.1),
                    ],
                    2,
                ),
                mix(cloth, p.light if k % 2 else p.dark, 0.18),
                mix(cloth, p.dark, 0.25),
            )
    wood = rng.choice(
        (
            mix(p.earth, p.dark, 0.1),
            mix(p.light, p.earth, 0.15),
            mix(p.accent, p.earth, 0.45),
            mix(p.water, p.light, 0.3),
        )
    )
    c.band(table, 1.0, mix(wood, p.light, 0.22), mix(wood, p.dark, 0.28))
    c.band(table - 0.006, table + 0.006, mix(wood, p.dark, 0.4), mix(wood, p.light, 0.1))
    if rng.random() < 0.45:
        cloth_on_table(
            c, table, rng.choice((p.light, mix(p.second, p.light, 0.3), mix(p.water, p.light, 0.4)))
        )
    return wood


def cloth_on_table(c: Canvas, table: float, cloth: Colour) -> None:
    p, rng = c.palette, c.rng
    left, right = rng.uniform(0.02, 0.15) * c.w, rng.uniform(0.85, 0.98) * c.w
    shape = smooth(
        [
            (left + 0.08, table + 0.03),
            (right - 0.06, table + 0.03),
            (right, 0.88),
            (right - 0.2, 1.06),
            (left + 0.1, 1.06),
            (left, 0.9),
        ],
        2,
    )
    c.fill(shape, cloth, mix(cloth, p.dark, 0.2), rough=0.004)
    if rng.random() < 0.5:
        for k in range(5):
            y = table + 0.07 + 0.07 * k
            c.stroke([(left + 0.03, y), (right - 0.03, y)], 0.007, mix(cloth, p.accent, 0.55))
        for k in range(9):
            x = left + (right - left) * (k + 0.5) / 9
            c.stroke(
                [(c.w / 2 + (x - c.w / 2) * 0.85, table + 0.04), (x, 1.02)], 0.007, mix(cloth, p.accent, 0.4)
            )
    else:
        for _ in range(7):
            x = rng.uniform(left + 0.06, right - 0.06)
            c.stroke(
                [
                    (x, table + 0.05),
                    (x + rng.uniform(-0.03, 0.03), 0.85),
                    (x + rng.uniform(-0.09, 0.09), 1.02),
                ],
                0.012,
                mix(cloth, p.water, 0.3),
            )


def shadow(c: Canvas, x: float, y: float, half: float) -> None:
    """The shadow that a thing of that half width throws on the table, away from the light."""
    c.glow(x - c.sun * half * 0.6, y, half * 1.9, half * 0.5, mix(c.palette.dark, c.palette.earth, 0.25), 0.8)


def fruit(c: Canvas, x: float, y: float, r: float, kind: str) -> None:
    """One fruit of radius `r` with its middle at (x, y)."""
    p, rng, d = c.palette, c.rng, c.sun
    colour = vary(rng, mix(FRUITS[kind], p.second if kind in ("orange", "lemon") else p.accent, 0.12), 0.03)
    dark, light = mix(mix(colour, (196, 96, 30), 0.4), p.dark, 0.14), mix(colour, (255, 248, 224), 0.35)
    a = rng.uniform(-0.6, 0.6)
    outline: Points
    if kind == "lemon":
        outline = [
            (
                x + math.cos(t + a) * r * 1.18 * (1 + 0.2 * abs(math.cos(t)) ** 14),
                y + math.sin(t + a) * r * 0.84,
            )
            for t in (k * 0.2094 for k in range(30))
        ]
    elif kind == "pear":
        base = [
            (0.0, -1.5),
            (0.3, -1.35),
            (0.42, -0.8),
            (0.86, -0.1),
            (0.85, 0.6),
            (0.4, 0.95),
            (-0.4, 0.95),
            (-0.85, 0.6),
            (-0.86, -0.1),
            (-0.42, -0.8),
            (-0.3, -1.35),
        ]
        ca, sa = math.cos(a * 0.5), math.sin(a * 0.5)
        outline = smooth([(x + (px * ca - py * sa) * r, y + (px * sa + py * ca) * r) for px, py in base])
    elif kind in ("apple", "green apple", "peach"):
        base = [
            (0.0, -0.78),
            (0.45, -0.98),
            (0.98, -0.6),
            (1.0, 0.1),
            (0.62, 0.88),
            (0.15, 0.98),
            (-0.15, 0.98),
            (-0.62, 0.88),
            (-1.0, 0.1),
            (-0.98, -0.6),
            (-0.45, -0.98),
        ]
        outline = smooth([(x + px * r, y + py * r * 0.98) for px, py in base])
    else:
        outline = blob(rng, x, y, r, r * 0.97, 0.02, 12)
    c.form(outline, dark, light, 9, 0.36)
    if kind == "peach":
        c.stroke(
            [(x, y - 0.75 * r), (x - 0.18 * r, y), (x, y + 0.8 * r)], 0.05 * r, mix(colour, p.accent, 0.5)
        )
    if kind in ("apple", "green apple", "pear", "plum"):
        top = y - (1.4 if kind == "pear" else 0.75) * r
        c.stroke([(x, top + 0.1 * r), (x + 0.08 * r, top - 0.3 * r)], 0.08 * r, mix(p.earth, p.dark, 0.6))
        if rng.random() < 0.4:
            c.fill(
                smooth(
                    [
                        (x + 0.08 * r, top - 0.2 * r),
                        (x + 0.5 * r, top - 0.5 * r),
                        (x + 0.75 * r, top - 0.3 * r),
                        (x + 0.4 * r, top - 0.1 * r),
                    ]
                ),
                p.leaf,
                mix(p.leaf, p.dark, 0.3),
            )
    elif kind == "orange":
        c.oval(x - 0.1 * r * d, y - 0.6 * r, 0.09 * r, 0.06 * r, mix(p.leaf, p.dark, 0.3))
        for _ in range(14):
            c.oval(
                x + rng.gauss(0, 0.35) * r,
                y + rng.gauss(0, 0.35) * r,
                0.025 * r,
                0.025 * r,
                mix(colour, p.dark, 0.25),
            )
    c.glow(x + d * 0.35 * r, y - 0.4 * r, 0.26 * r, 0.2 * r, (255, 252, 240), 0.8)
