"""Far countries: the plain with its animals, the desert."""

from __future__ import annotations

import math

from gallery.datasets.painter.canvas import Canvas, Points, blob, smooth
from gallery.datasets.painter.colours import mix, vary
from gallery.datasets.painter.motifs.flowers import leaf
from gallery.datasets.painter.motifs.motif import Motif
from gallery.datasets.painter.motifs.outdoors import birds, height_at, hill, sky, sun
from gallery.datasets.painter.motifs.trees import grass


def acacia_plain(c: Canvas) -> None:
    p, rng = c.palette, c.rng
    line = rng.uniform(0.6, 0.68)
    sky(c, line, "gold gold dusk day")
    x = rng.uniform(0.25, 0.75) * c.w
    sun(c, x, line - rng.uniform(0.08, 0.2), rng.uniform(0.07, 0.11), mix(p.second, p.light, 0.3), p.second)
    hill(c, line - 0.02, 0.035, mix(p.earth, p.sky, 0.5), mix(p.earth, p.glow, 0.5), 5)
    plain = hill(c, line, 0.01, mix(p.second, p.earth, 0.35), mix(p.earth, p.leaf, 0.35))
    grass(
        c,
        line + 0.03,
        (mix(p.second, p.light, 0.3), mix(p.earth, p.leaf, 0.5), mix(p.second, p.earth, 0.6)),
        260,
    )
    for _ in range(rng.randint(3, 5)):
        px = rng.uniform(0.05, 0.95) * c.w
        _acacia(c, px, height_at(plain, px) + 0.03, rng.uniform(0.14, 0.22))
    side = rng.choice((-1, 1))
    _acacia(c, c.w * (0.5 + 0.28 * side), line + 0.16, rng.uniform(0.5, 0.6))
    kinds = rng.choice((_elephant, _giraffe, _elephant, _giraffe))
    for k in range(rng.randint(2, 4)):
        scale = rng.uniform(0.6, 1.0)
        kinds(
            c,
            c.w * (0.5 - side * (0.02 + 0.15 * k)),
            line + 0.1 + 0.07 * scale + 0.05 * k,
            (0.2 if kinds is _elephant else 0.4) * scale,
            side,
        )
    birds(c, rng.randint(3, 6), 0.1, 0.3, p.dark)


def _acacia(c: Canvas, x: float, y: float, s: float) -> None:
    p, rng = c.palette, c.rng
    bark = mix(p.dark, p.earth, 0.3)
    c.stroke([(x, y), (x - 0.03 * s, y - 0.35 * s), (x, y - 0.5 * s)], 0.05 * s, bark)
    for u in (-0.5, -0.22, 0.15, 0.45):
        c.stroke(
            [(x - 0.01 * s, y - 0.42 * s), (x + u * 0.6 * s, y - 0.62 * s), (x + u * s, y - 0.78 * s)],
            0.025 * s,
            bark,
        )
    green = mix(p.leaf, p.dark, 0.25)
    for k in range(9):
        u = (k - 4) / 4
        tone = mix(green, p.second, 0.1 + 0.2 * rng.random())
        c.fill(
            blob(rng, x + u * 0.52 * s, y - (0.8 + 0.09 * (1 - u * u)) * s, 0.22 * s, 0.07 * s, 0.2),
            tone,
            mix(green, p.dark, 0.35),
        )


