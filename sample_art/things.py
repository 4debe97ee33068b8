"""Things drawn by functions, and the lookup of all things by name."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache, partial

from sample_art.canvas import Canvas
from sample_art.palettes import Ink
from sample_art.shapes import Pose, blob, box, smooth
from sample_art.stamps import stamp, steps_of, window

Thing = Callable[..., None]
"""Called with the canvas, the x and y of the foot, the size, and inks or other options by name."""


@cache
def thing(name: str) -> Thing:
    """Return the function that draws a thing: one of `DRAWN_THINGS`, or one for a table of things.txt."""
    if name in DRAWN_THINGS:
        return DRAWN_THINGS[name]
    steps_of(name)

    def draw(
        c: Canvas,
        x: float,
        y: float,
        s: float,
        flip: float | None = None,
        turn: float = 0,
        tall: float = 1,
        **inks: Ink,
    ) -> None:
        stamp(c, name, x, y, s, inks, flip=flip, turn=turn, tall=tall)

    return draw


def crown(
    c: Canvas, x: float, y: float, rx: float, ry: float, leaf: Ink, light: Ink, clumps: int = 16
) -> None:
    """Draw foliage: a dark mass, then clumps that get lighter towards the sun."""
    rng, base, bright = c.rng, c.color(leaf), c.color(light)
    dark = c.mix(base, "dark", 0.45)
    c.fill(blob(rng, x, y, rx, ry, 0.16, 11), c.mix(base, dark, 0.4), dark)
    for t in (k / clumps for k in range(clumps)):
        a, r = rng.uniform(0, math.tau), math.sqrt(rng.random()) * 0.8
        dx = math.cos(a) * r * rx + c.sun * 0.16 * rx * t
        dy = math.sin(a) * r * ry - 0.2 * ry * t
        size = rng.uniform(0.2, 0.36) * (1.1 - 0.45 * t)
        tone = c.mix(c.mix(base, dark, 0.3), bright, t * 0.75 - 0.15 * dy / ry)
        c.flat(blob(rng, x + dx, y + dy, rx * size, ry * size, 0.2, 7), c.vary(tone))


def bush(c: Canvas, x: float, y: float, s: float, leaf: Ink = "leaf") -> None:
    crown(c, x, y - 0.3 * s, s * c.rng.uniform(0.6, 0.9), 0.5 * s, leaf, c.mix(leaf, "glow", 0.45), 9)


def round_tree(c: Canvas, x: float, y: float, s: float, leaf: Ink = "leaf", light: Ink | None = None) -> None:
    tone, lean, pose = c.vary(leaf), c.rng.uniform(-0.06, 0.06), Pose(x, y, s)
    c.fill(pose.of([(-0.045, 0), (lean - 0.03, -0.5), (lean + 0.03, -0.5), (0.05, 0)]), "earth+dark.55")
    c.stroke(pose.of([(lean, -0.35), (lean + 0.16, -0.55)]), 0.025 * s, "earth+dark.55")
    rx = 0.33 * s * c.rng.uniform(0.9, 1.15)
    crown(c, *pose.at(lean, -0.66), rx, 0.33 * s, tone, light or c.mix(tone, "glow", 0.5))


def birch(c: Canvas, x: float, y: float, width: float) -> None:
    """Draw a birch's trunk, `width` wide and extending beyond the image, with branches."""
    rng, lean, pose, light = c.rng, c.rng.uniform(-0.05, 0.05), Pose(x, y, 1), c.sun * width
    c.fill(
        pose.of([(-width / 2, 0), (lean - 0.35 * width, -1.2), (lean + 0.35 * width, -1.2), (width / 2, 0)]),
        "bark",
    )
    c.stroke(pose.of([(-light * 0.3, 0), (lean - light * 0.22, -1.2)]), width * 0.35, "bark+sky.4")
    for _ in range(14):
        t, side = rng.random(), c.side() * width
        mark = [
            (lean * t + side * 0.45, -1.2 * t),
            (lean * t + side * rng.uniform(-0.1, 0.25), -1.2 * t - 0.003),
        ]
        c.stroke(pose.of(mark), rng.uniform(0.003, 0.008), "dark")
    for t in (rng.uniform(0.5, 1.0) for _ in range(3)):
        branch = Pose(x + lean * t, y - t, 1, c.side()).of("0,0 .07,-.07 .12,-.16")
        c.stroke(branch, width * 0.13, "dark+light.25")


