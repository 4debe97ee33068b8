"""What many outdoor motifs share: the sky and its lights, water, hills, birds."""

from __future__ import annotations

import math
from itertools import pairwise

from gallery.datasets.painter.canvas import Canvas, Points, blob, ridge
from gallery.datasets.painter.colours import Colour, mix, vary

DAY, GOLD, DUSK = "day", "gold", "dusk"


def sky(c: Canvas, horizon: float, moods: str = "day day day gold dusk", clouds: bool = True) -> str:
    """Paint the sky down to the horizon in one of the moods; which one comes back."""
    p, rng = c.palette, c.rng
    mood = rng.choice(moods.split())
    if mood == DAY:
        top, middle, foot = p.sky, mix(p.sky, p.light, 0.45), mix(p.glow, p.light, 0.3)
    elif mood == GOLD:
        top, middle, foot = mix(p.sky, p.glow, 0.35), p.glow, mix(p.glow, p.accent, 0.38)
    else:
        top, middle, foot = mix(p.sky, p.dark, 0.5), mix(p.sky, p.accent, 0.4), mix(p.glow, p.second, 0.35)
    c.backdrop((0.0, vary(rng, top, 0.03)), (horizon * 0.55, vary(rng, middle, 0.03)), (horizon, foot))
    for _ in range(5):  # broad strokes of another tone, so that the sky is not a ramp
        tone = mix(middle, rng.choice((p.light, top, foot)), 0.6)
        c.glow(rng.uniform(0, c.w), rng.uniform(0, horizon), rng.uniform(0.3, 0.6), 0.08, tone, 0.55)
    if clouds:
        cloudscape(c, horizon, mood)
    return mood


def cloudscape(c: Canvas, horizon: float, mood: str) -> None:
    """Clouds: a few heaped ones, or streaks towards the horizon."""
    p, rng = c.palette, c.rng
    light = mix(p.light, p.glow, 0.15) if mood == DAY else mix(p.glow, p.second, 0.35)
    shade = mix(p.sky, p.light, 0.5) if mood == DAY else mix(p.sky, p.accent, 0.35)
    if rng.random() < 0.6:
        for _ in range(rng.randint(2, 5)):
            y = rng.uniform(0.08, max(0.1, horizon * 0.75))
            cloud(c, rng.uniform(0, c.w), y, rng.uniform(0.07, 0.15) * (1.2 - y), light, shade)
    else:
        for _ in range(rng.randint(5, 9)):
            y = horizon * rng.uniform(0.3, 0.97)
            x, length = rng.uniform(-0.1, c.w), rng.uniform(0.15, 0.5)
            c.fill(
                blob(rng, x, y, length, 0.008 + 0.012 * rng.random(), 0.3), mix(light, shade, rng.random())
            )


def cloud(c: Canvas, x: float, y: float, r: float, light: Colour, shade: Colour) -> None:
    rng = c.rng
    puffs = [
        (
            x + k * r * 0.62 + rng.uniform(-0.1, 0.1) * r,
            y - rng.uniform(0, 0.35) * r * (2 - abs(k)),
            rng.uniform(0.55, 0.85) * r,
        )
        for k in (-2, -1, 0, 1, 2)
    ]
    for dx, dy, tone, size in ((0.0, 0.25, 0.0, 1.0), (0.0, 0.0, 0.55, 0.95), (0.2, -0.2, 1.0, 0.7)):
        for px, py, pr in puffs:
            c.oval(
                px + c.sun * dx * pr, py + dy * pr, pr * size * 1.1, pr * size * 0.8, mix(shade, light, tone)
            )
    c.glow(x, y + r * 0.5, r * 2.4, r * 0.5, shade, 0.6)


def sun(c: Canvas, x: float, y: float, r: float, colour: Colour, halo: Colour) -> None:
    c.glow(x, y, r * 6, r * 6, halo, 0.75)
    c.glow(x, y, r * 2.6, r * 2.6, mix(halo, colour, 0.6), 0.8)
    c.oval(x, y, r, r, colour)


