"""Mountains, fjords, waterfalls, woods."""

from __future__ import annotations

from gallery.datasets.painter.canvas import Canvas, Points, blob, ridge, roughen
from gallery.datasets.painter.colours import Colour, mix, vary
from gallery.datasets.painter.motifs.buildings import house
from gallery.datasets.painter.motifs.motif import Motif
from gallery.datasets.painter.motifs.outdoors import DAY, birds, glitter, height_at, hill, sky, sun, water
from gallery.datasets.painter.motifs.trees import fir, grass


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
        way = rng.choice((-1, 1))
        px = x + way * half * t * rng.uniform(0.1, 0.85)
        py = top + height * (t + 0.06)
        tone = mix(rock, p.dark, rng.uniform(0.2, 0.5)) if way != d else mix(rock, p.light, 0.3)
        c.stroke([(px, py), (px + way * 0.06 * half, py + 0.07 * height)], 0.006, tone)


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
    for _ in range(34):
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
    cap: Points = [*reversed(left[:5]), *right[:5]]
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


MOUNTAINS = {
    "alps": Motif(alps, "wide"),
    "fjord": Motif(fjord, "wide"),
    "snow peak": Motif(snow_peak, "wide"),
}
