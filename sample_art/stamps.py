"""Draws things from the tables of shapes in things.txt.

A thing is drawn in its own units: about one unit high or long, with its foot at 0,0. Each line of its table
is "operation inks numbers : path / path", with points written "x,y". Of inks separated by "/" one is drawn at
random.

- `pick name : inks` draws one of the inks and names it, unless the caller or an earlier line has done so.
- `like name` inserts another table.
- `put name size ink=… : points` draws another thing at each point; `spin name count` draws it `count` times,
  rotated.
- Operations on each path: `fill` draws a polygon that blends from the first ink to the second, `flat` one
  without an outline, `rough` one with an uneven edge (amount), `curve` one with rounded corners, and `form`
  one that looks solid. `line` draws a stroke (width), `ring` repeats a petal around 0,0 (count), `lathe`
  draws a vessel from its profile (half width, height), and `keep` draws a block with battlements between two
  points.
- Operations at each point: `oval` (half width, half height) draws a spot, `glow` (the same, and strength) a
  soft one, `dots` (count, spread, radius) several spots, `arch` (half width, rise, height) a doorway, and
  `window` (width, height) a frame of the first ink with glass of the second.

The light comes from the right; a thing is mirrored if the sun is on the left.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from sample_art.canvas import Canvas
from sample_art.palettes import Ink
from sample_art.shapes import Point, Pose, box, dome, points, smooth


class Step(NamedTuple):
    operation: str
    words: tuple[str, ...]  # inks and names
    numbers: tuple[float, ...]
    named: dict[str, str]
    paths: tuple[tuple[Point, ...], ...]


@cache
def _tables() -> dict[str, list[str]]:
    """Return the lines of each table in things.txt by name."""
    tables: dict[str, list[str]] = {}
    name = ""
    for line in (Path(__file__).parent / "things.txt").read_text("utf-8").splitlines():
        if line.startswith("["):
            name = line.strip("[]")
            tables[name] = []
        elif line and not line.startswith("#"):
            tables[name].append(line)
    return tables


@cache
def steps_of(name: str) -> tuple[Step, ...]:
    """Return the steps to draw a thing. Raises KeyError if things.txt does not define it."""
    steps: list[Step] = []
    for line in _tables()[name]:
        head, _, tail = line.partition(" :")
        operation, *words = head.split()
        if operation == "like":
            steps += steps_of(words[0])
        elif operation == "pick":
            steps.append(Step(operation, (words[0], tail), (), {}, ()))
        else:
            named = dict(word.split("=") for word in words if "=" in word)
            numbers = tuple(float(word) for word in words if word[0] in ".0123456789")
            inks = tuple(word.replace("/", " ") for word in words if word[0].isalpha() and "=" not in word)
            paths = tuple(points(path) for path in tail.split("/"))
            steps.append(
                Step(operation, inks, numbers, {k: v.replace("/", " ") for k, v in named.items()}, paths)
            )
    return tuple(steps)


def stamp(
    c: Canvas,
    name: str,
    x: float,
    y: float,
    size: float,
    inks: Mapping[str, Ink] | None = None,
    *,
    flip: float | None = None,
    turn: float = 0.0,
    tall: float = 1.0,
) -> None:
    """Draw a thing of things.txt at (x, y); `inks` replace those of the same name that it picks."""
    pose, before = Pose(x, y, size, c.sun if flip is None else flip, turn, tall), c.colors
    picked = {ink: c.vary(value) for ink, value in (inks or {}).items()}
    c.colors = before | picked
    for step in steps_of(name):
        if step.operation != "pick":
            _draw(c, step, pose)
        elif step.words[0] not in picked:
            picked[step.words[0]] = c.colors[step.words[0]] = c.vary(step.words[1].strip())
    c.colors = before


def _draw(c: Canvas, step: Step, pose: Pose) -> None:
    first, last, sizes = step.words[0], step.words[-1], [number * pose.size for number in step.numbers]
    for path in step.paths:
        shape = pose.of(path)
        match step.operation:
            case "fill":
                c.fill(shape, first, last)
            case "flat":
                c.flat(shape, first)
            case "rough":
                c.fill(shape, first, last, rough=sizes[0])
            case "curve":
                c.fill(smooth(shape), first, last)
            case "form":
                c.form(smooth(shape), first, last)
            case "line":
                c.stroke(shape, sizes[0], first)
            case "lathe":
                _lathe(c, path, pose, first)
            case "ring":
                _ring(c, path, pose, first, round(step.numbers[0]))
            case "keep":
                _keep(c, shape, pose.size, first, last)
            case _:
                for x, y in shape:
                    _draw_at(c, step, x, y, sizes, pose)


def _draw_at(c: Canvas, step: Step, x: float, y: float, sizes: list[float], pose: Pose) -> None:
    first, numbers = step.words[0], step.numbers
    match step.operation:
        case "oval":
            c.oval(x, y, sizes[0], sizes[-1], first)
        case "glow":
            c.glow(x, y, sizes[0], sizes[1], first, numbers[2])
        case "dots":
            c.dots(round(numbers[0]), x, y, (sizes[1], sizes[1]), sizes[2], first)
        case "arch":
            c.fill(dome(x, y, sizes[0], sizes[1], y + sizes[2]), first)
        case "window":
            window(c, x, y, sizes[0], sizes[1], first, step.words[1])
        case "put":
            stamp(c, first, x, y, sizes[0], step.named, flip=pose.flip, turn=pose.turn)
        case "spin":
            turn, count = c.rng.uniform(0, math.tau), round(numbers[0])
            for k in range(count):
                stamp(c, first, x, y, pose.size, flip=1, turn=turn + k * math.tau / count)
        case operation:
            raise ValueError(f"unknown operation {operation!r} in things.txt")


def _lathe(c: Canvas, profile: tuple[Point, ...], pose: Pose, ink: str) -> None:
    curve: list[Point] = []
    for (a0, u0), (a1, u1) in pairwise(profile):  # ease between corners
        eased = ((j / 6, (1 - math.cos(math.pi * j / 6)) / 2) for j in range(6))
        curve += [(a0 + (a1 - a0) * ease, u0 + (u1 - u0) * t) for t, ease in eased]
    curve.append(profile[-1])

    def outline(wide: float, shift: float) -> list[Point]:
        right = [(half * (shift + wide), -up) for half, up in curve]
        return pose.of([*right, *((half * (shift - wide), -up) for half, up in reversed(curve))])

    c.fill(outline(1, 0), c.mix(ink, "dark", 0.12), c.mix(ink, "dark", 0.35))
    for t in (k / 7 for k in range(8)):  # slices from the shaded to the lit side
        c.flat(
            outline(0.96 - 0.75 * t, 0.288 * t), c.mix(c.mix(ink, "dark", 0.3), c.mix(ink, "light", 0.5), t)
        )
    mouth, top = profile[-1]
    c.oval(*pose.at(0, -top), mouth * pose.size, 0.22 * mouth * pose.size, c.mix(ink, "dark", 0.55))
    shine = pose.at(curve[len(curve) // 2][0] * 0.5, -0.55 * top)
    c.glow(*shine, 0.08 * pose.size, 0.2 * pose.size, "light", 0.7)


def _ring(c: Canvas, petal: tuple[Point, ...], pose: Pose, ink: str, count: int) -> None:
    turn, shape = c.rng.uniform(0, math.tau), smooth(petal)
    for k in range(count):
        turned = Pose(0, 0, 1, 1, turn + (k + c.rng.uniform(-0.1, 0.1)) * math.tau / count)
        c.flat(pose.of(turned.of(shape)), c.vary(ink))


def _keep(c: Canvas, corners: list[Point], size: float, top_ink: str, foot_ink: str) -> None:
    (x0, top), (x1, foot) = corners
    left, right = min(x0, x1), max(x0, x1)
    c.fill(box(left, top, right, foot), top_ink, foot_ink)
    teeth = max(3, round((right - left) / (0.055 * size)))
    for k in range(teeth):
        x, w = left + (right - left) * (k + 0.2) / teeth, (right - left) * 0.6 / teeth
        c.fill(box(x, top - 0.045 * size, x + w, top + 0.01 * size), top_ink)


def window(c: Canvas, x: float, y: float, w: float, h: float, frame: Ink, glass: Ink) -> None:
    c.fill(box(x - w * 0.7, y - h * 0.62, x + w * 0.7, y + h * 0.62), frame)
    c.fill(box(x - w / 2, y - h / 2, x + w / 2, y + h / 2), glass)
    if h > 0.02:
        c.stroke([(x, y - h / 2), (x, y + h / 2)], 0.08 * w, frame)
