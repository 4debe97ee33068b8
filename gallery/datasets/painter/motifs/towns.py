"""Towns: on hills, in snow, on the water, by night."""

from __future__ import annotations

import math

from gallery.datasets.painter.canvas import Canvas, arc, blob, box, smooth
from gallery.datasets.painter.colours import Colour, mix, vary
from gallery.datasets.painter.motifs.buildings import church, house, town_house, window
from gallery.datasets.painter.motifs.motif import Motif
from gallery.datasets.painter.motifs.mountains import peak
from gallery.datasets.painter.motifs.outdoors import birds, crescent, height_at, hill, sky, stars, sun, water
from gallery.datasets.painter.motifs.sea import sailing_boat
from gallery.datasets.painter.motifs.trees import bare_branches, fir, poplar, round_tree


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
        return 0.3 + 0.62 * t**1.25

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
    "hill town": Motif(hill_town, "even"),
    "white town": Motif(white_town, "wide"),
    "snow village": Motif(snow_village, "wide"),
    "lagoon city": Motif(lagoon_city, "wide"),
    "night street": Motif(night_street, "tall"),
}
