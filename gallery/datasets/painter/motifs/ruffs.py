"""Portraits in ruffs, against the dark."""

from __future__ import annotations

import math

from gallery.datasets.painter.canvas import Canvas, arc, smooth
from gallery.datasets.painter.colours import HAIRS, SKINS, mix, vary
from gallery.datasets.painter.motifs.faces import Face, bust, features, fringe, hair_behind, strand
from gallery.datasets.painter.motifs.motif import Motif


def ruff_portrait(c: Canvas) -> None:
    p, rng, d = c.palette, c.rng, c.sun
    ground = mix(p.dark, rng.choice((p.earth, p.leaf, p.water, p.dark)), 0.3)
    c.backdrop((0, ground), (1, mix(ground, p.dark, 0.5)))
    c.glow(c.w * (0.5 + 0.25 * d), 0.4, 0.5, 0.55, mix(ground, p.earth, 0.55), 0.7)
    f = Face(
        c.w * rng.uniform(0.46, 0.54),
        rng.uniform(0.38, 0.42),
        0.15 * rng.uniform(0.94, 1.06),
        rng.choice((-1, -0.6, 0.6, 1)),
        vary(rng, rng.choice(SKINS[:3]), 0.02),
    )
    x, y, r = f.x, f.y, f.r
    hair = vary(rng, rng.choice(HAIRS), 0.02)
    bearded = rng.random() < 0.5
    hair_behind(c, f, hair, 0.3 if bearded else rng.choice((0.4, 1.1)))
    coat = rng.choice(
        (p.dark, mix(p.dark, p.accent, 0.45), mix(p.dark, p.leaf, 0.4), mix(p.dark, p.water, 0.4))
    )
    bust(c, f, mix(coat, p.light, 0.06))
    for k in range(6):
        c.oval(x, y + (2.75 + 0.3 * k) * r, 0.07 * r, 0.07 * r, p.second)
    _ruff(c, x, y + 1.55 * r, 1.5 * r, 0.62 * r)
    features(c, f, (172, 74, 66), hair)
    if bearded:
        beard = [
            (x - 0.98 * r, y + 0.1 * r),
            (x - 0.7 * r, y + 0.62 * r),
            (x - 0.35 * r, y + 0.56 * r),
            (x + f.turn * 0.2 * r, y + 0.58 * r),
            (x + 0.4 * r, y + 0.56 * r),
            (x + 0.75 * r, y + 0.62 * r),
            (x + 1.0 * r, y + 0.1 * r),
            (x + 0.85 * r, y + 1.1 * r),
            (x + 0.15 * r, y + rng.uniform(1.6, 2.0) * r),
            (x - 0.7 * r, y + 1.15 * r),
        ]
        c.fill(smooth(beard), mix(hair, p.light, 0.06), mix(hair, p.dark, 0.3))
        c.stroke(
            [
                (x + (f.turn * 0.2 - 0.24) * r, y + 0.78 * r),
                (x + f.turn * 0.2 * r, y + 0.82 * r),
                (x + (f.turn * 0.2 + 0.24) * r, y + 0.78 * r),
            ],
            0.1 * r,
            mix((172, 74, 66), p.dark, 0.25),
        )
        for _ in range(26):
            u, t = rng.uniform(-0.7, 0.8), rng.uniform(0.75, 1.35)
            c.stroke(
                [(x + u * r, y + t * r), (x + u * 0.85 * r, y + (t + 0.22) * r)],
                0.025 * r,
                mix(hair, strand(c), 0.3),
            )
    if rng.random() < 0.55:
        hat = mix(p.dark, coat, 0.4)
        brim = arc(x, y - 0.82 * r, 1.75 * r, 0.3 * r, 0, 2 * math.pi, 28)
        c.fill(brim, mix(hat, p.light, 0.1), hat)
        c.form(
            smooth(
                [
                    (x - 1.05 * r, y - 0.8 * r),
                    (x - 1.1 * r, y - 1.5 * r),
                    (x - 0.5 * r, y - 1.85 * r),
                    (x + 0.6 * r, y - 1.8 * r),
                    (x + 1.1 * r, y - 1.4 * r),
                    (x + 1.05 * r, y - 0.8 * r),
                ]
            ),
            hat,
            mix(hat, p.light, 0.22),
            6,
        )
        if rng.random() < 0.7:
            plume = rng.choice((p.light, p.accent, p.second))
            for k in range(22):
                t = k / 21
                px, py = x + d * (0.9 - 1.5 * t) * r, y - (1.0 + 1.05 * math.sin(t * 2.6)) * r
                c.stroke(
                    [
                        (px, py),
                        (px + d * 0.2 * r, py - 0.2 * r * (1.3 - t)),
                        (px + d * 0.28 * r, py - 0.02 * r),
                    ],
                    0.05 * r,
                    mix(plume, p.dark, 0.25 * rng.random()),
                )
    else:
        fringe(c, f, hair, rng.choice((-1, 1)))
    c.glow(x - d * 1.3 * r, y + 0.4 * r, 1.0 * r, 1.8 * r, mix(ground, p.dark, 0.6), 0.5)


def _ruff(c: Canvas, x: float, y: float, wide: float, high: float) -> None:
    p = c.palette
    white = mix(p.light, p.glow, 0.15)
    for ring, (size, tone) in enumerate(
        ((1.0, mix(white, p.dark, 0.25)), (0.93, white), (0.7, mix(white, p.dark, 0.12)))
    ):
        c.draw.polygon(c.pixels(arc(x, y, wide * size, high * size, 0, 2 * math.pi, 36)), fill=tone)
        for k in range(34):
            a = 2 * math.pi * k / 34
            px, py = x + math.cos(a) * wide * size * 0.93, y + math.sin(a) * high * size * 0.93
            c.stroke(
                [(x + math.cos(a) * wide * 0.4, y + math.sin(a) * high * 0.4), (px, py)],
                0.004,
                mix(white, p.dark, 0.3 + 0.08 * ring),
            )
            if ring == 1:
                c.oval(px, py, 0.075 * wide, 0.1 * high, mix(white, p.dark, 0.12 * (k % 2)))


RUFFS = {
    "ruff portrait": Motif(ruff_portrait, "tall"),
}
