"""The painter's hand: shapes drawn at twice the final size, in units of the picture's height."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

import numpy as np
from PIL import Image, ImageDraw

from gallery.datasets.painter.colours import Colour, Palette, mix, vary

SCALE = 2  # drawn at twice the size and reduced, which is what smooths the edges
FLAT = 14  # pixels; in a lower shape no gradient is seen
Point = tuple[float, float]
Points = list[Point]


class Canvas:
    """A picture in progress; x runs 0..`w`, y runs 0..1 downwards, and every length is in heights.

    `ink` is the width of the dark contour that every larger shape gets, 0 for none. `sun` is the side
    the light falls from, -1 left or 1 right.
    """

    def __init__(
        self, width: int, height: int, palette: Palette, rng: random.Random, ink: float = 0.0
    ) -> None:
        self.image = Image.new("RGB", (width * SCALE, height * SCALE), palette.light)
        self.draw = ImageDraw.Draw(self.image)
        self.unit = height * SCALE
        self.w = width / height
        self.palette = palette
        self.rng = rng
        self.ink = ink
        self.sun = rng.choice((-1, 1))

    def pixels(self, points: Sequence[Point]) -> list[Point]:
        """The points in pixels of the large drawing."""
        return [(x * self.unit, y * self.unit) for x, y in points]

    def fill(
        self, points: Sequence[Point], colour: Colour, to: Colour | None = None, rough: float = 0.0
    ) -> None:
        """Fill a polygon, from `colour` at its top to `to` at its foot; `rough` is how far the edge strays."""
        shape = self.pixels(roughen(self.rng, points, rough) if rough else points)
        low, high = min(y for _, y in shape), max(y for _, y in shape)
        if to is None or high - low < FLAT:
            self.draw.polygon(shape, fill=mix(colour, to or colour, 0.4))
        else:
            self._fill_gradient(shape, colour, to)
        self._contour(shape)

    def _fill_gradient(self, shape: list[Point], top: Colour, foot: Colour) -> None:
        left = max(0, math.floor(min(x for x, _ in shape)))
        upper = max(0, math.floor(min(y for _, y in shape)))
        right = min(self.image.width, math.ceil(max(x for x, _ in shape)) + 1)
        lower = min(self.image.height, math.ceil(max(y for _, y in shape)) + 1)
        if right <= left or lower <= upper:
            return
        mask = Image.new("L", (right - left, lower - upper))
        ImageDraw.Draw(mask).polygon([(x - left, y - upper) for x, y in shape], fill=255)
        self.image.paste(column([(0.0, top), (1.0, foot)], mask.width, mask.height), (left, upper), mask)

    def _contour(self, shape: list[Point]) -> None:
        if self.ink and max(y for _, y in shape) - min(y for _, y in shape) > 0.035 * self.unit:
            width = max(2, round(self.ink * self.unit))
            self.draw.line([*shape, shape[0], shape[1]], fill=self.palette.dark, width=width, joint="curve")

    def oval(self, x: float, y: float, rx: float, ry: float, colour: Colour) -> None:
        u = self.unit
        self.draw.ellipse(((x - rx) * u, (y - ry) * u, (x + rx) * u, (y + ry) * u), fill=colour)

    def form(
        self, points: Sequence[Point], shade: Colour, light: Colour, steps: int = 7, lift: float = 0.3
    ) -> None:
        """Fill a roundish shape so that it looks solid: lighter copies shrink towards the lit side.

        `lift` is how far from the middle the lightest spot lies, as a share of the half extent.
        """
        xs, ys = [x for x, _ in points], [y for _, y in points]
        fx = (min(xs) + max(xs)) / 2 + self.sun * lift * (max(xs) - min(xs)) / 2
        fy = (min(ys) + max(ys)) / 2 - lift * (max(ys) - min(ys)) / 2
        for k in range(steps):
            t = k / max(1, steps - 1)
            s = 1 - 0.85 * t
            shape = self.pixels([(fx + (x - fx) * s, fy + (y - fy) * s) for x, y in points])
            self.draw.polygon(shape, fill=mix(shade, light, t**0.8))
        self._contour(self.pixels(points))

    def stroke(self, points: Sequence[Point], width: float, colour: Colour) -> None:
        """Draw a line through the points with round ends; `width` in heights, never under one pixel."""
        shape = self.pixels(points)
        thick = max(2, round(width * self.unit))
        self.draw.line(shape, fill=colour, width=thick, joint="curve" if len(shape) > 2 else None)
        if thick > 4:
            r = thick / 2 - 0.5
            for x, y in (shape[0], shape[-1]):
                self.draw.ellipse((x - r, y - r, x + r, y + r), fill=colour)

    def backdrop(self, *stops: tuple[float, Colour]) -> None:
        """Fill the whole picture with colours blending from one stop (a height, a colour) to the next."""
        self.image.paste(column(list(stops), *self.image.size))

    def band(self, top: float, foot: float, upper: Colour, lower: Colour) -> None:
        """Fill the full width from `top` to `foot`, blending from one colour to the other."""
        y0, y1 = max(0, round(top * self.unit)), min(self.image.height, round(foot * self.unit))
        if y1 > y0:
            self.image.paste(column([(0.0, upper), (1.0, lower)], self.image.width, y1 - y0), (0, y0))

    def glow(self, x: float, y: float, rx: float, ry: float, colour: Colour, alpha: float) -> None:
        """Lay a soft round patch of colour over the picture, `alpha` strong in its middle."""
        left, top, u = (x - rx) * self.unit, (y - ry) * self.unit, self.unit
        # Only what lies inside the picture: the broad glows of a sky reach far out of it.
        x0, y0 = max(0, round(left)), max(0, round(top))
        x1 = min(self.image.width, round(left + 2 * rx * u))
        y1 = min(self.image.height, round(top + 2 * ry * u))
        if x1 <= x0 or y1 <= y0:
            return
        soft = _falloff(round(alpha * 20))
        across, down = soft.width / (2 * rx * u), soft.height / (2 * ry * u)
        part = (
            max(0.0, (x0 - left) * across),
            max(0.0, (y0 - top) * down),
            min(float(soft.width), (x1 - left) * across),
            min(float(soft.height), (y1 - top) * down),
        )
        mask = soft.resize((x1 - x0, y1 - y0), Image.Resampling.BILINEAR, box=part)
        self.image.paste(colour, (x0, y0), mask)

    def veil(self, top: float, foot: float, colour: Colour, upper: float, lower: float) -> None:
        """Lay mist over the full width: `upper` opaque at `top`, `lower` at `foot`."""
        y0, y1 = max(0, round(top * self.unit)), min(self.image.height, round(foot * self.unit))
        if y1 > y0:
            ramp = np.linspace(upper * 255, lower * 255, y1 - y0).astype(np.uint8)[:, None]
            mask = Image.fromarray(ramp).resize((self.image.width, y1 - y0), Image.Resampling.NEAREST)
            self.image.paste(colour, (0, y0), mask)

    def mirror(self, line: float, strength: float, tint: Colour) -> None:
        """Reflect what stands above `line` in the water below it, rippled, `strength` visible."""
        y = round(line * self.unit)
        depth = self.image.height - y
        above = self.image.crop((0, max(0, y - depth), self.image.width, y))
        small = above.transpose(Image.Transpose.FLIP_TOP_BOTTOM).resize(
            (self.image.width // 2, max(8, depth // 2))
        )
        pixels = np.asarray(small)
        rows = np.arange(pixels.shape[0])
        phase = self.rng.uniform(0, 6.28)
        sway = np.sin(rows * 0.55 + phase) * (1 + rows * 0.045) + np.sin(rows * 0.23 + 2 * phase) * (
            rows * 0.03
        )
        columns = (np.arange(pixels.shape[1])[None, :] + sway[:, None].astype(np.int32)) % pixels.shape[1]
        ripple = Image.fromarray(pixels[rows[:, None], columns]).resize(
            (self.image.width, depth), Image.Resampling.BILINEAR
        )
        ripple = Image.blend(ripple, Image.new("RGB", ripple.size, tint), 0.3)
        below = self.image.crop((0, y, self.image.width, y + depth))
        self.image.paste(Image.blend(below, ripple, strength), (0, y))

    def dabs(
        self,
        count: int,
        box: tuple[float, float, float, float],
        length: float,
        width: float,
        colours: Sequence[Colour],
        angle: float = 0.0,
        spread: float = 0.3,
    ) -> None:
        """Scatter short brush marks over `box` (left, top, right, foot); those lower down are larger."""
        rng = self.rng
        left, top, right, foot = box
        for k in range(count):
            t = (k + rng.random()) / count
            x, y = rng.uniform(left, right), top + (foot - top) * t
            size = (0.55 + 0.75 * t) * rng.uniform(0.6, 1.2)
            a = angle + rng.uniform(-spread, spread)
            dx, dy = math.cos(a) * length * size / 2, math.sin(a) * length * size / 2
            self.stroke(
                [(x - dx, y - dy), (x + dx, y + dy)], width * size, vary(rng, rng.choice(colours), 0.05)
            )


def box(left: float, top: float, right: float, foot: float) -> Points:
    """The four corners of an upright rectangle."""
    return [(left, top), (right, top), (right, foot), (left, foot)]


def roughen(rng: random.Random, points: Sequence[Point], amount: float) -> Points:
    """The polygon with its edges divided and each new point strayed by up to `amount`."""
    out: Points = []
    for (x0, y0), (x1, y1) in zip(points, [*points[1:], points[0]], strict=True):
        parts = min(24, max(1, int(math.hypot(x1 - x0, y1 - y0) / max(0.012, amount * 4))))
        for k in range(parts):
            t = k / parts
            out.append(
                (
                    x0 + (x1 - x0) * t + rng.uniform(-amount, amount),
                    y0 + (y1 - y0) * t + rng.uniform(-amount, amount),
                )
            )
    return out


def smooth(points: Sequence[Point], rounds: int = 2) -> Points:
    """The closed polygon with its corners cut `rounds` times (Chaikin), so that it reads as a curve."""
    shape = list(points)
    for _ in range(rounds):
        cut: Points = []
        for (x0, y0), (x1, y1) in zip(shape, [*shape[1:], shape[0]], strict=True):
            cut.append((0.75 * x0 + 0.25 * x1, 0.75 * y0 + 0.25 * y1))
            cut.append((0.25 * x0 + 0.75 * x1, 0.25 * y0 + 0.75 * y1))
        shape = cut
    return shape


def blob(
    rng: random.Random, x: float, y: float, rx: float, ry: float, uneven: float = 0.12, corners: int = 10
) -> Points:
    """A rounded closed shape about (x, y) whose radius varies by `uneven`."""
    turn = rng.uniform(0, 6.28)
    shape: Points = []
    for k in range(corners):
        a = turn + 2 * math.pi * k / corners
        r = 1 + rng.uniform(-uneven, uneven)
        shape.append((x + math.cos(a) * rx * r, y + math.sin(a) * ry * r))
    return smooth(shape, 2)


def turned(points: Sequence[Point], x: float, y: float, angle: float) -> Points:
    """The points turned by `angle` about the origin and moved to (x, y)."""
    c, s = math.cos(angle), math.sin(angle)
    return [(x + px * c - py * s, y + px * s + py * c) for px, py in points]


def arc(x: float, y: float, rx: float, ry: float, start: float, end: float, parts: int = 14) -> Points:
    """Points along part of an oval, from angle `start` to `end` in radians, 0 to the right, downwards first."""
    return [
        (
            x + rx * math.cos(start + (end - start) * k / parts),
            y + ry * math.sin(start + (end - start) * k / parts),
        )
        for k in range(parts + 1)
    ]


def ridge(
    rng: random.Random, w: float, y: float, height: float, rounds: int = 6, calm: float = 0.5
) -> Points:
    """A skyline from beyond the left edge to beyond the right, strayed about `y` by `height`, then by `calm` of that."""
    line = [y + rng.uniform(-height, height) for _ in range(4)]
    for _ in range(rounds - 2):
        height *= calm
        finer = [line[0]]
        for a, b in pairwise(line):
            finer += [(a + b) / 2 + rng.uniform(-height, height), b]
        line = finer
    return [(-0.05 + (w + 0.1) * k / (len(line) - 1), v) for k, v in enumerate(line)]


def column(stops: Sequence[tuple[float, Colour]], width: int, height: int) -> Image.Image:
    """A picture of the given size whose colour blends downwards through the stops."""
    at = np.linspace(0.0, 1.0, height)
    heights = [y for y, _ in stops]
    channels = [np.interp(at, heights, [colour[k] for _, colour in stops]) for k in range(3)]
    strip = np.rint(np.stack(channels, axis=-1)).astype(np.uint8)[:, None, :]
    return Image.fromarray(strip).resize((width, height), Image.Resampling.NEAREST)


@lru_cache(maxsize=32)
def _falloff(twentieths: int) -> Image.Image:
    at = np.linspace(-1, 1, 64)
    r = np.hypot(at[:, None], at[None, :])
    soft = np.clip(1 - r, 0, 1) ** 1.5 * twentieths / 20
    return Image.fromarray((soft * 255).astype(np.uint8))
