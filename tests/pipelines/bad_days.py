"""A refresh that is killed at a random moment, as often as asked: what is live stays whole, and the next run completes.

    python -m tests.pipelines.bad_days --kills 20 --seed 7

prints a line for each kill; `docs/reliability.md` keeps what it said. The test suite does three of them.
"""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import click
import numpy as np

from gallery.search.engine import SearchEngine
from gallery.services import Services
from gallery.settings import read_settings
from pipelines.defs.collection.manifests import load_manifest
from pipelines.runner import STAGES
from tests.fakes.archives import picture
from tests.pipelines.test_refresh import BOATS, FILES, Gallery

LONGEST_S = 0.25
"""From a stage's start to the blow, at most; most stages of the small archive take less."""


@dataclass(frozen=True)
class Blow:
    """One kill: the stage that had begun last and how long before, and what was found afterwards."""

    stage: str
    after_s: float
    former_stayed: bool
    embedded: int
    """Vectors that the next refresh had still to make, of the two that the changes ask for."""
    unfinished: int
    """Files in the stores that the killed process was writing; no reader takes them for objects."""


def start(gallery: Gallery, **variables: str) -> subprocess.Popen[str]:
    """`gallery refresh` as its own process."""
    settings = gallery.settings()
    environment = {
        **os.environ,
        "GALLERY_HOME": str(settings.home),
        "GALLERY_DATASET": settings.dataset,
        "GALLERY_ENCODER": "fake",
        "PYTHONUNBUFFERED": "1",
        **variables,
    }
    command = [sys.executable, "-c", "from gallery.cli import main; main()", "refresh"]
    return subprocess.Popen(
        command,
        env=environment,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        cwd=gallery.root,
    )


def faults(services: Services) -> list[str]:
    """What is wrong with what visitors see: nothing, where the live build is whole and so are its pictures."""
    live = services.vectors.live()
    if live is None:
        return ["nothing is live"]
    rows, record = (
        services.vectors.open(live.name),
        load_manifest(services.tables, services.vectors, live.name),
    )
    if record is None:
        return ["the live build has no record"]
    found = []
    ids = sorted(record["id"])
    if rows.ids() != set(ids) or not rows.count() == len(ids) == live.works:
        found.append(f"{rows.count()} rows for {live.works} works")
    elif not np.allclose(np.linalg.norm(rows.vectors(ids), axis=1), 1.0, atol=1e-3):
        found.append("vectors that are not of unit length")
    sizes = services.images.sizes()
    for row in record.to_dict("records"):
        if not all(sizes.get(row[name]) for name in ("original", "large", "small")):
            found.append(f"{row['file']} lacks a picture")
        elif hashlib.sha256(services.images.get(row["original"])).hexdigest() != row["sha256"]:
            found.append(f"{row['file']} has another original")
    engine = SearchEngine(services)
    if len(engine.search(engine.live_collection(), replace(BOATS, limit=50)).hits) != live.works:
        found.append("a search does not find all works")
    return found


def change(gallery: Gallery, turn: int) -> set[str]:
    """Another picture for one file, and a file more or less; returns the files that the archive now has."""
    gallery.path("Anna_A/Anna_A_0.jpg").write_bytes(picture(1_000 + turn))
    added = gallery.path("Bea_B/added.jpg")
    if turn % 2:
        added.unlink(missing_ok=True)
        return set(FILES)
    added.write_bytes(picture(2_000 + turn))
    return {*FILES, "Bea_B/added.jpg"}


def kill(gallery: Gallery, turn: int, stage: str, after_s: float) -> Blow:
    """Change the archive, kill a refresh of it so long after that stage has begun, look at what is live, and refresh
    again. Fails where anything is lost."""
    files = change(gallery, turn)
    before = gallery.services.vectors.live()
    process = start(gallery)
    assert process.stderr is not None
    for line in process.stderr:
        if line.split()[2:4] == [stage, "start"]:
            threading.Event().wait(after_s)
            os.kill(process.pid, signal.SIGKILL)
    process.wait(60)
    process.stderr.close()
    assert process.returncode in (-signal.SIGKILL, 0)  # 0 where it had ended before the blow fell

    live = gallery.services.vectors.live()
    assert before is not None and live is not None and faults(gallery.services) == []
    unfinished = sum(1 for path in gallery.settings().home.rglob("*.part") if path.is_file())

    counts = gallery.refresh()
    assert faults(gallery.services) == [] and gallery.live_files() == files
    assert counts["indexed"] == len(files) == len(gallery.services.vectors.open(counts["build"]).ids())
    builds = gallery.services.vectors.builds()
    assert all(build.ready for build in builds) and len(builds) <= gallery.settings().keep_builds + 1
    return Blow(stage, after_s, live.name == before.name, counts["embedded"], unfinished)


def blows(gallery: Gallery, kills: int, seed: int) -> Iterator[Blow]:
    """Kill that many refreshes, each at a random moment of a stage; all stages get their turn, in random order.

    Not at a random moment of the run, most of which is spent with loading libraries in one of the stages.
    """
    gallery.refresh()
    moments = random.Random(seed)
    stages: list[str] = []
    for turn in range(1, kills + 1):
        stages = stages or moments.sample(STAGES, len(STAGES))
        yield kill(gallery, turn, stages.pop(), moments.uniform(0.0, LONGEST_S))


@click.command()
@click.option("--kills", default=20, show_default=True)
@click.option("--seed", default=7, show_default=True)
def main(kills: int, seed: int) -> None:
    """Kill refreshes and say what was found each time."""
    with tempfile.TemporaryDirectory(prefix="bad-days-") as folder:
        root = Path(folder)
        gallery = Gallery(
            root, lambda **given: read_settings(**{"home": root / "home", "encoder": "fake", **given})
        )
        for n, blow in enumerate(blows(gallery, kills, seed), start=1):
            click.echo(
                f"{n:>3}  {blow.stage:<10} + {blow.after_s:.2f} s  live: "
                f"{'the former' if blow.former_stayed else 'the new   '}  the next encoded {blow.embedded}, "
                f"left {blow.unfinished} unfinished"
            )
    click.echo("nothing was lost")


if __name__ == "__main__":
    main()
