"""Fakes of Kaggle, a bucket and Weaviate as processes, and the environment with which `gallery` uses them."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.fakes.archives import artists_csv, picture, write_zip
from tests.fakes.gcs import create_bucket, fake_gcs
from tests.fakes.kaggle import sdk_environment
from tests.fakes.processes import HANG_GUARD_S, free_port, process, wait_for
from tests.fakes.weaviate.faults import CALLS

ROOT = Path(__file__).parents[2]
LOADER, SEARCHER, SIGNER = "pl4nted-l0ader-key", "pl4nted-searcher-key", "pl4nted-secret-key-for-signing"
TOKEN, WEBHOOK = "KGAT_pl4nted_kaggle_token", "https://hooks.invalid/pl4nted-webhook"
PLANTED = (LOADER, SEARCHER, SIGNER, TOKEN, "pl4nted")
"""Secrets that may appear only in the requests that carry them."""
ARTISTS, WORKS = 6, 4


@dataclass(frozen=True)
class Deployment:
    """The running services, and the folder where this test keeps its files."""

    folder: Path
    environment: dict[str, str]
    weaviate: str
    """Address at which the fake Weaviate takes orders to fail."""

    def run(self, *command: str, expect: int = 0) -> subprocess.CompletedProcess[str]:
        """Run `gallery` with that environment. Fail the test if its exit code is not the expected one."""
        done = subprocess.run(
            [sys.executable, "-m", "gallery", *command],
            env=self.environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=5 * HANG_GUARD_S,
        )
        with (self.folder / "output.log").open("a", encoding="utf-8") as log:
            log.write(done.stdout + done.stderr)
        assert done.returncode == expect, f"gallery {' '.join(command)}\n{done.stdout}\n{done.stderr}"
        return done

    @contextmanager
    def outage(self) -> Iterator[None]:
        """Make Weaviate refuse every call until the end of the block."""
        try:
            for call in CALLS:
                self._control("POST", json.dumps({"call": call, "fault": "refuse"}).encode())
            yield
        finally:
            self._control("DELETE", None)

    def _control(self, method: str, data: bytes | None) -> None:
        request = urllib.request.Request(self.weaviate, data, method=method)
        with urllib.request.urlopen(request, timeout=HANG_GUARD_S):
            pass


@dataclass(frozen=True)
class Answer:
    """A response of the web app."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> dict[str, object]:
        value: dict[str, object] = json.loads(self.body)
        return value


@contextmanager
def deployment(folder: Path) -> Iterator[Deployment]:
    """Start the three services, with a small archive at Kaggle, until the end of the block."""
    archive = _write_archive(folder / "archive.zip")
    with ExitStack() as stack:
        gcs = stack.enter_context(fake_gcs())
        for bucket in ("pictures", "tables"):
            create_bucket(gcs, bucket)
        kaggle_port = free_port()
        kaggle = [sys.executable, "-m", "tests.fakes.kaggle", "--archive", str(archive), "--token", TOKEN]
        stack.enter_context(process([*kaggle, "--port", str(kaggle_port)], folder / "kaggle.log", cwd=ROOT))
        ports = folder / "weaviate.ports"
        weaviate = [sys.executable, "-m", "tests.fakes.weaviate", "--port-file", str(ports)]
        weaviate += ["--api-key", LOADER, "--search-key", SEARCHER]
        stack.enter_context(process(weaviate, folder / "weaviate.log", cwd=ROOT))
        wait_for(ports.exists, "the fake Weaviate")
        wait_for(lambda: "serving" in (folder / "kaggle.log").read_text(), "the fake Kaggle")
        rest, grpc = ports.read_text().split()
        settings = {
            "GALLERY_HOME": str(folder / "home"),
            "GALLERY_DATASET": "kaggle://ikarus777/best-artworks-of-all-time",
            "GALLERY_IMAGES": "gs://pictures/gallery",
            "GALLERY_TABLES": "gs://tables/gallery",
            "GALLERY_VECTORS": f"weaviate://127.0.0.1:{rest}?grpc={grpc}&timeout=30",
            "GALLERY_VECTORS_KEY": LOADER,
            "GALLERY_VECTORS_SEARCH_KEY": SEARCHER,
            "GALLERY_SECRET_KEY": SIGNER,
            "GALLERY_ENCODER": "fake",
            "GALLERY_PER_ARTIST": "3",
            "GALLERY_LOG_LEVEL": "DEBUG",
            **sdk_environment(kaggle_port, TOKEN),
            "STORAGE_EMULATOR_HOST": gcs,
            "DAGSTER_HOME": str(folder / "dagster"),
            "HOME": str(folder),
        }
        (folder / "dagster").mkdir()
        inherited = {
            name: os.environ[name]
            for name in ("PATH", "LANG", "VIRTUAL_ENV", "OMP_NUM_THREADS")
            if name in os.environ
        }
        yield Deployment(folder, {**inherited, **settings}, f"http://127.0.0.1:{rest}/_faults")


def _write_archive(path: Path) -> Path:
    """Write an archive with more works per artist than are sampled, and one file that is not an image."""
    names = [f"Painter {letter}" for letter in "ABCDEF"[:ARTISTS]]
    files = {
        f"{name.replace(' ', '_')}/{name.replace(' ', '_')}_{number}.jpg": picture(place * 100 + number)
        for place, name in enumerate(names)
        for number in range(1, WORKS + 1)
    }
    files["Painter_A/Painter_A_99.jpg"] = b"not an image"
    return write_zip(path, files, artists_csv(names))


@contextmanager
def web_app(deployment: Deployment) -> Iterator[Callable[..., Answer]]:
    """Run `gallery serve` until the end of the block; yield a function that sends it a request."""
    port = free_port()
    environment = {
        name: value for name, value in deployment.environment.items() if name != "GALLERY_VECTORS_KEY"
    }

    def ask(path: str, data: bytes | None = None, **headers: str) -> Answer:
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, headers)
        try:
            with urllib.request.urlopen(request, timeout=HANG_GUARD_S) as answer:
                return Answer(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.headers, error.read())

    def is_up() -> bool:
        try:
            return ask("/healthz").status == 200
        except OSError:
            return False

    command = [sys.executable, "-m", "gallery", "serve", "--port", str(port)]
    with process(command, deployment.folder / "serve.log", cwd=deployment.folder, env=environment):
        wait_for(is_up, "the web app")
        yield ask
