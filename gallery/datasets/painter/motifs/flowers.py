"""Flowers in vases."""

from __future__ import annotations

import math

from gallery.datasets.painter.canvas import Canvas, blob, smooth
from gallery.datasets.painter.colours import Colour, mix, vary
from gallery.datasets.painter.motifs.fields import daisy
from gallery.datasets.painter.motifs.indoors import fruit, room, shadow
from gallery.datasets.painter.motifs.motif import Motif
from gallery.datasets.painter.motifs.vessels import VASES, vessel


def vase_of_flowers(c: Canvas) -> None:
    p, rng = c.palette, c.rng
    table = rng.uniform(0.7, 0.78)
    room(c, table)
    x, size = c.w * rng.uniform(0.45, 0.55), rng.uniform(0.3, 0.36)
    foot = table + rng.uniform(0.09, 0.13)
    ware = rng.choice(
        (mix(p.light, p.sky, 0.2), p.water, mix(p.leaf, p.dark, 0.15), p.second, mix(p.accent, p.earth, 0.4))
    )
    mouth = foot - size
    spread = min(0.33, c.w * 0.4)
    heads = []
    for k in range(rng.randint(11, 17)):
        ring = 0.25 + 0.75 * math.sqrt(k / 16)
        a = k * 2.4 + rng.uniform(-0.3, 0.3)
        heads.append(
            (
                x + math.cos(a) * spread * ring,
                mouth - 0.2 + math.sin(a) * 0.23 * ring,
                rng.uniform(0.05, 0.082),
            )
        )
    for hx, hy, _ in heads:
        c.stroke(
            [(x + (hx - x) * 0.1, mouth + 0.03), (x + (hx - x) * 0.5, (mouth + hy) / 2), (hx, hy)],
            0.008,
            mix(p.leaf, p.dark, 0.3),
        )
    for _ in range(34):
        a, q = rng.uniform(math.pi * 0.95, math.pi * 2.05), rng.uniform(0.3, 1.05)
        leaf(
            c,
            x + math.cos(a) * spread * q,
            mouth - 0.12 + math.sin(a) * 0.3 * q,
            rng.uniform(0.07, 0.13),
            rng.uniform(0, 6.28),
        )
    vessel(c, x, foot, rng.choice(VASES), size, ware)
    for s in (-1, 1):
        leaf(c, x + s * 0.05, mouth + 0.01, 0.1, 1.57 - s * 1.1)
    petals = (
        p.accent,
        p.second,
        p.light,
        mix(p.accent, p.light, 0.5),
        mix(p.sky, p.light, 0.2),
        mix(p.accent, p.second, 0.5),
    )
    chosen = rng.sample(petals, 3)
    kinds = rng.sample((rose, poppy, tulip, daisy_head, daisy_head), 2)
    for hx, hy, r in sorted(heads, key=lambda head: -head[2]):
        rng.choice(kinds)(c, hx, hy, r, vary(rng, rng.choice(chosen), 0.03))
    for _ in range(rng.randint(8, 22)):
        c.oval(
            x + rng.gauss(0, 0.5) * spread,
            mouth - 0.2 + rng.gauss(0, 0.12),
            0.009,
            0.009,
            rng.choice((p.light, p.second)),
        )
    for _ in range(rng.choice((0, 0, 2, 4))):
        px, py = x + rng.choice((-1, 1)) * rng.uniform(0.16, 0.3), foot + rng.uniform(0.0, 0.05)
        if rng.random() < 0.5:
            shadow(c, px, py + 0.04, 0.05)
            fruit(c, px, py, 0.05, rng.choice(("orange", "apple", "lemon", "peach")))
        else:
            c.fill(blob(rng, px, py, 0.025, 0.012, 0.2), rng.choice(chosen))


