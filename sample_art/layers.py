"""The layers of which scenes consist: functions that paint onto the canvas, by name.

Unless noted, heights are relative to the horizon (`Canvas.line`), downwards, and x is a share of the image's
width. A parameter given as a pair is drawn at random between the two.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec

from sample_art.canvas import Canvas, Range
from sample_art.palettes import Ink
from sample_art.things import thing

P = ParamSpec("P")
Count = int | tuple[int, int]
LAYERS: dict[str, Callable[..., None]] = {}


def layer(paint: Callable[P, None]) -> Callable[P, None]:
    """Register a function as a layer for scenes.txt."""
    LAYERS[paint.__name__] = paint
    return paint


def count_of(c: Canvas, count: Count) -> int:
    return c.rng.randint(*count) if isinstance(count, tuple) else count


@layer
def scatter(
    c: Canvas,
    count: Count,
    names: str,
    *,
    x: Range = (0.03, 0.97),
    y: Range = 0.0,
    size: Range = 0.1,
    rest: str = "line",
    side: str = "",
    even: float = 0,
    cluster: float = 0,
    tilt: float = 0,
    shade: float = 0,
    **options: Ink | float,
) -> None:
    """Place things in the scene, far ones first, each drawn from `names` (separated by spaces).

    `y` is the height of their feet: below the horizon, or, with `rest` "ground", below the last skyline, or,
    with "page", in the image. If `y` is a range, size grows from its first value at the farthest thing to its
    second at the nearest; else it is drawn between them. `even` spreads the things over x in order; `cluster`
    is the distance between neighbors in a group. `side` "any" mirrors x at random, "bank" measures x from the
    side of the near land, and "water" from the other side. `tilt` is the largest rotation in radians, and
    `shade` the strength of a shadow under each thing. Other options are passed to the things.
    """
    rng, number, middle = c.rng, count_of(c, count), c.some(x)
    from_left = {"any": c.side(), "bank": c.bank, "water": -c.bank}.get(side, 1) > 0
    low, high = y if isinstance(y, tuple) else (y, y)
    small, large = size if isinstance(size, tuple) else (size, size)
    places = []
    for k in range(number):
        share = middle + (k - (number - 1) / 2) * cluster if cluster else c.some(x)
        if even and isinstance(x, tuple):
            share = x[0] + (x[1] - x[0]) * (k + rng.uniform(0.2, 0.8)) / number
        px = (share if from_left else 1 - share) * c.w
        t = rng.random() if even or cluster else (k + rng.random()) / number
        base = {"ground": c.ground(px), "line": c.line}.get(rest, 0.0)
        grown = small + (large - small) * (t if high != low else rng.random())
        places.append((base + low + (high - low) * t, px, grown * rng.uniform(0.92, 1.08)))
    for foot, px, s in sorted(places):
        if shade:
            c.glow(px - c.sun * 0.6 * s, foot + 0.8 * s, 1.9 * s, 0.5 * s, "dark+earth.25", shade)
        turned = {"turn": rng.uniform(-tilt, tilt)} if tilt else {}
        thing(rng.choice(names.split()))(c, px, foot, s, **options, **turned)


@layer
def colors(c: Canvas, **inks: str) -> None:
    """Define named colors for the layers that follow."""
    for name, ink in inks.items():
        c.colors[name] = c.color(ink)


@layer
def backdrop(c: Canvas, *stops: float | Ink) -> None:
    """Fill the image with blending colors: a height in the image, a color, the next height, its color …"""
    c.backdrop(*zip(stops[::2], stops[1::2], strict=True))  # type: ignore[arg-type]


@layer
def glows(
    c: Canvas, count: Count, x: Range, y: Range, rx: Range, ry: Range, ink: Ink, alpha: float = 0.6
) -> None:
    """Paint soft patches of color at heights in the image."""
    c.glows(count_of(c, count), x, y, rx, ry, ink, alpha)


@layer
def marks(
    c: Canvas,
    count: int,
    y: Range,
    length: float,
    width: float,
    ink: Ink,
    angle: float = 0.0,
    spread: float = 0.3,
) -> None:
    """Paint brush marks from `y` to the bottom of the image, or between two heights."""
    top, foot = y if isinstance(y, tuple) else (y, 1.03 - c.line)
    c.dabs(count, (-0.02, c.line + top, c.w + 0.02, c.line + foot), length, width, ink, angle, spread)


@layer
def grass(c: Canvas, y: float, count: int, ink: Ink, length: float = 0.06) -> None:
    """Paint blades of grass from `y` to the bottom of the image."""
    marks(c, count, y, length, length / 8, ink, -1.57, 0.35)


@layer
def horizon(c: Canvas, y: Range) -> None:
    """Set the horizon of a scene without a sky."""
    c.line = c.some(y)


@layer
def snowfall(c: Canvas, count: int) -> None:
    c.dots(count, c.w / 2, 0.5, (0.4 * c.w, 0.4), (0.0025, 0.006), "light")
