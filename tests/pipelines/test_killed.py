"""kill -9 at any moment of a refresh: what is live stays whole, and the next run completes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from gallery.search.engine import SearchEngine
from gallery.settings import Settings
from tests.fakes.archives import picture
from tests.pipelines.test_refresh import BOATS, FILES, Gallery


@pytest.fixture
def gallery(tmp_path: Path, settings_with: Callable[..., Settings]) -> Gallery:
    return Gallery(tmp_path, settings_with)


def start(gallery: Gallery) -> subprocess.Popen[str]:
    """`gallery refresh` as its own process."""
    settings = gallery.settings()
    environment = {
        **os.environ,
        "GALLERY_HOME": str(settings.home),
        "GALLERY_DATASET": settings.dataset,
        "GALLERY_ENCODER": "fake",
        "PYTHONUNBUFFERED": "1",
    }
    command = [sys.executable, "-c", "from gallery.cli import main; main()", "refresh"]
    return subprocess.Popen(
        command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )


def kill_when(process: subprocess.Popen[str], stage: str, kind: str, after_s: float = 0.0) -> None:
    """Kill the process as soon as it says that the stage is that far, or a moment later."""
    assert process.stderr is not None
    for line in process.stderr:
        if f" {stage} " in line and f" {kind}" in line:
            time.sleep(after_s)
            os.kill(process.pid, signal.SIGKILL)
            break
    process.wait(60)
    process.stderr.close()


@pytest.mark.parametrize(
    ("stage", "kind", "after_s"),
    [
        ("dataset", "start", 0.0),
        ("artworks", "start", 0.02),
        ("images", "start", 0.0),
        ("images", "start", 0.03),
        ("embeddings", "start", 0.02),
        ("candidate", "start", 0.0),
        ("candidate", "start", 0.15),
        ("live", "start", 0.0),
    ],
)
def test_a_killed_refresh_leaves_the_live_build_whole_and_the_next_completes(
    gallery: Gallery, stage: str, kind: str, after_s: float
) -> None:
    before = gallery.refresh()["build"]
    for name in ("Anna_A/Anna_A_0.jpg", "Bea_B/Bea_B_1.jpg"):
        gallery.path(name).write_bytes(picture(len(name) + 600))
    gallery.path("Anna_A/added.jpg").write_bytes(picture(500))
    process = start(gallery)
    kill_when(process, stage, kind, after_s)
    assert process.returncode in (-signal.SIGKILL, 0)  # 0 where it had finished before the blow fell

    live = gallery.services.vectors.live()
    assert live is not None
    if process.returncode:
        assert live.name == before or stage == "live"
    assert gallery.services.vectors.open(live.name).count() == live.works
    engine = SearchEngine(gallery.services)
    assert len(engine.search(engine.live_collection(), replace(BOATS, limit=20)).hits) == live.works

    counts = gallery.refresh()
    assert counts["indexed"] == 9 and gallery.live_files() == {*FILES, "Anna_A/added.jpg"}
    live = gallery.services.vectors.live()
    assert live is not None and live.name == counts["build"] != before
    leftovers = [
        path for path in gallery.settings().home.rglob("*.json") if '"ready": false' in path.read_text()
    ]
    assert leftovers == []


def test_a_first_refresh_that_is_killed_publishes_nothing(gallery: Gallery) -> None:
    kill_when(start(gallery), "candidate", "start")
    assert gallery.services.vectors.live() is None
    assert gallery.refresh()["indexed"] == 8
