"""What can be painted: every scene's layers, the shape of its images, and its subject for the biographies."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from sample_art import abstract, portraits, still_life
from sample_art.canvas import Canvas
from sample_art.land import (
    avenue,
    bank,
    branches,
    cone,
    far_shore,
    field,
    grass,
    heavy_seas,
    hills,
    islet,
    marks,
    mesas,
    path,
    peaks,
    rows_down,
    slopes,
    street,
    surf,
    terraces,
    veil,
    water,
    waterfall,
    willow_pond,
)
from sample_art.layers import Layer, any_of, by_day, colors, layer, maybe, one_of, scatter
from sample_art.plants import (
    acacia,
    agave,
    bare_tree,
    birch,
    bush,
    cactus,
    daisy,
    fir,
    leaf,
    poplar,
    poppy,
    round_tree,
    sunflower,
    water_lily,
)
from sample_art.skies import aurora, birds, crescent, orb, sky, whirling_stars
from sample_art.things import (
    BARGE,
    BASILICA,
    BATHER,
    CASTLE,
    CHURCH,
    ELEPHANT,
    FISHING_BOAT,
    GENTLEMAN,
    GIRAFFE,
    GONDOLA,
    HAYSTACK,
    HOUSE,
    LADY,
    SAILING_BOAT,
    SHIP,
    SONGBIRD,
    TOWER,
    UMBRELLA,
    WHITE_CHAPEL,
    WHITE_HOUSE,
    balloon,
    bridge,
    rock,
    windmill,
)


class Scene(NamedTuple):
    shape: str  # "wide", "tall" or "even": of the images it is painted on
    subject: str  # what a biography states that the artist is known for
    layers: tuple[Layer, ...]

    def paint(self, c: Canvas) -> None:
        for paint in self.layers:
            paint(c)


def _scene(shape: str, subject: str) -> Callable[..., Scene]:
    return lambda *layers: Scene(shape, subject, layers)


wide, tall, even = partial(_scene, "wide"), partial(_scene, "tall"), partial(_scene, "even")

COTTAGE = partial(HOUSE, wall="light", roof="accent")
WALKER = any_of(LADY, GENTLEMAN)
FAR_TREE = partial(round_tree, leaf="leaf+sky.2")
SNOWY_FIR = partial(fir, snow=True)
DARK_SHIP = partial(SHIP, sail="dark+water.2+glow.3", jib="dark+water.2+glow.2", hull="dark")
SAIL = partial(SHIP, sail="light light accent second", jib="light", hull="dark")


def _hamlet(size: float) -> Layer:
    """A few houses with their trees on the last skyline."""
    trees = scatter(round_tree, (1, 3), x=(0.3, 0.7), y=0.02, size=(size * 1.2, size * 1.6), rest="ground")
    houses = scatter(
        COTTAGE, (2, 4), x=(0.25, 0.75), y=0.02, size=(size, size * 1.1), rest="ground", cluster=size
    )
    return lambda c: (trees(c), houses(c))[0]


@layer
def sunflower_field(c: Canvas) -> None:
    """Seven rows of sunflowers, from dots at the horizon to great heads in front."""
    rng = c.rng
    for t in (row / 6 for row in range(7)):
        y, r = c.line + 0.01 + (0.62 - 0.35 * c.line) * t**1.3, 0.018 + 0.115 * t**1.4
        count = max(3, int(c.w / (r * 2.1)))
        for k in range(count):
            x, top = (k + rng.uniform(0.15, 0.85)) / count * c.w, y + rng.uniform(-0.2, 0.2) * r
            c.stroke([(x, top), (x + rng.uniform(-0.2, 0.2) * r, top + 4 * r)], 0.14 * r, "leaf+dark.2")
            if r > 0.03:
                leaf(c, x, top + 1.9 * r, 1.2 * r, rng.choice((0.3, 2.8)))
            sunflower(c, x, top, r)


@layer
def balloons(c: Canvas) -> None:
    """One great balloon and up to five smaller ones."""
    rng = c.rng
    tones = "accent second water leaf accent+light.4 accent+second.5"
    places = rng.sample(((0.18, 0.4), (0.82, 0.44), (0.32, 0.72), (0.7, 0.74), (0.92, 0.26), (0.06, 0.6)), 6)
    for k in range(rng.choice((0, 2, 3, 4, 5))):
        x, y = places[k]
        s = rng.uniform(0.14, 0.32)
        balloon(c, (x + rng.uniform(-0.05, 0.05)) * c.w, y, s, tones, "light second light+glow.5")
    s = min(rng.choice((0.56, 0.64, 0.7)), 0.9 * c.w)
    balloon(
        c, rng.uniform(0.42, 0.58) * c.w, s + rng.uniform(0.02, 0.1), s, tones, "light second light+glow.5"
    )


SCENES: dict[str, Scene] = {
    # The sea
    "regatta": wide("sailing boats racing in a fresh wind")(
        sky((0.42, 0.6)),
        by_day(late=(orb((0.15, 0.85), (-0.2, -0.05), 0.04),)),
        maybe(0.7, far_shore()),
        water("water+glow.35", "water+dark.2", "light+glow.4", waves=170, glitter=0.05),
        scatter(SAILING_BOAT, (2, 6), y=(0.005, 0.05), size=(0.07, 0.13)),
        scatter(
            SAILING_BOAT, (1, 3), x=(0.18, 0.82), y=(0.76, 0.9), size=(0.34, 0.56), rest="page", even=True
        ),
        maybe(0.6, birds((3, 6), ink="dark+sky.2")),
    ),
    "storm": wide("ships in heavy seas")(
        sky(0.5, "dusk", clouds=False),
        lambda c: c.glows(
            9, (0, 1), (0, 0.4), (0.25, 0.5), (0.08, 0.18), "sky+dark.5 sky+dark.3 sky+light.3", 0.85
        ),
        orb((0.3, 0.7), 0.4, 0.0, halo="light+glow.4"),
        heavy_seas(partial(SHIP, sail="light+glow.4", jib="light", hull="dark+earth.4")),
        birds((1, 4), 0.1, 0.3, "light"),
    ),
    "moonlit sea": wide("calm seas under the moon")(
        sky((0.5, 0.62), "night"),
        orb((0.25, 0.75), (0.16, 0.3), (0.045, 0.07), "light+second.25", "second+glow.6"),
        far_shore((0.0, 0.05), 0.05, "sky+dark.5+water.4", "sky+dark.5+water.5"),
        water("water+dark.2", "water+dark.7", "water+light.4", glitter=0.06),
        scatter(DARK_SHIP, (1, 3), x=(0.12, 0.88), y=(0.04, 0.3), size=(0.2, 0.5)),
        maybe(0.5, bank("-.05,.72 .2,.9 .38,1.05 -.05,1.05", "dark+leaf.2", "dark")),
    ),
    "harbor": wide("fishing harbours with their boats at rest")(
        sky((0.5, 0.58)),
        hills(-0.16, 0.07, "leaf+sky.5", "leaf+glow.35", 5),
        street(
            "light glow+earth.3 glow accent+light.35 second+light.4",
            "flat point flat",
            (0.08, 0.13),
            (0.1, 0.2),
        ),
        maybe(0.6, scatter(CHURCH, x=(0.2, 0.8), size=(0.34, 0.42))),
        water("water+glow.25", "water+dark.25", "light+glow.5", mirror=0.42),
        lambda c: c.band(c.line - 0.004, c.line + 0.022, "earth+dark.25", "earth+dark.5"),
        scatter(
            FISHING_BOAT, (3, 6), x=(0.08, 0.92), y=(0.66, 0.93), size=(0.18, 0.42), rest="page", even=True
        ),
        birds((2, 5)),
    ),
    "beach": wide("parasols and bathers on wide summer beaches")(
        sky((0.3, 0.4), "day day gold"),
        maybe(0.7, far_shore()),
        water("water", "water+sky.6", waves=120),
        scatter(SAIL, (1, 4), y=(0.01, 0.06), size=(0.08, 0.16)),
        surf(0.56),
        scatter(BATHER, (4, 8), y=(0.68, 0.97), size=(0.15, 0.36), rest="page"),
        birds((0, 4), 0.06, 0.2, "dark+sky.3"),
    ),
    "lighthouse": tall("lighthouses on their rocks")(
        sky((0.6, 0.7)),
        water("water+glow.3", "water+dark.25", waves=170),
        maybe(0.6, scatter(SAILING_BOAT, (1, 2), y=(0.02, 0.06), size=(0.1, 0.17))),
        islet(),
        birds((3, 6), 0.1, 0.35, "dark+light.2"),
    ),
    # Mountains, water and woods
    "alps": wide("snow-covered mountains above dark firs")(
        sky((0.62, 0.72)),
        far_shore((0.16, 0.3), 0.08, "water+sky.7", "sky+light.5"),
        one_of(
            (peaks((0.16, 0.84, 0.5), (0.3, 0.42), (0.08, 0.18)),),
            (peaks((0.8, 0.34), (0.34, 0.44), (0.08, 0.16)),),
        ),
        veil(-0.14, 0, "sky+light.6", 0.6),
        hills(0, 0.03, "leaf+sky.35", "leaf"),
        scatter(
            partial(fir, leaf="leaf+dark.4"), 34, x=(0, 1), y=(0, 0.03), size=(0.05, 0.09), rest="ground"
        ),
        one_of(
            (
                water("water+sky.4", "water+dark.2", y=0.09, mirror=0.55),
                hills(0.88, 0.05, "leaf+second.15", "leaf+dark.3", rest="page"),
            ),
            (
                hills(0.12, 0.05, "leaf+second.15", "leaf+dark.3"),
                maybe(0.8, scatter(HOUSE, (1, 2), x=(0.3, 0.7), y=0.06, size=(0.14, 0.17), rest="ground")),
            ),
        ),
        grass(0.9, 90, "leaf leaf+second.4 leaf+dark.3", rest="page"),
        scatter(fir, (2, 5), x=(0.02, 0.35), y=(0.94, 1.0), size=(0.28, 0.48), rest="page", side=2),
    ),
    "fjord": wide("still water between steep shores")(
        sky((0.5, 0.6)),
        by_day(late=(orb((0.4, 0.6), -0.1, 0.04),)),
        slopes(4, "leaf+water.5"),
        water("water+sky.5", "water+dark.3", mirror=0.6, glitter=0.035),
        scatter(
            partial(HOUSE, wall="accent light second", roof="dark"),
            3,
            x=(0.6, 0.95),
            y=0.012,
            size=(0.065, 0.08),
            side=2,
        ),
        maybe(0.4, scatter(FISHING_BOAT, x=(0.3, 0.7), y=(0.08, 0.2), size=(0.12, 0.18))),
        hills(0.92, 0.04, "leaf+earth.3", "leaf+dark.5", rest="page"),
        scatter(fir, (2, 4), x=(0.04, 0.3), y=0.03, size=(0.25, 0.42), rest="ground", side=2),
        birds(3, 0.1, 0.3),
    ),
    "snow peak": wide("a single snow-capped peak seen from many sides")(
        sky(0.72, "day gold dusk", clouds=False),
        maybe(
            0.6,
            by_day(
                (orb((0.15, 0.85), (0.12, 0.3), 0.05, "accent", "glow"),),
                (orb((0.15, 0.85), (0.12, 0.3), 0.05),),
            ),
        ),
        cone((0.4, 0.6), (0.16, 0.26)),
        lambda c: c.dabs(4, (0, 0.44, c.w, 0.66), 0.6, 0.02, "light+glow.5", spread=0.01),
        hills(-0.04, 0.03, "leaf+sky.4", "leaf+dark.3"),
        scatter(fir, 12, y=0.02, size=(0.05, 0.08), rest="ground"),
        hills(0.06, 0.03, "leaf+dark.15+sky.2", "leaf+dark.3"),
        scatter(fir, 9, y=0.02, size=(0.09, 0.14), rest="ground"),
        hills(0.16, 0.03, "leaf+dark.3", "leaf+dark.3"),
        scatter(fir, 6, y=0.02, size=(0.13, 0.2), rest="ground"),
        birds(4, 0.3, 0.45),
    ),
    "waterfall": tall("waterfalls in narrow valleys")(
        sky(0.45, "day day gold"),
        peaks((0.3, 0.72), 0.42, (0.07, 0.1)),
        waterfall((0.22, 0.3)),
        scatter(rock, (5, 9), x=(0, 1), y=(0.83, 0.99), size=(0.04, 0.09), rest="page"),
    ),
    "birch wood": even("birch woods at the end of the year")(
        one_of(
            (colors(one="second", two="second+accent.5"),),
            (colors(one="leaf", two="leaf+second.5"),),
            (colors(one="second", two="leaf"),),
        ),
        sky((0.68, 0.78), "day", clouds=False),
        lambda c: c.backdrop((0, "sky+one.3"), (0.4, "glow+one.25"), (c.line, "leaf+glow.4")),
        scatter(
            partial(bush, leaf="one+leaf.4+sky.35"), 14, x=(0, 1), y=(0.2, 0.6), size=(0.2, 0.3), rest="page"
        ),
        scatter(partial(birch, width=0.011), 14, x=(0, 1), y=0.02, size=(1, 1)),
        veil(-0.35, 0, "glow", 0.45),
        hills(0, 0.02, "leaf+earth.4+glow.35", "leaf+earth.4+dark.35"),
        maybe(0.5, path((0.45, 0.55), 0.01, 0.05, 0.2)),
        scatter(partial(birch, width=0.028), (2, 4), y=(0.05, 0.12), size=(1.2, 1.2)),
        scatter(partial(birch, width=0.045), (2, 5), y=(0.14, 0.26), size=(1.2, 1.2)),
        lambda c: c.dabs(150, (0, -0.02, c.w, 0.4), 0.03, 0.014, "one two one+light.35", spread=1.5),
        marks(120, 0.02, 0.028, 0.009, "one two leaf+earth.4+dark.3", spread=0.8),
    ),
    "sunset": wide("the last light over water and land")(
        sky((0.52, 0.64), "gold dusk gold"),
        orb((0.3, 0.7), (-0.14, -0.02), (0.06, 0.09), "second+light.45", "second+accent.3"),
        far_shore(0.07, 0.035, "dark+accent.35+glow.5", "dark+accent.35+glow.6"),
        far_shore(0.02, 0.03, "dark+accent.35+glow.2", "dark+accent.35+glow.4"),
        water(
            "glow+accent.35",
            "water+dark.45",
            "second+light.4",
            mirror=0.4,
            tint="water+accent.3",
            glitter=0.07,
        ),
        hills(0.93, 0.03, "dark+leaf.2", "dark", rest="page"),
        scatter(
            partial(round_tree, leaf="dark+leaf.25", light="dark+accent.4"),
            (1, 3),
            x=(0.05, 0.36),
            y=0.02,
            size=(0.4, 0.72),
            rest="ground",
            side=2,
        ),
        maybe(0.3, scatter(DARK_SHIP, x=(0.3, 0.7), y=(0.05, 0.15), size=(0.14, 0.24))),
        grass(0.94, 60, "dark", rest="page", length=0.09),
        birds((3, 7), 0.12, 0.35),
    ),
    # The country
    "windmill": wide("windmills under large skies")(
        sky((0.66, 0.74)),
        by_day(late=(orb((0.1, 0.9), -0.1, 0.045),)),
        hills(0, 0.012, "leaf+sky.5", "leaf"),
        scatter(partial(bush, leaf="leaf+sky.35"), 10, x=(0, 1), y=0.01, size=(0.05, 0.07), rest="ground"),
        hills(0.05, 0.012, "leaf+glow.25", "leaf+dark.25"),
        scatter(HOUSE, (1, 2), x=(0.55, 0.9), y=0.03, size=(0.13, 0.17), rest="ground", side=2),
        maybe(0.3, scatter(windmill, x=(0.04, 0.14), y=0.0, size=(0.16, 0.22), rest="ground", side=2)),
        scatter(windmill, x=(0.28, 0.4), y=0.03, size=(0.46, 0.56), rest="ground", side=2),
        one_of(
            (water("water+sky.5", "water+dark.2", y=0.12, mirror=0.5), grass(0.1, 20, "leaf leaf+dark.4")),
            tuple(
                marks(90, 0.1 + 0.09 * k, 0.03, 0.016, ink, -1.57, 0.4)
                for k, ink in enumerate(("accent", "second", "accent+light.5"))
            ),
        ),
        birds((3, 6), 0.08, 0.3),
    ),
    "hay field": wide("hay fields after the harvest")(
        sky((0.42, 0.52)),
        hills(0, 0.035, "leaf+sky.5", "leaf+glow.3"),
        _hamlet(0.07),
        scatter(partial(bush, leaf="leaf+sky.2"), 14, x=(0, 1), y=0.06, size=(0.05, 0.08)),
        colors(straw="second+earth.35"),
        field(0.06, "straw+glow.55", "straw+leaf.2", "straw+leaf.35"),
        marks(160, 0.07, 0.035, 0.006, "straw+light.5 straw+earth.5", spread=0.7),
        scatter(HAYSTACK, (3, 6), x=(0.08, 0.92), y=(0.13, 0.48), size=(0.08, 0.24)),
        maybe(0.5, scatter(round_tree, x=(0.05, 0.1), y=0.9, size=(0.5, 0.65), rest="page", side=2)),
        birds((2, 5), 0.08, 0.3),
    ),
    "wheat field": wide("wheat fields under a burning sun")(
        sky((0.4, 0.5)),
        orb((0.2, 0.8), (0.1, 0.2), 0.06, "second+light.35"),
        hills(-0.05, 0.05, "water+sky.4", "leaf+sky.3"),
        hills(0, 0.02, "leaf", "leaf+second.4"),
        _hamlet(0.06),
        field(0.04, "second+glow.4", "second+earth.5"),
        marks(560, 0.05, 0.055, 0.009, "second second+light.4 second+earth.55 second+accent.3", -1.57, 0.4),
        path((0.35, 0.65), 0.04, 0.06, 0.12, "earth+glow.4"),
        marks(160, 0.2, 0.06, 0.01, "second second+light.4 second+earth.55", -1.57, 0.4),
        marks(22, 0.12, 0.014, 0.016, "accent", spread=3),
        scatter(
            partial(poplar, leaf="leaf+dark.3"),
            (1, 3),
            x=(0.06, 0.14),
            y=(0.1, 0.2),
            size=(0.36, 0.5),
            side=2,
        ),
        birds((4, 9), 0.15, 0.4),
    ),
    "poppy field": wide("poppies among tall grass")(
        sky((0.36, 0.46), "day day day gold"),
        hills(-0.03, 0.04, "leaf+sky.65", "leaf+sky.3"),
        hills(0, 0.015, "leaf+sky.3", "leaf"),
        scatter(
            any_of(FAR_TREE, FAR_TREE, poplar),
            12,
            x=(0, 1),
            y=0.03,
            size=(0.1, 0.2),
            rest="ground",
            even=True,
        ),
        maybe(0.7, scatter(COTTAGE, (1, 2), x=(0.2, 0.8), y=0.03, size=(0.1, 0.13))),
        field(0.03, "leaf+glow.55", "leaf+dark.15"),
        grass(0.05, 420, "leaf leaf+second.35 leaf+light.4 leaf+dark.3"),
        marks(90, 0.06, 0.012, 0.011, "accent accent+light.2", spread=3),
        maybe(0.6, scatter(WALKER, (1, 2), x=(0.2, 0.8), y=(0.22, 0.4), size=(0.15, 0.24))),
        scatter(
            partial(poppy, petal="accent accent+light.1 accent+second.15"),
            (60, 90),
            x=(0, 1),
            y=(0.1, 0.6),
            size=(0.008, 0.034),
        ),
    ),
    "daisy meadow": even("daisies seen from close to the ground")(
        sky((0.22, 0.34), "day day gold"),
        hills(0, 0.03, "leaf+sky.5", "leaf+sky.2"),
        maybe(0.5, scatter(COTTAGE, x=(0.2, 0.8), y=0.03, size=(0.11, 0.14))),
        field(0.05, "leaf+glow.4", "leaf+dark.45"),
        grass(0.06, 400, "leaf leaf+second.35 leaf+dark.3 leaf+light.3"),
        scatter(
            partial(daisy, petal="light light light light accent+light.3"),
            (40, 52),
            x=(-0.02, 1.02),
            y=(0.1, 0.72),
            size=(0.012, 0.078),
        ),
    ),
    "sunflower field": tall("fields of sunflowers")(
        sky((0.3, 0.42), "day day gold"),
        field(0, "leaf+glow.4", "leaf+dark.5"),
        sunflower_field(),
    ),
    "hill road": even("roads that wind over green hills")(
        sky((0.36, 0.46)),
        by_day(late=(orb((0.2, 0.8), -0.12, 0.05),)),
        hills(0, 0.045, "leaf+sky.5 leaf+water.4+sky.5", "leaf+sky.4", 3),
        hills(0.13, 0.05, "leaf+second.5+sky.3 leaf+sky.3", "leaf+dark.1", 3),
        rows_down("leaf+dark.2"),
        _hamlet(0.075),
        scatter(any_of(round_tree, poplar), (2, 5), y=0.02, size=(0.1, 0.16), rest="ground"),
        hills(0.26, 0.05, "leaf second leaf+second.5", "leaf+dark.15 earth+second.4", 3),
        rows_down("leaf+dark.3"),
        scatter(any_of(round_tree, poplar), (2, 5), y=0.02, size=(0.14, 0.22), rest="ground"),
        hills(0.39, 0.055, "leaf+second.3 leaf earth+second.3", "leaf+dark.25", 3),
        path((0.35, 0.65), 0.16, 0.16),
        scatter(round_tree, (1, 3), x=(0.06, 0.16), y=(0.84, 0.98), size=(0.34, 0.5), rest="page", side=2),
        grass(0.9, 70, "leaf leaf+second.5 leaf+dark.3", rest="page"),
    ),
    "village church": wide("villages gathered round a church with a pointed steeple")(
        sky((0.55, 0.64)),
        hills(-0.14, 0.05, "leaf+sky.6", "leaf+sky.35"),
        hills(0, 0.02, "leaf+glow.3", "leaf"),
        scatter(round_tree, 9, y=0.03, size=(0.14, 0.22), rest="ground"),
        scatter(HOUSE, 7, x=(0.02, 0.98), y=(0.04, 0.09), size=(0.15, 0.2), even=True),
        scatter(CHURCH, x=(0.4, 0.6), y=0.1, size=(0.48, 0.58)),
        hills(0.13, 0.02, "leaf+second.2", "leaf+dark.3"),
        path((0.42, 0.58), 0.12, 0.05, 0.11),
        scatter(
            partial(round_tree, leaf="leaf leaf+second.4"),
            (2, 5),
            x=(0.0, 0.3),
            y=(0.16, 0.34),
            size=(0.2, 0.34),
            side=2,
        ),
        marks(60, 0.2, 0.012, 0.012, "accent second light", spread=3),
        birds((3, 6)),
    ),
    "balloons": even("hot-air balloons drifting over fields")(
        sky((0.74, 0.84)),
        hills(-0.05, 0.03, "leaf+sky.45", "leaf+sky.3"),
        scatter(round_tree, 8, y=0.02, size=(0.05, 0.07), rest="ground"),
        hills(0.02, 0.03, "leaf+second.2+sky.2", "leaf+sky.1"),
        scatter(any_of(round_tree, round_tree, COTTAGE), 9, y=0.02, size=(0.07, 0.1), rest="ground"),
        hills(0.1, 0.03, "leaf+second.3", "leaf+dark.1"),
        scatter(any_of(round_tree, COTTAGE), 5, y=0.03, size=(0.1, 0.14), rest="ground"),
        balloons(),
        birds((0, 5), 0.3, 0.6),
    ),
    "acacia plain": wide("acacias on the plain and the animals in their shade")(
        sky((0.6, 0.68), "gold gold dusk day"),
        orb((0.25, 0.75), (-0.2, -0.08), (0.07, 0.11), "second+light.3"),
        hills(-0.02, 0.035, "earth+sky.5", "earth+glow.5", 5),
        hills(0, 0.01, "second+earth.35", "earth+leaf.35"),
        grass(0.03, 260, "second+light.3 earth+leaf.5 second+earth.6"),
        scatter(acacia, (3, 5), x=(0.05, 0.95), y=0.03, size=(0.14, 0.22), rest="ground"),
        bank("-.3,1.2 -.2,1.2 -.25,1.3", "earth", "earth"),
        scatter(acacia, x=(0.18, 0.26), y=0.16, size=(0.5, 0.6), side=4),
        one_of(
            *(
                (
                    scatter(
                        beast, (2, 4), x=(0.42, 0.95), y=(0.14, 0.28), size=(s * 0.6, s), side=4, even=True
                    ),
                )
                for beast, s in (
                    (partial(ELEPHANT, flip=1), 0.24),
                    (partial(ELEPHANT, flip=-1), 0.24),
                    (partial(GIRAFFE, flip=1), 0.46),
                    (partial(GIRAFFE, flip=-1), 0.46),
                )
            )
        ),
        birds((3, 6), 0.1, 0.3),
    ),
    "cactus land": wide("cactuses in red land")(
        sky((0.58, 0.68), "day gold dusk"),
        orb((0.2, 0.8), (0.16, 0.36), 0.075, "second+light.2"),
        mesas(2),
        *(
            hills(0.1 * k, 0.03, f"earth+glow.{5 - k}+accent.12", f"earth+glow.{4 - k}+accent.25", 3)
            for k in range(3)
        ),
        scatter(cactus, (4, 7), x=(0.06, 0.94), y=(0.06, 0.36), size=(0.16, 0.5)),
        scatter(agave, (3, 6), y=(0.16, 0.34), size=(0.06, 0.1)),
        birds((0, 4), 0.1, 0.3),
    ),
    # Rivers and ponds
    "river bank": wide("people at leisure by the river")(
        sky((0.34, 0.42), "day day gold"),
        hills(-0.04, 0.02, "leaf+sky.4", "leaf+sky.2"),
        scatter(FAR_TREE, 16, x=(0, 1), y=0.04, size=(0.1, 0.17), rest="ground", even=True),
        water("water+sky.4", "water", y=0.01, mirror=0.4),
        bank(
            "-.05,.42 .25,.47 .57,.72 1.15,.93 1.15,1.2 -.05,1.2",
            "leaf+second.2+glow.45",
            "leaf+second.2+dark.2",
        ),
        scatter(SAILING_BOAT, (1, 3), x=(0.08, 0.42), y=(0.05, 0.15), size=(0.14, 0.24), side=3),
        scatter(round_tree, (2, 4), x=(0.02, 0.36), y=(0.6, 0.72), size=(0.36, 0.56), rest="page", side=4),
        scatter(WALKER, (4, 8), x=(0.06, 0.6), y=(0.72, 0.95), size=(0.13, 0.24), rest="page", side=4),
    ),
    "poplar river": even("rows of poplars mirrored in a slow river")(
        sky((0.58, 0.66)),
        hills(-0.1, 0.04, "leaf+sky.6", "leaf+sky.4"),
        scatter(partial(bush, leaf="leaf+sky.3"), 10, x=(0, 1), y=0.02, size=(0.1, 0.12), even=True),
        one_of(
            (colors(one="leaf", two="leaf"),),
            (colors(one="leaf", two="second"),),
            (colors(one="second", two="second+accent.5"),),
        ),
        scatter(
            partial(poplar, leaf="one two"), (6, 10), x=(0.0, 0.97), y=0.015, size=(0.42, 0.6), even=True
        ),
        lambda c: c.band(c.line, c.line + 0.025, "leaf+earth.3", "leaf+dark.4"),
        water("water+sky.45", "water+dark.2", y=0.02, mirror=0.65),
        marks(60, 0.06, 0.1, 0.006, "water+light.6 sky", spread=0.04),
        bank("-.1,.88 .3,.93 .5,1.1 -.1,1.1", "leaf+second.3", "leaf+dark.4"),
        grass(0.92, 50, "leaf leaf+dark.4", rest="page"),
    ),
    "lily pond": even("water lilies and the sky between them")(
        willow_pond(),
        scatter(water_lily, (26, 40), x=(-0.02, 1.02), y=(0.12, 0.98), size=(0.03, 0.105)),
    ),
    "bridge": wide("stone bridges and their reflections")(
        sky((0.6, 0.68)),
        hills(-0.18, 0.04, "leaf+sky.55", "leaf+sky.3"),
        scatter(CHURCH, x=(0.15, 0.85), y=-0.08, size=(0.34, 0.42)),
        street(
            "light+sky.15 glow+sky.15 earth+sky.15 accent+light.5",
            "point flat point",
            (0.09, 0.14),
            (0.14, 0.22),
            gap=FAR_TREE,
        ),
        water("water+sky.4", "water+dark.25"),
        lambda c: bridge(
            c,
            c.line + 0.08,
            c.line - c.rng.uniform(0.08, 0.11),
            c.rng.choice((3, 3, 4, 5)),
            "earth+light.3",
            c.rng.choice((0.02, 0.06)),
        ),
        lambda c: c.mirror(c.line + 0.08, 0.5, "water"),
        marks(50, 0.1, 0.1, 0.006, "water+light.5 sky", spread=0.04),
        maybe(
            0.6,
            scatter(any_of(SAILING_BOAT, FISHING_BOAT), x=(0.2, 0.8), y=0.9, size=(0.22, 0.3), rest="page"),
        ),
        birds((2, 6)),
    ),
    # Towns
    "canal": even("gabled houses along canals")(
        sky((0.6, 0.7)),
        street(
            "accent+earth.4 earth earth+dark.3 glow+earth.3 second+earth.4 light water+light.35",
            "step bell point step",
            (0.13, 0.19),
            (0.28, 0.4),
        ),
        lambda c: c.band(c.line - 0.004, c.line + 0.04, "earth+dark.3", "earth+dark.55"),
        scatter(partial(round_tree, leaf="leaf leaf+second.5"), (2, 4), y=0.015, size=(0.24, 0.34)),
        water("water+dark.15", "water+dark.4", "water+light.5", y=0.04, mirror=0.55),
        scatter(BARGE, (1, 3), x=(0.15, 0.85), y=(0.1, 0.26), size=(0.24, 0.38)),
    ),
    "hill town": even("tiled roofs climbing a hill")(
        sky(0.55),
        hills(-0.03, 0.05, "leaf+sky.6", "leaf+sky.4"),
        bank("-.3,.7 .1,.62 .35,.42 .55,.38 .75,.48 1.3,.75 1.3,1.2 -.3,1.2", "leaf+earth.5", "earth+dark.3"),
        scatter(partial(poplar, leaf="leaf+dark.3"), 4, x=(0.2, 0.8), y=0.52, size=(0.16, 0.24), rest="page"),
        scatter(any_of(CHURCH, CASTLE), x=(0.44, 0.56), y=0.47, size=(0.32, 0.38), rest="page", side=4),
        terraces(
            "-.2,.68 .52,.4 1.2,.66",
            partial(
                HOUSE,
                wall="light glow earth+light.5 second+light.5 accent+light.5 water+light.55",
                roof="accent accent+earth.4 accent+earth.8",
                tall=1.3,
            ),
            7,
            (0.11, 0.165),
            round_tree,
        ),
        birds((3, 6), 0.06, 0.2),
    ),
    "white town": wide("white houses with blue domes above the sea")(
        sky((0.44, 0.52), "day day gold"),
        water("water", "water+sky.4"),
        bank("-.1,.3 .2,.37 .5,.56 .8,.76 1.2,1 1.2,1.3 -.1,1.3", "earth+glow.4", "earth+dark.2"),
        scatter(SAIL, (1, 4), x=(0.04, 0.42), y=(0.02, 0.16), size=(0.1, 0.17), side=3),
        terraces(
            "-.2,.3 0,.31 .25,.42 .5,.57 .75,.75 1,.93 1.2,1.1",
            any_of(*[WHITE_HOUSE] * 7, WHITE_CHAPEL),
            7,
            (0.1, 0.2),
        ),
        maybe(
            0.8,
            *(
                lambda c: c.dots(
                    16, c.w * c.rng.random(), c.rng.uniform(0.7, 1), (0.03, 0.02), 0.008, "accent+magenta.4"
                )
                for _ in range(6)
            ),
        ),
        birds(4, 0.08, 0.24),
    ),
    "lagoon city": wide("the palaces and towers of a city on the water")(
        sky((0.56, 0.64), "day gold gold dusk"),
        street(
            "earth+sky.25 glow+sky.25 accent+glow.55+sky.25 light+sky.25", "flat", (0.08, 0.16), (0.1, 0.2)
        ),
        bank("-.3,1.2 -.2,1.2 -.25,1.3", "earth", "earth"),
        scatter(TOWER, x=(0.62, 0.8), size=(0.5, 0.58), side=4),
        scatter(BASILICA, x=(0.26, 0.4), size=(0.26, 0.33), side=4),
        water("water+glow.4", "water+dark.2", "light+glow.4", mirror=0.45),
        scatter(GONDOLA, (2, 5), x=(0.12, 0.88), y=(0.1, 0.36), size=(0.2, 0.44)),
        birds(4, 0.08, 0.25),
    ),
    "snow village": wide("villages deep in snow")(
        sky((0.5, 0.58), "day day frost"),
        one_of((by_day(late=(crescent((0.1, 0.9), 0.15, 0.045),)),)),
        colors(snow="light+sky.06", shade="light+sky.5"),
        peaks((0.2, 0.76), (0.3, 0.42), (0.2, 0.28), "snow", 0.9),
        hills(0, 0.03, "shade", "snow"),
        scatter(SNOWY_FIR, 22, x=(0, 1), y=0.02, size=(0.07, 0.13), rest="ground"),
        by_day((colors(pane="dark+sky.25"),), (colors(pane="second"),)),
        scatter(
            partial(CHURCH, wall="glow+earth.2", roof="light+sky.18", glass="pane"),
            x=(0.35, 0.65),
            y=0.12,
            size=(0.36, 0.44),
        ),
        *(
            step
            for row in range(3)
            for step in (
                scatter(
                    partial(
                        HOUSE,
                        wall="earth+accent.4 accent earth+dark.2 second light+glow.6",
                        roof="light+sky.1",
                        glass="pane",
                    ),
                    4 - row,
                    x=(0.02, 0.98),
                    y=(0.09 + 0.09 * row, 0.11 + 0.09 * row),
                    size=(0.13 + 0.035 * row, 0.15 + 0.035 * row),
                    even=True,
                ),
                hills(0.13 + 0.1 * row, 0.018, "snow", "shade+light.5", 3),
            )
        ),
        scatter(
            any_of(SNOWY_FIR, SNOWY_FIR, bare_tree), (2, 5), y=(0.88, 1.0), size=(0.24, 0.4), rest="page"
        ),
        maybe(0.4, scatter(GENTLEMAN, (1, 3), x=(0.2, 0.8), y=(0.86, 0.95), size=(0.1, 0.15), rest="page")),
        maybe(0.5, lambda c: c.dots(130, c.w / 2, 0.5, (0.4 * c.w, 0.4), (0.0025, 0.006), "light")),
    ),
    "night street": tall("streets lit by lamps after rain")(
        sky((0.54, 0.6), "night"),
        maybe(0.7, orb((0.3, 0.7), (0.12, 0.2), 0.045, "light+second.3", "second+sky.4")),
        scatter(
            partial(CHURCH, wall="sky+dark.4", roof="dark+accent.3", glass="second"),
            x=(0.44, 0.56),
            y=0.02,
            size=(0.3, 0.38),
        ),
        avenue(),
        scatter(UMBRELLA, (2, 6), x=(0.22, 0.78), y=(0.1, 0.38), size=(0.11, 0.26)),
    ),
    # The night sky
    "starry night": wide("turning stars above sleeping villages")(
        sky((0.66, 0.76), "night"),
        whirling_stars(),
        crescent((0.12, 0.88), 0.17, 0.06),
        hills(-0.06, 0.05, "water+sky.35", "water+dark.3", 3),
        hills(0, 0.035, "leaf+water.4", "leaf+dark.5", 3),
        scatter(partial(round_tree, leaf="leaf+dark.2"), 5, y=0.05, size=(0.1, 0.15), rest="ground"),
        scatter(
            partial(HOUSE, wall="water+light.25", roof="accent+dark.4", glass="second"),
            9,
            y=(0.06, 0.12),
            size=(0.11, 0.13),
            rest="ground",
            even=True,
        ),
        scatter(
            partial(CHURCH, wall="water+light.3", roof="dark+water.4", glass="second"),
            x=(0.35, 0.65),
            y=0.1,
            size=(0.26, 0.32),
        ),
        hills(0.15, 0.02, "leaf+dark.3", "leaf+dark.7", 3),
        maybe(
            0.65,
            scatter(
                partial(poplar, leaf="leaf+dark.6"),
                (1, 2),
                x=(0.1, 0.22),
                y=1.02,
                size=(0.6, 0.86),
                rest="page",
                side=2,
            ),
        ),
    ),
    "northern lights": wide("the northern lights above snow")(
        sky((0.64, 0.74), "polar"),
        aurora((2, 4)),
        maybe(0.4, crescent((0.1, 0.9), 0.14, 0.03)),
        hills(-0.05, 0.09, "sky+glow.3+light.2", "sky+glow.2+dark.15", 6, 0.55),
        hills(0, 0.04, "sky+glow.25+light.25", "sky+glow.2+dark.15", 6, 0.55),
        maybe(0.5, water("water+glow.2", "water+dark.4", "glow+light.2", y=0.06, mirror=0.65)),
        hills((0.1, 0.17), 0.03, "light+glow.45", "light+glow.45+sky.55", 3),
        scatter(
            partial(fir, leaf="leaf+dark.5", snow=True),
            (5, 12),
            x=(0, 1),
            y=(0.01, 0.07),
            size=(0.12, 0.3),
            rest="ground",
        ),
        scatter(
            partial(HOUSE, wall="accent+dark.25", roof="light+glow.45", glass="second"),
            (1, 2),
            x=(0.25, 0.75),
            y=0.06,
            size=(0.14, 0.17),
            rest="ground",
        ),
    ),
    # Birds, still lifes, portraits
    "birds in a tree": even("bright birds in fruit-laden branches")(
        sky(0.9, "day", clouds=False),
        colors(ground="sky+light.35 glow second+light.35 water+dark.2 leaf+light.45"),
        lambda c: c.backdrop((0, "ground"), (1, "ground+light.4")),
        maybe(0.5, orb((0.2, 0.8), 0.2, 0.09, "second", "second+light.3")),
        branches(any_of(partial(SONGBIRD, flip=1), partial(SONGBIRD, flip=-1))),
    ),
    "vase of flowers": tall("flowers in a vase")(still_life.bouquet),
    "sunflowers": tall("sunflowers in a vase")(partial(still_life.bouquet, sunflowers=True)),
    "fruit bowl": even("bowls of fruit on a table by the wall")(still_life.fruit_bowl),
    "melons": wide("melons cut open on bright cloth")(still_life.melons),
    "jug and lemons": even("a jug with a few lemons beside it")(still_life.jug_and_lemons),
    "guitar table": tall("guitars, bottles and newspapers on café tables")(still_life.guitar_table),
    "lady in a hat": tall("sitters in wide hats")(portraits.lady_in_a_hat),
    "ruff portrait": tall("sitters in white ruffs against the dark")(portraits.ruff_portrait),
    "bold head": tall("heads seen from close by in unmixed colours")(portraits.bold_head),
    # Abstract images
    "grid": even("black lines and a few blocks of primary colour")(abstract.grid),
    "quilt": even("triangles and quarter circles fitted together like a quilt")(abstract.quilt),
    "discs": even("rings of colour that seem to turn")(abstract.discs),
    "floating shapes": tall("plain shapes floating on white")(abstract.floating_shapes),
    "color field": tall("two or three soft-edged fields of a single colour")(abstract.color_field),
    "drips": wide("paint poured and flung across the whole surface")(abstract.drips),
    "op waves": even("stripes that swell and seem to move")(abstract.op_waves),
    "ink clouds": even("broad gestures in thinned colour")(abstract.ink_clouds),
}
