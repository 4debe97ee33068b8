"""Artists' names: mis-decodings undone, one spelling for people, slugs for addresses, keys for matching.

A name written in UTF-8 and read through a single-byte code page comes out as mojibake: "ü" becomes "├╝".
Python's zipfile reads every entry without the UTF-8 flag as cp437; packing what it unpacked and reading
that again does it twice; and macOS takes accents off their letters first, so that "ü" becomes "u╠ê".
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import groupby, pairwise

import ftfy.bad_codecs
from slugify import slugify

ftfy.bad_codecs.ok()  # registers the sloppy- codecs, which keep the bytes that Windows left undefined

DEPTH = 2  # readings to undo; each more is one more chance to read sense into nonsense

# Pages by what undoing a reading through them costs: where several turn a text into a name, the more usual
# one is believed, then the earlier one.
USUAL_PAGES = (
    *("cp437", "sloppy-windows-1252", "latin-1", "cp850", "mac_roman", "sloppy-windows-1250"),
    *("sloppy-windows-1251", "sloppy-windows-1254", "cp852", "cp866", "sloppy-windows-1253"),
)
OTHER_PAGES = (
    *("cp857", "cp858", "sloppy-windows-1257", "iso-8859-2", "iso-8859-15", "iso-8859-9", "cp775", "cp860"),
    *("cp863", "cp865", "cp737", "koi8-r", "sloppy-windows-1255", "sloppy-windows-1256", "mac_latin2"),
)
PAGES = dict.fromkeys(USUAL_PAGES, 4) | dict.fromkeys(OTHER_PAGES, 6)
SECOND_PAGE = 2  # the second reading went through another page than the first
DECOMPOSED = 2  # the accents were off their letters
LOST_SPACE = 5  # a no-break space was part of the mojibake, and something made it a plain one

# What speaks against a text being a name. The numbers only have to outweigh each other as said here; the
# tests measure how many names they bring back.
STRANGE = 30  # a character that is no letter and not in MARKS: box drawing, currency, control
MIXED = 20  # two scripts in one name
FOREIGN = 10  # a letter that the rest of its word is not spelled with
CASE = 10  # a capital after a small letter, a small one after two capitals, or "Å imon"
NEIGHBOURS = 8  # two letters beyond ASCII side by side, which every mojibake has and few names
SHAPE = 3  # a word that starts small, or is all capitals where the rest of the name is not
MARKS = "’‘ʼʻ·・–—"

# The letters beyond ASCII that names are spelled with. Only letters at home in one language speak for a word:
# "Ăš" (Romanian, then Czech) is a misread "Ú". Slovak ŕ and ĺ are left out: in mojibake they are common.
ALPHABETS = (
    "áéíñóúü",  # Spanish, Galician, Irish
    "àâæçéèêëîïôœùûüÿö",  # French, Dutch
    "àáâãçéêíóôõúü",  # Portuguese
    "àçèéìíîïòóùúü",  # Italian, Catalan, Occitan
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
    "āąčēęėģīįķļņōšūųž",  # Latvian, Lithuanian, Maori, Japanese in Latin letters
    "âçêëîôûŵŷċġħż",  # Welsh, Albanian, Maltese
    "àáâãèéêìíòóôõùúýăđĩũơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ",  # Vietnamese
    "абвгдежзийклмнопрстуфхцчшщъыьэюяё",  # Russian, Bulgarian
    "абвгґдеєжзиіїйклмнопрстуўфхцчшщьыэюяё",  # Ukrainian, Belarusian
    "абвгдђежзијклљмнњопрстћуфхцчџшѓѕќ",  # Serbian, Macedonian
    "αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώϊϋΐΰ",  # Greek
)
HOMES = tuple(frozenset(letters + letters.upper()) for letters in ALPHABETS)
SPELLED = frozenset({"LATIN", "CYRILLIC", "GREEK"})  # the scripts that ALPHABETS is about
UNSPELLED = frozenset({"ARMENIAN", "GEORGIAN", "HEBREW", "ARABIC", "DEVANAGARI", "BENGALI", "TAMIL", "THAI"})
EAST_ASIAN = frozenset({"CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "HANGUL", "IDEOGRAPHIC"})
EAST_ASIAN_SETS = ("gb2312", "big5", "shift_jis", "euc_kr")  # the usual ones of 100,000 characters


def repair(text: str) -> str:
    """The name as it was written: mojibake undone, accents composed (NFC), outer white space trimmed.

    A right name comes back unchanged. So does one that no code page turns back, or only into something
    that looks less like a name. Where two names give the same mojibake the likelier one comes back:
    "VelĂĄzquez" is "Velåzquez" through cp1250 and "Velázquez" through ISO 8859-2, and the former is
    believed as cp1250 is the more usual page; "ș" decomposed and read as Mac Roman is "ö" read as cp1252.
    What is undone is UTF-8 read as something else, not one single-byte page read as another.
    """
    given = unicodedata.normalize("NFC", text.strip(" \t\r\n"))  # more is mojibake: the tail of "à" is U+00A0
    if not _oddness(given):
        return given.strip()
    costs = {given: 0}
    latest = {(given, ""): 0}
    for _ in range(DEPTH):
        undone: dict[tuple[str, str], int] = {}
        for (garbled, last_page), so_far in latest.items():
            for page, reading, price in _undo(garbled):
                name = unicodedata.normalize("NFC", reading)
                price += so_far + DECOMPOSED * (name != reading) + SECOND_PAGE * (last_page not in ("", page))
                undone[name, page] = min(price, undone.get((name, page), price))
                costs[name] = min(price, costs.get(name, price))
        latest = undone
    return min(costs, key=lambda name: costs[name] + _oddness(name)).strip()


def display_name(folder: str) -> str:
    """The name for people, from a folder's or the CSV's spelling: repaired, with single spaces, no underscores."""
    return " ".join(repair(folder).replace("_", " ").split())


def slugify_name(name: str) -> str:
    """The name for addresses: "albrecht-durer". ASCII, and empty only where the name is."""
    small = display_name(name).casefold()  # first, as the transliteration spells "Є" and "є" differently
    plain = slugify(small, replacements=[("’", "'")])
    # What cannot be written in ASCII has a name in Unicode that can.
    return plain or slugify(" ".join(unicodedata.name(char, hex(ord(char))) for char in small))


def match_key(name: str) -> str:
    """What all spellings of one name share: its letters and digits in ASCII, without accents and case.

    Names that only differ in what ASCII cannot tell apart, such as Chinese ones of the same sound, share it too.
    """
    return slugify_name(name).replace("-", "")


def best_spelling(spellings: Sequence[str]) -> str:
    """The one to show of at least one right spelling of a name: the one with most accented letters, then the first."""

    def accented(name: str) -> int:
        return sum(_script(c) == "LATIN" and not c.isascii() for c in unicodedata.normalize("NFC", name))

    return max(spellings, key=accented)


def _undo(text: str) -> Iterator[tuple[str, str, int]]:
    """Each code page that may have read UTF-8 as `text`, with what that was and what believing it costs."""
    if "\N{REPLACEMENT CHARACTER}" in text:
        return  # a byte was lost for good, though the sloppy- codecs would make it 1A
    for page, price in PAGES.items():
        try:
            read = text.encode(page)
        except UnicodeEncodeError:
            continue
        for octets, extra in ((read, 0), (_with_lost_spaces(read), LOST_SPACE)):
            try:
                yield page, octets.decode("utf-8"), price + extra
            except UnicodeDecodeError:
                continue
            break


def _with_lost_spaces(read: bytes) -> bytes:
    """UTF-8 with byte A0 put back where it became a space or an underscore, or was trimmed off the end."""
    # "VilÃ Nova" was "Vilà Nova" and "GrÃ cia" was "Gràcia": only the former's space was there before.
    whole = re.sub(rb"([a-z\x80-\xbf][\xc2-\xdf])(?=[ _][A-Z\xc2-\xf4]|$)", b"\\1\xa0", read)
    return re.sub(rb"([\xc2-\xdf]|[\xe0-\xef][\x80-\xbf])[ _]", b"\\1\xa0", whole)


def _oddness(text: str) -> int:
    """How little `text` looks like a name: 0 for most right ones, and for all in ASCII."""
    if text.isascii():
        return 0
    odd = MIXED * max(0, len({_script(c) for c in text} - {"", "COMBINING"}) - 1)
    for is_word, run in groupby(text, key=lambda c: _script(c) != ""):
        word = "".join(run)
        if not is_word:
            odd += STRANGE * sum(not c.isascii() and c not in MARKS for c in word)
        elif not word.isascii():
            odd += _spelling_oddness(word)
            odd += (1 if text.islower() else SHAPE) * (word[0].islower() and not word[0].isascii())
            odd += SHAPE * (len(word) > 1 and word.isupper() and not text.isupper())
    if lone := re.search(r"(?<!\w)([^\W\d_a-zA-Z])[ _][a-z]", text):
        odd += CASE * lone[1].isupper()
    for one, two in pairwise(text):
        if not one.isascii() and not two.isascii() and one.lower() != two.lower():
            odd += NEIGHBOURS * (_script(one) != _script(two) or _script(one) == "LATIN")
    return odd


def _spelling_oddness(word: str) -> int:
    """How little the letters of `word`, some of them beyond ASCII, go together."""
    beyond = [c for c in word if not c.isascii()]
    spelled = [c for c in beyond if _script(c) in SPELLED]
    odd = FOREIGN * min(sum(c not in home for c in spelled) for home in HOMES)
    odd += FOREIGN * sum(not _is_usual(c) for c in beyond if _script(c) not in SPELLED)
    for at, (one, two) in enumerate(pairwise(word)):
        if one.isascii() and two.isascii():
            continue  # "McDonald" is nobody's mojibake
        if (one.islower() and two.isupper()) or (at and one.isupper() and two.islower()):
            odd += CASE
        if two == "ß" and one.lower() not in "aäeioöuüy":  # it follows vowels only
            odd += FOREIGN
    return odd


@cache
def _script(char: str) -> str:
    """The first word of a letter's name in Unicode, one for East Asia, or "" for what is no letter."""
    if unicodedata.category(char)[0] not in "LM" or char in MARKS or char in "ªº":
        return ""
    script = unicodedata.name(char, "").split(" ")[0]
    return "CJK" if script in EAST_ASIAN else script


@cache
def _is_usual(char: str) -> bool:
    """Whether names are written with this letter of a script that ALPHABETS says nothing about."""
    if _script(char) != "CJK":
        return _script(char) in UNSPELLED
    return any(char.encode(charset, "ignore") for charset in EAST_ASIAN_SETS)
