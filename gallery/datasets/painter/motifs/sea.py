"""Motifs at sea and by the sea."""

from __future__ import annotations

import math
from itertools import pairwise

from gallery.datasets.painter.canvas import Canvas, blob, ridge, roughen, smooth
from gallery.datasets.painter.colours import Colour, mix
from gallery.datasets.painter.motifs.motif import Motif
from gallery.datasets.painter.motifs.outdoors import DAY, birds, glitter, hill, sky, stars, sun, water


def sailing_boat(
    c: Canvas, x: float, y: float, s: float, sail: Colour, jib: Colour, hull: Colour, reflect: bool = True
) -> None:
    """A boat of height `s` whose hull floats at (x, y)."""
    p, d = c.palette, c.sun
    if reflect:
        for k in range(7):
            t = k / 7
            half = s * (0.24 - 0.18 * t)
            c.stroke(
                [
                    (x - half + c.rng.uniform(-0.02, 0.02) * s, y + s * (0.04 + 0.5 * t)),
                    (x + half, y + s * (0.04 + 0.5 * t)),
                ],
                0.012 * s / 0.3,
                mix(sail, p.water, 0.25 + 0.5 * t),
            )
    mast = (x - d * 0.04 * s, y - s)
    foot = (x - d * 0.04 * s, y - 0.1 * s)
    shade = mix(sail, p.water, 0.3)
    main = [
        (mast[0] + d * 0.015 * s, mast[1]),
        (mast[0] + d * 0.16 * s, y - 0.62 * s),
        (x + d * 0.34 * s, y - 0.19 * s),
        (foot[0] + d * 0.015 * s, y - 0.16 * s),
    ]
    front = [
        (mast[0] - d * 0.01 * s, mast[1] + 0.1 * s),
        (x - d * 0.24 * s, y - 0.42 * s),
        (x - d * 0.4 * s, y - 0.13 * s),
        (foot[0] - d * 0.02 * s, y - 0.15 * s),
    ]
    c.fill(main, mix(sail, p.light, 0.3), shade)
    for k in (1, 2, 3):
        t = k / 4
        c.stroke(
            [
                (main[0][0], mast[1] + 0.84 * s * t),
                (mast[0] + d * (0.05 + 0.27 * t) * s, mast[1] + 0.81 * s * t),
            ],
            0.003,
            shade,
        )
    c.fill(front, jib, mix(jib, p.water, 0.3))
    c.stroke([mast, foot], 0.014 * s, p.dark)
    c.stroke([(foot[0], y - 0.15 * s), (x + d * 0.36 * s, y - 0.18 * s)], 0.012 * s, p.dark)
    body = [
        (x - 0.38 * s, y - 0.11 * s),
        (x + 0.36 * s, y - 0.1 * s),
        (x + 0.27 * s, y + 0.02 * s),
        (x - 0.25 * s, y + 0.025 * s),
    ]
    c.fill(body, hull, mix(hull, p.dark, 0.45))
    c.stroke([body[0], body[1]], 0.014 * s, mix(hull, p.light, 0.6))
    c.oval(x + d * 0.1 * s, y - 0.145 * s, 0.025 * s, 0.045 * s, p.accent if hull != p.accent else p.second)


def _far_shore(c: Canvas, line: float) -> None:
    p, rng = c.palette, c.rng
    if rng.random() < 0.7:
        top = ridge(rng, c.w, line - rng.uniform(0.02, 0.06), 0.025, 5)
        c.fill(
            [*top, (c.w + 0.05, line), (-0.05, line)], mix(p.leaf, p.sky, 0.6), mix(p.water, p.light, 0.25)
        )


def regatta(c: Canvas) -> None:
    p, rng = c.palette, c.rng
    line = rng.uniform(0.42, 0.6)
    mood = sky(c, line)
    x = rng.uniform(0.15, 0.85) * c.w
    if mood != DAY:
        sun(c, x, line - rng.uniform(0.05, 0.2), 0.04, mix(p.second, p.light, 0.5), p.second)
    _far_shore(c, line)
    water(c, line, mix(p.water, p.glow, 0.35), mix(p.water, p.dark, 0.2), mix(p.light, p.glow, 0.4))
    if mood != DAY:
        glitter(c, x, line, mix(p.second, p.light, 0.4))
    sails = (p.light, mix(p.light, p.glow, 0.5), p.accent, p.second)
    for _ in range(rng.randint(2, 6)):
        y = line + rng.uniform(0.005, 0.05)
        sailing_boat(
            c, rng.uniform(0.05, 0.95) * c.w, y, rng.uniform(0.07, 0.13), rng.choice(sails), p.light, p.dark
        )
    for k in range(rng.choice((1, 2, 2))):
        x = (0.3 + 0.42 * k + rng.uniform(-0.1, 0.1)) * c.w
        sailing_boat(
            c,
            x,
            0.8 + 0.08 * k - rng.uniform(0, 0.08),
            rng.uniform(0.42, 0.62) * (1 - 0.25 * k),
            rng.choice(sails[:3]),
            rng.choice((p.light, p.second)),
            rng.choice((p.dark, p.accent, p.earth)),
        )
    if rng.random() < 0.6:
        birds(c, rng.randint(3, 6), 0.08, 0.3, mix(p.dark, p.sky, 0.2))


