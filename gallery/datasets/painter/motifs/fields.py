"""Motifs of open country: fields, meadows, roads, windmills, plains."""

from __future__ import annotations

import math

from gallery.datasets.painter.canvas import Canvas, arc, blob, smooth
from gallery.datasets.painter.colours import Colour, mix, vary
from gallery.datasets.painter.motifs.buildings import house
from gallery.datasets.painter.motifs.country import hamlet
from gallery.datasets.painter.motifs.motif import Motif
from gallery.datasets.painter.motifs.outdoors import birds, height_at, hill, sky, sun
from gallery.datasets.painter.motifs.trees import crown, grass, poplar, round_tree


def hay_field(c: Canvas) -> None:
    p, rng = c.palette, c.rng
    line = rng.uniform(0.42, 0.52)
    sky(c, line)
    far = hill(c, line, 0.035, mix(p.leaf, p.sky, 0.5), mix(p.leaf, p.glow, 0.3))
    hamlet(c, far, rng.uniform(0.25, 0.75) * c.w, 0.07)
    for _ in range(14):
        x = rng.uniform(0, c.w)
        crown(
            c,
            x,
            line + 0.05,
            rng.uniform(0.04, 0.08),
            0.04,
            mix(p.leaf, p.sky, 0.2),
            mix(p.leaf, p.glow, 0.5),
        )
    straw = mix(p.second, p.earth, 0.35)
    c.band(line + 0.06, 1.0, mix(straw, p.glow, 0.55), mix(straw, p.leaf, 0.2))
    for k in range(16):  # the rows of the mower
        x = (k / 15 * 2.4 - 0.7) * c.w
        c.stroke([(c.w / 2 + (x - c.w / 2) * 0.3, line + 0.065), (x, 1.02)], 0.012, mix(straw, p.leaf, 0.35))
    c.dabs(
        160,
        (0, line + 0.07, c.w, 1),
        0.035,
        0.006,
        (mix(straw, p.light, 0.5), mix(straw, p.earth, 0.5)),
        spread=0.7,
    )
    for k in range(rng.randint(3, 6)):
        t = (k + rng.random() * 0.6) / 6
        y, s = line + 0.12 + 0.42 * t, 0.07 + 0.17 * t
        _haystack(c, rng.uniform(0.08, 0.92) * c.w, y, s, straw)
    if rng.random() < 0.5:
        round_tree(c, c.w * rng.choice((0.08, 0.92)), 0.9, rng.uniform(0.5, 0.65))
    birds(c, rng.randint(2, 5), 0.08, 0.3, p.dark)


def _haystack(c: Canvas, x: float, y: float, s: float, straw: Colour) -> None:
    p, rng, d = c.palette, c.rng, c.sun
    c.glow(x - d * s * 0.7, y, s * 1.1, s * 0.25, mix(p.dark, p.leaf, 0.3), 0.75)
    shape = smooth(
        [
            (x - s * 0.5, y),
            (x - s * 0.52, y - s * 0.4),
            (x - s * 0.2, y - s * 0.85),
            (x, y - s),
            (x + s * 0.2, y - s * 0.85),
            (x + s * 0.52, y - s * 0.4),
            (x + s * 0.5, y),
        ],
        2,
    )
    c.form(shape, mix(straw, p.dark, 0.35), mix(straw, p.light, 0.45), 8, 0.45)
    for _ in range(26):
        t, u = rng.uniform(0.05, 0.85), rng.uniform(-0.42, 0.42)
        px, py = x + u * s * (1.1 - t), y - t * s
        tone = mix(straw, p.light if u * d > 0 else p.earth, 0.5)
        c.stroke([(px, py), (px + u * 0.15 * s, py + 0.12 * s)], 0.012 * s, tone)


