"""Things on tables: fruit, jugs, melons, guitars."""

from __future__ import annotations

import math

from gallery.datasets.painter.canvas import Canvas, arc, blob, smooth, turned
from gallery.datasets.painter.colours import FRUITS, Colour, mix, vary
from gallery.datasets.painter.motifs.indoors import cloth_on_table, fruit, room, shadow
from gallery.datasets.painter.motifs.motif import Motif
from gallery.datasets.painter.motifs.vessels import BOTTLE, BOWL, JUG, vessel


def fruit_bowl(c: Canvas) -> None:
    p, rng = c.palette, c.rng
    table = rng.uniform(0.5, 0.58)
    room(c, table, dark=rng.random() < 0.25)
    x, foot = c.w * rng.uniform(0.42, 0.58), table + rng.uniform(0.22, 0.28)
    if rng.random() < 0.6:
        side = rng.choice((-1, 1))
        vessel(
            c,
            x + side * 0.36,
            table + 0.13,
            rng.choice((BOTTLE, JUG)),
            rng.uniform(0.4, 0.5),
            rng.choice((mix(p.leaf, p.dark, 0.5), p.water, mix(p.light, p.earth, 0.2))),
        )
    size = rng.uniform(0.26, 0.3)
    kinds = rng.sample(list(FRUITS), rng.choice((2, 3, 3)))
    rim = foot - 0.55 * size
    for row, count in ((2, 3), (1, 4), (0, 5)):
        for k in range(count):
            fx = x + (k - (count - 1) / 2) * 0.098 + rng.uniform(-0.01, 0.01)
            fruit(
                c,
                fx,
                rim - 0.02 - 0.062 * row + abs(fx - x) * 0.1,
                rng.uniform(0.052, 0.064),
                rng.choice(kinds),
            )
    ware = rng.choice((p.light, p.water, mix(p.earth, p.accent, 0.4), mix(p.sky, p.light, 0.4)))
    vessel(c, x, foot, [(half, up) for half, up in BOWL[:-1]] + [(1.0, 0.5)], size, ware)
    # The front rim again, lower: what lies in the bowl hides the far one.
    front = arc(x, rim, size, size * 0.17, 0.0, math.pi, 20)
    c.fill([*front, *((px, rim + 0.6 * (py - rim)) for px, py in reversed(front))], mix(ware, p.light, 0.3))
    for k in range(3):
        fx = x - size * 0.2 + (k - 1) * 0.15
        fruit(c, fx, rim - 0.035, 0.058, rng.choice(kinds))
    c.fill(
        [*front, *((px, rim + (py - rim) * 0.55) for px, py in reversed(front))],
        mix(ware, p.light, 0.45),
        mix(ware, p.dark, 0.1),
    )
    for k in range(rng.randint(1, 4)):
        fx = x + rng.choice((-1, 1)) * rng.uniform(0.22, 0.42)
        fy = foot + rng.uniform(-0.02, 0.07)
        shadow(c, fx, fy + 0.05, 0.06)
        if rng.random() < 0.3 and k == 0:
            _half_fruit(c, fx, fy, 0.06, rng.choice(("orange", "lemon")))
        else:
            fruit(c, fx, fy, rng.uniform(0.055, 0.066), rng.choice(kinds))


def _half_fruit(c: Canvas, x: float, y: float, r: float, kind: str) -> None:
    """An orange or lemon cut in two, its face to the viewer."""
    p = c.palette
    skin = FRUITS[kind]
    flesh = mix(skin, p.light, 0.2)
    c.oval(x, y, r, r * 0.96, skin)
    c.oval(x, y, r * 0.9, r * 0.86, mix(p.light, skin, 0.12))
    for k in range(9):
        a0, a1 = 6.283 * k / 9 + 0.07, 6.283 * (k + 1) / 9 - 0.07
        am = (a0 + a1) / 2
        wedge = [(x + math.cos(am) * r * 0.14, y + math.sin(am) * r * 0.13)] + [
            (x + math.cos(a) * r * 0.8, y + math.sin(a) * r * 0.76) for a in (a0, am, a1)
        ]
        c.draw.polygon(c.pixels(wedge), fill=vary(c.rng, flesh, 0.03))


