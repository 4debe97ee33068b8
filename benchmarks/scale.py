"""Measure the rates in docs/scaling.md: what each work costs the parts of a refresh, in time, memory and
storage.

    python benchmarks/scale.py --works 20000

The works are synthetic, so nothing is decoded or encoded: benchmarks/refresh.py and
benchmarks/encoders.py measure that.
"""

from __future__ import annotations

import hashlib
import resource
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import dagster as dg
import numpy as np
import pandas as pd

from gallery.models import Build
from gallery.objects.base import TABLES
from gallery.vectors.base import VECTORS
from gallery.vectors.lance import LanceStore  # noqa: F401  (so that no rate includes the import)
from pipelines.defs.collection.builds import BATCH_WORKS, assemble_works, content_name
from pipelines.defs.embeddings.vectors import VectorCache
from pipelines.defs.images.storage import ImageLimits, keys_of, missing_images, verify_images
from pipelines.shards import make_shards
from pipelines.tables import ARTISTS, ARTWORKS, IMAGES

DIM = 512


def tables(works: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return synthetic artists and works, 200 works per artist."""
    artists = [
        {
            "slug": f"a{n}", "name": f"Artist {n}", "birth": 1850, "death": 1900, "styles": ["Realism"],
            "nationalities": ["French"], "summary": "x" * 300, "bio": "x" * 1500, "wikipedia": "https://x.org/y",
            "folders": [f"A_{n}"], "files": 200,
        }
        for n in range(works // 200 + 1)
    ]  # fmt: skip
    rows = [
        {
            "id": hashlib.md5(str(n).encode()).hexdigest(), "artist": f"a{n // 200}",
            "file": f"images/images/A/{n}.jpg", "sha256": hashlib.sha256(str(n).encode()).hexdigest(),
            "size": 200_000, "width": 1200, "height": 900, "color": "#808080",
            "phash": f"{n:016x}", "extension": "jpg",
        }
        for n in range(works)
    ]  # fmt: skip
    return ARTISTS.frame(artists), ARTWORKS.frame(rows)


class Listed:
    """An image store that can only list its keys."""

    address = "listed://"

    def __init__(self, keys: set[str]) -> None:
        self._keys = keys

    def sizes(self, prefix: str = "") -> dict[str, int]:
        return {key: 1 for key in self._keys if key.startswith(prefix)}


@click.command()
@click.option("--works", default=20_000, show_default=True, help="Number of synthetic works.")
@click.option("--shards", default=50, show_default=True, help="Number of Dagster steps.")
def main(works: int, shards: int) -> None:
    """Measure what each work costs the parts of a refresh."""
    folder = Path(tempfile.mkdtemp(prefix="scale-"))
    try:
        measure(works, shards, folder)
    finally:
        shutil.rmtree(folder)


def measure(works: int, shards: int, folder: Path) -> None:
    def timed(what: str, act: Callable[[], Any], per: int = works) -> Any:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        started = time.perf_counter()
        value = act()
        seconds = time.perf_counter() - started
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
        click.echo(
            f"{what:<44} {1e6 * seconds / per:9.1f} µs each   peak memory +{grown / per / 1000:6.2f} kB each"
        )
        return value

    def size(path: str) -> float:
        return sum(file.stat().st_size for file in (folder / path).rglob("*") if file.is_file()) / works

    store = TABLES.open(f"file://{folder}/tables")
    artists, artworks = tables(works)
    timed("write a table", lambda: ARTWORKS.write(store, artworks))
    timed("read a table", lambda: ARTWORKS.read(store))
    click.echo(f"{'':<44} {size('tables'):9.1f} bytes each")

    limits = ImageLimits(10**8, 10**8, 400, 1024)
    sampled = artworks[["id", "file", "sha256", "extension"]]
    timed("plan images, none stored", lambda: missing_images(sampled, Listed(set()), limits))  # type: ignore[arg-type]
    keys = {key for work in sampled.to_dict("records") for key in keys_of(work, limits).values()}
    images = timed(
        "reconcile images",
        lambda: verify_images(sampled, {}, Listed(keys), limits),  # type: ignore[arg-type]
    )
    IMAGES.write(store, images)
    timed("make shards", lambda: make_shards(images[["sha256", "original"]], "sha256", 256))

    cache = VectorCache(store, "scale", DIM)
    rows = np.random.default_rng(1).standard_normal((works, DIM)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    digests = list(artworks["sha256"])

    def fill() -> None:
        for start in range(0, works, 256):
            cache.add(digests[start : start + 256], rows[start : start + 256])

    timed("store vectors in parts of 256", fill)
    timed("list stored vectors", cache.present)
    timed("read all vectors", lambda: cache.vectors(digests))
    click.echo(f"{'':<44} {size('tables/embeddings'):9.1f} bytes each")

    assembled = timed("assemble works", lambda: assemble_works(artists, artworks, images))
    timed("name the build", lambda: content_name(assembled, "scale"))
    vectors = VECTORS.open(f"lance://{folder}/vectors", api_key=None)
    build = Build(
        name="b1", encoder="x", fingerprint="scale", dim=DIM, works=works, dataset="x", version="1",
        generated=False, created_at="2026-01-01T00:00:00+00:00",
    )  # fmt: skip
    collection = vectors.create(build)

    def load() -> None:
        for start in range(0, works, BATCH_WORKS):
            collection.upsert(assembled[start : start + BATCH_WORKS], rows[start : start + BATCH_WORKS])

    timed("write the build to LanceDB", load)
    timed("read its ids", collection.ids)
    timed("seal the build", lambda: vectors.seal("b1"))
    click.echo(f"{'':<44} {size('vectors'):9.1f} bytes each")
    timed(
        "one search, unfiltered",
        lambda: [collection.search(rows[n], 10, fingerprint="scale") for n in range(20)],
        20,
    )

    with dg.DagsterInstance.local_temp(str(folder)) as instance:
        timed("a Dagster step, in process", lambda: steps(shards, instance), shards)
        (run,) = instance.get_runs()
        records = len(instance.all_logs(run.run_id))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    click.echo(f"{'peak memory, including vectors':<44} {peak / works / 1000:9.1f} kB each")
    history = sum(file.stat().st_size for file in (folder / "history").rglob("*.db"))
    click.echo(f"{'':<44} {history / shards:9.1f} bytes of history, {records / shards:.1f} records a step")


def steps(count: int, instance: dg.DagsterInstance) -> None:
    """Run a fan-out like that of `images`, with steps that do nothing."""

    @dg.op(out=dg.DynamicOut(dg.Nothing))
    def plan():  # type: ignore[no-untyped-def]
        for n in range(count):
            yield dg.DynamicOutput(None, mapping_key=f"s{n}")

    @dg.op(ins={"shard": dg.In(dg.Nothing)}, out=dg.Out(dg.Nothing))
    def work() -> None:
        return

    @dg.op(ins={"done": dg.In(dg.Nothing)})
    def reconcile() -> None:
        return

    @dg.job(executor_def=dg.in_process_executor)
    def fan_out() -> None:
        reconcile(plan().map(work).collect())

    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    assert fan_out.execute_in_process(instance=instance, run_config=quiet).success


if __name__ == "__main__":
    main()
