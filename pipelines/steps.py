"""What all steps share: the refresh lock, a time limit, and retries after transient errors."""

from __future__ import annotations

import functools
import inspect
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
from gallery.text import printable
from pipelines.lock import LockHeld
from pipelines.resources import hold_lock
from pipelines.results import tidy, tidy_error, tidy_record

REFRESH_POOL = "refresh"
"""Dagster's concurrency pool of all steps that write. dagster.yaml lets one run at a time use it."""
RETRY_POLICY = dg.RetryPolicy(
    max_retries=2, delay=15, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS
)
"""Retry after 15 s and 45 s, each plus or minus 15 s, so that failed shards do not retry all at once."""
MAX_LOCK_RETRIES = 100_000
REPEAT_LIMIT_S = 60.0
"""Seconds after which a step that did not stop at its limit is stopped again."""
LOCK_RETRY_DELAY_S = 30
"""Seconds until a step of a distributed run looks again whether another refresh still has the lock."""

Body = TypeVar("Body", bound=Callable[..., Any])


class StepTimeout(GalleryError):
    """A step exceeded GALLERY_STEP_LIMIT."""


def guarded_op(body: Body) -> Body:
    """Decorate the body of an asset, check or op; goes below Dagster's own decorator.

    The step starts only while its run holds the refresh lock, and is stopped after GALLERY_STEP_LIMIT
    seconds. `RETRY_POLICY` applies to Unavailable and StepTimeout; any other error fails the step at
    once. What the step passes to Dagster is tidied by `pipelines.results`.
    """
    if inspect.isgeneratorfunction(body):

        @functools.wraps(body)
        def generator(*args: Any, **kwargs: Any) -> Iterator[Any]:
            with _guard() as context:
                for result in body(*args, **kwargs):
                    yield tidy(context, result)

        return generator  # type: ignore[return-value]

    @functools.wraps(body)
    def function(*args: Any, **kwargs: Any) -> Any:
        with _guard() as context:
            return tidy(context, body(*args, **kwargs))

    return function  # type: ignore[return-value]


@contextmanager
def _guard() -> Iterator[dg.OpExecutionContext]:
    context = dg.OpExecutionContext.get()
    services: Services = context.resources.services
    context.log.addFilter(tidy_record)
    try:
        try:
            hold_lock(context, services)
        except LockHeld as error:
            raise dg.RetryRequested(MAX_LOCK_RETRIES, LOCK_RETRY_DELAY_S) from error
        with time_limit(services.settings.step_limit):
            yield context
    except (Unavailable, StepTimeout) as error:
        # Not by a policy of the job: Dagster would apply it to Ctrl-C and to canceled runs too.
        delay = RETRY_POLICY.calculate_delay(context.retry_number + 1)
        raise dg.RetryRequested(RETRY_POLICY.max_retries, delay) from tidy_error(error)
    except (dg.Failure, dg.RetryRequested):
        raise
    except GalleryError as error:
        raise dg.Failure(str(error)) from tidy_error(error)
    except Exception as error:
        raise dg.Failure(printable(f"{type(error).__name__}: {error}")) from tidy_error(error)


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise StepTimeout in a block that runs longer.

    A signal interrupts the block, so it must run in the main thread, as every executor runs steps. A long
    call into a C library is not interrupted; the limit of the run (max_runtime_seconds in dagster.yaml)
    ends it. The error is raised again every `REPEAT_LIMIT_S` until the block ends: Python drops an error in
    the callback of a weak reference, a handler may take it for another one, and cleaning up may hang too.
    """
    if not hasattr(signal, "SIGALRM") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_: int, __: FrameType | None) -> None:
        raise StepTimeout(
            f"stopped after {seconds} s ({variable('step_limit')}). What it has stored is kept, and the next "
            "attempt continues from there"
        )

    previous = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds, REPEAT_LIMIT_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
