"""Motifs by the sea: harbours, beaches, lighthouses."""

from __future__ import annotations

import math

from gallery.datasets.painter.canvas import Canvas
from gallery.datasets.painter.colours import Colour, mix, vary
from gallery.datasets.painter.motifs.buildings import church, house, town_house
from gallery.datasets.painter.motifs.landmarks import lighthouse
from gallery.datasets.painter.motifs.motif import Motif
from gallery.datasets.painter.motifs.outdoors import DAY, birds, hill, sky, water
from gallery.datasets.painter.motifs.sea import _far_shore, sailing_boat


def _small_boat(c: Canvas, x: float, y: float, s: float, hull: Colour) -> None:
    """A rowing or fishing boat of length `s` with its sail down."""
    p, d = c.palette, c.sun
    for k in range(4):
        c.stroke(
            [
                (x - s * (0.4 - 0.08 * k), y + s * 0.06 * (k + 1)),
                (x + s * (0.38 - 0.08 * k), y + s * 0.06 * (k + 1)),
            ],
            0.02 * s,
            mix(hull, p.water, 0.45),
        )
    c.stroke([(x - d * 0.05 * s, y - 0.1 * s), (x - d * 0.05 * s, y - 0.95 * s)], 0.022 * s, p.dark)
    c.stroke([(x - d * 0.05 * s, y - 0.92 * s), (x + d * 0.42 * s, y - 0.2 * s)], 0.008 * s, p.dark)
    c.stroke([(x - d * 0.05 * s, y - 0.92 * s), (x - d * 0.46 * s, y - 0.2 * s)], 0.008 * s, p.dark)
    furled = mix(p.light, p.earth, 0.3)
    c.stroke([(x - d * 0.05 * s, y - 0.28 * s), (x + d * 0.36 * s, y - 0.33 * s)], 0.06 * s, furled)
    body = [
        (x - 0.5 * s, y - 0.2 * s),
        (x - 0.2 * s, y - 0.1 * s),
        (x + 0.2 * s, y - 0.1 * s),
        (x + 0.5 * s, y - 0.19 * s),
        (x + 0.36 * s, y + 0.04 * s),
        (x - 0.35 * s, y + 0.04 * s),
    ]
    c.fill(body, hull, mix(hull, p.dark, 0.5))
    c.stroke(body[:4], 0.035 * s, mix(hull, p.light, 0.65))


def harbour(c: Canvas) -> None:
    p, rng = c.palette, c.rng
    line = rng.uniform(0.5, 0.58)
    sky(c, line)
    hill(c, line - 0.16, 0.07, mix(p.leaf, p.sky, 0.5), mix(p.leaf, p.glow, 0.35), 5)
    x, walls = (
        -0.02,
        (
            p.light,
            mix(p.glow, p.earth, 0.3),
            p.glow,
            mix(p.accent, p.light, 0.35),
            mix(p.second, p.light, 0.4),
        ),
    )
    while x < c.w:
        w = rng.uniform(0.08, 0.13)
        town_house(
            c,
            x,
            line,
            w,
            rng.uniform(0.1, 0.2),
            vary(rng, rng.choice(walls)),
            rng.choice(("flat", "point", "flat")),
        )
        x += w
    if rng.random() < 0.6:
        church(
            c, rng.uniform(0.2, 0.8) * c.w, line, rng.uniform(0.34, 0.42), mix(p.light, p.glow, 0.4), p.accent
        )
    water(
        c, line, mix(p.water, p.glow, 0.25), mix(p.water, p.dark, 0.25), mix(p.light, p.glow, 0.5), calm=True
    )
    c.mirror(line, 0.42, p.water)
    c.band(line - 0.004, line + 0.022, mix(p.earth, p.dark, 0.25), mix(p.earth, p.dark, 0.5))
    hulls = (p.accent, p.second, p.dark, p.light, mix(p.water, p.light, 0.4), p.leaf)
    for y, s in ((0.68, 0.2), (0.78, 0.28), (0.91, 0.4)):
        for _ in range(rng.choice((1, 2))):
            _small_boat(
                c,
                rng.uniform(0.1, 0.9) * c.w,
                y + rng.uniform(-0.02, 0.02),
                s * rng.uniform(0.85, 1.1),
                rng.choice(hulls),
            )
    birds(c, rng.randint(2, 5), 0.08, 0.25, p.dark)


def beach(c: Canvas) -> None:
    p, rng = c.palette, c.rng
    line, d = rng.uniform(0.3, 0.4), rng.choice((-1, 1))
    sky(c, line, "day day gold")
    _far_shore(c, line)
    water(c, line, p.water, mix(p.water, p.sky, 0.6), p.light)
    for _ in range(rng.randint(1, 3)):
        sailing_boat(
            c,
            rng.uniform(0.1, 0.9) * c.w,
            line + rng.uniform(0.01, 0.05),
            rng.uniform(0.08, 0.15),
            rng.choice((p.light, p.accent, p.second)),
            p.light,
            p.dark,
            reflect=False,
        )
    sand = mix(p.glow, p.earth, 0.25)
    shore = [
        (-0.05 + (c.w + 0.1) * k / 12, 0.56 + d * 0.14 * (k / 12 - 0.5) + 0.018 * math.sin(k * 1.3))
        for k in range(13)
    ]
    for lift, tone in (
        (0.03, mix(p.water, p.light, 0.5)),
        (0.014, p.light),
        (0.0, mix(sand, p.earth, 0.35)),
        (-0.025, sand),
    ):
        c.fill(
            [*((x, y - lift) for x, y in shore), (c.w + 0.05, 1.02), (-0.05, 1.02)],
            tone,
            mix(tone, p.glow, 0.3) if lift < 0 else None,
        )
    c.dabs(70, (0, 0.68, c.w, 1), 0.05, 0.006, (mix(sand, p.light, 0.5), mix(sand, p.earth, 0.5)), spread=0.2)
    cloths = (p.accent, p.second, p.water, p.leaf, mix(p.accent, p.light, 0.4))
    for k in range(rng.randint(4, 7)):
        y = 0.7 + 0.05 * k
        _parasol(c, rng.uniform(0.06, 0.94) * c.w, y, 0.17 + 0.04 * k, rng.choice(cloths))
    birds(c, rng.randint(0, 4), 0.06, 0.2, mix(p.dark, p.sky, 0.3))


