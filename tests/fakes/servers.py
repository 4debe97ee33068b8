"""Web servers for tests: the app over the sample gallery in memory, served by a thread of the test."""

from __future__ import annotations

import contextlib
import http.client
import logging
import socket
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from gallery.settings import Settings
from serving.server import Server, listen
from tests.fakes.processes import HANG_GUARD_S
from tests.fakes.web import app_with

ROOT = Path(__file__).parents[2]
INTERNALS = ("Traceback", "/srv/private", "File &quot;", "gallery/", "werkzeug", "site-packages", " at 0x")
"""Texts that no response may contain."""


@dataclass
class RunningServer:
    """A server in a thread. `errors` are the error lines that it has logged."""

    server: Server
    thread: threading.Thread
    port: int
    errors: list[str] = field(default_factory=list)

    @property
    def connections(self) -> int:
        """The number of open connections."""
        return len(self.server.active_channels)

    def connect(self, sent: bytes = b"", *, receive_buffer: int = 0) -> socket.socket:
        """Connect to the server, send these bytes, and return the socket."""
        sock = socket.socket()
        if receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        sock.settimeout(HANG_GUARD_S)
        try:
            sock.connect(("127.0.0.1", self.port))
            sock.sendall(sent)
        except OSError:
            sock.close()
            raise
        return sock

    def ask(self, request: bytes) -> bytes:
        """Send these bytes; return everything that the server sends until it closes the connection."""
        with self.connect(request) as sock:
            sock.shutdown(socket.SHUT_WR)
            return read_all(sock)

    def get(self, path: str) -> bytes:
        """Return the body of a page, which must be a 200."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=HANG_GUARD_S) as response:
            assert response.status == 200
            body: bytes = response.read()
        return body

    def post(self, body: bytes, **headers: str) -> http.client.HTTPResponse:
        """Post a multipart form with the boundary "b"; return the response, whose body has been read."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=HANG_GUARD_S)
        with contextlib.closing(connection):
            connection.request(
                "POST", "/", body, {"Content-Type": "multipart/form-data; boundary=b", **headers}
            )
            response = connection.getresponse()
            response.read()
        return response

    def upload(self, image: bytes) -> http.client.HTTPResponse:
        """Upload an image; return the response, whose body has been read."""
        return self.post(upload_form(image))


@contextlib.contextmanager
def running(settings: Settings, *, send_buffer: int = 0) -> Iterator[RunningServer]:
    """Run a server over the sample gallery until the block ends. Fail if it has logged an error by then.

    `send_buffer` bounds the bytes that the system keeps for a client, else up to megabytes.
    """
    listener = listen("127.0.0.1", 0)
    if send_buffer:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
    server = Server(app_with(settings), listener, settings)
    found = RunningServer(server, threading.Thread(target=server.run), listener.getsockname()[1])
    handler = _Collector(found.errors)
    for name in ("waitress", "serving"):
        logging.getLogger(name).addHandler(handler)
    found.thread.start()
    try:
        yield found
    finally:
        server.stop()
        found.thread.join(HANG_GUARD_S)
        for name in ("waitress", "serving"):
            logging.getLogger(name).removeHandler(handler)
    assert not found.thread.is_alive()
    assert found.errors == []


def read_all(sock: socket.socket) -> bytes:
    """Return everything that the other side sends until it closes the connection."""
    with sock.makefile("rb") as stream:
        return stream.read()


def upload_form(image: bytes) -> bytes:
    """Return a multipart form with the boundary "b" that uploads the image."""
    head = b'--b\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n'
    return head + image + b"\r\n--b--\r\n"


class _Collector(logging.Handler):
    def __init__(self, lines: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(self.format(record))
