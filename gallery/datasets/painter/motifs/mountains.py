"""Mountains, fjords, waterfalls, woods."""

from __future__ import annotations

import math

from gallery.datasets.painter.canvas import Canvas, Points, blob, ridge, roughen
from gallery.datasets.painter.colours import Colour, mix, vary
from gallery.datasets.painter.motifs.buildings import house
from gallery.datasets.painter.motifs.motif import Motif
from gallery.datasets.painter.motifs.outdoors import DAY, birds, glitter, height_at, hill, sky, sun, water
from gallery.datasets.painter.motifs.trees import birch, crown, fir, grass


def peak(
    c: Canvas,
    x: float,
    y: float,
    half: float,
    top: float,
    rock: Colour,
    snow: Colour,
    snow_line: float = 0.55,
) -> None:
    """A mountain from its summit (x, top) to its foot at `y`: a lit and a shaded face, snow on both."""
    p, rng, d = c.palette, c.rng, c.sun
    height = y - top
    left, right = [(x, top)], [(x, top)]
    for k in range(1, 9):
        t = k / 8
        left.append(
            (
                x - half * t**1.08 + rng.uniform(-0.05, 0.05) * half,
                top + height * t + rng.uniform(-0.02, 0.02) * height,
            )
        )
        right.append(
            (
                x + half * t**1.08 + rng.uniform(-0.05, 0.05) * half,
                top + height * t + rng.uniform(-0.02, 0.02) * height,
            )
        )
    spine = [(x, top)] + [
        (x + rng.uniform(-0.09, 0.09) * half - d * 0.13 * half * k / 6, top + height * k / 6)
        for k in range(1, 7)
    ]
    lit, shaded = (right, left) if d > 0 else (left, right)
    shade = mix(rock, p.dark, 0.35)
    c.fill([*left, *reversed(right)], mix(rock, p.glow, 0.25), mix(rock, p.sky, 0.35))
    c.fill([*shaded, *reversed(spine)], shade, mix(shade, p.sky, 0.4))
    deep = snow_line * height
    for side, tone in ((lit, snow), (shaded, mix(snow, p.sky, 0.55))):
        edge = [pt for pt in side if pt[1] < top + deep * 1.15]
        inner = [pt for pt in spine if pt[1] < top + deep]
        teeth: Points = []
        a, b = edge[-1], inner[-1]
        for k in range(1, 8):
            t = k / 8
            drop = (0.16 if k % 2 else -0.2) * deep * rng.uniform(0.6, 1.3)
            teeth.append((a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t + drop))
        c.fill([*edge, *teeth, *reversed(inner)], tone, mix(tone, p.sky, 0.2))
    for _ in range(14):
        t = rng.uniform(0.1, 0.9)
        side = rng.choice((-1, 1))
        px = x + side * half * t * rng.uniform(0.1, 0.85)
        py = top + height * (t + 0.06)
        tone = mix(rock, p.dark, rng.uniform(0.2, 0.5)) if side != d else mix(rock, p.light, 0.3)
        c.stroke([(px, py), (px + side * 0.06 * half, py + 0.07 * height)], 0.006, tone)


def alps(c: Canvas) -> None:
    p, rng = c.palette, c.rng
    foot = rng.uniform(0.62, 0.72)
    mood = sky(c, foot)
    snow = p.light if mood == DAY else mix(p.light, p.accent, 0.22)
    rock = mix(mix(p.water, p.earth, 0.4), p.sky, 0.25)
    far = ridge(rng, c.w, foot - 0.24, 0.08, 6, 0.6)
    c.fill([*far, (c.w + 0.05, foot), (-0.05, foot)], mix(rock, p.sky, 0.6), mix(p.sky, p.light, 0.5))
    places = rng.sample((0.16, 0.5, 0.84), rng.choice((2, 3)))
    for k, place in enumerate(places):
        last = k == len(places) - 1
        peak(
            c,
            (place + rng.uniform(-0.06, 0.06)) * c.w,
            foot,
            rng.uniform(0.32, 0.42) * c.w * (1.15 if last else 0.9),
            rng.uniform(0.08, 0.16) if last else rng.uniform(0.2, 0.32),
            rock,
            snow,
        )
    c.veil(foot - 0.14, foot, mix(p.sky, p.light, 0.6), 0.0, 0.6)
    lake = rng.random() < 0.45
    slope = hill(c, foot, 0.03, mix(p.leaf, p.sky, 0.35), p.leaf)
    for k in range(34):
        x = rng.uniform(0, c.w)
        fir(
            c,
            x,
            height_at(slope, x) + rng.uniform(0.0, 0.03),
            rng.uniform(0.05, 0.09),
            mix(p.leaf, p.dark, 0.4),
        )
    if lake:
        water(c, foot + 0.09, mix(p.water, p.sky, 0.4), mix(p.water, p.dark, 0.2), p.light, calm=True)
        c.mirror(foot + 0.09, 0.55, p.water)
    near = hill(c, 0.88 if lake else foot + 0.12, 0.05, mix(p.leaf, p.second, 0.15), mix(p.leaf, p.dark, 0.3))
    if not lake and rng.random() < 0.7:
        x = rng.uniform(0.3, 0.7) * c.w
        house(
            c,
            x,
            height_at(near, x) + 0.06,
            0.16,
            0.065,
            mix(p.earth, p.light, 0.3),
            mix(p.earth, p.dark, 0.5),
        )
    grass(c, 0.9, (p.leaf, mix(p.leaf, p.second, 0.4), mix(p.leaf, p.dark, 0.3)), 90)
    d = rng.choice((-1, 1))
    for k in range(rng.randint(2, 5)):
        fir(c, c.w / 2 + d * c.w * (0.46 - 0.09 * k), 0.99 - 0.015 * k, rng.uniform(0.28, 0.48))


