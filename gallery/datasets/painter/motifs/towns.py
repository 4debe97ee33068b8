"""Towns: on hills, in snow, on the water, by night."""

from __future__ import annotations

import math

from gallery.datasets.painter.canvas import Canvas, arc, blob, smooth
from gallery.datasets.painter.colours import mix, vary
from gallery.datasets.painter.motifs.buildings import church, house, window
from gallery.datasets.painter.motifs.motif import Motif
from gallery.datasets.painter.motifs.mountains import peak
from gallery.datasets.painter.motifs.outdoors import crescent, height_at, hill, sky, stars, sun
from gallery.datasets.painter.motifs.trees import bare_branches, fir


def snow_village(c: Canvas) -> None:
    p, rng = c.palette, c.rng
    line = rng.uniform(0.5, 0.58)
    evening = rng.random() < 0.45
    snow, shadow = mix(p.light, p.sky, 0.06), mix(p.light, p.sky, 0.55)
    if evening:
        c.backdrop(
            (0, mix(p.sky, p.dark, 0.6)),
            (0.35, mix(p.sky, p.accent, 0.3)),
            (line, mix(p.glow, p.accent, 0.3)),
        )
        crescent(c, rng.uniform(0.15, 0.85) * c.w, 0.15, 0.045, mix(p.light, p.second, 0.3))
        stars(c, 40, 0.35, p.light)
    else:
        sky(c, line, "day")
    lit = p.second if evening else None
    for place in (0.2, 0.75):
        peak(
            c,
            (place + rng.uniform(-0.1, 0.1)) * c.w,
            line,
            rng.uniform(0.3, 0.42) * c.w,
            rng.uniform(0.18, 0.3),
            mix(p.water, p.sky, 0.4),
            snow,
            0.9,
        )
    ground = hill(c, line, 0.03, shadow, snow)
    for _ in range(22):
        x = rng.uniform(0, c.w)
        fir(c, x, height_at(ground, x) + 0.02, rng.uniform(0.07, 0.13), snow=True)
    walls = (
        mix(p.earth, p.accent, 0.4),
        p.accent,
        mix(p.earth, p.dark, 0.2),
        p.second,
        mix(p.light, p.glow, 0.6),
    )
    church(
        c,
        c.w * rng.uniform(0.35, 0.65),
        line + 0.12,
        rng.uniform(0.36, 0.44),
        mix(p.glow, p.earth, 0.2),
        mix(p.light, p.sky, 0.18),
        lit,
    )
    for row in range(3):
        for _ in range(4 - row):
            y = line + 0.1 + 0.09 * row
            s = 0.13 + 0.035 * row
            house(
                c,
                rng.uniform(0.04, 0.96) * c.w,
                y,
                s,
                s * 0.42,
                rng.choice(walls),
                mix(p.light, p.sky, 0.1),
                lit,
            )
        hill(c, line + 0.13 + 0.1 * row, 0.018, snow, mix(shadow, snow, 0.5), 3)
    for _ in range(rng.randint(2, 4)):
        x = rng.uniform(0.03, 0.97) * c.w
        if rng.random() < 0.4:
            bare_branches(c, x, 0.98, 0.12, -1.57, 0.014, mix(p.dark, p.earth, 0.3))
        else:
            fir(c, x, rng.uniform(0.9, 1.0), rng.uniform(0.25, 0.4), snow=True)
    if rng.random() < 0.5:
        for _ in range(120):
            r = rng.uniform(0.0025, 0.006)
            c.oval(rng.uniform(0, c.w), rng.uniform(0, 1), r, r, p.light)


