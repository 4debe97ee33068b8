"""A gunicorn worker whose threads never wait for a client.

gunicorn's own gives a connection to a thread as soon as it is open, and the thread reads, answers and writes: as many
slow clients as there are threads keep everybody else out. Here the worker's loop takes in the request until it is
there, and sends off what a client does not take at once. A large body is still read by a thread; `serving.bodies`
lets only some of them do that.
"""

from __future__ import annotations

import copy
import re
import selectors
import socket
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

from serving.bodies import SMALL

LONGEST_HEAD = 65_536
"""Bytes of a head; gunicorn refuses one of that size, in words."""
ARRIVAL = 15.0
"""Seconds that a request may take to arrive, its body too where that is small."""
DEPARTURE = 300.0
"""Seconds that an answer may take to be read: 15 MB at 50 kB/s."""
PARTING, LAST = 5.0, 60.0
"""Seconds between two bytes, and in all, that a client may go on sending after it was told that its connection is
over. Browsers send all of a large upload before they read why it was refused."""
BACKLOG = 128_000_000
"""Bytes of answers that may wait for clients at the same time; who reads too slowly for that is cut off."""

LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,18})[ \t]*\r\n", re.IGNORECASE)
UNTOLD = re.compile(rb"\r\n(transfer-encoding|expect):", re.IGNORECASE)
"""Heads whose body comes in chunks, or after a word from the server."""


class LoopWorker(ThreadWorker):
    """A threaded worker that reads and writes in its loop. Every connection is in the loop or with one thread."""

    def init_process(self) -> None:
        self._waiting: dict[TConn, float] = {}  # until when, by time.monotonic()
        super().init_process()

    def enqueue_req(self, conn: TConn) -> None:
        """Give the connection to a thread once its request is there."""
        if conn.parser is None:
            conn.init()
        self._read_on(conn)

    def handle_request(self, req: Any, conn: TConn) -> bool:
        """Answer, as far as the client takes it now; `finish_request` sees to the rest. In a thread."""
        if _is_large(req):
            # What the app leaves of the body is dropped in the loop; to use the connection again, a thread would
            # have to wait for all of it.
            req.must_close = True
        conn.outgoing = Outgoing(conn.sock)
        reply = copy.copy(conn)
        reply.sock = conn.outgoing
        keep: bool = super().handle_request(req, reply)
        return keep

    def finish_request(self, conn: TConn, fs: Future[Any]) -> None:
        """Send the rest of the answer, then wait for another request or part."""
        outgoing: Outgoing | None = getattr(conn, "outgoing", None)
        if fs.cancelled() or fs.exception():
            self._drop(conn)
        elif outgoing and outgoing.left:
            self._wait(conn, selectors.EVENT_WRITE, DEPARTURE, lambda: self._send(conn, outgoing, fs))
            if self._backlog() > BACKLOG:
                self._forget(conn)
                self._drop(conn)
        elif fs.result():
            super().finish_request(conn, fs)
        else:
            self._part(conn)

    def murder_pending(self) -> None:
        """End the connections whose time is over; called by gunicorn's loop about once a second."""
        super().murder_pending()
        now = time.monotonic()
        for conn, until in list(self._waiting.items()):
            idle = not self.alive and conn.parser is not None and not conn.parser.unreader.buf.getvalue()
            if now > until or (idle and not _is_sending(conn)):
                self._forget(conn)
                self._drop(conn)

    def _read_on(self, conn: TConn) -> None:
        if has_arrived(conn.parser.unreader.buf.getvalue()):
            self._hand_over(conn)
        else:
            self._wait(conn, selectors.EVENT_READ, ARRIVAL, lambda: self._receive(conn))

    def _receive(self, conn: TConn) -> None:
        try:
            data = conn.sock.recv(1 << 16)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self._forget(conn)
            self._drop(conn)
            return
        conn.parser.unreader.buf.write(data)
        if not data or has_arrived(conn.parser.unreader.buf.getvalue()):
            self._forget(conn)
            self._hand_over(conn)

    def _hand_over(self, conn: TConn) -> None:
        conn.outgoing = None
        conn.sock.setblocking(True)
        super().enqueue_req(conn)

    def _send(self, conn: TConn, outgoing: Outgoing, fs: Future[Any]) -> None:
        try:
            outgoing.send_on()
        except OSError:
            self._forget(conn)
            self._drop(conn)
            return
        if not outgoing.left:
            self._forget(conn)
            self.finish_request(conn, fs)

    def _part(self, conn: TConn) -> None:
        # Closed at once, a connection with unread bytes is reset, and the client may lose the answer with it.
        try:
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._drop(conn)
            return
        last = time.monotonic() + LAST
        self._wait(conn, selectors.EVENT_READ, PARTING, lambda: self._discard(conn, last))

    def _discard(self, conn: TConn, last: float) -> None:
        try:
            if conn.sock.recv(1 << 16):
                self._waiting[conn] = min(time.monotonic() + PARTING, last)
                return
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            pass
        self._forget(conn)
        self._drop(conn)

    def _wait(self, conn: TConn, event: int, seconds: float, then: Callable[[], None]) -> None:
        conn.sock.setblocking(False)
        self._waiting[conn] = time.monotonic() + seconds
        self.poller.register(conn.sock, event, lambda _: then())

    def _forget(self, conn: TConn) -> None:
        del self._waiting[conn]
        self.poller.unregister(conn.sock)

    def _drop(self, conn: TConn) -> None:
        self.nr_conns -= 1
        conn.close()

    def _backlog(self) -> int:
        return sum(conn.outgoing.left for conn in self._waiting if _is_sending(conn))


class Outgoing:
    """The sending side of a socket: it takes all that it is given, and keeps what the client does not take yet."""

    def __init__(self, sock: socket.socket) -> None:
        self.left = 0
        self._sock = sock
        self._kept: deque[memoryview] = deque()

    def sendall(self, data: bytes) -> None:
        """Take the bytes. Raises OSError where the client is gone."""
        if data:
            self._kept.append(memoryview(data))
            self.left += len(data)
            self.send_on()

    send = sendall

    def send_on(self) -> None:
        """Send as much as goes without waiting. Raises OSError where the client is gone."""
        while self._kept:
            try:
                sent = self._sock.send(self._kept[0], socket.MSG_DONTWAIT)
            except (BlockingIOError, InterruptedError):
                return
            self.left -= sent
            if sent == len(self._kept[0]):
                self._kept.popleft()
            else:
                self._kept[0] = self._kept[0][sent:]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


def has_arrived(data: bytes) -> bool:
    """True where a thread need not wait for the rest of this request, or must read it: the body is a large one."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return len(data) > LONGEST_HEAD
    head = data[: end + 2]
    length = LENGTH.search(head)
    if UNTOLD.search(head) or length is None or int(length[1]) > SMALL:
        return True
    return len(data) >= end + 4 + int(length[1])


def _is_large(req: Any) -> bool:
    named = dict(req.headers)
    untold = named.keys() & {"TRANSFER-ENCODING", "EXPECT"}
    return bool(untold) or int(named.get("CONTENT-LENGTH", 0)) > SMALL


def _is_sending(conn: TConn) -> bool:
    return bool(getattr(conn, "outgoing", None) and conn.outgoing.left)
