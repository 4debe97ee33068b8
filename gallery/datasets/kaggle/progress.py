"""Progress lines for a download: bytes done, speed and time left."""

from __future__ import annotations

import time

from tqdm import tqdm

from gallery.datasets.base import ProgressCallback

REPORT_INTERVAL_S = 10.0


def format_size(count: float) -> str:
    """Return a number of bytes as text, such as ``2.30GB``."""
    return str(tqdm.format_sizeof(count, "B"))


class TransferProgress:
    """Reports ``downloaded 1.20GB of 2.30GB, 35.0MB/s, 00:31 left`` every `REPORT_INTERVAL_S`."""

    def __init__(self, progress: ProgressCallback, total: int | None, done: int) -> None:
        self._progress, self._total, self._initial, self._done = progress, total, done, done
        self._started = self._reported = time.monotonic()

    def add(self, count: int) -> None:
        """Add newly received bytes, and report if it is time."""
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
