"""A refresh over two Celery workers that share only the addresses in the settings; one of them is killed.

Kaggle, the bucket and Weaviate are fakes; Redis and PostgreSQL are real.
"""

from __future__ import annotations

import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pytest
from PIL import Image

from gallery.services import Services
from gallery.settings import Settings
from pipelines import lock
from pipelines.defs.embeddings.assets import vector_cache
from pipelines.tables import IMAGES
from tests.fakes.archives import artists_csv, write_zip
from tests.fakes.gcs import create_bucket, fake_gcs
from tests.fakes.kaggle import sdk_environment
from tests.fakes.processes import free_port, process, redis_server, wait_for

pytestmark = pytest.mark.services

ROOT = Path(__file__).parents[2]
ARTISTS, WORKS, SHARD = 2, 8, 8
KEY, TOKEN = "loader-key", "KGAT_for_a_test"
STEP_LIMIT_S = 30
"""GALLERY_STEP_LIMIT. A few seconds later, Redis gives the step of a dead worker to another."""


def program(name: str) -> str:
    """Return the path of a server program; skip the test if it is not installed."""
    debian = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    found = shutil.which(name) or (str(debian[-1]) if debian else None)
    if found is None:
        pytest.skip(f"{name} is not installed; apt-get install postgresql")
    return found


@contextmanager
def postgres(log: Path) -> Iterator[str]:
    """Run an empty PostgreSQL until the end of the block; yield its address, as SQLAlchemy reads it."""
    server, initdb = program("postgres"), program("initdb")
    # It refuses to run as root, and another user cannot enter root's temporary folders.
    user = {"user": "postgres"} if os.getuid() == 0 else {}
    data = Path(tempfile.mkdtemp(prefix="gallery-postgres-"))
    try:
        if user:
            os.chown(data, pwd.getpwnam("postgres").pw_uid, -1)
        made = [
            initdb,
            "-D",
            str(data / "db"),
            "-U",
            "dagster",
            "-A",
            "trust",
            "--no-sync",
            "--no-locale",
            "-E",
            "UTF8",
        ]
        subprocess.run(made, check=True, capture_output=True, cwd="/", **user)
        port = free_port()
        command = [server, "-D", str(data / "db"), "-p", str(port), "-c", "listen_addresses=127.0.0.1"]
        command += ["-c", "unix_socket_directories=", "-c", "fsync=off"]
        with process(command, log, cwd="/", **user):
            wait_for(lambda: "ready to accept connections" in log.read_text(), "PostgreSQL")
            yield f"postgresql+psycopg2://dagster@127.0.0.1:{port}/postgres"
    finally:
        shutil.rmtree(data)


def slow_picture(seed: int, path: Path) -> bytes:
    """Return an image that is slow to decode, so that a shard takes seconds, but small as a file."""
    patches = np.random.default_rng(seed).integers(0, 255, (6, 5, 3), dtype=np.uint8)
    Image.fromarray(patches).resize((3000, 3600), Image.Resampling.NEAREST).save(
        path, "PNG", compress_level=1
    )
    return path.read_bytes()


