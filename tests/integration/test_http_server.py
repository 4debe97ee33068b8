"""Requests that no browser sends, on the wire to a real server: each gets an answer, none a 500 or a traceback."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serving.test_serve import SERVE, _root, _status, free_port

POST = b"POST %b HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    """A port with a server on it, and the file that its log goes to."""
    folder, port = tmp_path_factory.mktemp("wire"), free_port()
    given = {"GALLERY_HOME": str(folder / "home"), "GALLERY_ENCODER": "fake", "PYTHONPATH": str(_root())}
    with (folder / "log").open("wb") as log:
        command = [sys.executable, "-c", SERVE, "--port", str(port)]
        process = subprocess.Popen(command, cwd=folder, env={**os.environ, **given}, stdout=log, stderr=log)
        try:
            assert _status(f"http://127.0.0.1:{port}/healthz") == 200
            yield port, folder / "log"
        finally:
            process.terminate()
            process.wait(20)


def ask(port: int, request: bytes) -> tuple[int, bytes]:
    """The status and the whole answer."""
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while chunk := connection.recv(1 << 16):
            answer += chunk
    return int(answer.split()[1]), answer


@pytest.mark.parametrize("host", [b"..", b"a..b", b"a" * 70, b"", b"[::1", b"x y"])
@pytest.mark.parametrize("path", [b"/", b"/api/v1/search?q=x"])
def test_a_host_that_is_none(server: tuple[int, Path], path: bytes, host: bytes) -> None:
    status, answer = ask(
        server[0], b"GET %b HTTP/1.1\r\nHost: %b\r\nConnection: close\r\n\r\n" % (path, host)
    )
    assert status in (400, 503)  # there is no collection here, so a page that can be made says that
    assert b"Traceback" not in answer


@pytest.mark.parametrize("path", [b"/", b"/api/v1/search"])
@pytest.mark.parametrize(
    "body",
    [b"ZZZ\r\nfoo\r\n0\r\n\r\n", b"-5\r\n", b"3\r\nfooXX0\r\n\r\n"],
)
def test_chunks_that_do_not_add_up(server: tuple[int, Path], path: bytes, body: bytes) -> None:
    status, answer = ask(server[0], POST % path + b"Transfer-Encoding: chunked\r\n\r\n" + body)
    assert status == 400 and b"Traceback" not in answer


def test_a_length_beyond_all_measure(server: tuple[int, Path]) -> None:
    status, _ = ask(server[0], POST % b"/" + b"Content-Length: 99999999999999999999\r\n\r\nq=a")
    assert status == 413


def test_a_name_too_long_for_any_disk(server: tuple[int, Path]) -> None:
    status, _ = ask(
        server[0],
        b"GET /images/originals/%b.jpg HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % (b"a" * 300),
    )
    assert status == 404


def test_the_log_holds_no_traceback(server: tuple[int, Path]) -> None:
    assert "Traceback" not in server[1].read_text()