def _parasol(c: Canvas, x: float, y: float, s: float, cloth: Colour) -> None:
    p, rng = c.palette, c.rng
    tilt = rng.uniform(-0.25, 0.25)
    c.glow(x - c.sun * 0.3 * s, y, 0.75 * s, 0.16 * s, mix(p.earth, p.dark, 0.5), 0.7)
    towel = rng.choice((p.light, p.second, p.sky))
    c.fill(
        [
            (x + 0.1 * s, y - 0.05 * s),
            (x + 0.6 * s, y - 0.05 * s),
            (x + 0.7 * s, y + 0.07 * s),
            (x + 0.15 * s, y + 0.07 * s),
        ],
        towel,
    )
    skin = mix(p.earth, p.glow, 0.4)
    c.stroke([(x + 0.24 * s, y), (x + 0.52 * s, y + 0.01 * s)], 0.07 * s, cloth)
    c.oval(x + 0.2 * s, y - 0.02 * s, 0.05 * s, 0.05 * s, skin)
    top = (x + tilt * s, y - s)
    c.stroke([(x, y), top], 0.025 * s, mix(p.earth, p.dark, 0.3))
    left, right = (
        (top[0] - 0.5 * s, top[1] + (0.32 + tilt) * s),
        (top[0] + 0.5 * s, top[1] + (0.32 - tilt) * s),
    )
    for k in range(6):
        t0, t1 = k / 6, (k + 1) / 6
        rim = [
            (
                left[0] + (right[0] - left[0]) * t,
                left[1] + (right[1] - left[1]) * t - 0.09 * s * math.sin(math.pi * t),
            )
            for t in (t0, (t0 + t1) / 2, t1)
        ]
        tone = cloth if k % 2 else p.light
        bulge = [
            ((top[0] + rim[i][0]) / 2 + (rim[i][0] - top[0]) * 0.14, (top[1] + rim[i][1]) / 2 - 0.1 * s)
            for i in (0, 2)
        ]
        c.draw.polygon(
            c.pixels([top, bulge[0], *rim, bulge[1]]),
            fill=mix(tone, p.dark, 0.22 * (t0 if c.sun < 0 else 1 - t0)),
        )


def lighthouse_rock(c: Canvas) -> None:
    p, rng = c.palette, c.rng
    line, d = rng.uniform(0.6, 0.7), rng.choice((-1, 1))
    mood = sky(c, line)
    water(c, line, mix(p.water, p.glow, 0.3), mix(p.water, p.dark, 0.25), p.light)
    if rng.random() < 0.6:
        sailing_boat(c, c.w * (0.5 - d * 0.3), line + 0.02, 0.13, p.light, p.light, p.dark)
    x = c.w * (0.5 + d * rng.uniform(0.08, 0.22))
    rock = mix(p.earth, p.dark, 0.45)
    foot = line + 0.16
    for k in range(3):
        t = k / 3
        half, top = (0.62 - 0.34 * t) * c.w * 0.75, line - 0.02 - 0.1 * t
        points = [
            (x - half, foot + 0.02),
            (x - half * 0.8, top + 0.07),
            (x - half * 0.35, top),
            (x + half * 0.35, top + 0.01),
            (x + half * 0.75, top + 0.06),
            (x + half, foot + 0.03),
        ]
        c.fill(
            points,
            mix(rock, p.leaf if k == 2 else p.glow, 0.1 + 0.2 * t),
            mix(rock, p.dark, 0.3),
            rough=0.012,
        )
    c.dabs(
        60,
        (x - 0.4 * c.w, foot - 0.02, x + 0.4 * c.w, foot + 0.05),
        0.07,
        0.012,
        (p.light, mix(p.water, p.light, 0.6)),
        spread=0.5,
    )
    stripe = p.accent if rng.random() < 0.75 else mix(p.water, p.dark, 0.4)
    base = line - 0.09
    house(c, x - d * 0.17, base + 0.03, 0.17, 0.07, p.light, p.accent)
    lighthouse(c, x, base + 0.02, min(0.62, base - 0.06) * rng.uniform(0.88, 1), p.light, stripe, mood != DAY)
    birds(c, rng.randint(3, 6), 0.1, 0.35, mix(p.dark, p.light, 0.2))


SHORE = {
    "harbour": Motif(harbour, "wide"),
    "beach": Motif(beach, "wide"),
    "lighthouse": Motif(lighthouse_rock, "tall"),
}