def fjord(c: Canvas) -> None:
    p, rng = c.palette, c.rng
    line = rng.uniform(0.5, 0.6)
    mood = sky(c, line)
    x = c.w * rng.uniform(0.4, 0.6)
    if mood != DAY:
        sun(c, x, line - 0.1, 0.04, mix(p.second, p.light, 0.5), p.second)
    for layer in range(4):
        t = layer / 3
        d = 1 if layer % 2 else -1
        edge = c.w / 2 + d * (c.w / 2 + 0.05)
        reach, top = c.w * (0.62 - 0.05 * layer), line - rng.uniform(0.2, 0.3) - 0.08 * t
        tone = mix(mix(p.leaf, p.water, 0.5), p.sky, 0.65 - 0.55 * t)
        slope = roughen(
            rng,
            [
                (edge, top),
                (edge - d * reach * 0.35, top + 0.07),
                (edge - d * reach * 0.6, line - 0.11),
                (edge - d * reach, line),
                (edge, line),
            ],
            0.012,
        )
        c.fill(slope, mix(tone, p.glow, 0.15), mix(tone, p.dark, 0.2))
        if layer < 2:
            c.veil(line - 0.12, line, mix(p.sky, p.light, 0.6), 0.0, 0.5)
    water(c, line, mix(p.water, p.sky, 0.5), mix(p.water, p.dark, 0.3), p.light, calm=True)
    c.mirror(line, 0.6, p.water)
    if mood != DAY:
        glitter(c, x, line, mix(p.second, p.light, 0.5), 0.035)
    d = rng.choice((-1, 1))
    for k in range(3):
        house(
            c,
            c.w / 2 + d * c.w * (0.2 + 0.13 * k),
            line + 0.012,
            0.07,
            0.03,
            rng.choice((p.accent, p.light, p.second)),
            p.dark,
        )
    bank = hill(c, 0.92, 0.04, mix(p.leaf, p.earth, 0.3), mix(p.leaf, p.dark, 0.5))
    for k in range(rng.randint(2, 4)):
        px = c.w / 2 - d * c.w * (0.45 - 0.1 * k)
        fir(c, px, height_at(bank, px) + 0.03, rng.uniform(0.25, 0.42))
    birds(c, 3, 0.1, 0.3, p.dark)


