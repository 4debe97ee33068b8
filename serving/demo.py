"""`gallery demo`: serve the pages while the collection is built, in two processes that end together."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import click

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
INTERRUPTED = 128 + signal.SIGINT


def serve_and_refresh(port: int, address: str) -> int:
    """Run `gallery serve` and `gallery refresh` until a signal; return the exit code.

    The server is stopped if the refresh fails. This process stays small: the memory of the refresh is free
    once it has finished.
    """
    processes: list[subprocess.Popen[bytes]] = []
    stopping = False

    def stop(*_: object) -> None:
        # No exception: it could hit the start of a process, which would then be left behind.
        nonlocal stopping
        stopping = True
        for process in processes:
            process.terminate()

    for number in SIGNALS:
        signal.signal(number, stop)
    # Between the lines of the refresh, only warnings of the server.
    environment = {"GALLERY_LOG_LEVEL": "WARNING", **os.environ}
    for arguments in (["serve", "--port", str(port)], ["refresh"]):
        # In sessions of their own: the terminal's signal beside the one from here would end them at once.
        command = [sys.executable, "-m", "gallery", *arguments]
        processes.append(
            subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, start_new_session=True)
        )
    if stopping:
        stop()
    server, refresh = processes
    code = refresh.wait()
    if code == 0 and server.poll() is None:
        click.echo(f"The collection is complete: open {address} (press Ctrl-C to stop)", err=True)
    elif code:
        server.terminate()
    server.wait()
    return INTERRUPTED if stopping else code or server.returncode