def wheat_field(c: Canvas) -> None:
    p, rng = c.palette, c.rng
    line = rng.uniform(0.4, 0.5)
    sky(c, line)
    sun(c, rng.uniform(0.2, 0.8) * c.w, rng.uniform(0.1, 0.2), 0.06, mix(p.second, p.light, 0.35), p.second)
    hill(c, line - 0.05, 0.05, mix(p.water, p.sky, 0.4), mix(p.leaf, p.sky, 0.3))
    far = hill(c, line, 0.02, p.leaf, mix(p.leaf, p.second, 0.4))
    hamlet(c, far, rng.uniform(0.2, 0.8) * c.w, 0.06)
    c.band(line + 0.04, 1.0, mix(p.second, p.glow, 0.4), mix(p.second, p.earth, 0.5))
    x = c.w * rng.uniform(0.35, 0.65)
    path = mix(p.earth, p.glow, 0.4)
    c.fill(
        smooth(
            [
                (x - 0.01, line + 0.04),
                (x + 0.02, line + 0.04),
                (x + 0.12, 0.7),
                (x + 0.05, 0.85),
                (x + 0.3, 1.05),
                (x - 0.15, 1.05),
                (x - 0.12, 0.85),
                (x, 0.7),
            ],
            2,
        ),
        path,
        mix(path, p.earth, 0.5),
    )
    golds = (
        p.second,
        mix(p.second, p.light, 0.4),
        mix(p.second, p.earth, 0.55),
        mix(p.second, p.accent, 0.3),
    )
    c.dabs(420, (0, line + 0.05, x - 0.06, 1.02), 0.055, 0.009, golds, angle=-1.4, spread=0.35)
    c.dabs(420, (x + 0.1, line + 0.05, c.w, 1.02), 0.055, 0.009, golds, angle=-1.75, spread=0.35)
    c.dabs(22, (0, line + 0.12, c.w, 1), 0.014, 0.016, (p.accent,), spread=3)
    for k in range(rng.randint(1, 3)):
        poplar(
            c,
            c.w * (rng.choice((0.1, 0.88)) + 0.05 * k),
            line + 0.1 + 0.04 * k,
            rng.uniform(0.36, 0.5),
            mix(p.leaf, p.dark, 0.3),
        )
    birds(c, rng.randint(4, 9), 0.15, 0.4, p.dark)


def poppy_field(c: Canvas) -> None:
    p, rng = c.palette, c.rng
    line = rng.uniform(0.36, 0.46)
    sky(c, line, "day day day gold")
    hill(c, line - 0.03, 0.04, mix(p.leaf, p.sky, 0.65), mix(p.leaf, p.sky, 0.3))
    far = hill(c, line, 0.015, mix(p.leaf, p.sky, 0.3), p.leaf)
    for k in range(12):
        x = k / 11 * c.w
        (poplar if rng.random() < 0.35 else round_tree)(
            c, x, height_at(far, x) + 0.03, rng.uniform(0.1, 0.2), mix(p.leaf, p.sky, 0.15)
        )
    if rng.random() < 0.7:
        house(c, rng.uniform(0.2, 0.8) * c.w, line + 0.03, 0.12, 0.055, p.light, p.accent)
    c.band(line + 0.03, 1.0, mix(p.leaf, p.glow, 0.55), mix(p.leaf, p.dark, 0.15))
    grass(
        c,
        line + 0.05,
        (p.leaf, mix(p.leaf, p.second, 0.35), mix(p.leaf, p.light, 0.4), mix(p.leaf, p.dark, 0.3)),
        420,
    )
    bed = rng.uniform(0.3, 0.7) * c.w
    for k in range(230):
        t = (k / 230) ** 0.8
        y = line + 0.07 + (0.96 - line) * t
        x = bed + rng.gauss(0, 0.22 + 0.35 * t) * c.w
        r = 0.005 + 0.019 * t * rng.uniform(0.7, 1.2)
        red = vary(rng, mix(p.accent, p.light, 0.06), 0.05)
        c.fill(blob(rng, x, y, r * 1.25, r, 0.25, 6), red)
        if r > 0.012:
            c.oval(x - r * 0.3 * c.sun, y + r * 0.15, r * 0.35, r * 0.3, mix(p.accent, p.dark, 0.75))
            c.oval(x + r * 0.5 * c.sun, y - r * 0.35, r * 0.4, r * 0.28, mix(p.accent, p.light, 0.4))
    if rng.random() < 0.6:
        _stroller(c, rng.uniform(0.2, 0.8) * c.w, rng.uniform(0.66, 0.78), rng.uniform(0.16, 0.24))


