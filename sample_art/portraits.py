"""Heads and shoulders, composed of parts from things.txt."""

from __future__ import annotations

from collections.abc import Sequence

from sample_art.canvas import Canvas
from sample_art.layers import layer
from sample_art.palettes import HAIRS, SKINS, Color, Ink
from sample_art.shapes import Pose, blob
from sample_art.stamps import stamp


class Sitter:
    """A head: its pose, and the side that it faces, -1 left or 1 right. Sets the colors of skin and hair."""

    def __init__(self, c: Canvas, y: tuple[float, float], r: float, skins: Sequence[Color] = SKINS) -> None:
        self.c, self.turn = c, c.side()
        self.pose = Pose(c.w * c.rng.uniform(0.46, 0.54), c.rng.uniform(*y), r * c.rng.uniform(0.94, 1.06))
        c.colors |= {"flesh": c.vary(c.rng.choice(skins)), "hair": c.vary(c.rng.choice(HAIRS))}

    def add(self, *parts: str, turned: bool = False, **named: Ink) -> None:
        """Draw parts of the head, mirrored to the sun's side or, if `turned`, to the side that it faces."""
        for part in parts:
            flip = self.turn if turned else self.c.sun
            stamp(self.c, part, self.pose.x, self.pose.y, self.pose.size, named, flip=flip)


def _wall(c: Canvas, ink: Ink) -> None:
    wall = c.color(ink)
    c.backdrop(
        (0, c.mix(wall, "dark", 0.18)), (0.5, c.mix(wall, "light", 0.12)), (1, c.mix(wall, "dark", 0.28))
    )
    for tone in ("light", "dark", "glow") * 3:
        c.glows(1, (0, 1), (0, 1), (0.15, 0.4), (0.15, 0.4), c.mix(wall, tone, 0.22), 0.7)


@layer
def lady_in_a_hat(c: Canvas) -> None:
    """Paint a woman in a sun hat."""
    rng = c.rng
    _wall(c, "leaf+light.25 sky glow+earth.3 accent+glow.5 water")
    head = Sitter(c, (0.42, 0.46), 0.152)
    hat, ribbon = rng.sample(("second", "accent", "light", "dark", "water", "leaf", "earth+light.4"), 2)
    head.add(rng.choice(("short_hair", "long_hair")))
    head.add(rng.choice(("bust", "low_bust")), cloth="accent water leaf light dark second")
    head.add("face", turned=True, lips="accent+lips.5")
    head.add("fringe", turned=rng.random() < 0.5)
    x, y, r = head.pose[:3]
    crown = Pose(x, y - 0.85 * r, r, turn=rng.uniform(-0.16, 0.16))
    stamp(c, "sun_hat", crown.x, crown.y, r, {"hat": hat, "ribbon": ribbon}, turn=crown.turn)
    if rng.random() < 0.6:
        for k in range(3):
            flower = crown.at(c.sun * (0.45 + 0.3 * k), -0.12 - 0.06 * k)
            stamp(c, "rose", *flower, r * rng.uniform(0.2, 0.27))
    if rng.random() < 0.5:
        head.add("pearls")
    for side in (-1, 1):
        c.oval(x + side * r, y + 0.5 * r, 0.06 * r, 0.09 * r, "second")


@layer
def bold_head(c: Canvas) -> None:
    """Paint a head in unmixed colors that fills the image."""
    rng = c.rng
    _wall(c, "second water leaf sky accent")
    for _ in range(rng.randint(3, 7)):
        at, size = (
            (rng.uniform(0, c.w), rng.uniform(0, 0.8)),
            (rng.uniform(0.05, 0.14), rng.uniform(0.05, 0.14)),
        )
        c.fill(blob(rng, *at, *size, 0.2), "second accent water leaf light", rough=0.004)
    head, cloth = Sitter(c, (0.44, 0.48), 0.2), c.color("accent second water leaf")
    behind, front = rng.choice(
        (("long_hair", "fringe"), ("crop", "crop_front"), ("crop", "crop_front"), ("crop", "scarf"))
    )
    head.add(behind)
    head.add("bust", "neck_bands", cloth=cloth)
    head.add("face", turned=True, lips="accent+flesh.3")
    head.add(front)
    head.add("earrings", cloth=cloth)


@layer
def ruff_portrait(c: Canvas) -> None:
    """Paint a sitter in a white ruff on a dark ground, with or without a beard and a plumed hat."""
    rng, ground = c.rng, c.mix("dark", "earth leaf water dark", 0.3)
    c.backdrop((0, ground), (1, c.mix(ground, "dark", 0.5)))
    c.glow(c.w * (0.5 + 0.25 * c.sun), 0.4, 0.5, 0.55, c.mix(ground, "earth", 0.55), 0.7)
    head, bearded = Sitter(c, (0.38, 0.42), 0.15, SKINS[:3]), rng.random() < 0.5
    coat = c.color("dark+light.06 dark+accent.45 dark+leaf.4 dark+water.4")
    head.add("short_hair" if bearded else rng.choice(("short_hair", "long_hair")))
    head.add("bust", "buttons", "ruff", cloth=coat)
    head.add("face", *("beard",) * bearded, turned=True, lips="lips+earth.2")
    hatted = rng.random() < 0.55
    head.add(
        *("cavalier_hat", *("plume",) * (rng.random() < 0.7)) if hatted else ("fringe",),
        hat=c.mix("dark", coat, 0.4),
    )
    x, y, r = head.pose[:3]
    c.glow(x - 1.3 * c.sun * r, y + 0.4 * r, r, 1.8 * r, c.mix(ground, "dark", 0.6), 0.5)
