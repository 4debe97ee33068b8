"""Portraits."""

from __future__ import annotations

import math
from typing import NamedTuple

from gallery.datasets.painter.canvas import Canvas, Points, arc, blob, smooth
from gallery.datasets.painter.colours import HAIRS, SKINS, Colour, mix, vary
from gallery.datasets.painter.motifs.flowers import rose
from gallery.datasets.painter.motifs.motif import Motif


class Face(NamedTuple):
    """Where a head is and how it is turned: `turn` -1 to the left, 1 to the right."""

    x: float
    y: float
    r: float  # half its width
    turn: float
    skin: Colour


def _wall(c: Canvas, colour: Colour) -> None:
    p, rng = c.palette, c.rng
    c.backdrop(
        (0, mix(colour, p.dark, 0.18)), (0.5, mix(colour, p.light, 0.12)), (1, mix(colour, p.dark, 0.28))
    )
    for _ in range(9):
        tone = mix(colour, rng.choice((p.light, p.dark, p.glow)), 0.22)
        c.glow(
            rng.uniform(0, c.w), rng.uniform(0, 1), rng.uniform(0.15, 0.4), rng.uniform(0.15, 0.4), tone, 0.7
        )


def _oval_face(f: Face) -> Points:
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


def _bust(c: Canvas, f: Face, cloth: Colour, low: bool = False) -> None:
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


def _features(c: Canvas, f: Face, lips: Colour, hair: Colour) -> None:
    """Light and shade, eyes, nose and mouth."""
    p, rng, d = c.palette, c.rng, c.sun
    x, y, r = f.x + f.turn * 0.2 * f.r, f.y, f.r
    c.form(_oval_face(f), mix(f.skin, p.dark, 0.26), mix(f.skin, (255, 244, 230), 0.2), 9, 0.22)
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


def _hair_behind(c: Canvas, f: Face, hair: Colour, length: float) -> None:
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
            mix(hair, _strand(c), 0.25),
        )


def _strand(c: Canvas) -> Colour:
    return c.rng.choice((c.palette.dark, c.palette.glow, c.palette.light))


def _fringe(c: Canvas, f: Face, hair: Colour, parting: float) -> None:
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


