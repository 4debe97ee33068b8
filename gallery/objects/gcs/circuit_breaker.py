"""Circuit breaker: after a failed call, fail fast for a few seconds, so that callers do not wait."""

from __future__ import annotations

import threading
import time
from types import TracebackType

from gallery.errors import Unavailable

OPEN_S = 2.0
"""Time without calls after a failure. Then one call is allowed, and all calls once it succeeds."""


class CircuitBreaker:
    """Context manager around each call. Entering raises Unavailable while it is open. Thread-safe."""

    def __init__(self, service: str) -> None:
        self._service = service
        self._lock = threading.Lock()
        self._failing = False
        self._open_until = 0.0

    def __enter__(self) -> None:
        with self._lock:
            if self._failing:
                if time.monotonic() < self._open_until:
                    raise Unavailable(f"{self._service} did not answer a moment ago; try again")
                self._open_until = float("inf")  # this call is the probe; others fail until it returns

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._failing = isinstance(error, Unavailable)
            self._open_until = time.monotonic() + OPEN_S
