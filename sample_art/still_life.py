"""Rooms with a table, and the objects on it. `Canvas.line` is the table's far edge."""

from __future__ import annotations

import math

from sample_art.canvas import Canvas, Range
from sample_art.layers import layer, scatter
from sample_art.palettes import Color, Ink
from sample_art.shapes import arc, blob, smooth
from sample_art.stamps import stamp
from sample_art.things import leaf

FRUITS = ("orange", "lemon", "apple", "lime", "pear", "peach", "plum")
VASES = tuple(f"{style}vase_{shape}" for shape in "abcd" for style in ("", "painted_"))


@layer
def room(c: Canvas, table: Range, dark: float = 0) -> None:
    """Paint a table before a wall, plain or with a window, curtain or pattern.

    `dark` is the probability of a dark wall.
    """
    rng = c.rng
    c.line, c.bank = c.some(table), c.side()
    wall = c.color("sky+light.3 glow+earth.25 leaf+light.35 accent+glow.6 water+light.2")
    wall = c.mix(wall, "dark", 0.75) if rng.random() < dark else wall
    c.backdrop((0, c.mix(wall, "dark", 0.12)), (c.line, wall))
    c.glow(c.w * (0.5 + 0.35 * c.sun), c.line * 0.4, 0.7, 0.6, c.mix(wall, "light", 0.6), 0.7)
    kind = rng.random()
    if kind < 0.3:
        _wallpaper(c, wall)
    elif kind < 0.55:
        stamp(c, "window", c.w * rng.choice((0.2, 0.8)), c.line * 0.72, 1, tall=c.line * 0.72)
    elif kind < 0.75:
        stamp(c, "curtain", c.w * (0.5 - 0.5 * c.bank), c.line, 1, flip=c.bank, tall=c.line)
    wood = c.color("earth+dark.1 light+earth.15 accent+earth.45 water+light.3")
    c.band(c.line, 1.0, c.mix(wood, "light", 0.22), c.mix(wood, "dark", 0.28))
    c.band(c.line - 0.006, c.line + 0.006, c.mix(wood, "dark", 0.4), c.mix(wood, "light", 0.1))


def _wallpaper(c: Canvas, wall: Color) -> None:
    step = c.rng.uniform(0.09, 0.14)
    for row in range(int(c.line / step) + 1):
        for k in range(int(c.w / step) + 2):
            at = (k + 0.5 * (row % 2)) * step, (row + 0.4) * step
            c.fill(blob(c.rng, *at, step * 0.14, step * 0.2, 0.2, 6), c.mix(wall, "light accent", 0.25))


@layer
def tablecloth(c: Canvas, ink: Ink) -> None:
    """Paint a cloth over most of the table, sometimes checked."""
    rng, cloth = c.rng, c.color(ink)
    left, right = rng.uniform(0.02, 0.15) * c.w, rng.uniform(0.85, 0.98) * c.w
    edge = [(left + 0.08, c.line + 0.03), (right - 0.06, c.line + 0.03), (right, 0.88), (right - 0.2, 1.06)]
    c.fill(smooth([*edge, (left + 0.1, 1.06), (left, 0.9)]), cloth, c.mix(cloth, "dark", 0.2))
    if rng.random() < 0.5:
        for y in (c.line + 0.07 + 0.07 * k for k in range(5)):
            c.stroke([(left + 0.03, y), (right - 0.03, y)], 0.007, c.mix(cloth, "accent", 0.45))
    for x in (left + (right - left) * (k + 0.5) / 9 for k in range(9)):
        c.stroke(
            [(c.w / 2 + (x - c.w / 2) * 0.85, c.line + 0.04), (x, 1.02)],
            0.007,
            c.mix(cloth, "accent water", 0.35),
        )


