"""Reads artists.csv. A row that cannot be read correctly is left out and reported with its line."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from gallery.errors import Invalid
from gallery.text import JOINERS, visible

COLUMNS = ("name", "years", "genre", "nationality", "bio", "wikipedia")
MISSING = {"", "na", "n/a", "#n/a", "nan", "none", "null", "nil", "-", "--", "?"}
"""What programs write for no value, in lower case; a name may be any of them."""
MAX_RECORD_LINES = 1_000
"""Maximum number of lines of one row. Bounds the search for the end of a quote that never closes."""
MAX_PROBLEMS = 100
"""Maximum number of problems that are reported."""


@dataclass(frozen=True)
class ArtistRow:
    """One row: its line in the file, and its fields, "" where they have no value."""

    line: int
    fields: dict[str, str]


@dataclass(frozen=True)
class ArtistsCsv:
    """The rows of artists.csv, and one sentence about each row or field that was left out."""

    rows: list[ArtistRow]
    problems: list[str]


def parse_artists_csv(data: bytes) -> ArtistsCsv:
    """Return the rows of the file. Raises Invalid if it is not UTF-8, or lacks or repeats a column."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid(f"it is not UTF-8 ({error})") from error
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "").split("\n")
    problems: list[str] = []
    header = _header(lines)
    if missing := [column for column in COLUMNS if column not in header]:
        raise Invalid(
            f"it lacks {', '.join(missing)}; expected {', '.join(COLUMNS)} separated by commas, "
            f"found {', '.join(header[:20])}"
        )
    if repeated := [column for column in COLUMNS if header.count(column) > 1]:
        raise Invalid(f"it has several columns of the name {', '.join(repeated)}")
    records = list(_records(lines, header, problems))
    surplus = _surplus([fields for _, fields in records], len(header))
    rows = []
    for line, fields in records:
        if len(fields) != len(header) + surplus:
            problems.append(
                f"line {line}: {len(fields)} fields where the first line has {len(header)}; the row is left "
                "out. Quote fields that contain commas, and write a comma for each empty field"
            )
            continue
        named = dict(zip(header, fields, strict=False))
        row = {column: _clean(named[column]) for column in COLUMNS}
        row["name"] = named["name"].strip(" \t\r\n")  # may be mojibake, which contains hidden characters
        row["wikipedia"] = _link(row["wikipedia"], line, problems)
        rows.append(ArtistRow(line, row))
    return ArtistsCsv(rows, problems)


def _header(lines: list[str]) -> list[str]:
    """Return the names in the first line with text, and blank that line."""
    for place, line in enumerate(lines):
        if line.strip():
            lines[place] = ""
            try:
                (fields,) = csv.reader([line])
            except (csv.Error, ValueError):
                return []
            return [name.strip() for name in fields]
    return []


def _surplus(rows: list[list[str]], width: int) -> int:
    """Return the number of empty fields that each row has at its end, beyond the columns."""
    surplus = max(0, min(map(len, rows), default=0) - width)
    return surplus if not any(field.strip() for fields in rows for field in fields[width:]) else 0


def _records(lines: list[str], header: list[str], problems: list[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield the number of each row's first line, from 1, and its fields.

    After a row with a misplaced quote, reading goes on with the next line, so the row takes no other with it.
    """
    start = 0
    while start < len(lines):
        if not lines[start].strip():
            start += 1
            continue
        end, quotes = start + 1, lines[start].count('"')
        while quotes % 2 and end < min(len(lines), start + MAX_RECORD_LINES):
            quotes += lines[end].count('"')
            end += 1
        try:
            (fields,) = csv.reader(io.StringIO("\n".join(lines[start:end])), strict=True)
            if any(_is_row(line, header) for line in lines[start + 1 : end]):
                raise ValueError("the quoted field contains another row")
            yield start + 1, fields
            start = end
        except (csv.Error, ValueError):
            problems.append(
                f"line {start + 1}: a quotation mark is out of place; the row is left out. Write a quotation "
                'mark inside a quoted field as ""'
            )
            start += 1


def _is_row(line: str, header: list[str]) -> bool:
    """Return whether the line alone is a row, and not prose with as many commas."""
    try:
        (fields,) = csv.reader([line])
    except (csv.Error, ValueError):
        return False
    link = fields[header.index("wikipedia")] if len(fields) == len(header) else "-"
    return not link or link.startswith("http")


def _clean(text: str) -> str:
    """Return the field without hidden characters, "" for words such as NA."""
    text = visible(text, keep=JOINERS + "\n").strip()
    return "" if text.casefold() in MISSING else text


def _link(text: str, line: int, problems: list[str]) -> str:
    """Return a web address in its usual form; "" for anything else, which is reported."""
    if not text:
        return ""
    address = text if re.match(r"[A-Za-z]+://", text) else f"https://{text}"
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError:
        host = ""
    if (
        "." not in host
        or parts.scheme not in ("http", "https")
        or "@" in parts.netloc
        or re.search(r"\s", address)
    ):
        problems.append(f"line {line}: {text[:80]!r} is not a web address, so the artist has no link")
        return ""
    return parts.geturl()
