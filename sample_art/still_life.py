"""Rooms, tables, vessels and fruit, and the still lifes made of them."""

from __future__ import annotations

import math
from itertools import pairwise

from sample_art.canvas import Canvas
from sample_art.palettes import Color, Ink
from sample_art.plants import daisy, leaf, poppy, rose, sunflower, tulip
from sample_art.shapes import Pose, arc, blob, box, points, smooth
from sample_art.things import GUITAR

FRUITS = ("orange", "lemon", "apple", "lime", "pear", "peach", "plum")
_OUTLINES = {
    "pear": "0,-1.5 .3,-1.35 .42,-.8 .86,-.1 .85,.6 .4,.95 -.4,.95 -.85,.6 -.86,-.1 -.42,-.8 -.3,-1.35",
    "apple": "0,-.78 .45,-.98 .98,-.6 1,.1 .62,.88 .15,.98 -.15,.98 -.62,.88 -1,.1 -.98,-.6 -.45,-.98",
    "lemon": "-1.45,0 -1.1,-.5 -.45,-.88 .45,-.88 1.1,-.5 1.45,0 1.1,.5 .45,.88 -.45,.88 -1.1,.5",
}
# Profiles of vessels: (half the width, height) from the foot up, in heights of the vessel.
VASES = (
    ".2,0 .36,.45 .2,.85 .26,1",
    ".24,0 .4,.3 .12,.75 .22,1",
    ".22,0 .2,.3 .32,.95 .33,1",
    ".28,0 .38,.5 .28,.95 .3,1",
)
JUG, BOTTLE, GLASS = ".24,0 .4,.35 .2,.8 .26,1", ".2,0 .2,.55 .07,.75 .07,1", ".26,0 .3,.5 .34,1"
BOWL = ".24,0 .22,.1 .75,.3 1,.5"


def room(c: Canvas, table: float, dark: bool = False) -> None:
    """A wall and a table from `table` down to the foot of the image."""
    rng = c.rng
    wall = c.color("sky+light.3 glow+earth.25 leaf+light.35 accent+glow.6 water+light.2")
    wall = c.mix(wall, "dark", 0.75) if dark else wall
    c.backdrop((0, c.mix(wall, "dark", 0.12)), (table, wall))
    c.glow(c.w * (0.5 + 0.35 * c.sun), table * 0.4, 0.7, 0.6, c.mix(wall, "light", 0.6), 0.7)
    kind = rng.random()
    if kind < 0.3:
        _wallpaper(c, table, wall)
    elif kind < 0.55:
        _window(c, c.w * rng.choice((0.2, 0.8)), table * 0.72)
    elif kind < 0.75:
        _curtain(c, table, c.mix("accent water leaf", wall, 0.35))
    wood = c.color("earth+dark.1 light+earth.15 accent+earth.45 water+light.3")
    c.band(table, 1.0, c.mix(wood, "light", 0.22), c.mix(wood, "dark", 0.28))
    c.band(table - 0.006, table + 0.006, c.mix(wood, "dark", 0.4), c.mix(wood, "light", 0.1))
    if rng.random() < 0.45:
        tablecloth(c, table, "light second+light.3 water+light.4")


def _wallpaper(c: Canvas, table: float, wall: Color) -> None:
    step = c.rng.uniform(0.09, 0.14)
    for row in range(int(table / step) + 1):
        for k in range(int(c.w / step) + 2):
            at = (k + 0.5 * (row % 2)) * step, (row + 0.4) * step
            c.fill(blob(c.rng, *at, step * 0.14, step * 0.2, 0.2, 6), c.mix(wall, "light accent", 0.25))


def _window(c: Canvas, x: float, foot: float) -> None:
    c.fill(box(x - 0.17, -0.02, x + 0.17, foot), "sky+light.15", "glow+light.4")
    c.fill(blob(c.rng, x, foot - 0.02, 0.17, 0.08, 0.2), "leaf+sky.3")
    for dx in (-0.17, 0.0, 0.17):
        c.stroke([(x + dx, -0.02), (x + dx, foot)], 0.022, "light+earth.2")
    for y in (foot / 2, foot):
        c.stroke([(x - 0.17, y), (x + 0.17, y)], 0.022, "light+earth.2")


