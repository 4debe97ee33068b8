"""Painters' lives as an encyclopedia would begin them, each saying plainly that it is invented."""

from __future__ import annotations

import random
import re

from gallery.datasets.painter.painters import Painter

_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_SUBJECTS = {
    "regatta": "sailing boats racing in a fresh wind",
    "beach": "parasols and bathers on wide summer beaches",
    "harbour": "fishing harbours with their boats at rest",
    "lighthouse": "lighthouses on their rocks",
    "storm": "ships in heavy seas",
    "moonlit sea": "calm seas under the moon",
    "alps": "snow-covered mountains above dark firs",
    "fjord": "still water between steep shores",
    "waterfall": "waterfalls in narrow valleys",
    "snow peak": "a single snow-capped peak seen from many sides",
    "windmill": "windmills under large skies",
    "canal": "gabled houses along canals",
    "birch wood": "birch woods at the end of the year",
    "hay field": "hay fields after the harvest",
    "wheat field": "wheat fields under a burning sun",
    "poppy field": "poppies among tall grass",
    "daisy meadow": "daisies seen from close to the ground",
    "hill road": "roads that wind over green hills",
    "sunset": "the last light over water and land",
    "river bank": "people at leisure by the river",
    "poplar river": "rows of poplars mirrored in a slow river",
    "lotus pond": "water lilies and the sky between them",
    "bridge": "stone bridges and their reflections",
    "village church": "villages gathered round a church with a pointed steeple",
    "snow village": "villages deep in snow",
    "hill town": "tiled roofs climbing a hill",
    "white town": "white houses with blue domes above the sea",
    "lagoon city": "the palaces and towers of a city on the water",
    "night street": "streets lit by lamps after rain",
    "starry night": "turning stars above sleeping villages",
    "northern lights": "the northern lights above snow",
    "balloons": "hot-air balloons drifting over fields",
    "acacia plain": "acacias on the plain and the animals in their shade",
    "cactus land": "cactuses in red land",
    "birds in a tree": "bright birds in fruit-laden branches",
    "vase of flowers": "flowers in a vase",
    "sunflowers": "sunflowers, in the vase and in the field",
    "fruit bowl": "bowls of fruit on a table by the wall",
    "melons": "melons cut open on bright cloth",
    "jug and lemons": "a jug with a few lemons beside it",
    "guitar table": "guitars, bottles and newspapers on café tables",
    "lady in a hat": "sitters in wide hats",
    "ruff portrait": "sitters in white ruffs against the dark",
    "bold head": "heads seen from close by in unmixed colours",
    "grid": "black lines and a few blocks of primary colour",
    "quilt": "triangles and quarter circles fitted together like a quilt",
    "discs": "rings of colour that seem to turn",
    "floating shapes": "plain shapes floating on white",
    "colour field": "two or three soft-edged fields of a single colour",
    "drips": "paint poured and flung across the whole surface",
    "op waves": "stripes that swell and seem to move",
    "ink clouds": "broad gestures in thinned colour",
}
_TOUCHES = {
    "oil": "thin layers of oil that let the lower ones shine through",
    "strokes": "short, quick strokes set side by side",
    "swirl": "long strokes that follow the turning of sky and ground",
    "dots": "small dots of pure colour meant to mix in the eye",
    "knife": "a palette knife in place of a brush",
    "canvas": "dry paint that leaves the weave of the canvas visible",
    "gouache": "flat, chalky gouache",
    "ink": "clear colours held by a dark outline",
    "wash": "transparent washes on damp paper",
    "cubist": "facets that show one thing from several sides",
}
_MORE = (
    "The younger of two children of a {trade}, {name} is said to have drawn on the backs of the family's bills, and moved to the capital at the age of {age} to study.",
    "{He} travelled little and returned to the same few subjects at different hours of the day, sometimes a dozen times in one season.",
    "{He} worked with {touch}, a manner that contemporaries first mocked and then copied.",
    "The first exhibition, held in rooms above a {trade}'s shop, sold two pictures, both to the landlord.",
    "Letters to a sister describe long walks with a folding easel and a low opinion of critics.",
    "Late in life {he} gave lessons to the children of {place}, several of whom became painters in their turn.",
    "{His} pictures are recognised by their narrow range of colours, which {he} mixed in the winter and kept in labelled jars.",
    "After years of neglect the work was shown again in the provinces, where its calm and its warm light found many friends.",
    "{He} never gave a picture a title; the numbers in use today are those of the inventory.",
    "Fire destroyed much of the early work, and what is left was made almost entirely after the age of forty.",
)
_PLURALS = {
    "Landscape": "landscapes",
    "Nocturne": "nocturnes",
    "Portraiture": "portraits",
    "Still life": "still lifes",
    "Townscape": "townscapes",
    "Veduta": "vedute",
}
_TRADES = ("baker", "ship's carpenter", "schoolmaster", "clockmaker", "grocer", "bookbinder", "gardener")


def biography(painter: Painter) -> str:
    """Two to six sentences, the same for the same painter."""
    rng = random.Random(f"life/{painter.name}")
    born, died = re.findall(r"\d+", painter.years)
    genre = " and ".join(_spoken(g) for g in painter.genres)
    nationality = painter.nationalities[0]
    article = "an" if nationality[0] in "AEIOU" else "a"
    subjects = " and ".join(_SUBJECTS[motif] for motif in dict.fromkeys(painter.motifs))
    he = painter.pronoun
    words = {
        "name": painter.name.split()[0],
        "place": painter.place,
        "touch": _TOUCHES[painter.touch],
        "trade": rng.choice(_TRADES),
        "age": str(rng.randrange(15, 22)),
        "he": he,
        "He": he.capitalize(),
        "His": "His" if he == "he" else "Her",
    }
    dates = f"{_day(rng)} {born} – {_day(rng)} {died}" if painter.sound else f"{born} – {died}"
    brackets = f"{painter.sound}; {dates}" if painter.sound else dates
    first = (
        f"{painter.name} ({brackets}) is an invented painter of a generated sample collection, "
        f"imagined as {article} {nationality} painter of {genre}, born in {painter.place}."
    )
    second = f"{words['He']} is known for {subjects}."
    more = [sentence.format(**words) for sentence in rng.sample(_MORE, rng.randrange(5))]
    return " ".join([first, second, *more])


def _spoken(genre: str) -> str:
    """The genre inside a sentence: names of movements keep their capital."""
    plain = _PLURALS.get(genre, genre.lower())
    return genre if genre.endswith("ism") or genre == "Baroque" else plain


def _day(rng: random.Random) -> str:
    return f"{rng.randrange(1, 29)} {rng.choice(_MONTHS)}"