def _elephant(c: Canvas, x: float, y: float, s: float, d: int) -> None:
    p = c.palette
    hide = mix(mix(p.dark, p.sky, 0.35), p.earth, 0.25)

    def at(px: float, py: float) -> tuple[float, float]:
        return (x + d * px * s, y + py * s)

    c.glow(x, y, 1.0 * s, 0.14 * s, mix(p.dark, p.earth, 0.4), 0.8)
    for px, tone in ((-0.36, 0.35), (0.28, 0.35), (-0.48, 0.1), (0.16, 0.1)):
        c.fill(
            [at(px, -0.55), at(px + 0.2, -0.55), at(px + 0.17, 0), at(px + 0.01, 0)],
            mix(hide, p.dark, tone),
            mix(hide, p.dark, tone + 0.2),
        )
    body = smooth(
        [
            at(-0.55, -0.5),
            at(-0.52, -0.88),
            at(-0.15, -1.02),
            at(0.3, -0.98),
            at(0.5, -0.75),
            at(0.4, -0.4),
            at(-0.1, -0.36),
            at(-0.4, -0.38),
        ]
    )
    c.fill(body, mix(hide, p.light, 0.18), mix(hide, p.dark, 0.25))
    c.stroke([at(-0.54, -0.8), at(-0.62, -0.5), at(-0.6, -0.35)], 0.03 * s, mix(hide, p.dark, 0.3))
    c.stroke(
        [at(0.7, -0.72), at(0.8, -0.45), at(0.79, -0.15), at(0.86, -0.04)], 0.11 * s, mix(hide, p.dark, 0.08)
    )
    c.fill(
        smooth(
            [at(0.32, -0.95), at(0.55, -1.08), at(0.8, -0.95), at(0.83, -0.6), at(0.62, -0.5), at(0.4, -0.6)]
        ),
        mix(hide, p.light, 0.12),
        mix(hide, p.dark, 0.1),
    )
    c.fill(
        smooth([at(0.32, -0.98), at(0.5, -0.98), at(0.56, -0.7), at(0.42, -0.45), at(0.24, -0.6)]),
        mix(hide, p.light, 0.22),
        mix(hide, p.dark, 0.2),
    )
    c.stroke([at(0.72, -0.58), at(0.86, -0.46), at(0.96, -0.48)], 0.04 * s, p.light)
    c.oval(*at(0.68, -0.84), 0.022 * s, 0.022 * s, p.dark)


def _giraffe(c: Canvas, x: float, y: float, s: float, d: int) -> None:
    p, rng = c.palette, c.rng
    coat, spot = mix(p.second, p.light, 0.2), mix(p.earth, p.dark, 0.35)

    def at(px: float, py: float) -> tuple[float, float]:
        return (x + d * px * s, y + py * s)

    c.glow(x, y, 0.45 * s, 0.06 * s, mix(p.dark, p.earth, 0.4), 0.8)
    for px in (-0.2, -0.13, 0.1, 0.17):
        c.stroke(
            [at(px, -0.4), at(px + 0.01, 0)],
            0.035 * s,
            mix(coat, p.earth, 0.3 if px in (-0.13, 0.17) else 0.1),
        )
    c.fill(
        smooth(
            [
                at(-0.24, -0.36),
                at(-0.22, -0.54),
                at(0.1, -0.62),
                at(0.24, -0.58),
                at(0.22, -0.38),
                at(-0.1, -0.35),
            ]
        ),
        coat,
        mix(coat, p.earth, 0.3),
    )
    c.fill([at(0.1, -0.6), at(0.33, -0.97), at(0.4, -0.96), at(0.24, -0.5)], coat, mix(coat, p.earth, 0.15))
    c.fill(smooth([at(0.3, -1.0), at(0.4, -1.03), at(0.54, -0.93), at(0.5, -0.89), at(0.34, -0.92)]), coat)
    for k in (0.33, 0.38):
        c.stroke([at(k, -1.0), at(k - 0.01, -1.07)], 0.014 * s, spot)
    for _ in range(20):
        t = rng.random()
        px, py = (
            (rng.uniform(-0.2, 0.2), rng.uniform(-0.55, -0.4))
            if t < 0.6
            else (0.16 + 0.19 * (t - 0.6) / 0.4, -0.58 - 0.34 * (t - 0.6) / 0.4)
        )
        c.fill(blob(rng, *at(px, py), 0.022 * s, 0.022 * s, 0.3, 6), spot)
    c.stroke([at(-0.23, -0.5), at(-0.28, -0.3)], 0.012 * s, spot)
    c.oval(*at(0.41, -0.98), 0.01 * s, 0.01 * s, p.dark)


