"""Heads and shoulders. A face is drawn in units of half its width, its middle at 0,0."""

from __future__ import annotations

import math

from sample_art.canvas import Canvas
from sample_art.palettes import HAIRS, SKINS, Color, Ink
from sample_art.plants import rose
from sample_art.shapes import Pose, arc, blob, smooth

_FACE = "0,-1.22 .55,-1.14 .95,-.65 1,0 .88,.62 .5,1.16 .18,1.36 -.18,1.36 -.5,1.16 -.88,.62 -1,0 -.95,-.65 -.55,-1.14"


class Sitter:
    """A head: where it is, how it is turned (-1 left to 1 right), and its colors. `pose` is mirrored by nothing."""

    def __init__(self, c: Canvas, y: tuple[float, float], r: float, skins: tuple[Color, ...] = SKINS) -> None:
        rng = c.rng
        self.c = c
        self.r = r * rng.uniform(0.94, 1.06)
        self.pose = Pose(c.w * rng.uniform(0.46, 0.54), rng.uniform(*y), self.r)
        self.turn = rng.choice((-1, -0.5, 0, 0.5, 1))
        c.colors |= {"flesh": c.vary(rng.choice(skins), 0.02), "hair": c.vary(rng.choice(HAIRS), 0.02)}

    def curve(self, shape: str | list[tuple[float, float]], top: Ink, foot: Ink | None = None) -> None:
        self.c.fill(smooth(self.pose.of(shape)), top, foot)

    def line(self, shape: str | list[tuple[float, float]], width: float, ink: Ink) -> None:
        self.c.stroke(self.pose.of(shape), width * self.r, ink)

    def bust(self, cloth: Ink, low: bool = False) -> None:
        """Neck and shoulders, clothed; `low` leaves the neckline bare."""
        c, d, tone = self.c, self.c.sun, self.c.color(cloth)
        self.curve("-.42,.7 .42,.7 .5,2 .9,2.6 -.9,2.6 -.5,2", "flesh+dark.3", "flesh")
        self.curve([(-0.45, 0.9), (0.45, 0.9), (-0.1 * d, 1.85)], "flesh+dark.4")
        neck = 2.15 if low else 1.8
        left = [(-0.5, neck), (-1.3, 2.1), (-2.1, 2.6), (-2.6, 4.5)]
        right = [(-x, y) for x, y in reversed(left)]
        self.curve(
            [*left, *right, (0, neck + (0.75 if low else 0.2))],
            c.mix(tone, "light", 0.08),
            c.mix(tone, "dark", 0.4),
        )
        for u in (-1, -0.67, -0.33, 0, 0.33, 0.67, 1):
            shade = c.mix(tone, "dark" if u * d < 0 else "light", 0.2)
            self.line([(1.2 * u, 2.5 + 0.25 * abs(u)), (1.7 * u, 4.4)], 0.05, shade)

    def features(self, lips: Ink) -> None:
        """The face itself: light and shade, eyes, nose and mouth."""
        c, rng, d, r = self.c, self.c.rng, self.c.sun, self.r
        base, turn = self.pose, self.turn
        outline = smooth(base._replace(x=base.x + turn * 0.06 * r).of(_FACE))
        c.form(outline, "flesh+dark.26", "flesh+sunlit.2", 9, 0.22)
        self.pose = base._replace(x=base.x + turn * 0.2 * r)
        at, lip = self.pose.at, c.color(lips)
        for side in (-1, 1):
            c.glow(*at(side * 0.55, 0.45), 0.34 * r, 0.3 * r, "flesh+accent.45", 0.5)
        iris = rng.choice((c.color("water+light.15"), (92, 64, 40), (70, 100, 70)))
        for side in (-1, 1):
            ex, w = side * 0.4, 0.22 * (1 - 0.12 * side * turn)
            self.curve([(ex - w, -0.08), (ex, -0.25), (ex + w, -0.08), (ex, 0.01)], "light+flesh.12")
            look = ex + turn * 0.05
            c.oval(*at(look, -0.115), 0.1 * r, 0.105 * r, iris)
            c.oval(*at(look, -0.115), 0.052 * r, 0.058 * r, "dark")
            c.oval(*at(look + d * 0.035, -0.155), 0.024 * r, 0.024 * r, "light")
            self.line(
                [(ex - w, -0.09), (ex - w / 2, -0.21), (ex + w / 2, -0.21), (ex + w, -0.09)],
                0.035,
                "dark+hair.25",
            )
            brow = [(ex - side * 0.9 * w, -0.4), (ex + side * 0.2 * w, -0.47), (ex + side * 1.15 * w, -0.37)]
            self.line(brow, 0.055, "hair+dark.3")
        nose = 0.06 * turn
        self.line(
            [(nose - d * 0.06, -0.2), (nose - d * 0.11, 0.28), (-d * 0.1, 0.38), (d * 0.1, 0.4)],
            0.035,
            "flesh+dark.3",
        )
        c.glow(*at(d * 0.04, 0.25), 0.13 * r, 0.22 * r, "flesh+light.6", 0.6)
        corner = 0.75 - rng.uniform(-0.02, 0.06)
        self.curve(
            [(-0.3, corner), (-0.1, 0.66), (0, 0.7), (0.1, 0.66), (0.3, corner), (0, 0.78)],
            c.mix(lip, "dark", 0.2),
        )
        self.curve(
            [(-0.28, corner), (0, 0.77), (0.28, corner), (0.1, 0.9), (-0.1, 0.9)], c.mix(lip, "flesh", 0.2)
        )
        self.line([(-0.31, corner), (0, 0.77), (0.31, corner)], 0.022, c.mix(lip, "dark", 0.6))
        c.glow(*at(0, 1.01), 0.2 * r, 0.07 * r, "flesh+dark.3", 0.5)
        self.pose = base

    def hair_behind(self, length: float) -> None:
        half = [(0.9, -1.25), (1.28, -0.2), (1.2, length), (0.5, length + 0.25)]
        self.curve([(0, -1.5), *half, *((-x, y) for x, y in reversed(half))], "hair", "hair+dark.4")
        for k in range(12):
            u = (-1, 1)[k % 2] * self.c.rng.uniform(0.95, 1.2)
            self.line(
                [(0.85 * u, -0.9), (u, 0), (0.95 * u, 0.9 * length)],
                0.035,
                "hair+dark.25 hair+glow.25 hair+light.25",
            )

    def fringe(self, parting: float) -> None:
        shift = self.turn * 0.06
        part = shift + parting * 0.4
        for side in (-1, 1):
            outer = [
                (side * x + shift, y) for x, y in ((0.8, -1.25), (1.12, -0.3), (1.0, 0.1), (0.86, -0.45))
            ]
            self.curve([(part, -1.42), *outer, (part + side * 0.2, -0.95)], "hair+light.08", "hair+dark.2")
            for t in (k / 5 for k in range(5)):
                lock = [
                    (part + side * 0.1, 0.3 * t - 1.35),
                    (side * (0.5 + 0.2 * t), 0.35 * t - 1.2),
                    (side, 0.4 * t - 0.6),
                ]
                self.line(lock, 0.03, "hair+glow.25" if side == self.c.sun else "hair+dark.25")

    def beard(self, lips: Ink) -> None:
        rng, chin, mouth = self.c.rng, self.c.rng.uniform(1.6, 2.0), 0.2 * self.turn
        upper = [
            (-0.98, 0.1),
            (-0.7, 0.62),
            (-0.35, 0.56),
            (mouth, 0.58),
            (0.4, 0.56),
            (0.75, 0.62),
            (1.0, 0.1),
        ]
        self.curve([*upper, (0.85, 1.1), (0.15, chin), (-0.7, 1.15)], "hair+light.06", "hair+dark.3")
        self.line(
            [(mouth - 0.24, 0.78), (mouth, 0.82), (mouth + 0.24, 0.78)], 0.1, self.c.mix(lips, "dark", 0.25)
        )
        for _ in range(26):
            u, t = rng.uniform(-0.7, 0.8), rng.uniform(0.75, 1.35)
            self.line([(u, t), (u * 0.85, t + 0.22)], 0.025, "hair+dark.3 hair+glow.3 hair+light.3")