def _curtain(c: Canvas, table: float, cloth: Color) -> None:
    side = c.side()
    for k in range(6):
        fold = [(0, -0.1), (-0.07, -0.1), (-0.07 - 0.02 * k, table * 0.6), (-0.02 * k, table + 0.1)]
        pose = Pose(c.w / 2 + side * (c.w * 0.52 - 0.055 * k), 0, 1, side)
        c.fill(
            smooth(pose.of(fold)),
            c.mix(cloth, "light" if k % 2 else "dark", 0.18),
            c.mix(cloth, "dark", 0.25),
        )


def tablecloth(c: Canvas, table: float, ink: Ink) -> None:
    rng, cloth = c.rng, c.color(ink)
    left, right = rng.uniform(0.02, 0.15) * c.w, rng.uniform(0.85, 0.98) * c.w
    upper = [(left + 0.08, table + 0.03), (right - 0.06, table + 0.03), (right, 0.88)]
    c.fill(
        smooth([*upper, (right - 0.2, 1.06), (left + 0.1, 1.06), (left, 0.9)]),
        cloth,
        c.mix(cloth, "dark", 0.2),
    )
    if rng.random() < 0.5:
        for y in (table + 0.07 + 0.07 * k for k in range(5)):
            c.stroke([(left + 0.03, y), (right - 0.03, y)], 0.007, c.mix(cloth, "accent", 0.5))
        for x in (left + (right - left) * (k + 0.5) / 9 for k in range(9)):
            c.stroke(
                [(c.w / 2 + (x - c.w / 2) * 0.85, table + 0.04), (x, 1.02)],
                0.007,
                c.mix(cloth, "accent", 0.4),
            )
    else:
        for x in (rng.uniform(left + 0.06, right - 0.06) for _ in range(7)):
            fold = [
                (x, table + 0.05),
                (x + rng.uniform(-0.03, 0.03), 0.85),
                (x + rng.uniform(-0.09, 0.09), 1.02),
            ]
            c.stroke(fold, 0.012, c.mix(cloth, "water", 0.3))


def shadow(c: Canvas, x: float, y: float, half: float) -> None:
    """The shadow on the table of a thing of that half width, away from the light."""
    c.glow(x - c.sun * half * 0.6, y, half * 1.9, half * 0.5, "dark+earth.25", 0.8)


def fruit(c: Canvas, x: float, y: float, r: float, kind: str, resting: bool = False) -> None:
    """A fruit of radius `r` with its middle at (x, y); `resting` throws a shadow on the table."""
    rng = c.rng
    if resting:
        shadow(c, x, y + 0.8 * r, r)
    color = c.vary(c.mix(kind, "second" if kind in ("orange", "lemon") else "accent", 0.12))
    dark, light = c.mix(c.mix(color, (196, 96, 30), 0.4), "dark", 0.14), c.mix(color, "sunlit", 0.35)
    outline = blob(rng, x, y, r, r * 0.97, 0.02, 12)
    drawn = _OUTLINES.get("apple" if kind in ("lime", "peach") else kind)
    if drawn:
        size = 0.86 * r if kind == "lemon" else r
        outline = smooth(Pose(x, y, size, turn=rng.uniform(-0.3, 0.3)).of(drawn))
    c.form(outline, dark, light, 9, 0.36)
    if kind == "peach":
        c.stroke(Pose(x, y, r).of("0,-.75 -.18,0 0,.8"), 0.05 * r, c.mix(color, "accent", 0.5))
    elif kind == "orange":
        c.oval(x - 0.1 * r * c.sun, y - 0.6 * r, 0.09 * r, 0.06 * r, "leaf+dark.3")
        c.dots(14, x, y, (0.3 * r, 0.3 * r), 0.025 * r, c.mix(color, "dark", 0.25))
    elif kind != "lemon":
        stem = Pose(x, y - (1.4 if kind == "pear" else 0.75) * r, r)
        c.stroke(stem.of("0,.1 .08,-.3"), 0.08 * r, "earth+dark.6")
        if rng.random() < 0.4:
            c.fill(smooth(stem.of(".08,-.2 .5,-.5 .75,-.3 .4,-.1")), "leaf", "leaf+dark.3")
    c.glow(x + c.sun * 0.35 * r, y - 0.4 * r, 0.26 * r, 0.2 * r, "sunlit", 0.8)


