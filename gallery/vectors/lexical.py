"""The words by which a work can be found: what the catalogue says of it, folded so that spelling does not matter."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container

from gallery.models import Artwork

VERSION = 3
"""Part of a build's name, since a store keeps these words: raise it with any change here, and the next refresh makes
a new build."""

IGNORED = frozenset(
    "a an and at by for from in is it like of on or paint painted painter painting picture the to with".split()  # noqa: SIM905
)
"""Words that say nothing about a particular painting."""

LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"})
"""Letters that Unicode does not take for one with an accent, but people without the key do."""


def tokens(text: str) -> list[str]:
    """The words of a text in lower case and without accents, in order, repeats and all; those that say nothing left out.

    "Impressionist" and "Impressionism" are one word, since the catalogue has the movement where people say its painters.
    """
    parts = unicodedata.normalize("NFKD", text).casefold()
    folded = "".join(c for c in parts if not unicodedata.combining(c)).translate(LETTERS)
    return [_stem(word) for word in re.findall(r"[^\W_]+", folded) if word not in IGNORED]


def searchable_text(work: Artwork) -> str:
    """The words of a work, each once, joined by blanks: its artist's name, genres and nationalities, and its file's
    name without the numbers, which only count the files."""
    artist = work.artist
    title = work.file.rpartition("/")[2].rpartition(".")[0]
    named = [word for word in tokens(title) if not word.isdecimal()]
    known = tokens(" ".join((artist.name, *artist.styles, *artist.nationalities)))
    return " ".join(dict.fromkeys((*known, *named)))


def remove_words(text: str, words: Container[str]) -> str:
    """The text without those words, in whatever form they stand in it; the whole text where nothing else is said."""
    kept = [
        part for part in text.split() if not (said := tokens(part)) or not all(word in words for word in said)
    ]
    return " ".join(kept) if tokens(" ".join(kept)) else text


def _stem(word: str) -> str:
    for ending in ("ists", "istic", "ism", "ist"):
        if word.endswith(ending) and len(word) > len(ending) + 2:
            return word[: -len(ending)] + "ism"
    return word
