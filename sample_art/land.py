"""Land and water: hills, mountains, fields, roads, streets, rivers and seas."""

from __future__ import annotations

import math
from itertools import pairwise

from sample_art.canvas import Canvas, Range
from sample_art.layers import Thing, layer
from sample_art.palettes import Color, Ink
from sample_art.plants import crown, fir, leaf, poppy
from sample_art.shapes import Point, Points, Pose, arc, blob, height_at, points, ridge, roughen, smooth
from sample_art.stamps import window
from sample_art.things import HOUSE, LIGHTHOUSE, street_lamp, town_house


@layer
def hills(
    c: Canvas,
    y: Range,
    height: float,
    top: Ink,
    foot: Ink,
    rounds: int = 4,
    calm: float = 0.4,
    rest: str = "line",
) -> None:
    """A range of hills from its skyline to the foot of the image, `y` below the horizon (`rest` "page": in it)."""
    c.skyline = ridge(c.rng, c.w, c.some(y) + (c.line if rest == "line" else 0), height, rounds, calm)
    c.fill([*c.skyline, (c.w + 0.05, 1.02), (-0.05, 1.02)], top, foot)


@layer
def far_shore(
    c: Canvas,
    rise: Range = (0.02, 0.06),
    height: float = 0.025,
    top: Ink = "leaf+sky.6",
    foot: Ink = "water+light.25",
) -> None:
    """Hills that end at the horizon."""
    shore = ridge(c.rng, c.w, c.line - c.some(rise), height, 5, 0.5)
    c.fill([*shore, (c.w + 0.05, c.line + 0.002), (-0.05, c.line + 0.002)], top, foot)


@layer
def peaks(
    c: Canvas, places: tuple[float, ...], half: Range, top: Range, snow: Ink = "light", depth: float = 0.55
) -> None:
    """Mountains standing on the horizon; the last is the highest. Late light tints their snow."""
    white = c.color(snow) if c.day else c.mix(snow, "accent", 0.22)
    for k, place in enumerate(places):
        last = k == len(places) - 1
        wide = c.some(half) * c.w * (1.15 if last else 0.9)
        summit = c.some(top) + (0 if last else 0.1)
        _peak(c, (place + c.rng.uniform(-0.07, 0.07)) * c.w, summit, wide, white, depth)


def _peak(c: Canvas, x: float, top: float, half: float, snow: Color, depth: float) -> None:
    """A mountain from its summit (x, top): a lit and a shaded face, snow on both down to the share `depth`."""
    rng, d, height = c.rng, c.sun, c.line + 0.02 - top
    rock = c.color("water+earth.4+sky.25")
    pose = Pose(x, top, 1)

    def flank(side: int) -> list[Point]:
        steps = (
            (side * (k / 8) ** 1.08 + rng.uniform(-0.05, 0.05), k / 8 + rng.uniform(-0.02, 0.02))
            for k in range(1, 9)
        )
        return pose.of([(0, 0), *((px * half, py * height) for px, py in steps)])

    lit, shaded = flank(d), flank(-d)
    spine = pose.of(
        [(0, 0), *((half * (rng.uniform(-0.09, 0.09) - d * 0.02 * k), height * k / 6) for k in range(1, 7))]
    )
    c.fill([*lit, *reversed(shaded)], c.mix(rock, "glow", 0.25), c.mix(rock, "sky", 0.35))
    c.fill(
        [*shaded, *reversed(spine)], c.mix(rock, "dark", 0.35), c.mix(c.mix(rock, "dark", 0.35), "sky", 0.4)
    )
    deep = depth * height
    for face, tone in ((lit, snow), (shaded, c.mix(snow, "sky", 0.55))):
        edge = [point for point in face if point[1] < top + deep * 1.15]
        inner = [point for point in spine if point[1] < top + deep]
        (ax, ay), (bx, by) = edge[-1], inner[-1]
        teeth = []
        for k in range(1, 8):
            drop = (0.16 if k % 2 else -0.2) * deep * rng.uniform(0.6, 1.3)
            teeth.append((ax + (bx - ax) * k / 8, ay + (by - ay) * k / 8 + drop))
        c.fill([*edge, *teeth, *reversed(inner)], tone, c.mix(tone, "sky", 0.2))
    for _ in range(14):
        t, way = rng.uniform(0.1, 0.9), c.side()
        px, py = x + way * half * t * rng.uniform(0.1, 0.85), top + height * (t + 0.06)
        tone = c.mix(rock, "light", 0.3) if way == d else c.mix(rock, "dark", rng.uniform(0.2, 0.5))
        c.stroke([(px, py), (px + way * 0.06 * half, py + 0.07 * height)], 0.006, tone)