def cactus_land(c: Canvas) -> None:
    p, rng = c.palette, c.rng
    line = rng.uniform(0.58, 0.68)
    sky(c, line, "day gold dusk")
    sun(c, rng.uniform(0.2, 0.8) * c.w, rng.uniform(0.16, 0.36), 0.075, mix(p.second, p.light, 0.2), p.second)
    for k in range(2):
        x, half, top = rng.uniform(0.1, 0.9) * c.w, rng.uniform(0.12, 0.25), line - rng.uniform(0.12, 0.24)
        mesa = [
            (x - half, line + 0.02),
            (x - half * 0.62, top + 0.04),
            (x - half * 0.55, top),
            (x + half * 0.55, top + 0.006),
            (x + half * 0.64, top + 0.05),
            (x + half * 1.1, line + 0.02),
        ]
        c.fill(mesa, mix(p.accent, p.glow, 0.5 - 0.2 * k), mix(p.earth, p.accent, 0.4), rough=0.005)
        for j in range(3):
            c.stroke(
                [(x - half * 0.7, top + 0.04 + 0.03 * j), (x + half * 0.7, top + 0.045 + 0.03 * j)],
                0.006,
                mix(p.accent, p.dark, 0.25),
            )
    for k in range(3):
        sand = mix(mix(p.earth, p.glow, 0.5 - 0.15 * k), p.accent, 0.12)
        hill(c, line + 0.1 * k, 0.03, mix(sand, p.light, 0.15), mix(sand, p.accent, 0.2), 3)
    for k in range(rng.randint(4, 7)):
        t = k / 6
        _cactus(c, rng.uniform(0.06, 0.94) * c.w, line + 0.06 + 0.3 * t, rng.uniform(0.14, 0.2) + 0.32 * t)
    for _ in range(rng.randint(3, 6)):
        x, y = rng.uniform(0.05, 0.95) * c.w, rng.uniform(line + 0.16, 0.97)
        for j in range(7):
            leaf(c, x, y, rng.uniform(0.06, 0.1), -math.pi * (0.1 + 0.8 * j / 6))
    birds(c, rng.randint(0, 4), 0.1, 0.3, p.dark)


def _cactus(c: Canvas, x: float, y: float, s: float) -> None:
    p, rng, d = c.palette, c.rng, c.sun
    green = vary(rng, mix(p.leaf, p.dark, 0.15), 0.03)
    c.glow(x - d * 0.2 * s, y, 0.35 * s, 0.05 * s, mix(p.dark, p.earth, 0.4), 0.8)
    limbs: list[tuple[Points, float]] = []
    for side in (-1, 1):
        if rng.random() < 0.85:
            start, reach, up = rng.uniform(0.35, 0.58), rng.uniform(0.2, 0.27), rng.uniform(0.18, 0.34)
            limbs.append(
                (
                    [
                        (x, y - start * s),
                        (x + side * reach * 0.8 * s, y - start * s),
                        (x + side * reach * s, y - (start + 0.06) * s),
                        (x + side * reach * s, y - (start + up) * s),
                    ],
                    0.1 * s,
                )
            )
    limbs.append(([(x, y), (x, y - 0.94 * s)], 0.17 * s))
    for path, width in limbs:
        c.stroke(path, width + 0.012, mix(green, p.dark, 0.5))
        c.stroke(path, width, green)
        c.stroke([(px + d * width * 0.22, py) for px, py in path], width * 0.3, mix(green, p.second, 0.3))
        c.stroke([(px - d * width * 0.15, py) for px, py in path], width * 0.08, mix(green, p.dark, 0.4))
        tip = path[-1]
        for k in range(rng.randint(1, 4)):
            c.oval(
                tip[0] + (k - 1) * width * 0.3,
                tip[1] - width * 0.5,
                width * 0.17,
                width * 0.17,
                rng.choice((p.accent, p.second, mix(p.accent, p.light, 0.4))),
            )


PLAINS = {
    "acacia plain": Motif(acacia_plain, "wide"),
    "cactus land": Motif(cactus_land, "wide"),
}
