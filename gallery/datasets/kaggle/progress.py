"""What is said of work that takes long: how far it is, how fast it goes, how long it will take."""

from __future__ import annotations

import time

from gallery.datasets.base import ProgressCallback

SAY_EVERY_S = 5.0
"""Seconds between lines, at least."""
SAY_AT_LATEST_S = 30.0
"""Seconds after which there is a line though less than `STEP` was done."""
STEP = 0.05
"""Share of the whole between lines."""
UNITS = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "bytes"))


def size(count: float) -> str:
    """A number of bytes for a person: ``2.3 GB``."""
    unit, name = _unit(count)
    return f"{_number(count / unit)} {name}"


def duration(seconds: float) -> str:
    """A time span for a person: ``32 s``, ``4 min``, ``1.5 h``."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6_000 else f"{seconds / 3600:.1f} h"


class Progress:
    """Tells `progress` now and then of bytes that come: ``downloading 1.2 of 2.3 GB, 35 MB/s, about 32 s left``."""

    def __init__(self, progress: ProgressCallback, doing: str, total: int | None, done: int = 0) -> None:
        self._say, self._doing, self._total = progress, doing, total
        self._before = self._done = self._said = done
        self._began = self._said_at = time.monotonic()

    def add(self, count: int) -> None:
        """So many bytes more are done."""
        self._done += count
        now = time.monotonic()
        quiet, step = now - self._said_at, self._done - self._said
        if quiet >= SAY_AT_LATEST_S or (quiet >= SAY_EVERY_S and step >= STEP * (self._total or 0)):
            self._said, self._said_at = self._done, now
            self._say(self._line(now - self._began))

    def _line(self, elapsed: float) -> str:
        rate = (self._done - self._before) / max(elapsed, 1e-3)
        if self._total is None:
            return f"{self._doing}, {size(self._done)} so far, {size(rate)}/s"
        unit, name = _unit(self._total)
        line = f"{self._doing} {_number(self._done / unit)} of {_number(self._total / unit)} {name}, {size(rate)}/s"
        return f"{line}, about {duration((self._total - self._done) / rate)} left" if rate else line


def _unit(count: float) -> tuple[float, str]:
    return next((unit for unit in UNITS if count >= unit[0]), UNITS[-1])


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0") if value < 10 else f"{value:.0f}"