@layer
def cone(c: Canvas, x: Range, top: Range) -> None:
    """A single volcano with a cap of snow."""
    at, summit = c.some(x) * c.w, c.some(top)
    tone = c.color("water+sky.35" if c.day else "water+accent.3")
    left, right = (
        [
            (at + side * (0.045 + 0.62 * (k / 12) ** 1.7) * c.w * 0.9, summit + 0.56 * k / 12)
            for k in range(13)
        ]
        for side in (-1, 1)
    )
    c.fill([*left, *reversed(right)], tone, c.mix(tone, "glow", 0.6))
    (lx, y), (rx, _) = left[4], right[4]
    drops = ((k / 11, (0.07 if k % 2 else -0.05) * c.rng.uniform(0.5, 1.2)) for k in range(1, 11))
    teeth = [(rx + (lx - rx) * t, y + drop) for t, drop in drops]
    c.fill([*reversed(left[:5]), *right[:5], *teeth], "light", "light+sky.25")


@layer
def slopes(c: Canvas, count: int, near: Ink, far: Ink = "sky") -> None:
    """Steep shores from both sides down to the horizon, the nearer ones darker."""
    for k in range(count):
        t = k / (count - 1)
        side = 1 if k % 2 else -1
        tone, reach = c.mix(near, far, 0.65 - 0.55 * t), c.w * (0.62 - 0.05 * k)
        top = -c.rng.uniform(0.2, 0.3) - 0.08 * t
        edge = [(0, top), (-0.35 * reach, top + 0.07), (-0.6 * reach, -0.11), (-reach, 0), (0, 0)]
        shape = Pose(c.w / 2 + side * (c.w / 2 + 0.05), c.line, 1, side).of(edge)
        c.fill(roughen(c.rng, shape, 0.012), c.mix(tone, "glow", 0.15), c.mix(tone, "dark", 0.2))
        if k < 2:
            c.veil(c.line - 0.12, c.line, "sky+light.6", 0.0, 0.5)


@layer
def mesas(c: Canvas, count: int) -> None:
    for k in range(count):
        half, rise = c.rng.uniform(0.12, 0.25), c.rng.uniform(0.12, 0.24)
        pose = Pose(c.rng.uniform(0.1, 0.9) * c.w, c.line + 0.02, half)
        top = -(rise + 0.02) / half
        outline = [
            (-1, 0),
            (-0.62, top * 0.8),
            (-0.55, top),
            (0.55, top * 0.98),
            (0.64, top * 0.78),
            (1.1, 0),
        ]
        c.fill(pose.of(outline), c.mix("accent", "glow", 0.5 - 0.2 * k), "earth+accent.4", rough=0.005)
        for y in (top * share for share in (0.75, 0.58, 0.4)):
            c.stroke(pose.of([(-0.68, y), (0.7, y)]), 0.006, "accent+dark.25")


@layer
def path(
    c: Canvas, x: Range, y: float, sway: float = 0.0, width: float = 0.13, ink: Ink = "glow+earth.35"
) -> None:
    """A road from `y` below the horizon to the foot of the image, winding by `sway`."""
    at, bend, road = c.some(x) * c.w, c.side() * sway, c.color(ink)
    left: list[Point] = []
    right: list[Point] = []
    for t in (k / 15 for k in range(16)):
        px, py = at + bend * math.sin(t * 5.2) * (0.35 + t), c.line + y + (1.04 - c.line - y) * t
        left.append((px - 0.008 - width * t**2, py))
        right.append((px + 0.008 + width * t**2, py))
    c.fill([*left, *reversed(right)], c.mix(road, "light", 0.3), c.mix(road, "earth", 0.35))


@layer
def field(c: Canvas, y: float, upper: Ink, lower: Ink, furrows: Ink | None = None) -> None:
    """Flat land from `y` below the horizon to the foot of the image, its rows meeting far away."""
    c.band(c.line + y, 1.0, upper, lower)
    for x in ((k / 15 * 2.4 - 0.7) * c.w for k in range(16) if furrows):
        c.stroke([(c.w / 2 + (x - c.w / 2) * 0.3, c.line + y + 0.005), (x, 1.02)], 0.012, furrows or "earth")


