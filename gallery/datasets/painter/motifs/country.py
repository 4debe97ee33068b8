"""Motifs of inhabited country: windmills, roads over hills, villages."""

from __future__ import annotations

import math

from gallery.datasets.painter.canvas import Canvas, Points, smooth
from gallery.datasets.painter.colours import mix
from gallery.datasets.painter.motifs.buildings import church, house
from gallery.datasets.painter.motifs.landmarks import windmill_at
from gallery.datasets.painter.motifs.motif import Motif
from gallery.datasets.painter.motifs.outdoors import DAY, birds, height_at, hill, sky, sun, water
from gallery.datasets.painter.motifs.trees import crown, grass, poplar, round_tree


def hamlet(c: Canvas, line: Points, x: float, size: float) -> None:
    """A few houses with their trees on a skyline."""
    p, rng = c.palette, c.rng
    for k in range(rng.randint(2, 4)):
        px = x + (k - 1.5) * size * 1.3
        if rng.random() < 0.6:
            round_tree(c, px - size * 0.7, height_at(line, px) + 0.02, size * 1.3)
        house(
            c,
            px,
            height_at(line, px) + 0.02,
            size,
            size * 0.42,
            mix(p.light, p.glow, rng.random()),
            rng.choice((p.accent, p.earth)),
        )


def windmill(c: Canvas) -> None:
    p, rng = c.palette, c.rng
    line = rng.uniform(0.66, 0.74)
    mood = sky(c, line)
    if mood != DAY:
        sun(c, rng.uniform(0.1, 0.9) * c.w, line - 0.1, 0.045, mix(p.second, p.light, 0.5), p.second)
    far = hill(c, line, 0.012, mix(p.leaf, p.sky, 0.5), p.leaf)
    for _ in range(10):
        x = rng.uniform(0, c.w)
        crown(c, x, height_at(far, x), 0.04, 0.025, mix(p.leaf, p.sky, 0.35), mix(p.leaf, p.glow, 0.4))
    x = c.w * rng.choice((rng.uniform(0.28, 0.4), rng.uniform(0.6, 0.72)))
    canal = rng.random() < 0.6
    bank = hill(c, line + 0.05, 0.012, mix(p.leaf, p.glow, 0.25), mix(p.leaf, p.dark, 0.25))
    house(c, x + 0.28, line + 0.085, 0.16, 0.06, mix(p.accent, p.light, 0.2), mix(p.earth, p.dark, 0.4))
    windmill_at(
        c,
        x,
        height_at(bank, x) + 0.03,
        rng.uniform(0.46, 0.56),
        rng.choice((p.light, p.earth, mix(p.accent, p.earth, 0.4))),
        mix(p.earth, p.dark, 0.5),
    )
    if canal:
        water(c, line + 0.12, mix(p.water, p.sky, 0.5), mix(p.water, p.dark, 0.2), p.light, calm=True)
        c.mirror(line + 0.12, 0.5, p.water)
        for _ in range(40):
            px = rng.uniform(0, c.w)
            c.stroke(
                [(px, line + 0.135), (px + 0.01 * rng.gauss(0, 1), line + 0.09)],
                0.005,
                mix(p.leaf, p.dark, rng.random() * 0.5),
            )
    else:
        for k in range(6):
            y = line + 0.1 + 0.045 * k
            c.dabs(
                60,
                (0, y, c.w, y + 0.03),
                0.03,
                0.016,
                ((p.accent, p.second, mix(p.accent, p.light, 0.5))[k % 3],),
                angle=-1.57,
                spread=0.4,
            )
    birds(c, rng.randint(3, 6), 0.08, 0.3, p.dark)


