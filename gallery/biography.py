"""Parses columns of artists.csv: years of life, lists of genres and nationalities, biographies.

The biographies are the first paragraphs of encyclopaedia articles as plain text, with remains of the markup:
pronunciations, names in other alphabets, empty brackets, and no space between paragraphs.
"""

from __future__ import annotations

import re

DASH = "[-‐‑‒–—―−]"
DEATH = re.compile(rf"{DASH}|~|†|\bdied\b|\bd\.|\bto\b|\buntil\b|\bbis\b", re.IGNORECASE)
# Years of activity ("fl. 1420–1440") are neither birth nor death.
ACTIVE = re.compile(r"\b(?:fl\.|flourished\b|active\b)", re.IGNORECASE)
YEAR = re.compile(r"(?<!\d)\d{3,4}(?!\d)")
THOUSANDS = re.compile(r"(?<=\d)[,.](?=\d{3}(?!\d))|(?<=(?<!\d)\d)[ \xa0\u2009\u202f](?=\d{3}(?!\d))")
BEFORE_CHRIST = re.compile(r"\bB\.?C\b|\bBCE\b|\bv\. ?Chr", re.IGNORECASE)
LIFETIMES = range(15, 121)
"""Years between birth and death that an artist can have lived."""

# Every repeat below is bounded, is possessive or stops at a delimiter, so that matching takes linear time.
PHONETIC = re.compile("[\u0250-\u02ff\u1d00-\u1dbf\u0361θβχ]")
LISTEN = re.compile(r" ?(?:\( ?(?:listen|help·info) ?\)|ⓘ)")
SLASHED = re.compile(r" ?/[^/\d]{1,80}/")
SQUARE = re.compile(r" ?\[([^\[\]]*)\]")
CITATION = re.compile(r"\d{1,3}|[a-z]|(?:note|nb|n) ?\d+|(?:citation|clarification) needed", re.IGNORECASE)
ROUND = re.compile(r" ?\(((?:[^()]++|\([^()]*+\))*+)\)|\)")
# "French:" or "US:" before a pronunciation or a foreign name, but not "Born:" before a date.
LABEL = (
    r"(?:(?!Born|Died|Bapti[sz]ed|Active)[A-Z][\w-]{0,30}(?: [A-Za-z-]{1,30}){0,2}:"
    r"|(?:or |also )?pronounced\b|IPA\b)"
)
LEADING_LABEL = re.compile(LABEL)
TRAILING_LABEL = re.compile(rf", ?{LABEL}")
RESPELLED = re.compile(r"[a-zə]-[A-Z]{2}|[A-Z]{2}-[a-zə]")  # "mə-NAY"

CAPITAL = "A-ZÀ-ÖØ-ÞĀ-Ž"
MISSING_SPACE = re.compile(rf"(?<=[a-z\d)\]\"”][.!?])(?=[\"“(]?[{CAPITAL}][^.])")  # "Paris.Monet"
SENTENCE_END = re.compile(r"(?<![.!?])[.!?]++[\"”’')\]]*+(?= [^a-z]|$)")
# Words whose full stop does not end a sentence: initials and abbreviations.
ABBREVIATION = re.compile(
    rf"(?:[{CAPITAL}]\.)*[{CAPITAL}]|(?i:st|ste|mt|ft|dr|mr|mrs|ms|mme|mlle|prof|rev|hon|gen|col|capt|jr|sr|bros"
    "|c|ca|approx|b|d|fl|r|no|nos|vol|pp|fig|op|cf|vs|e\\.g|i\\.e|o\\.s|n\\.s)"
)
ELLIPSIS = "…"