def _wall(c: Canvas, ink: Ink) -> None:
    wall = c.color(ink)
    c.backdrop(
        (0, c.mix(wall, "dark", 0.18)), (0.5, c.mix(wall, "light", 0.12)), (1, c.mix(wall, "dark", 0.28))
    )
    for tone in ("light", "dark", "glow") * 3:
        c.glows(1, (0, 1), (0, 1), (0.15, 0.4), (0.15, 0.4), c.mix(wall, tone, 0.22), 0.7)


def lady_in_a_hat(c: Canvas) -> None:
    rng = c.rng
    _wall(c, "leaf+light.25 sky glow+earth.3 accent+glow.5 water")
    head = Sitter(c, (0.42, 0.46), 0.152)
    r = head.r
    hat_name = rng.choice(("second", "accent", "light", "dark", "water", "earth+light.4"))
    hat = c.color(hat_name)
    head.hair_behind(rng.choice((0.7, 1.2, 1.9)))
    head.bust("accent water leaf light dark second", low=rng.random() < 0.6)
    head.features("accent+lips.5")
    head.fringe(rng.choice((-1, 0, 1)))
    crown = Pose(head.pose.x, head.pose.y - 0.85 * r, r, turn=rng.uniform(-0.16, 0.16))
    wide = rng.uniform(1.9, 2.35)
    c.glow(head.pose.x, head.pose.y - 0.55 * r, 1.1 * r, 0.35 * r, "flesh+dark.6", 0.6)
    brim = [
        (math.cos(a) * wide, math.sin(a) * 0.42 - 0.12 * math.cos(2 * a))
        for a in (k * math.tau / 28 for k in range(28))
    ]
    c.fill(crown.of(brim), c.mix(hat, "light", 0.1), c.mix(hat, "dark", 0.4))
    top = smooth(crown.of("-1,.02 -1.02,-.6 -.7,-1.05 0,-1.15 .7,-1.05 1.02,-.6 1,.02 0,.2"))
    c.form(top, c.mix(hat, "dark", 0.3), c.mix(hat, "light", 0.35), 7, 0.35)
    ribbon = c.color(rng.choice([name for name in ("dark", "accent", "light", "leaf") if name != hat_name]))
    band = "-1.02,-.3 -.5,-.14 0,-.1 .5,-.14 1.02,-.3 1,.02 .5,.17 0,.21 -.5,.17 -1,.02"
    c.fill(crown.of(band), ribbon, c.mix(ribbon, "dark", 0.3))
    if rng.random() < 0.6:
        side = c.side()
        for k in range(3):
            flower = crown.at(side * (0.45 + 0.3 * k), -0.12 - 0.06 * k)
            rose(c, *flower, r * rng.uniform(0.2, 0.27), c.vary("accent light second"))
    if rng.random() < 0.5:
        for x, y in head.pose.of(arc(0, 1.55, 0.62, 0.55, 0.38, 2.76, 10)):
            c.oval(x, y, 0.06 * r, 0.06 * r, "light+glow.3")
    for side in (-1, 1):
        c.oval(*head.pose.at(side, 0.5), 0.06 * r, 0.09 * r, "second")


