"""Trees, leaves and flowers. A tree stands with its foot at (x, y) and is `s` high; a flower has radius `r`."""

from __future__ import annotations

import math

from sample_art.canvas import Canvas
from sample_art.palettes import Ink
from sample_art.shapes import Pose, blob, smooth


def crown(
    c: Canvas, x: float, y: float, rx: float, ry: float, leaf: Ink, light: Ink, clumps: int = 16
) -> None:
    """Foliage: a dark mass, then clumps that get lighter towards the sun."""
    rng, base, bright = c.rng, c.color(leaf), c.color(light)
    dark = c.mix(base, "dark", 0.45)
    c.fill(blob(rng, x, y, rx, ry, 0.16, 11), c.mix(base, dark, 0.4), dark)
    for t in (k / clumps for k in range(clumps)):
        a, r = rng.uniform(0, math.tau), math.sqrt(rng.random()) * 0.8
        dx = math.cos(a) * r * rx + c.sun * 0.16 * rx * t
        dy = math.sin(a) * r * ry - 0.2 * ry * t
        size = rng.uniform(0.2, 0.36) * (1.1 - 0.45 * t)
        tone = c.mix(c.mix(base, dark, 0.3), bright, t * 0.75 - 0.15 * dy / ry)
        c.flat(blob(rng, x + dx, y + dy, rx * size, ry * size, 0.2, 7), c.vary(tone, 0.025))


def bush(c: Canvas, x: float, y: float, s: float, leaf: Ink = "leaf") -> None:
    crown(c, x, y - 0.3 * s, s * c.rng.uniform(0.6, 0.9), 0.5 * s, leaf, c.mix(leaf, "glow", 0.45), 9)


def round_tree(c: Canvas, x: float, y: float, s: float, leaf: Ink = "leaf", light: Ink | None = None) -> None:
    tone, lean = c.vary(leaf, 0.04), c.rng.uniform(-0.06, 0.06)
    pose = Pose(x, y, s)
    trunk = [(-0.045, 0), (lean - 0.03, -0.5), (lean + 0.03, -0.5), (0.05, 0)]
    c.fill(pose.of(trunk), "earth+dark.55")
    c.stroke(pose.of([(lean, -0.35), (lean + 0.16, -0.55)]), 0.025 * s, "earth+dark.55")
    rx = 0.33 * s * c.rng.uniform(0.9, 1.15)
    crown(c, *pose.at(lean, -0.66), rx, 0.33 * s, tone, light or c.mix(tone, "glow", 0.5))


def poplar(c: Canvas, x: float, y: float, s: float, leaf: Ink = "leaf") -> None:
    rng, tone = c.rng, c.vary(leaf, 0.04)
    c.stroke([(x, y), (x, y - 0.3 * s)], 0.03 * s, "earth+dark.6")
    half = rng.uniform(0.085, 0.12)
    profile = ((0, 1), (0.6, 0.75), (1, 0.4), (0.6, 0.1), (-0.6, 0.1), (-1, 0.4), (-0.6, 0.75))
    shape = Pose(x, y, s).of([(half * u, -v) for u, v in profile])
    dark = c.mix(tone, "dark", 0.4)
    c.fill(smooth(shape), c.mix(tone, dark, 0.3), dark)
    for k in range(16):
        t = rng.random()
        dx = half * s * (0.9 - abs(t - 0.4)) * rng.uniform(-0.6, 0.8) * c.sun
        top = y - (0.12 + 0.8 * t) * s
        c.stroke(
            [(x + dx, top), (x + 0.8 * dx, top - 0.07 * s)], 0.018 * s, c.mix(tone, "glow", 0.15 + 0.02 * k)
        )


