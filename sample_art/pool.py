"""Paints many images at once, in worker processes if there are enough images.

The workers are subprocesses that run `sample_art.worker`. multiprocessing is not used because it imports the
caller's main module again, which fails for a script without a guard, a notebook or a program on standard
input.
"""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from sample_art.image import LENGTH, Batch

MIN_POOL_IMAGES = 100  # fewer are painted faster than workers start and compute their textures
MAX_PROCESSES = 8


class WorkerDied(RuntimeError):
    """A worker process ended before its batch was painted."""


def paint_batches(batches: Sequence[Batch]) -> Iterator[list[bytes]]:
    """Yield each batch's JPEGs, in the order of the batches. Raises WorkerDied."""
    processes = min(_cores(), MAX_PROCESSES)
    if processes == 1 or sum(batch.end - batch.first for batch in batches) < MIN_POOL_IMAGES:
        for batch in batches:
            yield list(batch.paint())
        return
    workers = [_start() for _ in range(processes)]
    free: SimpleQueue[subprocess.Popen[bytes]] = SimpleQueue()
    for worker in workers:
        free.put(worker)

    def paint(batch: Batch) -> list[bytes]:
        worker = free.get()
        try:
            return _paint_in(worker, batch)
        finally:
            free.put(worker)

    threads = ThreadPoolExecutor(processes, thread_name_prefix="sample-art")
    try:
        yield from threads.map(paint, batches)
    finally:
        # Killed, because after an error they may be in the middle of a long batch.
        for worker in workers:
            worker.kill()
        threads.shutdown(cancel_futures=True)
        for worker in workers:
            worker.communicate()


def _cores() -> int:
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))  # may be fewer than the machine has
    return os.cpu_count() or 1


def _start() -> subprocess.Popen[bytes]:
    path = os.pathsep.join(entry or str(Path.cwd()) for entry in sys.path)
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "sample_art.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path},
    )


def _paint_in(worker: subprocess.Popen[bytes], batch: Batch) -> list[bytes]:
    assert worker.stdin and worker.stdout
    try:
        worker.stdin.write((" ".join(map(str, batch)) + "\n").encode())
        worker.stdin.flush()
        images = []
        for _ in range(batch.first, batch.end):
            (length,) = LENGTH.unpack(worker.stdout.read(LENGTH.size))
            images.append(worker.stdout.read(length))
        return images
    except (BrokenPipeError, struct.error) as error:
        raise WorkerDied(
            f"a worker process that generates the sample collection ended with status {worker.wait()}; "
            "see its standard error for the cause, or try again"
        ) from error