def crescent(c: Canvas, x: float, y: float, r: float, colour: Colour) -> None:
    a = c.rng.uniform(-0.5, 0.3)
    points: Points = []
    for k in range(25):
        t = -math.pi / 2 + math.pi * k / 24
        points.append((x + r * math.cos(t + a), y + r * math.sin(t + a)))
    for k in range(25):
        t = math.pi / 2 - math.pi * k / 24
        points.append(
            (
                x + 0.45 * r * math.cos(t) * math.cos(a) - r * math.sin(t) * math.sin(a),
                y + 0.45 * r * math.cos(t) * math.sin(a) + r * math.sin(t) * math.cos(a),
            )
        )
    c.glow(x, y, r * 4, r * 4, colour, 0.5)
    c.fill(points, colour)


def stars(c: Canvas, count: int, foot: float, colour: Colour) -> None:
    rng = c.rng
    for _ in range(count):
        r = rng.uniform(0.0015, 0.0042)
        x, y = rng.uniform(0, c.w), rng.uniform(0, foot)
        if r > 0.0033:
            c.glow(x, y, r * 6, r * 6, colour, 0.5)
        c.oval(x, y, r, r, colour)


def birds(c: Canvas, count: int, top: float, foot: float, colour: Colour) -> None:
    rng = c.rng
    x0, y0 = rng.uniform(0.2, 0.8) * c.w, rng.uniform(top, foot)
    for _ in range(count):
        x, y, s = x0 + rng.gauss(0, 0.13), y0 + rng.gauss(0, 0.04), rng.uniform(0.014, 0.026)
        tilt = rng.uniform(-0.3, 0.3) * s
        c.stroke(
            [
                (x - s, y - 0.4 * s + tilt),
                (x - 0.45 * s, y - 0.55 * s + tilt * 0.5),
                (x, y),
                (x + 0.45 * s, y - 0.6 * s),
                (x + s, y - 0.35 * s - tilt),
            ],
            0.0045,
            colour,
        )


def water(c: Canvas, line: float, far: Colour, near: Colour, glint: Colour, calm: bool = False) -> None:
    """Water from the line to the foot of the picture, with rows of small waves."""
    rng = c.rng
    c.band(line, 1.0, far, near)
    for _ in range(4):
        c.glow(
            rng.uniform(0, c.w),
            rng.uniform(line + 0.05, 1),
            rng.uniform(0.3, 0.6),
            0.06,
            mix(far, near, rng.random()),
            0.6,
        )
    count = 90 if calm else 170
    tones = (glint, mix(far, glint, 0.4), mix(near, c.palette.dark, 0.25), near)
    c.dabs(count, (-0.02, line + 0.008, c.w + 0.02, 1.0), 0.075, 0.006, tones, spread=0.06)


def glitter(c: Canvas, x: float, line: float, colour: Colour, width: float = 0.05) -> None:
    """The path of light that a low sun or the moon lays on water."""
    rng = c.rng
    for k in range(60):
        t = (k / 60) ** 1.3
        y = line + 0.006 + (1 - line) * t
        half = (0.25 + t) * width * rng.uniform(0.4, 1.3)
        px = x + rng.gauss(0, 0.5) * width * (0.3 + 1.2 * t)
        c.stroke([(px - half, y), (px + half, y)], 0.003 + 0.006 * t, colour)


def hill(
    c: Canvas, y: float, height: float, top: Colour, foot: Colour, rounds: int = 4, calm: float = 0.4
) -> Points:
    """A range of hills from its skyline to the foot of the picture; the skyline comes back."""
    line = ridge(c.rng, c.w, y, height, rounds, calm)
    c.fill([*line, (c.w + 0.05, 1.02), (-0.05, 1.02)], top, foot)
    return line


def height_at(line: Points, x: float) -> float:
    """How high a skyline stands at x."""
    for (x0, y0), (x1, y1) in pairwise(line):
        if x0 <= x <= x1:
            return y0 + (y1 - y0) * (x - x0) / max(1e-6, x1 - x0)
    return line[-1][1]
