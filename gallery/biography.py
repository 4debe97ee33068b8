"""What the columns of artists.csv say: the years of a life, lists of genres and nations, a short biography.

The biographies are the openings of encyclopaedia articles as plain text, with what that leaves behind:
pronunciations, names in other alphabets, brackets around nothing, paragraphs run together.
"""

from __future__ import annotations

import re

DASH = "[-‐‑‒–—―−]"
DEATH = re.compile(rf"{DASH}|†|\bdied\b|\bd\.|\bto\b|\buntil\b", re.IGNORECASE)
# The years of a working life ("fl. 1420–1440") are neither birth nor death.
ACTIVE = re.compile(r"\b(?:fl\.|flourished\b|active\b)", re.IGNORECASE)
YEAR = re.compile(r"(?<!\d)\d{3,4}(?!\d)")

# All that follows is to take time linear in the text: repeats are bounded, possessive, or stop at what starts them.
PHONETIC = re.compile("[\u0250-\u02ff\u1d00-\u1dbf\u0361θβχ]")
LISTEN = re.compile(r" ?(?:\( ?(?:listen|help·info) ?\)|ⓘ)")
SLASHED = re.compile(r" ?/[^/\d]{1,80}/")
SQUARE = re.compile(r" ?\[([^\[\]]*)\]")
CITATION = re.compile(r"\d{1,3}|[a-z]|(?:note|nb|n) ?\d+|(?:citation|clarification) needed", re.IGNORECASE)
ROUND = re.compile(r" ?\(((?:[^()]++|\([^()]*+\))*+)\)|\)")
# "French:" or "US:", before a pronunciation or a name in another language; not "Born:", before a date.
LABEL = r"(?:(?!Born|Died|Bapti[sz]ed|Active)[A-Z][\w-]{0,30}(?: [A-Za-z-]{1,30}){0,2}:|(?:or |also )?pronounced\b|IPA\b)"
LABELLED = re.compile(LABEL)
LABELLED_END = re.compile(rf", ?{LABEL}")
RESPELLED = re.compile(r"[a-zə]-[A-Z]{2}|[A-Z]{2}-[a-zə]")  # "mə-NAY"

CAPITAL = "A-ZÀ-ÖØ-ÞĀ-Ž"
GLUED = re.compile(rf"(?<=[a-z\d)\]\"”][.!?])(?=[\"“(]?[{CAPITAL}][^.])")  # "Paris.Monet"
STOP = re.compile(r"(?<![.!?])[.!?]++[\"”’')\]]*+(?= [^a-z]|$)")
# What ends in a full stop that ends no sentence: initials, and these.
ABBREVIATED = re.compile(
    rf"(?:[{CAPITAL}]\.)*[{CAPITAL}]|(?i:st|ste|mt|ft|dr|mr|mrs|ms|mme|mlle|prof|rev|hon|gen|col|capt|jr|sr|bros"
    "|c|ca|approx|b|d|fl|r|no|nos|vol|pp|fig|op|cf|vs|e\\.g|i\\.e|o\\.s|n\\.s)"
)
ELLIPSIS = "…"


def parse_years(text: str) -> tuple[int | None, int | None]:
    """The years of birth and death in "1853 – 1890", "c. 1450–1516" or "born 1932"; None for what is not said.

    Of a year in doubt ("1488/1490 – 1576") the first is taken.
    """
    born, *later = DEATH.split(ACTIVE.split(text)[0])
    births = YEAR.findall(born)
    birth = int(births[0]) if births else None
    deaths = [years[0] for part in later if (years := YEAR.findall(part))]
    if deaths:
        return birth, int(deaths[-1])
    if birth and len(later) == 1 and re.fullmatch(r"\s*\d\d\W*", later[0]):  # "1853–90"
        death = birth // 100 * 100 + int(re.sub(r"\D", "", later[0]))
        return birth, death if death > birth else None
    return birth, None


def parse_list(text: str) -> tuple[str, ...]:
    """The entries between commas, semicolons and slashes: in order, each once. "Arts and Crafts" is one."""
    found: dict[str, str] = {}
    for entry in re.split("[,;/|]", text):
        if name := " ".join(entry.split()):
            found.setdefault(name.casefold(), name)
    return tuple(found.values())


def summarise(bio: str, limit: int = 400) -> str:
    """The opening sentences of a biography, of at most `limit` characters together, without pronunciations.

    A first sentence may be an eighth longer; of a longer one the opening words, with an ellipsis.
    """
    text = _readable(bio)
    end = 0
    for stop in STOP.finditer(text):
        if stop.end() > limit and (end or stop.end() > limit + limit // 8):
            break
        if not _abbreviates(text, stop):
            end = stop.end()
    if end:
        return text[:end]
    if len(text) <= limit:
        return text
    words = text[: limit - len(ELLIPSIS)]
    return (words.rpartition(" ")[0] or words).rstrip(" ,;:(-–—") + ELLIPSIS


def _abbreviates(text: str, stop: re.Match[str]) -> bool:
    if stop[0] != "." or stop.end() == len(text):
        return False
    word = text[max(0, stop.start() - 20) : stop.start()].split(" ")[-1].lstrip("(\"“‘'")
    return ABBREVIATED.fullmatch(word) is not None


def _readable(bio: str) -> str:
    """The text without pronunciations and citation marks, and with single spaces where they belong."""
    text = LISTEN.sub("", " ".join(bio.split()))
    text = SLASHED.sub(lambda match: "" if PHONETIC.search(match[0]) else match[0], text)
    text = ROUND.sub(_without_foreign_parts, SQUARE.sub(_without_phonetics, text))
    return re.sub(" +([,;.] )", r"\1", GLUED.sub(" ", text)).strip()


def _without_phonetics(match: re.Match[str]) -> str:
    before = match.string[max(0, match.start() - 12) : match.start()]
    after = match.string[match.end() : match.end() + 1]
    cited = CITATION.fullmatch(match[1]) and not (match[1].isalpha() and after.islower())  # not "[h]e"
    spoken = PHONETIC.search(match[1]) or before.endswith((":", "pronounced"))
    return "" if cited or spoken else match[0]


def _without_foreign_parts(match: re.Match[str]) -> str:
    if match[1] is None:
        return ""  # a ")" that nothing opened
    parts = match[1].split(";")
    kept = [part for part in map(_without_foreign, parts) if part]
    if kept == [part.strip() for part in parts]:
        return match[0]
    return f" ({'; '.join(kept)})" if kept else ""


def _without_foreign(part: str) -> str:
    part = part.strip(" ,")
    if LABELLED.match(part):
        # Only dates can follow: "French: [...], 14 November 1840 – 5 December 1926".
        dates = re.search(r", ?((?:[\w.]+ ){0,2}\d.*)", part)
        return dates[1] if dates and YEAR.search(dates[1]) else ""
    if (
        (RESPELLED.search(part) or PHONETIC.search(part))
        and len(part.split()) <= 3
        and not part.startswith("born")
    ):
        return ""
    label = LABELLED_END.search(part)
    return part[: label.start()] if label and not YEAR.search(part, label.end()) else part
