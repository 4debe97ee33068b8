"""Helpers for tests that start processes and servers."""

from __future__ import annotations

import contextlib
import random
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

HANG_GUARD_S = 300
"""When to give up on something that would otherwise never end. No test depends on how long anything takes."""
PORTS = range(20_000, 32_000)
"""Below the ports of outgoing connections, one of which could take a free port before its server does."""


def free_port() -> int:
    """Return a port of this machine that nothing listens on."""
    for port in random.SystemRandom().sample(PORTS, 100):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError("no free port found")


def wait_for(condition: Callable[[], object], what: str = "the condition") -> None:
    """Return once the condition is true. Fail the test if it is still false after HANG_GUARD_S."""
    deadline = time.monotonic() + HANG_GUARD_S
    while not condition():
        assert time.monotonic() < deadline, f"gave up waiting for {what}"
        time.sleep(0.02)


def modules_loaded_by(*modules: str) -> set[str]:
    """Import these modules in a new process; return the names of all modules that are then loaded."""
    code = f"import sys, {', '.join(modules)}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@contextmanager
def process(command: list[str], log: Path, **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process until the end of the block; its output goes to the log. `options` are those of Popen."""
    with log.open("ab") as file:
        running = subprocess.Popen(command, stdout=file, stderr=file, **options)
        try:
            yield running
        finally:
            running.terminate()
            try:
                running.wait(15)
            except subprocess.TimeoutExpired:
                running.kill()
                running.wait()


@contextmanager
def redis_server(folder: Path, password: str = "") -> Iterator[str]:
    """Run an empty Redis until the end of the block; yield its address. Skip the test if there is none."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed; apt-get install redis-server")
    port, log = free_port(), folder / "redis.log"
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)]
    command += ["--save", "", "--appendonly", "no", "--requirepass", password]
    with process(command, log):
        wait_for(lambda: "Ready to accept" in log.read_text(), "Redis")
        yield f"redis://{f':{password}@' if password else ''}127.0.0.1:{port}/0"
