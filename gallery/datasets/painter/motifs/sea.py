"""Motifs at sea and by the sea."""

from __future__ import annotations

from gallery.datasets.painter.canvas import Canvas, ridge
from gallery.datasets.painter.colours import Colour, mix
from gallery.datasets.painter.motifs.motif import Motif
from gallery.datasets.painter.motifs.outdoors import (
    DAY,
    birds,
    glitter,
    sky,
    sun,
    water,
)


def sailing_boat(c: Canvas, x: float, y: float, s: float, sail: Colour, jib: Colour, hull: Colour, reflect: bool = True) -> None:
    """A boat of height `s` whose hull floats at (x, y)."""
    p, d = c.palette, c.sun
    if reflect:
        for k in range(7):
            t = k / 7
            half = s * (0.24 - 0.18 * t)
            c.stroke([(x - half + c.rng.uniform(-0.02, 0.02) * s, y + s * (0.04 + 0.5 * t)), (x + half, y + s * (0.04 + 0.5 * t))], 0.012 * s / 0.3, mix(sail, p.water, 0.25 + 0.5 * t))
    mast = (x - d * 0.04 * s, y - s)
    foot = (x - d * 0.04 * s, y - 0.1 * s)
    shade = mix(sail, p.water, 0.3)
    main = [(mast[0] + d * 0.015 * s, mast[1]), (mast[0] + d * 0.16 * s, y - 0.62 * s), (x + d * 0.34 * s, y - 0.19 * s), (foot[0] + d * 0.015 * s, y - 0.16 * s)]
    front = [(mast[0] - d * 0.01 * s, mast[1] + 0.1 * s), (x - d * 0.24 * s, y - 0.42 * s), (x - d * 0.4 * s, y - 0.13 * s), (foot[0] - d * 0.02 * s, y - 0.15 * s)]
    c.fill(main, mix(sail, p.light, 0.3), shade)
    for k in (1, 2, 3):
        t = k / 4
        c.stroke([(main[0][0], mast[1] + 0.84 * s * t), (mast[0] + d * (0.05 + 0.27 * t) * s, mast[1] + 0.81 * s * t)], 0.003, shade)
    c.fill(front, jib, mix(jib, p.water, 0.3))
    c.stroke([mast, foot], 0.014 * s, p.dark)
    c.stroke([(foot[0], y - 0.15 * s), (x + d * 0.36 * s, y - 0.18 * s)], 0.012 * s, p.dark)
    body = [(x - 0.38 * s, y - 0.11 * s), (x + 0.36 * s, y - 0.1 * s), (x + 0.27 * s, y + 0.02 * s), (x - 0.25 * s, y + 0.025 * s)]
    c.fill(body, hull, mix(hull, p.dark, 0.45))
    c.stroke([body[0], body[1]], 0.014 * s, mix(hull, p.light, 0.6))
    c.oval(x + d * 0.1 * s, y - 0.145 * s, 0.025 * s, 0.045 * s, p.accent if hull != p.accent else p.second)


def _far_shore(c: Canvas, line: float) -> None:
    p, rng = c.palette, c.rng
    if rng.random() < 0.7:
        top = ridge(rng, c.w, line - rng.uniform(0.02, 0.06), 0.025, 5)
        c.fill([*top, (c.w + 0.05, line), (-0.05, line)], mix(p.leaf, p.sky, 0.6), mix(p.water, p.light, 0.25))


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
        sailing_boat(c, rng.uniform(0.05, 0.95) * c.w, y, rng.uniform(0.07, 0.13), rng.choice(sails), p.light, p.dark)
    for k in range(rng.choice((1, 2, 2))):
        x = (0.3 + 0.42 * k + rng.uniform(-0.1, 0.1)) * c.w
        sailing_boat(c, x, 0.8 + 0.08 * k - rng.uniform(0, 0.08), rng.uniform(0.42, 0.62) * (1 - 0.25 * k), rng.choice(sails[:3]), rng.choice((p.light, p.second)), rng.choice((p.dark, p.accent, p.earth)))
    if rng.random() < 0.6:
        birds(c, rng.randint(3, 6), 0.08, 0.3, mix(p.dark, p.sky, 0.2))


SEA = {"regatta": Motif(regatta, "wide")}
