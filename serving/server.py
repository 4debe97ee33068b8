"""The web server: waitress, in one process because the encoder is large, with limits on clients and a graceful stop."""

from __future__ import annotations

import contextlib
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
from serving.errors import FORM_OVERHEAD_BYTES

MAX_CONNECTIONS = 500
"""Open connections; each is a file, of which a process usually may have 1,024."""
MAX_HEADER_BYTES = 65_536
MAX_PENDING_BYTES = 128_000_000
"""Bytes of responses that may wait for clients in all; beyond that the connection with most of them is closed."""
GRACE_S = 8.0
"""How long requests may go on after the server was told to stop. Docker kills a container 10 s after the stop."""
UNACKNOWLEDGED_TIMEOUT_MS = 20_000
"""How long sent bytes may stay unacknowledged before the kernel gives up the connection."""


class Server(TcpWSGIServer):
    """Serves an app on a listening socket until it is told to stop."""

    channel_class = Channel

    def __init__(self, app: Flask, listener: socket.socket, settings: Settings) -> None:
        # waitress warns of every request that waits for a thread.
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)
        max_body = settings.max_upload + FORM_OVERHEAD_BYTES + 1
        self._max_large = max(1, settings.threads // 2)
        self._stopping = False
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
            outbuf_high_watermark=2
            * MAX_PENDING_BYTES,  # or a thread would wait for a client that stops reading
            clear_untrusted_proxy_headers=False,  # serving.client_address decides which of them are trusted
            log_socket_errors=False,
            ident=None,
        )

    def run(self) -> None:
        """Serve until `stop` is called; then finish the requests that have begun to arrive, for up to GRACE_S."""
        while not self._stopping:
            self._poll(1.0)
        wasyncore.dispatcher.close(self)  # the listening socket: new clients are refused from here on
        until = time.monotonic() + GRACE_S
        while self.active_channels and time.monotonic() < until:
            now = time.time()
            for channel in list(self.active_channels.values()):
                if channel.is_idle or channel.is_overdue(now):
                    channel.drop()
            self._poll(0.1)
        self.task_dispatcher.shutdown(timeout=1)
        wasyncore.close_all(self._map)

    def stop(self) -> None:
        """Make `run` return. May be called in any thread and in a signal handler."""
        self._stopping = True
        with contextlib.suppress(OSError):  # `run` has returned
            self.pull_trigger()

    def maintenance(self, now: float) -> None:
        """Close the connections of clients that take too long. Called by waitress every second."""
        for channel in list(self.active_channels.values()):
            if channel.is_overdue(now):
                channel.drop()

    def may_receive_large(self) -> bool:
        """False while large bodies of half as many requests as there are threads are being received or handled."""
        channels = list(self.active_channels.values())
        requests = [request for channel in channels for request in (channel.request, *channel.requests)]
        return sum(request is not None and request.is_large for request in requests) < self._max_large

    def limit_pending(self) -> None:
        """Close the connection that has most bytes to send while all of them have more than MAX_PENDING_BYTES."""
        channels = list(self.active_channels.values())
        if sum(channel.total_outbufs_len for channel in channels) > MAX_PENDING_BYTES:
            max(channels, key=lambda channel: channel.total_outbufs_len).drop()

    def _poll(self, timeout_s: float) -> None:
        # poll, not select, which takes no file number above 1,023.
        wasyncore.loop(timeout_s, use_poll=True, map=self._map, count=1)


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens on that port.

    Raises Invalid with what to do if the host or the port cannot be used.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except socket.gaierror as error:
        raise Invalid(
            f"{host!r} is not an address to listen on; set GALLERY_HOST or give --host 127.0.0.1"
        ) from error
    listener = socket.socket(family, kind, protocol)
    try:
        # A port whose last connections are still closing is free.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # on Linux; accepted connections inherit it
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_TIMEOUT_MS)
        listener.bind(address)
        listener.listen()
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            problem = f"port {port} is in use by another program"
        else:
            problem = f"cannot listen on {host} port {port} ({error.strerror})"
        raise Invalid(f"{problem}; set GALLERY_PORT or give --port {port % 65535 + 1}") from error
    return listener


def serve_app(app: Flask, listener: socket.socket, settings: Settings) -> None:
    """Serve the app until SIGTERM or Ctrl-C. A second signal does not wait for requests to finish."""
    server = Server(app, listener, settings)
    previous: dict[int, Any] = {}

    def on_signal(*_: object) -> None:
        for number, handler in previous.items():
            signal.signal(number, handler)
        server.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        previous[number] = signal.signal(number, on_signal)
    server.run()