def jug_and_lemons(c: Canvas) -> None:
    p, rng, d = c.palette, c.rng, c.sun
    table = rng.uniform(0.52, 0.6)
    room(c, table)
    x, foot, size = c.w * rng.uniform(0.36, 0.48), table + rng.uniform(0.14, 0.19), rng.uniform(0.46, 0.56)
    ware = rng.choice(
        (p.water, p.light, mix(p.accent, p.earth, 0.4), mix(p.leaf, p.light, 0.2), mix(p.sky, p.light, 0.4))
    )
    side = rng.choice((-1, 1))
    if rng.random() < 0.6:
        vessel(
            c,
            x - side * 0.3,
            table + 0.09,
            BOTTLE,
            rng.uniform(0.46, 0.54),
            mix(p.leaf, p.dark, 0.45),
            pattern=False,
        )
    handle = arc(
        x - side * 0.3 * size,
        foot - 0.66 * size,
        0.24 * size,
        0.24 * size,
        math.pi * (0.5 if side > 0 else -0.5),
        math.pi * (1.5 if side > 0 else 0.5),
        16,
    )
    c.stroke(handle, 0.062 * size, mix(ware, p.dark, 0.4))
    c.stroke(handle, 0.036 * size, mix(ware, p.light, 0.15))
    top = vessel(c, x, foot, JUG, size, ware)
    c.fill(
        smooth(
            [
                (x + side * 0.12 * size, top - 0.01),
                (x + side * 0.4 * size, top - 0.03),
                (x + side * 0.24 * size, top + 0.1 * size),
            ],
            2,
        ),
        mix(ware, p.light, 0.1),
        mix(ware, p.dark, 0.25),
    )
    plate = c.w * rng.uniform(0.62, 0.72) if side > 0 else c.w * rng.uniform(0.58, 0.7)
    py = foot + rng.uniform(0.04, 0.09)
    if rng.random() < 0.7:
        shadow(c, plate, py + 0.03, 0.2)
        c.oval(plate, py + 0.012, 0.23, 0.075, mix(p.light, p.dark, 0.35))
        c.oval(plate, py, 0.23, 0.073, mix(p.light, p.sky, 0.15))
        c.oval(plate, py, 0.16, 0.048, mix(p.light, p.sky, 0.35))
    main = rng.choice(("lemon", "lemon", "lemon", "orange"))
    for k, (dx, dy) in enumerate(((-0.08, -0.045), (0.07, -0.05), (0.0, -0.115), (0.0, -0.015))):
        if k != 2 or rng.random() < 0.6:
            fruit(c, plate + dx, py + dy, 0.062, main)
    for k in range(rng.randint(1, 3)):
        fx, fy = c.w * rng.uniform(0.12, 0.88), foot + rng.uniform(0.1, 0.17)
        shadow(c, fx, fy + 0.05, 0.06)
        (_half_fruit if k == 0 else fruit)(c, fx, fy, 0.06, main)
    if rng.random() < 0.5:
        kx, ky = c.w * rng.uniform(0.2, 0.5), min(0.94, foot + 0.2)
        c.stroke([(kx, ky), (kx + d * 0.16, ky - 0.03)], 0.014, mix(p.sky, p.light, 0.6))
        c.stroke([(kx - d * 0.1, ky + 0.02), (kx, ky)], 0.02, mix(p.earth, p.dark, 0.5))


