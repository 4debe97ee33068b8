"""Towns that climb a hill."""

from __future__ import annotations

import math

from gallery.datasets.painter.canvas import Canvas, arc, box
from gallery.datasets.painter.colours import Colour, mix, vary
from gallery.datasets.painter.motifs.buildings import church, house
from gallery.datasets.painter.motifs.landmarks import castle
from gallery.datasets.painter.motifs.motif import Motif
from gallery.datasets.painter.motifs.outdoors import birds, hill, sky, water
from gallery.datasets.painter.motifs.sea import sailing_boat
from gallery.datasets.painter.motifs.trees import poplar, round_tree


def hill_town(c: Canvas) -> None:
    p, rng = c.palette, c.rng
    sky(c, 0.55)
    d, top = rng.choice((-1, 1)), rng.uniform(0.26, 0.34)
    hill(c, 0.52, 0.05, mix(p.leaf, p.sky, 0.6), mix(p.leaf, p.sky, 0.4))
    crest = c.w * (0.5 + d * rng.uniform(0.05, 0.2))

    def ground(x: float) -> float:
        return top + 0.12 + 0.34 * abs(x - crest) / c.w * 1.15

    slope = [(x, ground(x)) for x in (-0.05 + (c.w + 0.1) * k / 20 for k in range(21))]
    c.fill([*slope, (c.w + 0.05, 1.05), (-0.05, 1.05)], mix(p.leaf, p.earth, 0.5), mix(p.earth, p.dark, 0.3))
    for _ in range(4):
        x = crest + rng.gauss(0, 0.25) * c.w
        poplar(c, x, ground(x) + 0.02, rng.uniform(0.16, 0.24), mix(p.leaf, p.dark, 0.3))
    if rng.random() < 0.5:
        church(c, crest, top + 0.17, rng.uniform(0.28, 0.34), mix(p.light, p.glow, 0.4), p.accent)
    else:
        castle(c, crest, top + 0.17, rng.uniform(0.3, 0.36), mix(p.earth, p.light, 0.35))
    walls = (
        p.light,
        p.glow,
        mix(p.earth, p.light, 0.5),
        mix(p.second, p.light, 0.5),
        mix(p.accent, p.light, 0.5),
        mix(p.water, p.light, 0.55),
    )
    for row in range(7):
        lift = row / 6
        size = 0.11 + 0.055 * lift
        x = -0.05 + rng.random() * 0.08
        while x < c.w + 0.08:
            y = ground(x) + 0.07 + 0.085 * row + rng.uniform(-0.012, 0.012)
            if y < 1.12 and rng.random() < 0.86:
                house(
                    c,
                    x,
                    y,
                    size * rng.uniform(0.85, 1.2),
                    size * rng.uniform(0.5, 0.8),
                    vary(rng, rng.choice(walls), 0.03),
                    mix(p.accent, p.earth, rng.random()),
                )
            elif y < 1.12:
                round_tree(c, x, y, size * 1.2)
            x += size * rng.uniform(0.8, 1.05)
    birds(c, rng.randint(3, 6), 0.06, 0.2, p.dark)


def white_town(c: Canvas) -> None:
    p, rng = c.palette, c.rng
    line, d = rng.uniform(0.44, 0.52), rng.choice((-1, 1))
    sky(c, line, "day day gold")
    water(c, line, p.water, mix(p.water, p.sky, 0.4), p.light)
    for _ in range(rng.randint(1, 3)):
        sailing_boat(
            c,
            c.w * (0.5 - d * rng.uniform(0.05, 0.42)),
            line + rng.uniform(0.02, 0.14),
            rng.uniform(0.1, 0.17),
            p.light,
            p.light,
            p.accent,
        )
    edge = c.w / 2 + d * c.w * 0.55
    white = mix(p.light, p.glow, 0.1)
    blue = mix(p.water, (30, 80, 170), 0.5)

    def ground(x: float) -> float:
        t = abs(x - edge) / c.w
        return 0.3 + 0.62 * math.pow(t, 1.25)

    slope = [(edge - d * c.w * 1.2 * k / 20, ground(edge - d * c.w * 1.2 * k / 20)) for k in range(21)]
    c.fill(
        [*slope, (edge - d * c.w * 1.2, 1.1), (edge, 1.1)],
        mix(p.earth, p.glow, 0.4),
        mix(p.earth, p.dark, 0.2),
    )
    for row in range(7):
        size = 0.1 + 0.018 * row
        x = edge - d * rng.uniform(0, 0.08)
        while abs(x - edge) < c.w * 1.15:
            y = ground(x) + 0.06 + 0.09 * row + rng.uniform(-0.02, 0.01)
            w, h = size * rng.uniform(0.7, 1.2), size * rng.uniform(0.6, 1.0)
            if y < 1.15 and rng.random() < 0.88:
                _cube(c, x, y, w, h, white, blue, rng.random() < 0.13)
            x -= d * size * rng.uniform(0.7, 0.95)
    for _ in range(9):  # bougainvillea
        x = edge - d * rng.uniform(0, 0.7) * c.w
        y = ground(x) + rng.uniform(0.1, 0.5)
        for _ in range(14):
            c.oval(
                x + rng.gauss(0, 0.022),
                y + rng.gauss(0, 0.016),
                0.008,
                0.008,
                vary(rng, mix(p.accent, (210, 50, 130), 0.4), 0.06),
            )
    birds(c, 4, 0.08, 0.24, p.dark)


def _cube(c: Canvas, x: float, y: float, w: float, h: float, white: Colour, blue: Colour, dome: bool) -> None:
    p, d, rng = c.palette, c.sun, c.rng
    shade = mix(white, p.sky, 0.45)
    edge = x + d * w * 0.1
    if dome:
        c.fill(
            [
                *arc(x, y - h, w * 0.36, w * 0.42, math.pi, 2 * math.pi),
                (x + w * 0.36, y - h + 0.01),
                (x - w * 0.36, y - h + 0.01),
            ],
            blue,
            mix(blue, p.dark, 0.4),
        )
        c.stroke(
            arc(x + d * 0.1 * w, y - h, w * 0.2, w * 0.32, math.pi * 1.2, math.pi * 1.6),
            0.06 * w,
            mix(blue, p.light, 0.5),
        )
        c.stroke([(x, y - h - w * 0.42), (x, y - h - w * 0.62)], 0.03 * w, p.light)
        c.stroke([(x - w * 0.06, y - h - w * 0.54), (x + w * 0.06, y - h - w * 0.54)], 0.03 * w, p.light)
    c.fill(box(x - d * w / 2, y - h, edge, y), shade, mix(shade, p.water, 0.12))
    c.fill(
        [(edge, y - h), (x + d * w / 2, y - h * 0.97), (x + d * w / 2, y), (edge, y)],
        white,
        mix(white, p.glow, 0.3),
    )
    c.oval(x - d * w * 0.2, y - h * 0.62, 0.05 * w, 0.08 * w, blue)
    if rng.random() < 0.6:
        door = x + d * w * 0.3
        c.fill(box(door - 0.07 * w, y - 0.48 * h, door + 0.07 * w, y), rng.choice((blue, blue, p.accent)))


HILL_TOWNS = {
    "hill town": Motif(hill_town, "even"),
    "white town": Motif(white_town, "wide"),
}
