"""Artists of the catalogue, read from artists.csv and matched with the folders of the archive."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import pandas as pd

from gallery.biography import parse_list, parse_years, summarise
from gallery.datasets.base import ARTISTS_CSV, IMAGE_FOLDER, Archive
from gallery.errors import Invalid, NotFound
from gallery.models import MAX_VALUE_CHARS
from gallery.names import best_spelling, display_name, match_key, slugify_name
from pipelines.defs.catalog.artists_csv import MISSING, ArtistRow, ArtistsCsv, parse_artists_csv
from pipelines.tables import ARTISTS

MAX_CSV_BYTES = 50_000_000
"""Maximum size of artists.csv; the real one has 40,000 bytes."""


def artists_digest(archive: Archive) -> str:
    """Return eight hex digits that identify the content of artists.csv; "" if it cannot be read."""
    try:
        return hashlib.sha256(archive.read(ARTISTS_CSV, MAX_CSV_BYTES)).hexdigest()[:8]
    except (Invalid, NotFound):
        return ""


@dataclass(frozen=True)
class CleanArtists:
    """The artists (ARTISTS), and one sentence about each row or field of artists.csv that was left out."""

    artists: pd.DataFrame
    problems: list[str]


def read_artists(archive: Archive, snapshot: pd.DataFrame, where: str) -> CleanArtists:
    """Return the artists of the archive with their folders. Raises Invalid, naming `where`."""
    folders: dict[str, list[str]] = defaultdict(list)
    files: dict[str, int] = defaultdict(int)
    for path in snapshot["path"]:
        folder = folder_of(path)
        if folder and (folder not in files):
            folders[match_key(folder)].append(folder)
        files[folder] += 1

    read = _read_csv(archive, where)
    problems = list(read.problems)
    artists: dict[str, dict[str, Any]] = {}
    for row in _one_per_artist(read.rows, problems):
        fields = row.fields
        key = match_key(fields["name"])
        spelled = [display_name(fields["name"]), *(display_name(folder) for folder in folders[key])]
        birth, death = parse_years(fields["years"])
        if fields["years"] and birth is None and death is None:
            problems.append(
                f"line {row.line}: the years {fields['years'][:80]!r} cannot be read, so they are left out"
            )
        artists[key] = {
            "slug": slugify_name(spelled[0]),
            "name": best_spelling(spelled),
            "birth": birth,
            "death": death,
            "styles": _list(row, "genre", problems),
            "nationalities": _list(row, "nationality", problems),
            "summary": summarise(fields["bio"]),
            "bio": fields["bio"],
            "wikipedia": fields["wikipedia"],
            "folders": sorted(folders[key]),
            "files": sum(files[folder] for folder in folders[key]),
        }
    if not artists:
        raise Invalid(f"{where}: {ARTISTS_CSV} lists no artists")
    rows = sorted(artists.values(), key=lambda artist: artist["slug"])
    return CleanArtists(ARTISTS.frame(rows), problems)


def _one_per_artist(rows: list[ArtistRow], problems: list[str]) -> Iterator[ArtistRow]:
    """Yield the fullest row of each artist, in the order of their first rows; report the others."""
    chosen: dict[str, ArtistRow] = {}
    for row in rows:
        key = match_key(row.fields["name"])
        if not key:
            problems.append(f"line {row.line}: the row has no name, so it is left out")
            continue
        if len(row.fields["name"]) > MAX_VALUE_CHARS:
            problems.append(
                f"line {row.line}: the name has {len(row.fields['name'])} characters, more than "
                f"{MAX_VALUE_CHARS}, so the row is left out"
            )
            continue
        first = chosen.setdefault(key, row)
        if first is not row:
            kept, dropped = (row, first) if _values(row) > _values(first) else (first, row)
            chosen[key] = kept
            problems.append(
                f"line {dropped.line}: {row.fields['name'][:80]!r} is also on line {kept.line}, which is used"
            )
    yield from chosen.values()


def _list(row: ArtistRow, name: str, problems: list[str]) -> list[str]:
    """Return the field's entries, without those that are too long for a filter; report these."""
    entries = [entry for entry in parse_list(row.fields[name]) if entry.casefold() not in MISSING]
    problems.extend(
        f"line {row.line}: {entry[:80]!r}… has {len(entry)} characters, more than {MAX_VALUE_CHARS}, so it "
        f"is left out of the artist's {name}"
        for entry in entries
        if len(entry) > MAX_VALUE_CHARS
    )
    return [entry for entry in entries if len(entry) <= MAX_VALUE_CHARS]


def _values(row: ArtistRow) -> int:
    return sum(bool(value) for value in row.fields.values())


def _read_csv(archive: Archive, where: str) -> ArtistsCsv:
    try:
        return parse_artists_csv(archive.read(ARTISTS_CSV, MAX_CSV_BYTES))
    except (Invalid, NotFound) as error:
        raise Invalid(f"{where}: {ARTISTS_CSV} cannot be read: {error}") from error


def folder_of(path: str) -> str:
    """Return the name of the artist's folder that contains the path; "" if the path is outside them."""
    parts = PurePosixPath(path).parts
    return parts[2] if path.startswith(IMAGE_FOLDER) and len(parts) > 3 and ".." not in parts else ""
