"""Artists' names: mis-decodings undone, one spelling for people, slugs for addresses, keys for matching.

A name written in UTF-8 and read through a single-byte code page comes out as mojibake: "ü" becomes "├╝".
Python's zipfile reads every entry without the UTF-8 flag as cp437; packing what it unpacked and reading
it again does it twice; and macOS takes the accents apart first, so that "ü" becomes "u╠ê".
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from itertools import groupby, pairwise

import ftfy.bad_codecs
from slugify import slugify

ftfy.bad_codecs.ok()  # registers the sloppy- codecs, which keep the bytes that Windows left undefined

# Where two pages undo a text to equally plausible names, the earlier page is believed.
PAGES = (
    *("cp437", "sloppy-windows-1252", "latin-1", "cp850", "mac_roman"),
    *(
        "sloppy-windows-1250",
        "sloppy-windows-1251",
        "sloppy-windows-1254",
        "cp852",
        "cp866",
        "cp857",
        "cp858",
    ),
    *("sloppy-windows-1253", "sloppy-windows-1257", "iso-8859-2", "iso-8859-15"),
)
DEPTH = 2  # more readings would undo more, and find more chance readings of right names

# The letters beyond ASCII that names are spelled with. Only what is at home together speaks for a name, so
# "Ăš" (Romanian, then Czech) is suspect though both are letters. Rare ones (Slovak ŕ and ĺ) are left out.
ALPHABETS = (
    "áéíñóúü",  # Spanish, Galician, Irish
    "àâæçéèêëîïôœùûüÿö",  # French, Dutch
    "àáâãçéêíóôõúü",  # Portuguese
    "àçèéíïòóúü",  # Catalan, Occitan
    "àèéìíîòóùú",  # Italian
    "äöüßé",  # German
    "ąćęłńóśźż",  # Polish
    "áäčďéěíľňóôřšťúůýž",  # Czech, Slovak
    "áéíóöőúüű",  # Hungarian
    "čćđšž",  # Croatian, Slovene
    "âçğıİîöşûüə",  # Turkish, Azerbaijani
    "ăâîșțşţ",  # Romanian, with commas or cedillas
    "åäæéöøü",  # Danish, Norwegian, Swedish, Finnish
    "áæðéíóöøúýþ",  # Icelandic, Faroese
    "äõöüšž",  # Estonian
    "āčēģīķļņōšūž",  # Latvian, Maori, Japanese in Latin letters
    "ąčęėįšųūž",  # Lithuanian
    "âçêëîôûŵŷċġħż",  # Welsh, Albanian, Maltese
    "àáâãèéêìíòóôõùúýăđĩũơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ",  # Vietnamese
    "абвгдежзийклмнопрстуфхцчшщъыьэюяё",  # Russian, Bulgarian
    "абвгґдеєжзиіїйклмнопрстуўфхцчшщьыэюяё",  # Ukrainian, Belarusian
    "абвгдђежзијклљмнњопрстћуфхцчџшѓѕќ",  # Serbian, Macedonian
    "αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώϊϋΐΰ",  # Greek
)
HOMES = tuple(frozenset(c for c in letters + letters.upper()) for letters in ALPHABETS)
SCRIPTS = frozenset(
    ["ARMENIAN", "GEORGIAN", "HEBREW", "ARABIC", "DEVANAGARI", "BENGALI", "TAMIL", "THAI", "CJK"]
)
EAST_ASIAN = frozenset(["CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "HANGUL", "IDEOGRAPHIC"])
EAST_ASIAN_SETS = ("gb2312", "big5", "shift_jis", "euc_kr")  # the common characters, of some 90,000
MARKS_IN_NAMES = "\N{NO-BREAK SPACE}’‘ʼʻ·–—"

# What speaks against a text being a name, and what a repair has to gain to be believed.
STRANGE, MIXED, FOREIGN, CASE, NEIGHBOURS = 30, 20, 10, 10, 5
STEP, DECOMPOSED, LOST_SPACE = 4, 2, 5


def repair(text: str) -> str:
    """The name as it was written."""
    given = unicodedata.normalize("NFC", text.strip(" \t\r\n"))
    found = {given: 0}
    latest = found | dict.fromkeys(_lost_spaces(given), LOST_SPACE)
    if not _oddness(given):
        return given.strip()
    for _ in range(DEPTH):
        undone: dict[str, int] = {}
        for garbled, price in latest.items():
            for reading in _undo(garbled):
                composed = unicodedata.normalize("NFC", reading)
                cost = price + STEP + (DECOMPOSED if composed != reading else 0)
                undone[composed] = min(cost, undone.get(composed, cost))
        latest = undone
        for reading, cost in undone.items():
            found.setdefault(reading, cost)
    return min(found, key=lambda name: found[name] + _oddness(name)).strip()


def _undo(text: str) -> Iterator[str]:
    """The texts whose UTF-8 bytes some code page reads as `text`."""
    for page in PAGES:
        try:
            yield text.encode(page).decode("utf-8")
        except UnicodeError:
            continue


def _lost_spaces(text: str) -> Iterator[str]:
    for pattern, filled in ((r"(?<=[^\x00-\x7f])[ _]", "\xa0"), (r"(?<=[^\x00-\x7f])(?=[ _]|$)", "\xa0")):
        variant = re.sub(pattern, filled, text)
        if variant != text:
            yield variant


def _oddness(text: str) -> int:
    odd = 0
    for script, run in groupby(text, key=lambda c: bool(_script(c))):
        if script:
            odd += _word_oddness("".join(run))
        else:
            odd += STRANGE * sum(not c.isascii() and c not in MARKS_IN_NAMES for c in run)
    for one, two in pairwise(text):
        if one.isascii() and two.isascii():
            continue
        if not one.isascii() and not two.isascii() and not (_script(one) == _script(two) != "LATIN"):
            odd += NEIGHBOURS
    return odd


def _word_oddness(word: str) -> int:
    scripts = {_script(c) for c in word}
    odd = MIXED * (len(scripts) - 1)
    beyond = [c for c in word if not c.isascii()]
    alphabetic = [c for c in beyond if _script(c) in ("LATIN", "GREEK", "CYRILLIC")]
    odd += FOREIGN * min(sum(c not in home for c in alphabetic) for home in HOMES)
    odd += FOREIGN * sum(not _usual(c) for c in beyond if c not in alphabetic)
    for at, (one, two) in enumerate(pairwise(word)):
        if one.isascii() and two.isascii():
            continue
        if (one.islower() and two.isupper()) or (at and one.isupper() and two.islower()):
            odd += CASE
    return odd


@cache
def _script(char: str) -> str:
    if unicodedata.category(char)[0] not in "LM" or char in MARKS_IN_NAMES or char in "ªº":
        return ""
    script = unicodedata.name(char, "").split(" ")[0]
    return "CJK" if script in EAST_ASIAN else script


@cache
def _usual(char: str) -> bool:
    if _script(char) != "CJK":
        return _script(char) in SCRIPTS
    for charset in EAST_ASIAN_SETS:
        try:
            char.encode(charset)
        except UnicodeError:
            continue
        return True
    return False


def display_name(folder: str) -> str:
    return " ".join(repair(folder).replace("_", " ").split())


def slugify_name(name: str) -> str:
    return slugify(display_name(name))


def match_key(name: str) -> str:
    return slugify_name(name).replace("-", "")
