"""Every service as a process of its own, and the environment that points the program at them."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fakes.archives import artists_csv, picture, write_zip
from tests.fakes.gcs import create_bucket, fake_gcs
from tests.fakes.weaviate.faults import CALLS

ROOT = Path(__file__).parents[2]
LOADER, SEARCHER, SIGNER = "pl4nted-l0ader-key", "pl4nted-searcher-key", "pl4nted-secret-key-for-signing"
TOKEN, WEBHOOK = "KGAT_pl4nted_kaggle_token", "https://hooks.invalid/pl4nted-webhook"
PLANTED = (LOADER, SEARCHER, SIGNER, TOKEN, "pl4nted")
"""Secrets that must turn up nowhere but in the requests that carry them."""
ARTISTS, WORKS = 6, 4


@dataclass(frozen=True)
class Services:
    """Kaggle, a bucket and Weaviate, running; and where this test keeps its files."""

    folder: Path
    environment: dict[str, str]
    weaviate: str
    """Address of the Weaviate stand-in's control."""

    def run(self, *command: str, expect: int = 0) -> subprocess.CompletedProcess[str]:
        """`gallery` with that environment. Fails the test where the exit code is another."""
        done = subprocess.run(
            [sys.executable, "-m", "gallery", *command],
            env=self.environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=180,
        )
        with (self.folder / "output.log").open("a", encoding="utf-8") as log:
            log.write(done.stdout + done.stderr)
        assert done.returncode == expect, f"gallery {' '.join(command)}\n{done.stdout}\n{done.stderr}"
        return done

    @contextmanager
    def outage(self) -> Iterator[None]:
        """Weaviate refuses every call for as long as the block lasts."""
        try:
            for call in CALLS:
                self._control("POST", json.dumps({"call": call, "fault": "refuse"}).encode())
            yield
        finally:
            self._control("DELETE", None)

    def _control(self, method: str, data: bytes | None) -> None:
        with urllib.request.urlopen(urllib.request.Request(self.weaviate, data, method=method), timeout=5):
            pass


@dataclass(frozen=True)
class Answer:
    """What a page answered."""

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


def free_port() -> int:
    """A port of this machine that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def wait_for(condition: Callable[[], bool], what: str, seconds: float = 60) -> float:
    """Seconds until the condition held. Fails the test where it never does."""
    started = time.monotonic()
    while time.monotonic() - started < seconds:
        if condition():
            return time.monotonic() - started
        time.sleep(0.1)
    raise AssertionError(f"{what}: not within {seconds} s")


@contextmanager
def process(command: list[str], log: Path, **more: object) -> Iterator[subprocess.Popen[bytes]]:
    """A process that ends with the block; what it says goes to the log."""
    with log.open("ab") as file:
        running = subprocess.Popen(command, stdout=file, stderr=file, **more)  # type: ignore[call-overload]
        try:
            yield running
        finally:
            running.terminate()
            try:
                running.wait(15)
            except subprocess.TimeoutExpired:
                running.kill()
                running.wait()


def archive_at(path: Path) -> Path:
    """A small set in Kaggle's layout; one artist has more works than the sample takes, one file is no picture."""
    names = [f"Painter {letter}" for letter in "ABCDEF"[:ARTISTS]]
    files = {
        f"{name.replace(' ', '_')}/{name.replace(' ', '_')}_{number}.jpg": picture(place * 100 + number)
        for place, name in enumerate(names)
        for number in range(1, WORKS + 1)
    }
    files["Painter_A/Painter_A_99.jpg"] = b"no picture"
    return write_zip(path, files, artists_csv(names))


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """All three, for the tests of one module."""
    folder = tmp_path_factory.mktemp("production")
    archive = archive_at(folder / "archive.zip")
    with ExitStack() as stack:
        gcs = stack.enter_context(fake_gcs())
        for bucket in ("pictures", "tables"):
            create_bucket(gcs, bucket)
        kaggle = [sys.executable, "-m", "tests.fakes.kaggle", "--archive", str(archive), "--token", TOKEN]
        stack.enter_context(process(kaggle, folder / "kaggle.log", cwd=ROOT))
        services = folder / "weaviate.ports"
        weaviate = [sys.executable, "-m", "tests.fakes.weaviate", "--port-file", str(services)]
        weaviate += ["--api-key", LOADER, "--search-key", SEARCHER]
        stack.enter_context(process(weaviate, folder / "weaviate.log", cwd=ROOT))
        wait_for(services.exists, "the Weaviate stand-in")
        wait_for(lambda: "serving" in (folder / "kaggle.log").read_text(), "the Kaggle stand-in")
        rest, grpc = services.read_text().split()
        ours = {
            "GALLERY_HOME": str(folder / "home"),
            "GALLERY_DATASET": "kaggle://ikarus777/best-artworks-of-all-time",
            "GALLERY_IMAGES": "gs://pictures/gallery",
            "GALLERY_TABLES": "gs://tables/gallery",
            "GALLERY_VECTORS": f"weaviate://127.0.0.1:{rest}?grpc={grpc}&timeout=5",
            "GALLERY_VECTORS_KEY": LOADER,
            "GALLERY_VECTORS_SEARCH_KEY": SEARCHER,
            "GALLERY_SECRET_KEY": SIGNER,
            "GALLERY_ENCODER": "fake",
            "GALLERY_PER_ARTIST": "3",
            "GALLERY_LOG_LEVEL": "DEBUG",
            "KAGGLE_API_TOKEN": TOKEN,
            "KAGGLE_API_ENVIRONMENT": "TEST",
            "STORAGE_EMULATOR_HOST": gcs,
            "DAGSTER_HOME": str(folder / "dagster"),
            "HOME": str(folder),
            "NO_PROXY": "127.0.0.1,localhost",
            "no_proxy": "127.0.0.1,localhost",
        }
        (folder / "dagster").mkdir()
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "VIRTUAL_ENV") if name in os.environ}
        yield Services(folder, {**kept, **ours}, f"http://127.0.0.1:{rest}/_faults")


@pytest.fixture(scope="module")
def site(services: Services) -> Iterator[Callable[..., Answer]]:
    """`gallery serve` as a process of its own, and a way to ask it for something."""
    port = free_port()
    environment = {
        name: value for name, value in services.environment.items() if name != "GALLERY_VECTORS_KEY"
    }

    def ask(path: str, data: bytes | None = None, **headers: str) -> Answer:
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return Answer(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.headers, error.read())

    def answers() -> bool:
        try:
            return ask("/healthz").status == 200
        except OSError:
            return False

    command = [sys.executable, "-m", "gallery", "serve", "--port", str(port)]
    with process(command, services.folder / "serve.log", cwd=services.folder, env=environment):
        wait_for(answers, "the web app")
        yield ask
