"""Houses, churches, towers, bridges."""

from __future__ import annotations

import math

from gallery.datasets.painter.canvas import Canvas, Points, arc, box
from gallery.datasets.painter.colours import Colour, mix


def house(
    c: Canvas, x: float, y: float, w: float, h: float, wall: Colour, roof: Colour, lit: Colour | None = None
) -> None:
    """A gabled house seen from the corner; (x, y) is the middle of its foot, `lit` the colour of lit windows."""
    p, d = c.palette, c.sun
    shade = mix(wall, p.dark, 0.28)
    gable = 0.4 * w
    near, far = x + d * (w / 2 - gable), x + d * w / 2
    back = x - d * w / 2
    ridge_near, ridge_far = (near + far) / 2, back + d * 0.04 * w
    peak = y - h - 0.55 * gable - 0.12 * h
    c.fill(box(back, y - h, near, y), shade, mix(shade, p.dark, 0.15))
    c.fill(
        [(near, y - h), (ridge_near, peak), (far, y - h), (far, y), (near, y)], wall, mix(wall, p.dark, 0.1)
    )
    eave = 0.03 * w
    c.fill(
        [(back - d * eave, y - h + eave), (ridge_far, peak), (ridge_near, peak - 0.01), (near, y - h + eave)],
        roof,
        mix(roof, p.dark, 0.3),
    )
    c.stroke([(ridge_near, peak - 0.005), (far + d * eave, y - h + eave)], 0.05 * w, mix(roof, p.dark, 0.4))
    glass = lit or mix(p.dark, p.sky, 0.25)
    ww, wh = 0.1 * w, 0.24 * h
    for k in range(2):
        window(c, back + d * (0.16 + 0.26 * k) * w, y - 0.62 * h, ww, wh, glass, mix(wall, p.light, 0.5))
    window(c, (near + far) / 2, y - 0.85 * h, ww, wh, glass, mix(wall, p.light, 0.5))
    door = (near + far) / 2
    c.fill(box(door - 0.06 * w, y - 0.42 * h, door + 0.06 * w, y), mix(roof, p.dark, 0.55))
    chimney = ridge_far + d * 0.2 * w
    c.fill(box(chimney - 0.04 * w, peak - 0.12 * h, chimney + 0.04 * w, peak + 0.1 * h), shade)


def window(c: Canvas, x: float, y: float, w: float, h: float, glass: Colour, frame: Colour) -> None:
    c.fill(box(x - w * 0.7, y - h * 0.62, x + w * 0.7, y + h * 0.62), frame)
    c.fill(box(x - w / 2, y - h / 2, x + w / 2, y + h / 2), glass)
    if h > 0.02:
        c.stroke([(x, y - h / 2), (x, y + h / 2)], 0.08 * w, frame)


def church(
    c: Canvas, x: float, y: float, s: float, wall: Colour, roof: Colour, lit: Colour | None = None
) -> None:
    """A village church of height `s` with a pointed steeple, its foot at (x, y)."""
    p, d = c.palette, c.sun
    shade, glass = mix(wall, p.dark, 0.25), lit or mix(p.dark, p.water, 0.3)
    nave_end, tower = x - d * 0.42 * s, x + d * 0.1 * s
    c.fill(box(nave_end, y - 0.27 * s, tower, y), shade, mix(shade, p.dark, 0.15))
    c.fill(
        [
            (nave_end - d * 0.015 * s, y - 0.26 * s),
            (nave_end + d * 0.05 * s, y - 0.44 * s),
            (tower, y - 0.44 * s),
            (tower, y - 0.26 * s),
        ],
        roof,
        mix(roof, p.dark, 0.3),
    )
    for k in range(3):
        wx = nave_end + d * (0.09 + 0.12 * k) * s
        c.fill(
            [
                *arc(wx, y - 0.17 * s, 0.022 * s, 0.03 * s, math.pi, 2 * math.pi, 8),
                (wx + 0.022 * s, y - 0.07 * s),
                (wx - 0.022 * s, y - 0.07 * s),
            ],
            glass,
        )
    left, right = tower - 0.085 * s, tower + 0.085 * s
    c.fill(box(left, y - 0.56 * s, right, y), wall, mix(wall, p.dark, 0.1))
    dark_side = left if d > 0 else right
    c.fill(box(dark_side, y - 0.56 * s, tower - d * 0.04 * s, y), shade)
    c.fill(
        [(left - 0.02 * s, y - 0.55 * s), (tower, y - 0.97 * s), (right + 0.02 * s, y - 0.55 * s)],
        mix(roof, p.dark, 0.12),
        roof,
    )
    c.fill(
        [
            (left - 0.02 * s if d > 0 else right + 0.02 * s, y - 0.55 * s),
            (tower, y - 0.97 * s),
            (tower - d * 0.02 * s, y - 0.55 * s),
        ],
        mix(roof, p.dark, 0.4),
    )
    c.fill(
        [
            *arc(tower, y - 0.46 * s, 0.025 * s, 0.035 * s, math.pi, 2 * math.pi, 8),
            (tower + 0.025 * s, y - 0.37 * s),
            (tower - 0.025 * s, y - 0.37 * s),
        ],
        glass,
    )
    c.oval(tower, y - 0.27 * s, 0.03 * s, 0.03 * s, mix(p.light, p.second, 0.3))
    c.fill(
        [
            *arc(tower, y - 0.12 * s, 0.032 * s, 0.04 * s, math.pi, 2 * math.pi, 8),
            (tower + 0.032 * s, y),
            (tower - 0.032 * s, y),
        ],
        mix(roof, p.dark, 0.6),
    )
    c.stroke([(tower, y - 1.05 * s), (tower, y - 0.96 * s)], 0.012 * s, p.dark)
    c.stroke([(tower - 0.022 * s, y - 1.02 * s), (tower + 0.022 * s, y - 1.02 * s)], 0.01 * s, p.dark)


