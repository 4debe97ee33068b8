"""Ctrl-C ends a refresh at any moment: one line, exit code 130, no traceback, no retry."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from typing import Any

import dagster as dg
import pytest

from pipelines.interrupts import EXIT_CODE
from pipelines.runner import StageEvent, run_refresh
from tests.fakes.gallery import Gallery

SCRIPT = """
import os, signal, threading, weakref
from pipelines import interrupts

def interrupt():
    os.kill(os.getpid(), signal.SIGINT)

def raised():
    interrupt()
    threading.Event().wait()

def lost():
    class Thing: pass
    thing = Thing()
    reference = weakref.ref(thing, lambda _: [interrupt(), *range(1_000_000)])
    del thing
    threading.Event().wait()

def ignored():
    interrupts.STOP_TIMEOUT_S = 0.1
    signal.signal(signal.SIGINT, lambda *_: None)
    interrupt()
    threading.Event().wait()

def ignored_twice():
    interrupts.STOP_TIMEOUT_S = 3600.0
    signal.signal(signal.SIGINT, lambda *_: None)
    interrupt()
    while not is_interrupted():
        pass
    interrupt()
    threading.Event().wait()

def translated():
    try:
        interrupt()
        threading.Event().wait()
    except KeyboardInterrupt:
        raise ValueError("the library gave up")

def terminated_in_the_background():
    os.kill(os.getpid(), signal.SIGINT)  # ignored
    signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGINT))  # as Dagster does around its steps
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait()

if "{case}" == "terminated_in_the_background":  # as a shell does for `gallery refresh &` in a script
    signal.signal(signal.SIGINT, signal.SIG_IGN)
with interrupts.exit_on_interrupt("Stopped.") as is_interrupted:
    {case}()
"""
CASES = ("raised", "lost", "ignored", "ignored_twice", "translated", "terminated_in_the_background")


@pytest.mark.parametrize("case", CASES)
def test_the_process_ends_whatever_becomes_of_the_interrupt(case: str) -> None:
    code = SCRIPT.replace("{case}", case)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stderr) == (EXIT_CODE, "Stopped.\n")


def test_without_an_interrupt_handlers_and_errors_are_left_alone() -> None:
    code = SCRIPT.replace("    {case}()", "    pass") + (
        "assert signal.set_wakeup_fd(-1) == -1 and threading.active_count() == 1\n"
        "with interrupts.exit_on_interrupt('Stopped.'):\n"
        "    raise ValueError('a bug')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert done.returncode == 1 and done.stderr.endswith("ValueError: a bug\n")


def test_an_interrupted_run_is_canceled_and_its_step_not_retried(
    gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    services, calls = gallery.services, []
    events: list[StageEvent] = []

    def interrupt(*_: Any) -> None:
        calls.append(1)
        os.kill(os.getpid(), signal.SIGINT)
        threading.Event().wait(600)

    monkeypatch.setattr(services.dataset, "fetch", interrupt)
    with dg.DagsterInstance.ephemeral() as instance:
        with pytest.raises(KeyboardInterrupt):
            run_refresh(services, events.append, instance)
        (run,) = instance.get_runs()
    assert calls == [1] and run.status == dg.DagsterRunStatus.CANCELED
    assert not [event for event in events if "trying again" in event.text]