@layer
def rows_down(c: Canvas, ink: Ink) -> None:
    """Furrows or vines down the last hill."""
    for x in (k / 13 * c.w for k in range(14)):
        y = c.ground(x)
        c.stroke([(x, y + 0.01), (x + (x - c.w / 2) * 0.22, y + 0.1)], 0.006, ink)


@layer
def grass(c: Canvas, y: float, count: int, ink: Ink, rest: str = "line", length: float = 0.06) -> None:
    """Blades from `y` to the foot of the image."""
    top = y + (c.line if rest == "line" else 0)
    c.dabs(count, (-0.02, top, c.w + 0.02, 1.03), length, length / 8, ink, -math.pi / 2, 0.35)


@layer
def marks(
    c: Canvas,
    count: int,
    y: float,
    length: float,
    width: float,
    ink: Ink,
    angle: float = 0.0,
    spread: float = 0.3,
) -> None:
    """Brush marks from `y` below the horizon to the foot of the image."""
    c.dabs(count, (0, c.line + y, c.w, 1.02), length, width, ink, angle, spread)


@layer
def bank(c: Canvas, shape: str, top: Ink, foot: Ink, side: int = 0) -> None:
    """A rounded piece of land: points from the left edge in widths and image heights, mirrored at random."""
    flip = side or c.side()
    edge = [((x if flip > 0 else 1 - x) * c.w, y) for x, y in Pose(0, 0, 1).of(shape)]
    c.fill(smooth(edge), top, foot)
    c.bank = flip


@layer
def veil(c: Canvas, top: float, foot: float, ink: Ink, strength: float) -> None:
    """Mist that thickens from `top` to `foot`, both below the horizon."""
    c.veil(c.line + top, c.line + foot, ink, 0.0, strength)


