"""Ids of works, and the sample of them."""

from __future__ import annotations

import hashlib
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

import pandas as pd

from gallery.names import display_name, slugify_name
from pipelines.defs.catalog.artists import folder_of
from pipelines.tables import SAMPLE

NAMESPACE = uuid.UUID("5bb8f2c4-3a0e-5d3b-9c39-0a5f6a9d3a11")
"""Namespace of the ids. It is fixed, so a work has the same id on every machine and in every run."""
SPARE_RANKS = 2
"""Works per artist whose images are stored in addition, in case works of the sample are unusable."""


def work_id(slug: str, path: str, sha256: str = "") -> str:
    """Return the id of a work, a uuid5 of artist and cleaned file name: a corrected image keeps its id."""
    name = slugify_name(display_name(PurePosixPath(path).stem))
    return str(uuid.uuid5(NAMESPACE, "|".join(filter(None, (slug, name, sha256)))))


def sample_hash(id: str, key: str) -> str:
    """Return the keyed BLAKE2b hash, in hex, that ranks a work among those of its artist."""
    return hashlib.blake2b(id.encode(), key=key.encode()[:64], digest_size=16).hexdigest()


def draw_sample(artworks: pd.DataFrame, *, per_artist: int, key: str) -> pd.DataFrame:
    """Return at most `per_artist` works of each artist (SAMPLE): those with the lowest keyed hashes.

    A new file therefore displaces at most one work, and moves no other.
    """
    ranked = artworks[["id", "artist", "file", "sha256"]].copy()
    ranked["hash"] = [sample_hash(str(id), key) for id in ranked["id"]]
    ranked = ranked.sort_values(["artist", "hash"])
    ranked["rank"] = ranked.groupby("artist").cumcount() + 1
    sampled = ranked[ranked["rank"] <= per_artist]
    return sampled[list(SAMPLE.columns)].reset_index(drop=True).astype({"rank": "Int64"})


def likely_sample(paths: Iterable[str], slugs: Mapping[str, str], *, per_artist: int, key: str) -> set[str]:
    """Return the paths that will probably be sampled, before any file is read.

    `slugs` maps folders to artists. Ranks depend on names alone, so the prediction fails only for
    unusable files and images with several names; `SPARE_RANKS` more works per artist are included for
    these.
    """
    paths_of: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for path in paths:
        slug = slugs.get(folder_of(path))
        if slug:  # paths that differ in spelling alone are one work
            paths_of[slug][work_id(slug, path)].append(path)
    likely: set[str] = set()
    for works in paths_of.values():
        ids = sorted(works, key=lambda id: sample_hash(id, key))[: per_artist + SPARE_RANKS]
        likely.update(path for id in ids for path in works[id])
    return likely
