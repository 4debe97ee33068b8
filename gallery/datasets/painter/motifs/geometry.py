"""Abstract pictures with clean edges: grids, discs, quilts, floating shapes, moving stripes."""

from __future__ import annotations

import math

from gallery.datasets.painter.canvas import Canvas, Points, arc, box, turned
from gallery.datasets.painter.colours import Colour, mix, vary
from gallery.datasets.painter.motifs.motif import Motif


def grid(c: Canvas) -> None:
    """Black lines on white, with a few blocks in colour."""
    p, rng = c.palette, c.rng
    thick = rng.uniform(0.014, 0.026)
    blocks: list[tuple[float, float, float, float]] = []

    def divide(left: float, top: float, right: float, foot: float, depth: int) -> None:
        w, h = right - left, foot - top
        if depth == 0 or max(w, h) < 0.2 or (depth < 3 and rng.random() < 0.22):
            blocks.append((left, top, right, foot))
        elif w > h * rng.uniform(0.7, 1.4):
            at = left + w * rng.choice((0.24, 0.36, 0.62, 0.76))
            divide(left, top, at, foot, depth - 1)
            divide(at, top, right, foot, depth - 1)
        else:
            at = top + h * rng.choice((0.24, 0.36, 0.62, 0.76))
            divide(left, top, right, at, depth - 1)
            divide(left, at, right, foot, depth - 1)

    divide(0.0, 0.0, c.w, 1.0, rng.choice((3, 4, 4, 5)))
    paints = [p.accent, p.second, p.water, p.dark]
    rng.shuffle(paints)
    coloured = dict(
        zip(rng.sample(range(len(blocks)), min(len(blocks), rng.randint(3, 6))), paints * 2, strict=False)
    )
    for k, block in enumerate(blocks):
        white = vary(rng, mix(p.light, p.glow, 0.25 * rng.random()), 0.015)
        c.fill(box(*block), vary(rng, coloured[k], 0.02) if k in coloured else white)
    for left, top, right, foot in blocks:
        width = thick * rng.choice((0.8, 1.0, 1.0, 1.5))
        if right < c.w - 0.01:
            c.fill(box(right - width / 2, top - thick / 2, right + width / 2, foot + thick / 2), p.dark)
        if foot < 0.99:
            c.fill(box(left - thick / 2, foot - width / 2, right + thick / 2, foot + width / 2), p.dark)


