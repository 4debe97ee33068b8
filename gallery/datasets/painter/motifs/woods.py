"""Waterfalls, woods, and the last light."""

from __future__ import annotations

import math

from gallery.datasets.painter.canvas import Canvas, blob, ridge
from gallery.datasets.painter.colours import mix
from gallery.datasets.painter.motifs.motif import Motif
from gallery.datasets.painter.motifs.mountains import peak
from gallery.datasets.painter.motifs.outdoors import birds, glitter, height_at, hill, sky, sun, water
from gallery.datasets.painter.motifs.trees import birch, crown, fir


def waterfall(c: Canvas) -> None:
    p, rng = c.palette, c.rng
    sky(c, 0.4, "day day gold")
    x, top = c.w * rng.uniform(0.42, 0.58), rng.uniform(0.22, 0.3)
    peak(c, x + rng.choice((-0.25, 0.25)), 0.5, 0.42 * c.w, 0.07, mix(p.water, p.earth, 0.4), p.light)
    rock = mix(p.earth, p.dark, 0.45)
    width = rng.uniform(0.06, 0.09)
    for d in (-1, 1):
        edge = c.w / 2 + d * (c.w / 2 + 0.06)
        for k in range(3):
            inner = x + d * (width * 0.9 + 0.05 * k)
            cliff = [
                (edge, top - 0.05 + 0.13 * k),
                (inner + d * 0.1, top + 0.02 + 0.15 * k),
                (inner, top + 0.03 + 0.16 * k),
                (inner - d * 0.01, 0.8),
                (edge, 0.85),
            ]
            tone = mix(rock, p.leaf, 0.5 if k == 0 else 0.2)
            c.fill(
                cliff, mix(tone, p.glow, 0.2 if d == -c.sun else 0.4), mix(tone, p.dark, 0.45), rough=0.012
            )
        for _ in range(9):
            px = x + d * rng.uniform(width * 1.6, 0.5 * c.w)
            fir(c, px, top + rng.uniform(0.02, 0.22), rng.uniform(0.09, 0.17))
    c.fill(
        [(x - width * 0.7, top + 0.02), (x + width * 0.7, top + 0.02), (x + width, 0.78), (x - width, 0.78)],
        p.light,
        mix(p.light, p.sky, 0.3),
    )
    for _ in range(46):
        px, py = x + rng.uniform(-0.85, 0.85) * width, rng.uniform(top + 0.02, 0.7)
        c.stroke(
            [(px, py), (px + rng.uniform(-0.004, 0.004), py + rng.uniform(0.04, 0.14))],
            0.006,
            mix(p.light, p.water, rng.uniform(0, 0.55)),
        )
    water(c, 0.78, mix(p.water, p.light, 0.3), mix(p.water, p.dark, 0.35), p.light)
    for _ in range(5):
        c.glow(x + rng.gauss(0, width), 0.78 + rng.uniform(-0.02, 0.03), width * 1.8, 0.07, p.light, 0.6)
    for _ in range(rng.randint(5, 9)):
        px, py, s = rng.uniform(0, c.w), rng.uniform(0.82, 0.99), rng.uniform(0.04, 0.09)
        c.form(blob(rng, px, py, s, s * 0.6, 0.2, 8), mix(rock, p.dark, 0.4), mix(rock, p.glow, 0.45), 5)


