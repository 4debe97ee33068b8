"""Faces, and what is round them: shoulders, hair."""

from __future__ import annotations

from typing import NamedTuple

from gallery.datasets.painter.canvas import Canvas, Points, smooth
from gallery.datasets.painter.colours import Colour, mix


class Face(NamedTuple):
    """Where a head is and how it is turned: `turn` -1 to the left, 1 to the right."""

    x: float
    y: float
    r: float  # half its width
    turn: float
    skin: Colour


def wall(c: Canvas, colour: Colour) -> None:
    p, rng = c.palette, c.rng
    c.backdrop(
        (0, mix(colour, p.dark, 0.18)), (0.5, mix(colour, p.light, 0.12)), (1, mix(colour, p.dark, 0.28))
    )
    for _ in range(9):
        tone = mix(colour, rng.choice((p.light, p.dark, p.glow)), 0.22)
        c.glow(
            rng.uniform(0, c.w), rng.uniform(0, 1), rng.uniform(0.15, 0.4), rng.uniform(0.15, 0.4), tone, 0.7
        )


def oval_face(f: Face) -> Points:
    base = [
        (0.0, -1.22),
        (0.55, -1.14),
        (0.95, -0.65),
        (1.0, 0.0),
        (0.88, 0.62),
        (0.5, 1.16),
        (0.18, 1.36),
        (-0.18, 1.36),
        (-0.5, 1.16),
        (-0.88, 0.62),
        (-1.0, 0.0),
        (-0.95, -0.65),
        (-0.55, -1.14),
    ]
    return smooth([(f.x + px * f.r + f.turn * 0.06 * f.r, f.y + py * f.r) for px, py in base])


def bust(c: Canvas, f: Face, cloth: Colour, low: bool = False) -> None:
    """Neck and shoulders, clothed; `low` leaves the neckline bare."""
    p, d = c.palette, c.sun
    shade = mix(f.skin, p.dark, 0.3)
    x, y, r = f.x, f.y, f.r
    c.fill(
        smooth(
            [
                (x - 0.42 * r, y + 0.7 * r),
                (x + 0.42 * r, y + 0.7 * r),
                (x + 0.5 * r, y + 2.0 * r),
                (x + 0.9 * r, y + 2.6 * r),
                (x - 0.9 * r, y + 2.6 * r),
                (x - 0.5 * r, y + 2.0 * r),
            ],
            1,
        ),
        shade,
        f.skin,
    )
    c.fill(
        smooth(
            [(x - 0.45 * r, y + 0.9 * r), (x + 0.45 * r, y + 0.9 * r), (x - d * 0.1 * r, y + 1.85 * r)], 1
        ),
        mix(shade, p.dark, 0.15),
    )
    neck = 2.15 if low else 1.8
    body = [
        (x - 0.5 * r, y + neck * r),
        (x - 1.3 * r, y + 2.1 * r),
        (x - 2.1 * r, y + 2.6 * r),
        (x - 2.6 * r, y + 4.5 * r),
        (x + 2.6 * r, y + 4.5 * r),
        (x + 2.1 * r, y + 2.6 * r),
        (x + 1.3 * r, y + 2.1 * r),
        (x + 0.5 * r, y + neck * r),
        (x, y + (neck + (0.75 if low else 0.2)) * r),
    ]
    c.fill(smooth(body), mix(cloth, p.light, 0.08), mix(cloth, p.dark, 0.4))
    for k in range(7):
        u = (k - 3) / 3
        c.stroke(
            [(x + u * 1.2 * r, y + (2.5 + 0.25 * abs(u)) * r), (x + u * 1.7 * r, y + 4.4 * r)],
            0.05 * r,
            mix(cloth, p.dark if u * d < 0 else p.light, 0.2),
        )