def bare_tree(c: Canvas, x: float, y: float, s: float, angle: float = -math.pi / 2) -> None:
    """Draw a leafless tree, in which each branch divides in two until it is thin."""
    if s < 0.06:
        return
    end = (x + math.cos(angle) * 0.36 * s, y + math.sin(angle) * 0.36 * s)
    c.stroke([(x, y), end], 0.04 * s, "dark+earth.3")
    for side in (-1, 1):
        bare_tree(c, *end, s * c.rng.uniform(0.62, 0.78), angle + side * c.rng.uniform(0.25, 0.6))


def leaf(c: Canvas, x: float, y: float, s: float, angle: float) -> None:
    tone, pose = c.mix("leaf", "dark second light", c.rng.uniform(0.05, 0.3)), Pose(x, y, s, turn=angle)
    shape = smooth(pose.of("0,0 .35,.17 .75,.1 1,0 .75,-.1 .35,-.17"), 1)
    c.fill(shape, c.mix(tone, "light", 0.12), c.mix(tone, "dark", 0.25))
    c.stroke(pose.of("0,0 .9,0"), 0.003, c.mix(tone, "light", 0.35))


def town_house(c: Canvas, x: float, y: float, w: float, wall: Ink, gable: str, h: float) -> None:
    """Draw a narrow house in a row, `w` wide about x, with eaves at height `h`."""
    base, left = c.vary(wall), x - w / 2
    trim = c.mix(base, "light", 0.65)
    top = Pose(left, y - h, w).of(_GABLES[gable])
    c.fill([*top, (left + w, y), (left, y)], base, c.mix(base, "dark", 0.15))
    c.stroke(top, 0.05 * w, trim)
    floors, columns = max(2, round(h / (0.5 * w))), 3 if w > 0.11 else 2
    for floor, k in ((floor, k) for floor in range(floors) for k in range(columns)):
        wx, wy = left + w * (k + 1) / (columns + 1), y - h + h * (floor + 0.45) / floors
        if floor == floors - 1 and k == 0:
            c.fill(
                box(wx - 0.09 * w, wy - 0.12 * w, wx + 0.09 * w, y),
                c.mix("accent", "dark", c.rng.uniform(0.2, 0.7)),
            )
        else:
            glass = c.mix("dark", "sky", c.rng.uniform(0.1, 0.4))
            window(c, wx, wy, 0.15 * w, min(0.26 * w, 0.55 * h / floors), trim, glass)
    if gable != "flat":
        c.oval(x, y - h - 0.14 * w, 0.06 * w, 0.07 * w, "dark+sky.2")


_GABLES = {
    "step": "0,0 0,-.13 .13,-.13 .13,-.26 .25,-.26 .25,-.39 .37,-.39 .37,-.52 .63,-.52 .63,-.39 .75,-.39 "
    ".75,-.26 .87,-.26 .87,-.13 1,-.13 1,0",
    "point": "0,0 .5,-.6 1,0",
    "bell": "0,0 .12,-.05 .24,-.34 .3,-.46 .42,-.55 .58,-.55 .7,-.46 .76,-.34 .88,-.05 1,0",
    "flat": "0,0 -.03,-.07 1.03,-.07 1,0",
}
DRAWN_THINGS: dict[str, Thing] = {
    "bush": bush,
    "round_tree": round_tree,
    "dark_tree": partial(round_tree, leaf="dark+leaf.25", light="dark+accent.4"),
    "birch": birch,
    "bare_tree": bare_tree,
}