def parse_years(text: str) -> tuple[int | None, int | None]:
    """Return the years of birth and death in "1853 – 1890", "c. 1450–1516" or "born 1932"; None if missing.

    Of alternatives ("1488/1490 – 1576") the first is returned. Years that nobody can have lived are unknown,
    and so are years before Christ.
    """
    if BEFORE_CHRIST.search(text):
        return None, None
    born, *later = DEATH.split(ACTIVE.split(THOUSANDS.sub("", text))[0])
    births = [int(year) for year in YEAR.findall(born)]
    birth = births[0] if births else None
    if any(abs(year - births[0]) >= LIFETIMES.start and year - births[0] not in LIFETIMES for year in births):
        return None, None  # such as "1571 610": neither alternatives nor a birth and a death
    deaths = [int(years[0]) for part in later if (years := YEAR.findall(part))]
    if birth is None or deaths:
        death = deaths[-1] if deaths else None
        return (
            (birth, death) if birth is None or death is None or death - birth in LIFETIMES else (None, None)
        )
    if len(births) == 2 and births[1] - birth in LIFETIMES:  # "1884/1920"
        return birth, births[1]
    if len(later) == 1 and re.fullmatch(r"\s*\d\d\W*", later[0]):  # "1853–90", but not the month in "1901-12"
        death = birth // 100 * 100 + int(re.sub(r"\D", "", later[0]))
        return birth, death if death - birth in LIFETIMES else None
    return birth, None


def parse_list(text: str) -> tuple[str, ...]:
    """Split at commas, semicolons, slashes and bars; return the entries in order, without duplicates."""
    found: dict[str, str] = {}
    if text[:1] + text[-1:] in ("[]", "()"):  # a list as Python or JSON writes it
        text = re.sub("""^[\\[(]|[\\])]$|(?<![^\\W_])['"]|['"](?![^\\W_])""", "", text)
    for entry in re.split("[,;/|]", text):
        if name := " ".join(entry.split()):
            found.setdefault(name.casefold(), name)
    return tuple(found.values())


def summarise(bio: str, limit: int = 400) -> str:
    """Return the first sentences of a biography, at most `limit` characters, without pronunciations.

    The first sentence may exceed `limit` by an eighth; if it is longer, its first words and an ellipsis are
    returned.
    """
    text = _clean(bio)
    end = 0
    for stop in SENTENCE_END.finditer(text):
        if stop.end() > limit and (end or stop.end() > limit + limit // 8):
            break
        if not _is_abbreviation(text, stop):
            end = stop.end()
    if end:
        return text[:end]
    if len(text) <= limit:
        return text
    words = text[: limit - len(ELLIPSIS)]
    return (words.rpartition(" ")[0] or words).rstrip(" ,;:(-–—") + ELLIPSIS


def _is_abbreviation(text: str, stop: re.Match[str]) -> bool:
    if stop[0] != "." or stop.end() == len(text):
        return False
    word = text[max(0, stop.start() - 20) : stop.start()].split(" ")[-1].lstrip("(\"“‘'")
    return ABBREVIATION.fullmatch(word) is not None


def _clean(bio: str) -> str:
    """Return the text without pronunciations and citation marks, with its spaces corrected."""
    text = LISTEN.sub("", " ".join(bio.split()))
    text = SLASHED.sub(lambda match: "" if PHONETIC.search(match[0]) else match[0], text)
    text = ROUND.sub(_clean_brackets, SQUARE.sub(_clean_square_brackets, text))
    return re.sub(" +([,;.] )", r"\1", MISSING_SPACE.sub(" ", text)).strip()


def _clean_square_brackets(match: re.Match[str]) -> str:
    before = match.string[max(0, match.start() - 12) : match.start()]
    after = match.string[match.end() : match.end() + 1]
    cited = CITATION.fullmatch(match[1]) and not (match[1].isalpha() and after.islower())  # not "[h]e"
    spoken = PHONETIC.search(match[1]) or before.endswith((":", "pronounced"))
    return "" if cited or spoken else match[0]


def _clean_brackets(match: re.Match[str]) -> str:
    if match[1] is None:
        return ""  # a ")" without a "("
    parts = match[1].split(";")
    kept = [part for part in map(_clean_part, parts) if part]
    if kept == [part.strip() for part in parts]:
        return match[0]
    return f" ({'; '.join(kept)})" if kept else ""


def _clean_part(part: str) -> str:
    part = part.strip(" ,")
    if LEADING_LABEL.match(part):
        # Only dates can follow: "French: [...], 14 November 1840 – 5 December 1926".
        dates = re.search(r", ?((?:[\w.]+ ){0,2}\d.*)", part)
        return dates[1] if dates and YEAR.search(dates[1]) else ""
    if (
        (RESPELLED.search(part) or PHONETIC.search(part))
        and len(part.split()) <= 3
        and not part.startswith("born")
    ):
        return ""
    label = TRAILING_LABEL.search(part)
    return part[: label.start()] if label and not YEAR.search(part, label.end()) else part