def half_fruit(c: Canvas, x: float, y: float, r: float, kind: str) -> None:
    """An orange or lemon cut in two, its face to the viewer."""
    shadow(c, x, y + 0.8 * r, r)
    c.oval(x, y, r, r * 0.96, kind)
    c.oval(x, y, r * 0.9, r * 0.86, c.mix("light", kind, 0.12))
    for k in range(9):
        a0, a1 = math.tau * k / 9 + 0.07, math.tau * (k + 1) / 9 - 0.07
        core = x + math.cos((a0 + a1) / 2) * r * 0.14, y + math.sin((a0 + a1) / 2) * r * 0.13
        c.flat([core, *arc(x, y, r * 0.8, r * 0.76, a0, a1, 3)], c.vary(c.mix(kind, "light", 0.2)))


def scattered_fruit(
    c: Canvas, count: int, x: float, spread: float, y: tuple[float, float], kinds: list[str]
) -> None:
    """Fruit lying on the table on both sides of `x`, the first sometimes cut in two."""
    for k in range(count):
        fx, fy = x + c.side() * c.rng.uniform(0.5, 1) * spread, c.rng.uniform(*y)
        fx = min(c.w - 0.07, max(0.07, fx))
        if k == 0 and c.rng.random() < 0.4:
            half_fruit(c, fx, fy, 0.06, c.rng.choice(("orange", "lemon")))
        else:
            fruit(c, fx, fy, c.rng.uniform(0.055, 0.066), c.rng.choice(kinds), resting=True)


