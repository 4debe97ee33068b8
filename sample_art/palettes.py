"""Colors, how they are mixed and written, and the palettes of the invented artists."""

from __future__ import annotations

import colorsys
import random
from functools import lru_cache
from typing import NamedTuple

Color = tuple[int, int, int]
Ink = str | Color
"""A color, or its recipe: a name and what is mixed into it. "leaf+dark.3+sky.5" is leaf, 30 % of the way to
dark, then half way to sky. Of several recipes, separated by spaces, one is drawn at random."""


class Palette(NamedTuple):
    """The nine colors from which an artist mixes all others, named after their usual subjects."""

    sky: Color
    glow: Color
    water: Color
    leaf: Color
    earth: Color
    dark: Color
    light: Color
    accent: Color
    second: Color


def mix(a: Color, b: Color, t: float) -> Color:
    """Return the color `t` of the way from `a` to `b`; `t` is limited to 0..1."""
    t = min(1.0, max(0.0, t))
    return (round(a[0] + (b[0] - a[0]) * t), round(a[1] + (b[1] - a[1]) * t), round(a[2] + (b[2] - a[2]) * t))


def vary(rng: random.Random, color: Color, amount: float) -> Color:
    """Return a color close to `color`: lightness and each channel vary by up to `amount` of the range."""
    level = rng.uniform(-amount, amount) * 255
    red, green, blue = (
        min(255, max(0, round(v + level + rng.uniform(-amount, amount) * 110))) for v in color
    )
    return red, green, blue


@lru_cache(maxsize=4096)
def parse_recipe(recipe: str) -> tuple[str, tuple[tuple[str, float], ...]]:
    """Return the first color's name, and the (name, share) pairs to mix into it in order."""
    first, *parts = recipe.split("+")
    steps = (part.partition(".") for part in parts)
    return first, tuple((name, float(f"0.{share}")) for name, _, share in steps)


def adjust(palette: Palette, hue: float, saturation: float, value: float) -> Palette:
    """Return the palette with hues rotated by `hue`, a fraction of the circle, and the rest multiplied."""
    turned = []
    for color in palette:
        h, s, v = colorsys.rgb_to_hsv(*(channel / 255 for channel in color))
        red, green, blue = colorsys.hsv_to_rgb((h + hue) % 1.0, min(1.0, s * saturation), min(1.0, v * value))
        turned.append((round(red * 255), round(green * 255), round(blue * 255)))
    return Palette(*turned)


def _colors(row: str) -> list[Color]:
    return [(int(word[0:2], 16), int(word[2:4], 16), int(word[4:6], 16)) for word in row.split()]


# The columns are Palette's fields: sky, glow, water, leaf, earth, dark, light, accent, second.
_PALETTES = """
nordic     8fb3c9 e9e1cf 3f6f8c 5d7a58 a58b6a 22303c f4efe2 c8553d e0b04a
provence   7fb2dc f7d9a0 3a7ca5 7d9b4e d9a35b 3b3350 fdf3d8 d9542b f2b632
fauve      3d8fd1 ffb35c 1d6fa3 2e9e5b e8743b 2b1b4e fff1d0 e4344f f9d23c
dusk       5b4b8a f29e7a 4a4e86 4d5b5a 8a5a55 231b3a fbe3c8 e8604c ffc15e
sepia      c9b591 efdcb4 8a7a5c 7a7448 9c6f42 3a2a1c f8eed6 a8442a c99a3c
night      1b2a52 4a6a9c 16325a 23433f 3c3a4a 0b1126 f5efcf d96c4a f2c14e
mist       a9b7bd dcdcd2 7c949e 7d8d77 a59a88 3e4a52 f1f0ea a8675a c2a25e
spring     9fd0e6 fde6dc 5aa6b8 86b85c c9a879 35505a fffaf0 e77a96 f5c84b
autumn     a7bccb f3d19a 5d7f8f a98a34 b5622e 3a241f fbeccf c43d22 e9a11f
riviera    4fa7e0 ffeccf 1c84b5 6e9a5d e3c08f 23395d fffdf6 e2573f f6b93b
rose       c9a6c8 f9d4cf 8793b8 8ea28a c48f85 4a3452 fdf1ec d1496b eeb37a
emerald    7cc0b8 e7f0c4 1f7a78 2f8457 a98d5b 12343a f7f6e0 e08d3c d94f4f
ochre      b7c3bd f0dca8 6f8a86 8c8a42 c98b3b 40301f fbf0d2 b4502e 2f6f8f
ice        bcd6e6 f3ece8 6d9fc4 6b8f8c b3a99c 2d4460 fdfdff e0876a f2cf7e
storm      6c7a86 c7c3b2 38505c 56624e 7d6d5b 1d262d e9e8dd b9573f d4b169
coral      8fd3d6 ffd9c0 2fa3ae 79b48a f0a178 2f3b57 fff6ea ff6b57 ffc84f
plum       7d6a9e f0b8a4 4f5a8c 66705a 9a6a6a 2a1a35 f9e6dc c23b6b e7a93f
primary    e9e4d6 f5f0e2 1f4fa0 2f7d4f d9d2c0 17171a f8f5ec d5281f f4c81e
terracotta e3c8a8 f8e3c3 5f8f94 8b8f55 c8693f 3f2420 fcf1df a83a28 e0a03a
meadow     8cc4e8 f4f2d0 4b92b8 6aa545 b99a5c 2a4632 fffdf0 e8523f f7d038
lapis      3c62b0 c9d4ee 20418c 3d7d6b b08d57 141c48 f3f1e6 e0a82e d3573b
tenebrist  5a4a3a a88758 3c4a48 4d5230 7a4f2c 17110d f0dfb8 b8371f d79a2b
kiln       d88c5a ffd08a 9b3d3a 7f8b4a c4562f 2c1526 fff0d6 e02f3c 1f8a8c
"""
_rows = (line.split(maxsplit=1) for line in _PALETTES.strip().splitlines())
PALETTES = {name: Palette(*_colors(row)) for name, row in _rows}

# Colors that are the same in all palettes.
_FIXED = """
sunlit fff8e0 ember c4601e skin e2b898 lips be3c46 orange ee8a22 lemon f4d03e apple c42c28 lime 92b03e pear
c6ba4a peach f0a470 plum 5c366e melon e8464a blue 1e50aa magenta d23282 aurora 5ce296 teal 40d6be violet
966edc pink e26eaa brown 5c4028 hazel 46643e
"""
FIXED = dict(zip(_FIXED.split()[::2], _colors(" ".join(_FIXED.split()[1::2])), strict=True))
SKINS = _colors("f4d0b4 e8b894 d6a078 b07854 80543c 603e2e")
HAIRS = _colors("2c1e1a 543422 8c542c c49654 a84828 bebcb8")