def snow_peak(c: Canvas) -> None:
    p, rng = c.palette, c.rng
    mood = sky(c, 0.72, "day gold dusk", clouds=False)
    x, top = c.w * rng.uniform(0.4, 0.6), rng.uniform(0.16, 0.26)
    if rng.random() < 0.6:
        sun(
            c,
            c.w - x + rng.choice((-0.2, 0.2)),
            rng.uniform(0.12, 0.3),
            0.05,
            p.accent if mood == DAY else p.second,
            p.glow,
        )
    tone = mix(p.water, p.sky, 0.35) if mood == DAY else mix(p.water, p.accent, 0.3)

    def slope(side: int) -> Points:
        return [
            (x + side * (0.045 + 0.62 * t**1.7) * c.w * 0.9, top + 0.56 * t)
            for t in (k / 12 for k in range(13))
        ]

    left, right = slope(-1), slope(1)
    c.fill([*left, *reversed(right)], tone, mix(tone, p.glow, 0.6))
    cap: Points = [*reversed(left[:5])] + right[:5]
    teeth: Points = []
    for k in range(1, 11):
        t = k / 11
        px = right[4][0] + (left[4][0] - right[4][0]) * t
        teeth.append((px, right[4][1] + (0.07 if k % 2 else -0.05) * rng.uniform(0.5, 1.2)))
    c.fill([*cap, *teeth], p.light, mix(p.light, p.sky, 0.25))
    for k in range(rng.randint(2, 4)):
        y = 0.45 + 0.08 * k
        c.fill(
            blob(rng, rng.uniform(0, c.w), y, rng.uniform(0.2, 0.45), 0.014, 0.35), mix(p.light, p.glow, 0.5)
        )
    for k in range(3):
        line = hill(
            c,
            0.68 + 0.1 * k,
            0.03,
            mix(mix(p.leaf, p.dark, 0.15 * k), p.sky, 0.4 - 0.2 * k),
            mix(p.leaf, p.dark, 0.3),
        )
        for _ in range(12 - 3 * k):
            px = rng.uniform(0, c.w)
            fir(c, px, height_at(line, px) + 0.02, (0.06 + 0.05 * k) * rng.uniform(0.8, 1.3))
    if rng.random() < 0.6:
        edge = rng.choice((-1, 1))
        for _ in range(26):  # a flowering branch from the corner
            t = rng.random()
            px, py = c.w / 2 + edge * c.w * (0.5 - 0.45 * t), 0.05 + 0.1 * t + rng.gauss(0, 0.03)
            c.oval(px, py, 0.014, 0.014, vary(rng, mix(p.accent, p.light, 0.6), 0.04))
        c.stroke(
            [
                (c.w / 2 + edge * c.w * 0.52, 0.03),
                (c.w / 2 + edge * c.w * 0.3, 0.09),
                (c.w / 2 + edge * c.w * 0.06, 0.14),
            ],
            0.009,
            p.dark,
        )
    birds(c, 4, 0.3, 0.45, p.dark)


def waterfall(c: Canvas) -> None:
    p, rng = c.palette, c.rng
    sky(c, 0.4, "day day gold")
    x, top = c.w * rng.uniform(0.42, 0.58), rng.uniform(0.22, 0.3)
    peak(c, x + rng.choice((-0.25, 0.25)), 0.5, 0.42 * c.w, 0.07, mix(p.water, p.earth, 0.4), p.light)
    rock = mix(p.earth, p.dark, 0.45)
    width = rng.uniform(0.06, 0.09)
    for d in (-1, 1):
        edge = c.w / 2 + d * (c.w / 2 + 0.06)
        for k in range(3):
            inner = x + d * (width * 0.9 + 0.05 * k)
            cliff = [
                (edge, top - 0.05 + 0.13 * k),
                (inner + d * 0.1, top + 0.02 + 0.15 * k),
                (inner, top + 0.03 + 0.16 * k),
                (inner - d * 0.01, 0.8),
                (edge, 0.85),
            ]
            tone = mix(rock, p.leaf, 0.5 if k == 0 else 0.2)
            c.fill(
                cliff, mix(tone, p.glow, 0.2 if d == -c.sun else 0.4), mix(tone, p.dark, 0.45), rough=0.012
            )
        for _ in range(9):
            px = x + d * rng.uniform(width * 1.6, 0.5 * c.w)
            fir(c, px, top + rng.uniform(0.02, 0.22), rng.uniform(0.09, 0.17))
    c.fill(
        [(x - width * 0.7, top + 0.02), (x + width * 0.7, top + 0.02), (x + width, 0.78), (x - width, 0.78)],
        p.light,
        mix(p.light, p.sky, 0.3),
    )
    for _ in range(46):
        px, py = x + rng.uniform(-0.85, 0.85) * width, rng.uniform(top + 0.02, 0.7)
        c.stroke(
            [(px, py), (px + rng.uniform(-0.004, 0.004), py + rng.uniform(0.04, 0.14))],
            0.006,
            mix(p.light, p.water, rng.uniform(0, 0.55)),
        )
    water(c, 0.78, mix(p.water, p.light, 0.3), mix(p.water, p.dark, 0.35), p.light)
    for _ in range(5):
        c.glow(x + rng.gauss(0, width), 0.78 + rng.uniform(-0.02, 0.03), width * 1.8, 0.07, p.light, 0.6)
    for _ in range(rng.randint(5, 9)):
        px, py, s = rng.uniform(0, c.w), rng.uniform(0.82, 0.99), rng.uniform(0.04, 0.09)
        c.form(blob(rng, px, py, s, s * 0.6, 0.2, 8), mix(rock, p.dark, 0.4), mix(rock, p.glow, 0.45), 5)