def lady_in_a_hat(c: Canvas) -> None:
    p, rng = c.palette, c.rng
    _wall(
        c,
        rng.choice(
            (
                mix(p.leaf, p.light, 0.25),
                p.sky,
                mix(p.glow, p.earth, 0.3),
                mix(p.accent, p.glow, 0.5),
                p.water,
            )
        ),
    )
    f = Face(
        c.w * rng.uniform(0.46, 0.54),
        rng.uniform(0.42, 0.46),
        0.152 * rng.uniform(0.94, 1.06),
        rng.choice((-1, -0.5, 0, 0.5, 1)),
        vary(rng, rng.choice(SKINS), 0.02),
    )
    hair, hat = (
        vary(rng, rng.choice(HAIRS), 0.02),
        rng.choice((p.second, p.accent, p.light, p.dark, p.water, mix(p.earth, p.light, 0.4))),
    )
    x, y, r = f.x, f.y, f.r
    _hair_behind(c, f, hair, rng.choice((0.7, 1.2, 1.9)))
    _bust(c, f, rng.choice((p.accent, p.water, p.leaf, p.light, p.dark, p.second)), low=rng.random() < 0.6)
    _features(c, f, mix(p.accent, (190, 60, 70), 0.5), hair)
    _fringe(c, f, hair, rng.choice((-1, 0, 1)))
    tilt = rng.uniform(-0.16, 0.16)

    def at(px: float, py: float) -> tuple[float, float]:
        return (
            x + (px * math.cos(tilt) - py * math.sin(tilt)) * r,
            y + (-0.85 + px * math.sin(tilt) + py * math.cos(tilt)) * r,
        )

    wide = rng.uniform(1.9, 2.35)
    brim = [
        at(math.cos(a) * wide, math.sin(a) * 0.42 - 0.12 * math.cos(2 * a))
        for a in (k * 0.2244 for k in range(28))
    ]
    c.glow(x, y - 0.55 * r, 1.1 * r, 0.35 * r, mix(f.skin, p.dark, 0.6), 0.6)
    c.fill(brim, mix(hat, p.light, 0.1), mix(hat, p.dark, 0.4))
    crown = smooth(
        [
            at(-1.0, 0.02),
            at(-1.02, -0.6),
            at(-0.7, -1.05),
            at(0, -1.15),
            at(0.7, -1.05),
            at(1.02, -0.6),
            at(1.0, 0.02),
            at(0, 0.2),
        ]
    )
    c.form(crown, mix(hat, p.dark, 0.3), mix(hat, p.light, 0.35), 7, 0.35)
    ribbon = rng.choice([tone for tone in (p.dark, p.accent, p.light, p.leaf) if tone != hat])
    c.fill(
        [
            at(-1.02, -0.3),
            at(-0.5, -0.14),
            at(0, -0.1),
            at(0.5, -0.14),
            at(1.02, -0.3),
            at(1.0, 0.02),
            at(0.5, 0.17),
            at(0, 0.21),
            at(-0.5, 0.17),
            at(-1.0, 0.02),
        ],
        ribbon,
        mix(ribbon, p.dark, 0.3),
    )
    if rng.random() < 0.6:
        side = rng.choice((-1, 1))
        for k in range(3):
            fx, fy = at(side * (0.45 + 0.3 * k), -0.12 - 0.06 * k)
            rose(
                c,
                fx,
                fy,
                r * rng.uniform(0.2, 0.27),
                vary(rng, rng.choice((p.accent, p.light, p.second)), 0.03),
            )
    if rng.random() < 0.5:
        for k in range(11):
            a = math.pi * (0.12 + 0.76 * k / 10)
            c.oval(
                x + math.cos(a) * 0.62 * r,
                y + 1.55 * r + math.sin(a) * 0.55 * r,
                0.06 * r,
                0.06 * r,
                mix(p.light, p.glow, 0.3),
            )
    for side in (-1, 1):
        c.oval(x + side * 1.0 * r, y + 0.5 * r, 0.06 * r, 0.09 * r, p.second)


