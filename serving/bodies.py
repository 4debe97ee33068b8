"""Large request bodies: only so many at once, each within a time, so that uploads never hold every thread."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Any

from flask import Flask, g, request
from werkzeug.exceptions import RequestTimeout

from gallery.settings import Settings
from serving.errors import Busy

SMALL = 65_536
"""Bytes of a body that need no permit; a form without a picture is far smaller."""
SECONDS = 60.0
"""How long a large body may take to arrive: 10 MB at 1.4 Mbit/s."""


def register(app: Flask, settings: Settings) -> None:
    """Let half of the threads take in large bodies; who comes beyond that is refused before the body is read."""
    permits = threading.BoundedSemaphore(max(1, settings.threads // 2))

    @app.before_request
    def enter() -> None:
        if not _is_large():
            return
        if not permits.acquire(blocking=False):
            raise Busy("as many large requests are being read as there may be")
        g.body = _Body(request.environ)

    @app.teardown_request
    def leave(_: BaseException | None) -> None:
        body: _Body | None = g.pop("body", None)
        if body is not None:
            body.end()
            permits.release()


def _is_large() -> bool:
    unknown = {"HTTP_TRANSFER_ENCODING", "HTTP_EXPECT"} & request.environ.keys()
    return (request.content_length or 0) > SMALL or bool(unknown)


class _Body:
    """The body of a request as the app reads it, cut off when its time is over."""

    def __init__(self, environ: dict[str, Any]) -> None:
        self._input = environ["wsgi.input"]
        self._socket = environ.get("gunicorn.socket")
        self._late = False
        environ["wsgi.input"] = self
        self._timer = threading.Timer(SECONDS, self._cut)
        self._timer.daemon = True
        self._timer.start()

    def read(self, size: int = -1) -> bytes:
        """The next bytes. Raises RequestTimeout once the time is over."""
        return self._checked(self._input.read(size))

    def readline(self, size: int = -1) -> bytes:
        """The next line. Raises RequestTimeout once the time is over."""
        return self._checked(self._input.readline(size))

    def end(self) -> None:
        """Stop the clock."""
        self._timer.cancel()

    def _checked(self, data: bytes) -> bytes:
        if self._late:
            raise RequestTimeout
        return data

    def _cut(self) -> None:
        self._late = True
        if self._socket is not None:
            with contextlib.suppress(OSError):  # the client was first
                self._socket.shutdown(socket.SHUT_RD)
