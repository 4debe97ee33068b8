"""End a command on Ctrl-C, whatever its main thread is doing.

Python raises KeyboardInterrupt in the main thread, which is not always enough. In callbacks of weak
references, which imports use, Python prints the exception and drops it. Dagster delays interrupts between
steps and while it waits to retry a step. Cleaning up may wait for a service. So a thread watches for the
signal too, and exits the process if the main thread does not. A refresh can be killed at any moment
without loss (docs/reliability.md).
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import select
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import click

STOP_TIMEOUT_S = 5.0
"""Seconds from the first signal until the process exits without cleaning up."""
EXIT_CODE = 128 + signal.SIGINT
"""What a shell reports for a command that Ctrl-C ended."""


@contextlib.contextmanager
def exit_on_interrupt(message: str) -> Iterator[Callable[[], bool]]:
    """Print the message and exit with `EXIT_CODE` if Ctrl-C or SIGTERM interrupts the block.

    The block may clean up for `STOP_TIMEOUT_S`. A second signal, or an interrupt that was lost, ends the
    process at once. Yields a function that returns whether the block was interrupted. Does nothing
    outside the main thread, which alone receives signals.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    interrupted = threading.Event()
    numbers = _handled_signals()

    def watch() -> None:
        if _next_signal(reader, numbers, None):
            click.echo(("\n" if sys.stderr.isatty() else "") + message, err=True)
            interrupted.set()
            _next_signal(reader, numbers, STOP_TIMEOUT_S)
            _exit()

    def report_lost_interrupt(lost: Any) -> None:
        if issubclass(lost.exc_type, Exception):
            report_unraisable(lost)
        else:  # KeyboardInterrupt or DagsterExecutionInterruptedError
            os.write(writer, bytes([signal.SIGTERM]))

    watcher = threading.Thread(target=watch, name="interrupts", daemon=True)
    watcher.start()
    report_unraisable, sys.unraisablehook = sys.unraisablehook, report_lost_interrupt
    # The C handler writes the number of each signal, whichever Python handler Dagster has installed.
    wakeup_fd = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    try:
        yield interrupted.is_set
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            interrupted.wait(STOP_TIMEOUT_S)
        if not interrupted.is_set():
            raise
    finally:
        if not interrupted.is_set():
            signal.set_wakeup_fd(wakeup_fd)
            sys.unraisablehook = report_unraisable
            os.close(writer)
            watcher.join()
            os.close(reader)
    if interrupted.is_set():
        # The watcher stays, since the interpreter waits for threads when it exits.
        signal.signal(signal.SIGINT, lambda *_: None)
        raise SystemExit(EXIT_CODE)


def _handled_signals() -> set[int]:
    """Return the signals that end the block, after installing a handler that makes Python notice them.

    A shell script starts commands with `&` with SIGINT ignored. They keep ignoring it, but not SIGTERM, to
    which Dagster copies the handler of SIGINT.
    """
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        return {signal.SIGINT, signal.SIGTERM}

    def handle(number: int, _: FrameType | None) -> None:
        if number == signal.SIGTERM:
            raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handle)
    return {signal.SIGTERM}


def _next_signal(reader: int, numbers: set[int], timeout_s: float | None) -> bool:
    """Wait for one of the signals. Return False after the timeout, or when the writing end was closed."""
    ready = select.poll()  # select does not accept file descriptors above 1,023
    ready.register(reader, select.POLLIN)
    while ready.poll(None if timeout_s is None else timeout_s * 1000):
        number = os.read(reader, 1)
        if not number:
            return False
        if number[0] in numbers:
            return True
    return False


def _exit() -> None:
    """Exit without cleaning up, apart from child processes and the terminal's cursor."""
    with contextlib.suppress(Exception):
        for child in multiprocessing.active_children():
            child.kill()
        # On Linux also multiprocessing's own helpers, which would write warnings and keep stderr open.
        for children in Path("/proc/self/task").glob("*/children"):
            for pid in children.read_text().split():
                os.kill(int(pid), signal.SIGKILL)
        if sys.stderr.isatty():
            os.write(2, b"\x1b[?25h")  # rich hides it while it shows progress
    os._exit(EXIT_CODE)
