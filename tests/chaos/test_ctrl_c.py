"""Ctrl-C during `gallery refresh`: one line, exit code 130, no traceback, and the next refresh completes."""

from __future__ import annotations

import os
import signal
import sys
import urllib.error
import urllib.request
from pathlib import Path

from pipelines.interrupts import EXIT_CODE
from tests.fakes.gallery import Gallery
from tests.fakes.processes import free_port, process, wait_for


def test_ctrl_c_ends_a_refresh_and_the_next_one_completes(gallery: Gallery) -> None:
    process = gallery.start()
    assert process.stderr is not None
    lines = []
    for line in process.stderr:
        lines.append(line)
        if line.split()[2:4] == ["embeddings", "start"]:
            process.send_signal(signal.SIGINT)
    code = process.wait(600)
    process.communicate()
    assert code == EXIT_CODE
    assert [line for line in lines if line.split()[1:2] != ["s"]] == [
        "Interrupted. The next `gallery refresh` continues from what is stored.\n"
    ]
    assert gallery.refresh()["indexed"] == 8


def test_ctrl_c_ends_both_processes_of_the_demo(gallery: Gallery, tmp_path: Path) -> None:
    settings, port, log = gallery.settings(), free_port(), tmp_path / "log"
    environment = {
        **os.environ,
        "GALLERY_HOME": str(settings.home),
        "GALLERY_DATASET": settings.dataset,
        "GALLERY_ENCODER": settings.encoder,
    }

    def status(path: str) -> int:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}") as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    command = [sys.executable, "-m", "gallery", "demo", "--port", str(port)]
    with process(command, log, env=environment) as demo:
        wait_for(lambda: status("/healthz") == 200, "the server")
        wait_for(lambda: status("/readyz") == 200, "the collection")
        wait_for(lambda: "The collection is complete" in log.read_text(), "the refresh")
        demo.send_signal(signal.SIGINT)
        assert demo.wait(600) == EXIT_CODE
    assert status("/healthz") == 0 and "Traceback" not in log.read_text()
