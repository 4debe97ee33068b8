"""The rates that docs/scaling.md reckons with: what one more work costs each piece, in seconds, memory and bytes.

    python benchmarks/scale.py --works 20000

Works are made up, so nothing is decoded or encoded here: benchmarks/refresh.py and benchmarks/encoders.py measure that.
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
from gallery.vectors.lance import LanceStore  # noqa: F401  (its import is no part of any rate)
from pipelines.defs.collection.builds import BATCH, assemble_works, content_name
from pipelines.defs.embeddings.vectors import VectorCache
from pipelines.defs.images.storage import ImageLimits, keys_of, missing_images, verify_images
from pipelines.shards import make_shards
from pipelines.tables import ARTISTS, ARTWORKS, IMAGES

DIM = 512


def tables(works: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Made-up artists (one for every 200 works) and works."""
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
            "id": hashlib.md5(str(n).encode()).hexdigest(), "artist": f"a{n // 200}", "file": f"images/images/A/{n}.jpg",
            "sha256": hashlib.sha256(str(n).encode()).hexdigest(), "size": 200_000, "width": 1200, "height": 900,
            "color": "#808080", "phash": f"{n:016x}", "extension": "jpg",
        }
        for n in range(works)
    ]  # fmt: skip
    return ARTISTS.frame(artists), ARTWORKS.frame(rows)


class Listed:
    """An image store that holds these keys; only listing is measured."""

    address = "listed://"

    def __init__(self, keys: set[str]) -> None:
        self._keys = keys

    def sizes(self, prefix: str = "") -> dict[str, int]:
        return {key: 1 for key in self._keys if key.startswith(prefix)}


@click.command()
@click.option("--works", default=20_000, show_default=True, help="Works to make up.")
@click.option("--shards", default=50, show_default=True, help="Steps to run, for what a step costs.")
def main(works: int, shards: int) -> None:
    """Measure what WORKS works cost each piece of a refresh."""
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
    timed("a table written", lambda: ARTWORKS.write(store, artworks))
    timed("a table read", lambda: ARTWORKS.read(store))
    click.echo(f"{'':<44} {size('tables'):9.1f} bytes each")

    limits = ImageLimits(10**8, 10**8, 400, 1024)
    sampled = artworks[["id", "file", "sha256", "extension"]]
    timed("images: planned, none there", lambda: missing_images(sampled, Listed(set()), limits))  # type: ignore[arg-type]
    keys = {key for work in sampled.to_dict("records") for key in keys_of(work, limits).values()}
    images = timed(
        "images: reconciled",
        lambda: verify_images(sampled, {}, Listed(keys), limits),  # type: ignore[arg-type]
    )
    IMAGES.write(store, images)
    timed("shards made", lambda: make_shards(images[["sha256", "original"]], "sha256", 256))

    cache = VectorCache(store, "scale", DIM)
    rows = np.random.default_rng(1).standard_normal((works, DIM)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    digests = list(artworks["sha256"])

    def fill() -> None:
        for start in range(0, works, 256):
            cache.add(digests[start : start + 256], rows[start : start + 256])

    timed("vectors: stored in parts of 256", fill)
    timed("vectors: which are there", cache.present)
    timed("vectors: all read", lambda: cache.vectors(digests))
    click.echo(f"{'':<44} {size('tables/embeddings'):9.1f} bytes each")

    assembled = timed("candidate: works assembled", lambda: assemble_works(artists, artworks, images))
    timed("candidate: named", lambda: content_name(assembled, "scale"))
    vectors = VECTORS.open(f"lance://{folder}/vectors", api_key=None)
    build = Build(
        name="b1", encoder="x", fingerprint="scale", dim=DIM, works=works, dataset="x", version="1", generated=False,
        created_at="2026-01-01T00:00:00+00:00",
    )  # fmt: skip
    collection = vectors.create(build)

    def load() -> None:
        for start in range(0, works, BATCH):
            collection.upsert(assembled[start : start + BATCH], rows[start : start + BATCH])

    timed("candidate: written to LanceDB", load)
    timed("candidate: its ids read back", collection.ids)
    timed("seal", lambda: vectors.seal("b1"))
    click.echo(f"{'':<44} {size('vectors'):9.1f} bytes each")
    timed(
        "one search, unfiltered (of all works)",
        lambda: [collection.search(rows[n], 10, fingerprint="scale") for n in range(20)],
        20,
    )

    with dg.DagsterInstance.local_temp(str(folder)) as instance:
        timed("Dagster: a step in the run's process", lambda: steps(shards, instance), shards)
        (run,) = instance.get_runs()
        records = len(instance.all_logs(run.run_id))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    click.echo(f"{'peak memory of all this, vectors included':<44} {peak / works / 1000:9.1f} kB each")
    history = sum(file.stat().st_size for file in (folder / "history").rglob("*.db"))
    click.echo(f"{'':<44} {history / shards:9.1f} bytes of history, {records / shards:.1f} records a step")


def steps(count: int, instance: dg.DagsterInstance) -> None:
    """A fan-out like that of `images` and `embeddings`, whose steps do nothing."""

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
