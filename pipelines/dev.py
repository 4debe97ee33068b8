"""`make dev`: the Dagster UI and daemon on this machine, with a quiet start and a clean Ctrl-C.

By itself, `dg dev` warns about a virtual environment that is not activated, and on its first start about
missing cursors of its daemon. Ctrl-C reaches all of its processes at once: log watchers print tracebacks,
and runs in progress are recorded as failed. Here only `dg dev` gets the signal, and runs in progress are
canceled.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import IO, TYPE_CHECKING

import click

from gallery.settings import PREFIX
from pipelines.interrupts import EXIT_CODE

if TYPE_CHECKING:
    from dagster import DagsterInstance

ENVIRONMENT = "ARTWORK_GALLERY_ENVIRONMENT"
"""Variable with the GALLERY_* variables of the shell that started `make dev`, as JSON."""
CURSORS = ("EVENT_LOG_CONSUMER_CURSOR-PIPELINE_FAILURE", "EVENT_LOG_CONSUMER_CURSOR-PIPELINE_SUCCESS")
"""Keys under which the daemon that retries runs keeps the last event it has read."""
STOP_TIMEOUT_S = 30
"""Seconds that `dg dev` and canceled runs have to end before their processes are killed."""
POLL_INTERVAL_S = 0.1


def given_settings() -> str:
    """Return the GALLERY_* variables of this process as JSON."""
    return json.dumps({name: value for name, value in os.environ.items() if name.startswith(PREFIX)})


def forget_exported_settings() -> None:
    """Remove the copies of `.env` that `dg dev` has exported to this process.

    They would override the file, which every run reads, so changes of it would have no effect.
    """
    given = os.environ.get(ENVIRONMENT)
    if given is not None:
        for name in [name for name in os.environ if name.startswith(PREFIX)]:
            del os.environ[name]
        os.environ.update(json.loads(given))


class _Server:
    """`dg dev` in a session of its own, which keeps the terminal's Ctrl-C from its processes."""

    def __init__(self) -> None:
        self.stopping = threading.Event()
        self._starting = False
        self._process: subprocess.Popen[bytes] | None = None

    def handle_signal(self, number: int, _: FrameType | None) -> None:
        """Stop at the first signal, and kill at the second.

        Raises nothing: an exception could hit an import or the start of the process, and would be lost there.
        """
        if not self._starting:
            os._exit(EXIT_CODE)
        if self.stopping.is_set() and self._process:
            _signal_group(self._process.pid, signal.SIGKILL)
            os._exit(EXIT_CODE)
        self.stopping.set()
        os.write(2, b"\nStopping Dagster and canceling runs in progress ...\n")

    def run(self, port: int, instance: DagsterInstance) -> int:
        """Run until Ctrl-C or until `dg dev` ends by itself; return its exit code, or 0 after Ctrl-C."""
        command = [str(Path(sys.executable).with_name("dg")), "dev", "--port", str(port)]
        self._starting = True
        process = self._process = subprocess.Popen(
            command,
            env={**os.environ, "VIRTUAL_ENV": sys.prefix, ENVIRONMENT: given_settings()},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        assert process.stdout
        threading.Thread(target=self._copy, args=(process.stdout,), daemon=True).start()
        while process.poll() is None and not self.stopping.wait(POLL_INTERVAL_S):
            pass
        try:
            process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOP_TIMEOUT_S)
            _cancel_runs(instance)
            _wait_for_group(process.pid)
        finally:
            _signal_group(process.pid, signal.SIGKILL)
        return 0 if self.stopping.is_set() else process.returncode or 1

    def _copy(self, output: IO[bytes]) -> None:
        """Pass the output on until Ctrl-C; after it, Dagster logs a stack trace for each canceled step."""
        for line in output:
            if not self.stopping.is_set():
                sys.stdout.buffer.write(line)
                sys.stdout.buffer.flush()


@click.command()
@click.option(
    "--port", type=click.IntRange(1, 65535), default=3000, show_default=True, help="Port of the UI."
)
def main(port: int) -> None:
    """Serve the Dagster UI until Ctrl-C, and run its daemon."""
    server = _Server()
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, server.handle_signal)
    _check_free(port)
    from dagster import DagsterInstance

    with DagsterInstance.get() as instance:
        _start_cursors(instance)
        code = server.run(port, instance)
    if code:
        raise SystemExit(code)


def _check_free(port: int) -> None:
    """Stop with a message if another program listens on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            message = (
                f"cannot listen on port {port} ({error.strerror}); choose another: make dev PORT={port + 1}"
            )
            raise click.ClickException(message) from error


def _start_cursors(instance: DagsterInstance) -> None:
    """Set the daemon's missing cursors to the newest event, as it would itself after a warning."""
    known = instance.daemon_cursor_storage.get_cursor_values(set(CURSORS))
    newest = instance.event_log_storage.get_maximum_record_id() or 0
    missing = {key: str(newest) for key in CURSORS if key not in known}
    if missing:
        instance.daemon_cursor_storage.set_cursor_values(missing)


def _cancel_runs(instance: DagsterInstance) -> None:
    """Cancel the runs that are queued or in progress. Their processes outlive `dg dev`."""
    from dagster import DagsterRunStatus, RunsFilter

    ended = {DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED}
    for run in instance.get_runs(
        RunsFilter(statuses=[status for status in DagsterRunStatus if status not in ended])
    ):
        instance.run_coordinator.cancel_run(run.run_id)


def _wait_for_group(group: int) -> None:
    until = time.monotonic() + STOP_TIMEOUT_S
    while _signal_group(group, 0) and time.monotonic() < until:
        time.sleep(POLL_INTERVAL_S)


def _signal_group(group: int, number: int) -> bool:
    """Send the signal to each process of the group. Return whether there is one."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    return True


if __name__ == "__main__":
    main()
