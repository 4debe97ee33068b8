"""Every command in docs/api.md runs, and its response has the fields that are shown."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gallery.settings import Settings
from tests.fakes.collection import drawing, encoded
from tests.fakes.processes import HANG_GUARD_S
from tests.fakes.web import app_with, served

TEXT = (Path(__file__).parents[3] / "docs/api.md").read_text("utf-8")
BASE = "http://127.0.0.1:8000"
STEPS = re.findall(r"```bash\n(.*?)```(?:\n\n```json\n(.*?)```)?", TEXT, re.DOTALL)
"""Each command and the response shown for it, or ""."""


@pytest.fixture
def address(settings_with: Callable[..., Settings]) -> Iterator[str]:
    """Serve the sample gallery; yield the address."""
    with served(app_with(settings_with())) as address:
        yield address


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("jq")), reason="needs curl and jq")
def test_commands_answer_as_shown(address: str, tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(encoded(drawing("#2040c0", 2), "JPEG"))
    lines = ["set -euo pipefail"]
    for number, (command, _) in enumerate(STEPS):  # in one shell, since later steps use variables
        lines.append(f"{{\n{command.replace(BASE, address)}\n}} > {number}.out")
    done = subprocess.run(
        ["bash", "-c", "\n".join(lines)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=HANG_GUARD_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for number, (command, shown) in enumerate(STEPS):
        answer = json.loads((tmp_path / f"{number}.out").read_text("utf-8"))
        if shown:
            assert differences(json.loads(shown), answer) == [], command


def test_all_code_blocks_are_read() -> None:
    assert len(STEPS) == TEXT.count("```bash") >= 14
    assert sum(bool(shown) for _, shown in STEPS) == TEXT.count("```json") >= 12


def test_differences_finds_missing_and_other_fields() -> None:
    assert differences({"a": 1, "b": ["x"]}, {"a": 2.5, "b": ["y"], "c": None}) == []
    assert differences({"a": [{"b": 1}]}, {"a": [{"b": "1"}]}) == ["a.0.b"]
    assert differences({"a": [1]}, {"a": []}) == ["a"]
    assert differences({"a": {"b": 1}}, {"a": {}}) == ["a.b"]


def differences(shown: Any, answer: Any, at: str = "") -> list[str]:
    """Return the fields shown that the answer lacks, or has with another type. It may have more fields."""
    if isinstance(shown, dict) and isinstance(answer, dict):
        pairs = [(name, value, answer.get(name, differences)) for name, value in shown.items()]
    elif isinstance(shown, list) and isinstance(answer, list) and bool(shown) == bool(answer):
        pairs = [("0", value, answer[0]) for value in shown[:1]]
    else:
        return [] if _kind(shown) == _kind(answer) and not isinstance(shown, dict | list) else [at]
    found = [differences(value, given, f"{at}.{name}".lstrip(".")) for name, value, given in pairs]
    return [place for places in found for place in places]


def _kind(value: Any) -> type:
    return float if isinstance(value, int) and not isinstance(value, bool) else type(value)
