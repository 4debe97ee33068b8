"""Words for full-text search: the catalogue's text about a work, without accents, case and inflection."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container

from gallery.models import Artwork

VERSION = 3
"""Version of these words, part of a build's name since stores index them. Raise it with any change here, and
the next refresh makes a new build."""

STOP_WORDS = frozenset(
    "a an and at by for from in is it like of on or".split()  # noqa: SIM905
    + "paint painted painter painting picture the to with".split()  # noqa: SIM905
)
"""Words that do not distinguish one painting from another."""

UNACCENTED = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"}
)
"""Letters that Unicode does not decompose into a base letter and an accent, and what people type instead."""


def tokens(text: str) -> list[str]:
    """Return the words of a text in order, with repeats, in lower case, without accents and stop words.

    "Impressionist" becomes "impressionism": the catalogue names the movement, people often its artists.
    """
    parts = unicodedata.normalize("NFKD", text).casefold()
    folded = "".join(c for c in parts if not unicodedata.combining(c)).translate(UNACCENTED)
    return [_stem(word) for word in re.findall(r"[^\W_]+", folded) if word not in STOP_WORDS]


def searchable_text(work: Artwork) -> str:
    """Return the distinct words about a work, separated by spaces.

    They come from its artist's name, styles and nationalities, and from its file name, whose numbers are left
    out: they only count files.
    """
    artist = work.artist
    title = work.file.rpartition("/")[2].rpartition(".")[0]
    named = [word for word in tokens(title) if not word.isdecimal()]
    known = tokens(" ".join((artist.name, *artist.styles, *artist.nationalities)))
    return " ".join(dict.fromkeys((*known, *named)))


def remove_words(text: str, words: Container[str]) -> str:
    """Return the text without `words` (as `tokens` returns them), or unchanged if no word would remain."""
    kept = [
        part
        for part in text.split()
        if not (found := tokens(part)) or not all(word in words for word in found)
    ]
    return " ".join(kept) if tokens(" ".join(kept)) else text


def _stem(word: str) -> str:
    for ending in ("ists", "istic", "ism", "ist"):
        if word.endswith(ending) and len(word) > len(ending) + 2:
            return word[: -len(ending)] + "ism"
    return word
