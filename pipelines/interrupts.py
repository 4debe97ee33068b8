"""Ctrl-C that ends a command at any moment.

Python turns Ctrl-C into an exception in the main thread, and exceptions get lost: in the callback of a weak reference,
which every import runs, Python prints and drops them. Dagster delays them between steps and while it waits to retry one.
Cleaning up may wait for a service. So a thread watches for the signal too, and exits the process if the main thread does
not. A refresh may be killed at any moment (docs/reliability.md), so no work is lost.
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
from typing import Any

import click

STOP_TIMEOUT_S = 5.0
"""Seconds from the first signal until the process exits without cleaning up."""
EXIT_CODE = 128 + signal.SIGINT
"""What a shell reports for a command that Ctrl-C ended."""


@contextlib.contextmanager
def exit_on_interrupt(message: str) -> Iterator[Callable[[], bool]]:
    """End the process with `EXIT_CODE` if Ctrl-C or SIGTERM interrupts the block, after printing the message once.

    The block is unwound if it can be. The process exits at once after `STOP_TIMEOUT_S`, at the second signal, or if the
    interrupt was lost. Yields a function that returns whether the block was interrupted. Outside the main thread, which
    gets no signals, nothing is done.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    interrupted = threading.Event()

    def watch() -> None:
        if _next_signal(reader, None):
            click.echo(("\n" if sys.stderr.isatty() else "") + message, err=True)
            interrupted.set()
            _next_signal(reader, STOP_TIMEOUT_S)
            _exit()

    def report_lost_interrupt(lost: Any) -> None:
        if issubclass(lost.exc_type, Exception):
            report_unraisable(lost)
        else:  # KeyboardInterrupt or DagsterExecutionInterruptedError
            os.write(writer, bytes([signal.SIGINT]))

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


def _next_signal(reader: int, timeout_s: float | None) -> bool:
    """Wait for SIGINT or SIGTERM. Return False after the timeout, or when the writing end was closed."""
    while select.select([reader], [], [], timeout_s)[0]:
        number = os.read(reader, 1)
        if not number:
            return False
        if number[0] in (signal.SIGINT, signal.SIGTERM):
            return True
    return False


def _exit() -> None:
    """Exit without cleaning up, apart from child processes and the terminal's cursor."""
    with contextlib.suppress(Exception):
        for child in multiprocessing.active_children():
            child.kill()
        if sys.stderr.isatty():
            os.write(2, b"\x1b[?25h")  # rich hides it while it shows progress
    os._exit(EXIT_CODE)
