"""Where a picture stands in each stage - the archive, the catalogue, the sample, the stores, the builds - and why."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import pandas as pd

from gallery.errors import NotFound
from gallery.models import Build
from gallery.names import display_name, match_key
from gallery.services import Services
from pipelines.defs.catalog.files import folder_of
from pipelines.defs.collection.builds import live_or_none
from pipelines.defs.collection.manifests import blocked_builds, load_manifest, publications
from pipelines.tables import ARTISTS, ARTWORKS, FILES, IMAGES, SAMPLE, Table, note_or_none, read_note

MOST = 20
"""Files that one question may match."""
KEYS = ("original", "large", "small")


def trace(services: Services, question: str) -> list[dict[str, Any]]:
    """What is known of each file that is the question, holds it in its path, or is the work of that id.

    Reads what the last refresh left, the failed ones too, and what was remembered of each build, so that a file which
    is gone from the archive is found as long as a build holds its work. Raises NotFound where nothing matches.
    """
    question = question.encode("utf-8", "replace").decode()  # arguments may hold bytes that are no text
    files = FILES.read(services.tables)
    builds = _builds(services)
    match = _matching(pd.concat([files, _gone(files, builds)], ignore_index=True), question)
    if match.empty:
        raise NotFound(
            f"no work or file matches {question!r}; give an id, a path in the archive, or a part of one"
        )
    if len(match) > MOST:
        raise NotFound(
            f"{len(match)} files match {question!r}; say more of the path, such as {match.iloc[0]['path']}"
        )
    source = read_note(services.tables, "dataset")
    artists = {row["slug"]: row["name"] for row in ARTISTS.read(services.tables).to_dict("records")}
    return [
        {
            "file": file["path"],
            **_names(str(file["path"]), artists.get(file["artist"], "")),
            "dataset": f"{source['address']}, version {source['version']}",
            "artist": artists.get(file["artist"], "none"),
            "status": file["status"] + (f": {file['reason']}" if file["reason"] else ""),
            **(_work(services, str(file["work"]), builds) if file["work"] else {}),
            "runs": _runs(services),
        }
        for file in match.to_dict("records")
    ]


def _matching(files: pd.DataFrame, question: str) -> pd.DataFrame:
    match = files[(files["work"] == question) | (files["path"] == question)]
    if match.empty:
        match = files[files["path"].str.casefold().str.contains(question.casefold(), regex=False)]
    if match.empty and (key := match_key(question)):  # however the archive spells it
        match = files[[key in match_key(path.rpartition("/")[2]) for path in files["path"]]]
    return match


@dataclass(frozen=True)
class _Kept:
    """A build that is there, in words for people, and what went into it, where that was written down."""

    build: Build
    text: str
    live: bool
    works: pd.DataFrame | None


def _builds(services: Services) -> list[_Kept]:
    """Every build that is there, the newest first."""
    live, kept_back = live_or_none(services.vectors), blocked_builds(services.tables)
    runs = {entry["build"]: entry["run"] for entry in publications(services.tables)}
    found = []
    for build in services.vectors.builds():
        marks = ["held"] if build.name in kept_back else []
        marks += [] if build.ready else ["incomplete"]
        marks += [f"made live by run {runs[build.name]}"] if runs.get(build.name) else []
        made = build.created_at[:16].replace("T", " ")
        text = f"build {build.name} of {made} UTC" + (f" ({', '.join(marks)})" if marks else "")
        is_live = live is not None and build.name == live.name
        found.append(
            _Kept(build, text, is_live, load_manifest(services.tables, services.vectors, build.name))
        )
    return found


def _gone(files: pd.DataFrame, builds: list[_Kept]) -> pd.DataFrame:
    """Works that a build holds and the archive has no file of any more, as rows of `files`."""
    rows: dict[str, dict[str, Any]] = {}
    there = set(files["path"])
    for build in builds:
        for row in [] if build.works is None else build.works.to_dict("records"):
            if row["file"] not in there:
                rows[str(row["id"])] = {
                    "path": row["file"],
                    "size": None,
                    "sha256": row["sha256"],
                    "artist": "",
                    "status": "gone",
                    "reason": "the archive has no such file any more",
                    "work": row["id"],
                }
    return FILES.frame(list(rows.values()))


def _names(path: str, artist: str) -> dict[str, str]:
    """The names that the file has in the archive, and those it goes by here, where they are not the same."""
    had = {"folder": folder_of(path).replace("_", " "), "name": PurePosixPath(path).stem.replace("_", " ")}
    has = {"folder": artist or had["folder"], "name": display_name(PurePosixPath(path).stem)}
    return {
        f"{what} was": f"{had[what]}, now {has[what]}" for what in had if had[what] and had[what] != has[what]
    }


def _work(services: Services, id: str, builds: list[_Kept]) -> dict[str, Any]:
    def row(table: Table) -> pd.Series | None:
        frame = table.read_or_none(services.tables)
        found = None if frame is None else frame[frame["id"] == id]
        return None if found is None or found.empty else found.iloc[0]

    facts: dict[str, Any] = {"work": id}
    sampled, image = row(SAMPLE), row(IMAGES)
    if sampled is not None:
        facts["sample"] = f"in, number {sampled['rank']} of its artist"
    elif row(ARTWORKS) is not None:
        facts["sample"] = f"out: {services.settings.per_artist} works of its artist rank before it"
    if image is not None:
        facts["pictures"] = image["fault"] or _objects(services, image)
    others = []
    for one in builds:
        if one.works is None:
            inside = id in services.vectors.open(one.build.name).ids()
        else:
            mine = one.works[one.works["id"] == id]
            inside = not mine.empty
            if inside:
                facts.setdefault("pictures", _objects(services, mine.iloc[0]))
        text = f"{'in' if inside else 'not in'} {one.text}"
        if one.live:
            facts["live"] = text
        else:
            others.append(text)
    facts.setdefault("live", "no build is live yet")
    if others:
        facts["other_builds"] = "; ".join(others)
    return facts


def _objects(services: Services, row: pd.Series) -> str:
    """The work's keys in the image store, and whether there is an object under each."""
    words = []
    for key in (str(row[name]) for name in KEYS):
        size = services.images.sizes(key).get(key)
        words.append(f"{key} ({f'{size} bytes' if size else 'not there'})")
    return f"{', '.join(words)} in {services.images.address}"


def _runs(services: Services) -> str:
    """Which runs the stages' tables are from: "<run> of <when> UTC: dataset, artists …", the latest first."""
    stages: dict[str, list[tuple[str, str]]] = defaultdict(list)
    notes = {
        key: note_or_none(services.tables, key.removesuffix(".json"))
        for key in services.tables.sizes("runs/")
    }
    for key, note in sorted(notes.items(), key=lambda item: item[1]["at"] if item[1] else ""):
        if note:
            stages[note["run"]].append((note["at"], key.removeprefix("runs/").removesuffix(".json")))
    return "; ".join(
        f"{run} of {signed[-1][0][:16].replace('T', ' ')} UTC: {', '.join(stage for _, stage in signed)}"
        for run, signed in reversed(stages.items())
    )
