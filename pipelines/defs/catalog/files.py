"""From an archive to a catalogue: what is in it, whose it is, which files are works, and which works are sampled."""

from __future__ import annotations

import hashlib
import io
import re
import uuid
import warnings
from collections import defaultdict
from collections.abc import Hashable
from dataclasses import asdict
from pathlib import PurePosixPath
from typing import Any

import pandas as pd

from gallery.biography import parse_list, parse_years, summarise
from gallery.datasets.base import ARTISTS_CSV, PICTURES, Archive, ProgressCallback, is_ignored
from gallery.errors import Invalid, NotFound
from gallery.images.decode import open_image
from gallery.images.derivatives import inspect_image
from gallery.names import best_spelling, display_name, match_key, slugify_name
from pipelines.parallel import parallel_map, report_progress
from pipelines.tables import ARTISTS, ARTWORKS, FILES, IMAGE_INFO, QUARANTINE, SAMPLE, SNAPSHOT

CSV_COLUMNS = ("name", "years", "genre", "nationality", "bio", "wikipedia")
MAX_CSV = 50_000_000
"""Bytes of artists.csv; the real one has 40,000."""
NAMESPACE = uuid.UUID("5bb8f2c4-3a0e-5d3b-9c39-0a5f6a9d3a11")
"""Ours alone, so that a work's id is the same on every machine and in every run."""
NOT_KNOWN = 0
"""In place of a limit in `looks`: matches no setting."""


class Changed(Invalid):
    """A file is not what it was when the archive was listed."""


def read_again(archive: Archive, path: str, sha256: str, max_file: int) -> bytes:
    """The file's bytes, the same that the snapshot saw. Raises Changed where they are not, Invalid, NotFound.

    What is kept under a content's digest has to come from that content, for good; a folder may change under a run.
    """
    data = archive.read(path, max_file)
    if hashlib.sha256(data).hexdigest() != sha256:
        raise Changed("it changed while it was read; run `gallery refresh` again")
    return data


def take_snapshot(
    archive: Archive, *, max_file: int, workers: int, progress: ProgressCallback
) -> pd.DataFrame:
    """Every file of the archive that is not ignored, with its digest, or why it cannot be read (SNAPSHOT)."""
    entries = [entry for entry in archive.entries() if not is_ignored(entry.path)]

    def digest(path: str) -> tuple[str, str]:
        try:
            return hashlib.sha256(archive.read(path, max_file)).hexdigest(), ""
        except (Invalid, NotFound) as error:
            return "", str(error)

    results = parallel_map(digest, (entry.path for entry in entries), workers)
    rows = [
        {"path": entry.path, "size": entry.size, "sha256": sha256, "fault": fault}
        for entry, (sha256, fault) in zip(
            entries, report_progress(results, len(entries), "read", progress), strict=True
        )
    ]
    return SNAPSHOT.frame(rows)


def artists_digest(archive: Archive) -> str:
    """Eight hex digits that tell one artists.csv from another; "" where it cannot be read, which `read_artists` explains."""
    try:
        return hashlib.sha256(archive.read(ARTISTS_CSV, MAX_CSV)).hexdigest()[:8]
    except (Invalid, NotFound):
        return ""


def read_artists(archive: Archive, snapshot: pd.DataFrame, where: str) -> pd.DataFrame:
    """The archive's artists with the folders that are theirs, by name (ARTISTS). Raises Invalid naming `where`."""
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
        if not key or key in artists:  # an empty line, or the same artist spelled another way
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
        raise Invalid(f"{where}: {ARTISTS_CSV} names no artists")
    return ARTISTS.frame(sorted(artists.values(), key=lambda artist: artist["slug"]))


def _read_csv(archive: Archive, where: str) -> list[dict[str, str]]:
    try:
        data = archive.read(ARTISTS_CSV, MAX_CSV)
        with warnings.catch_warnings():
            # Of rows longer than the head the rest is dropped, which pandas warns of.
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
            f"{where}: {ARTISTS_CSV} lacks {', '.join(missing)}; expected {', '.join(CSV_COLUMNS)}, found {found}"
        )
    return [{column: str(row[column]) for column in CSV_COLUMNS} for row in frame.to_dict("records")]


def folder_of(path: str) -> str:
    """The artist's folder that a path of the archive lies in; "" where it lies in none."""
    parts = PurePosixPath(path).parts
    return parts[2] if path.startswith(PICTURES) and len(parts) > 3 and ".." not in parts else ""


def inspect_files(
    archive: Archive,
    snapshot: pd.DataFrame,
    known: pd.DataFrame,
    *,
    max_file: int,
    max_pixels: int,
    workers: int,
    progress: ProgressCallback,
) -> pd.DataFrame:
    """What each distinct content looks like, or why it is no usable picture (LOOKS); `known` looks are reused."""
    known = known[known["max_pixels"] == max_pixels].set_index("sha256", drop=False)
    readable = snapshot[(snapshot["fault"] == "")].drop_duplicates("sha256")
    new = readable[~readable["sha256"].isin(known.index)]

    def look(item: tuple[str, str]) -> dict[str, Any]:
        path, sha256 = item
        try:
            data = read_again(archive, path, sha256, max_file)
            seen = asdict(inspect_image(data, max_pixels=max_pixels))
            return {**seen, "sha256": sha256, "fault": "", "max_pixels": max_pixels}
        except Changed as error:
            # Says nothing of the content that the digest names, so no later run may take it for known.
            return {"sha256": sha256, "fault": str(error), "max_pixels": NOT_KNOWN}
        except (Invalid, NotFound) as error:
            return {"sha256": sha256, "fault": str(error), "max_pixels": max_pixels}

    items = list(zip(new["path"], new["sha256"], strict=True))
    rows = list(report_progress(parallel_map(look, items, workers), len(items), "looked at", progress))
    kept = known[known.index.isin(readable["sha256"])]
    return pd.concat([kept, IMAGE_INFO.frame(rows)], ignore_index=True).sort_values(
        "sha256", ignore_index=True
    )


