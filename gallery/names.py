"""Artists' names: repair of mojibake, display names, slugs for URLs, and keys for matching.

UTF-8 decoded with a single-byte code page becomes mojibake: "ü" becomes "├╝". Python's zipfile decodes every
entry without the UTF-8 flag as cp437; packing the unpacked files and reading that zip does it twice; macOS
decomposes accented letters first, so that "ü" becomes "u╠ê".
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import groupby, pairwise

import ftfy.bad_codecs
from slugify import slugify

from gallery.models import MAX_VALUE_CHARS
from gallery.text import visible

ftfy.bad_codecs.ok()  # registers the sloppy- codecs, which keep bytes that Windows leaves undefined

MAX_DECODINGS = 2  # wrong decodings to undo; undoing more turns nonsense into names

# Code pages and the cost of assuming each: if several turn a text into a name, the more common page wins,
# then the one listed first.
COMMON_PAGES = (
    *("cp437", "sloppy-windows-1252", "latin-1", "cp850", "mac_roman", "sloppy-windows-1250"),
    *("sloppy-windows-1251", "sloppy-windows-1254", "cp852", "cp866", "sloppy-windows-1253"),
)
RARE_PAGES = (
    *("cp857", "cp858", "sloppy-windows-1257", "iso-8859-2", "iso-8859-15", "iso-8859-9", "cp775", "cp860"),
    *("cp863", "cp865", "cp737", "koi8-r", "sloppy-windows-1255", "sloppy-windows-1256", "mac_latin2"),
)
PAGE_COSTS = dict.fromkeys(COMMON_PAGES, 4) | dict.fromkeys(RARE_PAGES, 6)
SECOND_PAGE_COST = 2  # the second decoding used a different page from the first
DECOMPOSED_COST = 2  # the accented letters were decomposed
LOST_SPACE_COST = 5  # a no-break space in the mojibake became a plain one

# Penalties for what is unusual in a name. Only their order matters; the tests measure how many names are
# restored.
SYMBOL_PENALTY = 30  # neither a letter nor in NAME_PUNCTUATION: box drawing, currency, control characters
MIXED_SCRIPTS_PENALTY = 20  # two scripts in one name
FOREIGN_LETTER_PENALTY = 10  # a letter that the language of the rest of the word does not use
CASE_PENALTY = 10  # a capital after a small letter, a small letter after two capitals, or "Å imon"
ADJACENT_PENALTY = 8  # two adjacent non-ASCII letters: usual in mojibake, rare in names
WORD_CASE_PENALTY = 3  # a word that starts with a small letter, or is all capitals when the name is not
NAME_PUNCTUATION = "’‘ʼʻ·・–—"

# The non-ASCII letters of each language. A word must fit a single language: "Ăš" (Romanian, then Czech) is
# mojibake of "Ú". Slovak ŕ and ĺ are left out, because they are common in mojibake.
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
LETTER_SETS = tuple(frozenset(letters + letters.upper()) for letters in ALPHABETS)
ALPHABET_SCRIPTS = frozenset({"LATIN", "CYRILLIC", "GREEK"})  # the scripts of ALPHABETS
OTHER_SCRIPTS = frozenset(
    {"ARMENIAN", "GEORGIAN", "HEBREW", "ARABIC", "DEVANAGARI", "BENGALI", "TAMIL", "THAI"}
)
EAST_ASIAN = frozenset({"CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "HANGUL", "IDEOGRAPHIC"})
# These contain the common characters among the 100,000 of East Asia.
EAST_ASIAN_CHARSETS = ("gb2312", "big5", "shift_jis", "euc_kr")


def repair(text: str) -> str:
    """Return the name with mojibake undone, in NFC, without surrounding white space.

    Correct names are returned unchanged, and so is text that no code page turns into something more like a
    name. If two names give the same mojibake, the one with the more common code page is returned:
    "VelĂĄzquez" is "Velåzquez" in cp1250 and "Velázquez" in ISO 8859-2, and cp1250 is more common. Likewise,
    a decomposed "ș" in Mac Roman looks like "ö" in cp1252. Only wrongly decoded UTF-8 is repaired, not text
    in one single-byte page that was decoded with another.
    """
    given = unicodedata.normalize("NFC", text.strip(" \t\r\n"))  # not U+00A0, the second byte of "à"
    if not _penalty(given):
        return given.strip()
    costs = {given: 0}
    latest = {(given, ""): 0}
    for _ in range(MAX_DECODINGS):
        undone: dict[tuple[str, str], int] = {}
        for (garbled, last_page), so_far in latest.items():
            for page, original, cost in _undo(garbled):
                name = unicodedata.normalize("NFC", original)
                cost += (
                    so_far
                    + DECOMPOSED_COST * (name != original)
                    + SECOND_PAGE_COST * (last_page not in ("", page))
                )
                undone[name, page] = min(cost, undone.get((name, page), cost))
                costs[name] = min(cost, costs.get(name, cost))
        latest = undone
    return min(costs, key=lambda name: costs[name] + _penalty(name)).strip()


def display_name(folder: str) -> str:
    """Return the display name for a spelling in a folder or the CSV: repaired, with single spaces.

    Without hidden characters.
    """
    return " ".join(visible(repair(folder).replace("_", " ")).split())


def slugify_name(name: str) -> str:
    """Return the name as used in URLs, such as "albrecht-durer": ASCII, and empty only if the name is.

    A slug of more than MAX_VALUE_CHARS is cut, and ends with a digest of the whole.
    """
    small = display_name(name).casefold()  # before, because "Є" and "є" are transliterated differently
    plain = slugify(small, replacements=[("’", "'")])
    # Characters without a transliteration have an ASCII name in Unicode.
    slug = plain or slugify(" ".join(unicodedata.name(char, hex(ord(char))) for char in small))
    if len(slug) <= MAX_VALUE_CHARS:
        return slug
    return f"{slug[: MAX_VALUE_CHARS - 9]}-{hashlib.sha256(slug.encode()).hexdigest()[:8]}"


def match_key(name: str) -> str:
    """Return a key shared by all spellings of a name: ASCII letters and digits, without accents or case.

    Different names share it if they are transliterated alike, as are Chinese names of the same sound.
    """
    return slugify_name(name).replace("-", "")


def best_spelling(spellings: Sequence[str]) -> str:
    """Return the spelling to show: the one with the most accented letters; of several, the first."""

    def accented(name: str) -> int:
        return sum(_script(c) == "LATIN" and not c.isascii() for c in unicodedata.normalize("NFC", name))

    return max(spellings, key=accented)


def _undo(text: str) -> Iterator[tuple[str, str, int]]:
    """Yield (code page, original text, cost) for pages with which UTF-8 may have been decoded as `text`."""
    if "\N{REPLACEMENT CHARACTER}" in text:
        return  # a byte is lost, but the sloppy- codecs would encode 1A for it
    for page, cost in PAGE_COSTS.items():
        try:
            encoded = text.encode(page)
        except UnicodeEncodeError:
            continue
        for octets, extra in ((encoded, 0), (_restore_lost_spaces(encoded), LOST_SPACE_COST)):
            try:
                yield page, octets.decode("utf-8"), cost + extra
            except UnicodeDecodeError:
                continue
            break


def _restore_lost_spaces(encoded: bytes) -> bytes:
    """Restore byte A0 in UTF-8 where it became a space or an underscore, or was trimmed."""
    # "VilÃ Nova" was "Vilà Nova", which has a space, and "GrÃ cia" was "Gràcia", which has none.
    whole = re.sub(rb"([a-z\x80-\xbf][\xc2-\xdf])(?=[ _][A-Z\xc2-\xf4]|$)", b"\\1\xa0", encoded)
    return re.sub(rb"([\xc2-\xdf]|[\xe0-\xef][\x80-\xbf])[ _]", b"\\1\xa0", whole)


def _penalty(text: str) -> int:
    """Return a penalty for what is unlike a name in the text: 0 for ASCII and most correct names."""
    if text.isascii():
        return 0
    penalty = MIXED_SCRIPTS_PENALTY * max(0, len({_script(c) for c in text} - {"", "COMBINING"}) - 1)
    for is_word, run in groupby(text, key=lambda c: _script(c) != ""):
        word = "".join(run)
        if not is_word:
            penalty += SYMBOL_PENALTY * sum(not c.isascii() and c not in NAME_PUNCTUATION for c in word)
        elif not word.isascii():
            penalty += _spelling_penalty(word)
            penalty += (1 if text.islower() else WORD_CASE_PENALTY) * (
                word[0].islower() and not word[0].isascii()
            )
            penalty += WORD_CASE_PENALTY * (len(word) > 1 and word.isupper() and not text.isupper())
    if lone := re.search(r"(?<!\w)([^\W\d_a-zA-Z])[ _][a-z]", text):
        penalty += CASE_PENALTY * lone[1].isupper()
    for one, two in pairwise(text):
        if not one.isascii() and not two.isascii() and one.lower() != two.lower():
            penalty += ADJACENT_PENALTY * (_script(one) != _script(two) or _script(one) == "LATIN")
    return penalty


def _spelling_penalty(word: str) -> int:
    """Return a penalty for letters that do not belong together in a word with non-ASCII letters."""
    non_ascii = [c for c in word if not c.isascii()]
    known = [c for c in non_ascii if _script(c) in ALPHABET_SCRIPTS]
    penalty = FOREIGN_LETTER_PENALTY * min(sum(c not in letters for c in known) for letters in LETTER_SETS)
    penalty += FOREIGN_LETTER_PENALTY * sum(
        not _is_common(c) for c in non_ascii if _script(c) not in ALPHABET_SCRIPTS
    )
    for at, (one, two) in enumerate(pairwise(word)):
        if one.isascii() and two.isascii():
            continue  # "McDonald" is not mojibake
        if (one.islower() and two.isupper()) or (at and one.isupper() and two.islower()):
            penalty += CASE_PENALTY
        if two == "ß" and one.lower() not in "aäeioöuüy":  # only after vowels
            penalty += FOREIGN_LETTER_PENALTY
    return penalty


@cache
def _script(char: str) -> str:
    """Return a letter's script, such as "LATIN"; "CJK" for East Asia, and "" for non-letters."""
    if unicodedata.category(char)[0] not in "LM" or char in NAME_PUNCTUATION or char in "ªº":
        return ""
    script = unicodedata.name(char, "").split(" ")[0]
    return "CJK" if script in EAST_ASIAN else script


@cache
def _is_common(char: str) -> bool:
    """Return whether a letter of a script that ALPHABETS does not cover is common in names."""
    if _script(char) != "CJK":
        return _script(char) in OTHER_SCRIPTS
    return any(char.encode(charset, "ignore") for charset in EAST_ASIAN_CHARSETS)
