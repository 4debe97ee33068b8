"""Motifs by rivers, ponds and canals."""

from __future__ import annotations

import math

from gallery.datasets.painter.canvas import Canvas, arc, blob, smooth
from gallery.datasets.painter.colours import Colour, mix, vary
from gallery.datasets.painter.motifs.motif import Motif
from gallery.datasets.painter.motifs.outdoors import height_at, hill, sky, water
from gallery.datasets.painter.motifs.sea import sailing_boat
from gallery.datasets.painter.motifs.trees import crown, grass, poplar, round_tree


def river_bank(c: Canvas) -> None:
    p, rng = c.palette, c.rng
    line, d = rng.uniform(0.34, 0.42), rng.choice((-1, 1))
    sky(c, line, "day day gold")
    far = hill(c, line - 0.04, 0.02, mix(p.leaf, p.sky, 0.4), mix(p.leaf, p.sky, 0.2))
    for k in range(16):
        x = k / 15 * c.w
        round_tree(c, x, height_at(far, x) + 0.04, rng.uniform(0.1, 0.17), mix(p.leaf, p.sky, 0.25))
    water(c, line + 0.01, mix(p.water, p.sky, 0.4), p.water, p.light, calm=True)
    c.mirror(line + 0.01, 0.4, p.water)
    for _ in range(rng.randint(1, 3)):
        sailing_boat(
            c,
            c.w * (0.5 - d * rng.uniform(0.1, 0.42)),
            line + rng.uniform(0.05, 0.15),
            rng.uniform(0.14, 0.24),
            p.light,
            rng.choice((p.light, p.second)),
            p.accent,
        )
    edge = c.w / 2 + d * c.w * 0.55
    lawn = mix(p.leaf, p.second, 0.2)
    bank = smooth(
        [
            (edge, line + 0.03),
            (edge - d * 0.3 * c.w, line + 0.08),
            (edge - d * 0.62 * c.w, 0.72),
            (edge - d * 1.2 * c.w, 0.93),
            (edge - d * 1.2 * c.w, 1.2),
            (edge, 1.2),
        ],
        2,
    )
    c.fill(bank, mix(lawn, p.glow, 0.45), mix(lawn, p.dark, 0.2))
    c.fill(
        smooth(
            [
                (edge, 0.86),
                (edge - d * 0.5 * c.w, 0.9),
                (edge - d * 1.2 * c.w, 0.99),
                (edge - d * 1.2 * c.w, 1.2),
                (edge, 1.2),
            ],
            2,
        ),
        mix(p.leaf, p.dark, 0.4),
    )
    for k in range(rng.randint(2, 4)):
        round_tree(c, c.w / 2 + d * c.w * (0.46 - 0.13 * k), 0.66 - 0.08 * k, 0.56 - 0.1 * k)
    for k in range(rng.randint(4, 8)):
        t = k / 8
        x = c.w / 2 + d * c.w * (0.4 - rng.uniform(0.0, 0.55))
        _promenader(c, x, 0.7 + 0.2 * t + 0.05 * rng.random(), 0.13 + 0.09 * t)