@layer
def fruit_bowl(c: Canvas) -> None:
    """Paint two or three kinds of fruit in a bowl, and a few pieces beside it."""
    rng, kinds = c.rng, c.rng.sample(FRUITS, c.rng.choice((2, 3, 3)))
    x, foot, size = c.w * rng.uniform(0.42, 0.58), c.line + rng.uniform(0.22, 0.28), rng.uniform(0.26, 0.3)
    rim, ware = foot - 0.5 * size, c.color("light water earth+accent.4 sky+light.4")
    for row, count in ((2, 3), (1, 4), (0, 5)):
        for dx in ((k - (count - 1) / 2) * 0.098 + rng.uniform(-0.01, 0.01) for k in range(count)):
            y, r = rim - 0.02 - 0.062 * row + abs(dx) * 0.1, rng.uniform(0.052, 0.064)
            stamp(c, rng.choice(kinds), x + dx, y, r, turn=rng.uniform(-0.3, 0.3))
    stamp(c, rng.choice(("bowl", "painted_bowl")), x, foot, size, {"ware": ware})
    # Paint the front of the rim again, lower, so that the fruit hides only the far side.
    front = arc(x, rim, size, size * 0.17, 0.0, math.pi)
    c.fill([*front, *((px, rim + 0.6 * (py - rim)) for px, py in reversed(front))], c.mix(ware, "light", 0.3))
    for dx in (-0.15, 0.0, 0.15):
        stamp(c, rng.choice(kinds), x - size * 0.2 + dx, rim - 0.035, 0.058)
    lip = [*front, *((px, rim + (py - rim) * 0.55) for px, py in reversed(front))]
    c.fill(lip, c.mix(ware, "light", 0.45), c.mix(ware, "dark", 0.1))
    scatter(
        c, (1, 4), " ".join(kinds), x=(0.08, 0.92), y=(0.24, 0.36), size=(0.055, 0.066), tilt=0.3, shade=0.8
    )


@layer
def bouquet(c: Canvas, *flowers: str) -> None:
    """Paint a vase with up to two kinds of flowers in three colors."""
    rng, big = c.rng, flowers == ("sunflower",)
    x, size, foot = c.w * rng.uniform(0.45, 0.55), rng.uniform(0.3, 0.36), c.line + rng.uniform(0.09, 0.13)
    mouth, spread, count = (
        foot - size,
        min(0.33, c.w * 0.4),
        rng.randint(7, 11) if big else rng.randint(11, 17),
    )
    heads = []
    for k in range(count):
        q, a = 0.25 + 0.75 * math.sqrt(k / (count - 1)), k * 2.4 + rng.uniform(-0.3, 0.3)
        r = rng.uniform(0.085, 0.115) if big else rng.uniform(0.05, 0.082)
        heads.append((x + math.cos(a) * spread * q, mouth - 0.2 + math.sin(a) * 0.22 * q, r))
    for hx, hy, _ in heads:
        stem = [(x + (hx - x) * 0.1, mouth + 0.03), (x + (hx - x) * 0.5, (mouth + hy) / 2), (hx, hy)]
        c.stroke(stem, 0.009, "leaf+dark.3")
    for _ in range(16 if big else 34):
        a, q = rng.uniform(math.pi * 0.95, math.pi * 2.05), rng.uniform(0.3, 1.05)
        at = x + math.cos(a) * spread * q, mouth - 0.12 + math.sin(a) * 0.28 * q
        leaf(c, *at, rng.uniform(0.07, 0.14), rng.uniform(0, math.tau))
    ware = "light+sky.2 water leaf+dark.15 second+earth.3 accent+earth.4"
    stamp(c, rng.choice(VASES), x, foot, size, {"ware": ware})
    petals = rng.sample(("accent", "second", "light", "accent+light.5", "sky+light.2", "accent+second.5"), 3)
    kinds = rng.sample(flowers, min(2, len(flowers)))
    for hx, hy, r in sorted(heads, key=lambda head: -head[2]):
        stamp(c, rng.choice(kinds), hx, hy, r, {"petal": rng.choice(petals)}, tall=rng.uniform(0.8, 1))
    c.dots(0 if big else rng.randint(8, 22), x, mouth - 0.2, (0.5 * spread, 0.12), 0.009, "light second")
