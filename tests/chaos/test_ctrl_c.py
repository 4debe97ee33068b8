"""Ctrl-C during `gallery refresh`: one line, exit code 130, no traceback, and the next refresh completes."""

from __future__ import annotations

import signal

import pytest

from pipelines.interrupts import EXIT_CODE
from tests.fakes.gallery import Gallery


@pytest.mark.parametrize("stage", ["raw_dataset", "scanned_files", "embeddings", "published_collection"])
def test_ctrl_c_ends_a_refresh_and_the_next_one_completes(gallery: Gallery, stage: str) -> None:
    process = gallery.start()
    assert process.stderr is not None
    lines = []
    for line in process.stderr:
        lines.append(line)
        if line.split()[2:4] == [stage, "start"]:
            process.send_signal(signal.SIGINT)
    code = process.wait(600)
    process.communicate()
    assert code == EXIT_CODE
    assert [line for line in lines if line.split()[1:2] != ["s"]] == [
        "Interrupted. The next `gallery refresh` continues from what is stored.\n"
    ]
    assert gallery.refresh()["indexed"] == 8
