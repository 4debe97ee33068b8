"""`make dev`: the Dagster UI and daemon on this machine, with a quiet start and a clean Ctrl-C.

`dg dev` alone warns about a virtual environment that is not activated, and on its first start about cursors that its
daemon does not have yet. Ctrl-C then reaches all of its processes at once: Dagster's log watchers print tracebacks, and
a run in progress is recorded as failed. Here only `dg dev` gets the signal, and runs in progress are canceled.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import IO, TYPE_CHECKING, NoReturn

import click

if TYPE_CHECKING:
    from dagster import DagsterInstance

CURSORS = ("EVENT_LOG_CONSUMER_CURSOR-PIPELINE_FAILURE", "EVENT_LOG_CONSUMER_CURSOR-PIPELINE_SUCCESS")
"""Keys under which the daemon that retries runs keeps the last event it has read."""
STOP_TIMEOUT_S = 30
"""Seconds that canceled runs have to end before their processes are killed."""


@click.command()
@click.option(
    "--port", type=click.IntRange(1, 65535), default=3000, show_default=True, help="Port of the UI."
)
def main(port: int) -> None:
    """Serve the Dagster UI until Ctrl-C, and run its daemon."""
    for name in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, _interrupt)
    _check_free(port)
    from dagster import DagsterInstance

    with DagsterInstance.get() as instance:
        _start_cursors(instance)
        command = [str(Path(sys.executable).with_name("dg")), "dev", "--port", str(port)]
        # A session of its own keeps the terminal's Ctrl-C from its processes.
        dg = subprocess.Popen(
            command,
            env={**os.environ, "VIRTUAL_ENV": sys.prefix},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        stopping = threading.Event()
        assert dg.stdout
        threading.Thread(target=_copy, args=(dg.stdout, stopping), daemon=True).start()
        try:
            dg.wait()
        except KeyboardInterrupt:
            stopping.set()
            click.echo("\nStopping Dagster and canceling runs in progress ...", err=True)
        try:
            dg.send_signal(signal.SIGINT)
            dg.wait()
            _cancel_runs(instance)
            _wait_for_group(dg.pid)
        finally:  # a second Ctrl-C ends what is left
            _kill_group(dg.pid)
    if not stopping.is_set():
        raise SystemExit(dg.returncode or 1)


def _interrupt(signum: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


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
    """Start the daemon's missing cursors at the newest event, where it would start them itself after a warning."""
    known = instance.daemon_cursor_storage.get_cursor_values(set(CURSORS))
    newest = instance.event_log_storage.get_maximum_record_id() or 0
    missing = {key: str(newest) for key in CURSORS if key not in known}
    if missing:
        instance.daemon_cursor_storage.set_cursor_values(missing)


def _copy(output: IO[bytes], stopping: threading.Event) -> None:
    """Pass the output on until Ctrl-C; after it, Dagster logs a stack trace for each canceled step."""
    for line in output:
        if not stopping.is_set():
            sys.stdout.buffer.write(line)
            sys.stdout.buffer.flush()


def _cancel_runs(instance: DagsterInstance) -> None:
    """Cancel the runs that are queued or in progress; their processes outlive `dg dev` until they end."""
    from dagster import DagsterRunStatus, RunsFilter

    ended = {DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED}
    for run in instance.get_runs(
        RunsFilter(statuses=[status for status in DagsterRunStatus if status not in ended])
    ):
        instance.run_coordinator.cancel_run(run.run_id)


def _wait_for_group(group: int) -> None:
    until = time.monotonic() + STOP_TIMEOUT_S
    while _signal_group(group, 0) and time.monotonic() < until:
        time.sleep(0.1)


def _kill_group(group: int) -> None:
    _signal_group(group, signal.SIGKILL)


def _signal_group(group: int, number: int) -> bool:
    """Whether the process group still has processes; each of them gets the signal."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    return True


if __name__ == "__main__":
    main()
