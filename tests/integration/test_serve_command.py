"""`gallery serve`: the command, and how its process starts and stops."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from gallery.errors import Invalid
from serving import systemd
from serving.command import address, serve
from serving.server import listen
from tests.fakes.processes import HANG_GUARD_S, free_port, wait_for
from tests.fakes.servers import ROOT


@pytest.fixture
def taken() -> Iterator[int]:
    """Listen on a port until the test ends; return the port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_help_names_every_option() -> None:
    text = CliRunner().invoke(serve, ["--help"]).output
    assert all(option in text for option in ("--host", "--port", "--threads"))


def test_a_port_in_use_is_an_error_with_a_remedy(taken: int) -> None:
    result = CliRunner().invoke(serve, ["--port", str(taken)])
    assert result.exit_code == 1
    assert f"port {taken} is in use" in result.output
    assert "GALLERY_PORT" in result.output
    assert "--port" in result.output


def test_an_unknown_host_is_an_error_with_a_remedy() -> None:
    with pytest.raises(Invalid, match="GALLERY_HOST"):
        listen("no.such.host.invalid", free_port())


def test_the_address_of_another_machine_is_an_error() -> None:
    with pytest.raises(Invalid, match=r"cannot listen on 192\.0\.2\.1 .*GALLERY_HOST"):
        listen("192.0.2.1", free_port())


@pytest.mark.parametrize(
    ("pid", "count", "family", "problem"),
    [
        (os.getpid(), "2", socket.AF_INET, "2 sockets were handed over"),
        (os.getpid(), "1", socket.AF_UNIX, "is not TCP"),
        (os.getpid(), "1", socket.AF_INET, ""),
        (1, "1", socket.AF_INET, ""),
    ],
    ids=["two", "not TCP", "one", "for another process"],
)
def test_a_socket_that_is_handed_over_is_used_or_rejected(
    monkeypatch: pytest.MonkeyPatch, pid: int, count: str, family: int, problem: str
) -> None:
    with socket.socket(family) as given:
        descriptor = os.dup(given.fileno())
        monkeypatch.setattr(systemd, "FIRST_FD", descriptor)
        monkeypatch.setenv("LISTEN_PID", str(pid))
        monkeypatch.setenv("LISTEN_FDS", count)
        if problem:
            with pytest.raises(Invalid, match=problem):
                systemd.inherited_listener()
        else:
            found = systemd.inherited_listener()
            assert (found is None) == (pid == 1)
            if found:
                found.close()
        assert "LISTEN_FDS" not in os.environ
        with contextlib.suppress(OSError):
            os.close(descriptor)


def test_invalid_settings_are_reported_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GALLERY_THREADS", "none")
    result = CliRunner().invoke(serve, [])
    assert result.exit_code == 1
    assert "GALLERY_THREADS" in result.output


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://localhost:8000"),
        ("::", "http://localhost:8000"),
        ("::1", "http://[::1]:8000"),
    ],
)
def test_the_address_can_be_opened_in_a_browser_on_this_machine(host: str, shown: str) -> None:
    assert address(host, 8000) == shown


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_the_server_says_where_it_is_answers_and_stops_quietly(tmp_path: Path, stop: signal.Signals) -> None:
    port = free_port()
    environment = {
        **os.environ,
        "GALLERY_HOME": str(tmp_path / "home"),
        "GALLERY_ENCODER": "fake",
        "PYTHONPATH": str(ROOT),
    }
    process = subprocess.Popen(
        [sys.executable, "-c", "from serving.command import serve; serve()", "--port", str(port)],
        cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        wait_for(lambda: status_of(f"http://127.0.0.1:{port}/healthz") == 200)
        assert status_of(f"http://127.0.0.1:{port}/readyz") == 503  # there is no collection
        process.send_signal(stop)
        out, err = process.communicate(timeout=HANG_GUARD_S)
    finally:
        process.kill()
    assert process.returncode == 0
    assert out == ""
    assert err == f"Serving the gallery at http://127.0.0.1:{port} (press Ctrl-C to stop)\n"


def status_of(url: str) -> int | None:
    """Return the status of a page, or None while nothing answers."""
    try:
        with urllib.request.urlopen(url, timeout=HANG_GUARD_S) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except urllib.error.URLError:
        return None
