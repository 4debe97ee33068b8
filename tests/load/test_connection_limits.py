"""Limits on connections: time limits for requests and responses, and bounded buffers."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable

import pytest

from gallery.settings import Settings
from serving import connections
from serving import server as web_server
from serving.errors import max_body_bytes
from serving.server import listen
from tests.fakes.processes import HANG_GUARD_S, wait_for
from tests.fakes.servers import RunningServer, read_all, running, upload_form
from tests.fakes.web import app_with
from tests.load.conftest import THREADS

SOON_S = 0.2
FORM = (
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n"
    b"Content-Length: %d\r\n\r\n"
)
HTTP = b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
PAGES = b"GET /?q=blue HTTP/1.1\r\nHost: x\r\n\r\n" * 40


@pytest.fixture(autouse=True)
def _long_timeouts(no_timeouts: None) -> None:
    """Each test shortens the one time limit that it is about."""


def drips_until_closed(client: socket.socket) -> bool:
    """Send a byte now and then, so that the client is never idle; return whether the server disconnects."""
    client.settimeout(SOON_S / 4)
    for _ in range(int(HANG_GUARD_S / client.gettimeout())):
        try:
            client.sendall(b"x")
            if client.recv(1) == b"":
                return True
        except TimeoutError:
            continue
        except OSError:
            return True
    return False


@pytest.mark.parametrize(
    ("limit", "opening"),
    [
        ("REQUEST_TIMEOUT_S", b"GET / HTTP/1.1\r\nHost: x\r\nX: "),
        ("REQUEST_TIMEOUT_S", FORM % 60_000),
        ("UPLOAD_TIMEOUT_S", FORM % 5_000_000),
        ("UPLOAD_TIMEOUT_S", b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFF\r\n"),
    ],
    ids=["a head", "a small form", "an upload", "chunks"],
)
def test_a_request_that_arrives_too_slowly_is_cut_off(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch, limit: str, opening: bytes
) -> None:
    monkeypatch.setattr(connections, limit, SOON_S)
    with server.connect(opening) as client:
        assert drips_until_closed(client)
    wait_for(lambda: server.connections == 0)
    assert server.server.may_receive_large()


def test_an_idle_connection_is_closed(server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        server.connect() as silent,
        server.connect(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n") as kept_alive,
    ):
        assert kept_alive.recv(9) == b"HTTP/1.1 "
        monkeypatch.setattr(connections, "IDLE_TIMEOUT_S", SOON_S)
        assert silent.recv(1) == b""
        assert read_all(kept_alive).startswith(b"200 OK")


def test_a_client_that_stops_reading_is_cut_off(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with server.connect(PAGES, receive_buffer=1):
        wait_for(lambda: pending(server) > 0)
        monkeypatch.setattr(connections, "RESPONSE_TIMEOUT_S", SOON_S)
        wait_for(lambda: server.connections == 0)


def test_a_client_that_sends_on_after_the_last_response_is_cut_off(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "LINGER_MAX_S", SOON_S)
    with server.connect(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n") as client:
        assert read_all(client).startswith(b"HTTP/1.1 200")
        client.settimeout(SOON_S / 4)
        with pytest.raises(OSError, match=r"reset|Broken pipe"):
            while True:
                client.sendall(b"x")


def test_unread_responses_are_bounded(
    settings_with: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_server, "MAX_PENDING_BYTES", 500_000)
    with (
        running(settings_with(threads=THREADS), send_buffer=4096) as server,
        server.connect(PAGES[: len(PAGES) // 40], receive_buffer=1) as modest,
    ):
        wait_for(lambda: pending(server) > 0)
        with server.connect(PAGES, receive_buffer=1):
            wait_for(lambda: server.connections == 2)
            wait_for(lambda: server.connections == 1)  # the second one is closed
            assert 0 < pending(server) < 500_000
            read = b""
            while not read.endswith(b"</html>"):
                read += modest.recv(1 << 16).rstrip()


def test_the_slowest_reader_is_cut_off_and_not_the_newest(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = PAGES[: len(PAGES) // 40]
    with server.connect(page, receive_buffer=1):
        wait_for(lambda: server.connections == 1)
        [slow] = server.server.active_channels.values()
        wait_for(lambda: slow.unsent_bytes > 0 and not slow.requests)  # the whole page is in the buffer
        slow._unread_since -= 60
        monkeypatch.setattr(web_server, "MAX_PENDING_BYTES", slow.unsent_bytes + 60_000)
        # Two pages are more than the slow client waits for, and are not read until the limit was applied.
        with server.connect(page + b"GET /?q=blue" + HTTP, receive_buffer=1) as newest:
            wait_for(lambda: slow.unsent_bytes == 0)
            assert read_all(newest).count(b"</html>") == 2


def pending(server: RunningServer) -> int:
    return sum(channel.total_outbufs_len for channel in list(server.server.active_channels.values()))


@pytest.mark.parametrize("extra", [0, 40_000_000], ids=["at once", "after the whole body is sent"])
def test_an_upload_that_is_too_large_gets_a_page_that_says_so(server: RunningServer, extra: int) -> None:
    """Browsers read the response only once they have sent everything."""
    with server.connect(FORM % 40_000_000) as client:
        client.sendall(b"x" * extra)
        response = read_all(client)
    assert response.startswith(b"HTTP/1.1 413 ") and b"</html>" in response
    assert b"\r\nConnection: close\r\n" in response


def test_the_largest_image_is_accepted_and_stays_in_memory(
    server: RunningServer, settings_with: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.TemporaryFile", None)
    settings = settings_with()
    limit = settings.max_upload
    assert server.post(upload_form(b"x" * limit)).status == 415  # received whole, and not an image
    assert server.post(upload_form(b"x" * (limit + 1))).status == 413
    assert server.post(b"x" * (max_body_bytes(settings) + 1)).status == 413


def test_chunks_are_bounded_like_any_body(server: RunningServer) -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"F4240\r\n" + b"x" * 1_000_000 + b"\r\n"
    with server.connect(head) as client:
        for _ in range(40):
            client.sendall(chunk)
        assert read_all(client).startswith(b"HTTP/1.1 413 ")


def test_only_some_connections_are_open_at_a_time(
    settings_with: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_server, "MAX_CONNECTIONS", 10)
    with running(settings_with(threads=THREADS)) as server:
        clients = [server.connect() for _ in range(20)]
        wait_for(lambda: server.server.in_connection_overflow)
        assert server.connections <= 10
        late = server.connect(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        for client in clients:
            client.close()
        assert read_all(late).startswith(b"HTTP/1.1 200 ")
        late.close()


def test_a_stop_lets_begun_requests_finish(server: RunningServer) -> None:
    form = upload_form(b"none")
    with server.connect(FORM % len(form) + form[:10]) as client, server.connect() as idle:
        wait_for(lambda: server.connections == 2)
        server.server.stop()
        assert idle.recv(1) == b""  # idle connections are closed
        with pytest.raises(ConnectionError):
            while True:  # until the listening socket is closed
                server.connect().close()
        client.sendall(form[10:])
        assert read_all(client).startswith(b"HTTP/1.1 415 ")
    server.thread.join(HANG_GUARD_S)
    assert not server.thread.is_alive()


def test_requests_that_wait_in_the_socket_at_a_stop_are_answered(
    settings_with: Callable[..., Settings],
) -> None:
    settings = settings_with(threads=2)
    listener = listen("127.0.0.1", 0)
    stopped = web_server.Server(app_with(settings), listener, settings)
    stopped.stop()
    server = RunningServer(stopped, threading.Thread(target=stopped.run), listener.getsockname()[1])
    clients = [server.connect(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n") for _ in range(20)]
    late = server.connect()  # its request is on the way when the server stops
    server.thread.start()
    late.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    for client in (*clients, late):
        with client:
            answer = read_all(client)
        assert answer.startswith(b"HTTP/1.1 200 ") and b"\r\nConnection: close\r\n" in answer
    server.thread.join(HANG_GUARD_S)
    assert not server.thread.is_alive()


def test_a_client_whose_request_outlasts_the_stop_may_send_another(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_server, "KEEP_ALIVE_GRACE_S", 3.0)
    begun, finish, app = threading.Event(), threading.Event(), server.server.application

    def slow(environ: dict[str, object], start_response: Callable[..., object]) -> object:
        begun.set()
        assert finish.wait(HANG_GUARD_S)
        return app(environ, start_response)

    monkeypatch.setattr(server.server, "application", slow)
    health = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    with server.connect(health) as client:
        assert begun.wait(HANG_GUARD_S)
        server.server.stop()
        time.sleep(3.5)
        finish.set()
        assert client.recv(1 << 16).startswith(b"HTTP/1.1 200 ")
        client.sendall(health)
        last = read_all(client)
    assert b"HTTP/1.1 200 " in last and b"\r\nConnection: close\r\n" in last


def test_a_stop_has_a_time_limit(server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_server, "GRACE_S", SOON_S)
    with server.connect(b"GET / HTTP/1.1\r\n") as client:
        wait_for(lambda: server.connections == 1)
        server.server.stop()
        assert read_all(client) == b""