def fir(c: Canvas, x: float, y: float, s: float, leaf: Ink = "leaf+dark.35", snow: bool = False) -> None:
    base = c.vary(leaf)
    c.stroke([(x, y), (x, y - 0.2 * s)], 0.04 * s, "earth+dark.6")
    for k in range(5):
        foot, half = -0.08 - 0.144 * k, 0.24 * (1 - 0.156 * k)
        tip = foot - 0.34 * (1 - 0.05 * k)
        tone, pose = c.mix(base, "light", 0.05 * k), Pose(x, y, s, c.sun)
        tier = [(0, tip), (half, foot + 0.02), (0, foot - 0.03), (-half, foot + 0.02)]
        c.fill(pose.of(tier), tone, c.mix(tone, "dark", 0.3))
        if snow:
            c.fill(pose.of([(0, tip), (half * 0.85, foot), (half * 0.3, foot - 0.05)]), "light")


def birch(c: Canvas, x: float, y: float, s: float, width: float) -> None:
    """A birch's trunk up to beyond the top of the image, branches included."""
    rng, lean = c.rng, c.rng.uniform(-0.05, 0.05)
    trunk = [
        (x - width / 2, y),
        (x + lean - 0.35 * width, y - s),
        (x + lean + 0.35 * width, y - s),
        (x + width / 2, y),
    ]
    c.fill(trunk, "light+glow.2", rough=width * 0.04)
    shaded = [(x - c.sun * width * 0.3, y), (x - c.sun * width * 0.22 + lean, y - s)]
    c.stroke(shaded, width * 0.35, "light+glow.2+sky.4")
    for _ in range(int(12 * s)):
        t, side = rng.random(), c.side()
        px, inner = x + lean * t, side * width * rng.uniform(-0.1, 0.25)
        mark = [(px + side * width * 0.45, y - s * t), (px + inner, y - s * t - 0.003)]
        c.stroke(mark, rng.uniform(0.003, 0.008), "dark")
    for _ in range(3):
        t, side = rng.uniform(0.4, 0.85), c.side()
        branch = Pose(x + lean * t, y - s * t, 1, side).of("0,0 .07,-.07 .12,-.16")
        c.stroke(branch, width * 0.13, "dark+light.25")


def bare_tree(
    c: Canvas, x: float, y: float, s: float, ink: Ink = "dark+earth.3", angle: float = -math.pi / 2
) -> None:
    """A leafless tree: each branch divides in two until the twigs are thin."""
    if s < 0.06:
        return
    end = (x + math.cos(angle) * 0.36 * s, y + math.sin(angle) * 0.36 * s)
    c.stroke([(x, y), end], 0.04 * s, ink)
    for side in (-1, 1):
        bare_tree(c, *end, s * c.rng.uniform(0.62, 0.78), ink, angle + side * c.rng.uniform(0.25, 0.6))


def acacia(c: Canvas, x: float, y: float, s: float) -> None:
    pose, bark = Pose(x, y, s), c.color("dark+earth.3")
    c.stroke(pose.of("0,0 -.03,-.35 0,-.5"), 0.05 * s, bark)
    for u in (-0.5, -0.22, 0.15, 0.45):
        c.stroke(pose.of([(-0.01, -0.42), (0.6 * u, -0.62), (u, -0.78)]), 0.025 * s, bark)
    for u in (k / 4 - 1 for k in range(9)):
        tone = c.mix("leaf+dark.25", "second", 0.1 + 0.2 * c.rng.random())
        cap = blob(c.rng, *pose.at(u * 0.52, -0.8 - 0.09 * (1 - u * u)), 0.22 * s, 0.07 * s, 0.2)
        c.fill(cap, tone, "leaf+dark.5")


