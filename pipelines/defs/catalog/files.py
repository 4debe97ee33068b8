"""Classify the files of the dataset as works, duplicates, or unusable."""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import Any

import pandas as pd

from gallery.datasets.base import ARTISTS_CSV, IMAGE_FOLDER
from pipelines.defs.catalog.artists import folder_of
from pipelines.defs.catalog.sampling import work_id
from pipelines.tables import ARTWORKS, FILES, INFO_COLUMNS, QUARANTINE

SAME_PIXELS = "the same image as"
"""How the reason of a duplicate begins that differs in its bytes."""


def classify_files(contents: pd.DataFrame, artists: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return all files as kept, duplicate or quarantined (FILES), and the kept works (ARTWORKS)."""
    slug_of = {folder: row["slug"] for row in artists.to_dict("records") for folder in row["folders"]}
    files: list[dict[str, Any]] = []
    works: dict[str, dict[str, Any]] = {}
    first: dict[str, tuple[str, str]] = {}  # digest of bytes or pixels -> work, path it was first found as

    for file in sorted(contents.to_dict("records"), key=_path_quality):
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
        fault = file["fault"] or file["image_fault"]
        if not fault and not slug:
            fault = (
                f"{ARTISTS_CSV} has no artist for its folder {folder}"
                if folder
                else f"it is outside {IMAGE_FOLDER}<Artist>/"
            )
        if fault:
            entry.update(status="quarantined", reason=str(fault))
        elif sha256 in first:
            work, original = first[sha256]
            entry.update(status="duplicate", reason=f"the same bytes as {original}", work=work)
        elif file["pixels"] in first:
            work, original = first[file["pixels"]]
            reason = f"{SAME_PIXELS} {original}, in another file"
            entry.update(status="duplicate", reason=reason, work=work)
        else:
            id = work_id(slug, path)
            if id in works:  # two different images under one artist and file name
                id = work_id(slug, path, sha256)
            first[sha256] = first[file["pixels"]] = (id, path)
            entry.update(status="kept", work=id)
            info = {name: file[name] for name in INFO_COLUMNS}
            works[id] = {
                "id": id,
                "artist": slug,
                "file": path,
                "sha256": sha256,
                "size": file["size"],
                **info,
            }
    files.sort(key=lambda entry: entry["path"])
    ordered = sorted(works.values(), key=lambda work: (work["artist"], work["file"]))
    return FILES.frame(files), ARTWORKS.frame(ordered)


def _path_quality(file: dict[Hashable, Any]) -> tuple[int, str]:
    """Return a sort key that puts the best spelled path first.

    Each round of wrong decoding adds characters beyond ASCII. Of several files with the same content, the
    first is the work and the others are its duplicates.
    """
    return sum(not character.isascii() for character in file["path"]), file["path"]


def quarantined(files: pd.DataFrame) -> pd.DataFrame:
    """Return the quarantined files with their reasons, in full and without names and numbers (QUARANTINE)."""
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
