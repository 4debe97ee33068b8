"""`gallery serve`: the command and the server under it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from gallery.errors import Invalid
from serving.command import address, serve
from serving.server import listen

SERVE = "from serving.command import serve; serve()"


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that something listens on until the test ends."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def test_help_names_every_option() -> None:
    text = CliRunner().invoke(serve, ["--help"]).output
    assert all(option in text for option in ("--host", "--port", "--threads"))


def test_a_taken_port_says_what_to_do(taken: int) -> None:
    result = CliRunner().invoke(serve, ["--port", str(taken)])
    assert result.exit_code == 1
    assert f"port {taken} is in use" in result.output
    assert "GALLERY_PORT" in result.output
    assert "--port" in result.output


def test_an_unknown_host_says_what_to_do() -> None:
    with pytest.raises(Invalid, match="GALLERY_HOST"):
        listen("no.such.host.invalid", free_port())


def test_a_host_of_another_machine_says_what_to_do() -> None:
    with pytest.raises(Invalid, match=r"cannot listen on 192\.0\.2\.1"):
        listen("192.0.2.1", free_port())


def test_mistakes_in_the_settings_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GALLERY_THREADS", "none")
    result = CliRunner().invoke(serve, [])
    assert result.exit_code == 1
    assert "GALLERY_THREADS" in result.output


@pytest.mark.parametrize(
    ("host", "shown"),
    [("127.0.0.1", "http://127.0.0.1:8000"), ("0.0.0.0", "http://localhost:8000"), ("::", "http://localhost:8000"), ("::1", "http://[::1]:8000")],
)  # fmt: skip
def test_the_address_is_one_that_a_browser_here_can_open(host: str, shown: str) -> None:
    assert address(host, 8000) == shown


def test_the_command_is_found_without_loading_the_web_app() -> None:
    loaded = "import sys, serving.command; print([name for name in ('flask', 'waitress', 'numpy') if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", loaded], capture_output=True, text=True, cwd=_root(), check=True
    )
    assert done.stdout.strip() == "[]"


def test_the_server_answers_says_where_and_stops_quietly(tmp_path: Path) -> None:
    port = free_port()
    environment = {
        **os.environ,
        "GALLERY_HOME": str(tmp_path / "home"),
        "GALLERY_ENCODER": "fake",
        "PYTHONPATH": str(_root()),
    }
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, "--port", str(port)], cwd=tmp_path, env=environment,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert _status(f"http://127.0.0.1:{port}/healthz") == 200
        assert _status(f"http://127.0.0.1:{port}/readyz") == 503
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=15)
    finally:
        process.kill()
    assert process.returncode == 0
    assert out == ""
    assert err == f"The gallery is open at http://127.0.0.1:{port} (Ctrl-C closes it)\n"


def _root() -> Path:
    return Path(__file__).parents[2]


def _status(url: str) -> int:
    for _ in range(100):
        try:
            with urllib.request.urlopen(url) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code
        except urllib.error.URLError:
            time.sleep(0.1)
    raise AssertionError(f"{url} does not answer")
