"""Other visitors are answered during many uploads and with many slow clients.

In each test, more slow clients stay connected than the server has threads, so a visitor is answered only if
they occupy no thread.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image

from tests.fakes.collection import encoded
from tests.fakes.processes import wait_for
from tests.fakes.servers import RunningServer, upload_form
from tests.load.conftest import THREADS

SLOW_CLIENTS = 3 * THREADS
UPLOADS = 50
HEAD = (
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n"
    b"Content-Length: %d\r\n\r\n"
)
PIPELINED = b"GET /?q=blue+disc HTTP/1.1\r\nHost: x\r\n\r\n" * 40
"""Requests whose responses exceed the socket buffers."""

pytestmark = pytest.mark.usefixtures("no_timeouts")


class Crowd:
    """Slow clients that have sent these bytes, and then send another byte now and then."""

    def __init__(
        self,
        server: RunningServer,
        count: int,
        opening: bytes,
        *,
        trickle: bool = True,
        receive_buffer: int = 0,
    ) -> None:
        self._clients = [server.connect(opening, receive_buffer=receive_buffer) for _ in range(count)]
        for client in self._clients:
            client.setblocking(False)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._trickle)
        if trickle:
            self._thread.start()

    def connected(self) -> int:
        """Return the number of clients whose connection the server has not closed."""
        return sum(_is_open(client) for client in self._clients)

    def leave(self) -> None:
        """Close the connections."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()
        for client in self._clients:
            client.close()

    def _trickle(self) -> None:
        while not self._over.wait(0.1):
            for client in self._clients:
                with contextlib.suppress(OSError):
                    client.send(b"x")


@contextlib.contextmanager
def crowd(
    server: RunningServer,
    opening: bytes,
    *,
    count: int = SLOW_CLIENTS,
    trickle: bool = True,
    receive_buffer: int = 0,
) -> Iterator[Crowd]:
    clients = Crowd(server, count, opening, trickle=trickle, receive_buffer=receive_buffer)
    try:
        yield clients
    finally:
        clients.leave()


def _is_open(client: socket.socket) -> bool:
    try:
        return client.recv(1, socket.MSG_PEEK) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


def visit(server: RunningServer) -> None:
    for path in ("/healthz", "/?q=blue+disc&limit=5", "/"):
        assert server.get(path)


def noise(megabytes: float) -> bytes:
    """Return an image that does not compress, of about this size."""
    side = int((megabytes * 1e6 / 3) ** 0.5)
    return encoded(Image.frombytes("RGB", (side, side), os.urandom(3 * side * side)))


@pytest.mark.parametrize(
    "opening",
    [b"", b"GET / HTTP/1.1\r\nHost: x\r\nX: ", HEAD % 5_000],
    ids=["nothing", "a head", "a small form"],
)
@pytest.mark.parametrize("trickle", [False, True], ids=["stop", "send slowly"])
def test_clients_that_stop_or_send_slowly_do_not_block_others(
    server: RunningServer, opening: bytes, trickle: bool
) -> None:
    with crowd(server, opening, trickle=trickle and bool(opening)) as clients:
        wait_for(lambda: server.connections >= SLOW_CLIENTS)
        visit(server)
        assert clients.connected() == SLOW_CLIENTS


def test_clients_that_send_a_large_form_slowly_block_only_uploads(server: RunningServer) -> None:
    with crowd(server, HEAD % 5_000_000) as clients:
        wait_for(lambda: not server.server.may_receive_large())
        visit(server)
        refused = server.upload(noise(1))
        assert refused.status == 503 and int(refused.headers["Retry-After"]) > 0
        assert clients.connected() >= THREADS // 2
    wait_for(server.server.may_receive_large)
    assert server.upload(noise(0.2)).status == 303


def test_clients_that_read_slowly_do_not_block_others(server: RunningServer) -> None:
    with crowd(server, PIPELINED, trickle=False, receive_buffer=1) as clients:
        # The rest of every response waits for its client to read.
        wait_for(lambda: sum(each.total_outbufs_len > 0 for each in _channels(server)) == SLOW_CLIENTS)
        visit(server)
        assert clients.connected() == SLOW_CLIENTS


def _channels(server: RunningServer) -> list:
    return list(server.server.active_channels.values())


def test_responses_that_are_read_slowly_arrive_whole_and_in_order(server: RunningServer) -> None:
    paths = [b"/?q=blue+disc&limit=%d" % number for number in range(1, 17)] * 4
    with server.connect(
        b"".join(b"GET %b HTTP/1.1\r\nHost: x\r\n\r\n" % path for path in paths), receive_buffer=1
    ) as sock:
        wait_for(lambda: any(each.total_outbufs_len for each in _channels(server)))
        stream = sock.makefile("rb")
        for place, path in enumerate(paths):
            head = b"".join(iter(stream.readline, b"\r\n"))
            assert head.startswith(b"HTTP/1.1 200 "), place
            [length] = re.findall(rb"(?i)content-length: ([0-9]+)", head)
            page = stream.read(int(length)).decode()
            assert page.rstrip().endswith("</html>")
            assert page.count('<li class="hit ') == int(path.rpartition(b"=")[2])
        stream.close()


def test_clients_that_never_close_their_side_do_not_block_others(server: RunningServer) -> None:
    with crowd(server, b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", trickle=False):
        wait_for(lambda: sum(each.lingering_since is not None for each in _channels(server)) == SLOW_CLIENTS)
        visit(server)


def test_fifty_uploads_and_slow_clients_at_once_do_not_block_others(server: RunningServer) -> None:
    form = upload_form(noise(6))
    with (
        ThreadPoolExecutor(UPLOADS) as pool,
        crowd(server, b"GET / HTTP/1.1\r\nHost: x\r\nX: ") as senders,
        crowd(server, PIPELINED, trickle=False, receive_buffer=1) as readers,
    ):
        sent = [pool.submit(server.post, form) for _ in range(UPLOADS)]
        visit(server)
        responses = [each.result() for each in sent]
        assert senders.connected() == readers.connected() == SLOW_CLIENTS
    statuses = Counter(response.status for response in responses)
    assert set(statuses) <= {303, 503} and statuses[303] >= 2
    assert all(response.headers["Retry-After"] for response in responses if response.status == 503)


def test_a_large_upload_is_accepted(server: RunningServer) -> None:
    assert server.upload(noise(9)).status == 303
