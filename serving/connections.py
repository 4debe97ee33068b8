"""Client connections of the web server: waitress's channels with further limits.

waitress receives requests and sends responses outside its worker threads, so slow clients do not occupy
threads. But its only time limit is on inactivity, and it buffers any number of large bodies and unread
responses. This module limits how long a request may take to arrive and a response to be read, and how much is
buffered of both. Measurements: docs/decisions/003-waitress.md.
"""

from __future__ import annotations

import contextlib
import io
import re
import socket
import time
from collections.abc import Callable
from typing import Any, NoReturn

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.utilities import BadRequest, RequestEntityTooLarge

from serving.errors import Busy

MAX_REQUEST_LINE_BYTES = 8_190
NON_ASCII = re.compile(rb"[\x80-\xff]")
SMALL_BODY_BYTES = 65_536
"""Larger bodies count as uploads, whose number is limited. A form without an image is far smaller."""
IDLE_TIMEOUT_S = 15.0
"""Maximum time of a connection without a request."""
REQUEST_TIMEOUT_S = 15.0
"""Maximum time to receive a request with a small body."""
UPLOAD_TIMEOUT_S = 60.0
"""Maximum time to receive a request with a large body: 10 MB at 1.4 Mbit/s."""
RESPONSE_TIMEOUT_S = 300.0
"""Maximum time for a client to read a response: 15 MB at 50 kB/s."""
MIN_READ_BYTES = 65_536
"""Every client counts as having read this much, so that the rate of a new one is not zero."""
LINGER_IDLE_S, LINGER_MAX_S = 5.0, 60.0
"""How long to read and discard data after the last response: between two reads, and in total. Browsers send a
large upload completely before they read the response, and closing a socket with unread data can discard the
response."""


class RequestLineTooLong(BadRequest):
    """The response to a request line of more than MAX_REQUEST_LINE_BYTES."""

    code = 414
    reason = "URI Too Long"


class Request(HTTPRequestParser):
    """A request while it is received.

    If its body is too large, or too many large bodies are being received, the request is passed to the app
    without its body. So the app answers it with a page or a problem document, as for any other error.
    """

    def __init__(self, adj: Any, may_receive: Callable[[], bool]) -> None:
        """`may_receive` returns True if another large body may be received now."""
        super().__init__(adj)
        self.started = time.time()
        self.is_large = False
        self._may_receive = may_receive
        self._refused = False

    def received(self, data: bytes) -> int:
        """Process received bytes. Returns how many of them belong to this request."""
        in_head = not self.headers_finished
        try:
            consumed: int = super().received(data)
        except ValueError:  # from urlsplit, or from int for a length of thousands of digits
            self._fail(BadRequest("The address or the length of the body is invalid"))
            return len(data)
        if in_head and self.headers_finished and not self.empty:
            self._apply_limits()
        if self.completed:
            # Else waitress would ask for a body that is refused or does not exist.
            self.expect_continue = False
        return len(data) if self._refused else consumed

    def parse_header(self, header_plus: bytes) -> None:
        """Parse the head. Bytes beyond ASCII in the address are escaped first.

        curl sends them as they are typed, and waitress would reject them.
        """
        line, end, fields = header_plus.partition(b"\r\n")
        line = NON_ASCII.sub(lambda match: b"%%%02X" % ord(match[0]), line)
        super().parse_header(line + end + fields)

    def get_body_stream(self) -> Any:
        """Return the body, or a stream that raises Busy if the body was refused."""
        return _RefusedBody() if self._refused else super().get_body_stream()

    @property
    def timeout_s(self) -> float:
        """Maximum time to receive the request, in seconds."""
        return UPLOAD_TIMEOUT_S if self.is_large else REQUEST_TIMEOUT_S

    def _apply_limits(self) -> None:
        # Flask checks the size too, and renders a page.
        too_large = isinstance(self.error, RequestEntityTooLarge)
        if self.error and not too_large:
            return
        if len(self.first_line) > MAX_REQUEST_LINE_BYTES:
            self._fail(RequestLineTooLong(f"the request line exceeds {MAX_REQUEST_LINE_BYTES} bytes"))
            return
        is_large = self.chunked or self.content_length > SMALL_BODY_BYTES
        if too_large or (is_large and not self._may_receive()):
            self.headers["CONNECTION"] = "close"
            self._refused = True
            self._fail(None)
        else:
            self.is_large = is_large

    def _fail(self, error: BadRequest | None) -> None:
        self.error = error
        self.completed = True


