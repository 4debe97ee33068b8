"""Land and water: hills, mountains, fields, roads, streets, rivers and seas."""

from __future__ import annotations

import math
from itertools import pairwise

from sample_art.canvas import Canvas, Range
from sample_art.layers import layer
from sample_art.palettes import Color, Ink
from sample_art.shapes import Point, Points, Pose, height_at, points, ridge, roughen, smooth
from sample_art.stamps import stamp
from sample_art.things import leaf, thing, town_house


@layer
def hills(
    c: Canvas, y: Range, height: float, top: Ink, foot: Ink, rounds: int = 4, calm: float = 0.4
) -> None:
    """Paint hills from a skyline `y` below the horizon to the bottom of the image."""
    c.skyline = ridge(c.rng, c.w, c.line + c.some(y), height, rounds, calm)
    c.fill([*c.skyline, (c.w + 0.05, 1.02), (-0.05, 1.02)], top, foot)


@layer
def foreground(c: Canvas, y: float, height: float, top: Ink, foot: Ink) -> None:
    """Paint near hills with a skyline at height `y` in the image."""
    hills(c, y - c.line, height, top, foot)


@layer
def far_shore(
    c: Canvas,
    rise: Range = (0.02, 0.06),
    height: float = 0.025,
    top: Ink = "leaf+sky.6",
    foot: Ink = "water+light.25",
) -> None:
    """Paint hills that end at the horizon."""
    shore = ridge(c.rng, c.w, c.line - c.some(rise), height, 5, 0.5)
    c.fill([*shore, (c.w + 0.05, c.line + 0.002), (-0.05, c.line + 0.002)], top, foot)


@layer
def peaks(
    c: Canvas, half: Range, top: Range, *places: float, snow: Ink = "light", depth: float = 0.55
) -> None:
    """Paint mountains on the horizon at `places`; the last is the highest. Late light tints their snow."""
    white, last = c.color(snow) if c.day else c.mix(snow, "accent", 0.22), len(places) - 1
    for k, place in enumerate(places):
        wide, summit = (
            c.some(half) * c.w * (1.15 if k == last else 0.9),
            c.some(top) + (0 if k == last else 0.1),
        )
        _peak(c, (place + c.rng.uniform(-0.07, 0.07)) * c.w, summit, wide, white, depth)


def _peak(c: Canvas, x: float, top: float, half: float, snow: Color, depth: float) -> None:
    """Paint a mountain with summit (x, top): a lit and a shaded face, with snow down to the share `depth`."""
    rng, height, rock = c.rng, c.line + 0.02 - top, c.color("water+earth.4+sky.25")

    def down(side: float, steps: int, stray: float) -> list[Point]:
        line = [(x, top)]
        for t in (k / steps for k in range(1, steps + 1)):
            dx, dy = side * t**1.08 + rng.uniform(-stray, stray), t + rng.uniform(-0.02, 0.02)
            line.append((x + dx * half, top + dy * height))
        return line

    lit, shaded, spine = down(c.sun, 8, 0.05), down(-c.sun, 8, 0.05), down(-c.sun * 0.13, 6, 0.09)
    c.fill([*lit, *reversed(shaded)], c.mix(rock, "glow", 0.25), c.mix(rock, "sky", 0.35))
    c.fill(
        [*shaded, *reversed(spine)], c.mix(rock, "dark", 0.35), c.mix(c.mix(rock, "dark", 0.35), "sky", 0.4)
    )
    deep = depth * height
    for face, tone in ((lit, snow), (shaded, c.mix(snow, "sky", 0.55))):
        edge = [point for point in face if point[1] < top + deep * 1.15]
        inner = [point for point in spine if point[1] < top + deep]
        (ax, ay), (bx, by) = edge[-1], inner[-1]
        drops = ((k / 8, (0.16 if k % 2 else -0.2) * deep * rng.uniform(0.6, 1.3)) for k in range(1, 8))
        teeth = [(ax + (bx - ax) * t, ay + (by - ay) * t + drop) for t, drop in drops]
        c.fill([*edge, *teeth, *reversed(inner)], tone, c.mix(tone, "sky", 0.2))
    for _ in range(14):
        t, way = rng.uniform(0.1, 0.9), c.side()
        px, py = x + way * half * t * rng.uniform(0.1, 0.85), top + height * (t + 0.06)
        tone = c.mix(rock, "light", 0.3) if way == c.sun else c.mix(rock, "dark", rng.uniform(0.2, 0.5))
        c.stroke([(px, py), (px + way * 0.06 * half, py + 0.07 * height)], 0.006, tone)


