"""Lineage of a file: its state in archive, catalogue, sample, stores and builds, with the reasons."""

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
from pipelines.defs.catalog.artists import folder_of
from pipelines.defs.collection.builds import live_or_none
from pipelines.defs.collection.cleanup import KEY_COLUMNS
from pipelines.defs.collection.manifests import blocked_builds, load_manifest, publications
from pipelines.records import DatasetRecord, run_records
from pipelines.tables import ARTISTS, ARTWORKS, FILES, IMAGES, SAMPLE, Table

MAX_FILES = 20
"""Files that one query may match."""


def lineage(services: Services, query: str) -> list[dict[str, Any]]:
    """Return facts about each file that matches: a work's id, a path in the archive, or part of one.

    Reads the tables of the last refresh, successful or not, and the manifests of builds, so that a file
    that was deleted from the archive is found while a build has its work. Raises NotFound for no match or
    too many.
    """
    query = query.encode("utf-8", "replace").decode()  # arguments may contain bytes that are not text
    files = FILES.read(services.tables)
    builds = _existing_builds(services)
    matches = _matching(pd.concat([files, _deleted_files(files, builds)], ignore_index=True), query)
    if matches.empty:
        raise NotFound(
            f"no work or file matches {query!r}; give an id, a path in the archive, or part of one"
        )
    if len(matches) > MAX_FILES:
        raise NotFound(
            f"{len(matches)} files match {query!r}; give more of the path, such as {matches.iloc[0]['path']}"
        )
    dataset = DatasetRecord.load(services.tables)
    artists = {row["slug"]: row["name"] for row in ARTISTS.read(services.tables).to_dict("records")}
    return [
        {
            "file": file["path"],
            **_corrected_names(str(file["path"]), artists.get(file["artist"], "")),
            "dataset": f"{dataset.address}, version {dataset.version}",
            "artist": artists.get(file["artist"], "none"),
            "status": file["status"] + (f": {file['reason']}" if file["reason"] else ""),
            **(_work_facts(services, str(file["work"]), builds) if file["work"] else {}),
            "runs": _runs(services),
        }
        for file in matches.to_dict("records")
    ]


def _matching(files: pd.DataFrame, query: str) -> pd.DataFrame:
    matches = files[(files["work"] == query) | (files["path"] == query)]
    if matches.empty:
        matches = files[files["path"].str.casefold().str.contains(query.casefold(), regex=False)]
    if matches.empty and (key := match_key(query)):  # in any spelling
        matches = files[[key in match_key(path.rpartition("/")[2]) for path in files["path"]]]
    return matches


@dataclass(frozen=True)
class _ExistingBuild:
    """A build, its description, and its manifest if there is one."""

    build: Build
    text: str
    live: bool
    works: pd.DataFrame | None


def _existing_builds(services: Services) -> list[_ExistingBuild]:
    """Return every build, newest first."""
    live, blocked = live_or_none(services.vectors), blocked_builds(services.tables)
    runs = {entry.build: entry.run for entry in publications(services.tables)}
    found = []
    for build in services.vectors.builds():
        notes = ["blocked"] if build.name in blocked else []
        notes += [] if build.ready else ["incomplete"]
        notes += [f"published by run {runs[build.name]}"] if runs.get(build.name) else []
        made = build.created_at[:16].replace("T", " ")
        text = f"build {build.name} of {made} UTC" + (f" ({', '.join(notes)})" if notes else "")
        is_live = live is not None and build.name == live.name
        works = load_manifest(services.tables, services.vectors, build.name)
        found.append(_ExistingBuild(build, text, is_live, works))
    return found


def _deleted_files(files: pd.DataFrame, builds: list[_ExistingBuild]) -> pd.DataFrame:
    """Return works of builds whose file is no longer in the archive, as rows of `files`."""
    rows: dict[str, dict[str, Any]] = {}
    existing = set(files["path"])
    for build in builds:
        for row in [] if build.works is None else build.works.to_dict("records"):
            if row["file"] not in existing:
                rows[str(row["id"])] = {
                    "path": row["file"],
                    "size": None,
                    "sha256": row["sha256"],
                    "artist": "",
                    "status": "deleted",
                    "reason": "the file is no longer in the archive",
                    "work": row["id"],
                }
    return FILES.frame(list(rows.values()))


def _corrected_names(path: str, artist: str) -> dict[str, str]:
    """Return folder and file name as "archived -> shown", where these differ."""
    archived = {
        "folder": folder_of(path).replace("_", " "),
        "name": PurePosixPath(path).stem.replace("_", " "),
    }
    shown = {"folder": artist or archived["folder"], "name": display_name(PurePosixPath(path).stem)}
    return {
        f"{what}_corrected": f"{archived[what]} -> {shown[what]}"
        for what in archived
        if archived[what] and archived[what] != shown[what]
    }


def _work_facts(services: Services, id: str, builds: list[_ExistingBuild]) -> dict[str, Any]:
    def row(table: Table) -> pd.Series | None:
        frame = table.read_or_none(services.tables)
        found = None if frame is None else frame[frame["id"] == id]
        return None if found is None or found.empty else found.iloc[0]

    facts: dict[str, Any] = {"work": id}
    sampled, image = row(SAMPLE), row(IMAGES)
    if sampled is not None:
        facts["sample"] = f"included, number {sampled['rank']} of its artist"
    elif (work := row(ARTWORKS)) is not None:
        facts["sample"] = _why_not_sampled(services, work["artist"])
    if image is not None:
        facts["images"] = image["fault"] or _objects(services, image)
    others = []
    for existing in builds:
        if existing.works is None:
            included = id in services.vectors.open(existing.build.name).ids()
        else:
            own = existing.works[existing.works["id"] == id]
            included = not own.empty
            if included:
                facts.setdefault("images", _objects(services, own.iloc[0]))
        text = f"{'in' if included else 'not in'} {existing.text}"
        if existing.live:
            facts["live"] = text
        else:
            others.append(text)
    facts.setdefault("live", "no build is live yet")
    if others:
        facts["other_builds"] = "; ".join(others)
    return facts


def _why_not_sampled(services: Services, artist: str) -> str:
    times = {asset: record.at for asset, record in run_records(services.tables).items()}
    sample = SAMPLE.read_or_none(services.tables)
    # A run may have stopped after `artworks`, such as for too many unusable files.
    if sample is None or times.get("sample", "") < times.get("artworks", ""):
        return "not drawn yet from the latest files; run `gallery refresh`"
    return f"not included: {(sample['artist'] == artist).sum()} works of its artist rank higher"


def _objects(services: Services, row: pd.Series) -> str:
    """Return the keys of the work's images, and whether each object exists."""
    objects = []
    for key in (str(row[name]) for name in KEY_COLUMNS):
        size = services.images.sizes(key).get(key)
        objects.append(f"{key} ({f'{size} bytes' if size else 'missing'})")
    return f"{', '.join(objects)} in {services.images.address}"


def _runs(services: Services) -> str:
    """Return the runs that the tables are from, "<run> of <time> UTC: <asset>, <asset> …", latest first."""
    assets: dict[str, list[str]] = defaultdict(list)
    times: dict[str, str] = {}
    for asset, record in sorted(run_records(services.tables).items(), key=lambda item: item[1].at):
        assets[record.run].append(asset)
        times.setdefault(record.run, record.at[:16].replace("T", " "))
    return "; ".join(f"{run} of {times[run]} UTC: {', '.join(assets[run])}" for run in reversed(assets))
