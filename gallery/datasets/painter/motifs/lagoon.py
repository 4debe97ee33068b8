"""A city on the water."""

from __future__ import annotations

import math

from gallery.datasets.painter.canvas import Canvas, arc, box
from gallery.datasets.painter.colours import mix
from gallery.datasets.painter.motifs.buildings import town_house
from gallery.datasets.painter.motifs.motif import Motif
from gallery.datasets.painter.motifs.outdoors import birds, sky, water


def lagoon_city(c: Canvas) -> None:
    p, rng = c.palette, c.rng
    line, d = rng.uniform(0.56, 0.64), rng.choice((-1, 1))
    sky(c, line, "day gold gold dusk")
    x = -0.05
    while x < c.w:
        w = rng.uniform(0.08, 0.16)
        tone = mix(rng.choice((p.earth, p.glow, mix(p.accent, p.glow, 0.55), p.light)), p.sky, 0.25)
        town_house(c, x, line, w, rng.uniform(0.1, 0.2), tone, "flat")
        x += w
    tower, stone = c.w * (0.5 + d * rng.uniform(0.12, 0.3)), mix(p.accent, p.earth, 0.55)
    c.fill(
        [
            (tower - 0.035, line - 0.36),
            (tower + 0.035, line - 0.36),
            (tower + 0.04, line),
            (tower - 0.04, line),
        ],
        stone,
        mix(stone, p.dark, 0.15),
    )
    c.fill(
        [
            (tower - c.sun * 0.035, line - 0.36),
            (tower - c.sun * 0.012, line - 0.36),
            (tower - c.sun * 0.012, line),
            (tower - c.sun * 0.04, line),
        ],
        mix(stone, p.dark, 0.3),
    )
    c.fill(box(tower - 0.04, line - 0.43, tower + 0.04, line - 0.355), p.light, mix(p.light, p.earth, 0.3))
    for k in (-1, 0, 1):
        c.fill(box(tower + 0.024 * k - 0.007, line - 0.415, tower + 0.024 * k + 0.007, line - 0.37), p.dark)
    c.fill(
        [(tower - 0.036, line - 0.43), (tower, line - 0.54), (tower + 0.036, line - 0.43)],
        mix(p.leaf, p.water, 0.4),
        mix(p.leaf, p.dark, 0.4),
    )
    _domed_church(c, c.w * (0.5 - d * rng.uniform(0.1, 0.24)), line, rng.uniform(0.26, 0.33))
    water(c, line, mix(p.water, p.glow, 0.4), mix(p.water, p.dark, 0.2), mix(p.light, p.glow, 0.4), calm=True)
    c.mirror(line, 0.45, p.water)
    for _ in range(5):
        px = rng.uniform(0, c.w)
        c.stroke([(px, line + 0.09), (px + 0.004, line - 0.05)], 0.008, mix(p.earth, p.dark, 0.6))
    for k in range(rng.randint(2, 4)):
        _gondola(c, rng.uniform(0.15, 0.85) * c.w, line + 0.11 + 0.09 * k, 0.24 + 0.07 * k)
    birds(c, 4, 0.08, 0.25, p.dark)


def _domed_church(c: Canvas, x: float, y: float, s: float) -> None:
    p = c.palette
    marble, dome = mix(p.light, p.glow, 0.35), mix(p.water, p.light, 0.35)
    c.fill(box(x - 0.5 * s, y - 0.45 * s, x + 0.5 * s, y), marble, mix(marble, p.earth, 0.3))
    for cx, half, foot in ((x - 0.36 * s, 0.12, 0.45), (x + 0.36 * s, 0.12, 0.45), (x, 0.3, 0.56)):
        c.fill(
            box(cx - half * 0.9 * s, y - (foot + 0.02) * s, cx + half * 0.9 * s, y - 0.4 * s),
            mix(marble, p.earth, 0.15),
        )
        c.form(
            arc(cx, y - foot * s, half * s, half * 1.15 * s, math.pi, 2 * math.pi, 20),
            mix(dome, p.dark, 0.3),
            mix(dome, p.light, 0.4),
            6,
        )
        c.stroke(
            [(cx, y - (foot + half * 1.1) * s), (cx, y - (foot + half * 1.1 + 0.12) * s)], 0.035 * s, marble
        )
    c.fill(
        [(x - 0.25 * s, y - 0.42 * s), (x, y - 0.56 * s), (x + 0.25 * s, y - 0.42 * s)],
        mix(marble, p.earth, 0.25),
    )
    for k in range(5):
        px = x + (k - 2) * 0.17 * s
        c.fill(
            [
                *arc(px, y - 0.22 * s, 0.045 * s, 0.07 * s, math.pi, 2 * math.pi, 8),
                (px + 0.045 * s, y - 0.02 * s),
                (px - 0.045 * s, y - 0.02 * s),
            ],
            mix(p.dark, p.earth, 0.3),
        )


def _gondola(c: Canvas, x: float, y: float, s: float) -> None:
    p, d = c.palette, c.sun
    hull = [
        (x - d * 0.56 * s, y - 0.2 * s),
        (x - d * 0.46 * s, y - 0.09 * s),
        (x, y - 0.05 * s),
        (x + d * 0.44 * s, y - 0.08 * s),
        (x + d * 0.54 * s, y - 0.15 * s),
        (x + d * 0.4 * s, y + 0.02 * s),
        (x - d * 0.36 * s, y + 0.02 * s),
    ]
    c.stroke([(x - 0.4 * s, y + 0.05 * s), (x + 0.4 * s, y + 0.05 * s)], 0.035 * s, mix(p.dark, p.water, 0.6))
    c.fill(hull, mix(p.dark, p.water, 0.1), p.dark)
    c.fill(
        [
            (x - 0.08 * s, y - 0.16 * s),
            (x + 0.12 * s, y - 0.16 * s),
            (x + 0.14 * s, y - 0.05 * s),
            (x - 0.1 * s, y - 0.05 * s),
        ],
        p.accent,
    )
    man = x + d * 0.36 * s
    c.stroke([(man, y - 0.1 * s), (man, y - 0.2 * s)], 0.045 * s, p.dark)
    c.stroke([(man, y - 0.2 * s), (man - d * 0.02 * s, y - 0.29 * s)], 0.05 * s, p.light)
    c.oval(man - d * 0.02 * s, y - 0.34 * s, 0.025 * s, 0.03 * s, (214, 168, 136))
    c.stroke([(man - d * 0.06 * s, y - 0.365 * s), (man + d * 0.02 * s, y - 0.365 * s)], 0.016 * s, p.second)
    c.stroke(
        [(man - d * 0.1 * s, y - 0.26 * s), (man + d * 0.12 * s, y + 0.04 * s)],
        0.01 * s,
        mix(p.earth, p.dark, 0.4),
    )


LAGOON = {
    "lagoon city": Motif(lagoon_city, "wide"),
}