@layer
def slopes(c: Canvas, count: int, near: Ink) -> None:
    """Paint steep shores from both sides down to the horizon; nearer ones are darker."""
    for k in range(count):
        t, reach = k / (count - 1), c.w * (0.62 - 0.05 * k)
        side = 1 if k % 2 else -1
        tone, top = c.mix(near, "sky", 0.65 - 0.55 * t), -c.rng.uniform(0.2, 0.3) - 0.08 * t
        edge = [(0, top), (-0.35 * reach, top + 0.07), (-0.6 * reach, -0.11), (-reach, 0), (0, 0)]
        shape = Pose(c.w / 2 + side * (c.w / 2 + 0.05), c.line, 1, side).of(edge)
        c.fill(roughen(c.rng, shape, 0.012), c.mix(tone, "glow", 0.15), c.mix(tone, "dark", 0.2))
        c.veil(c.line - 0.12, c.line, "sky+light.6", 0.0, 0.5 if k < 2 else 0)


@layer
def path(
    c: Canvas, x: Range, y: float, sway: float = 0.0, width: float = 0.13, ink: Ink = "glow+earth.35"
) -> None:
    """Paint a road from `y` below the horizon to the bottom of the image, winding by `sway`."""
    at, bend, road = c.some(x) * c.w, c.side() * sway, c.color(ink)
    middle = [(at + bend * math.sin(t * 5.2) * (0.35 + t), t) for t in (k / 15 for k in range(16))]
    edges = [
        (px + side * (0.008 + width * t**2), c.line + y + (1.04 - c.line - y) * t)
        for side, line in ((-1, middle), (1, reversed(middle)))
        for px, t in line
    ]
    c.fill(edges, c.mix(road, "light", 0.3), c.mix(road, "earth", 0.35))


@layer
def field(c: Canvas, y: float, upper: Ink, lower: Ink, furrows: Ink | None = None) -> None:
    """Paint flat land from `y` below the horizon to the bottom of the image, with converging furrows."""
    c.band(c.line + y, 1.0, upper, lower)
    for x in ((k / 15 * 2.4 - 0.7) * c.w for k in range(16 if furrows else 0)):
        c.stroke([(c.w / 2 + (x - c.w / 2) * 0.3, c.line + y + 0.005), (x, 1.02)], 0.012, furrows or upper)


@layer
def rows_down(c: Canvas, ink: Ink) -> None:
    """Paint furrows or vines down the last hill."""
    for x in (k / 13 * c.w for k in range(14)):
        c.stroke([(x, c.ground(x) + 0.01), (x + (x - c.w / 2) * 0.22, c.ground(x) + 0.1)], 0.006, ink)


@layer
def bank(c: Canvas, shape: str, top: Ink, foot: Ink) -> None:
    """Paint a rounded piece of land, mirrored at random; x of its points in widths, y in image heights."""
    c.bank = c.side()
    edge = [((x if c.bank > 0 else 1 - x) * c.w, y) for x, y in points(shape)]
    c.fill(smooth(edge), top, foot)


@layer
def veil(c: Canvas, top: float, foot: float, ink: Ink, strength: float) -> None:
    """Paint mist that thickens from `top` to `foot`, both below the horizon."""
    c.veil(c.line + top, c.line + foot, ink, 0.0, strength)


@layer
def strip(c: Canvas, top: float, foot: float, upper: Ink, lower: Ink) -> None:
    """Paint a band of color across the image, such as a quay, between two heights below the horizon."""
    c.band(c.line + top, c.line + foot, upper, lower)


@layer
def mirror(c: Canvas, y: float, strength: float, tint: Ink = "water") -> None:
    """Reflect what is above `y` in the water below it."""
    c.mirror(c.line + y, strength, tint)


