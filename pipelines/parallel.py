"""Work in threads: on many files in parallel, with progress, and in the background of a block."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from typing import TypeVar

from gallery.datasets.base import ProgressCallback

Item = TypeVar("Item")
Result = TypeVar("Result")

LOG_INTERVAL_S = 5.0
"""Seconds between two lines of progress. A line takes about 4 ms, and Dagster stores it."""


def parallel_map(work: Callable[[Item], Result], items: Iterable[Item], workers: int) -> Iterator[Result]:
    """Yield the results in the order of the items, from that many threads; 0 means one per processor.

    The number of items in progress is bounded, so memory does not grow. Threads suffice: Pillow and hashing
    release the interpreter lock.
    """
    workers = workers or os.cpu_count() or 1
    with ThreadPoolExecutor(workers, thread_name_prefix="images") as pool:
        source = iter(items)
        waiting: list[Future[Result]] = [pool.submit(work, item) for item in islice(source, workers * 2)]
        try:
            while waiting:
                yield waiting.pop(0).result()
                for item in islice(source, 1):
                    waiting.append(pool.submit(work, item))
        finally:
            for future in waiting:
                future.cancel()


def report_progress(
    results: Iterable[Result], total: int, what: str, progress: ProgressCallback
) -> Iterator[Result]:
    """Yield the results, and report progress, rate and remaining time every `LOG_INTERVAL_S`."""
    started = reported = time.monotonic()
    for done, result in enumerate(results, 1):
        yield result
        now = time.monotonic()
        if now - reported >= LOG_INTERVAL_S and done < total:
            reported = now
            rate = done / (now - started)
            progress(f"{what}: {done} of {total}, {rate:.0f}/s, about {(total - done) / rate:.0f} s left")


@contextmanager
def in_background(work: Callable[[threading.Event], None], name: str) -> Iterator[None]:
    """Call `work` in a thread. At the end of the block, set the event that it was given, and wait for it."""
    ended = threading.Event()
    thread = threading.Thread(target=work, args=(ended,), name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
