"""Time limits and retries for requests to Kaggle."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from gallery.datasets.base import ProgressCallback
from gallery.errors import Unavailable
from gallery.retries import with_jitter

TIMEOUT_S = (15.0, 120.0)
"""Limits for connecting, and for waiting for a response or more bytes. Kaggle may first build the archive."""
RETRY_DELAYS_S = (1.0, 3.0, 9.0)
"""Pauses before the second, third and fourth attempt, up to half longer; there is no fifth."""
MAX_RETRY_AFTER_S = 60.0
"""The longest Retry-After to wait for."""

T = TypeVar("T")


class Transient(Unavailable):
    """A failure that a retry may fix; `retry_after` is the wait in seconds that the server asked for."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ContentChanged(Transient):
    """The content of a partial download is no longer available, so the download must start over."""


class Retrier:
    """Repeats a call after `Transient` errors, and reports each pause."""

    def __init__(self, progress: ProgressCallback) -> None:
        self._progress = progress
        self._retries = 0

    def reset(self) -> None:
        """Start counting again, after an attempt that made progress."""
        self._retries = 0

    def run(self, attempt: Callable[[], T]) -> T:
        """Return the result of `attempt`. Raises the last Transient when no attempt is left."""
        while True:
            try:
                return attempt()
            except Transient as error:
                if self._retries >= len(RETRY_DELAYS_S):
                    raise
                delay = RETRY_DELAYS_S[self._retries] if error.retry_after is None else error.retry_after
                if delay > MAX_RETRY_AFTER_S:
                    raise
                delay = with_jitter(delay)
                message = f"{error}; trying again in {delay:.0f} s"
            self._retries += 1
            self._progress(message)
            time.sleep(delay)
