"""Picture work over many files at once."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

from gallery.datasets.base import ProgressCallback

Item = TypeVar("Item")
Result = TypeVar("Result")

LOG_EVERY_S = 5.0
"""Seconds between progress lines; a Dagster log line costs about 4 ms and is kept."""


def parallel_map(work: Callable[[Item], Result], items: Iterable[Item], workers: int) -> Iterator[Result]:
    """Results in the order of the items, with a bounded number of them in flight, so memory stays flat.

    Threads do: Pillow and hashing let go of the interpreter. `workers` of 0 means one for each processor.
    """
    workers = workers or os.cpu_count() or 1
    with ThreadPoolExecutor(workers, thread_name_prefix="pictures") as pool:
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
    """The results as they come, with a line now and then: how many, how fast, how long still."""
    started = said = time.monotonic()
    for done, result in enumerate(results, 1):
        yield result
        now = time.monotonic()
        if now - said >= LOG_EVERY_S and done < total:
            said = now
            rate = done / (now - started)
            progress(f"{what}: {done} of {total}, {rate:.0f}/s, about {(total - done) / rate:.0f} s left")