def melons(c: Canvas) -> None:
    p, rng = c.palette, c.rng
    table = rng.uniform(0.4, 0.5)
    room(c, table)
    cloth_on_table(c, table, rng.choice((p.light, p.second, mix(p.water, p.light, 0.5))))
    rind, flesh = mix(p.leaf, p.dark, 0.25), mix((232, 70, 74), p.accent, 0.4)
    x, y = c.w * rng.uniform(0.28, 0.4), table + 0.12
    if rng.random() < 0.5:
        x = c.w - x
    shadow(c, x, y + 0.16, 0.22)
    c.form(blob(rng, x, y, 0.23, 0.19, 0.02, 14), mix(rind, p.dark, 0.5), mix(rind, p.light, 0.3), 9)
    for k in range(7):
        a = -0.9 + 0.3 * k
        c.stroke(
            [
                (x + 0.22 * math.sin(a) * math.sin(t), y - 0.175 * math.cos(t))
                for t in (j * 0.26 for j in range(13))
            ],
            0.01,
            mix(p.leaf, p.light, 0.3),
        )
    for k in range(rng.randint(2, 4)):
        sx, sy = (
            c.w * (0.5 + 0.18 * k * (1 if x < c.w / 2 else -1)) + rng.uniform(-0.05, 0.05),
            table + 0.3 + 0.07 * (k % 2) + rng.uniform(0, 0.04),
        )
        _slice(
            c,
            min(c.w - 0.15, max(0.15, sx)),
            sy,
            rng.uniform(0.16, 0.2),
            rng.uniform(-0.35, 0.35),
            rind,
            flesh,
        )
    for _ in range(rng.randint(2, 5)):
        fx, fy = rng.uniform(0.1, 0.9) * c.w, rng.uniform(table + 0.34, 0.92)
        shadow(c, fx, fy + 0.045, 0.055)
        fruit(c, fx, fy, 0.058, rng.choice(("lemon", "orange", "peach", "green apple")))
    if rng.random() < 0.6:
        _bananas(c, c.w - x, table + 0.12, 0.2)


def _slice(c: Canvas, x: float, y: float, r: float, tilt: float, rind: Colour, flesh: Colour) -> None:
    p, rng = c.palette, c.rng
    shadow(c, x, y + 0.02, r)
    for q, tone in ((1.0, rind), (0.93, mix(p.leaf, p.light, 0.65)), (0.86, flesh)):
        c.draw.polygon(
            c.pixels(
                turned(
                    [(px * r * q, py * r * q) for px, py in arc(0, 0, 1, 1, 0, math.pi, 24)],
                    x,
                    y - r * 0.8,
                    tilt,
                )
            ),
            fill=tone,
        )
    c.stroke(turned([(-r * 0.84, 0), (r * 0.84, 0)], x, y - r * 0.8, tilt), 0.012, mix(flesh, p.light, 0.25))
    for k in range(9):
        a = math.pi * (k + 0.7) / 9.4
        q = r * (0.62 if k % 2 else 0.42)
        seed = turned(
            [(math.cos(a) * q, math.sin(a) * q), (math.cos(a) * q * 1.14, math.sin(a) * q * 1.14)],
            x,
            y - r * 0.8,
            tilt,
        )
        c.stroke(seed, 0.009, vary(rng, p.dark, 0.03))


def _bananas(c: Canvas, x: float, y: float, s: float) -> None:
    p, rng = c.palette, c.rng
    skin = mix((244, 206, 70), p.second, 0.4)
    shadow(c, x, y + 0.55 * s, s)
    for k in range(4):
        lift = 0.17 * k
        outer = arc(x, y - lift * s, s * 1.05, s * (0.75 - 0.1 * k), 0.15, math.pi - 0.15, 14)
        inner = arc(x, y - lift * s - 0.05 * s, s * 0.98, s * (0.42 - 0.09 * k), math.pi - 0.15, 0.15, 14)
        tone = vary(rng, skin, 0.03)
        c.fill(smooth([*outer, *inner], 1), mix(tone, p.light, 0.2), mix(tone, p.earth, 0.45))
        c.stroke(outer[2:-2], 0.005, mix(tone, p.dark, 0.4))
    c.stroke([(x + s, y - 0.15 * s), (x + 1.12 * s, y - 0.45 * s)], 0.03, mix(skin, p.dark, 0.45))


TABLES = {
    "fruit bowl": Motif(fruit_bowl, "even"),
    "jug and lemons": Motif(jug_and_lemons, "even"),
    "melons": Motif(melons, "wide"),
}