def vessel(
    c: Canvas, x: float, foot: float, profile: str, size: float, ink: Ink, pattern: bool = True
) -> float:
    """A turned vessel of height `size`; returns the height of its mouth in the image."""
    color, curve = c.color(ink), _turned(profile)
    mouth, top = curve[-1][0], foot - size * curve[-1][1]

    def outline(wide: float, shift: float) -> list[tuple[float, float]]:
        right = [(x + half * (shift + wide) * size, foot - up * size) for half, up in curve]
        left = [(x + half * (shift - wide) * size, foot - up * size) for half, up in reversed(curve)]
        return [*right, *left]

    shadow(c, x, foot, max(half for half, _ in curve) * size)
    c.fill(outline(1, 0), c.mix(color, "dark", 0.12), c.mix(color, "dark", 0.35))
    for t in (k / 7 for k in range(8)):  # slices from the shaded side to the lit one
        tone = c.mix(c.mix(color, "dark", 0.3), c.mix(color, "light", 0.5), t)
        c.flat(outline(0.96 - 0.75 * t, c.sun * 0.288 * t), tone)
    if pattern and c.rng.random() < 0.6:
        paint = c.color("water accent light")
        for share in (0.3, 0.46, 0.62):
            half = _width_at(curve, share)
            line = [
                (x + half * size * s * 0.97, foot - (share - 0.03 * (1 - s * s)) * size)
                for s in (-1, -0.7, -0.35, 0, 0.35, 0.7, 1)
            ]
            if share == 0.46:
                for px, py in line[1:-1]:
                    c.oval(px, py, 0.045 * size, 0.05 * size, paint)
            else:
                c.stroke(line, 0.02 * size + 0.002, paint)
    c.oval(x, top, mouth * size, mouth * size * 0.22, c.mix(color, "dark", 0.55))
    shine = x + c.sun * curve[len(curve) // 2][0] * size * 0.5
    c.glow(shine, foot - 0.55 * (foot - top), 0.08 * size, 0.2 * size, "light", 0.7)
    return top


def _turned(profile: str) -> list[tuple[float, float]]:
    """The corners of a vessel's profile joined by a soft curve."""
    curve: list[tuple[float, float]] = []
    corners = points(profile)
    for (a0, u0), (a1, u1) in pairwise(corners):
        eased = ((j / 6, (1 - math.cos(math.pi * j / 6)) / 2) for j in range(6))
        curve += [(a0 + (a1 - a0) * ease, u0 + (u1 - u0) * t) for t, ease in eased]
    return [*curve, corners[-1]]


def _width_at(curve: list[tuple[float, float]], up: float) -> float:
    for (h0, u0), (h1, u1) in pairwise(curve):
        if u0 <= up <= u1:
            return h0 + (h1 - h0) * (up - u0) / max(1e-6, u1 - u0)
    return curve[-1][0]


def fruit_bowl(c: Canvas) -> None:
    rng, table = c.rng, c.rng.uniform(0.5, 0.58)
    room(c, table, dark=rng.random() < 0.25)
    x, foot = c.w * rng.uniform(0.42, 0.58), table + rng.uniform(0.22, 0.28)
    if rng.random() < 0.6:
        ware = "leaf+dark.5 water light+earth.2"
        vessel(c, x + c.side() * 0.36, table + 0.13, rng.choice((BOTTLE, JUG)), rng.uniform(0.4, 0.5), ware)
    size, kinds = rng.uniform(0.26, 0.3), rng.sample(FRUITS, rng.choice((2, 3, 3)))
    rim = foot - 0.5 * size
    for row, count in ((2, 3), (1, 4), (0, 5)):
        for k in range(count):
            dx = (k - (count - 1) / 2) * 0.098 + rng.uniform(-0.01, 0.01)
            y = rim - 0.02 - 0.062 * row + abs(dx) * 0.1
            fruit(c, x + dx, y, rng.uniform(0.052, 0.064), rng.choice(kinds))
    ware_color = c.color("light water earth+accent.4 sky+light.4")
    vessel(c, x, foot, BOWL, size, ware_color)
    # The front rim again, lower: what lies in the bowl hides the far one.
    front = arc(x, rim, size, size * 0.17, 0.0, math.pi)
    c.fill(
        [*front, *((px, rim + 0.6 * (py - rim)) for px, py in reversed(front))],
        c.mix(ware_color, "light", 0.3),
    )
    for k in range(3):
        fruit(c, x - size * 0.2 + (k - 1) * 0.15, rim - 0.035, 0.058, rng.choice(kinds))
    lip = [*front, *((px, rim + (py - rim) * 0.55) for px, py in reversed(front))]
    c.fill(lip, c.mix(ware_color, "light", 0.45), c.mix(ware_color, "dark", 0.1))
    scattered_fruit(c, rng.randint(1, 4), x, 0.42, (foot - 0.02, foot + 0.07), kinds)


def jug_and_lemons(c: Canvas) -> None:
    rng, side = c.rng, c.side()
    table = rng.uniform(0.52, 0.6)
    room(c, table)
    x, foot, size = c.w * rng.uniform(0.36, 0.48), table + rng.uniform(0.14, 0.19), rng.uniform(0.46, 0.56)
    ware = c.color("water light accent+earth.4 leaf+light.2 sky+light.4")
    if rng.random() < 0.6:
        vessel(
            c, x - side * 0.3, table + 0.09, BOTTLE, rng.uniform(0.46, 0.54), "leaf+dark.45", pattern=False
        )
    jug = Pose(x, foot, size, side)
    handle = jug.of(arc(-0.3, -0.66, 0.24, 0.24, math.pi / 2, math.pi * 1.5, 16))
    c.stroke(handle, 0.062 * size, c.mix(ware, "dark", 0.4))
    c.stroke(handle, 0.036 * size, c.mix(ware, "light", 0.15))
    vessel(c, x, foot, JUG, size, ware)
    spout = smooth(jug.of(".12,-1.02 .4,-1.05 .24,-.9"))
    c.fill(spout, c.mix(ware, "light", 0.1), c.mix(ware, "dark", 0.25))
    plate, y = c.w * rng.uniform(0.6, 0.72), foot + rng.uniform(0.04, 0.09)
    if rng.random() < 0.7:
        shadow(c, plate, y + 0.03, 0.2)
        for half, dy, ink in (
            (0.23, 0.012, "light+dark.35"),
            (0.23, 0, "light+sky.15"),
            (0.16, 0, "light+sky.35"),
        ):
            c.oval(plate, y + dy, half, half * 0.32, ink)
    main = rng.choice(("lemon", "lemon", "lemon", "orange"))
    for dx, dy in ((-0.08, -0.045), (0.07, -0.05), (0.0, -0.115), (0.0, -0.015)):
        if dy != -0.115 or rng.random() < 0.6:
            fruit(c, plate + dx, y + dy, 0.062, main)
    scattered_fruit(c, rng.randint(1, 3), c.w / 2, 0.4 * c.w, (foot + 0.1, foot + 0.17), [main])
    if rng.random() < 0.5:
        knife = Pose(c.w * rng.uniform(0.2, 0.5), min(0.94, foot + 0.2), 1, c.sun)
        c.stroke(knife.of("0,0 .16,-.03"), 0.014, "sky+light.6")
        c.stroke(knife.of("-.1,.02 0,0"), 0.02, "earth+dark.5")


def melons(c: Canvas) -> None:
    rng, side = c.rng, c.side()
    table = rng.uniform(0.4, 0.5)
    room(c, table)
    tablecloth(c, table, "light second water+light.5")
    x, y = c.w * (0.5 - side * rng.uniform(0.1, 0.22)), table + 0.12
    shadow(c, x, y + 0.16, 0.22)
    c.form(blob(rng, x, y, 0.23, 0.19, 0.02, 14), "leaf+dark.62", "leaf+dark.25+light.3", 9)
    for a in (-0.9 + 0.3 * k for k in range(7)):
        rib = [
            (x + 0.22 * math.sin(a) * math.sin(t), y - 0.175 * math.cos(t))
            for t in (j * 0.26 for j in range(13))
        ]
        c.stroke(rib, 0.01, "leaf+light.3")
    if rng.random() < 0.6:
        _bananas(c, c.w - x, table + 0.1, 0.2)
    for k in range(rng.randint(2, 4)):
        at = c.w * (0.5 + side * (0.18 * k - 0.05)) + rng.uniform(-0.05, 0.05)
        _slice(c, min(c.w - 0.15, max(0.15, at)), table + 0.32 + 0.07 * (k % 2), rng.uniform(0.16, 0.2))
    kinds = ["lemon", "orange", "peach", "lime"]
    scattered_fruit(c, rng.randint(2, 5), c.w / 2, 0.42 * c.w, (table + 0.36, 0.93), kinds)


def _slice(c: Canvas, x: float, y: float, r: float) -> None:
    """A slice of melon whose rind is at (x, y)."""
    shadow(c, x, y + 0.02, r)
    pose = Pose(x, y - r * 0.8, r, turn=c.rng.uniform(-0.35, 0.35))
    for q, ink in ((1.0, "leaf+dark.25"), (0.93, "leaf+light.65"), (0.86, "melon+accent.4")):
        c.flat(pose.of(arc(0, 0, q, q, 0, math.pi)), ink)
    c.stroke(pose.of("-.84,0 .84,0"), 0.012, "melon+light.3")
    for k in range(9):
        a, q = math.pi * (k + 0.7) / 9.4, 0.62 if k % 2 else 0.42
        seed = [(math.cos(a) * q * t, math.sin(a) * q * t) for t in (1, 1.14)]
        c.stroke(pose.of(seed), 0.009, c.vary("dark"))


def _bananas(c: Canvas, x: float, y: float, s: float) -> None:
    shadow(c, x, y + 0.55 * s, s)
    for k in range(4):
        dy, pose = -0.17 * k, Pose(x, y, s)
        outer = pose.of(arc(0, dy, 1.05, 0.75 - 0.1 * k, 0.15, math.pi - 0.15, 14))
        inner = pose.of(arc(0, dy - 0.05, 0.98, 0.42 - 0.09 * k, math.pi - 0.15, 0.15, 14))
        tone = c.vary("lemon+second.4")
        c.fill(smooth([*outer, *inner], 1), c.mix(tone, "light", 0.2), c.mix(tone, "earth", 0.45))
        c.stroke(outer[2:-2], 0.005, c.mix(tone, "dark", 0.4))
    c.stroke([(x + s, y - 0.15 * s), (x + 1.12 * s, y - 0.45 * s)], 0.03, "lemon+second.4+dark.45")


def guitar_table(c: Canvas) -> None:
    rng, table = c.rng, c.rng.uniform(0.56, 0.64)
    room(c, table, dark=rng.random() < 0.4)
    x = c.w * rng.uniform(0.4, 0.6)
    for _ in range(5):  # papers and panels behind
        pose = Pose(
            x + rng.gauss(0, 0.2),
            rng.uniform(0.25, 0.75),
            rng.uniform(0.12, 0.26),
            turn=rng.uniform(-0.6, 0.6),
        )
        tone = c.color("light glow earth sky dark+earth.4")
        c.fill(pose.of("-1,-.7 1,-.7 1,.7 -1,.7"), tone, c.mix(tone, "dark", 0.3))
    sheet = Pose(x - 0.2, table + 0.12, 1, turn=rng.uniform(-0.25, 0.25))
    c.fill(sheet.of("-.17,-.11 .17,-.11 .17,.11 -.17,.11"), "light", "light+earth.3")
    for y in (-0.075 + 0.026 * k for k in range(7)):
        c.stroke(sheet.of([(-0.14, y), (0.1 + 0.04 * rng.random(), y)]), 0.006, "dark+light.25")
    GUITAR(c, x + 0.03, table - 0.02, rng.uniform(0.62, 0.74), turn=c.side() * rng.uniform(0.25, 0.7))
    bottle = c.w * rng.choice((0.16, 0.86))
    vessel(c, bottle, table + 0.13, BOTTLE, rng.uniform(0.48, 0.56), "leaf+dark.4", pattern=False)
    if rng.random() < 0.7:
        vessel(c, c.w * rng.uniform(0.62, 0.78), table + 0.27, GLASS, 0.2, "sky+light.5", pattern=False)
    kinds = ["pear", "orange", "lime", "lemon"]
    scattered_fruit(c, rng.randint(1, 3), c.w / 2, 0.3 * c.w, (table + 0.2, 0.92), kinds)


def bouquet(c: Canvas, sunflowers: bool = False) -> None:
    """Flowers in a vase on a table: sunflowers, or two kinds of garden flowers in three colors."""
    rng, table = c.rng, c.rng.uniform(0.7, 0.77)
    room(c, table)
    x, size, foot = c.w * rng.uniform(0.45, 0.55), rng.uniform(0.3, 0.36), table + rng.uniform(0.09, 0.13)
    mouth, spread = foot - size, min(0.33, c.w * 0.4)
    count = rng.randint(7, 11) if sunflowers else rng.randint(11, 17)
    heads = []
    for k in range(count):
        q, a = 0.25 + 0.75 * math.sqrt(k / (count - 1)), k * 2.4 + rng.uniform(-0.3, 0.3)
        r = rng.uniform(0.085, 0.115) if sunflowers else rng.uniform(0.05, 0.082)
        heads.append((x + math.cos(a) * spread * q, mouth - 0.2 + math.sin(a) * 0.22 * q, r))
    for hx, hy, _ in heads:
        stem = [(x + (hx - x) * 0.1, mouth + 0.03), (x + (hx - x) * 0.5, (mouth + hy) / 2), (hx, hy)]
        c.stroke(stem, 0.009, "leaf+dark.3")
    for _ in range(16 if sunflowers else 34):
        a, q = rng.uniform(math.pi * 0.95, math.pi * 2.05), rng.uniform(0.3, 1.05)
        at = x + math.cos(a) * spread * q, mouth - 0.12 + math.sin(a) * 0.28 * q
        leaf(c, *at, rng.uniform(0.07, 0.14), rng.uniform(0, math.tau))
    vessel(
        c, x, foot, rng.choice(VASES), size, "light+sky.2 water leaf+dark.15 second+earth.3 accent+earth.4"
    )
    for side in (-1, 1):
        leaf(c, x + side * 0.05, mouth + 0.01, 0.1, math.pi / 2 - side * 1.1)
    chosen = rng.sample(("accent", "second", "light", "accent+light.5", "sky+light.2", "accent+second.5"), 3)
    kinds = rng.sample((rose, poppy, tulip, daisy, daisy), 2)
    for hx, hy, r in sorted(heads, key=lambda head: -head[2]):
        if sunflowers:
            sunflower(c, hx, hy, r)
        else:
            rng.choice(kinds)(c, hx, hy, r, c.vary(rng.choice(chosen)))
    if not sunflowers:
        c.dots(rng.randint(8, 22), x, mouth - 0.2, (0.5 * spread, 0.12), 0.009, "light second")
    scattered_fruit(
        c, rng.choice((0, 0, 1, 2)), x, 0.28, (foot, foot + 0.05), ["orange", "apple", "lemon", "peach"]
    )