def night_street(c: Canvas) -> None:
    p, rng = c.palette, c.rng
    night = mix(mix(p.sky, p.water, 0.4), p.dark, 0.55)
    c.backdrop((0, mix(night, p.dark, 0.4)), (0.5, mix(night, p.sky, 0.4)), (0.7, mix(night, p.glow, 0.5)))
    stars(c, 35, 0.35, p.light)
    x0, y0 = c.w * rng.uniform(0.42, 0.58), rng.uniform(0.54, 0.6)
    if rng.random() < 0.7:
        sun(
            c,
            x0 + rng.uniform(-0.12, 0.12),
            rng.uniform(0.12, 0.2),
            0.045,
            mix(p.light, p.second, 0.3),
            mix(p.second, night, 0.4),
        )
    church(
        c, x0, y0 + 0.02, rng.uniform(0.3, 0.38), mix(night, p.sky, 0.4), mix(p.dark, p.accent, 0.3), p.second
    )
    street = mix(mix(p.earth, p.water, 0.4), p.dark, 0.4)
    c.fill(
        [(x0 - 0.03, y0), (x0 + 0.03, y0), (c.w * 1.1, 1.05), (-0.1 * c.w, 1.05)],
        mix(street, p.glow, 0.35),
        mix(street, p.dark, 0.3),
    )
    tones = (p.accent, p.earth, p.second, p.water, mix(p.accent, p.earth, 0.5), p.leaf)
    for side in (-1, 1):
        edge = -0.02 if side < 0 else c.w + 0.02
        for k in range(5):
            t0, t1 = k / 5, (k + 1) / 5
            xa, xb = x0 + side * 0.07 + (edge - x0) * t0**1.25, x0 + side * 0.07 + (edge - x0) * t1**1.25
            ga, gb = y0 + 0.02 + 0.44 * t0**1.25, y0 + 0.02 + 0.44 * t1**1.25
            height = rng.uniform(0.85, 1.2)
            ta, tb = ga - (0.15 + 0.6 * t0**1.25) * height, gb - (0.15 + 0.6 * t1**1.25) * height
            wall = mix(rng.choice(tones), night, 0.4)
            c.fill(
                [(xa, ta), ((xa + xb) / 2, min(ta, tb) - 0.03 - 0.05 * t1), (xb, tb), (xb, gb), (xa, ga)],
                wall,
                mix(wall, p.dark, 0.35),
                rough=0.003,
            )
            for row in range(3):
                for u in (0.3, 0.7):
                    wx = xa + (xb - xa) * u
                    top, foot = ta + (tb - ta) * u, ga + (gb - ga) * u
                    wy = top + (foot - top) * (0.2 + 0.26 * row)
                    glass = vary(rng, p.second, 0.06) if rng.random() < 0.6 else mix(night, p.dark, 0.5)
                    window(c, wx, wy, abs(xb - xa) * 0.17, (foot - top) * 0.13, glass, mix(wall, p.dark, 0.4))
    for k in range(3):
        for side in (-1, 1):
            t = (0.14, 0.42, 0.9)[k]
            x, y, s = x0 + side * (0.05 + 0.36 * t * c.w), y0 + 0.04 + 0.38 * t, 0.14 + 0.3 * t
            c.stroke([(x, y), (x, y - s)], 0.025 * s, p.dark)
            c.glow(x, y - s, 0.55 * s, 0.55 * s, p.second, 0.95)
            c.oval(x, y - s, 0.05 * s, 0.065 * s, mix(p.light, p.second, 0.3))
            c.glow(x, y + 0.03, 0.5 * s, 0.12 * s, p.second, 0.7)
    for _ in range(60):
        t = rng.random()
        x = x0 + rng.uniform(-0.5, 0.5) * c.w * t
        tone = mix(rng.choice((p.second, p.accent, p.glow)), street, 0.35)
        c.stroke([(x, y0 + 0.05 + 0.42 * t), (x + rng.gauss(0, 0.004), y0 + 0.07 + 0.47 * t)], 0.006, tone)
    for _ in range(rng.randint(2, 5)):
        t = rng.uniform(0.15, 0.75)
        x, y, s = x0 + rng.uniform(-0.3, 0.3) * c.w * t, y0 + 0.04 + 0.4 * t, 0.09 + 0.17 * t
        c.fill(
            smooth(
                [
                    (x - 0.1 * s, y - 0.72 * s),
                    (x + 0.1 * s, y - 0.72 * s),
                    (x + 0.17 * s, y),
                    (x - 0.17 * s, y),
                ],
                1,
            ),
            p.dark,
        )
        c.oval(x, y - 0.82 * s, 0.075 * s, 0.1 * s, p.dark)
        if rng.random() < 0.5:
            c.fill(
                arc(x, y - 0.9 * s, 0.34 * s, 0.26 * s, math.pi, 2 * math.pi),
                mix(p.dark, p.accent, rng.random()),
            )
    c.fill(blob(rng, x0, 0.93, 0.2, 0.02, 0.3), mix(street, p.sky, 0.35))


TOWNS = {
    "snow village": Motif(snow_village, "wide"),
    "night street": Motif(night_street, "tall"),
}
