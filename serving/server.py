"""The web app under gunicorn: one process, because the encoder is large, and several threads."""

from __future__ import annotations

import socket
import struct
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from gallery.settings import Settings
from serving.app import create_app
from serving.site import EXTENSION, Site
from serving.worker import LoopWorker

TIMEOUT = 60
"""Seconds without a sign of life from the worker after which it is replaced; loading torch takes some of them."""
CONNECTIONS = 500
"""Connections open at once; each is a file, of which a process usually may have 1,024."""
GRACE = 10
"""Seconds that requests may go on for once the server was told to stop."""
SILENCE = 20
"""Seconds that a client may neither send of its request nor read of its answer before it is cut off."""


class Server(BaseApplication):
    """Serves the app until it is told to stop."""

    def __init__(self, settings: Settings, announce: str) -> None:
        self._settings = settings
        self._announce = announce
        super().__init__()

    def load_config(self) -> None:
        """Give gunicorn its settings."""
        host = f"[{self._settings.host}]" if ":" in self._settings.host else self._settings.host
        options: dict[str, Any] = {
            "bind": f"{host}:{self._settings.port}",
            "workers": 1,
            "worker_class": LoopWorker,
            "threads": self._settings.threads,
            "worker_connections": CONNECTIONS,
            "forwarded_allow_ips": "",  # GALLERY_TRUSTED_PROXIES says whom to believe; see serving.proxies
            "timeout": TIMEOUT,
            "graceful_timeout": GRACE,
            "limit_request_line": 8190,
            "loglevel": "warning",
            "control_socket_disable": True,  # else a socket appears in the home folder
            "when_ready": self._ready,
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """The app. Called in the worker: torch and Lance have threads of their own, which do not survive a fork."""
        app = create_app(self._settings)
        site: Site = app.extensions[EXTENSION]
        site.warmup.start()
        return app

    def _ready(self, arbiter: Any) -> None:
        import click

        for listener in arbiter.LISTENERS:
            # gunicorn waits for ever on a client that stops in mid-request, or stops reading its answer.
            # Connections inherit both options from the socket that accepts them.
            listener.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", SILENCE, 0))
            if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux: how long sent bytes may wait for the other side
                listener.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, SILENCE * 1_000)
        click.echo(self._announce, err=True)