def cactus(c: Canvas, x: float, y: float, s: float) -> None:
    rng, d, pose = c.rng, c.sun, Pose(x, y, s)
    green = c.vary("leaf+dark.15")
    c.glow(x - d * 0.2 * s, y, 0.35 * s, 0.05 * s, "dark+earth.4", 0.8)
    limbs = [(pose.of("0,0 0,-.94"), 0.17 * s)]
    for side in (-1, 1):
        if rng.random() < 0.85:
            start, reach, up = rng.uniform(0.35, 0.58), side * rng.uniform(0.2, 0.27), rng.uniform(0.18, 0.34)
            bend = [(0, -start), (0.8 * reach, -start), (reach, -start - 0.06), (reach, -start - up)]
            limbs.insert(0, (pose.of(bend), 0.1 * s))
    for path, width in limbs:
        c.stroke(path, width + 0.012, c.mix(green, "dark", 0.5))
        c.stroke(path, width, green)
        c.stroke([(px + d * width * 0.22, py) for px, py in path], width * 0.3, c.mix(green, "second", 0.3))
        c.stroke([(px - d * width * 0.15, py) for px, py in path], width * 0.08, c.mix(green, "dark", 0.4))
        tip_x, tip_y = path[-1]
        c.dots(rng.randint(0, 3), tip_x, tip_y - width * 0.5, (width * 0.2, 0), width * 0.17, "accent second")


def leaf(c: Canvas, x: float, y: float, s: float, angle: float, ink: Ink = "leaf") -> None:
    tone = c.vary(c.mix(ink, "dark second light", c.rng.uniform(0.05, 0.3)))
    pose = Pose(x, y, s, turn=angle)
    shape = smooth(pose.of("0,0 .35,.17 .75,.1 1,0 .75,-.1 .35,-.17"), 1)
    c.fill(shape, c.mix(tone, "light", 0.12), c.mix(tone, "dark", 0.25))
    c.stroke(pose.of("0,0 .9,0"), 0.003, c.mix(tone, "light", 0.35))


def agave(c: Canvas, x: float, y: float, s: float) -> None:
    for k in range(7):
        leaf(c, x, y, s * c.rng.uniform(0.75, 1.2), -math.pi * (0.1 + 0.8 * k / 6))


def rose(c: Canvas, x: float, y: float, r: float, petal: Ink) -> None:
    rng, tone = c.rng, c.color(petal)
    c.fill(blob(rng, x, y, r, r * 0.95, 0.1, 9), c.mix(tone, "dark", 0.15), c.mix(tone, "dark", 0.4))
    for k in range(15):
        t, a = k / 15, k * 2.4 + rng.random()
        q, size = r * 0.72 * (1 - t), r * (1.1 - 0.5 * t)
        shade = c.mix(c.mix(tone, "dark", 0.22), c.mix(tone, "light", 0.5), (t + rng.random()) / 2)
        at = x + math.cos(a) * q, y + math.sin(a) * q * 0.9
        c.flat(blob(rng, *at, 0.34 * size, 0.26 * size, 0.15, 6), shade)
    c.oval(x, y, r * 0.12, r * 0.1, c.mix(tone, "dark", 0.5))


def poppy(c: Canvas, x: float, y: float, r: float, petal: Ink) -> None:
    tone, turn = c.color(petal), c.rng.uniform(0, 1.5)
    for k in range(4):
        a = turn + k * math.pi / 2
        at = x + math.cos(a) * r * 0.42, y + math.sin(a) * r * 0.38
        shape = blob(c.rng, *at, r * 0.66, r * 0.6, 0.14, 8)
        c.fill(shape, c.mix(tone, "light", 0.22 * (k % 2)), c.mix(tone, "dark", 0.28))
    c.oval(x, y, r * 0.24, r * 0.22, c.mix("dark", tone, 0.12))
    for a in (k * math.tau / 12 for k in range(12)):
        c.oval(x + math.cos(a) * r * 0.34, y + math.sin(a) * r * 0.31, r * 0.05, r * 0.05, "dark")
    c.oval(x, y, r * 0.09, r * 0.08, "second")


def tulip(c: Canvas, x: float, y: float, r: float, petal: Ink) -> None:
    tone = c.color(petal)
    for dx, shade in (
        (-0.42, c.mix(tone, "dark", 0.25)),
        (0.42, c.mix(tone, "dark", 0.12)),
        (0, c.mix(tone, "light", 0.18)),
    ):
        edge = [(dx, -1.15), (dx + 0.42, -0.3), (dx / 2 + 0.3, 0.75), (dx / 2 - 0.3, 0.75), (dx - 0.42, -0.3)]
        c.fill(smooth(Pose(x, y, r).of(edge)), shade, c.mix(shade, "dark", 0.25))


