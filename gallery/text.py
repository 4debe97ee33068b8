"""Text from outside on its way to a terminal, a log, a page or the Dagster UI.

Characters are hidden if they move the cursor, reverse the direction, end a line or show nothing. `printable`
shows them as escapes, where the exact text matters; `visible` leaves them out of what people read.
"""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Any

HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Unicode categories of hidden characters."""
JOINERS = "\u200c\u200d"
"""Hidden characters that Persian and Indic scripts, and emoji, need between letters."""


def is_hidden(character: str) -> bool:
    """Return whether the character is hidden."""
    return unicodedata.category(character) in HIDDEN


def printable(text: str) -> str:
    """Return the text on one line, with escapes such as ``\\x1b`` for hidden characters."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        character.encode("unicode_escape").decode("ascii") if is_hidden(character) else character
        for character in text
    )


def printable_lines(text: str) -> str:
    """Return the text with its line breaks, each line like `printable` and all but the first indented.

    So a line break in a name cannot forge a line of a log.
    """
    return "\n  ".join(map(printable, text.split("\n")))


def printable_json(value: Any) -> str:
    """Return the value as JSON on one line, with escapes for hidden characters only."""
    return re.sub(
        r"[^ -~]",
        lambda match: json.dumps(match[0])[1:-1] if is_hidden(match[0]) else match[0],
        json.dumps(value, ensure_ascii=False, default=str),
    )


def visible(text: str, keep: str = JOINERS) -> str:
    """Return the text without hidden characters, except those in `keep` and with blanks for white space."""
    return "".join(
        character if character in keep or not is_hidden(character) else " " * character.isspace()
        for character in text
    )
