"""`gallery serve` is replaced under load on a socket that was handed over, and no request fails."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.gallery import FILES, Gallery
from tests.fakes.processes import HANG_GUARD_S, process, wait_for
from tests.fakes.servers import upload_form

HAND_OVER = (
    "import os, sys; os.dup2(int(sys.argv[1]), 3);"
    "os.environ.update(LISTEN_FDS='1', LISTEN_PID=str(os.getpid()));"
    "os.execv(sys.executable, [sys.executable, '-m', 'gallery', 'serve'])"
)
FORM = {"Content-Type": "multipart/form-data; boundary=b"}
REQUESTS: tuple[tuple[str, str, bytes, dict[str, str]], ...] = (
    ("GET", "/?q=blue&limit=3", b"", {}),
    ("GET", "/api/v1/search?q=blue&limit=3", b"", {"Connection": "close"}),
    ("GET", "/artists", b"", {}),
    ("POST", "/", upload_form(next(iter(FILES.values()))), FORM),
)


class Site:
    """A listening socket, the processes that serve it, and clients that send requests all the time."""

    def __init__(self, folder: Path, settings: dict[str, str]) -> None:
        self._folder = folder
        self._settings = settings
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._manager.bind(str(folder / "notify"))
        self._manager.settimeout(HANG_GUARD_S)
        self._over = threading.Event()
        self.answered = [0] * len(REQUESTS)
        self.failures: list[str] = []

    @contextlib.contextmanager
    def process(self) -> Iterator[subprocess.Popen[bytes]]:
        """Run a process until the end of the block, which begins when it accepts requests."""
        fd = self._listener.fileno()
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("GALLERY_")},
            **self._settings,
            "NOTIFY_SOCKET": str(self._folder / "notify"),
        }
        command = [sys.executable, "-c", HAND_OVER, str(fd)]
        log = self._folder / "serve.log"
        with process(command, log, cwd=self._folder, env=environment, pass_fds=[fd]) as running:
            assert self._manager.recv(100) == b"READY=1", log.read_text()
            yield running

    @contextlib.contextmanager
    def clients(self) -> Iterator[None]:
        """Send requests of each kind until the end of the block."""
        threads = [threading.Thread(target=self._ask, args=(kind,)) for kind in range(len(REQUESTS))]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.leave()
            for thread in threads:
                thread.join(HANG_GUARD_S)

    def leave(self) -> None:
        """Let each client send no request after its present one."""
        self._over.set()

    def wait_for_more(self) -> None:
        """Return once there are two more responses of each kind."""
        before = list(self.answered)
        wait_for(lambda: all(now >= then + 2 for now, then in zip(self.answered, before, strict=True)))

    def close(self) -> None:
        self._listener.close()
        self._manager.close()

    def _ask(self, kind: int) -> None:
        connection = http.client.HTTPConnection(*self._listener.getsockname(), timeout=HANG_GUARD_S)
        while not self._over.is_set():
            try:
                connection.request(*REQUESTS[kind])
                response = connection.getresponse()
                response.read()
                assert response.status in (200, 303), response.status
            except (OSError, http.client.HTTPException, AssertionError) as error:
                self.failures.append(f"{REQUESTS[kind][:2]}: {error!r}")
                connection.close()
            self.answered[kind] += 1
        connection.close()


@pytest.fixture
def site(built_gallery: Gallery, tmp_path: Path) -> Iterator[Site]:
    settings = built_gallery.settings()
    made = Site(
        tmp_path,
        {
            "GALLERY_HOME": str(settings.home),
            "GALLERY_ENCODER": "fake",
            "GALLERY_RATE_LIMIT": "off",
            "GALLERY_UPLOAD_RATE_LIMIT": "off",
            "GALLERY_THREADS": "4",
        },
    )
    yield made
    made.close()


def stop(running: subprocess.Popen[bytes]) -> None:
    running.send_signal(signal.SIGTERM)
    assert running.wait(HANG_GUARD_S) == 0


def test_a_restart_loses_no_request(site: Site) -> None:
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(site.process())
        stack.enter_context(site.clients())
        site.wait_for_more()
        second = stack.enter_context(site.process())
        site.wait_for_more()
        stop(first)
        site.wait_for_more()
        stop(second)  # connections wait in the socket
        stack.enter_context(site.process())
        site.wait_for_more()
        site.leave()
    assert site.failures == []
