"""Where the sky is the subject: stars, northern lights, balloons."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image

from gallery.datasets.painter.canvas import Canvas, Points, blob, smooth
from gallery.datasets.painter.colours import Colour, mix, vary
from gallery.datasets.painter.motifs.buildings import church, house
from gallery.datasets.painter.motifs.motif import Motif
from gallery.datasets.painter.motifs.outdoors import birds, crescent, height_at, hill, sky, stars, water
from gallery.datasets.painter.motifs.trees import fir, poplar, round_tree


def starry_night(c: Canvas) -> None:
    p, rng = c.palette, c.rng
    line = rng.uniform(0.66, 0.76)
    night = mix(p.sky, p.dark, 0.25)
    c.backdrop(
        (0, mix(night, p.dark, 0.35)), (0.45, mix(p.sky, p.glow, 0.35)), (line, mix(p.glow, p.sky, 0.3))
    )
    for _ in range(26):
        tone = rng.choice((p.sky, p.glow, night, p.water))
        c.glow(
            rng.uniform(0, c.w),
            rng.uniform(0, line),
            rng.uniform(0.1, 0.3),
            rng.uniform(0.03, 0.07),
            tone,
            0.7,
        )
    whirls = [
        (rng.uniform(0.25, 0.75) * c.w, rng.uniform(0.2, 0.4), rng.uniform(0.1, 0.16)) for _ in range(2)
    ]
    for x, y, r in whirls:
        for arm in range(5):
            path: Points = []
            for k in range(14):
                a, q = arm * 1.26 + k * 0.32, r * (0.12 + k / 13)
                path.append((x + math.cos(a) * q, y + math.sin(a) * q * 0.75))
            c.stroke(path, 0.011, mix(rng.choice((p.glow, p.sky)), p.light, 0.12))
    for _ in range(rng.randint(8, 13)):
        x, y, r = rng.uniform(0.04, 0.96) * c.w, rng.uniform(0.05, line - 0.25), rng.uniform(0.018, 0.032)
        for ring in (3.6, 2.7, 1.9):
            for k in range(11):
                a = k * 0.571 + ring
                at = [(x + math.cos(a + b) * r * ring, y + math.sin(a + b) * r * ring) for b in (0, 0.2, 0.4)]
                c.stroke(at, 0.006, mix(mix(p.second, p.light, 0.25), p.sky, 0.09 * ring))
        c.glow(x, y, r * 3, r * 3, mix(p.second, p.light, 0.4), 0.75)
        c.oval(x, y, r, r, mix(p.light, p.second, 0.3))
    x = rng.choice((0.14, 0.86)) * c.w
    c.glow(x, 0.17, 0.25, 0.25, mix(p.second, p.light, 0.3), 0.6)
    crescent(c, x, 0.17, 0.06, mix(p.second, p.light, 0.35))
    hill(c, line - 0.06, 0.05, mix(p.water, p.sky, 0.35), mix(p.water, p.dark, 0.3), 3)
    ground = hill(c, line, 0.035, mix(p.leaf, p.water, 0.4), mix(p.leaf, p.dark, 0.5), 3)
    for k in range(9):
        px = (k + rng.random()) / 9 * c.w
        if rng.random() < 0.4:
            round_tree(c, px, height_at(ground, px) + 0.05, rng.uniform(0.1, 0.15), mix(p.leaf, p.dark, 0.2))
        house(
            c,
            px,
            height_at(ground, px) + rng.uniform(0.06, 0.12),
            0.12,
            0.055,
            mix(p.water, p.light, 0.25),
            mix(p.accent, p.dark, 0.4),
            p.second,
        )
    church(
        c,
        rng.uniform(0.35, 0.65) * c.w,
        line + 0.1,
        rng.uniform(0.26, 0.32),
        mix(p.water, p.light, 0.3),
        mix(p.dark, p.water, 0.4),
        p.second,
    )
    hill(c, line + 0.15, 0.02, mix(p.leaf, p.dark, 0.3), mix(p.leaf, p.dark, 0.7), 3)
    if rng.random() < 0.65:
        edge = 0.16 if x > c.w / 2 else 0.84
        for k in range(2):
            poplar(
                c, (edge + 0.07 * k) * c.w, 1.02, rng.uniform(0.62, 0.86) - 0.2 * k, mix(p.leaf, p.dark, 0.6)
            )


def northern_lights(c: Canvas) -> None:
    p, rng = c.palette, c.rng
    line = rng.uniform(0.64, 0.74)
    c.backdrop((0, mix(p.sky, p.dark, 0.55)), (line, mix(p.sky, p.glow, 0.3)))
    stars(c, 90, line, p.light)
    greens = ((92, 226, 150), (64, 214, 190), (150, 110, 220), (226, 110, 170))
    for k in range(rng.randint(2, 4)):
        _curtain(
            c,
            rng.uniform(0.22, 0.45),
            line,
            greens[0 if k == 0 else rng.randrange(4)],
            rng.uniform(0.5, 0.85),
        )
    if rng.random() < 0.4:
        crescent(c, rng.uniform(0.1, 0.9) * c.w, 0.14, 0.03, p.light)
    snow = mix(p.light, p.glow, 0.45)
    far = mix(mix(p.sky, p.glow, 0.25), p.dark, 0.15)
    for k in range(2):
        hill(c, line - 0.05 + 0.05 * k, 0.09 - 0.05 * k, mix(far, p.light, 0.3), far, 6, 0.55)
    lake = rng.random() < 0.5
    if lake:
        water(
            c,
            line + 0.06,
            mix(p.water, p.glow, 0.2),
            mix(p.water, p.dark, 0.4),
            mix(p.glow, p.light, 0.2),
            calm=True,
        )
        c.mirror(line + 0.06, 0.65, p.water)
    slope = hill(c, 0.9 if lake else line + 0.1, 0.03, snow, mix(snow, p.sky, 0.55), 3)
    for _ in range(rng.randint(5, 12)):
        x = rng.uniform(0, c.w)
        fir(
            c,
            x,
            height_at(slope, x) + rng.uniform(0.01, 0.06),
            rng.uniform(0.12, 0.3),
            mix(p.leaf, p.dark, 0.5),
            snow=True,
        )
    x = rng.uniform(0.25, 0.75) * c.w
    house(c, x, height_at(slope, x) + 0.06, 0.15, 0.06, mix(p.accent, p.dark, 0.25), snow, p.second)
    c.glow(x, height_at(slope, x) + 0.05, 0.18, 0.05, p.second, 0.5)


def _curtain(c: Canvas, base: float, line: float, colour: Colour, strength: float) -> None:
    """One band of light: its foot wanders across the sky, and rays fade upwards from it."""
    rng = c.rng
    width, height = c.image.width // 4, max(8, round(line * c.unit) // 4)
    x = np.linspace(0, 1, width)
    a, b, phase = rng.uniform(3, 6), rng.uniform(8, 14), rng.uniform(0, 6.28)
    foot = (base + 0.09 * np.sin(x * a + phase) + 0.03 * np.sin(x * b + 2 * phase)) / line * height
    rays = 0.6 + 0.25 * np.sin(x * 60 + 5 * np.sin(x * 9 + phase)) + 0.15 * np.sin(x * 143 + phase)
    reach = height * rng.uniform(0.3, 0.5) * (0.7 + 0.4 * np.sin(x * 4 + phase))
    up = (foot[None, :] + height * 0.12 - np.arange(height)[:, None]) / reach[None, :]
    light = np.clip(up * 6, 0, 1) * np.exp(-np.clip(up, 0, 9) * 2.2) * rays[None, :] * strength
    mask = Image.fromarray((np.clip(light, 0, 1) * 255).astype(np.uint8))
    c.image.paste(
        colour, (0, 0), mask.resize((c.image.width, round(line * c.unit)), Image.Resampling.BICUBIC)
    )


def balloons(c: Canvas) -> None:
    p, rng = c.palette, c.rng
    line = rng.uniform(0.74, 0.84)
    sky(c, line)
    for k in range(3):
        ground = hill(
            c,
            line - 0.06 + 0.06 * k,
            0.03,
            mix(mix(p.leaf, p.second, 0.2 * k), p.sky, 0.5 - 0.2 * k),
            mix(p.leaf, p.sky, 0.3 - 0.15 * k),
        )
        for _ in range(7):
            x = rng.uniform(0, c.w)
            round_tree(c, x, height_at(ground, x) + 0.02, 0.05 + 0.03 * k)
        x = rng.uniform(0.1, 0.9) * c.w
        house(c, x, height_at(ground, x) + 0.03, 0.06 + 0.025 * k, 0.028 + 0.01 * k, p.light, p.accent)
    tones = (p.accent, p.second, p.water, p.leaf, mix(p.accent, p.light, 0.4), mix(p.accent, p.second, 0.5))
    places = [(0.5, 0.36), (0.18, 0.26), (0.82, 0.3), (0.32, 0.56), (0.68, 0.58), (0.92, 0.12), (0.06, 0.5)]
    big = rng.choice((0.2, 0.23, 0.26))
    for k in range(rng.choice((1, 3, 4, 5, 6))):
        x, y = places[k]
        r = big * 0.9 if k == 0 else rng.uniform(0.04, 0.1)
        _balloon(
            c,
            (x + rng.uniform(-0.06, 0.06)) * c.w,
            y + rng.uniform(-0.04, 0.04),
            min(r, 0.3 * c.w),
            rng.choice(tones),
            rng.choice((p.light, p.second, mix(p.light, p.glow, 0.5))),
        )
    birds(c, rng.randint(0, 5), 0.3, 0.6, p.dark)


def _balloon(c: Canvas, x: float, y: float, r: float, one: Colour, two: Colour) -> None:
    p, d = c.palette, c.sun
    one = vary(c.rng, one, 0.03)
    style = c.rng.choice(("gores", "gores", "bands"))
    basket = y + 1.95 * r

    # The crown is half a ball, the rest narrows to the mouth: (height, half the width) from top to foot.
    rows = [(y - r * math.cos(a), r * math.sin(a)) for a in (k * math.pi / 20 for k in range(10))]
    rows += [(y + 1.4 * r * t, r * (1 - 0.8 * t**1.7)) for t in (k / 8 for k in range(9))]
    gores = 9
    for k in range(gores):
        a0, a1 = -1.5708 + math.pi * k / gores, -1.5708 + math.pi * (k + 1) / gores
        tone = one if k % 2 or style == "bands" else two
        light = math.sin((a0 + a1) / 2) * d
        tone = mix(tone, p.light, 0.22 * light) if light > 0 else mix(tone, p.dark, -0.38 * light)
        shape = [(x + h * math.sin(a0), yy) for yy, h in rows] + [
            (x + h * math.sin(a1), yy) for yy, h in reversed(rows)
        ]
        c.draw.polygon(c.pixels(shape), fill=tone)
    if style == "bands":
        for lo, hi in ((0.38, 0.46), (0.54, 0.68)):
            part = [(yy, h) for k, (yy, h) in enumerate(rows) if lo <= k / 18 <= hi]
            band = [(x - h, yy) for yy, h in part] + [(x + h, yy) for yy, h in reversed(part)]
            c.fill(band, two, mix(two, p.earth, 0.3))
    c.fill(blob(c.rng, x, y - 0.985 * r, 0.12 * r, 0.05 * r, 0.05), mix(one, p.dark, 0.3))
    mouth, foot = rows[-1]
    for side in (-1, 1):
        c.stroke([(x + side * foot, mouth), (x + side * 0.11 * r, basket)], 0.014 * r, p.dark)
    c.fill(
        [
            (x - 0.14 * r, basket),
            (x + 0.14 * r, basket),
            (x + 0.11 * r, basket + 0.2 * r),
            (x - 0.11 * r, basket + 0.2 * r),
        ],
        mix(p.earth, p.accent, 0.2),
        mix(p.earth, p.dark, 0.5),
    )
    c.fill(
        smooth(
            [(x - 0.05 * r, mouth + 0.12 * r), (x, mouth - 0.02 * r), (x + 0.05 * r, mouth + 0.12 * r)], 1
        ),
        p.second,
    )


SKIES = {
    "starry night": Motif(starry_night, "wide"),
    "northern lights": Motif(northern_lights, "wide"),
    "balloons": Motif(balloons, "even"),
}