def storm(c: Canvas) -> None:
    p, rng = c.palette, c.rng
    c.backdrop((0, mix(p.sky, p.dark, 0.6)), (0.3, mix(p.sky, p.glow, 0.5)), (0.5, mix(p.glow, p.light, 0.3)))
    for _ in range(9):
        tone = mix(p.sky, rng.choice((p.dark, p.dark, p.light)), rng.uniform(0.2, 0.6))
        c.glow(
            rng.uniform(0, c.w),
            rng.uniform(0, 0.4),
            rng.uniform(0.25, 0.5),
            rng.uniform(0.08, 0.18),
            tone,
            0.85,
        )
    x = c.w * rng.uniform(0.3, 0.7)
    c.glow(x, 0.4, 0.6, 0.3, mix(p.light, p.glow, 0.4), 0.85)
    rows = 6
    for row in range(rows):
        t = row / (rows - 1)
        y, height = 0.5 + 0.42 * t, 0.02 + 0.05 * t
        length, phase = 0.35 + 0.4 * t, rng.uniform(0, 6.28)
        if row == 2:
            sailing_boat(
                c,
                x,
                y,
                rng.uniform(0.36, 0.46),
                mix(p.light, p.glow, 0.4),
                p.light,
                mix(p.dark, p.earth, 0.4),
                reflect=False,
            )
        crest = []
        for k in range(50):
            px = -0.05 + (c.w + 0.1) * k / 49
            s = math.sin(px * 6.28 / length + phase)
            crest.append((px, y - height * (abs(s) ** 1.4 * 1.5 - 0.5 + 0.25 * math.sin(px * 17 + phase))))
        tone = mix(mix(p.water, p.sky, 0.3), p.dark, 0.15 + 0.4 * t)
        c.fill([*crest, (c.w + 0.05, 1.02), (-0.05, 1.02)], mix(tone, p.light, 0.25), mix(tone, p.dark, 0.4))
        for a, b in pairwise(crest):
            if rng.random() < 0.65 and a[1] < y:
                c.stroke(
                    [a, b], 0.006 + 0.014 * t * rng.random(), mix(p.light, p.water, rng.uniform(0, 0.35))
                )
        c.dabs(12, (0, y, c.w, y + 0.06), 0.09, 0.01, (mix(tone, p.light, 0.55),), spread=0.3)
    birds(c, rng.randint(1, 4), 0.1, 0.3, p.light)


def moonlit_sea(c: Canvas) -> None:
    p, rng = c.palette, c.rng
    line, x = rng.uniform(0.5, 0.62), rng.uniform(0.25, 0.75) * c.w
    night, far = mix(p.sky, p.dark, 0.65), mix(p.sky, p.glow, 0.3)
    c.backdrop((0, night), (line * 0.7, mix(night, far, 0.6)), (line, far))
    stars(c, 60, line * 0.8, p.light)
    moon = mix(p.light, p.second, 0.25)
    sun(c, x, rng.uniform(0.16, 0.3), rng.uniform(0.045, 0.07), moon, mix(p.second, p.glow, 0.6))
    for _ in range(rng.randint(2, 5)):
        c.fill(
            blob(
                rng, rng.uniform(0, c.w), rng.uniform(0.15, line - 0.06), rng.uniform(0.15, 0.4), 0.015, 0.3
            ),
            mix(night, far, 0.4),
        )
    hill(c, line - 0.02, 0.05, mix(night, p.water, 0.4), mix(night, p.water, 0.5), 5)
    water(
        c, line, mix(p.water, p.dark, 0.2), mix(p.water, p.dark, 0.7), mix(p.water, p.light, 0.4), calm=True
    )
    glitter(c, x, line, moon, 0.06)
    for k in range(rng.randint(1, 3)):
        dark = mix(p.dark, p.water, 0.25)
        s = rng.uniform(0.28, 0.5) / (1 + 0.7 * k)
        sailing_boat(
            c,
            rng.uniform(0.12, 0.88) * c.w,
            line + 0.05 + 0.5 * s * rng.random(),
            s,
            mix(dark, p.glow, 0.35),
            mix(dark, p.glow, 0.2),
            p.dark,
            reflect=False,
        )
    if rng.random() < 0.5:
        d = rng.choice((-1, 1))
        edge = c.w / 2 + d * c.w / 2
        c.fill(
            roughen(
                rng,
                smooth(
                    [
                        (edge + d * 0.05, 0.7),
                        (edge - d * 0.3, 0.9),
                        (edge - d * 0.55, 1.03),
                        (edge + d * 0.05, 1.03),
                    ]
                ),
                0.01,
            ),
            mix(p.dark, p.leaf, 0.2),
        )


SEA = {
    "regatta": Motif(regatta, "wide"),
    "storm": Motif(storm, "wide"),
    "moonlit sea": Motif(moonlit_sea, "wide"),
}
