"""Layers that scenes are composed of, and how they are combined.

A layer is a function of the canvas. The functions marked `@layer` take a layer's parameters and return it, so
that a scene is a tuple of calls (`scenes.py`). Heights are below the horizon (`Canvas.line`) and x is a share of
the image's width unless noted; a parameter given as a pair is drawn at random between the two.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol

from sample_art.canvas import Canvas, Range

P = ParamSpec("P")
Layer = Callable[[Canvas], None]
Count = int | tuple[int, int]


class Thing(Protocol):
    """Something drawn with its foot at (x, y) and of size `s`."""

    def __call__(self, c: Canvas, x: float, y: float, s: float, /) -> None: ...


def layer(draw: Callable[Concatenate[Canvas, P], None]) -> Callable[P, Layer]:
    """Turn a function of the canvas and parameters into one that takes the parameters and returns a layer."""

    @wraps(draw)
    def with_parameters(*args: P.args, **kwargs: P.kwargs) -> Layer:
        return lambda c: draw(c, *args, **kwargs)

    return with_parameters


def count_of(c: Canvas, count: Count) -> int:
    return count if isinstance(count, int) else c.rng.randint(*count)


@layer
def maybe(c: Canvas, chance: float, *layers: Layer) -> None:
    if c.rng.random() < chance:
        for paint in layers:
            paint(c)


@layer
def one_of(c: Canvas, *choices: tuple[Layer, ...]) -> None:
    for paint in c.rng.choice(choices):
        paint(c)


@layer
def by_day(c: Canvas, day: tuple[Layer, ...] = (), late: tuple[Layer, ...] = ()) -> None:
    """Paint the first layers in a day scene, the second ones at sunset."""
    for paint in day if c.day else late:
        paint(c)


@layer
def colors(c: Canvas, /, **inks: str) -> None:
    """Name colors for the layers that follow."""
    for name, ink in inks.items():
        c.colors[name] = c.color(ink)


@layer
def scatter(
    c: Canvas,
    thing: Thing,
    count: Count = 1,
    *,
    x: Range = (0.03, 0.97),
    y: Range = 0.0,
    size: tuple[float, float] = (0.1, 0.1),
    rest: str = "line",
    even: bool = False,
    side: int = 0,
    cluster: float = 0.0,
) -> None:
    """Set things into the scene, far ones first.

    `y` is where their feet are: below the horizon, or with `rest` "ground" below the last skyline, or with "page"
    in the image. With several heights, size grows from its first value at the farthest to its second at the
    nearest; else it is drawn between them. `even` spreads them over x in order, `cluster` is the step between
    things beside each other about one place. `side` -1 mirrors x, 2 does so at random, and 3 mirrors it away from
    the bank (`land.bank`), 4 towards it.
    """
    number, middle = count_of(c, count), c.some(x)
    mirrored = {2: c.side(), 3: -c.bank, 4: c.bank}.get(side, side) < 0
    low, high = y if isinstance(y, tuple) else (y, y)
    places = []
    for k in range(number):
        share = middle + (k - (number - 1) / 2) * cluster if cluster else c.some(x)
        if even and isinstance(x, tuple):
            share = x[0] + (x[1] - x[0]) * (k + c.rng.uniform(0.2, 0.8)) / number
        px = (1 - share if mirrored else share) * c.w
        t = c.rng.random() if even or cluster else (k + c.rng.random()) / number
        foot = low + (high - low) * t
        base = c.ground(px) if rest == "ground" else c.line if rest == "line" else 0.0
        grown = size[0] + (size[1] - size[0]) * t if high != low else c.rng.uniform(*size)
        places.append((base + foot, px, grown * (c.rng.uniform(0.9, 1.1) if high != low else 1)))
    for foot, px, s in sorted(places):
        thing(c, px, foot, s)


def any_of(*things: Thing) -> Thing:
    """A thing that is one of those given, another one each time."""

    def draw(c: Canvas, x: float, y: float, s: float, /) -> None:
        c.rng.choice(things)(c, x, y, s)

    return draw
