"""What every step has in common: it may write, it may not take for ever, and only what may heal is tried again."""

from __future__ import annotations

import functools
import inspect
import random
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, TypeVar

import dagster as dg

from gallery.errors import GalleryError, Unavailable
from gallery.services import Services
from gallery.settings import variable
from pipelines import lock as lease

WAITS_S: tuple[float, ...] = (5.0, 45.0)
"""Seconds before a step is tried again, one for each time."""

Body = TypeVar("Body", bound=Callable[..., Any])


class StepTimeout(GalleryError):
    """A step was stopped because its time was up."""


def guarded_op(body: Body) -> Body:
    """The body of an asset, a check or an op, as every one here runs. Goes under Dagster's own decorator.

    It starts only while its run holds the refresh lease, and is stopped after GALLERY_STEP_LIMIT. Where something
    outside did not answer, or the time was up, it is tried again, after waiting; every other error of ours is final.
    Retries are nowhere else.
    """
    if inspect.isgeneratorfunction(body):

        @functools.wraps(body)
        def generator(*args: Any, **kwargs: Any) -> Iterator[Any]:
            with _guard():
                yield from body(*args, **kwargs)

        return generator  # type: ignore[return-value]

    @functools.wraps(body)
    def function(*args: Any, **kwargs: Any) -> Any:
        with _guard():
            return body(*args, **kwargs)

    return function  # type: ignore[return-value]


@contextmanager
def _guard() -> Iterator[None]:
    context = dg.OpExecutionContext.get()
    services: Services = context.resources.services
    try:
        lease.check(services.tables, context.run.run_id)
        with time_limit(services.settings.step_limit):
            yield
    except (Unavailable, StepTimeout) as error:
        tries = context.retry_number
        if tries >= len(WAITS_S):
            raise
        # Spread out, so that the shards of one run do not all come back at the same moment.
        wait = WAITS_S[tries] * random.uniform(0.8, 1.2)
        context.log.warning(f"{error}; trying again in {wait:.0f} s ({tries + 1} of {len(WAITS_S)})")
        raise dg.RetryRequested(max_retries=len(WAITS_S), seconds_to_wait=wait) from error
    except GalleryError as error:
        raise dg.Failure(str(error), allow_retries=False) from error


@contextmanager
def time_limit(seconds: int) -> Iterator[None]:
    """Raises StepTimeout in a block that runs longer.

    It takes effect where Python runs or waits: not inside one long call of a C library, and only in a process's main
    thread, which is where every executor runs its steps. What it cannot stop, the run's own limit ends from outside.
    """
    if not hasattr(signal, "SIGALRM") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_: int, __: FrameType | None) -> None:
        raise StepTimeout(
            f"stopped after {seconds} s ({variable('step_limit')}); what it has stored is kept, and the next try goes on from there"
        )

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
