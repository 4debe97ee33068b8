"""Progress lines for a download: how much is done, how fast, how long it will take."""

from __future__ import annotations

import time

from tqdm import tqdm

from gallery.datasets.base import ProgressCallback

REPORT_INTERVAL_S = 10.0


def format_size(count: float) -> str:
    """Return a number of bytes as text: ``2.30GB``."""
    return str(tqdm.format_sizeof(count, "B"))


class TransferProgress:
    """Reports a line every `REPORT_INTERVAL_S`: ``downloaded 1.20GB of 2.30GB, 35.0MB/s, 00:31 left``."""

    def __init__(self, progress: ProgressCallback, total: int | None, done: int) -> None:
        self._progress, self._total, self._initial, self._done = progress, total, done, done
        self._started = self._reported = time.monotonic()

    def add(self, count: int) -> None:
        """Count this many more bytes."""
        self._done += count
        now = time.monotonic()
        if now - self._reported < REPORT_INTERVAL_S:
            return
        self._reported = now
        line = "downloaded {n_fmt}B, {rate_fmt}"
        if self._total:
            line = "downloaded {n_fmt}B of {total_fmt}B, {rate_fmt}, {remaining} left"
        units = {"unit": "B", "unit_scale": True, "initial": self._initial, "bar_format": line}
        self._progress(str(tqdm.format_meter(self._done, self._total, now - self._started, **units)))