def bold_head(c: Canvas) -> None:
    """A head in unmixed colors that fills the image."""
    rng = c.rng
    _wall(c, "second water leaf sky accent")
    for _ in range(rng.randint(3, 7)):
        patch = blob(
            rng,
            rng.uniform(0, c.w),
            rng.uniform(0, 0.8),
            rng.uniform(0.05, 0.14),
            rng.uniform(0.05, 0.14),
            0.2,
        )
        c.fill(patch, "second accent water leaf light", rough=0.004)
    head = Sitter(c, (0.44, 0.48), 0.2)
    style, cloth = rng.choice(("scarf", "crop", "braids", "crop")), c.color("accent second water leaf")
    if style == "braids":
        head.hair_behind(1.6)
    elif style == "crop":
        curls = blob(rng, *head.pose.at(0, -0.5), 1.2 * head.r, 1.08 * head.r, 0.05, 14)
        c.form(curls, "hair+dark.3", "hair+water.3", 5)
    head.bust(cloth)
    for k, tone in enumerate(("second", "accent", "light", "leaf", "water")):  # woven bands round the neck
        head.line(arc(0, 1.62, 0.6 + 0.16 * k, 0.3 + 0.15 * k, 0.15, math.pi - 0.15, 16), 0.075, tone)
    head.features("accent+flesh.3")
    if style == "scarf":
        scarf = c.color("accent second water leaf")
        head.curve(
            "-1.1,-.45 -1.35,-1.25 -.6,-2.05 .6,-2.05 1.35,-1.25 1.1,-.45 0,-.85",
            c.mix(scarf, "light", 0.1),
            c.mix(scarf, "dark", 0.25),
        )
        for k in range(4):
            fold = [(-1.1, -0.6 - 0.22 * k), (0, -1 - 0.26 * k), (1.1, -0.65 - 0.24 * k)]
            head.line(fold, 0.06, "light second dark accent")
    elif style == "braids":
        head.fringe(0)
    else:
        head.curve("1.02,-.5 .8,-1.3 -.8,-1.3 -1.02,-.5 -.6,-.82 .6,-.82", "hair")
    for side in (-1, 1):
        c.oval(*head.pose.at(side * 1.06, 0.62), 0.13 * head.r, 0.13 * head.r, "second")
        c.oval(*head.pose.at(side * 1.06, 0.62), 0.07 * head.r, 0.07 * head.r, cloth)


