"""Biographies in the style of an encyclopaedia. Each states that its artist is invented."""

from __future__ import annotations

import random
import re

from sample_art.artists import Artist
from sample_art.scenes import scenes

_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_TECHNIQUES = {
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
    "{He} worked with {technique}, a manner that contemporaries first mocked and then copied.",
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


def biography(artist: Artist) -> str:
    """Return two to six sentences, always the same for an artist."""
    rng = random.Random(f"biography/{artist.name}")
    born, died = re.findall(r"\d+", artist.years)
    style = " and ".join(_spoken(s) for s in artist.styles)
    nationality = artist.nationalities[0]
    article = "an" if nationality[0] in "AEIOU" else "a"
    *others, last = (scenes()[scene].subject for scene in dict.fromkeys(artist.scenes))
    subjects = f"{', '.join(others)} and {last}" if others else last
    he = artist.pronoun
    words = {
        "name": artist.name.split()[0],
        "place": artist.place,
        "technique": _TECHNIQUES[artist.finish],
        "trade": rng.choice(_TRADES),
        "age": str(rng.randrange(15, 22)),
        "he": he,
        "He": he.capitalize(),
        "His": "His" if he == "he" else "Her",
    }
    dates = f"{_day(rng)} {born} – {_day(rng)} {died}" if artist.sound else f"{born} – {died}"
    brackets = f"{artist.sound}; {dates}" if artist.sound else dates
    first = (
        f"{artist.name} ({brackets}) is an invented artist of a generated sample collection, "
        f"imagined as {article} {nationality} painter of {style}, born in {artist.place}."
    )
    second = f"{words['He']} is known for {subjects}."
    more = [sentence.format(**words) for sentence in rng.sample(_MORE, rng.randrange(5))]
    return " ".join([first, second, *more])


def _spoken(style: str) -> str:
    """Return the style as written in a sentence; names of movements keep their capital."""
    plain = _PLURALS.get(style, style.lower())
    return style if style.endswith("ism") or style == "Baroque" else plain


def _day(rng: random.Random) -> str:
    return f"{rng.randrange(1, 29)} {rng.choice(_MONTHS)}"
