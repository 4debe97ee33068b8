"""Where a picture stands: in the archive, the catalogue, the sample, the stores, the live build - and why."""

from __future__ import annotations

from typing import Any

import pandas as pd

from gallery.errors import NotFound
from gallery.names import match_key
from gallery.ports import Ports
from pipelines.tables import ARTISTS, FILES, IMAGES, SAMPLE, read_note

MOST = 20
"""Files that one question may match."""


def trace(ports: Ports, question: str) -> list[dict[str, Any]]:
    """What is known of each file that is the question, holds it in its path, or is the work of that id.

    Reads what the last refresh left, the failed ones too. Raises NotFound where nothing matches.
    """
    question = question.encode("utf-8", "replace").decode()  # arguments may hold bytes that are no text
    files = FILES.read(ports.tables)
    match = files[(files["work"] == question) | (files["path"] == question)]
    if match.empty:
        match = files[files["path"].str.casefold().str.contains(question.casefold(), regex=False)]
    if match.empty and (key := match_key(question)):  # however the archive spells it
        match = files[[key in match_key(path.rpartition("/")[2]) for path in files["path"]]]
    if match.empty:
        raise NotFound(
            f"no work or file matches {question!r}; give an id, a path in the archive, or a part of one"
        )
    if len(match) > MOST:
        raise NotFound(
            f"{len(match)} files match {question!r}; say more of the path, such as {match.iloc[0]['path']}"
        )
    source = read_note(ports.tables, "dataset")
    artists = {row["slug"]: row["name"] for row in ARTISTS.read(ports.tables).to_dict("records")}
    return [
        {
            "file": file["path"],
            "dataset": f"{source['address']}, version {source['version']}",
            "artist": artists.get(file["artist"], "none"),
            "status": file["status"] + (f": {file['reason']}" if file["reason"] else ""),
            **(_work(ports, str(file["work"])) if file["work"] else {}),
        }
        for file in match.to_dict("records")
    ]


def _work(ports: Ports, id: str) -> dict[str, Any]:
    def row(table: Any) -> pd.Series | None:
        try:
            frame = table.read(ports.tables)
        except NotFound:
            return None
        found = frame[frame["id"] == id]
        return None if found.empty else found.iloc[0]

    facts: dict[str, Any] = {"work": id}
    sampled, image = row(SAMPLE), row(IMAGES)
    limit = ports.settings.per_artist
    facts["sample"] = (
        f"in, number {sampled['rank']} of its artist"
        if sampled is not None
        else f"out: {limit} works of its artist rank before it"
    )
    if image is not None:
        facts["pictures"] = image["fault"] or f"{image['original']} in {ports.images.address}"
    build = ports.vectors.live()
    if build is None:
        facts["live"] = "no build is live yet"
    else:
        held = id in ports.vectors.open(build.name).ids()
        facts["live"] = (
            f"{'in' if held else 'not in'} build {build.name} of {build.created_at[:16].replace('T', ' ')} UTC"
        )
    return facts