def ruff_portrait(c: Canvas) -> None:
    """A sitter in a white ruff against the dark, bearded or not, with or without a plumed hat."""
    rng, d = c.rng, c.sun
    ground = c.mix("dark", "earth leaf water dark", 0.3)
    c.backdrop((0, ground), (1, c.mix(ground, "dark", 0.5)))
    c.glow(c.w * (0.5 + 0.25 * d), 0.4, 0.5, 0.55, c.mix(ground, "earth", 0.55), 0.7)
    head = Sitter(c, (0.38, 0.42), 0.15, SKINS[:3])
    r, lips, bearded = head.r, (172, 74, 66), rng.random() < 0.5
    head.turn = rng.choice((-1, -0.6, 0.6, 1))
    head.hair_behind(0.3 if bearded else rng.choice((0.4, 1.1)))
    coat = c.color("dark dark+accent.45 dark+leaf.4 dark+water.4")
    head.bust(c.mix(coat, "light", 0.06))
    for k in range(6):
        c.oval(*head.pose.at(0, 2.75 + 0.3 * k), 0.07 * r, 0.07 * r, "second")
    _ruff(head.c, Pose(*head.pose.at(0, 1.55), r))
    head.features(lips)
    if bearded:
        head.beard(lips)
    if rng.random() < 0.55:
        hat = c.mix("dark", coat, 0.4)
        c.fill(head.pose.of(arc(0, -0.82, 1.75, 0.3)), c.mix(hat, "light", 0.1), hat)
        top = smooth(head.pose.of("-1.05,-.8 -1.1,-1.5 -.5,-1.85 .6,-1.8 1.1,-1.4 1.05,-.8"))
        c.form(top, hat, c.mix(hat, "light", 0.22), 6)
        plume = c.color("light accent second")
        for t in (k / 21 for k in range(22 if rng.random() < 0.7 else 0)):
            x, y = d * (0.9 - 1.5 * t), -1.0 - 1.05 * math.sin(t * 2.6)
            barb = [(x, y), (x + d * 0.2, y - 0.2 * (1.3 - t)), (x + d * 0.28, y - 0.02)]
            head.line(barb, 0.05, c.mix(plume, "dark", 0.25 * rng.random()))
    else:
        head.fringe(c.side())
    c.glow(*head.pose.at(-1.3 * d, 0.4), r, 1.8 * r, c.mix(ground, "dark", 0.6), 0.5)


def _ruff(c: Canvas, pose: Pose) -> None:
    white = c.color("light+glow.15")
    for ring, (size, shade) in enumerate(((1.0, 0.25), (0.93, 0.0), (0.7, 0.12))):
        c.flat(pose.of(arc(0, 0, 1.5 * size, 0.62 * size)), c.mix(white, "dark", shade))
        for k, a in enumerate(k * math.tau / 34 for k in range(34)):
            inner, outer = ((math.cos(a) * 1.5 * q, math.sin(a) * 0.62 * q) for q in (0.4, 0.93 * size))
            c.stroke(pose.of([inner, outer]), 0.004, c.mix(white, "dark", 0.3 + 0.08 * ring))
            if ring == 1:
                c.oval(
                    *pose.at(*outer), 0.11 * pose.size, 0.06 * pose.size, c.mix(white, "dark", 0.12 * (k % 2))
                )