def leaf(c: Canvas, x: float, y: float, s: float, angle: float) -> None:
    p, rng = c.palette, c.rng
    tone = vary(rng, mix(p.leaf, rng.choice((p.dark, p.second, p.light)), rng.uniform(0.05, 0.3)), 0.03)
    ca, sa = math.cos(angle), math.sin(angle)
    shape = [
        (x + u * s * ca - v * s * sa, y + u * s * sa + v * s * ca)
        for u, v in ((0, 0), (0.35, 0.17), (0.75, 0.1), (1, 0), (0.75, -0.1), (0.35, -0.17))
    ]
    c.fill(smooth(shape, 1), mix(tone, p.light, 0.12), mix(tone, p.dark, 0.25))
    c.stroke([(x, y), (x + 0.9 * s * ca, y + 0.9 * s * sa)], 0.003, mix(tone, p.light, 0.35))


def rose(c: Canvas, x: float, y: float, r: float, petal: Colour) -> None:
    p, rng = c.palette, c.rng
    c.fill(blob(rng, x, y, r, r * 0.95, 0.1, 9), mix(petal, p.dark, 0.15), mix(petal, p.dark, 0.4))
    for k in range(15):
        t = k / 15
        a, q = k * 2.4 + rng.random(), r * 0.72 * (1 - t)
        tone = mix(mix(petal, p.dark, 0.22), mix(petal, p.light, 0.5), (t + rng.random()) / 2)
        c.draw.polygon(
            c.pixels(
                blob(
                    rng,
                    x + math.cos(a) * q,
                    y + math.sin(a) * q * 0.9,
                    r * 0.34 * (1.1 - 0.5 * t),
                    r * 0.26 * (1.1 - 0.5 * t),
                    0.15,
                    6,
                )
            ),
            fill=tone,
        )
    c.oval(x, y, r * 0.12, r * 0.1, mix(petal, p.dark, 0.5))


def poppy(c: Canvas, x: float, y: float, r: float, petal: Colour) -> None:
    p, rng = c.palette, c.rng
    turn = rng.uniform(0, 1.5)
    for k in range(4):
        a = turn + k * 1.571
        shape = blob(rng, x + math.cos(a) * r * 0.42, y + math.sin(a) * r * 0.38, r * 0.66, r * 0.6, 0.14, 8)
        c.fill(shape, mix(petal, p.light, 0.22 * (k % 2)), mix(petal, p.dark, 0.28))
    c.oval(x, y, r * 0.24, r * 0.22, mix(p.dark, petal, 0.12))
    for k in range(12):
        a = k * 0.524
        c.oval(x + math.cos(a) * r * 0.34, y + math.sin(a) * r * 0.31, r * 0.05, r * 0.05, p.dark)
    c.oval(x, y, r * 0.09, r * 0.08, p.second)


def tulip(c: Canvas, x: float, y: float, r: float, petal: Colour) -> None:
    p = c.palette
    for dx, tone in (
        (-0.42, mix(petal, p.dark, 0.25)),
        (0.42, mix(petal, p.dark, 0.12)),
        (0.0, mix(petal, p.light, 0.18)),
    ):
        shape = [
            (x + dx * r, y - r * 1.15),
            (x + (dx + 0.42) * r, y - 0.3 * r),
            (x + (dx * 0.5 + 0.3) * r, y + 0.75 * r),
            (x + (dx * 0.5 - 0.3) * r, y + 0.75 * r),
            (x + (dx - 0.42) * r, y - 0.3 * r),
        ]
        c.fill(smooth(shape, 2), tone, mix(tone, p.dark, 0.25))


def daisy_head(c: Canvas, x: float, y: float, r: float, petal: Colour) -> None:
    daisy(
        c,
        x,
        y,
        r,
        petal,
        c.palette.second if petal != c.palette.second else mix(c.palette.earth, c.palette.dark, 0.5),
    )