def _promenader(c: Canvas, x: float, y: float, s: float) -> None:
    """Somebody out for a walk, `s` tall, with a long shadow."""
    p, rng = c.palette, c.rng
    coat = rng.choice((p.dark, p.accent, p.water, p.light, mix(p.accent, p.light, 0.4), p.second))
    c.glow(x - c.sun * 0.3 * s, y, 0.5 * s, 0.08 * s, mix(p.leaf, p.dark, 0.7), 0.8)
    if rng.random() < 0.5:
        c.fill(
            smooth(
                [
                    (x - 0.09 * s, y - 0.72 * s),
                    (x + 0.09 * s, y - 0.72 * s),
                    (x + 0.11 * s, y - 0.42 * s),
                    (x + 0.26 * s, y),
                    (x - 0.24 * s, y),
                    (x - 0.1 * s, y - 0.42 * s),
                ],
                1,
            ),
            coat,
            mix(coat, p.dark, 0.35),
        )
        c.fill(
            arc(x + 0.1 * s, y - 0.98 * s, 0.34 * s, 0.2 * s, math.pi, 2 * math.pi),
            rng.choice((p.accent, p.second, p.light)),
        )
        c.stroke([(x + 0.1 * s, y - 1.1 * s), (x + 0.1 * s, y - 0.6 * s)], 0.02 * s, p.dark)
    else:
        c.fill(
            [
                (x - 0.12 * s, y - 0.74 * s),
                (x + 0.12 * s, y - 0.74 * s),
                (x + 0.11 * s, y - 0.35 * s),
                (x - 0.11 * s, y - 0.35 * s),
            ],
            coat,
            mix(coat, p.dark, 0.35),
        )
        for side in (-1, 1):
            c.stroke(
                [(x + side * 0.05 * s, y - 0.36 * s), (x + side * 0.06 * s, y)],
                0.08 * s,
                mix(p.dark, coat, 0.2),
            )
        c.fill(
            [
                (x - 0.07 * s, y - 1.06 * s),
                (x + 0.07 * s, y - 1.06 * s),
                (x + 0.08 * s, y - 0.9 * s),
                (x - 0.08 * s, y - 0.9 * s),
            ],
            p.dark,
        )
    c.oval(x, y - 0.83 * s, 0.07 * s, 0.09 * s, (224, 180, 148))


def poplar_river(c: Canvas) -> None:
    p, rng = c.palette, c.rng
    line = rng.uniform(0.58, 0.66)
    sky(c, line)
    hill(c, line - 0.1, 0.04, mix(p.leaf, p.sky, 0.6), mix(p.leaf, p.sky, 0.4))
    for k in range(10):
        crown(c, k / 9 * c.w, line - 0.02, 0.09, 0.06, mix(p.leaf, p.sky, 0.3), mix(p.leaf, p.glow, 0.5))
    leaves = rng.choice(((p.leaf,), (p.leaf, p.second), (p.second, mix(p.second, p.accent, 0.5))))
    count = rng.randint(5, 9)
    curve = rng.choice((-1, 1))
    for k in range(count):
        t = k / (count - 1)
        s = 0.62 - 0.28 * t
        x = c.w * (0.5 + curve * (0.46 - 0.85 * t**0.8))
        poplar(c, x, line + 0.015, s * rng.uniform(0.92, 1.06), rng.choice(leaves))
    c.band(line, line + 0.025, mix(p.leaf, p.earth, 0.3), mix(p.leaf, p.dark, 0.4))
    water(c, line + 0.02, mix(p.water, p.sky, 0.45), mix(p.water, p.dark, 0.2), p.light, calm=True)
    c.mirror(line + 0.02, 0.65, p.water)
    c.dabs(60, (0, line + 0.06, c.w, 1), 0.1, 0.006, (mix(p.water, p.light, 0.6), p.sky), spread=0.04)
    bank = smooth([(-0.1, 0.88), (0.3 * c.w, 0.93), (0.5 * c.w, 1.1), (-0.1, 1.1)], 2)
    c.fill(
        bank if curve < 0 else [(c.w - x, y) for x, y in bank],
        mix(p.leaf, p.second, 0.3),
        mix(p.leaf, p.dark, 0.4),
    )
    grass(c, 0.92, (p.leaf, mix(p.leaf, p.dark, 0.4)), 50)


