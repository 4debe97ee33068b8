"""Not asking for a while what has just not answered, so that those who wait need not wait in turn."""

from __future__ import annotations

import threading
import time
from types import TracebackType

from gallery.errors import Unavailable

PAUSE_S = 2.0
"""Seconds after a failed call in which nobody asks; then one does, and the others once that was answered."""


class Pause:
    """A block around each call. Entering raises Unavailable while the service is away. May be used from several threads."""

    def __init__(self, service: str) -> None:
        self._service = service
        self._lock = threading.Lock()
        self._away = False
        self._until = 0.0

    def __enter__(self) -> None:
        with self._lock:
            if self._away:
                if time.monotonic() < self._until:
                    raise Unavailable(f"{self._service} did not answer a moment ago; try again")
                self._until = float("inf")  # this one looks whether it is back, and the others wait for that

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            if isinstance(error, Unavailable):
                self._away, self._until = True, time.monotonic() + PAUSE_S
            else:
                self._away = False