def discs(c: Canvas) -> None:
    """Rings of colour, each cut into quarters that change."""
    p, rng = c.palette, c.rng
    tones = (
        p.accent,
        p.second,
        p.water,
        p.leaf,
        p.sky,
        p.glow,
        p.earth,
        p.light,
        mix(p.accent, p.second, 0.5),
        mix(p.water, p.dark, 0.4),
    )
    c.backdrop((0, mix(p.sky, p.light, 0.3)), (1, p.glow))
    for k in range(6):
        c.fill(
            box(c.w * (k % 3) / 3, k // 3 / 2, c.w * (k % 3 + 1) / 3, (k // 3 + 1) / 2),
            vary(rng, mix(rng.choice(tones), p.light, 0.2), 0.03),
        )
    count = rng.choice((1, 2, 3, 4, 5))
    for n in range(count):
        big = 0.46 if count == 1 else rng.uniform(0.36, 0.42) if n == 0 else rng.uniform(0.15, 0.3)
        x, y = (c.w / 2, 0.5) if count == 1 else (rng.uniform(0.15, 0.85) * c.w, rng.uniform(0.2, 0.8))
        turn, parts = rng.uniform(0, 1.57), rng.choice((2, 4, 4, 6))
        rings = rng.randint(4, 7)
        for ring in range(rings):
            r = big * (1 - ring / rings)
            for part in range(parts):
                a0 = turn + 2 * math.pi * part / parts
                wedge = [(x, y), *arc(x, y, r, r, a0, a0 + 2 * math.pi / parts, 26)]
                c.draw.polygon(c.pixels(wedge), fill=vary(rng, rng.choice(tones), 0.03))
            if rng.random() < 0.25:
                turn += 0.4


def quilt(c: Canvas) -> None:
    """Squares of a quilt, each a pair of triangles, a quarter circle or a leaf."""
    p, rng = c.palette, c.rng
    tones = (p.accent, p.second, p.water, p.leaf, p.earth, p.dark, p.light, p.glow, p.sky)
    chosen = rng.sample(tones, 5)
    rows = rng.choice((3, 4, 4, 5, 6))
    side = 1 / rows
    kinds = rng.sample(("triangle", "quarter", "leaf", "circle", "stripes"), rng.choice((1, 2, 2, 3)))
    for row in range(rows):
        for k in range(math.ceil(c.w / side)):
            x, y = k * side, row * side
            ground, shape = rng.sample(chosen, 2)
            ground, shape = vary(rng, ground, 0.025), vary(rng, shape, 0.025)
            c.draw.polygon(c.pixels(box(x, y, x + side + 0.002, y + side + 0.002)), fill=ground)
            _patch(c, x, y, side, rng.choice(kinds), shape, vary(rng, rng.choice(chosen), 0.025))


def _patch(c: Canvas, x: float, y: float, side: float, kind: str, shape: Colour, other: Colour) -> None:
    turn = c.rng.randrange(4) * math.pi / 2
    half = side / 2

    def at(points: Points) -> Points:
        return c.pixels(turned([(px * half, py * half) for px, py in points], x + half, y + half, turn))

    if kind == "triangle":
        c.draw.polygon(at([(-1, -1), (1, -1), (-1, 1)]), fill=shape)
    elif kind == "quarter":
        c.draw.polygon(at([(-1, -1), *arc(-1, -1, 2, 2, 0, math.pi / 2, 20)]), fill=shape)
        c.draw.polygon(at([(-1, -1), *arc(-1, -1, 1, 1, 0, math.pi / 2, 20)]), fill=other)
    elif kind == "leaf":
        c.draw.polygon(
            at([*arc(-1, 1, 2, 2, -math.pi / 2, 0, 20), *arc(1, -1, 2, 2, math.pi / 2, math.pi, 20)]),
            fill=shape,
        )
    elif kind == "circle":
        c.draw.polygon(at(arc(0, 0, 0.78, 0.78, 0, 2 * math.pi, 36)), fill=shape)
        c.draw.polygon(at([(0, 0), *arc(0, 0, 0.78, 0.78, 0, math.pi, 20)]), fill=other)
    else:
        for k in range(3):
            c.draw.polygon(at(box(-1, -0.85 + 0.65 * k, 1, -0.5 + 0.65 * k)), fill=shape)


def floating_shapes(c: Canvas) -> None:
    """Bars, squares, discs and wedges on white, most of them leaning the same way."""
    p, rng = c.palette, c.rng
    white = mix(p.light, p.glow, 0.2)
    c.backdrop((0, white), (1, mix(white, p.earth, 0.12)))
    lean = rng.uniform(-0.9, 0.9)
    tones = (
        p.dark,
        p.accent,
        p.second,
        p.water,
        p.dark,
        p.accent,
        mix(p.leaf, p.dark, 0.2),
        mix(p.earth, p.light, 0.3),
    )
    x0, y0 = c.w / 2, 0.5
    for k in range(rng.randint(9, 16)):
        size = (0.3 if k < 3 else 0.17 if k < 8 else 0.08) * rng.uniform(0.7, 1.25)
        x, y = x0 + rng.gauss(0, 0.24) * c.w, y0 + rng.gauss(0, 0.22)
        tone, angle = (
            vary(rng, rng.choice(tones), 0.02),
            lean + rng.choice((0, 0, 0, math.pi / 2, rng.uniform(-0.5, 0.5))),
        )
        kind = rng.choice(("bar", "bar", "bar", "block", "disc", "wedge", "ring"))
        if kind == "bar":
            c.fill(turned(box(-size, -size * 0.09, size, size * 0.09), x, y, angle), tone)
        elif kind == "block":
            c.fill(turned(box(-size * 0.5, -size * 0.36, size * 0.5, size * 0.36), x, y, angle), tone)
        elif kind == "wedge":
            c.fill(
                turned(
                    [(-size * 0.7, -size * 0.1), (size * 0.7, 0), (-size * 0.7, size * 0.35)], x, y, angle
                ),
                tone,
            )
        elif kind == "disc":
            c.fill(arc(x, y, size * 0.4, size * 0.4, 0, 2 * math.pi, 40), tone)
        else:
            c.draw.line(
                c.pixels(arc(x, y, size * 0.45, size * 0.45, 0, 2 * math.pi, 48)),
                fill=tone,
                width=max(3, round(0.05 * size * c.unit)),
                joint="curve",
            )
    for _ in range(rng.randint(2, 5)):
        x, y = rng.uniform(0.1, 0.9) * c.w, rng.uniform(0.1, 0.9)
        c.stroke(turned([(-0.3, 0), (0.3, 0)], x, y, lean + rng.choice((0, math.pi / 2))), 0.004, p.dark)


def op_waves(c: Canvas) -> None:
    """Stripes or squares whose width swells, so that the picture seems to move."""
    p, rng = c.palette, c.rng
    dark, light = rng.choice(
        ((p.dark, p.light), (p.dark, p.light), (p.accent, p.light), (p.water, p.light), (p.dark, p.second))
    )
    c.backdrop((0, light), (1, light))
    kind, phase = rng.choice(("waves", "checks", "rings", "waves")), rng.uniform(0, 6.28)
    if kind == "waves":
        count, swing, length = rng.randint(16, 30), rng.uniform(0.02, 0.06), rng.uniform(0.3, 0.8)
        for k in range(count + 6):
            base = (k - 3) / count
            line = []
            for j in range(61):
                x = c.w * j / 60
                squeeze = 1 + 0.7 * math.sin(x * 3 / c.w + base * 4 + phase)
                line.append((x, base + swing * squeeze * math.sin(x * 6.283 / length + phase + base * 3)))
            width = 0.5 / count
            c.draw.polygon(
                c.pixels([*line, *((x, y + width) for x, y in reversed(line))]),
                fill=mix(dark, p.accent, 0.75 if k % 9 == 4 else 0),
            )
    elif kind == "checks":
        rows = rng.choice((10, 12, 14))
        cx, cy = rng.uniform(0.3, 0.7) * c.w, rng.uniform(0.3, 0.7)

        def bend(x: float, y: float) -> tuple[float, float]:
            dx, dy = x - cx, y - cy
            pull = 1 + 0.9 * math.exp(-(dx * dx + dy * dy) / 0.06)
            return (cx + dx * pull * 0.85 - 0.02, cy + dy * pull * 0.85)

        for row in range(-3, rows + 3):
            for k in range(-3, round(rows * c.w) + 3):
                if (row + k) % 2:
                    x, y, s = k / rows, row / rows, 1 / rows
                    edge = (
                        [(x + s * t, y) for t in (0, 0.5, 1)]
                        + [(x + s, y + s * t) for t in (0.5, 1)]
                        + [(x + s * t, y + s) for t in (0.5, 0)]
                        + [(x, y + s * 0.5)]
                    )
                    c.draw.polygon(c.pixels([bend(px, py) for px, py in edge]), fill=dark)
    else:
        count = rng.randint(14, 22)
        for k in range(count):
            r = (1 - k / count) * 0.8 * max(1.0, c.w)
            shift = 0.3 * (k / count) ** 1.5
            x, y = c.w / 2 + math.cos(phase) * shift * c.w, 0.5 + math.sin(phase) * shift
            c.draw.polygon(
                c.pixels(arc(x, y, r, r, 0, 2 * math.pi, 90)),
                fill=(dark, light)[k % 2] if k != count - 1 else p.accent,
            )


GEOMETRY = {
    "grid": Motif(grid, "even"),
    "discs": Motif(discs, "even"),
    "quilt": Motif(quilt, "even"),
    "floating shapes": Motif(floating_shapes, "tall"),
    "op waves": Motif(op_waves, "even"),
}
