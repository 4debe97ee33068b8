"""Client connections of the web server: waitress's own, with the limits that waitress does not have.

waitress receives requests and sends responses outside its worker threads, so slow clients do not occupy threads. Its
only time limit is on inactivity, though, and it buffers any number of large bodies and unread responses. Here a
request must arrive within a time, a response must be read within a time, and both kinds of buffers are bounded.
docs/decisions/003-waitress.md says what was measured.
"""

from __future__ import annotations

import contextlib
import io
import socket
import time
from collections.abc import Callable
from typing import Any, NoReturn

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.utilities import BadRequest, RequestEntityTooLarge

from serving.errors import Busy

MAX_REQUEST_LINE_BYTES = 8_190
SMALL_BODY_BYTES = 65_536
"""Larger bodies count as uploads, of which only some are received at a time; a form without an image is far smaller."""
IDLE_TIMEOUT_S = 15.0
"""For a connection without a request."""
REQUEST_TIMEOUT_S = 15.0
"""For a whole request with a small body."""
UPLOAD_TIMEOUT_S = 60.0
"""For a whole request with a large body: 10 MB at 1.4 Mbit/s."""
RESPONSE_TIMEOUT_S = 300.0
"""For a client to read a response: 15 MB at 50 kB/s."""
LINGER_IDLE_S, LINGER_MAX_S = 5.0, 60.0
"""How long to read and discard after the last response, between two reads and in all. Browsers send all of a large
upload before they read why it was refused, and closing a socket with unread data can discard the response."""


class RequestLineTooLong(BadRequest):
    """The response to a request line of more than MAX_REQUEST_LINE_BYTES."""

    code = 414
    reason = "URI Too Long"


class Request(HTTPRequestParser):
    """A request as it arrives.

    The app answers a request whose body is too large, or that arrives when enough others are being received, without
    its body; so the response is a page or a problem document, as for any other error.
    """

    def __init__(self, adj: Any, may_receive: Callable[[], bool]) -> None:
        """`may_receive` says whether another large body may be received now."""
        super().__init__(adj)
        self.started = time.time()
        self.is_large = False
        self._may_receive = may_receive
        self._refused = False

    def received(self, data: bytes) -> int:
        """Take in the next bytes; return how many of them belong to this request."""
        in_head = not self.headers_finished
        try:
            consumed: int = super().received(data)
        except ValueError:  # from urlsplit, or from int for a length of thousands of digits
            self._fail(BadRequest("The address or the length of the body is invalid"))
            return len(data)
        if in_head and self.headers_finished and not self.empty:
            self._apply_limits()
        if self.completed:
            self.expect_continue = (
                False  # else waitress would ask for a body that is refused or does not exist
            )
        return len(data) if self._refused else consumed

    def get_body_stream(self) -> Any:
        """The body, or a stream that raises Busy where the body was refused."""
        return _RefusedBody() if self._refused else super().get_body_stream()

    @property
    def timeout_s(self) -> float:
        """How long the request may take to arrive."""
        return UPLOAD_TIMEOUT_S if self.is_large else REQUEST_TIMEOUT_S

    def _apply_limits(self) -> None:
        too_large = isinstance(
            self.error, RequestEntityTooLarge
        )  # Flask finds that too, and makes a page of it
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
    """The body of a request that is answered without reading its body."""

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

    def parser_class(self, adj: Any) -> Request:
        """A parser for the next request."""
        return Request(adj, self.server.may_receive_large)

    def service(self) -> None:
        """Answer one request. Called in a worker thread."""
        self.answering_since = time.time()
        super().service()
        self.server.limit_pending()

    def received(self, data: bytes) -> bool:
        """Take in bytes of requests; discard them after the last response."""
        return self.lingering_since is None and super().received(data)

    def handle_close(self) -> None:
        """Close the connection; after a response, only once the client has had time to read it."""
        finished = self.connected and self.will_close and not self.total_outbufs_len and not self._dropped
        if finished and self.lingering_since is None:
            with contextlib.suppress(OSError):  # the client is gone
                self.socket.shutdown(socket.SHUT_WR)
                self.lingering_since = self.last_activity = time.time()
                self.will_close = False
                return
        super().handle_close()

    def drop(self) -> None:
        """Close the connection at once, whatever has not been sent or read. May be called in any thread."""
        self._dropped = self.will_close = True
        sock = self.socket
        if sock is not None:  # or the loop has just closed it
            with contextlib.suppress(OSError):
                # Wakes the loop, which only sees sockets that it can write to or that have ended.
                sock.shutdown(socket.SHUT_RDWR)
        self.server.pull_trigger()

    @property
    def is_idle(self) -> bool:
        """True if there is nothing to receive, answer or send."""
        busy = self.requests or self.request or self.total_outbufs_len or self.close_when_flushed
        return not busy and self.lingering_since is None

    def is_overdue(self, now: float) -> bool:
        """True if the client has taken too long to send a request or to read a response."""
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