@layer
def water(
    c: Canvas,
    far: Ink,
    near: Ink,
    glint: Ink = "light",
    y: float = 0.0,
    waves: int = 90,
    mirror: float = 0.0,
    tint: Ink = "water",
    glitter: float = 0.0,
) -> None:
    """Water from `y` below the horizon to the foot of the image, with rows of small waves.

    `mirror` is how strongly it reflects what is above it, `glitter` how wide the path of the sun or moon is.
    """
    rng, line = c.rng, c.line + y
    upper, lower, bright = c.color(far), c.color(near), c.color(glint)
    c.band(line, 1.0, upper, lower)
    for t in (0.2, 0.4, 0.6, 0.8):
        c.glows(1, (0, 1), (line + 0.05, 1), (0.3, 0.6), 0.06, c.mix(upper, lower, t), 0.6)
    for tone in (bright, c.mix(upper, bright, 0.4), c.mix(lower, "dark", 0.25), lower):
        c.dabs(waves // 4, (-0.02, line + 0.008, c.w + 0.02, 1.0), 0.075, 0.006, tone, spread=0.06)
    if mirror:
        c.mirror(line, mirror, tint)
    if not glitter or c.orb is None:
        return
    for t in ((k / 60) ** 1.3 for k in range(60)):
        half, px = (
            (0.25 + t) * glitter * rng.uniform(0.4, 1.3),
            c.orb + rng.gauss(0, 0.5) * glitter * (0.3 + 1.2 * t),
        )
        wave = line + 0.006 + (1 - line) * t
        c.stroke([(px - half, wave), (px + half, wave)], 0.003 + 0.006 * t, "orb")


@layer
def heavy_seas(c: Canvas, ship: Thing) -> None:
    """Six rows of steep waves with foam, a ship between them."""
    rng = c.rng
    for row in range(6):
        t, phase = row / 5, rng.uniform(0, math.tau)
        y, height, length = 0.5 + 0.42 * t, 0.02 + 0.05 * t, 0.35 + 0.4 * t
        if row == 2:
            ship(c, c.orb or c.w / 2, y, rng.uniform(0.36, 0.46))
        crest = []
        for px in (-0.05 + (c.w + 0.1) * k / 49 for k in range(50)):
            s = abs(math.sin(px * math.tau / length + phase)) ** 1.4
            crest.append((px, y - height * (s * 1.5 - 0.5 + 0.25 * math.sin(px * 17 + phase))))
        tone = c.mix("water+sky.3", "dark", 0.15 + 0.4 * t)
        c.fill(
            [*crest, (c.w + 0.05, 1.02), (-0.05, 1.02)], c.mix(tone, "light", 0.25), c.mix(tone, "dark", 0.4)
        )
        for a, b in pairwise(crest):
            if rng.random() < 0.65 and a[1] < y:
                c.stroke(
                    [a, b], 0.006 + 0.014 * t * rng.random(), c.mix("light", "water", rng.uniform(0, 0.35))
                )
        c.dabs(12, (0, y, c.w, y + 0.06), 0.09, 0.01, c.mix(tone, "light", 0.55))


@layer
def surf(c: Canvas, y: float) -> None:
    """A beach: sand up to a slanting line of surf at `y` in the image."""
    slant = 0.14 * c.side()
    shore = [
        (-0.05 + (c.w + 0.1) * k / 12, y + slant * (k / 12 - 0.5) + 0.018 * math.sin(k * 1.3))
        for k in range(13)
    ]
    bands = ((0.03, "water+light.5"), (0.014, "light"), (0.0, "glow+earth.5"), (-0.025, "glow+earth.25"))
    for lift, ink in bands:
        land: Points = [*((px, py - lift) for px, py in shore), (c.w + 0.05, 1.02), (-0.05, 1.02)]
        c.fill(land, ink, c.mix(ink, "glow", 0.3) if lift < 0 else None)
    c.dabs(70, (0, y + 0.12, c.w, 1), 0.05, 0.006, "glow+light.5 earth+glow.4", spread=0.2)


@layer
def street(
    c: Canvas, walls: str, gables: str, width: Range, height: Range, y: float = 0.0, gap: Thing | None = None
) -> None:
    """A front of narrow houses along the whole width; `gap` stands where one in three is missing."""
    x = -0.05
    while x < c.w:
        w = c.some(width)
        if gap and c.rng.random() < 0.35:
            gap(c, x + w / 2, c.line + y, 0.26)
        else:
            town_house(c, x, c.line + y, w, c.some(height), c.vary(walls), c.rng.choice(gables.split()))
        x += w + 0.003


@layer
def terraces(
    c: Canvas, slope: str, house: Thing, rows: int, size: tuple[float, float], gap: Thing | None = None
) -> None:
    """Rows of houses on a slope, the nearest last; `slope` has points in widths and image heights, as in `bank`."""
    for row in range(rows):
        s = size[0] + (size[1] - size[0]) * row / (rows - 1)
        x = c.rng.uniform(-0.08, 0.0)
        while x < c.w + 0.08:
            share = x / c.w if c.bank > 0 else 1 - x / c.w
            y = height_at(points(slope), share) + 0.07 + 0.088 * row + c.rng.uniform(-0.012, 0.012)
            if y < 1.14:
                thing = house if gap is None or c.rng.random() < 0.86 else gap
                thing(c, x, y, s * c.rng.uniform(0.85, 1.2))
            x += s * c.rng.uniform(0.8, 1.05)


@layer
def avenue(c: Canvas) -> None:
    """A street at night that runs away from the viewer: house fronts with lit windows, lamps, wet stones."""
    rng, night = c.rng, c.color("sky+water.4+dark.55")
    x0, y0 = c.w * rng.uniform(0.42, 0.58), c.line
    stones = c.color("earth+water.4+dark.4")
    c.fill(
        [(x0 - 0.03, y0), (x0 + 0.03, y0), (c.w * 1.1, 1.05), (-0.1 * c.w, 1.05)],
        c.mix(stones, "glow", 0.35),
        c.mix(stones, "dark", 0.3),
    )
    for side in (-1, 1):
        reach = (x0 if side < 0 else c.w - x0) - 0.05
        near = [(k / 5) ** 1.25 for k in range(6)]
        for t0, t1 in pairwise(near):
            xa, xb = (x0 + side * (0.07 + reach * t) for t in (t0, t1))
            ga, gb = (y0 + 0.02 + 0.44 * t for t in (t0, t1))
            high = rng.uniform(0.85, 1.2)
            ta, tb = ga - (0.15 + 0.6 * t0) * high, gb - (0.15 + 0.6 * t1) * high
            wall = c.mix("accent earth second water accent+earth.5 leaf", night, 0.4)
            front = [(xa, ta), ((xa + xb) / 2, min(ta, tb) - 0.03 - 0.05 * t1), (xb, tb), (xb, gb), (xa, ga)]
            c.fill(front, wall, c.mix(wall, "dark", 0.35), rough=0.003)
            for u, v in ((u, v) for v in (0.2, 0.46, 0.72) for u in (0.3, 0.7)):
                top, foot = ta + (tb - ta) * u, ga + (gb - ga) * u
                glass = c.vary("second", 0.06) if rng.random() < 0.6 else c.mix(night, "dark", 0.5)
                size = abs(xb - xa) * 0.17, (foot - top) * 0.13
                window(c, xa + (xb - xa) * u, top + (foot - top) * v, *size, c.mix(wall, "dark", 0.4), glass)
    for t in (0.14, 0.42, 0.9):
        for side in (-1, 1):
            street_lamp(c, x0 + side * (0.05 + 0.36 * t * c.w), y0 + 0.04 + 0.38 * t, 0.14 + 0.3 * t)
    for _ in range(60):
        t, tone = rng.random(), c.mix("second accent glow", stones, 0.35)
        x = x0 + rng.uniform(-0.5, 0.5) * c.w * t
        c.stroke([(x, y0 + 0.05 + 0.42 * t), (x + rng.gauss(0, 0.004), y0 + 0.07 + 0.47 * t)], 0.006, tone)


@layer
def waterfall(c: Canvas, top: Range) -> None:
    """Cliffs on both sides of falling water, and spray at its foot."""
    rng, y = c.rng, c.some(top)
    x, width = c.w * rng.uniform(0.42, 0.58), rng.uniform(0.06, 0.09)
    for side in (-1, 1):
        edge = abs(c.w / 2 + side * (c.w / 2 + 0.06) - x)
        for k in range(3):
            inner = width * 0.9 + 0.05 * k
            cliff = [
                (edge, y - 0.05 + 0.13 * k),
                (inner + 0.1, y + 0.02 + 0.15 * k),
                (inner, y + 0.03 + 0.16 * k),
                (inner - 0.01, 0.8),
                (edge, 0.85),
            ]
            tone = c.color("earth+dark.45+leaf.5" if k == 0 else "earth+dark.45+leaf.2")
            shape = [(x + side * px, py) for px, py in cliff]
            c.fill(
                shape,
                c.mix(tone, "glow", 0.2 if side == -c.sun else 0.4),
                c.mix(tone, "dark", 0.45),
                rough=0.012,
            )
        for _ in range(9):
            fir(
                c,
                x + side * rng.uniform(width * 1.6, 0.5 * c.w),
                y + rng.uniform(0.02, 0.22),
                rng.uniform(0.09, 0.17),
            )
    c.fill(
        [(x - width * 0.7, y + 0.02), (x + width * 0.7, y + 0.02), (x + width, 0.78), (x - width, 0.78)],
        "light",
        "light+sky.3",
    )
    for _ in range(46):
        px, py = x + rng.uniform(-0.85, 0.85) * width, rng.uniform(y + 0.02, 0.7)
        fall = [(px, py), (px + rng.uniform(-0.004, 0.004), py + rng.uniform(0.04, 0.14))]
        c.stroke(fall, 0.006, c.mix("light", "water", rng.uniform(0, 0.55)))
    c.line = 0.78
    water("water+light.3", "water+dark.35")(c)
    for _ in range(5):
        c.glow(x + rng.gauss(0, width), 0.78 + rng.uniform(-0.02, 0.03), width * 1.8, 0.07, "light", 0.6)


@layer
def islet(c: Canvas) -> None:
    """A rock in the sea with surf round it, a lighthouse and its keeper's house on it."""
    rng, side = c.rng, c.side()
    x, foot, base = c.w * (0.5 + side * rng.uniform(0.08, 0.22)), c.line + 0.16, c.line - 0.09
    for k in range(3):
        t = k / 3
        half, top = (0.62 - 0.34 * t) * c.w * 0.75, c.line - 0.02 - 0.1 * t
        outline = [
            (-1, foot + 0.02),
            (-0.8, top + 0.07),
            (-0.35, top),
            (0.35, top + 0.01),
            (0.75, top + 0.06),
            (1, foot + 0.03),
        ]
        shape = [(x + px * half, py) for px, py in outline]
        c.fill(
            shape,
            c.mix("earth+dark.45", "leaf" if k == 2 else "glow", 0.1 + 0.2 * t),
            "earth+dark.6",
            rough=0.012,
        )
    c.dabs(
        60,
        (x - 0.4 * c.w, foot - 0.02, x + 0.4 * c.w, foot + 0.05),
        0.07,
        0.012,
        "light water+light.6",
        spread=0.5,
    )
    HOUSE(c, x - side * 0.17, base + 0.03, 0.17, wall="light", roof="accent")
    tall = min(0.62, base - 0.06) * rng.uniform(0.88, 1)
    if not c.day:  # the beam
        for k in range(4):
            for way in (-1, 1):
                c.glow(x + way * 0.12 * (k + 1), base - 0.9 * tall, 0.25, 0.064 - 0.014 * k, "second", 0.35)
    LIGHTHOUSE(c, x, base + 0.02, tall)


@layer
def branches(c: Canvas, bird: Thing) -> None:
    """Branches from both sides with leaves, flowers and fruit, and birds perched on them."""
    rng = c.rng
    perches: list[Point] = []
    count = rng.choice((2, 3, 3))
    for k in range(count):
        side = -1 if k % 2 else 1
        y, edge = (
            0.36 + (0.62 - 0.04 * count) * k / (count - 1) + rng.uniform(-0.03, 0.03),
            c.w / 2 - side * c.w * 0.54,
        )
        limb = [
            (edge + side * t * c.w, y - 0.09 * math.sin(t * 2.4 + k) - 0.04 * t)
            for t in (j / 10 for j in range(11))
        ]
        for j, (a, b) in enumerate(pairwise(limb)):
            c.stroke([a, b], 0.03 * (1 - 0.075 * j), "earth+dark.5")
        for j, (x, yy) in enumerate(limb):
            for _ in range(4):
                leaf(c, x + rng.gauss(0, 0.02), yy, rng.uniform(0.06, 0.11), c.side() * rng.uniform(0.5, 2.2))
            if j in (3, 7):
                perches.append((x, yy))
            elif rng.random() < 0.45:
                at = x + rng.uniform(-0.03, 0.03), yy + rng.uniform(-0.06, 0.05)
                poppy(c, *at, rng.uniform(0.03, 0.05), "accent light accent+light.5")
            elif rng.random() < 0.5:
                c.form(blob(rng, x, yy + 0.05, 0.022, 0.024, 0.05), "accent+dark.3", "second+light.2", 4)
    rng.shuffle(perches)
    for x, y in perches[: rng.randint(2, min(5, len(perches)))]:
        bird(c, x, y, rng.uniform(0.2, 0.27))


@layer
def willow_pond(c: Canvas) -> None:
    """Still water seen from above, the willows round it reflected; with a bank and footbridge or without."""
    rng, top = c.rng, c.rng.choice((0.0, 0.16, 0.24))
    c.line = top
    c.backdrop((0, "water+leaf.4"), (0.5, "water+sky.35"), (1, "water+dark.25"))
    for _ in range(16):
        tone = "leaf+water.4 sky+water.4 glow+water.4 dark+water.4 accent+light.5+water.4"
        c.glows(1, (0, 1), (0, 1), (0.08, 0.2), (0.15, 0.4), tone, 0.5)
    for _ in range(26):
        x, y = rng.uniform(0, c.w), rng.uniform(top, 0.9)
        twig = [(x, y), (x + rng.gauss(0, 0.008), y + rng.uniform(0.08, 0.25))]
        c.stroke(twig, 0.008, c.mix("leaf", "water", rng.uniform(0.2, 0.6)))
    c.dabs(100, (0, top, c.w, 1), 0.08, 0.006, "water+light.5 sky water+dark.25", spread=0.05)
    for k in range(12 if top else 0):
        crown(
            c,
            k / 11 * c.w,
            top - 0.12,
            0.13,
            0.14,
            c.mix("leaf", "dark", 0.1 + 0.2 * rng.random()),
            "leaf+glow.45",
        )
    if top and rng.random() < 0.75:
        wood, rail = c.color("leaf+water.4 accent"), Pose(c.w / 2, top + 0.1, 1)
        for lift, width in ((0.0, 0.024), (0.07, 0.012)):
            curve = arc(0, -lift, 0.42 * c.w, 0.14, math.pi * 1.08, math.pi * 1.92)
            c.stroke(rail.of(curve), width, wood if lift else c.mix(wood, "dark", 0.25))
        for a in (math.pi * (1.1 + 0.1 * k) for k in range(9)):
            x, y = rail.at(0.42 * c.w * math.cos(a), 0.14 * math.sin(a))
            c.stroke([(x, y), (x, y - 0.075)], 0.008, wood)