def sunflower(c: Canvas, x: float, y: float, r: float) -> None:
    p, rng = c.palette, c.rng
    turn, squash = rng.uniform(0, 6.28), rng.uniform(0.8, 1)
    for ring, reach in ((0, 1.0), (1, 0.84)):
        for k in range(17):
            a = turn + 6.283 * (k + 0.5 * ring) / 17 + rng.uniform(-0.07, 0.07)
            q = r * reach * rng.uniform(0.9, 1.1)
            tone = mix(p.second, p.accent if ring == 0 else p.light, rng.uniform(0.05, 0.32))
            side = (math.cos(a + 1.57) * r * 0.13, math.sin(a + 1.57) * r * 0.13 * squash)
            mid = (x + math.cos(a) * q * 0.62, y + math.sin(a) * q * 0.62 * squash)
            tip = (x + math.cos(a) * q, y + math.sin(a) * q * squash)
            c.draw.polygon(
                c.pixels(
                    [(x, y), (mid[0] + side[0], mid[1] + side[1]), tip, (mid[0] - side[0], mid[1] - side[1])]
                ),
                fill=tone,
            )
    brown = mix(p.earth, p.dark, 0.55)
    c.form(
        blob(rng, x, y, r * 0.46, r * 0.44 * squash, 0.04),
        mix(brown, p.dark, 0.4),
        mix(brown, p.second, 0.35),
        5,
    )
    for k in range(38):
        q = r * 0.42 * math.sqrt(k / 38)
        c.oval(
            x + math.cos(k * 2.4) * q,
            y + math.sin(k * 2.4) * q * squash,
            r * 0.03,
            r * 0.03,
            mix(brown, p.second, 0.45 * rng.random()),
        )


def sunflowers(c: Canvas) -> None:
    p, rng = c.palette, c.rng
    if rng.random() < 0.5:
        table = rng.uniform(0.7, 0.76)
        room(c, table)
        x, foot, size = c.w * rng.uniform(0.46, 0.54), table + 0.12, 0.32
        mouth, spread = table + 0.12 - 0.32, min(0.32, c.w * 0.36)
        heads = [
            (x + math.cos(a) * spread * q, mouth - 0.19 + math.sin(a) * 0.21 * q)
            for a, q in ((k * 2.4, 0.3 + 0.7 * math.sqrt(k / 10)) for k in range(rng.randint(7, 11)))
        ]
        for hx, hy in heads:
            c.stroke(
                [(x, mouth + 0.04), (x + (hx - x) * 0.45, (mouth + hy) / 2), (hx, hy)],
                0.011,
                mix(p.leaf, p.dark, 0.25),
            )
        for _ in range(14):
            a = rng.uniform(math.pi, 2 * math.pi)
            leaf(
                c,
                x + math.cos(a) * spread * 0.7,
                mouth - 0.1 + math.sin(a) * 0.16,
                0.14,
                rng.uniform(0, 6.28),
            )
        vessel(
            c,
            x,
            foot,
            rng.choice(VASES),
            size,
            rng.choice((p.light, p.water, mix(p.second, p.earth, 0.4), p.leaf)),
        )
        for hx, hy in heads:
            sunflower(c, hx, hy, rng.uniform(0.085, 0.115))
        return
    line = rng.uniform(0.3, 0.42)
    c.backdrop((0, p.sky), (line, mix(p.sky, p.glow, 0.6)))
    for _ in range(6):
        c.glow(rng.uniform(0, c.w), rng.uniform(0, line), 0.35, 0.06, p.light, 0.6)
    c.band(line, 1, mix(p.leaf, p.glow, 0.4), mix(p.leaf, p.dark, 0.5))
    for row in range(7):
        t = row / 6
        y, r = line + 0.01 + (0.62 - 0.35 * line) * t**1.3, 0.018 + 0.115 * t**1.4
        count = max(3, int(c.w / (r * 2.1)))
        for k in range(count):
            x = (k + rng.uniform(0.15, 0.85)) / count * c.w
            top = y + rng.uniform(-0.2, 0.2) * r
            c.stroke(
                [(x, top), (x + rng.uniform(-0.2, 0.2) * r, top + 4 * r)], 0.14 * r, mix(p.leaf, p.dark, 0.2)
            )
            if r > 0.03:
                leaf(c, x, top + 1.9 * r, 1.2 * r, rng.choice((0.3, 2.8)))
                sunflower(c, x, top, r)
            else:
                c.oval(x, top, r, r * 0.9, p.second)
                c.oval(x, top, r * 0.45, r * 0.42, mix(p.earth, p.dark, 0.5))


FLOWERS = {
    "vase of flowers": Motif(vase_of_flowers, "tall"),
    "sunflowers": Motif(sunflowers, "tall"),
}