@layer
def water(
    c: Canvas,
    far: Ink,
    near: Ink,
    glint: Ink = "light",
    y: float = 0.0,
    waves: int = 90,
    reflect: float = 0.0,
    tint: Ink = "water",
    glitter: float = 0.0,
) -> None:
    """Paint water from `y` below the horizon to the bottom of the image, with rows of small waves.

    `reflect` is the strength of reflections, and `glitter` the width of the glittering path below the sun or
    moon.
    """
    rng, line, upper, lower = c.rng, c.line + y, c.color(far), c.color(near)
    c.band(line, 1.0, upper, lower)
    for t in (0.2, 0.4, 0.6, 0.8):
        c.glows(1, (0, 1), (line + 0.05, 1), (0.3, 0.6), 0.06, c.mix(upper, lower, t), 0.6)
    for tone in (c.color(glint), c.mix(upper, glint, 0.4), c.mix(lower, "dark", 0.25), lower):
        c.dabs(waves // 4, (-0.02, line + 0.008, c.w + 0.02, 1.0), 0.075, 0.006, tone, spread=0.06)
    if reflect:
        c.mirror(line, reflect, tint)
    for t in ((k / 60) ** 1.3 for k in range(60 if glitter and c.orb is not None else 0)):
        half, stray = (
            (0.25 + t) * glitter * rng.uniform(0.4, 1.3),
            rng.gauss(0, 0.5) * glitter * (0.3 + 1.2 * t),
        )
        x, wave = (c.orb or 0) + stray, line + 0.006 + (1 - line) * t
        c.stroke([(x - half, wave), (x + half, wave)], 0.003 + 0.006 * t, "orb")


@layer
def wave(c: Canvas, y: float, height: float, length: float, shade: float) -> None:
    """Paint steep waves with foam from height `y` to the bottom of the image, darkened by `shade`."""
    phase, crest = c.rng.uniform(0, math.tau), []
    for px in (-0.05 + (c.w + 0.1) * k / 49 for k in range(50)):
        s = abs(math.sin(px * math.tau / length + phase)) ** 1.4
        crest.append((px, y - height * (s * 1.5 - 0.5 + 0.25 * math.sin(px * 17 + phase))))
    tone = c.mix("water+sky.3", "dark", shade)
    c.fill([*crest, (c.w + 0.05, 1.02), (-0.05, 1.02)], c.mix(tone, "light", 0.25), c.mix(tone, "dark", 0.4))
    for a, b in pairwise(crest):
        if c.rng.random() < 0.65 and a[1] < y:
            c.stroke([a, b], 0.006 + height * 0.2 * c.rng.random(), "light light+water.2 light+water.35")
    c.dabs(12, (0, y, c.w, y + 0.06), 0.09, 0.01, c.mix(tone, "light", 0.55))


@layer
def beach(c: Canvas, y: float) -> None:
    """Paint sand up to a slanting line of surf at height `y` in the image."""
    slant = 0.14 * c.side()
    shore = [
        (-0.05 + (c.w + 0.1) * k / 12, y + slant * (k / 12 - 0.5) + 0.018 * math.sin(k * 1.3))
        for k in range(13)
    ]
    for lift, ink in (
        (0.03, "water+light.5"),
        (0.014, "light"),
        (0.0, "glow+earth.5"),
        (-0.025, "glow+earth.25"),
    ):
        land: Points = [*((px, py - lift) for px, py in shore), (c.w + 0.05, 1.02), (-0.05, 1.02)]
        c.fill(land, ink, c.mix(ink, "glow", 0.3) if lift < 0 else None)
    c.dabs(70, (0, y + 0.12, c.w, 1), 0.05, 0.006, "glow+light.5 earth+glow.4", spread=0.2)


@layer
def street(c: Canvas, walls: str, gables: str, width: Range, height: Range, gap: str = "") -> None:
    """Paint a row of narrow houses along the horizon; `gap` replaces about one in three."""
    x = -0.05
    while x < c.w:
        w = c.some(width)
        if gap and c.rng.random() < 0.35:
            thing(gap)(c, x + w / 2, c.line, 0.26)
        else:
            town_house(c, x + w / 2, c.line, w, walls, c.rng.choice(gables.split()), c.some(height))
        x += w + 0.003


@layer
def terraces(
    c: Canvas, slope: str, houses: str, size: tuple[float, float], gap: str = "", **options: Ink
) -> None:
    """Paint seven rows of houses on a slope, nearest last; `slope` has points like those of a `bank`."""
    for row in range(7):
        s, x = size[0] + (size[1] - size[0]) * row / 6, c.rng.uniform(-0.08, 0.0)
        while x < c.w + 0.08:
            share = x / c.w if c.bank > 0 else 1 - x / c.w
            y = height_at(points(slope), share) + 0.07 + 0.088 * row + c.rng.uniform(-0.012, 0.012)
            if gap and c.rng.random() < 0.14:
                thing(gap)(c, x, y, s * 1.2)
            elif y < 1.14:
                thing(c.rng.choice(houses.split()))(c, x, y, s * c.rng.uniform(0.85, 1.2), **options)
            x += s * c.rng.uniform(0.8, 1.05)


@layer
def birds_on_branches(c: Canvas) -> None:
    """Paint two or three branches with leaves, flowers and fruit, and birds perched on them."""
    rng, count = c.rng, c.rng.choice((2, 3, 3))
    perches: list[Point] = []
    for k in range(count):
        side, y = -1 if k % 2 else 1, 0.36 + (0.62 - 0.04 * count) * k / (count - 1)
        stamp(c, "bough", c.w * (0.5 - 0.54 * side), y, c.w, flip=side, tall=0.9 / c.w)
        perches += [(c.w * (0.5 - side * x), y - 0.08) for x in (0.22, -0.16)]
        for px, py in ((c.w * rng.random(), y - 0.05) for _ in range(24)):
            leaf(c, px, py + rng.gauss(0, 0.02), rng.uniform(0.06, 0.11), c.side() * rng.uniform(0.5, 2.2))
        for px in (c.w * rng.random() for _ in range(4)):
            at, size = (px, y + rng.uniform(-0.13, -0.02)), rng.uniform(0.03, 0.05)
            stamp(c, "poppy", *at, size, {"petal": "accent light accent+light.5"})
    rng.shuffle(perches)
    for px, py in perches[: rng.randint(2, min(5, len(perches)))]:
        stamp(c, "songbird", px, py, rng.uniform(0.2, 0.27), flip=c.side())