def hill_road(c: Canvas) -> None:
    p, rng = c.palette, c.rng
    line = rng.uniform(0.36, 0.46)
    mood = sky(c, line)
    if mood != DAY:
        sun(c, rng.uniform(0.2, 0.8) * c.w, line - 0.12, 0.05, mix(p.second, p.light, 0.5), p.second)
    tones = (p.leaf, p.second, mix(p.leaf, p.second, 0.5), p.earth, mix(p.leaf, p.water, 0.4))
    lines = []
    for k in range(5):
        t = k / 4
        tone = mix(rng.choice(tones), p.sky, 0.5 * (1 - t))
        lines.append(
            hill(c, line + 0.13 * k, 0.045 + 0.015 * t, mix(tone, p.glow, 0.25), mix(tone, p.dark, 0.25), 3)
        )
        if k in (1, 2, 3):
            for j in range(14):  # furrows or rows of vines down the slope
                x = (j / 13) * c.w
                y = height_at(lines[-1], x)
                c.stroke(
                    [(x, y + 0.01), (x + (x - c.w / 2) * 0.22, y + 0.1)],
                    0.004 + 0.004 * t,
                    mix(tone, p.dark, 0.22),
                )
            for _ in range(rng.randint(2, 5)):
                x = rng.uniform(0, c.w)
                plant = rng.choice((round_tree, poplar, round_tree))
                plant(c, x, height_at(lines[-1], x) + 0.02, rng.uniform(0.09, 0.15) * (1 + t))
    hamlet(c, lines[1], rng.uniform(0.25, 0.75) * c.w, 0.075)
    x, sway = c.w * rng.uniform(0.35, 0.65), rng.choice((-1, 1)) * rng.uniform(0.12, 0.2)
    left: Points = []
    right: Points = []
    for k in range(16):
        t = k / 15
        px = x + sway * math.sin(t * 5.2) * (0.35 + t)
        half = 0.008 + 0.13 * t**2
        left.append((px - half, line + 0.16 + 0.88 * t * (1 - line)))
        right.append((px + half, line + 0.16 + 0.88 * t * (1 - line)))
    road = mix(p.glow, p.earth, 0.3)
    c.fill([*left, *reversed(right)], mix(road, p.light, 0.3), mix(road, p.earth, 0.35))
    for k in range(rng.randint(1, 3)):
        round_tree(c, c.w * rng.choice((0.1, 0.9, 0.85, 0.15)), 0.84 + 0.07 * k, rng.uniform(0.34, 0.5))
    grass(c, 0.9, (p.leaf, mix(p.leaf, p.second, 0.5), mix(p.leaf, p.dark, 0.3)), 70)


def village_church(c: Canvas) -> None:
    p, rng = c.palette, c.rng
    line = rng.uniform(0.55, 0.64)
    sky(c, line)
    hill(c, line - 0.14, 0.05, mix(p.leaf, p.sky, 0.6), mix(p.leaf, p.sky, 0.35))
    ground = hill(c, line, 0.02, mix(p.leaf, p.glow, 0.3), p.leaf)
    x = c.w * rng.uniform(0.38, 0.62)
    for _ in range(9):
        px = rng.uniform(0, c.w)
        round_tree(c, px, height_at(ground, px) + 0.03, rng.uniform(0.14, 0.22))
    walls = (p.light, mix(p.light, p.glow, 0.7), mix(p.earth, p.light, 0.5), mix(p.accent, p.light, 0.55))
    for k in range(7):
        px = (k + 0.5) / 7 * c.w + rng.uniform(-0.03, 0.03)
        house(
            c,
            px,
            line + 0.06 + rng.uniform(-0.02, 0.03),
            rng.uniform(0.15, 0.2),
            rng.uniform(0.06, 0.08),
            rng.choice(walls),
            rng.choice((p.accent, mix(p.accent, p.earth, 0.5), mix(p.earth, p.dark, 0.4))),
        )
    church(
        c,
        x,
        line + 0.1,
        rng.uniform(0.48, 0.58),
        mix(p.light, p.glow, 0.3),
        rng.choice((p.accent, mix(p.water, p.dark, 0.4))),
    )
    near = hill(c, line + 0.13, 0.02, mix(p.leaf, p.second, 0.2), mix(p.leaf, p.dark, 0.3))
    path = mix(p.glow, p.earth, 0.35)
    c.fill(
        smooth(
            [
                (x, line + 0.1),
                (x + 0.03, line + 0.1),
                (x + 0.1, 0.84),
                (x + 0.25, 1.04),
                (x - 0.1, 1.04),
                (x, 0.86),
            ],
            2,
        ),
        path,
        mix(path, p.earth, 0.3),
    )
    for _ in range(rng.randint(3, 6)):
        px = rng.uniform(0.02, 0.98) * c.w
        if abs(px - x) > 0.2:
            round_tree(
                c,
                px,
                height_at(near, px) + rng.uniform(0.06, 0.2),
                rng.uniform(0.18, 0.3),
                rng.choice((p.leaf, mix(p.leaf, p.second, 0.4))),
            )
    c.dabs(60, (0, line + 0.2, c.w, 1), 0.012, 0.012, (p.accent, p.second, p.light), spread=3)
    birds(c, rng.randint(3, 6), 0.08, 0.28, p.dark)


COUNTRY = {
    "windmill": Motif(windmill, "wide"),
    "hill road": Motif(hill_road, "even"),
    "village church": Motif(village_church, "wide"),
}