def ruff_portrait(c: Canvas) -> None:
    p, rng, d = c.palette, c.rng, c.sun
    ground = mix(p.dark, rng.choice((p.earth, p.leaf, p.water, p.dark)), 0.3)
    c.backdrop((0, ground), (1, mix(ground, p.dark, 0.5)))
    c.glow(c.w * (0.5 + 0.25 * d), 0.4, 0.5, 0.55, mix(ground, p.earth, 0.55), 0.7)
    f = Face(
        c.w * rng.uniform(0.46, 0.54),
        rng.uniform(0.38, 0.42),
        0.15 * rng.uniform(0.94, 1.06),
        rng.choice((-1, -0.6, 0.6, 1)),
        vary(rng, rng.choice(SKINS[:3]), 0.02),
    )
    x, y, r = f.x, f.y, f.r
    hair = vary(rng, rng.choice(HAIRS), 0.02)
    bearded = rng.random() < 0.5
    _hair_behind(c, f, hair, 0.3 if bearded else rng.choice((0.4, 1.1)))
    coat = rng.choice(
        (p.dark, mix(p.dark, p.accent, 0.45), mix(p.dark, p.leaf, 0.4), mix(p.dark, p.water, 0.4))
    )
    _bust(c, f, mix(coat, p.light, 0.06))
    for k in range(6):
        c.oval(x, y + (2.75 + 0.3 * k) * r, 0.07 * r, 0.07 * r, p.second)
    _ruff(c, x, y + 1.55 * r, 1.5 * r, 0.62 * r)
    _features(c, f, (172, 74, 66), hair)
    if bearded:
        beard = [
            (x - 0.98 * r, y + 0.1 * r),
            (x - 0.7 * r, y + 0.62 * r),
            (x - 0.35 * r, y + 0.56 * r),
            (x + f.turn * 0.2 * r, y + 0.58 * r),
            (x + 0.4 * r, y + 0.56 * r),
            (x + 0.75 * r, y + 0.62 * r),
            (x + 1.0 * r, y + 0.1 * r),
            (x + 0.85 * r, y + 1.1 * r),
            (x + 0.15 * r, y + rng.uniform(1.6, 2.0) * r),
            (x - 0.7 * r, y + 1.15 * r),
        ]
        c.fill(smooth(beard), mix(hair, p.light, 0.06), mix(hair, p.dark, 0.3))
        c.stroke(
            [
                (x + (f.turn * 0.2 - 0.24) * r, y + 0.78 * r),
                (x + f.turn * 0.2 * r, y + 0.82 * r),
                (x + (f.turn * 0.2 + 0.24) * r, y + 0.78 * r),
            ],
            0.1 * r,
            mix((172, 74, 66), p.dark, 0.25),
        )
        for _ in range(26):
            u, t = rng.uniform(-0.7, 0.8), rng.uniform(0.75, 1.35)
            c.stroke(
                [(x + u * r, y + t * r), (x + u * 0.85 * r, y + (t + 0.22) * r)],
                0.025 * r,
                mix(hair, _strand(c), 0.3),
            )
    if rng.random() < 0.55:
        hat = mix(p.dark, coat, 0.4)
        brim = arc(x, y - 0.82 * r, 1.75 * r, 0.3 * r, 0, 2 * math.pi, 28)
        c.fill(brim, mix(hat, p.light, 0.1), hat)
        c.form(
            smooth(
                [
                    (x - 1.05 * r, y - 0.8 * r),
                    (x - 1.1 * r, y - 1.5 * r),
                    (x - 0.5 * r, y - 1.85 * r),
                    (x + 0.6 * r, y - 1.8 * r),
                    (x + 1.1 * r, y - 1.4 * r),
                    (x + 1.05 * r, y - 0.8 * r),
                ]
            ),
            hat,
            mix(hat, p.light, 0.22),
            6,
        )
        if rng.random() < 0.7:
            plume = rng.choice((p.light, p.accent, p.second))
            for k in range(22):
                t = k / 21
                px, py = x + d * (0.9 - 1.5 * t) * r, y - (1.0 + 1.05 * math.sin(t * 2.6)) * r
                c.stroke(
                    [
                        (px, py),
                        (px + d * 0.2 * r, py - 0.2 * r * (1.3 - t)),
                        (px + d * 0.28 * r, py - 0.02 * r),
                    ],
                    0.05 * r,
                    mix(plume, p.dark, 0.25 * rng.random()),
                )
    else:
        _fringe(c, f, hair, rng.choice((-1, 1)))
    c.glow(x - d * 1.3 * r, y + 0.4 * r, 1.0 * r, 1.8 * r, mix(ground, p.dark, 0.6), 0.5)


def _ruff(c: Canvas, x: float, y: float, wide: float, high: float) -> None:
    p = c.palette
    white = mix(p.light, p.glow, 0.15)
    for ring, (size, tone) in enumerate(
        ((1.0, mix(white, p.dark, 0.25)), (0.93, white), (0.7, mix(white, p.dark, 0.12)))
    ):
        c.draw.polygon(c.pixels(arc(x, y, wide * size, high * size, 0, 2 * math.pi, 36)), fill=tone)
        for k in range(34):
            a = 2 * math.pi * k / 34
            px, py = x + math.cos(a) * wide * size * 0.93, y + math.sin(a) * high * size * 0.93
            c.stroke(
                [(x + math.cos(a) * wide * 0.4, y + math.sin(a) * high * 0.4), (px, py)],
                0.004,
                mix(white, p.dark, 0.3 + 0.08 * ring),
            )
            if ring == 1:
                c.oval(px, py, 0.075 * wide, 0.1 * high, mix(white, p.dark, 0.12 * (k % 2)))


