"""A real server on the wire: what clients rely on, and requests that no browser sends."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from gallery.settings import read_settings
from tests.fakes.servers import INTERNALS, RunningServer, read_all, running, upload_form

GET = b"GET %b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
POST = b"POST %b HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
FORM = (
    b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\n"
    b"Content-Length: %d\r\n"
)
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
LAST = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    home = tmp_path_factory.mktemp("server")
    with running(read_settings(home=home, encoder="fake", rate_limit="off", threads=4)) as server:
        yield server


def status(response: bytes) -> int:
    assert not any(text.encode() in response for text in INTERNALS)
    return int(response.split()[1])


def test_connections_are_kept_alive_and_pipelined_requests_answered_in_order(server: RunningServer) -> None:
    pages = [b"GET /?q=blue&limit=%d HTTP/1.1\r\nHost: x\r\n\r\n" % limit for limit in (3, 5, 2)]
    response = server.ask(b"".join(pages) + LAST)
    assert [part.count(b'<li class="hit ') for part in response.split(b"HTTP/1.1 200 OK\r\n")] == [
        0,
        3,
        5,
        2,
        0,
    ]
    assert response.endswith(b'{"ok":true}\n')


def test_a_head_request_has_no_body(server: RunningServer) -> None:
    response = server.ask(b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n" + LAST)
    head, rest = response.split(b"\r\n\r\n", 1)
    assert head.startswith(b"HTTP/1.1 200 ") and b"\r\nContent-Length: " in head
    assert rest.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("path", [b"/?q=blue", b"/artists", b"/map", b"/api/v1/works"])
def test_a_head_request_has_the_length_of_the_get(server: RunningServer, path: bytes) -> None:
    answers = (server.ask(request % path) for request in (GET, GET.replace(b"GET", b"HEAD")))
    got, head = (re.findall(rb"Content-Length: \d+", answer) for answer in answers)
    assert got == head != []


def test_the_server_does_not_name_itself(server: RunningServer) -> None:
    for request in (GET % b"/", GET % b"/nothing", b"nonsense\r\n\r\n"):
        head = server.ask(request).partition(b"\r\n\r\n")[0].lower()
        assert b"\r\nserver:" not in head and b"waitress" not in head


def test_http_1_0(server: RunningServer) -> None:
    response = server.ask(b"GET /healthz HTTP/1.0\r\n\r\n")
    assert response.startswith(b"HTTP/1.0 200 ") and response.endswith(b'{"ok":true}\n')


def test_a_chunked_body_is_read(server: RunningServer) -> None:
    response = server.ask(
        POST % b"/" + b"Transfer-Encoding: chunked\r\n\r\n2\r\nq=\r\n4;x=y\r\nblue\r\n0\r\n\r\n"
    )
    assert status(response) == 303 and b"\r\nLocation: /?q=blue\r\n" in response


def test_a_client_that_expects_100_is_told_to_continue(server: RunningServer) -> None:
    form = upload_form(b"x" * 100_000)
    with server.connect(FORM % len(form) + b"Expect: 100-continue\r\nConnection: close\r\n\r\n") as client:
        assert client.recv(1 << 16) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(form)
        assert status(read_all(client)) == 415


@pytest.mark.parametrize(
    "length", [b"Content-Length: 99999999\r\n", b""], ids=["too large a body", "no body"]
)
def test_a_client_that_expects_100_for_nothing_is_answered_at_once(
    server: RunningServer, length: bytes
) -> None:
    with server.connect(
        POST % b"/" + length + b"Expect: 100-continue\r\nConnection: close\r\n\r\n"
    ) as client:
        assert read_all(client).startswith(b"HTTP/1.1 413 " if length else b"HTTP/1.1 400 ")


@pytest.mark.parametrize("host", [b"..", b"a..b", b"a" * 70, b"", b"[::1", b"x y"])
@pytest.mark.parametrize("path", [b"/", b"/api/v1/search?q=x"])
def test_an_invalid_host(server: RunningServer, path: bytes, host: bytes) -> None:
    response = server.ask(b"GET %b HTTP/1.1\r\nHost: %b\r\nConnection: close\r\n\r\n" % (path, host))
    assert status(response) in (200, 400)


@pytest.mark.parametrize("path", [b"/", b"/api/v1/search"])
@pytest.mark.parametrize(
    "body", [b"ZZZ\r\nfoo\r\n0\r\n\r\n", b"-5\r\n", b"3\r\nfooXX0\r\n\r\n", b"3;\r\n\r\n"]
)
def test_invalid_chunks(server: RunningServer, path: bytes, body: bytes) -> None:
    assert status(server.ask(POST % path + b"Transfer-Encoding: chunked\r\n\r\n" + body)) == 400


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        (b"99999999999999999999", 413),
        (b"9" * 5_000, 400),
        (b"-1", 400),
        (b"1, 1", 400),
        (b"0x1", 400),
        (b"+1", 400),
        (b"1_0", 400),
    ],
)
def test_an_invalid_or_huge_length(server: RunningServer, length: bytes, expected: int) -> None:
    assert status(server.ask(POST % b"/" + b"Content-Length: %b\r\n\r\nq=a" % length)) == expected


def test_a_file_name_that_is_too_long(server: RunningServer) -> None:
    assert status(server.ask(GET % (b"/images/originals/%b.jpg" % (b"a" * 300)))) == 404


@pytest.mark.parametrize(
    "path", [b"http://[/", b"http://[::1/", b"//[", b"*", b"/%", b"/%ff%00", b"?", b"/\xff"]
)
@pytest.mark.parametrize("method", [b"GET", b"OPTIONS"])
def test_an_invalid_address(server: RunningServer, method: bytes, path: bytes) -> None:
    request = b"%b %b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" % (method, path)
    assert status(server.ask(request)) in (200, 308, 400, 404)


@pytest.mark.parametrize("words", ["café".encode(), b"caf%C3%A9"], ids=["as curl sends them", "escaped"])
def test_words_beyond_ascii_in_an_address(server: RunningServer, words: bytes) -> None:
    response = server.ask(GET % (b"/api/v1/search?limit=1&q=" + words))
    assert status(response) == 200 and '"q":"café"'.encode() in response


def test_the_request_line_and_the_head_are_bounded(server: RunningServer) -> None:
    assert status(server.ask(GET % (b"/?q=" + b"a" * 9_000))) == 414
    assert status(server.ask(HEALTH[:-2] + b"X: " + b"a" * 70_000 + b"\r\nConnection: close\r\n\r\n")) == 431
    assert status(server.ask(HEALTH[:-2] + b"X: y\r\n" * 20_000)) == 431


SMUGGLED = b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize(
    "headers",
    [
        b"Content-Length: 0\r\nContent-Length: %d\r\n" % len(SMUGGLED),
        b"Content-Length: 0\r\nContent-Length : %d\r\n" % len(SMUGGLED),
        b"Transfer-Encoding: chunked, identity\r\n",
        b"Transfer-Encoding: \x0bchunked\r\n",
        b"Transfer-Encoding: xchunked\r\n",
        b"X: y\nTransfer-Encoding: chunked\r\n",
        b"X: y\rContent-Length: 5\r\n",
    ],
)
def test_a_request_whose_length_is_ambiguous_ends_the_connection(
    server: RunningServer, headers: bytes
) -> None:
    response = server.ask(POST % b"/" + headers + b"\r\n" + SMUGGLED)
    assert status(response) in (400, 501)
    assert response.count(b"HTTP/1.1 ") + response.count(b"HTTP/1.0 ") == 1


def test_chunks_come_before_a_length(server: RunningServer) -> None:
    chunks = b"6\r\nq=blue\r\n0\r\n\r\n"
    headers = b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
    response = server.ask(POST % b"/" + headers + chunks + LAST)
    assert b"\r\nLocation: /?q=blue\r\n" in response and response.endswith(b'{"ok":true}\n')


def test_what_follows_a_refused_body_is_not_a_request(server: RunningServer) -> None:
    response = server.ask(FORM % 99_999_999 + b"\r\n" + SMUGGLED)
    assert response.count(b"HTTP/1.1 ") == 1 and status(response) == 413