def lotus_pond(c: Canvas) -> None:
    p, rng = c.palette, c.rng
    top = rng.choice((0.0, 0.16, 0.24))
    deep = mix(p.water, p.dark, 0.25)
    c.backdrop((0, mix(p.water, p.leaf, 0.4)), (0.5, mix(p.water, p.sky, 0.35)), (1, deep))
    for _ in range(16):
        tone = rng.choice((p.leaf, p.sky, p.glow, p.dark, mix(p.accent, p.light, 0.5)))
        c.glow(
            rng.uniform(0, c.w),
            rng.uniform(0, 1),
            rng.uniform(0.08, 0.2),
            rng.uniform(0.15, 0.4),
            mix(tone, p.water, 0.4),
            0.5,
        )
    for _ in range(26):  # willows, reflected
        x, y = rng.uniform(0, c.w), rng.uniform(top, 0.9)
        c.stroke(
            [(x, y), (x + rng.gauss(0, 0.008), y + rng.uniform(0.08, 0.25))],
            0.008,
            mix(p.leaf, p.water, rng.uniform(0.2, 0.6)),
        )
    c.dabs(100, (0, top, c.w, 1), 0.08, 0.006, (mix(p.water, p.light, 0.5), p.sky, deep), spread=0.05)
    if top:
        for k in range(12):
            crown(
                c,
                k / 11 * c.w,
                top - 0.12,
                0.13,
                0.14,
                mix(p.leaf, p.dark, 0.1 + 0.2 * rng.random()),
                mix(p.leaf, p.glow, 0.45),
            )
    if top and rng.random() < 0.75:
        wood = rng.choice((mix(p.leaf, p.water, 0.4), p.accent))
        for lift in (0.0, 0.07):
            c.stroke(
                arc(c.w / 2, top + 0.1 - lift, 0.42 * c.w, 0.14, math.pi * 1.08, math.pi * 1.92, 20),
                0.024 if not lift else 0.012,
                mix(wood, p.dark, 0.25 if not lift else 0),
            )
        for k in range(9):
            a = math.pi * (1.1 + 0.1 * k)
            px, py = c.w / 2 + 0.42 * c.w * math.cos(a), top + 0.1 + 0.14 * math.sin(a)
            c.stroke([(px, py), (px, py - 0.075)], 0.008, wood)
    for k in range(rng.randint(24, 38)):
        t = (k / 36) ** 1.1
        y, s = top + 0.12 + (0.9 - top) * min(1.0, t), 0.03 + 0.075 * t
        x = rng.uniform(-0.02, 1.02) * c.w
        pad = vary(rng, mix(p.leaf, p.glow, 0.25 * rng.random()), 0.05)
        c.fill(blob(rng, x, y + 0.12 * s, s, s * 0.36, 0.06), mix(deep, p.dark, 0.4))
        c.fill(blob(rng, x, y, s, s * 0.36, 0.06), mix(pad, p.light, 0.25), mix(pad, p.dark, 0.2))
        c.fill([(x, y), (x + s * 0.9, y - s * 0.14), (x + s, y + s * 0.06)], mix(deep, p.water, 0.4))
        if rng.random() < 0.45:
            _lily(
                c,
                x - 0.2 * s,
                y - 0.1 * s,
                s * rng.uniform(0.4, 0.55),
                rng.choice(
                    (
                        p.light,
                        mix(p.accent, p.light, 0.55),
                        mix(p.accent, p.light, 0.25),
                        mix(p.second, p.light, 0.5),
                    )
                ),
            )


def _lily(c: Canvas, x: float, y: float, s: float, petal: Colour) -> None:
    for ring, size in ((0, 1.0), (1, 0.7)):
        for k in range(7):
            a = math.pi * (1.03 + 0.94 * k / 6) if ring == 0 else math.pi * (1.15 + 0.7 * k / 6)
            tip = (x + math.cos(a) * s * size, y + math.sin(a) * s * size * 0.85)
            side = (math.cos(a + 1.57) * 0.2 * s, math.sin(a + 1.57) * 0.2 * s)
            middle = (x + (tip[0] - x) * 0.55, y + (tip[1] - y) * 0.55)
            shape = [
                (x, y + 0.1 * s),
                (middle[0] + side[0], middle[1] + side[1]),
                tip,
                (middle[0] - side[0], middle[1] - side[1]),
            ]
            c.draw.polygon(
                c.pixels(shape),
                fill=mix(petal, c.palette.accent if ring == 0 else c.palette.light, 0.12 + 0.2 * (k % 2)),
            )
    c.oval(x, y - 0.2 * s, 0.16 * s, 0.13 * s, c.palette.second)


WATERSIDE = {
    "river bank": Motif(river_bank, "wide"),
    "poplar river": Motif(poplar_river, "even"),
    "lotus pond": Motif(lotus_pond, "even"),
}
