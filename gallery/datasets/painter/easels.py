"""Painting many pictures at once, in other processes where that is worth their start.

The processes are plain ones that run apprentice.py, not multiprocessing's: those import the caller's main
module again, which a script without a guard, a notebook or a program on standard input does not survive.
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

from gallery.datasets.painter.picture import LENGTH, Sitting
from gallery.errors import Unavailable

WORTH_A_PROCESS = 100  # pictures; fewer are painted sooner than a process has started and drawn its textures
MOST_PROCESSES = 8


def paint_sittings(sittings: Sequence[Sitting]) -> Iterator[list[bytes]]:
    """Each sitting's JPEGs, in the order of the sittings. Raises Unavailable where a process dies."""
    pictures = sum(sitting.end - sitting.first for sitting in sittings)
    processes = min(_cores(), MOST_PROCESSES)
    if pictures < WORTH_A_PROCESS or processes == 1:
        for sitting in sittings:
            yield list(sitting.paint())
        return
    easels = [_start() for _ in range(processes)]
    free: SimpleQueue[subprocess.Popen[bytes]] = SimpleQueue()
    for easel in easels:
        free.put(easel)

    def paint(sitting: Sitting) -> list[bytes]:
        easel = free.get()
        try:
            return _ask(easel, sitting)
        finally:
            free.put(easel)

    threads = ThreadPoolExecutor(processes, thread_name_prefix="easel")
    try:
        yield from threads.map(paint, sittings)
    finally:
        # Killed, not asked: on the way out of an error they may be in the middle of a long sitting.
        for easel in easels:
            easel.kill()
        threads.shutdown(cancel_futures=True)
        for easel in easels:
            easel.communicate()


def _cores() -> int:
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))  # a container may be given fewer than there are
    return os.cpu_count() or 1


def _start() -> subprocess.Popen[bytes]:
    path = os.pathsep.join(entry or str(Path.cwd()) for entry in sys.path)
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "gallery.datasets.painter.apprentice"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path},
    )


def _ask(easel: subprocess.Popen[bytes], sitting: Sitting) -> list[bytes]:
    assert easel.stdin and easel.stdout
    try:
        easel.stdin.write((" ".join(map(str, sitting)) + "\n").encode())
        easel.stdin.flush()
        pictures = []
        for _ in range(sitting.first, sitting.end):
            (length,) = LENGTH.unpack(easel.stdout.read(LENGTH.size))
            pictures.append(easel.stdout.read(length))
        return pictures
    except (BrokenPipeError, struct.error) as error:
        raise Unavailable(
            f"a process that paints the sample collection ended with status {easel.wait()}; "
            f"what it wrote to standard error says why, and painting again may succeed"
        ) from error