def birch_wood(c: Canvas) -> None:
    p, rng = c.palette, c.rng
    foot = rng.uniform(0.68, 0.78)
    leaves = rng.choice(
        ((p.second, mix(p.second, p.accent, 0.5)), (p.leaf, mix(p.leaf, p.second, 0.5)), (p.second, p.leaf))
    )
    c.backdrop(
        (0, mix(p.sky, leaves[0], 0.3)), (0.4, mix(p.glow, leaves[0], 0.25)), (foot, mix(p.leaf, p.glow, 0.4))
    )
    for _ in range(14):
        crown(
            c,
            rng.uniform(0, c.w),
            rng.uniform(0.1, 0.5),
            rng.uniform(0.12, 0.2),
            rng.uniform(0.1, 0.2),
            mix(mix(leaves[0], p.leaf, 0.4), p.sky, 0.35),
            mix(leaves[1], p.glow, 0.6),
        )
    for _ in range(14):
        birch(c, rng.uniform(0, c.w), foot + 0.02, 1.0, rng.uniform(0.008, 0.015))
    c.veil(foot - 0.35, foot, p.glow, 0.0, 0.45)
    ground = mix(p.leaf, p.earth, 0.4)
    hill(c, foot, 0.02, mix(ground, p.glow, 0.35), mix(ground, p.dark, 0.35))
    if rng.random() < 0.5:
        x = c.w / 2
        c.fill(
            [
                (x - 0.02, foot + 0.01),
                (x + 0.03, foot + 0.01),
                (x + 0.05, 0.84),
                (x + 0.3, 1.02),
                (x - 0.2, 1.02),
                (x - 0.06, 0.84),
            ],
            mix(p.earth, p.glow, 0.45),
            mix(p.earth, p.glow, 0.2),
            rough=0.006,
        )
    for k in range(rng.randint(5, 8)):
        t = k / 8
        birch(c, rng.uniform(0.02, 0.98) * c.w, foot + 0.05 + 0.24 * t, 1.2, 0.024 + 0.03 * t)
    c.dabs(150, (0, -0.02, c.w, 0.4), 0.03, 0.014, (*leaves, mix(leaves[0], p.light, 0.35)), spread=1.5)
    c.dabs(120, (0, foot + 0.02, c.w, 1), 0.028, 0.009, (*leaves, mix(ground, p.dark, 0.3)), spread=0.8)


def sunset(c: Canvas) -> None:
    p, rng = c.palette, c.rng
    line = rng.uniform(0.52, 0.64)
    sky(c, line, "gold dusk gold")
    x = c.w * rng.uniform(0.3, 0.7)
    sun(
        c,
        x,
        line - rng.uniform(0.02, 0.14),
        rng.uniform(0.06, 0.09),
        mix(p.second, p.light, 0.45),
        mix(p.second, p.accent, 0.3),
    )
    for k in range(3):
        tone = mix(mix(p.dark, p.accent, 0.35), p.glow, 0.5 - 0.2 * k)
        top = ridge(rng, c.w, line - 0.07 + 0.03 * k, 0.035, 5)
        c.fill([*top, (c.w + 0.05, line + 0.002), (-0.05, line + 0.002)], tone, mix(tone, p.glow, 0.25))
    water(
        c,
        line,
        mix(p.glow, p.accent, 0.35),
        mix(p.water, p.dark, 0.45),
        mix(p.second, p.light, 0.4),
        calm=True,
    )
    c.mirror(line, 0.4, mix(p.water, p.accent, 0.3))
    glitter(c, x, line, mix(p.second, p.light, 0.35), 0.07)
    bank = hill(c, 0.93, 0.03, mix(p.dark, p.leaf, 0.2), p.dark)
    d = 1 if x < c.w / 2 else -1
    for k in range(rng.randint(1, 3)):
        px = c.w / 2 + d * c.w * (0.42 - 0.14 * k)
        s = rng.uniform(0.45, 0.7) / (1 + 0.4 * k)
        foot = height_at(bank, px) + 0.02
        c.stroke([(px, foot), (px + 0.01, foot - 0.6 * s)], 0.045 * s, p.dark)
        crown(
            c, px, foot - 0.66 * s, 0.34 * s, 0.27 * s, mix(p.dark, p.leaf, 0.25), mix(p.dark, p.accent, 0.4)
        )
    for _ in range(40):
        px = rng.uniform(0, c.w)
        c.stroke(
            [(px, 1.0), (px + rng.gauss(0, 0.02), 0.93 - abs(rng.gauss(0, 0.05)) + 0.02 * math.sin(px * 9))],
            0.005,
            p.dark,
        )
    birds(c, rng.randint(3, 7), 0.12, 0.35, p.dark)


WOODS = {
    "waterfall": Motif(waterfall, "tall"),
    "birch wood": Motif(birch_wood, "even"),
    "sunset": Motif(sunset, "wide"),
}
