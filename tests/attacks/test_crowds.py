"""Slow clients and many uploads: other visitors are answered all the while. Against a real server."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import socket
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image

from tests.attacks.conftest import Server, serving
from tests.serving.collection import encoded

UPLOADS = 50
SLOW = 24
"""Of each kind; more than the server has threads."""
SOON = 2.0
"""Seconds within which a visitor is answered."""
HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: %d\r\n\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("crowd")) as server:
        yield server


def answered(server: Server, path: str) -> float:
    """The seconds that a visitor waits for a page."""
    started = time.monotonic()
    with urllib.request.urlopen(server.url + path, timeout=20) as answer:
        assert answer.status == 200 and answer.read()
    return time.monotonic() - started


def waits(server: Server, rounds: int = 4) -> list[float]:
    """The seconds that visitors wait, for several pages each."""
    return [
        answered(server, path) for _ in range(rounds) for path in ("/healthz", "/?q=blue+disc&limit=5", "/")
    ]


def multipart(data: bytes) -> bytes:
    head = b'--b\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n'
    return head + data + b"\r\n--b--\r\n"


def post(server: Server, body: bytes) -> tuple[int, str | None, float]:
    """The status, the Retry-After and the seconds of one upload."""
    started = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        connection.request("POST", "/", body, {"Content-Type": "multipart/form-data; boundary=b"})
        answer = connection.getresponse()
        answer.read()
        return answer.status, answer.getheader("Retry-After"), time.monotonic() - started
    finally:
        connection.close()


class Crowd:
    """Slow clients, each sending or reading a byte now and then, until the block ends."""

    def __init__(self, server: Server, count: int, opening: bytes, *, small: bool = False) -> None:
        self._sockets = []
        self._opening = opening
        self._over = threading.Event()
        for _ in range(count):
            sock = socket.socket()
            if small:  # a window of next to nothing: the answer stays with the server
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
            sock.connect(("127.0.0.1", server.port))
            self._sockets.append(sock)
        self._thread = threading.Thread(target=self._trickle)

    def __enter__(self) -> Crowd:
        for sock in self._sockets:
            sock.sendall(self._opening)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        for sock in self._sockets:
            sock.close()

    def _trickle(self) -> None:
        while not self._over.wait(0.2):
            for sock in self._sockets:
                with contextlib.suppress(OSError):  # cut off, which is well
                    sock.send(b"x", socket.MSG_DONTWAIT)


def noise(megabytes: float) -> bytes:
    """A picture that does not pack: as large a file as its pixels."""
    side = int((megabytes * 1e6 / 3) ** 0.5)
    return encoded(Image.frombytes("RGB", (side, side), os.urandom(3 * side * side)))


def test_clients_that_send_their_head_slowly_keep_nobody_out(server: Server) -> None:
    with Crowd(server, SLOW, b"GET / HTTP/1.1\r\nHost: x\r\nX: "):
        assert max(waits(server)) < SOON


def test_clients_that_open_a_connection_and_say_nothing_keep_nobody_out(server: Server) -> None:
    sockets = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(SLOW)]
    try:
        assert max(waits(server)) < SOON
    finally:
        for sock in sockets:
            sock.close()


def test_clients_that_send_a_small_form_slowly_keep_nobody_out(server: Server) -> None:
    with Crowd(server, SLOW, HEAD % 5_000):
        assert max(waits(server)) < SOON


def test_clients_that_send_a_large_form_slowly_keep_only_uploads_out(server: Server) -> None:
    with Crowd(server, SLOW, HEAD % 5_000_000):
        assert max(waits(server)) < SOON
        status, retry, seconds = post(server, multipart(noise(1)))
        assert (status, bool(retry)) == (503, True) and seconds < SOON
    for _ in range(50):
        status, _, _ = post(server, multipart(noise(0.2)))
        if status == 303:
            break
        time.sleep(0.1)
    assert status == 303


def test_clients_that_read_slowly_keep_nobody_out(server: Server) -> None:
    request = b"GET /?q=blue+disc HTTP/1.1\r\nHost: x\r\n\r\n" * 40  # more than the sockets' buffers hold
    with Crowd(server, SLOW, request, small=True):
        assert max(waits(server)) < SOON


def test_answers_that_are_read_slowly_arrive_whole_and_in_order(server: Server) -> None:
    paths = [b"/?q=blue+disc&limit=%d" % number for number in range(1, 17)] * 4
    with socket.create_connection(("127.0.0.1", server.port), 20) as sock:
        sock.sendall(b"".join(b"GET %b HTTP/1.1\r\nHost: x\r\n\r\n" % path for path in paths))
        time.sleep(0.5)  # until the buffers between us are full
        stream = sock.makefile("rb")
        for place, path in enumerate(paths):
            head = b"".join(iter(stream.readline, b"\r\n"))
            assert head.startswith(b"HTTP/1.1 200 "), place
            [length] = re.findall(rb"(?i)content-length: ([0-9]+)", head)
            page = stream.read(int(length)).decode()
            assert page.endswith("</html>\n") or page.endswith("</html>")
            assert page.count('<li class="hit ') == int(path.rpartition(b"=")[2])


def test_clients_that_never_close_their_side_keep_nobody_out(server: Server) -> None:
    request = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    sockets = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(SLOW)]
    try:
        for sock in sockets:
            sock.sendall(request)
        assert max(waits(server)) < SOON
    finally:
        for sock in sockets:
            sock.close()


def test_fifty_uploads_and_slow_clients_at_once_keep_nobody_out(server: Server) -> None:
    body = multipart(noise(6))
    with (
        ThreadPoolExecutor(UPLOADS) as pool,
        Crowd(server, 8, b"GET / HTTP/1.1\r\nHost: x\r\nX: "),
        Crowd(server, 8, b"GET /?q=blue HTTP/1.1\r\nHost: x\r\n\r\n" * 40, small=True),
    ):
        sent = [pool.submit(post, server, body) for _ in range(UPLOADS)]
        seconds = waits(server)
        answers = [each.result() for each in sent]
    assert max(seconds) < SOON
    statuses = Counter(status for status, _, _ in answers)
    assert set(statuses) <= {303, 503} and statuses[303] >= 2 and statuses[503] >= 1
    assert all(retry for status, retry, _ in answers if status == 503)


def test_a_large_upload_is_still_taken(server: Server) -> None:
    status, _, _ = post(server, multipart(noise(9)))
    assert status == 303


def test_the_log_holds_no_traceback(server: Server) -> None:
    assert "Traceback" not in server.log.read_text()
