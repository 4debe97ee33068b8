"""What the dataset has lost since the live build was made: works, and facts about artists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set

import pandas as pd

from gallery.datasets.base import ARTISTS_CSV
from gallery.models import Artist
from pipelines.defs.collection.manifests import ARTIST_FACTS, artist_facts

ALLOW = "if this is intended, run `gallery refresh --allow-removals`"


def removed_works(live: pd.DataFrame, works: Set[str], files: pd.DataFrame) -> tuple[set[str], int]:
    """Return the live works that are not among `works`, and how many of their files are duplicates now."""
    gone = live[~live["id"].isin(works)]
    duplicates = files.loc[files["status"] == "duplicate", "path"]
    return set(gone["id"]), int(gone["file"].isin(duplicates).sum())


def lost_facts(live: pd.DataFrame, artists: Mapping[str, Artist], limit: float) -> list[str]:
    """Return one phrase for each kind of fact that more artists have lost than `limit`, a share, allows.

    `live` has the live works (artist, facts). Artists who are gone do not count, and neither does a fact that
    one artist alone has lost.
    """
    before = {row["artist"]: set(row["facts"]) for row in live.to_dict("records") if row["artist"] in artists}
    problems = []
    for fact in ARTIST_FACTS:
        had = sorted(slug for slug, facts in before.items() if fact in facts)
        lost = [slug for slug in had if fact not in artist_facts(artists[slug])]
        if len(lost) > max(1, limit * len(had)):
            problems.append(f"{fact} of {len(lost)} of {len(had)} artists, such as {artists[lost[0]].name}")
    return problems


def describe_removed_works(gone: int, live: int, duplicates: int, limit: float) -> str:
    """Return the message for more removed works than `limit` allows."""
    same = f"; {duplicates} are now duplicates of other files" if duplicates else ""
    return (
        f"{gone} of the {live} live works ({gone / live:.1%}) are missing from the dataset, over the limit "
        f"of {limit:.1%} (GALLERY_MAX_REMOVED), so nothing is published{same}; {ALLOW}"
    )


def describe_lost_facts(problems: Iterable[str], limit: float) -> str:
    """Return the message for more lost facts than `limit` allows."""
    return (
        f"{ARTISTS_CSV} no longer has {'; '.join(problems)}. That is over the limit of {limit:.1%} "
        f"(GALLERY_MAX_REMOVED), so nothing is published; {ALLOW}"
    )
