"""Skies with their lights, clouds, stars and birds."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image

from sample_art.canvas import Canvas, Range
from sample_art.layers import Count, count_of, layer
from sample_art.palettes import Ink
from sample_art.shapes import Pose, arc, blob

# Mood -> colors of the sky at the top, in the middle and at the horizon.
MOODS: dict[str, tuple[str, str, str]] = {
    "day": ("sky", "sky+light.45", "glow+light.3"),
    "gold": ("sky+glow.35", "glow", "glow+accent.38"),
    "dusk": ("sky+dark.5", "sky+accent.4", "glow+second.35"),
    "night": ("sky+dark.65", "sky+dark.45+glow.2", "sky+glow.3"),
    "polar": ("sky+dark.55", "sky+dark.2+glow.1", "sky+glow.3"),
    "frost": ("sky+dark.6", "sky+accent.3", "glow+accent.3"),
}


@layer
def sky(c: Canvas, line: Range, moods: str = "day day day gold dusk", clouds: float = 1) -> None:
    """Set the horizon, and paint the sky above it in one of the moods."""
    mood = c.rng.choice(moods.split())
    c.line, c.day = c.some(line), mood == "day"
    top, middle, foot = (c.vary(tone) for tone in MOODS[mood])
    c.backdrop((0.0, top), (c.line * 0.55, middle), (c.line, foot))
    # Broad strokes of other tones, so that the sky is not a plain gradient.
    for tone in ("light", top, foot, "light", top):
        c.glows(1, (0, 1), (0, c.line), (0.3, 0.6), 0.08, c.mix(middle, tone, 0.6 if c.day else 0.3), 0.55)
    if mood in ("night", "polar", "frost"):
        for _ in range(70):
            r, x, y = c.rng.uniform(0.0015, 0.0042), c.rng.uniform(0, c.w), c.rng.uniform(0, 0.85 * c.line)
            c.glow(x, y, r * 6, r * 6, "light", 0.5 if r > 0.0033 else 0)
            c.oval(x, y, r, r, "light")
    elif clouds:
        _clouds(c)


def _clouds(c: Canvas) -> None:
    """Paint a few heaped clouds, or streaks towards the horizon."""
    rng = c.rng
    light = c.color("light+glow.15" if c.day else "glow+second.35")
    shade = c.color("sky+light.5" if c.day else "sky+accent.35")
    if rng.random() < 0.6:
        for y in (rng.uniform(0.08, max(0.1, c.line * 0.75)) for _ in range(rng.randint(2, 5))):
            _cloud(c, rng.uniform(0, c.w), y, rng.uniform(0.07, 0.15) * (1.2 - y), light, shade)
    else:
        for _ in range(rng.randint(5, 9)):
            at = rng.uniform(-0.1, c.w), c.line * rng.uniform(0.3, 0.97)
            streak = blob(rng, *at, rng.uniform(0.15, 0.5), 0.008 + 0.012 * rng.random(), 0.3)
            c.fill(streak, c.mix(light, shade, rng.random()))


def _cloud(c: Canvas, x: float, y: float, r: float, light: Ink, shade: Ink) -> None:
    puffs = []
    for k in (-2, -1, 0, 1, 2):
        px, lift = x + (k * 0.62 + c.rng.uniform(-0.1, 0.1)) * r, c.rng.uniform(0, 0.35) * (2 - abs(k))
        puffs.append((px, y - lift * r, c.rng.uniform(0.55, 0.85) * r))
    for dx, dy, t, size in ((0.0, 0.25, 0.0, 1.0), (0.0, 0.0, 0.55, 0.95), (0.2, -0.2, 1.0, 0.7)):
        for px, py, pr in puffs:
            c.oval(
                px + c.sun * dx * pr, py + dy * pr, pr * size * 1.1, pr * size * 0.8, c.mix(shade, light, t)
            )
    c.glow(x, y + r * 0.5, r * 2.4, r * 0.5, shade, 0.6)


@layer
def orb(c: Canvas, x: Range, y: Range, r: Range, ink: Ink = "second+light.5", halo: Ink = "second") -> None:
    """Paint the sun or moon at height `y` in the image, or above the horizon if negative."""
    at, high, size = c.some(x) * c.w, c.some(y), c.some(r)
    high, glow, color = high if high > 0 else c.line + high, c.color(halo), c.color(ink)
    c.glow(at, high, size * 6, size * 6, glow, 0.75)
    c.glow(at, high, size * 2.6, size * 2.6, c.mix(glow, color, 0.6), 0.8)
    c.oval(at, high, size, size, color)
    c.colors["orb"], c.orb = color, at


@layer
def crescent(c: Canvas, x: Range, y: float, r: float) -> None:
    """Paint a crescent moon at height `y` in the image."""
    at, turn = c.some(x) * c.w, c.rng.uniform(-0.5, 0.3)
    outer, inner = arc(0, 0, 1, 1, -math.pi / 2, math.pi / 2), arc(0, 0, 0.45, 1, math.pi / 2, -math.pi / 2)
    c.glow(at, y, r * 4, r * 4, "light+second.3", 0.5)
    c.fill(Pose(at, y, r, turn=turn).of([*outer, *inner]), "light+second.3")


@layer
def whirling_stars(c: Canvas) -> None:
    """Paint large stars in rings of strokes, with two whirls of wind between them."""
    rng = c.rng
    for _ in range(26):
        c.glows(1, (0, 1), (0, c.line), (0.1, 0.3), (0.03, 0.07), "sky glow sky+dark.25 water", 0.7)
    for _ in range(2):
        x, y, r = rng.uniform(0.25, 0.75) * c.w, rng.uniform(0.2, 0.4), rng.uniform(0.1, 0.16)
        for arm in range(5):
            spiral = ((arm * 1.26 + k * 0.32, r * (0.12 + k / 13)) for k in range(14))
            whirl = [(x + math.cos(a) * q, y + math.sin(a) * q * 0.75) for a, q in spiral]
            c.stroke(whirl, 0.011, "glow+light.12 sky+light.12")
    for _ in range(rng.randint(8, 13)):
        x, y, r = rng.uniform(0.04, 0.96) * c.w, rng.uniform(0.05, c.line - 0.25), rng.uniform(0.018, 0.032)
        for ring, a in ((ring, k * 0.571 + ring) for ring in (3.6, 2.7, 1.9) for k in range(11)):
            tone = c.mix("second+light.25", "sky", 0.09 * ring)
            c.stroke(arc(x, y, r * ring, r * ring, a, a + 0.4, 2), 0.006, tone)
        c.glow(x, y, r * 3, r * 3, "second+light.4", 0.75)
        c.oval(x, y, r, r, "light+second.3")


@layer
def aurora(c: Canvas, count: Count) -> None:
    """Paint bands of light that wander across the sky, with rays that fade upwards."""
    rng, width, height = c.rng, c.image.width // 4, max(8, round(c.line * c.unit) // 4)
    x = np.linspace(0, 1, width)
    for n in range(count_of(c, count)):
        phase = rng.uniform(0, math.tau)
        sway = 0.09 * np.sin(x * rng.uniform(3, 6) + phase) + 0.03 * np.sin(
            x * rng.uniform(8, 14) + 2 * phase
        )
        foot = (rng.uniform(0.22, 0.45) + sway) / c.line * height
        rays = 0.6 + 0.25 * np.sin(x * 60 + 5 * np.sin(x * 9 + phase)) + 0.15 * np.sin(x * 143 + phase)
        reach = height * rng.uniform(0.3, 0.5) * (0.7 + 0.4 * np.sin(x * 4 + phase))
        up = (foot[None, :] + height * 0.12 - np.arange(height)[:, None]) / reach[None, :]
        light = (
            np.clip(up * 6, 0, 1) * np.exp(-np.clip(up, 0, 9) * 2.2) * rays[None, :] * rng.uniform(0.55, 0.9)
        )
        mask = Image.fromarray((np.clip(light, 0, 1) * 255).astype(np.uint8))
        mask = mask.resize((c.image.width, round(c.line * c.unit)), Image.Resampling.BICUBIC)
        c.image.paste(c.color("aurora" if n == 0 else "aurora teal violet pink"), (0, 0), mask)


@layer
def birds(c: Canvas, count: Count, top: float = 0.08, foot: float = 0.28, ink: Ink = "dark") -> None:
    """Paint a flock of birds between the heights `top` and `foot` in the image."""
    x, y = c.rng.uniform(0.2, 0.8) * c.w, c.rng.uniform(top, foot)
    for _ in range(count_of(c, count)):
        at, size = (x + c.rng.gauss(0, 0.13), y + c.rng.gauss(0, 0.04)), c.rng.uniform(0.014, 0.026)
        bird = Pose(*at, size, turn=c.rng.uniform(-0.3, 0.3)).of("-1,-.4 -.45,-.55 0,0 .45,-.6 1,-.35")
        c.stroke(bird, 0.0045, ink)
