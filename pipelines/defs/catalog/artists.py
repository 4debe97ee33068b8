"""Artists of the catalogue, read from artists.csv and matched with the folders of the archive."""

from __future__ import annotations

import hashlib
import io
import warnings
from collections import defaultdict
from pathlib import PurePosixPath
from typing import Any

import pandas as pd

from gallery.biography import parse_list, parse_years, summarise
from gallery.datasets.base import ARTISTS_CSV, IMAGE_FOLDER, Archive
from gallery.errors import Invalid, NotFound
from gallery.names import best_spelling, display_name, match_key, slugify_name
from pipelines.tables import ARTISTS

CSV_COLUMNS = ("name", "years", "genre", "nationality", "bio", "wikipedia")
MAX_CSV_BYTES = 50_000_000
"""Maximum size of artists.csv; the real one has 40,000 bytes."""


def artists_digest(archive: Archive) -> str:
    """Return eight hex digits that identify the content of artists.csv; "" if it cannot be read."""
    try:
        return hashlib.sha256(archive.read(ARTISTS_CSV, MAX_CSV_BYTES)).hexdigest()[:8]
    except (Invalid, NotFound):
        return ""


def read_artists(archive: Archive, snapshot: pd.DataFrame, where: str) -> pd.DataFrame:
    """Return the artists of the archive with their folders (ARTISTS). Raises Invalid, naming `where`."""
    folders: dict[str, list[str]] = defaultdict(list)
    files: dict[str, int] = defaultdict(int)
    for path in snapshot["path"]:
        folder = folder_of(path)
        if folder and (folder not in files):
            folders[match_key(folder)].append(folder)
        files[folder] += 1

    artists: dict[str, dict[str, Any]] = {}
    for row in _read_csv(archive, where):
        key = match_key(row["name"])
        if not key or key in artists:  # an empty line, or another spelling of a listed artist
            continue
        spelled = [display_name(row["name"]), *(display_name(folder) for folder in folders[key])]
        birth, death = parse_years(row["years"])
        artists[key] = {
            "slug": slugify_name(spelled[0]),
            "name": best_spelling(spelled),
            "birth": birth,
            "death": death,
            "styles": list(parse_list(row["genre"])),
            "nationalities": list(parse_list(row["nationality"])),
            "summary": summarise(row["bio"]),
            "bio": row["bio"].strip(),
            "wikipedia": row["wikipedia"] if row["wikipedia"].startswith(("http://", "https://")) else "",
            "folders": sorted(folders[key]),
            "files": sum(files[folder] for folder in folders[key]),
        }
    if not artists:
        raise Invalid(f"{where}: {ARTISTS_CSV} lists no artists")
    return ARTISTS.frame(sorted(artists.values(), key=lambda artist: artist["slug"]))


def _read_csv(archive: Archive, where: str) -> list[dict[str, str]]:
    try:
        data = archive.read(ARTISTS_CSV, MAX_CSV_BYTES)
        with warnings.catch_warnings():
            # pandas warns about rows with more fields than the header; the extra fields are dropped.
            warnings.simplefilter("ignore", pd.errors.ParserWarning)
            frame = pd.read_csv(
                io.BytesIO(data), dtype=str, index_col=False, keep_default_na=False, encoding="utf-8-sig"
            )
    except (Invalid, NotFound, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise Invalid(
            f"{where}: {ARTISTS_CSV} cannot be read ({error}); expected UTF-8 with {', '.join(CSV_COLUMNS)}"
        ) from error
    missing = [column for column in CSV_COLUMNS if column not in frame.columns]
    if missing:
        found = ", ".join(map(str, frame.columns[:20]))
        raise Invalid(
            f"{where}: {ARTISTS_CSV} lacks {', '.join(missing)}; expected {', '.join(CSV_COLUMNS)}, "
            f"found {found}"
        )
    return [{column: str(row[column]) for column in CSV_COLUMNS} for row in frame.to_dict("records")]


def folder_of(path: str) -> str:
    """Return the name of the artist's folder that contains the path; "" if the path is outside them."""
    parts = PurePosixPath(path).parts
    return parts[2] if path.startswith(IMAGE_FOLDER) and len(parts) > 3 and ".." not in parts else ""
