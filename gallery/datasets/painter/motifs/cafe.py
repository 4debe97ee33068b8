"""Guitars, bottles and papers on a café table."""

from __future__ import annotations

import math

from gallery.datasets.painter.canvas import Canvas, Points, box, smooth, turned
from gallery.datasets.painter.colours import mix
from gallery.datasets.painter.motifs.indoors import fruit, room, shadow
from gallery.datasets.painter.motifs.motif import Motif
from gallery.datasets.painter.motifs.vessels import BOTTLE, vessel


def guitar_table(c: Canvas) -> None:
    p, rng = c.palette, c.rng
    table = rng.uniform(0.56, 0.64)
    room(c, table, dark=rng.random() < 0.4)
    x = c.w * rng.uniform(0.4, 0.6)
    for _ in range(5):  # papers and panels behind
        px, py, s = x + rng.gauss(0, 0.2), rng.uniform(0.25, 0.75), rng.uniform(0.12, 0.26)
        tone = rng.choice((p.light, p.glow, p.earth, p.sky, mix(p.dark, p.earth, 0.4)))
        sheet = turned(box(-s, -s * 0.7, s, s * 0.7), px, py, rng.uniform(-0.6, 0.6))
        c.fill(sheet, tone, mix(tone, p.dark, 0.3))
    sheet_at, angle = (x - 0.2, table + 0.12), rng.uniform(-0.25, 0.25)
    c.fill(turned(box(-0.17, -0.11, 0.17, 0.11), *sheet_at, angle), p.light, mix(p.light, p.earth, 0.3))
    for k in range(7):
        c.stroke(
            turned(
                [(-0.14, -0.075 + 0.026 * k), (0.1 + 0.04 * rng.random(), -0.075 + 0.026 * k)],
                *sheet_at,
                angle,
            ),
            0.006,
            mix(p.dark, p.light, 0.25),
        )
    _guitar(c, x + 0.03, table - 0.02, rng.uniform(0.62, 0.74), rng.choice((-1, 1)) * rng.uniform(0.25, 0.7))
    vessel(
        c,
        c.w * rng.choice((0.16, 0.86)),
        table + 0.13,
        BOTTLE,
        rng.uniform(0.48, 0.56),
        mix(p.leaf, p.dark, 0.4),
        pattern=False,
    )
    if rng.random() < 0.7:
        gx = c.w * rng.uniform(0.62, 0.78)
        vessel(
            c,
            gx,
            table + 0.27,
            [(0.26, 0.0), (0.3, 0.5), (0.34, 1.0)],
            0.2,
            mix(p.sky, p.light, 0.5),
            pattern=False,
        )
    for _ in range(rng.randint(1, 3)):
        fx, fy = c.w * rng.uniform(0.2, 0.8), rng.uniform(table + 0.2, 0.92)
        shadow(c, fx, fy + 0.04, 0.05)
        fruit(c, fx, fy, 0.055, rng.choice(("pear", "orange", "green apple", "lemon")))


def _guitar(c: Canvas, x: float, y: float, s: float, tilt: float) -> None:
    """A guitar of length `s` about (x, y), its neck upwards and leaning by `tilt`."""
    p = c.palette
    wood = mix(p.earth, p.accent, 0.25)
    half = [
        (0.0, -0.1),
        (0.07, -0.1),
        (0.15, -0.06),
        (0.17, 0.02),
        (0.115, 0.1),
        (0.13, 0.17),
        (0.2, 0.24),
        (0.2, 0.34),
        (0.1, 0.42),
        (0.0, 0.43),
    ]
    body: Points = [(px * s, py * s) for px, py in half] + [(-px * s, py * s) for px, py in reversed(half)]
    body = smooth(body, 2)
    c.fill(turned([(px + 0.02 * s, py + 0.015 * s) for px, py in body], x, y, tilt), mix(wood, p.dark, 0.6))
    c.fill(turned(body, x, y, tilt), mix(wood, p.glow, 0.45), mix(wood, p.dark, 0.1))
    c.fill(
        turned([pt for pt in body if pt[0] * c.sun <= 0.001], x, y, tilt),
        mix(wood, p.dark, 0.18),
        mix(wood, p.dark, 0.35),
    )
    c.draw.polygon(
        c.pixels(
            turned(
                [
                    (0.075 * s * math.cos(k * 0.3), 0.08 * s + 0.075 * s * math.sin(k * 0.3))
                    for k in range(21)
                ],
                x,
                y,
                tilt,
            )
        ),
        fill=mix(p.second, wood, 0.4),
    )
    c.draw.polygon(
        c.pixels(
            turned(
                [(0.06 * s * math.cos(k * 0.3), 0.08 * s + 0.06 * s * math.sin(k * 0.3)) for k in range(21)],
                x,
                y,
                tilt,
            )
        ),
        fill=p.dark,
    )
    neck = mix(p.dark, wood, 0.3)
    c.fill(
        turned(
            [(-0.027 * s, -0.5 * s), (0.027 * s, -0.5 * s), (0.032 * s, 0.02 * s), (-0.032 * s, 0.02 * s)],
            x,
            y,
            tilt,
        ),
        neck,
    )
    c.fill(
        turned(
            [(-0.045 * s, -0.62 * s), (0.045 * s, -0.62 * s), (0.03 * s, -0.49 * s), (-0.03 * s, -0.49 * s)],
            x,
            y,
            tilt,
        ),
        mix(wood, p.dark, 0.45),
    )
    for k in range(3):
        for side in (-1, 1):
            c.oval(
                *turned([(side * 0.056 * s, (-0.6 + 0.04 * k) * s)], x, y, tilt)[0],
                0.011 * s,
                0.011 * s,
                p.light,
            )
    for k in range(7):
        c.stroke(
            turned([(-0.028 * s, (-0.46 + 0.06 * k) * s), (0.028 * s, (-0.46 + 0.06 * k) * s)], x, y, tilt),
            0.003,
            p.second,
        )
    for k in range(5):
        u = (k - 2) * 0.011 * s
        c.stroke(turned([(u, -0.5 * s), (u, 0.29 * s)], x, y, tilt), 0.0025, p.light)
    c.fill(turned(box(-0.07 * s, 0.28 * s, 0.07 * s, 0.305 * s), x, y, tilt), p.dark)


CAFE = {
    "guitar table": Motif(guitar_table, "tall"),
}
