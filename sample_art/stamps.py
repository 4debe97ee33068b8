"""Drawings as text: a table of shapes in the thing's own units, its foot at 0,0 and about one unit high or long."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from sample_art.canvas import Canvas
from sample_art.palettes import Ink
from sample_art.shapes import Point, Pose, box, dome, points, smooth


class Step(NamedTuple):
    """One line of a stamp: "operation inks numbers : path / path"."""

    operation: str
    inks: tuple[str, ...]
    numbers: tuple[float, ...]
    paths: tuple[tuple[Point, ...], ...]


class Stamp:
    """A thing drawn from a table, one operation a line.

    `pick name : inks` draws one of the inks and names it, unless the caller named it. The others draw every path
    behind the colon: `fill` a polygon from its first ink to its second, `flat` without an outline, `curve` with
    its corners rounded, `form` shaded from the first ink to the second as if it were round, `line` a stroke of a
    width. `oval` (half width, half height), `glow` (the same and its strength), `arch` (half width, rise, height)
    and `window` (width, height; frame and glass) stand at each point, `keep` is a block with battlements between
    two points. A stamp is drawn with its light side to the right and mirrored when the sun is on the left.
    """

    def __init__(self, table: str) -> None:
        self.table = table

    def __call__(
        self,
        c: Canvas,
        x: float,
        y: float,
        size: float,
        *,
        flip: int | None = None,
        turn: float = 0.0,
        tall: float = 1.0,
        **named: Ink,
    ) -> None:
        """Draw it with its foot at (x, y); the inks given by name replace those of the same name."""
        pose = Pose(x, y, size, c.sun if flip is None else flip, turn, tall)
        before = c.colors
        c.colors = before | {name: c.color(ink) for name, ink in named.items()}
        try:
            for step in _steps(self.table):
                if step.operation != "pick":
                    _OPERATIONS[step.operation](c, step, pose)
                elif step.inks[0] not in named:
                    c.colors[step.inks[0]] = c.color(c.rng.choice(step.inks[1:]))
        finally:
            c.colors = before


@lru_cache(maxsize=256)
def _steps(table: str) -> tuple[Step, ...]:
    return tuple(_step(line) for line in table.splitlines() if line)


def _step(line: str) -> Step:
    head, _, tail = line.partition(":")
    operation, *words = head.split()
    if operation == "pick":
        return Step(operation, (*words, *tail.split()), (), ())
    inks = tuple(word for word in words if word[0].isalpha())
    numbers = tuple(float(word) for word in words if not word[0].isalpha())
    return Step(operation, inks, numbers, tuple(points(path) for path in tail.split("/")))


def _fill(c: Canvas, step: Step, pose: Pose) -> None:
    for path in step.paths:
        c.fill(pose.of(path), step.inks[0], step.inks[-1])


def _flat(c: Canvas, step: Step, pose: Pose) -> None:
    for path in step.paths:
        c.flat(pose.of(path), step.inks[0])


def _curve(c: Canvas, step: Step, pose: Pose) -> None:
    for path in step.paths:
        c.fill(smooth(pose.of(path)), step.inks[0], step.inks[-1])


def _form(c: Canvas, step: Step, pose: Pose) -> None:
    for path in step.paths:
        c.form(smooth(pose.of(path)), step.inks[0], step.inks[1])


def _line(c: Canvas, step: Step, pose: Pose) -> None:
    for path in step.paths:
        c.stroke(pose.of(path), step.numbers[0] * pose.size, step.inks[0])


def _oval(c: Canvas, step: Step, pose: Pose) -> None:
    rx, ry = step.numbers[0] * pose.size, step.numbers[-1] * pose.size
    for x, y in (spot for path in step.paths for spot in pose.of(path)):
        c.oval(x, y, rx, ry, step.inks[0])


def _glow(c: Canvas, step: Step, pose: Pose) -> None:
    rx, ry, alpha = step.numbers
    for x, y in (spot for path in step.paths for spot in pose.of(path)):
        c.glow(x, y, rx * pose.size, ry * pose.size, step.inks[0], alpha)


def _arch(c: Canvas, step: Step, pose: Pose) -> None:
    half, rise, height = (number * pose.size for number in step.numbers)
    for x, y in (spot for path in step.paths for spot in pose.of(path)):
        c.fill(dome(x, y, half, rise, y + height), step.inks[0])


def _window(c: Canvas, step: Step, pose: Pose) -> None:
    w, h = step.numbers[0] * pose.size, step.numbers[1] * pose.size
    for x, y in (spot for path in step.paths for spot in pose.of(path)):
        window(c, x, y, w, h, step.inks[0], step.inks[1])


def _keep(c: Canvas, step: Step, pose: Pose) -> None:
    for path in step.paths:
        (x0, top), (x1, foot) = pose.of(path)
        left, right = min(x0, x1), max(x0, x1)
        c.fill(box(left, top, right, foot), step.inks[0], step.inks[-1])
        teeth = max(3, round((right - left) / (0.055 * pose.size)))
        for k in range(teeth):
            x, w = left + (right - left) * (k + 0.2) / teeth, (right - left) * 0.6 / teeth
            c.fill(box(x, top - 0.045 * pose.size, x + w, top + 0.01 * pose.size), step.inks[0])


_OPERATIONS: dict[str, Callable[[Canvas, Step, Pose], None]] = {
    "fill": _fill,
    "flat": _flat,
    "curve": _curve,
    "form": _form,
    "line": _line,
    "oval": _oval,
    "glow": _glow,
    "arch": _arch,
    "window": _window,
    "keep": _keep,
}


def window(c: Canvas, x: float, y: float, w: float, h: float, frame: Ink, glass: Ink) -> None:
    c.fill(box(x - w * 0.7, y - h * 0.62, x + w * 0.7, y + h * 0.62), frame)
    c.fill(box(x - w / 2, y - h / 2, x + w / 2, y + h / 2), glass)
    if h > 0.02:
        c.stroke([(x, y - h / 2), (x, y + h / 2)], 0.08 * w, frame)
