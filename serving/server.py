"""Web server: waitress with limits on clients and a graceful stop.

There is one process, because each process would load the encoder.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import logging
import signal
import socket
import time
from typing import Any

from flask import Flask
from waitress import wasyncore
from waitress.server import TcpWSGIServer

from gallery.errors import Invalid
from gallery.settings import Settings
from serving.connections import Channel
from serving.errors import max_body_bytes
from serving.systemd import notify_ready

MAX_CONNECTIONS = 500
"""Maximum open connections; each needs a file descriptor, of which a process often has 1,024."""
MAX_HEADER_BYTES = 65_536
"""Maximum size of a request's headers."""
MAX_PENDING_BYTES = 128_000_000
"""Maximum total of response bytes not yet sent; beyond it, the slowest readers are disconnected."""
GRACE_S = 25.0
"""Time for accepted requests to finish after a stop signal. Kubernetes kills a container after 30 s."""
KEEP_ALIVE_GRACE_S = 1.0
"""After a stop signal, time until an idle connection is closed: a request may be on its way."""
M_ARENA_MAX = -8
"""The parameter of mallopt(3) for the number of heaps, from malloc.h."""
MAX_HEAPS = 2
UNACKNOWLEDGED_TIMEOUT_MS = 20_000
"""Time after which the kernel closes a connection whose sent bytes are not acknowledged."""
HOST_REMEDY = "set GALLERY_HOST or give --host 127.0.0.1"


class Server(TcpWSGIServer):
    """Serves an app on a listening socket until `stop` is called."""

    channel_class = Channel

    def __init__(
        self, app: Flask, listener: socket.socket, settings: Settings, *, shared: bool = False
    ) -> None:
        """`shared` means that other processes may accept from the listener too, now or later."""
        # waitress logs a warning for every request that waits for a thread.
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)
        max_body = max_body_bytes(settings) + 1
        self._max_large = max(1, settings.threads // 2)
        self._shared = shared
        self.stopping = False
        super().__init__(
            app,
            _sock=listener,
            bind_socket=False,
            sockinfo=(listener.family, listener.type, listener.proto, listener.getsockname()),
            threads=settings.threads,
            connection_limit=MAX_CONNECTIONS,
            cleanup_interval=1,
            max_request_header_size=MAX_HEADER_BYTES,
            max_request_body_size=max_body,
            inbuf_overflow=max_body,  # uploads stay in memory
            outbuf_overflow=MAX_PENDING_BYTES,
            # Above the total limit, so that no thread waits for a client that stops reading.
            outbuf_high_watermark=2 * MAX_PENDING_BYTES,
            clear_untrusted_proxy_headers=False,  # serving.client_address decides which are trusted
            log_socket_errors=False,
            ident=None,
        )

    def run(self) -> None:
        """Serve until `stop` is called, then answer all requests that were accepted, for up to GRACE_S."""
        while not self.stopping:
            self._poll(1.0)
        if not self._shared:
            self._accept_waiting()
        wasyncore.dispatcher.close(self)  # close the listening socket: refuse new clients
        stopped_at, until = time.time(), time.monotonic() + GRACE_S
        while self.active_channels and time.monotonic() < until:
            self._poll(0.1)  # first, since a request may wait in the socket of an idle connection
            now = time.time()
            for channel in list(self.active_channels.values()):
                idle_s = now - max(channel.last_activity, stopped_at)
                if channel.is_overdue(now) or (channel.is_idle and idle_s > KEEP_ALIVE_GRACE_S):
                    channel.drop()
        self.task_dispatcher.shutdown(timeout=1)
        wasyncore.close_all(self._map)

    def stop(self) -> None:
        """Make `run` return. May be called from any thread and from signal handlers."""
        self.stopping = True
        with contextlib.suppress(OSError):  # `run` has already returned
            self.pull_trigger()

    def maintenance(self, now: float) -> None:
        """Close overdue connections. waitress calls this every second."""
        for channel in list(self.active_channels.values()):
            if channel.is_overdue(now):
                channel.drop()

    def may_receive_large(self) -> bool:
        """Return True if fewer large bodies than half the threads are being received or handled."""
        channels = list(self.active_channels.values())
        requests = [request for channel in channels for request in (channel.request, *channel.requests)]
        return sum(request is not None and request.is_large for request in requests) < self._max_large

    def limit_pending(self) -> None:
        """If more than MAX_PENDING_BYTES are not yet sent, disconnect the slowest readers until they fit."""
        waiting = [channel for channel in list(self.active_channels.values()) if channel.unsent_bytes]
        excess = sum(channel.unsent_bytes for channel in waiting) - MAX_PENDING_BYTES
        now = time.time()
        for channel in sorted(waiting, key=lambda channel: channel.remaining_s(now), reverse=True):
            if excess <= 0:
                break
            excess -= channel.unsent_bytes
            channel.drop()

    def _accept_waiting(self) -> None:
        """Accept the connections in the socket's queue, which closing it would reset."""
        for _ in range(MAX_CONNECTIONS):
            before = len(self.active_channels)
            self.handle_accept()
            if len(self.active_channels) == before:
                break

    def _poll(self, timeout_s: float) -> None:
        # With poll, because select does not accept file descriptors above 1,023.
        wasyncore.loop(timeout_s, use_poll=True, map=self._map, count=1)


def limit_heaps() -> None:
    """Let the threads share MAX_HEAPS heaps of glibc; without effect on other C libraries.

    By default each thread gets a heap, which keeps the memory of the largest image that the thread handled.
    With 16 threads and 300 uploads, the process took 1,670 MB that way, and 1,280 MB with two heaps.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, MAX_HEAPS)


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on the port. Raises Invalid if the host or port cannot be used."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except socket.gaierror as error:
        raise Invalid(f"{host!r} is not an address to listen on; {HOST_REMEDY}") from error
    listener = socket.socket(family, kind, protocol)
    try:
        # Allows a restart while the last connections are still closing.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen()
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            problem = f"port {port} is in use by another program"
            remedy = f"set GALLERY_PORT or give --port {port % 65535 + 1}"
        else:
            problem = f"cannot listen on {host} port {port} ({error.strerror})"
            is_forbidden = error.errno == errno.EACCES  # a port below 1024
            remedy = "set GALLERY_PORT or give --port 8000" if is_forbidden else HOST_REMEDY
        raise Invalid(f"{problem}; {remedy}") from error
    return listener


def serve_app(app: Flask, listener: socket.socket, settings: Settings, *, shared: bool = False) -> None:
    """Serve the app until SIGTERM or Ctrl-C. A second signal ends it at once.

    `shared` means that other processes may accept from the listener too. Tells the service manager when
    requests are accepted.
    """
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # only on Linux; accepted connections inherit it
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_TIMEOUT_MS)
    server = Server(app, listener, settings, shared=shared)
    previous: dict[int, Any] = {}

    def on_signal(*_: object) -> None:
        for number, handler in previous.items():
            signal.signal(number, handler)
        server.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        previous[number] = signal.signal(number, on_signal)
    notify_ready()
    server.run()
