"""Reads scenes.txt, in which each scene is a table of layers.

A scene begins with "[name, shape] subject": the shape of its images ("wide", "tall" or "even"), and the
subject for which a biography says the artist is known. Each line below is a layer of `layers.LAYERS` with its
parameters, or a count and the things that `layers.scatter` places in the scene. Ranges are written
"low~high", alternatives "one/other", and options "name=value". A condition may precede the layer: "day" or
"late", the time of day; "70%", a probability; "else", if the last probability did not apply.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

from sample_art import abstract, land, portraits, skies, still_life  # noqa: F401  (defines the layers)
from sample_art.canvas import Canvas
from sample_art.layers import LAYERS

Value = float | str | tuple[float, float]


class Layer(NamedTuple):
    condition: str
    name: str
    values: tuple[Value, ...]
    options: dict[str, Value]

    def applies(self, c: Canvas, last_chance: bool) -> bool:
        if self.condition.endswith("%"):
            return c.rng.random() * 100 < float(self.condition[:-1])
        return {"": True, "day": c.day, "late": not c.day, "else": not last_chance}[self.condition]


class Scene(NamedTuple):
    shape: str
    subject: str
    layers: list[Layer]

    def paint(self, c: Canvas) -> None:
        last_chance = False
        for layer in self.layers:
            applies = layer.applies(c, last_chance)
            last_chance = applies if layer.condition.endswith("%") else last_chance
            if applies:
                LAYERS[layer.name](c, *layer.values, **layer.options)


def _value(text: str) -> Value:
    if not re.fullmatch(r"-?[\d.]+(~-?[\d.]+)?", text):
        return text.replace("/", " ")
    numbers = [float(part) if "." in part else int(part) for part in text.split("~")]
    return numbers[0] if len(numbers) == 1 else (numbers[0], numbers[1])


def _layer(line: str) -> Layer:
    words = line.split()
    condition = words.pop(0) if words[0] in ("day", "late", "else") or words[0].endswith("%") else ""
    name = words.pop(0) if words[0] in LAYERS else "scatter"
    options = dict(word.split("=", 1) for word in words if "=" in word)
    values = tuple(_value(word) for word in words if "=" not in word)
    return Layer(condition, name, values, {option: _value(text) for option, text in options.items()})


@cache
def scenes() -> dict[str, Scene]:
    """Return all scenes by name."""
    found: dict[str, Scene] = {}
    for line in (Path(__file__).parent / "scenes.txt").read_text("utf-8").splitlines():
        if heading := re.fullmatch(r"\[(.+), (wide|tall|even)\] (.+)", line):
            name, shape, subject = heading.groups()
            found[name] = scene = Scene(shape, subject, [])
        elif line and not line.startswith("#"):
            scene.layers.append(_layer(line))
    return found