def bold_head(c: Canvas) -> None:
    """A head in unmixed colours, filling the picture, its planes set side by side."""
    p, rng, d = c.palette, c.rng, c.sun
    _wall(c, rng.choice((p.second, p.water, p.leaf, p.sky, p.accent)))
    for _ in range(rng.randint(3, 7)):
        c.fill(
            blob(
                rng,
                rng.uniform(0, c.w),
                rng.uniform(0, 0.8),
                rng.uniform(0.05, 0.14),
                rng.uniform(0.05, 0.14),
                0.2,
            ),
            rng.choice((p.second, p.accent, p.water, p.leaf, p.light)),
            rough=0.004,
        )
    warm = vary(rng, mix(rng.choice(SKINS), p.accent, 0.1), 0.02)
    hair = vary(rng, rng.choice(HAIRS), 0.02)
    f = Face(
        c.w * rng.uniform(0.47, 0.53),
        rng.uniform(0.44, 0.48),
        0.2 * rng.uniform(0.95, 1.05),
        rng.choice((-1, 0, 1)),
        warm,
    )
    x, y, r = f.x, f.y, f.r
    style = rng.choice(("scarf", "crop", "braids", "crop"))
    if style == "braids":
        _hair_behind(c, f, hair, 1.6)
    elif style == "crop":
        c.form(
            blob(rng, x, y - 0.5 * r, 1.2 * r, 1.08 * r, 0.05, 14),
            mix(hair, p.dark, 0.3),
            mix(hair, p.water, 0.3),
            5,
        )
    cloth = rng.choice((p.accent, p.second, p.water, p.leaf))
    _bust(c, f, cloth)
    for k in range(5):  # woven bands round the neck
        tone = (p.second, p.accent, p.light, p.leaf, p.water)[k]
        c.stroke(
            arc(x, y + 1.62 * r, (0.6 + 0.16 * k) * r, (0.3 + 0.15 * k) * r, 0.15, math.pi - 0.15, 16),
            0.075 * r,
            tone,
        )
    _features(c, f, mix(p.accent, warm, 0.3), hair)
    face = _oval_face(f)
    lit = [pt if (pt[0] - x) * d > 0 else (x + d * 0.02 * r, pt[1]) for pt in face]
    c.draw.line(c.pixels([*face, face[0]]), fill=p.dark, width=max(2, round(0.035 * r * c.unit)))
    c.stroke([pt for pt in lit if (pt[0] - x) * d > 0.9 * r], 0.06 * r, mix(p.second, warm, 0.25))
    if style == "scarf":
        scarf = rng.choice([tone for tone in (p.accent, p.second, p.leaf, p.water) if tone != cloth])
        wrap = smooth(
            [
                (x - 1.1 * r, y - 0.45 * r),
                (x - 1.35 * r, y - 1.2 * r),
                (x - 0.6 * r, y - 2.0 * r),
                (x + 0.6 * r, y - 2.05 * r),
                (x + 1.35 * r, y - 1.25 * r),
                (x + 1.1 * r, y - 0.45 * r),
                (x, y - 0.85 * r),
            ]
        )
        c.fill(wrap, mix(scarf, p.light, 0.1), mix(scarf, p.dark, 0.25))
        for k in range(4):
            c.stroke(
                [
                    (x - 1.1 * r, y - (0.6 + 0.22 * k) * r),
                    (x, y - (1.0 + 0.26 * k) * r),
                    (x + 1.1 * r, y - (0.65 + 0.24 * k) * r),
                ],
                0.06 * r,
                rng.choice((p.light, p.second, p.dark, p.accent)),
            )
    else:
        _fringe(c, f, hair, 0) if style == "braids" else c.fill(
            smooth(
                [
                    (x - 1.02 * r, y - 0.5 * r),
                    (x - 0.8 * r, y - 1.3 * r),
                    (x + 0.8 * r, y - 1.3 * r),
                    (x + 1.02 * r, y - 0.5 * r),
                    (x + 0.6 * r, y - 0.82 * r),
                    (x - 0.6 * r, y - 0.82 * r),
                ]
            ),
            hair,
        )
    for side in (-1, 1):
        c.oval(x + side * 1.06 * r, y + 0.62 * r, 0.13 * r, 0.13 * r, p.second)
        c.oval(x + side * 1.06 * r, y + 0.62 * r, 0.07 * r, 0.07 * r, cloth)


HEADS = {
    "lady in a hat": Motif(lady_in_a_hat, "tall"),
    "ruff portrait": Motif(ruff_portrait, "tall"),
    "bold head": Motif(bold_head, "tall"),
}
