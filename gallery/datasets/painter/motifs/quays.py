"""Motifs of towns on rivers and canals."""

from __future__ import annotations

from gallery.datasets.painter.canvas import Canvas, smooth
from gallery.datasets.painter.colours import mix, vary
from gallery.datasets.painter.motifs.buildings import church, town_house
from gallery.datasets.painter.motifs.landmarks import arches
from gallery.datasets.painter.motifs.motif import Motif
from gallery.datasets.painter.motifs.outdoors import birds, height_at, hill, sky, water
from gallery.datasets.painter.motifs.sea import sailing_boat
from gallery.datasets.painter.motifs.trees import round_tree


def bridge(c: Canvas) -> None:
    p, rng = c.palette, c.rng
    line = rng.uniform(0.6, 0.68)
    sky(c, line)
    far = hill(c, line - 0.18, 0.04, mix(p.leaf, p.sky, 0.55), mix(p.leaf, p.sky, 0.3))
    church(
        c,
        rng.uniform(0.15, 0.85) * c.w,
        line - 0.08,
        rng.uniform(0.34, 0.42),
        mix(p.light, p.glow, 0.5),
        mix(p.accent, p.sky, 0.2),
    )
    x = -0.03
    while x < c.w:
        w = rng.uniform(0.09, 0.14)
        if rng.random() < 0.65:
            town_house(
                c,
                x,
                line,
                w,
                rng.uniform(0.14, 0.22),
                mix(rng.choice((p.light, p.glow, p.earth, mix(p.accent, p.light, 0.5))), p.sky, 0.15),
                rng.choice(("point", "flat", "point")),
            )
        else:
            round_tree(c, x + w / 2, height_at(far, x) + 0.18, 0.26)
        x += w
    water(c, line, mix(p.water, p.sky, 0.4), mix(p.water, p.dark, 0.25), p.light, calm=True)
    arches(
        c,
        line + 0.08,
        line - rng.uniform(0.08, 0.11),
        rng.choice((3, 3, 4, 5)),
        mix(p.earth, p.light, 0.3),
        rng.choice((0.02, 0.06)),
    )
    c.mirror(line + 0.08, 0.5, p.water)
    c.dabs(50, (0, line + 0.1, c.w, 1), 0.1, 0.006, (mix(p.water, p.light, 0.5), p.sky), spread=0.04)
    if rng.random() < 0.6:
        sailing_boat(c, rng.uniform(0.2, 0.8) * c.w, 0.9, rng.uniform(0.22, 0.3), p.light, p.second, p.accent)
    birds(c, rng.randint(2, 6), 0.08, 0.26, p.dark)


def canal(c: Canvas) -> None:
    p, rng = c.palette, c.rng
    line = rng.uniform(0.6, 0.7)
    sky(c, line)
    walls = (
        mix(p.accent, p.earth, 0.4),
        p.earth,
        mix(p.earth, p.dark, 0.3),
        mix(p.glow, p.earth, 0.3),
        mix(p.second, p.earth, 0.4),
        p.light,
        mix(p.water, p.light, 0.35),
    )
    x = -0.05
    while x < c.w:
        w = rng.uniform(0.13, 0.19)
        town_house(
            c,
            x,
            line,
            w,
            rng.uniform(0.28, 0.4),
            vary(rng, rng.choice(walls), 0.03),
            rng.choice(("step", "bell", "point", "step")),
        )
        x += w + 0.003
    c.band(line - 0.004, line + 0.04, mix(p.earth, p.dark, 0.3), mix(p.earth, p.dark, 0.55))
    for k in range(rng.randint(2, 4)):
        round_tree(
            c,
            (k + rng.random()) / 4 * c.w,
            line + 0.015,
            rng.uniform(0.24, 0.34),
            rng.choice((p.leaf, mix(p.leaf, p.second, 0.5))),
        )
    water(
        c,
        line + 0.04,
        mix(p.water, p.dark, 0.15),
        mix(p.water, p.dark, 0.4),
        mix(p.water, p.light, 0.5),
        calm=True,
    )
    c.mirror(line + 0.04, 0.55, p.water)
    for k in range(rng.randint(1, 3)):
        x, y, s = rng.uniform(0.15, 0.85) * c.w, line + 0.12 + 0.06 * k, 0.26 + 0.05 * k
        hull = rng.choice((p.dark, p.accent, p.leaf))
        c.fill(
            smooth(
                [
                    (x - s / 2, y - 0.07 * s),
                    (x + s / 2, y - 0.07 * s),
                    (x + 0.42 * s, y + 0.06 * s),
                    (x - 0.42 * s, y + 0.06 * s),
                ],
                1,
            ),
            hull,
            mix(hull, p.dark, 0.5),
        )
        c.stroke(
            [(x - s * 0.44, y - 0.06 * s), (x + s * 0.44, y - 0.06 * s)], 0.03 * s, mix(hull, p.light, 0.6)
        )
        c.fill(
            [
                (x - 0.2 * s, y - 0.2 * s),
                (x + 0.15 * s, y - 0.2 * s),
                (x + 0.18 * s, y - 0.06 * s),
                (x - 0.23 * s, y - 0.06 * s),
            ],
            mix(p.light, p.glow, 0.5),
            mix(p.earth, p.light, 0.3),
        )


QUAYS = {
    "bridge": Motif(bridge, "wide"),
    "canal": Motif(canal, "even"),
}
