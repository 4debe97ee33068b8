"""Measure refreshes: the first, one without changes, and one with five files changed, two added and three
removed.

    python benchmarks/refresh.py ARCHIVE.zip [--encoder offline]
    python benchmarks/refresh.py                       # the generated sample collection

Works on a copy in a temporary folder. Prints the duration of each refresh, its share of the first one's,
how many files were read from the dataset and from the image store, the durations of the longest stages, and
the counts of the refresh.
"""

from __future__ import annotations

import io
import json
import shutil
import tempfile
import time
import zipfile
from collections import Counter
from pathlib import Path

import click
import dagster as dg
from PIL import Image, ImageOps

from gallery.datasets.archive import FolderArchive
from gallery.datasets.base import ARTISTS_CSV, DATASETS
from gallery.names import match_key
from gallery.objects.local import LocalObjects
from gallery.services import Services
from gallery.settings import read_settings
from pipelines.runner import StageEvent, run_refresh


def count_reads() -> Counter[str]:
    """Count reads of the dataset's images and of the image store from now on; return the counter."""
    counts: Counter[str] = Counter()
    read, get = FolderArchive.read, LocalObjects.get

    def counted_read(archive: FolderArchive, path: str, limit: int) -> bytes:
        counts["dataset"] += path != ARTISTS_CSV
        return read(archive, path, limit)

    def counted_get(store: LocalObjects, key: str) -> bytes:
        counts["images"] += key.startswith(("originals/", "thumbs/"))
        return get(store, key)

    FolderArchive.read, LocalObjects.get = counted_read, counted_get  # type: ignore[method-assign]
    return counts


class StageTimes:
    """Durations of stages, from the first event of each to its last."""

    def __init__(self) -> None:
        self._first: dict[str, float] = {}
        self._last: dict[str, float] = {}

    def __call__(self, event: StageEvent) -> None:
        now = time.perf_counter()
        self._first.setdefault(event.stage, now)
        self._last[event.stage] = now

    def longest(self, count: int = 6) -> str:
        """Return the longest stages, longest first, in seconds."""
        seconds = {stage: last - self._first[stage] for stage, last in self._last.items()}
        longest = sorted(seconds, key=lambda stage: -seconds[stage])[:count]
        return ", ".join(f"{stage} {seconds[stage]:.1f} s" for stage in longest)


def few_works(root: Path, per_artist: int) -> list[Path]:
    """Return files of artists whose works are all sampled: each change of one changes the sample."""
    files = sorted((root / "images" / "images").rglob("*.jpg"))
    works = Counter(match_key(file.parent.name) for file in files)
    spread: dict[str, list[Path]] = {}
    for file in files:
        if works[match_key(file.parent.name)] < per_artist - 5:
            spread.setdefault(file.parent.name, []).append(file)
    return [files[place] for place in range(3) for files in spread.values() if len(files) > 4]


def change(root: Path, per_artist: int) -> None:
    """Change five files, add two and remove three."""
    files = few_works(root, per_artist)
    if len(files) < 10:
        raise click.ClickException(
            f"too few artists have less than {per_artist} works; give a larger --per-artist"
        )
    for file in files[:5]:
        mirrored = ImageOps.mirror(Image.open(io.BytesIO(file.read_bytes())).convert("RGB"))
        mirrored.save(file, quality=90)
    for file in files[5:7]:
        turned = ImageOps.flip(Image.open(file).convert("RGB"))
        turned.save(file.with_name("added.jpg"), quality=90)
    for file in files[7:10]:
        file.unlink()


@click.command()
@click.argument("archive", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--encoder", default="offline", show_default=True)
@click.option("--per-artist", default=20, show_default=True)
def main(archive: Path | None, encoder: str, per_artist: int) -> None:
    """Measure refreshes of ARCHIVE, or of the generated sample collection."""
    folder = Path(tempfile.mkdtemp(prefix="refresh-"))
    try:
        if archive is None:
            DATASETS.open("sample://", home=folder).fetch()
            (archive,) = (folder / "datasets").glob("*.zip")
        root = folder / "archive"
        with zipfile.ZipFile(archive) as source:
            source.extractall(root, [name for name in source.namelist() if not name.startswith("resized/")])
        settings = read_settings(
            home=folder / "home", dataset=f"file://{root}", encoder=encoder, per_artist=per_artist
        )
        first, reads = 0.0, count_reads()
        for name in ("first", "unchanged", "5 changed, 2 added, 3 removed"):
            if name.startswith("5"):
                change(root, per_artist)
            reads.clear()
            started, cpu = time.perf_counter(), time.process_time()
            stages = StageTimes()
            with dg.DagsterInstance.ephemeral() as instance:
                counts = run_refresh(Services(settings), stages, instance)
            seconds = time.perf_counter() - started
            cpu = time.process_time() - cpu
            first = first or seconds
            click.echo(
                f"{name}: {seconds:.1f} s, {seconds / first:.3f} of the first; {cpu:.1f} s of processor "
                f"time; read {reads['dataset']} files, {reads['images']} images"
            )
            click.echo(f"  longest stages: {stages.longest()}")
            click.echo("  " + json.dumps(counts))
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
