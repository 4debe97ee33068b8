"""Kill refreshes at random moments, and check that nothing is lost and the next refresh completes.

    python -m tests.chaos.drills --kills 20 --seed 7

prints a line for each kill; docs/reliability.md quotes its result. The test suite does two of them.
"""

from __future__ import annotations

import hashlib
import os
import random
import signal
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import click
import numpy as np

from gallery.search.engine import SearchEngine
from gallery.services import Services
from pipelines.defs.collection.manifests import load_manifest
from pipelines.runner import STAGES
from tests.conftest import settings_below
from tests.fakes.archives import picture
from tests.fakes.gallery import BOATS, FILES, Gallery

MAX_DELAY_S = 0.25
"""From the start of a stage to the kill; most stages of the small dataset take less."""


@dataclass(frozen=True)
class Kill:
    """What was found after one kill: `delay_s` seconds after `stage` had started."""

    stage: str
    delay_s: float
    live_unchanged: bool
    embedded: int
    """Vectors that the next refresh computed, of the two that the changes ask for."""
    partial_files: int
    """Files that the killed process was writing; no reader takes them for objects."""


def problems(services: Services) -> list[str]:
    """Return what visitors would notice; empty if the live build and its images are complete."""
    live = services.vectors.live()
    if live is None:
        return ["there is no live build"]
    rows, manifest = (
        services.vectors.open(live.name),
        load_manifest(services.tables, services.vectors, live.name),
    )
    if manifest is None:
        return ["the live build has no manifest"]
    found = []
    ids = sorted(manifest["id"])
    if rows.ids() != set(ids) or not rows.count() == len(ids) == live.works:
        found.append(f"{rows.count()} rows for {live.works} works")
    elif not np.allclose(np.linalg.norm(rows.vectors(ids), axis=1), 1.0, atol=1e-3):
        found.append("vectors are not of unit length")
    sizes = services.images.sizes()
    for row in manifest.to_dict("records"):
        if not all(sizes.get(row[name]) for name in ("original", "large", "small")):
            found.append(f"{row['file']} lacks an image")
        elif hashlib.sha256(services.images.get(row["original"])).hexdigest() != row["sha256"]:
            found.append(f"{row['file']} has a different original")
    engine = SearchEngine(services)
    if len(engine.search(engine.live_collection(), replace(BOATS, limit=50)).hits) != live.works:
        found.append("a search does not find all works")
    return found


def change(gallery: Gallery, turn: int) -> set[str]:
    """Replace one file, and add or remove another; return the files that the dataset now has."""
    gallery.path("Anna_A/Anna_A_0.jpg").write_bytes(picture(1_000 + turn))
    added = gallery.path("Bea_B/added.jpg")
    if turn % 2:
        added.unlink(missing_ok=True)
        return set(FILES)
    added.write_bytes(picture(2_000 + turn))
    return {*FILES, "Bea_B/added.jpg"}


def kill_refresh(gallery: Gallery, stage: str, kind: str = "start", delay_s: float = 0.0) -> int:
    """Start a refresh, kill it at the event of that stage or a moment later, and return its exit code.

    The code is 0 if the refresh had already finished.
    """
    process = gallery.start()
    assert process.stderr is not None and process.stdout is not None
    for line in process.stderr:
        if line.split()[2:4] == [stage, kind]:
            threading.Event().wait(delay_s)
            os.kill(process.pid, signal.SIGKILL)
    code = process.wait(600)
    process.stderr.close()
    process.stdout.close()
    assert code in (-signal.SIGKILL, 0)
    return code


def kill_and_check(gallery: Gallery, turn: int, stage: str, delay_s: float) -> Kill:
    """Change the dataset, kill a refresh, check the live build, refresh again, and check again."""
    files = change(gallery, turn)
    before = gallery.services.vectors.live()
    kill_refresh(gallery, stage, delay_s=delay_s)
    live = gallery.services.vectors.live()
    assert before is not None and live is not None and problems(gallery.services) == []
    partial = sum(1 for path in gallery.settings().home.rglob("*.part") if path.is_file())

    counts = gallery.refresh()
    assert problems(gallery.services) == [] and gallery.live_files() == files
    assert counts["indexed"] == len(files) == len(gallery.services.vectors.open(counts["build"]).ids())
    builds = gallery.services.vectors.builds()
    assert all(build.ready for build in builds) and len(builds) <= gallery.settings().keep_builds + 1
    return Kill(stage, delay_s, live.name == before.name, counts["embedded"], partial)


def random_kills(gallery: Gallery, kills: int, seed: int) -> Iterator[Kill]:
    """Kill that many refreshes, each at a random moment of a stage; stages take turns in random order.

    Not at a random moment of the run, which spends most of its time loading libraries in one stage.
    """
    moments = random.Random(seed)
    stages: list[str] = []
    for turn in range(1, kills + 1):
        stages = stages or moments.sample(STAGES, len(STAGES))
        yield kill_and_check(gallery, turn, stages.pop(), moments.uniform(0.0, MAX_DELAY_S))


@click.command()
@click.option("--kills", default=20, show_default=True)
@click.option("--seed", default=7, show_default=True)
def main(kills: int, seed: int) -> None:
    """Kill refreshes and print what was found each time."""
    with tempfile.TemporaryDirectory(prefix="gallery-kills-") as folder:
        root = Path(folder)
        settings_with = settings_below(root / "home")
        with Gallery(root, settings_with) as gallery:
            gallery.refresh()
            for n, kill in enumerate(random_kills(gallery, kills, seed), start=1):
                live = "unchanged" if kill.live_unchanged else "new      "
                click.echo(
                    f"{n:>3}  {kill.stage:<10} + {kill.delay_s:.2f} s  live: {live}  "
                    f"next refresh encoded {kill.embedded}; {kill.partial_files} partial files"
                )
    click.echo("nothing was lost")


if __name__ == "__main__":
    main()