def birch_wood(c: Canvas) -> None:
    p, rng = c.palette, c.rng
    foot = rng.uniform(0.68, 0.78)
    leaves = rng.choice(
        ((p.second, mix(p.second, p.accent, 0.5)), (p.leaf, mix(p.leaf, p.second, 0.5)), (p.second, p.leaf))
    )
    c.backdrop(
        (0, mix(p.sky, leaves[0], 0.3)), (0.4, mix(p.glow, leaves[0], 0.25)), (foot, mix(p.leaf, p.glow, 0.4))
    )
    for _ in range(14):
        crown(
            c,
            rng.uniform(0, c.w),
            rng.uniform(0.1, 0.5),
            rng.uniform(0.12, 0.2),
            rng.uniform(0.1, 0.2),
            mix(mix(leaves[0], p.leaf, 0.4), p.sky, 0.35),
            mix(leaves[1], p.glow, 0.6),
        )
    for _ in range(14):
        birch(c, rng.uniform(0, c.w), foot + 0.02, 1.0, rng.uniform(0.008, 0.015))
    c.veil(foot - 0.35, foot, p.glow, 0.0, 0.45)
    ground = mix(p.leaf, p.earth, 0.4)
    hill(c, foot, 0.02, mix(ground, p.glow, 0.35), mix(ground, p.dark, 0.35))
    if rng.random() < 0.5:
        x = c.w / 2
        c.fill(
            [
                (x - 0.02, foot + 0.01),
                (x + 0.03, foot + 0.01),
                (x + 0.05, 0.84),
                (x + 0.3, 1.02),
                (x - 0.2, 1.02),
                (x - 0.06, 0.84),
            ],
            mix(p.earth, p.glow, 0.45),
            mix(p.earth, p.glow, 0.2),
            rough=0.006,
        )
    for k in range(rng.randint(5, 8)):
        t = k / 8
        birch(c, rng.uniform(0.02, 0.98) * c.w, foot + 0.05 + 0.24 * t, 1.2, 0.024 + 0.03 * t)
    c.dabs(150, (0, -0.02, c.w, 0.4), 0.03, 0.014, (*leaves, mix(leaves[0], p.light, 0.35)), spread=1.5)
    c.dabs(120, (0, foot + 0.02, c.w, 1), 0.028, 0.009, (*leaves, mix(ground, p.dark, 0.3)), spread=0.8)


def sunset(c: Canvas) -> None:
    p, rng = c.palette, c.rng
    line = rng.uniform(0.52, 0.64)
    sky(c, line, "gold dusk gold")
    x = c.w * rng.uniform(0.3, 0.7)
    sun(
        c,
        x,
        line - rng.uniform(0.02, 0.14),
        rng.uniform(0.06, 0.09),
        mix(p.second, p.light, 0.45),
        mix(p.second, p.accent, 0.3),
    )
    for k in range(3):
        tone = mix(mix(p.dark, p.accent, 0.35), p.glow, 0.5 - 0.2 * k)
        top = ridge(rng, c.w, line - 0.07 + 0.03 * k, 0.035, 5)
        c.fill([*top, (c.w + 0.05, line + 0.002), (-0.05, line + 0.002)], tone, mix(tone, p.glow, 0.25))
    water(
        c,
        line,
        mix(p.glow, p.accent, 0.35),
        mix(p.water, p.dark, 0.45),
        mix(p.second, p.light, 0.4),
        calm=True,
    )
    c.mirror(line, 0.4, mix(p.water, p.accent, 0.3))
    glitter(c, x, line, mix(p.second, p.light, 0.35), 0.07)
    bank = hill(c, 0.93, 0.03, mix(p.dark, p.leaf, 0.2), p.dark)
    d = 1 if x < c.w / 2 else -1
    for k in range(rng.randint(1, 3)):
        px = c.w / 2 + d * c.w * (0.42 - 0.14 * k)
        s = rng.uniform(0.45, 0.7) / (1 + 0.4 * k)
        foot = height_at(bank, px) + 0.02
        c.stroke([(px, foot), (px + 0.01, foot - 0.6 * s)], 0.045 * s, p.dark)
        crown(
            c, px, foot - 0.66 * s, 0.34 * s, 0.27 * s, mix(p.dark, p.leaf, 0.25), mix(p.dark, p.accent, 0.4)
        )
    for _ in range(40):
        px = rng.uniform(0, c.w)
        c.stroke(
            [(px, 1.0), (px + rng.gauss(0, 0.02), 0.93 - abs(rng.gauss(0, 0.05)) + 0.02 * math.sin(px * 9))],
            0.005,
            p.dark,
        )
    birds(c, rng.randint(3, 7), 0.12, 0.35, p.dark)


MOUNTAINS = {
    "alps": Motif(alps, "wide"),
    "fjord": Motif(fjord, "wide"),
    "snow peak": Motif(snow_peak, "wide"),
    "waterfall": Motif(waterfall, "tall"),
    "birch wood": Motif(birch_wood, "even"),
    "sunset": Motif(sunset, "wide"),
}