def features(c: Canvas, f: Face, lips: Colour, hair: Colour) -> None:
    """Light and shade, eyes, nose and mouth."""
    p, rng, d = c.palette, c.rng, c.sun
    x, y, r = f.x + f.turn * 0.2 * f.r, f.y, f.r
    c.form(oval_face(f), mix(f.skin, p.dark, 0.26), mix(f.skin, (255, 244, 230), 0.2), 9, 0.22)
    for side in (-1, 1):
        c.glow(x + side * 0.55 * r, y + 0.45 * r, 0.34 * r, 0.3 * r, mix(f.skin, p.accent, 0.45), 0.5)
    iris = rng.choice((mix(p.water, p.light, 0.15), (92, 64, 40), (70, 100, 70)))
    line = mix(p.dark, hair, 0.25)
    for side in (-1, 1):
        ex, ey = x + side * 0.4 * r, y - 0.1 * r
        wide = 0.22 * r * (1 - 0.12 * side * f.turn)
        c.fill(
            smooth(
                [
                    (ex - wide, ey + 0.02 * r),
                    (ex, ey - 0.15 * r),
                    (ex + wide, ey + 0.02 * r),
                    (ex, ey + 0.11 * r),
                ]
            ),
            mix(p.light, f.skin, 0.12),
        )
        c.oval(ex + f.turn * 0.05 * r, ey - 0.015 * r, 0.1 * r, 0.105 * r, iris)
        c.oval(ex + f.turn * 0.05 * r, ey - 0.015 * r, 0.052 * r, 0.058 * r, p.dark)
        c.oval(ex + f.turn * 0.05 * r + d * 0.035 * r, ey - 0.055 * r, 0.024 * r, 0.024 * r, p.light)
        c.stroke(
            [
                (ex - wide, ey + 0.01 * r),
                (ex - 0.5 * wide, ey - 0.11 * r),
                (ex + 0.5 * wide, ey - 0.11 * r),
                (ex + wide, ey + 0.01 * r),
            ],
            0.035 * r,
            line,
        )
        c.stroke(
            [
                (ex - side * 0.9 * wide, ey - 0.3 * r),
                (ex + side * 0.2 * wide, ey - 0.37 * r),
                (ex + side * 1.15 * wide, ey - 0.27 * r),
            ],
            0.055 * r,
            mix(hair, p.dark, 0.3),
        )
    nose = mix(f.skin, p.dark, 0.3)
    c.stroke(
        [
            (x + 0.07 * f.turn * r - d * 0.06 * r, y - 0.2 * r),
            (x - d * 0.11 * r + 0.06 * f.turn * r, y + 0.28 * r),
            (x - d * 0.1 * r, y + 0.38 * r),
            (x + d * 0.1 * r, y + 0.4 * r),
        ],
        0.035 * r,
        nose,
    )
    c.glow(x + d * 0.04 * r, y + 0.25 * r, 0.13 * r, 0.22 * r, mix(f.skin, p.light, 0.6), 0.6)
    my, smile = y + 0.75 * r, rng.uniform(-0.02, 0.06)
    c.fill(
        smooth(
            [
                (x - 0.3 * r, my - smile * r),
                (x - 0.1 * r, my - 0.1 * r),
                (x, my - 0.06 * r),
                (x + 0.1 * r, my - 0.1 * r),
                (x + 0.3 * r, my - smile * r),
                (x, my + 0.03 * r),
            ],
            1,
        ),
        mix(lips, p.dark, 0.2),
    )
    c.fill(
        smooth(
            [
                (x - 0.28 * r, my - smile * r),
                (x, my + 0.02 * r),
                (x + 0.28 * r, my - smile * r),
                (x + 0.1 * r, my + 0.15 * r),
                (x - 0.1 * r, my + 0.15 * r),
            ],
            1,
        ),
        mix(lips, f.skin, 0.2),
    )
    c.stroke(
        [(x - 0.31 * r, my - smile * 1.6 * r), (x, my + 0.02 * r), (x + 0.31 * r, my - smile * 1.6 * r)],
        0.022 * r,
        mix(lips, p.dark, 0.6),
    )
    c.glow(x, my + 0.26 * r, 0.2 * r, 0.07 * r, mix(f.skin, p.dark, 0.3), 0.5)


def hair_behind(c: Canvas, f: Face, hair: Colour, length: float) -> None:
    p = c.palette
    x, y, r = f.x, f.y, f.r
    shape = [
        (x, y - 1.5 * r),
        (x + 0.9 * r, y - 1.25 * r),
        (x + 1.28 * r, y - 0.2 * r),
        (x + 1.2 * r, y + length * r),
        (x + 0.5 * r, y + (length + 0.25) * r),
        (x - 0.5 * r, y + (length + 0.25) * r),
        (x - 1.2 * r, y + length * r),
        (x - 1.28 * r, y - 0.2 * r),
        (x - 0.9 * r, y - 1.25 * r),
    ]
    c.fill(smooth(shape), hair, mix(hair, p.dark, 0.4))
    for k in range(12):
        side, u = (-1, 1)[k % 2], c.rng.uniform(0.95, 1.2)
        c.stroke(
            [
                (x + side * u * r * 0.85, y - 0.9 * r),
                (x + side * u * r, y),
                (x + side * u * 0.95 * r, y + length * 0.9 * r),
            ],
            0.035 * r,
            mix(hair, strand(c), 0.25),
        )


def strand(c: Canvas) -> Colour:
    return c.rng.choice((c.palette.dark, c.palette.glow, c.palette.light))


def fringe(c: Canvas, f: Face, hair: Colour, parting: float) -> None:
    p = c.palette
    x, y, r = f.x + f.turn * 0.06 * f.r, f.y, f.r
    part = x + parting * 0.4 * r
    for side in (-1, 1):
        shape = [
            (part, y - 1.42 * r),
            (x + side * 0.8 * r, y - 1.25 * r),
            (x + side * 1.12 * r, y - 0.3 * r),
            (x + side * 1.0 * r, y + 0.1 * r),
            (x + side * 0.86 * r, y - 0.45 * r),
            (part + side * 0.2 * r, y - 0.95 * r),
        ]
        c.fill(smooth(shape), mix(hair, p.light, 0.08), mix(hair, p.dark, 0.2))
        for k in range(5):
            t = k / 5
            c.stroke(
                [
                    (part + side * 0.1 * r, y - (1.35 - 0.3 * t) * r),
                    (x + side * (0.5 + 0.2 * t) * r, y - (1.2 - 0.35 * t) * r),
                    (x + side * 1.0 * r, y - (0.6 - 0.4 * t) * r),
                ],
                0.03 * r,
                mix(hair, p.glow if side == c.sun else p.dark, 0.25),
            )