def daisy(c: Canvas, x: float, y: float, r: float, petal: Ink, heart: Ink = "second") -> None:
    rng, tone = c.rng, c.color(petal)
    middle = c.color(heart) if c.color(heart) != tone else c.color("earth+dark.5")
    squash, turn = rng.uniform(0.6, 1), rng.uniform(0, math.tau)
    count = 13 if r > 0.03 else 9
    for k in range(2 * count):
        ring = k % 2
        a, reach = turn + math.pi * k / count, 1.0 - 0.08 * ring
        shade = c.mix(tone, "water", 0.3 - 0.25 * ring + 0.1 * rng.random())
        ends = [(x + math.cos(a) * r * t, y + math.sin(a) * r * t * squash) for t in (0.3, reach)]
        c.stroke(ends, r * 0.22, shade)
    c.oval(x, y, r * 0.32, r * 0.3 * squash, c.mix(middle, "earth", 0.4))
    c.oval(x + c.sun * r * 0.05, y - r * 0.05, r * 0.25, r * 0.21 * squash, middle)


def sunflower(c: Canvas, x: float, y: float, r: float) -> None:
    rng, turn = c.rng, c.rng.uniform(0, math.tau)
    squash = rng.uniform(0.8, 1)
    if r < 0.03:
        c.oval(x, y, r, r * 0.9, "second")
        c.oval(x, y, r * 0.45, r * 0.42, "earth+dark.5")
        return
    for k in range(34):
        outer = k < 17
        a = turn + math.tau * (k + (0 if outer else 0.5)) / 17 + rng.uniform(-0.07, 0.07)
        reach = r * (1.0 if outer else 0.84) * rng.uniform(0.9, 1.1)
        petal = Pose(x, y, reach, turn=a).of("0,0 .6,.13 1,0 .6,-.13")
        tone = c.mix("second", "accent" if outer else "light", rng.uniform(0.05, 0.32))
        c.flat([(px, y + (py - y) * squash) for px, py in petal], tone)
    brown = c.color("earth+dark.55")
    c.form(
        blob(rng, x, y, r * 0.46, r * 0.44 * squash, 0.04),
        c.mix(brown, "dark", 0.4),
        c.mix(brown, "second", 0.35),
        5,
    )
    for k in range(38):
        q = r * 0.42 * math.sqrt(k / 38)
        at = x + math.cos(k * 2.4) * q, y + math.sin(k * 2.4) * q * squash
        c.oval(*at, r * 0.03, r * 0.03, c.mix(brown, "second", 0.45 * rng.random()))


def water_lily(c: Canvas, x: float, y: float, s: float) -> None:
    """A lily pad of half width `s`, with a flower now and then."""
    rng, pad = c.rng, c.vary(c.mix("leaf", "glow", 0.25 * c.rng.random()), 0.05)
    c.fill(blob(rng, x, y + 0.12 * s, s, s * 0.36, 0.06), "water+dark.55")
    c.fill(blob(rng, x, y, s, s * 0.36, 0.06), c.mix(pad, "light", 0.25), c.mix(pad, "dark", 0.2))
    c.fill(Pose(x, y, s).of("0,0 .9,-.14 1,.06"), "water+dark.15")
    if rng.random() > 0.45:
        return
    petal = c.color("light accent+light.55 accent+light.25 second+light.5")
    x, y, s = x - 0.2 * s, y - 0.1 * s, s * rng.uniform(0.4, 0.55)
    for first, step, size, tint in ((1.03, 0.157, 1.0, "accent"), (1.15, 0.117, 0.7, "light")):
        for k in range(7):
            shape = Pose(x, y, s * size, turn=math.pi * (first + step * k)).of("-.05,0 .5,.2 1,0 .5,-.2")
            c.flat([(px, y + (py - y) * 0.85) for px, py in shape], c.mix(petal, tint, 0.12 + 0.2 * (k % 2)))
    c.oval(x, y - 0.2 * s, 0.16 * s, 0.13 * s, "second")