def _stroller(c: Canvas, x: float, y: float, s: float) -> None:
    """A lady with a parasol, `s` tall."""
    p = c.palette
    dress = c.rng.choice((p.light, mix(p.sky, p.light, 0.4), mix(p.dark, p.water, 0.4)))
    c.fill(
        smooth(
            [(x - 0.06 * s, y - 0.62 * s), (x + 0.06 * s, y - 0.62 * s), (x + 0.2 * s, y), (x - 0.22 * s, y)],
            1,
        ),
        dress,
        mix(dress, p.water, 0.4),
    )
    c.stroke([(x, y - 0.72 * s), (x, y - 0.55 * s)], 0.11 * s, dress)
    c.oval(x, y - 0.8 * s, 0.05 * s, 0.06 * s, (226, 184, 152))
    c.oval(x, y - 0.85 * s, 0.11 * s, 0.025 * s, p.second)
    c.oval(x, y - 0.87 * s, 0.05 * s, 0.035 * s, p.second)
    c.stroke(
        [(x + 0.04 * s, y - 0.62 * s), (x + 0.15 * s, y - 0.55 * s), (x + 0.17 * s, y - 1.0 * s)],
        0.025 * s,
        mix(p.earth, p.dark, 0.3),
    )
    c.fill(
        arc(x + 0.15 * s, y - 0.95 * s, 0.3 * s, 0.2 * s, math.pi, 2 * math.pi),
        mix(p.leaf, p.light, 0.4),
        mix(p.leaf, p.dark, 0.2),
    )


def daisy_meadow(c: Canvas) -> None:
    p, rng = c.palette, c.rng
    line = rng.uniform(0.22, 0.34)
    sky(c, line, "day day gold")
    hill(c, line, 0.03, mix(p.leaf, p.sky, 0.5), mix(p.leaf, p.sky, 0.2))
    if rng.random() < 0.5:
        house(c, rng.uniform(0.2, 0.8) * c.w, line + 0.03, 0.13, 0.055, p.light, p.accent)
    c.band(line + 0.05, 1.0, mix(p.leaf, p.glow, 0.4), mix(p.leaf, p.dark, 0.45))
    grass(
        c,
        line + 0.06,
        (p.leaf, mix(p.leaf, p.second, 0.35), mix(p.leaf, p.dark, 0.3), mix(p.leaf, p.light, 0.3)),
        400,
    )
    for k in range(46):
        t = (k / 46) ** 1.1
        y = line + 0.1 + (0.9 - line) * t + rng.uniform(-0.03, 0.03)
        x, r = rng.uniform(-0.02, 1.02) * c.w, 0.012 + 0.062 * t * rng.uniform(0.8, 1.15)
        c.stroke(
            [(x, y), (x + rng.uniform(-0.03, 0.03), y + r * 4)], 0.1 * r + 0.002, mix(p.leaf, p.dark, 0.3)
        )
        daisy(c, x, y, r, p.light if rng.random() < 0.85 else mix(p.accent, p.light, 0.3), p.second)


def daisy(c: Canvas, x: float, y: float, r: float, petal: Colour, heart: Colour) -> None:
    rng = c.rng
    squash, turn = rng.uniform(0.6, 1), rng.uniform(0, 6.28)
    count = 13 if r > 0.03 else 9
    for ring in (0, 1):
        for k in range(count):
            a = turn + 6.283 * (k + 0.5 * ring) / count
            tone = mix(petal, c.palette.water, 0.3 - 0.25 * ring + 0.1 * rng.random())
            ends = [
                (x + math.cos(a) * r * t, y + math.sin(a) * r * t * squash) for t in (0.3, 1.0 - 0.08 * ring)
            ]
            c.stroke(ends, r * 0.22, tone)
    c.oval(x, y, r * 0.32, r * 0.3 * squash, mix(heart, c.palette.earth, 0.4))
    c.oval(x + c.sun * r * 0.05, y - r * 0.05, r * 0.25, r * 0.21 * squash, heart)


FIELDS = {
    "hay field": Motif(hay_field, "wide"),
    "wheat field": Motif(wheat_field, "wide"),
    "poppy field": Motif(poppy_field, "wide"),
    "daisy meadow": Motif(daisy_meadow, "even"),
}
