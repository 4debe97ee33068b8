"""Portraits."""

from __future__ import annotations

import math

from gallery.datasets.painter.canvas import Canvas, arc, blob, smooth
from gallery.datasets.painter.colours import HAIRS, SKINS, mix, vary
from gallery.datasets.painter.motifs.faces import Face, bust, features, fringe, hair_behind, oval_face, wall
from gallery.datasets.painter.motifs.flowers import rose
from gallery.datasets.painter.motifs.motif import Motif


def lady_in_a_hat(c: Canvas) -> None:
    p, rng = c.palette, c.rng
    wall(
        c,
        rng.choice(
            (
                mix(p.leaf, p.light, 0.25),
                p.sky,
                mix(p.glow, p.earth, 0.3),
                mix(p.accent, p.glow, 0.5),
                p.water,
            )
        ),
    )
    f = Face(
        c.w * rng.uniform(0.46, 0.54),
        rng.uniform(0.42, 0.46),
        0.152 * rng.uniform(0.94, 1.06),
        rng.choice((-1, -0.5, 0, 0.5, 1)),
        vary(rng, rng.choice(SKINS), 0.02),
    )
    hair, hat = (
        vary(rng, rng.choice(HAIRS), 0.02),
        rng.choice((p.second, p.accent, p.light, p.dark, p.water, mix(p.earth, p.light, 0.4))),
    )
    x, y, r = f.x, f.y, f.r
    hair_behind(c, f, hair, rng.choice((0.7, 1.2, 1.9)))
    bust(c, f, rng.choice((p.accent, p.water, p.leaf, p.light, p.dark, p.second)), low=rng.random() < 0.6)
    features(c, f, mix(p.accent, (190, 60, 70), 0.5), hair)
    fringe(c, f, hair, rng.choice((-1, 0, 1)))
    tilt = rng.uniform(-0.16, 0.16)

    def at(px: float, py: float) -> tuple[float, float]:
        return (
            x + (px * math.cos(tilt) - py * math.sin(tilt)) * r,
            y + (-0.85 + px * math.sin(tilt) + py * math.cos(tilt)) * r,
        )

    wide = rng.uniform(1.9, 2.35)
    brim = [
        at(math.cos(a) * wide, math.sin(a) * 0.42 - 0.12 * math.cos(2 * a))
        for a in (k * 0.2244 for k in range(28))
    ]
    c.glow(x, y - 0.55 * r, 1.1 * r, 0.35 * r, mix(f.skin, p.dark, 0.6), 0.6)
    c.fill(brim, mix(hat, p.light, 0.1), mix(hat, p.dark, 0.4))
    crown = smooth(
        [
            at(-1.0, 0.02),
            at(-1.02, -0.6),
            at(-0.7, -1.05),
            at(0, -1.15),
            at(0.7, -1.05),
            at(1.02, -0.6),
            at(1.0, 0.02),
            at(0, 0.2),
        ]
    )
    c.form(crown, mix(hat, p.dark, 0.3), mix(hat, p.light, 0.35), 7, 0.35)
    ribbon = rng.choice([tone for tone in (p.dark, p.accent, p.light, p.leaf) if tone != hat])
    c.fill(
        [
            at(-1.02, -0.3),
            at(-0.5, -0.14),
            at(0, -0.1),
            at(0.5, -0.14),
            at(1.02, -0.3),
            at(1.0, 0.02),
            at(0.5, 0.17),
            at(0, 0.21),
            at(-0.5, 0.17),
            at(-1.0, 0.02),
        ],
        ribbon,
        mix(ribbon, p.dark, 0.3),
    )
    if rng.random() < 0.6:
        side = rng.choice((-1, 1))
        for k in range(3):
            fx, fy = at(side * (0.45 + 0.3 * k), -0.12 - 0.06 * k)
            rose(
                c,
                fx,
                fy,
                r * rng.uniform(0.2, 0.27),
                vary(rng, rng.choice((p.accent, p.light, p.second)), 0.03),
            )
    if rng.random() < 0.5:
        for k in range(11):
            a = math.pi * (0.12 + 0.76 * k / 10)
            c.oval(
                x + math.cos(a) * 0.62 * r,
                y + 1.55 * r + math.sin(a) * 0.55 * r,
                0.06 * r,
                0.06 * r,
                mix(p.light, p.glow, 0.3),
            )
    for side in (-1, 1):
        c.oval(x + side * 1.0 * r, y + 0.5 * r, 0.06 * r, 0.09 * r, p.second)


