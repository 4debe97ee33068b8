"""Birds, and the plains and deserts of far countries."""

from __future__ import annotations

import math
from itertools import pairwise

from gallery.datasets.painter.canvas import Canvas, Points, blob, smooth
from gallery.datasets.painter.colours import mix
from gallery.datasets.painter.motifs.flowers import leaf, poppy
from gallery.datasets.painter.motifs.motif import Motif
from gallery.datasets.painter.motifs.outdoors import sun


def birds_in_a_tree(c: Canvas) -> None:
    p, rng = c.palette, c.rng
    ground = rng.choice(
        (
            mix(p.sky, p.light, 0.35),
            p.glow,
            mix(p.second, p.light, 0.35),
            mix(p.water, p.dark, 0.2),
            mix(p.leaf, p.light, 0.45),
        )
    )
    c.backdrop((0, ground), (1, mix(ground, p.light, 0.4)))
    if rng.random() < 0.5:
        sun(c, rng.uniform(0.2, 0.8) * c.w, 0.2, 0.09, p.second, mix(p.second, p.light, 0.3))
    bark = mix(p.earth, p.dark, 0.5)
    perches: list[tuple[float, float]] = []
    for k in range(rng.choice((2, 3, 3))):
        d = -1 if k % 2 else 1
        y = 0.34 + 0.27 * k + rng.uniform(-0.03, 0.03)
        edge = c.w / 2 - d * c.w * 0.54
        path: Points = [
            (edge + d * t * 1.0 * c.w, y - 0.09 * math.sin(t * 2.4 + k) - 0.04 * t)
            for t in (j / 10 for j in range(11))
        ]
        for j, (a, b) in enumerate(pairwise(path)):
            c.stroke([a, b], 0.03 * (1 - 0.075 * j), bark)
        for j, (x, yy) in enumerate(path):
            for _ in range(4):
                leaf(
                    c,
                    x + rng.gauss(0, 0.02),
                    yy,
                    rng.uniform(0.06, 0.11),
                    rng.choice((-1, 1)) * rng.uniform(0.5, 2.2),
                )
            if j in (3, 7):
                perches.append((x, yy))
            elif rng.random() < 0.45:
                poppy(
                    c,
                    x + rng.uniform(-0.03, 0.03),
                    yy + rng.uniform(-0.06, 0.05),
                    rng.uniform(0.03, 0.05),
                    rng.choice((p.accent, p.light, mix(p.accent, p.light, 0.5))),
                )
            elif rng.random() < 0.5:
                c.form(
                    blob(rng, x, yy + 0.05, 0.022, 0.024, 0.05),
                    mix(p.accent, p.dark, 0.3),
                    mix(p.second, p.light, 0.2),
                    4,
                )
    rng.shuffle(perches)
    for x, y in perches[: rng.randint(2, min(5, len(perches)))]:
        bird(c, x, y, rng.uniform(0.2, 0.27), rng.choice((-1, 1)))


def bird(c: Canvas, x: float, y: float, s: float, d: int) -> None:
    """A songbird of length `s` perched at (x, y), looking to the side `d`."""
    p, rng = c.palette, c.rng
    back, breast, cap = rng.sample(
        (p.accent, p.second, p.water, p.leaf, p.sky, mix(p.accent, p.second, 0.5), p.dark), 3
    )

    def at(px: float, py: float) -> tuple[float, float]:
        return (x + d * px * s, y + (py - 0.3) * s)

    c.fill(
        smooth(
            [
                at(-0.3, 0.02),
                at(-0.38, 0.08),
                at(-0.85, 0.42),
                at(-0.72, 0.46),
                at(-0.6, 0.44),
                at(-0.24, 0.2),
            ],
            1,
        ),
        mix(back, p.dark, 0.4),
        mix(cap, p.dark, 0.3),
    )
    for k in (-0.02, 0.08):
        c.stroke([at(k, 0.24), at(k + 0.02, 0.36)], 0.022 * s, mix(p.second, p.dark, 0.4))
    body = smooth(
        [
            at(0.1, -0.38),
            at(0.32, -0.36),
            at(0.38, -0.18),
            at(0.32, 0.08),
            at(0.14, 0.28),
            at(-0.1, 0.28),
            at(-0.36, 0.12),
            at(-0.32, -0.04),
            at(-0.06, -0.2),
        ]
    )
    c.fill(body, mix(back, p.light, 0.1), mix(back, p.dark, 0.12))
    c.form(
        smooth(
            [at(0.3, -0.2), at(0.36, -0.08), at(0.3, 0.1), at(0.12, 0.26), at(-0.06, 0.25), at(0.04, 0.0)]
        ),
        breast,
        mix(breast, p.light, 0.5),
        5,
    )
    c.fill(
        smooth([at(0.06, -0.3), at(0.12, -0.44), at(0.28, -0.44), at(0.38, -0.3), at(0.24, -0.28)]),
        cap,
        mix(cap, p.dark, 0.2),
    )
    wing = [at(0.1, -0.14), at(0.14, 0.04), at(-0.12, 0.2), at(-0.56, 0.28), at(-0.3, 0.04), at(-0.1, -0.14)]
    c.fill(smooth(wing), mix(cap, p.dark, 0.12), mix(cap, p.dark, 0.4))
    for k in range(4):
        c.stroke(
            [at(0.06 - 0.06 * k, -0.04 + 0.035 * k), at(-0.18 - 0.08 * k, 0.1 + 0.045 * k)],
            0.02 * s,
            mix(cap, p.light, 0.55),
        )
    c.fill(
        [at(0.36, -0.3), at(0.53, -0.24), at(0.36, -0.2)],
        mix(p.second, p.accent, 0.3),
        mix(p.second, p.dark, 0.5),
    )
    eye = at(0.27, -0.27)
    c.oval(*eye, 0.045 * s, 0.045 * s, p.light)
    c.oval(*eye, 0.032 * s, 0.032 * s, p.dark)
    c.oval(eye[0] + 0.01 * s, eye[1] - 0.012 * s, 0.01 * s, 0.01 * s, p.light)


CREATURES = {
    "birds in a tree": Motif(birds_in_a_tree, "even"),
}
