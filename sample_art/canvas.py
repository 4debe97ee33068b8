"""The canvas. Lengths are in image heights; shapes are drawn at twice the final size."""

from __future__ import annotations

import math
import random
from functools import lru_cache
from itertools import pairwise

import numpy as np
from PIL import Image, ImageDraw

from sample_art.palettes import FIXED, Color, Ink, Palette, mix, parse_recipe, vary
from sample_art.shapes import Point, Points, height_at, roughen

SCALE = 2  # drawn at this multiple of the final size, to smooth the edges
MIN_GRADIENT_PX = 14  # lower shapes get a single color

Range = float | tuple[float, float]


class Canvas:
    """An image in progress; x runs from 0 to `w`, y from 0 to 1 downwards, and lengths are in image heights.

    `contour` is the width of the dark outline of larger shapes, 0 for none. `sun` is the side of the light,
    -1 left or 1 right. State that layers set for later ones: `line` is the height of the horizon, `skyline`
    the last range of hills, `orb` the x of the sun or moon, `bank` the side of the near land, and `day` is
    False in the evening and at night.
    """

    def __init__(
        self, width: int, height: int, palette: Palette, rng: random.Random, contour: float = 0.0
    ) -> None:
        self.image = Image.new("RGB", (width * SCALE, height * SCALE), palette.light)
        self.draw = ImageDraw.Draw(self.image)
        self.unit = height * SCALE
        self.w = width / height
        self.colors: dict[str, Color] = FIXED | palette._asdict()
        self.rng = rng
        self.contour = contour
        self.sun = rng.choice((-1, 1))
        self.line = 0.5
        self.skyline: Points = [(0.0, 0.5)]
        self.day = True
        self.orb: float | None = None
        self.bank = 1

    def color(self, ink: Ink) -> Color:
        if not isinstance(ink, str):
            return ink
        first, steps = parse_recipe(self.rng.choice(ink.split()) if " " in ink else ink)
        color = self.colors[first]
        for name, share in steps:
            color = mix(color, self.colors[name], share)
        return color

    def mix(self, a: Ink, b: Ink, t: float) -> Color:
        return mix(self.color(a), self.color(b), t)

    def vary(self, ink: Ink, amount: float = 0.02) -> Color:
        return vary(self.rng, self.color(ink), amount)

    def some(self, value: Range) -> float:
        """Return a random number in the range; a single number is returned unchanged."""
        return self.rng.uniform(*value) if isinstance(value, tuple) else value

    def side(self) -> int:
        return self.rng.choice((-1, 1))

    def ground(self, x: float) -> float:
        return height_at(self.skyline, x)

    def pixels(self, shape: Points) -> list[Point]:
        """Return the points in pixels of the enlarged drawing."""
        return [(x * self.unit, y * self.unit) for x, y in shape]

    def flat(self, shape: Points, ink: Ink) -> None:
        """Fill a polygon with one color, without an outline."""
        self.draw.polygon(self.pixels(shape), fill=self.color(ink))

    def fill(self, shape: Points, top: Ink, foot: Ink | None = None, rough: float = 0.0) -> None:
        """Fill a polygon, blending from `top` to `foot`; `rough` is the unevenness of its edge."""
        pixels = self.pixels(roughen(self.rng, shape, rough) if rough else shape)
        upper = self.color(top)
        lower = upper if foot is None else self.color(foot)
        if lower == upper or max(y for _, y in pixels) - min(y for _, y in pixels) < MIN_GRADIENT_PX:
            self.draw.polygon(pixels, fill=mix(upper, lower, 0.4))
        else:
            self._fill_gradient(pixels, upper, lower)
        self._outline(pixels)

    def _fill_gradient(self, pixels: list[Point], top: Color, foot: Color) -> None:
        left = max(0, math.floor(min(x for x, _ in pixels)))
        upper = max(0, math.floor(min(y for _, y in pixels)))
        right = min(self.image.width, math.ceil(max(x for x, _ in pixels)) + 1)
        lower = min(self.image.height, math.ceil(max(y for _, y in pixels)) + 1)
        if right <= left or lower <= upper:
            return
        mask = Image.new("1", (right - left, lower - upper))  # pasted four times as fast as "L"
        ImageDraw.Draw(mask).polygon([(x - left, y - upper) for x, y in pixels], fill=1)
        self.image.paste(_blend(top, foot, *mask.size), (left, upper), mask)

    def _outline(self, pixels: list[Point]) -> None:
        if self.contour and max(y for _, y in pixels) - min(y for _, y in pixels) > 0.035 * self.unit:
            width = max(2, round(self.contour * self.unit))
            path = [*pixels, pixels[0], pixels[1]]
            self.draw.line(path, fill=self.colors["dark"], width=width, joint="curve")

    def oval(self, x: float, y: float, rx: float, ry: float, ink: Ink) -> None:
        u = self.unit
        self.draw.ellipse(((x - rx) * u, (y - ry) * u, (x + rx) * u, (y + ry) * u), fill=self.color(ink))

    def form(self, shape: Points, shade: Ink, light: Ink, steps: int = 7, lift: float = 0.3) -> None:
        """Fill a roundish shape so that it looks solid, with smaller, lighter copies towards the lit side.

        `lift` is the distance of the lightest spot from the middle, as a share of the half extent.
        """
        dark, bright = self.color(shade), self.color(light)
        xs, ys = [x for x, _ in shape], [y for _, y in shape]
        fx = (min(xs) + max(xs)) / 2 + self.sun * lift * (max(xs) - min(xs)) / 2
        fy = (min(ys) + max(ys)) / 2 - lift * (max(ys) - min(ys)) / 2
        for t in (k / max(1, steps - 1) for k in range(steps)):
            s = 1 - 0.85 * t
            self.flat([(fx + (x - fx) * s, fy + (y - fy) * s) for x, y in shape], mix(dark, bright, t**0.8))
        self._outline(self.pixels(shape))

    def stroke(self, path: Points, width: float, ink: Ink) -> None:
        """Draw a line with round ends through the points, at least one final pixel wide."""
        pixels, color = self.pixels(path), self.color(ink)
        thick = max(2, round(width * self.unit))
        self.draw.line(pixels, fill=color, width=thick, joint="curve" if len(pixels) > 2 else None)
        if thick > 4:
            r = thick / 2 - 0.5
            for x, y in (pixels[0], pixels[-1]):
                self.draw.ellipse((x - r, y - r, x + r, y + r), fill=color)

    def backdrop(self, *stops: tuple[float, Ink]) -> None:
        """Fill the whole image, blending from each stop (a height and a color) to the next."""
        inks = [(y, self.color(ink)) for y, ink in stops]
        for (top, upper), (foot, lower) in pairwise([*inks, (1.0, inks[-1][1])]):
            self.band(top, foot, upper, lower)

    def band(self, top: float, foot: float, upper: Ink, lower: Ink) -> None:
        """Fill the full width from `top` to `foot`, blending from `upper` to `lower`."""
        y0, y1 = max(0, round(top * self.unit)), min(self.image.height, round(foot * self.unit))
        if y1 > y0:
            blend = _blend(self.color(upper), self.color(lower), self.image.width, y1 - y0)
            self.image.paste(blend, (0, y0))

    def glow(self, x: float, y: float, rx: float, ry: float, ink: Ink, alpha: float) -> None:
        """Paint a soft oval patch of color, with opacity `alpha` in its middle."""
        left, top, u = (x - rx) * self.unit, (y - ry) * self.unit, self.unit
        # Compute only the part inside the image: the broad glows of a sky extend far beyond it.
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
        mask = soft.resize((x1 - x0, y1 - y0), Image.Resampling.NEAREST, box=part)
        # Pasting an image through a mask takes half the time of pasting a color.
        self.image.paste(Image.new("RGB", mask.size, self.color(ink)), (x0, y0), mask)

    def glows(
        self, count: int, x: Range, y: Range, rx: Range, ry: Range, ink: Ink, alpha: float = 0.6
    ) -> None:
        """Paint `count` soft patches at random places; x is a share of the width."""
        for _ in range(count):
            at = self.some(x) * self.w, self.some(y)
            self.glow(*at, self.some(rx), self.some(ry), ink, alpha)

    def veil(self, top: float, foot: float, ink: Ink, upper: float, lower: float) -> None:
        """Paint mist over the full width, with opacity `upper` at `top` and `lower` at `foot`."""
        y0, y1 = max(0, round(top * self.unit)), min(self.image.height, round(foot * self.unit))
        if y1 > y0:
            ramp = np.linspace(upper * 255, lower * 255, y1 - y0).astype(np.uint8)[:, None]
            mask = Image.fromarray(ramp).resize((self.image.width, y1 - y0), Image.Resampling.NEAREST)
            self.image.paste(self.color(ink), (0, y0), mask)

    def mirror(self, line: float, strength: float, tint: Ink) -> None:
        """Reflect what is above `line` in the rippled water below it, with opacity `strength`."""
        y = round(line * self.unit)
        depth = self.image.height - y
        above = self.image.crop((0, max(0, y - depth), self.image.width, y))
        flipped = above.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
        pixels = np.asarray(flipped.resize((self.image.width // 2, max(8, depth // 2))))
        rows = np.arange(pixels.shape[0])
        phase = self.rng.uniform(0, math.tau)
        near, far = np.sin(rows * 0.55 + phase), np.sin(rows * 0.23 + 2 * phase)
        sway = near * (1 + rows * 0.045) + far * (rows * 0.03)
        columns = (np.arange(pixels.shape[1])[None, :] + sway[:, None].astype(np.int32)) % pixels.shape[1]
        size = (self.image.width, depth)
        ripple = Image.fromarray(pixels[rows[:, None], columns]).resize(size, Image.Resampling.BILINEAR)
        ripple = Image.blend(ripple, Image.new("RGB", size, self.color(tint)), 0.3)
        below = self.image.crop((0, y, self.image.width, y + depth))
        self.image.paste(Image.blend(below, ripple, strength), (0, y))

    def dabs(
        self,
        count: int,
        area: tuple[float, float, float, float],
        length: float,
        width: float,
        ink: Ink,
        angle: float = 0.0,
        spread: float = 0.3,
    ) -> None:
        """Scatter brush marks over `area` (left, top, right, foot); lower ones are larger."""
        rng = self.rng
        left, top, right, foot = area
        for k in range(count):
            t = (k + rng.random()) / count
            x, y = rng.uniform(left, right), top + (foot - top) * t
            size = (0.55 + 0.75 * t) * rng.uniform(0.6, 1.2)
            a = angle + rng.uniform(-spread, spread)
            dx, dy = math.cos(a) * length * size / 2, math.sin(a) * length * size / 2
            self.stroke([(x - dx, y - dy), (x + dx, y + dy)], width * size, self.vary(ink, 0.05))

    def dots(self, count: int, x: float, y: float, spread: Point, radius: Range, ink: Ink) -> None:
        """Scatter small round spots about (x, y); `spread` is their standard deviation in x and y."""
        for _ in range(count):
            r = self.some(radius)
            at = x + self.rng.gauss(0, spread[0]), y + self.rng.gauss(0, spread[1])
            self.oval(*at, r, r, self.vary(ink))


def _blend(top: Color, foot: Color, width: int, height: int) -> Image.Image:
    """Return an image of the given size that blends from `top` to `foot`."""
    ends = Image.new("RGB", (1, 2), top)
    ends.putpixel((0, 1), foot)
    strip = ends.resize((1, height), Image.Resampling.BILINEAR, box=(0, 0.5, 1, 1.5))
    return strip.resize((width, height), Image.Resampling.NEAREST)


@lru_cache(maxsize=32)
def _falloff(twentieths: int) -> Image.Image:
    """Return the mask of a glow, fine enough to be enlarged without smoothing."""
    at = np.linspace(-1, 1, 256)
    soft = np.clip(1 - np.hypot(at[:, None], at[None, :]), 0, 1) ** 1.5 * twentieths / 20
    return Image.fromarray((soft * 255).astype(np.uint8))