def classify_files(
    snapshot: pd.DataFrame, artists: pd.DataFrame, looks: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Every file as kept, duplicate or quarantined (FILES), and the works that the kept ones are (ARTWORKS)."""
    slug_of = {folder: row["slug"] for row in artists.to_dict("records") for folder in row["folders"]}
    look_of = {row["sha256"]: row for row in looks.to_dict("records")}
    files: list[dict[str, Any]] = []
    works: dict[str, dict[str, Any]] = {}
    first: dict[str, tuple[str, str]] = {}  # content -> (work, path) that it was first seen as

    # Of several files with one content the best spelled path is the work, the others its duplicates. Each round of
    # mis-decoding adds odd characters to a name, so the path with the fewest is the best.
    def oddness(file: dict[Hashable, Any]) -> tuple[int, str]:
        return sum(not character.isascii() for character in file["path"]), file["path"]

    ordered = sorted(snapshot.to_dict("records"), key=oddness)
    for file in ordered:
        path, sha256 = str(file["path"]), str(file["sha256"])
        folder = folder_of(path)
        slug = slug_of.get(folder, "")
        entry = {
            "path": path,
            "size": file["size"],
            "sha256": sha256,
            "artist": slug,
            "reason": "",
            "work": "",
        }
        files.append(entry)
        fault = file["fault"] or (look_of[sha256]["fault"] if sha256 in look_of else "")
        if not fault and not slug:
            fault = (
                f"its folder {folder} is no artist of {ARTISTS_CSV}"
                if folder
                else f"it lies outside {PICTURES}<Artist>/"
            )
        if fault:
            entry.update(status="quarantined", reason=str(fault))
        elif sha256 in first:
            work, original = first[sha256]
            entry.update(status="duplicate", reason=f"the same bytes as {original}", work=work)
        else:
            id = work_id(slug, path)
            if (
                id in works
            ):  # two different pictures under one artist and file name: tell them apart by content
                id = work_id(slug, path, sha256)
            first[sha256] = (id, path)
            entry.update(status="kept", work=id)
            look = {
                name: look_of[sha256][name] for name in ("width", "height", "color", "phash", "extension")
            }
            works[id] = {
                "id": id,
                "artist": slug,
                "file": path,
                "sha256": sha256,
                "size": file["size"],
                **look,
            }
    files.sort(key=lambda entry: entry["path"])
    return FILES.frame(files), ARTWORKS.frame(
        sorted(works.values(), key=lambda work: (work["artist"], work["file"]))
    )


def quarantined(files: pd.DataFrame) -> pd.DataFrame:
    """The quarantined of the sorted files, each with its reason and the kind of reason (QUARANTINE)."""
    rows = [
        {
            **{name: file[name] for name in ("path", "size", "sha256", "reason")},
            "kind": re.sub(
                r"\d[\d.,]*", "…", str(file["reason"]).replace(folder_of(file["path"]) or "\0", "…")
            ),
        }
        for file in files[files["status"] == "quarantined"].to_dict("records")
    ]
    return QUARANTINE.frame(rows)


def decodable_thumbnails(
    archive: Archive, quarantine: pd.DataFrame, *, most: int, max_file: int, max_pixels: int
) -> list[bytes]:
    """At most that many of the quarantined pictures that can be decoded after all, small, as PNG."""
    seen: list[bytes] = []
    for path in quarantine.loc[quarantine["sha256"] != "", "path"]:
        if len(seen) == most:
            break
        try:
            small = open_image(archive.read(path, max_file), max_pixels=max_pixels, side=96)
        except (Invalid, NotFound):
            continue
        small.thumbnail((96, 96))
        buffer = io.BytesIO()
        small.save(buffer, "PNG")
        seen.append(buffer.getvalue())
    return seen


def work_id(slug: str, path: str, sha256: str = "") -> str:
    """The work's id: uuid5 of artist and repaired file name, so that a corrected picture keeps its place."""
    name = slugify_name(display_name(PurePosixPath(path).stem))
    return str(uuid.uuid5(NAMESPACE, "|".join(filter(None, (slug, name, sha256)))))


def draw_sample(artworks: pd.DataFrame, *, per_artist: int, key: str) -> pd.DataFrame:
    """At most `per_artist` works of each artist (SAMPLE), those whose keyed hash comes first.

    A work's hash depends on nothing but its id, so a new file takes at most one place and moves no other.
    """
    ranked = artworks[["id", "artist", "file", "sha256"]].copy()
    ranked["hash"] = [
        hashlib.blake2b(str(id).encode(), key=key.encode()[:64], digest_size=16).hexdigest()
        for id in ranked["id"]
    ]
    ranked = ranked.sort_values(["artist", "hash"])
    ranked["rank"] = ranked.groupby("artist").cumcount() + 1
    sampled = ranked[ranked["rank"] <= per_artist]
    return sampled[list(SAMPLE.columns)].reset_index(drop=True).astype({"rank": "Int64"})