def town_house(
    c: Canvas, x: float, y: float, w: float, h: float, wall: Colour, gable: str, lit: Colour | None = None
) -> None:
    """A narrow house of a street front, its left foot at (x, y)."""
    p, rng = c.palette, c.rng
    trim, right = mix(wall, p.light, 0.65), x + w
    eave = y - h
    top: Points = {
        "step": [(x, eave)]
        + [
            pt
            for k in range(4)
            for pt in (
                (x + w * k / 8, eave - 0.13 * w * (k + 1)),
                (x + w * (k + 1) / 8, eave - 0.13 * w * (k + 1)),
            )
        ]
        + [
            pt
            for k in (3, 2, 1, 0)
            for pt in (
                (right - w * (k + 1) / 8, eave - 0.13 * w * (k + 1)),
                (right - w * k / 8, eave - 0.13 * w * (k + 1)),
            )
        ]
        + [(right, eave)],
        "point": [(x, eave), (x + w / 2, eave - 0.6 * w), (right, eave)],
        "bell": [
            (x, eave),
            (x + 0.12 * w, eave - 0.05 * w),
            (x + 0.24 * w, eave - 0.34 * w),
            *arc(x + w / 2, eave - 0.36 * w, 0.22 * w, 0.2 * w, math.pi, 2 * math.pi, 10),
            (x + 0.76 * w, eave - 0.34 * w),
            (x + 0.88 * w, eave - 0.05 * w),
            (right, eave),
        ],
        "flat": [
            (x, eave),
            (x - 0.03 * w, eave - 0.07 * w),
            (right + 0.03 * w, eave - 0.07 * w),
            (right, eave),
        ],
    }[gable]
    c.fill([*top, (right, y), (x, y)], wall, mix(wall, p.dark, 0.15))
    c.stroke(top, 0.05 * w, trim)
    floors = max(2, round(h / (0.5 * w)))
    columns = 3 if w > 0.11 else 2
    for floor in range(floors):
        wy = eave + h * (floor + 0.45) / floors
        for k in range(columns):
            wx = x + w * (k + 1) / (columns + 1)
            last = floor == floors - 1
            if last and k == 0:
                c.fill(
                    box(wx - 0.09 * w, wy - 0.12 * w, wx + 0.09 * w, y),
                    mix(p.accent, p.dark, rng.uniform(0.2, 0.7)),
                )
                continue
            glass = lit if lit and rng.random() < 0.6 else mix(p.dark, p.sky, rng.uniform(0.1, 0.4))
            window(c, wx, wy, 0.15 * w, min(0.26 * w, 0.55 * h / floors), glass, trim)
    if gable != "flat":
        c.oval(x + w / 2, eave - 0.14 * w, 0.06 * w, 0.07 * w, mix(p.dark, p.sky, 0.2))