@dataclass
class Machine:
    """A machine with its own home and Dagster home; all machines have the same settings."""

    folder: Path
    settings: Mapping[str, str]

    def __post_init__(self) -> None:
        (self.folder / "dagster").mkdir(parents=True)
        shutil.copy(ROOT / "infra/dagster/dagster.yaml", self.folder / "dagster" / "dagster.yaml")

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("LANG", "VIRTUAL_ENV") if name in os.environ}
        # dagster-celery starts `celery` by name, also where this environment is not activated.
        kept["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        own = {
            "HOME": str(self.folder),
            "GALLERY_HOME": str(self.folder / "gallery"),
            "DAGSTER_HOME": str(self.folder / "dagster"),
        }
        return {**kept, **self.settings, **own}

    def start(self, *command: str, **more: Any) -> subprocess.Popen[str]:
        log = (self.folder / "log").open("a")
        try:
            return subprocess.Popen(
                command,
                env=self.environment,
                cwd=self.folder,
                stderr=log,
                text=True,
                start_new_session=True,  # so that a worker can be killed together with its children
                **{"stdout": log, **more},
            )
        finally:
            log.close()


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Run the services; yield the settings of all machines."""
    names = [f"Painter {letter}" for letter in "ABC"[:ARTISTS]]
    files = {
        f"{name.replace(' ', '_')}/{n}.png": slow_picture(place * 100 + n, tmp_path / "picture.png")
        for place, name in enumerate(names)
        for n in range(WORKS)
    }
    archive = write_zip(tmp_path / "archive.zip", files, artists_csv(names))
    with ExitStack() as stack:
        broker = stack.enter_context(redis_server(tmp_path))
        database = stack.enter_context(postgres(tmp_path / "postgres.log"))
        gcs = stack.enter_context(fake_gcs())
        for bucket in ("pictures", "tables"):
            create_bucket(gcs, bucket)
        kaggle_port = free_port()
        kaggle = [sys.executable, "-m", "tests.fakes.kaggle", "--archive", str(archive), "--token", TOKEN]
        kaggle += ["--port", str(kaggle_port)]
        stack.enter_context(process(kaggle, tmp_path / "kaggle.log", cwd=ROOT))
        services = tmp_path / "weaviate.ports"
        weaviate = [
            sys.executable,
            "-m",
            "tests.fakes.weaviate",
            "--port-file",
            str(services),
            "--api-key",
            KEY,
        ]
        stack.enter_context(process(weaviate, tmp_path / "weaviate.log", cwd=ROOT))
        wait_for(services.exists, "the fake Weaviate")
        wait_for(lambda: "serving" in (tmp_path / "kaggle.log").read_text(), "the fake Kaggle")
        rest, grpc = services.read_text().split()
        yield {
            "GALLERY_EXECUTOR": "celery",
            "GALLERY_BROKER": broker,
            "GALLERY_STEP_LIMIT": str(STEP_LIMIT_S),
            "GALLERY_SHARD_SIZE": str(SHARD),
            "GALLERY_WORKERS": "1",
            "GALLERY_DATASET": "kaggle://ikarus777/best-artworks-of-all-time",
            "GALLERY_IMAGES": "gs://pictures/gallery",
            "GALLERY_TABLES": "gs://tables/gallery",
            "GALLERY_VECTORS": f"weaviate://127.0.0.1:{rest}?grpc={grpc}&timeout=5",
            "GALLERY_VECTORS_KEY": KEY,
            "GALLERY_ENCODER": "fake",
            **sdk_environment(kaggle_port, TOKEN),
            "STORAGE_EMULATOR_HOST": gcs,
            "DAGSTER_POSTGRES_URL": database,
            "DAGSTER_DISABLE_TELEMETRY": "1",
        }


def takings(instance: dg.DagsterInstance) -> list[tuple[str, str]]:
    """Return (step, worker) for each time that a worker took a step, in order, over all runs."""
    taken = []
    for run in instance.get_runs():
        for record in instance.get_records_for_run(
            run.run_id, of_type=dg.DagsterEventType.ENGINE_EVENT
        ).records:
            event = record.event_log_entry.dagster_event
            worker = event.event_specific_data.metadata.get("Celery worker") if event else None
            if event and worker is not None:
                taken.append((str(event.step_key), str(worker.value)))
    return taken


def test_a_run_whose_worker_is_killed_completes_with_nothing_lost_or_doubled(
    settings: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machines = {name: Machine(tmp_path / name, settings) for name in ("first", "second", "head")}
    for name, value in machines["head"].environment.items():
        monkeypatch.setenv(name, value)
    # Creates the tables: two processes that open an empty database at once fail (docs/operations.md).
    dg.DagsterInstance.get().dispose()
    started: list[subprocess.Popen[str]] = []
    try:
        celery = ("dagster-celery", "worker", "start", "-A", "pipelines.celery_app", "-n")
        workers = {}
        for name in ("first", "second"):
            workers[name] = machines[name].start(*celery, name, "--", "--concurrency", "1")
            started.append(workers[name])
        for name, command in workers.items():
            log = tmp_path / name / "log"

            def ready(command: subprocess.Popen[str] = command, log: Path = log) -> bool:
                assert command.poll() is None, log.read_text()
                return "ready." in log.read_text()

            wait_for(ready, f"worker {name}")
        head = machines["head"].start("gallery", "refresh", "--json", stdout=subprocess.PIPE)
        started.append(head)

        with dg.DagsterInstance.get() as instance:

            def shard_taken() -> list[tuple[str, str]]:
                assert head.poll() is None, (tmp_path / "head" / "log").read_text()
                return [(step, worker) for step, worker in takings(instance) if "scan_shard" in step]

            wait_for(lambda: bool(shard_taken()), "a shard at work")
            lost, worker = shard_taken()[0]
            victim = worker.partition("@")[0]
            os.killpg(workers[victim].pid, signal.SIGKILL)

            said, _ = head.communicate(timeout=900)
            assert head.returncode == 0, (tmp_path / "head" / "log").read_text()
            taken = takings(instance)

        # The step that died was taken a second time, by the other worker, and no other step was done twice.
        assert [name.partition("@")[0] for step, name in taken if step == lost] == [
            victim,
            next(name for name in workers if name != victim),
        ]
        assert [step for step, times in Counter(step for step, _ in taken).items() if times > 1] == [lost]
        assert len([step for step, _ in taken if "encode_images" in step]) == ARTISTS * WORKS // SHARD

        counts, works = json.loads(said), ARTISTS * WORKS
        assert counts["indexed"] == counts["embedded"] == works
        assert (counts["images_uploaded"], counts["images_unchanged"]) == (works, 0)
        services = Services(Settings())
        assert len(IMAGES.read(services.tables)) == works
        assert len(services.images.sizes("originals/")) == works
        assert len(services.images.sizes("thumbs/")) == 2 * works
        cache = vector_cache(services)
        assert cache.present() == set(IMAGES.read(services.tables)["sha256"])
        live = services.vectors.live()
        assert live is not None and live.works == works == services.vectors.open(live.name).count()
        _, holder = lock.current(services.tables)
        assert holder is not None and holder.released
    finally:
        for running in started:
            if running.poll() is None:
                os.killpg(running.pid, signal.SIGKILL)
            running.wait()
            if running.stdout:
                running.stdout.close()
