"""Text from outside on its way to a terminal or a log."""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Any

HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Unicode categories that move the cursor, reverse the direction, end a line or show nothing."""


def printable_json(value: Any) -> str:
    """Return the value as JSON on one line, with escapes for hidden characters only."""
    return re.sub(
        r"[^ -~]",
        lambda match: json.dumps(match[0])[1:-1] if unicodedata.category(match[0]) in HIDDEN else match[0],
        json.dumps(value, ensure_ascii=False, default=str),
    )


def printable_lines(text: str) -> str:
    """Return the text with its line breaks, and with escapes for other hidden characters."""
    return "\n".join(map(printable, text.split("\n")))


def printable(text: str) -> str:
    """Return the text on one line, with escapes such as ``\\x1b`` for hidden characters."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        character.encode("unicode_escape").decode("ascii")
        if unicodedata.category(character) in HIDDEN
        else character
        for character in text
    )