class _RefusedBody(io.RawIOBase):
    """Body of a request that is answered without reading it. Raises Busy when read."""

    def readable(self) -> bool:
        return True

    def readinto(self, _: Any) -> NoReturn:
        raise Busy("too many concurrent uploads")


class Channel(HTTPChannel):
    """One connection."""

    will_close: bool
    answering_since = 0.0
    lingering_since: float | None = None
    _dropped = False
    _unread_since = 0.0
    _sent_since = 0  # bytes sent since then

    def parser_class(self, adj: Any) -> Request:
        """Return a parser for the next request."""
        return Request(adj, self.server.may_receive_large)

    def service(self) -> None:
        """Answer one request. Runs in a worker thread."""
        self.answering_since = time.time()
        if not self.total_outbufs_len:
            self._unread_since, self._sent_since = self.answering_since, 0
        if self.server.stopping and len(self.requests) == 1:
            self.requests[0].headers["CONNECTION"] = "close"  # so that the client sends no other here
        super().service()
        self.server.limit_pending()

    def send(self, data: bytes, do_close: bool = True) -> int:
        """Send some of the bytes; return how many were sent."""
        sent: int = super().send(data, do_close=do_close)
        self._sent_since += sent
        return sent

    def received(self, data: bytes) -> bool:
        """Process received bytes. After the last response they are discarded."""
        return self.lingering_since is None and super().received(data)

    def handle_close(self) -> None:
        """Close the connection. After a response, first give the client time to read it."""
        finished = self.connected and self.will_close and not self.total_outbufs_len and not self._dropped
        if finished and self.lingering_since is None:
            with contextlib.suppress(OSError):  # the client has disconnected
                self.socket.shutdown(socket.SHUT_WR)
                self.lingering_since = self.last_activity = time.time()
                self.will_close = False
                return
        super().handle_close()

    def drop(self) -> None:
        """Close the connection at once and discard unsent and unread data. Thread-safe."""
        self._dropped = self.will_close = True
        sock = self.socket
        if sock is not None:  # None if the loop has just closed it
            with contextlib.suppress(OSError):
                # The loop only notices sockets that are writable or shut down.
                sock.shutdown(socket.SHUT_RDWR)
        self.server.pull_trigger()

    @property
    def unsent_bytes(self) -> int:
        """Bytes of responses that are not yet sent; 0 if the connection is being closed."""
        return 0 if self._dropped else self.total_outbufs_len

    def remaining_s(self, now: float) -> float:
        """Return the time until all responses are sent, at the client's reading rate so far."""
        reading_s = now - self._unread_since
        return self.unsent_bytes * reading_s / max(self._sent_since, MIN_READ_BYTES)

    @property
    def is_idle(self) -> bool:
        """True if there is nothing to receive, to answer or to send."""
        busy = self.requests or self.request or self.total_outbufs_len or self.close_when_flushed
        return not busy and self.lingering_since is None

    def is_overdue(self, now: float) -> bool:
        """Return True if the client has taken too long to send a request or to read a response."""
        idle_s = now - self.last_activity
        if self.lingering_since is not None:
            return idle_s > LINGER_IDLE_S or now - self.lingering_since > LINGER_MAX_S
        if self.total_outbufs_len:
            return now - self.answering_since > RESPONSE_TIMEOUT_S
        if self.requests:
            return False
        request: Request | None = self.request
        if request is not None:
            return now - request.started > request.timeout_s
        return idle_s > IDLE_TIMEOUT_S
