"""Points and curves; x increases to the right and y downwards."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

Point = tuple[float, float]
Points = Sequence[Point]


@lru_cache(maxsize=2048)
def points(text: str) -> tuple[Point, ...]:
    """Return the points written as "x,y x,y", or in scenes.txt as "x,y_x,y"."""
    pairs = (word.split(",") for word in text.replace("_", " ").split())
    return tuple((float(x), float(y)) for x, y in pairs)


class Pose(NamedTuple):
    """Transforms a drawing in its own units: origin and size on the canvas, mirroring (`flip` -1), rotation
    in radians (`turn`) and vertical stretch (`tall`)."""

    x: float
    y: float
    size: float
    flip: float = 1
    turn: float = 0.0
    tall: float = 1.0

    def at(self, x: float, y: float) -> Point:
        x, y = x * self.size * self.flip, y * self.size * self.tall
        if self.turn:
            cos, sin = math.cos(self.turn), math.sin(self.turn)
            x, y = x * cos - y * sin, x * sin + y * cos
        return self.x + x, self.y + y

    def of(self, shape: str | Points) -> list[Point]:
        """Return the points, given as text or pairs, in canvas coordinates."""
        return [self.at(x, y) for x, y in (points(shape) if isinstance(shape, str) else shape)]


def box(left: float, top: float, right: float, foot: float) -> list[Point]:
    return [(left, top), (right, top), (right, foot), (left, foot)]


def arc(
    x: float, y: float, rx: float, ry: float, start: float = 0.0, end: float = math.tau, parts: int = 20
) -> list[Point]:
    """Return points along an oval from `start` to `end`, in radians clockwise from the right."""
    angles = (start + (end - start) * k / parts for k in range(parts + 1))
    return [(x + rx * math.cos(a), y + ry * math.sin(a)) for a in angles]


def dome(x: float, y: float, rx: float, ry: float, foot: float | None = None) -> list[Point]:
    """Return the upper half of an oval about (x, y), with straight sides down to `foot` if given."""
    curve = arc(x, y, rx, ry, math.pi, math.tau, 12)
    return curve if foot is None else [*curve, (x + rx, foot), (x - rx, foot)]


def smooth(shape: Points, rounds: int = 2) -> list[Point]:
    """Return the closed polygon with its corners cut `rounds` times (Chaikin's algorithm)."""
    shape = list(shape)
    for _ in range(rounds):
        cut: list[Point] = []
        for (x0, y0), (x1, y1) in zip(shape, [*shape[1:], shape[0]], strict=True):
            cut.append((0.75 * x0 + 0.25 * x1, 0.75 * y0 + 0.25 * y1))
            cut.append((0.25 * x0 + 0.75 * x1, 0.25 * y0 + 0.75 * y1))
        shape = cut
    return shape


def blob(
    rng: random.Random, x: float, y: float, rx: float, ry: float, uneven: float = 0.12, corners: int = 10
) -> list[Point]:
    """Return a rounded closed shape about (x, y) whose radius varies by `uneven`."""
    turn = rng.uniform(0, math.tau)
    shape: list[Point] = []
    for k in range(corners):
        a, r = turn + math.tau * k / corners, 1 + rng.uniform(-uneven, uneven)
        shape.append((x + math.cos(a) * rx * r, y + math.sin(a) * ry * r))
    return smooth(shape)


def roughen(rng: random.Random, shape: Points, amount: float) -> list[Point]:
    """Return the polygon with its edges divided and each new point moved by up to `amount`."""
    out: list[Point] = []
    for (x0, y0), (x1, y1) in zip(shape, [*shape[1:], shape[0]], strict=True):
        parts = min(24, max(1, int(math.hypot(x1 - x0, y1 - y0) / max(0.012, amount * 4))))
        for t in (k / parts for k in range(parts)):
            dx, dy = rng.uniform(-amount, amount), rng.uniform(-amount, amount)
            out.append((x0 + (x1 - x0) * t + dx, y0 + (y1 - y0) * t + dy))
    return out


def ridge(rng: random.Random, w: float, y: float, height: float, rounds: int, calm: float) -> list[Point]:
    """Return a skyline of width `w` about `y`, by midpoint displacement.

    The first round displaces by up to `height`, each later one by `calm` times as much.
    """
    line = [y + rng.uniform(-height, height) for _ in range(4)]
    for _ in range(rounds - 2):
        height *= calm
        finer = [line[0]]
        for a, b in pairwise(line):
            finer += [(a + b) / 2 + rng.uniform(-height, height), b]
        line = finer
    return [(-0.05 + (w + 0.1) * k / (len(line) - 1), v) for k, v in enumerate(line)]


def height_at(line: Points, x: float) -> float:
    """Return the height of a skyline at x."""
    for (x0, y0), (x1, y1) in pairwise(line):
        if x0 <= x <= x1:
            return y0 + (y1 - y0) * (x - x0) / max(1e-6, x1 - x0)
    return line[-1][1]