def bold_head(c: Canvas) -> None:
    """A head in unmixed colours, filling the picture, its planes set side by side."""
    p, rng, d = c.palette, c.rng, c.sun
    wall(c, rng.choice((p.second, p.water, p.leaf, p.sky, p.accent)))
    for _ in range(rng.randint(3, 7)):
        c.fill(
            blob(
                rng,
                rng.uniform(0, c.w),
                rng.uniform(0, 0.8),
                rng.uniform(0.05, 0.14),
                rng.uniform(0.05, 0.14),
                0.2,
            ),
            rng.choice((p.second, p.accent, p.water, p.leaf, p.light)),
            rough=0.004,
        )
    warm = vary(rng, mix(rng.choice(SKINS), p.accent, 0.1), 0.02)
    hair = vary(rng, rng.choice(HAIRS), 0.02)
    f = Face(
        c.w * rng.uniform(0.47, 0.53),
        rng.uniform(0.44, 0.48),
        0.2 * rng.uniform(0.95, 1.05),
        rng.choice((-1, 0, 1)),
        warm,
    )
    x, y, r = f.x, f.y, f.r
    style = rng.choice(("scarf", "crop", "braids", "crop"))
    if style == "braids":
        hair_behind(c, f, hair, 1.6)
    elif style == "crop":
        c.form(
            blob(rng, x, y - 0.5 * r, 1.2 * r, 1.08 * r, 0.05, 14),
            mix(hair, p.dark, 0.3),
            mix(hair, p.water, 0.3),
            5,
        )
    cloth = rng.choice((p.accent, p.second, p.water, p.leaf))
    bust(c, f, cloth)
    for k in range(5):  # woven bands round the neck
        tone = (p.second, p.accent, p.light, p.leaf, p.water)[k]
        c.stroke(
            arc(x, y + 1.62 * r, (0.6 + 0.16 * k) * r, (0.3 + 0.15 * k) * r, 0.15, math.pi - 0.15, 16),
            0.075 * r,
            tone,
        )
    features(c, f, mix(p.accent, warm, 0.3), hair)
    face = oval_face(f)
    lit = [pt if (pt[0] - x) * d > 0 else (x + d * 0.02 * r, pt[1]) for pt in face]
    c.draw.line(c.pixels([*face, face[0]]), fill=p.dark, width=max(2, round(0.035 * r * c.unit)))
    c.stroke([pt for pt in lit if (pt[0] - x) * d > 0.9 * r], 0.06 * r, mix(p.second, warm, 0.25))
    if style == "scarf":
        scarf = rng.choice([tone for tone in (p.accent, p.second, p.leaf, p.water) if tone != cloth])
        wrap = smooth(
            [
                (x - 1.1 * r, y - 0.45 * r),
                (x - 1.35 * r, y - 1.2 * r),
                (x - 0.6 * r, y - 2.0 * r),
                (x + 0.6 * r, y - 2.05 * r),
                (x + 1.35 * r, y - 1.25 * r),
                (x + 1.1 * r, y - 0.45 * r),
                (x, y - 0.85 * r),
            ]
        )
        c.fill(wrap, mix(scarf, p.light, 0.1), mix(scarf, p.dark, 0.25))
        for k in range(4):
            c.stroke(
                [
                    (x - 1.1 * r, y - (0.6 + 0.22 * k) * r),
                    (x, y - (1.0 + 0.26 * k) * r),
                    (x + 1.1 * r, y - (0.65 + 0.24 * k) * r),
                ],
                0.06 * r,
                rng.choice((p.light, p.second, p.dark, p.accent)),
            )
    elif style == "braids":
        fringe(c, f, hair, 0)
    else:
        hairline = [(1.02, -0.5), (0.8, -1.3), (-0.8, -1.3), (-1.02, -0.5), (-0.6, -0.82), (0.6, -0.82)]
        c.fill(smooth([(x + px * r, y + py * r) for px, py in hairline]), hair)
    for side in (-1, 1):
        c.oval(x + side * 1.06 * r, y + 0.62 * r, 0.13 * r, 0.13 * r, p.second)
        c.oval(x + side * 1.06 * r, y + 0.62 * r, 0.07 * r, 0.07 * r, cloth)


HEADS = {
    "lady in a hat": Motif(lady_in_a_hat, "tall"),
    "bold head": Motif(bold_head, "tall"),
}
