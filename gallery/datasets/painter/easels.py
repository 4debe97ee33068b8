"""Painting many pictures at once, in other processes where that is worth their start.

The processes are plain ones that run this module, not multiprocessing's: those import the caller's main
module again, which a script without a guard, a notebook or a program on standard input does not survive.
"""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import NamedTuple

from gallery.datasets.painter.picture import paint_picture
from gallery.errors import Unavailable

WORTH_A_PROCESS = 100  # pictures; fewer are painted sooner than a process has started and drawn its textures
MOST_PROCESSES = 8
_LENGTH = struct.Struct(">I")


class Sitting(NamedTuple):
    """Some of one artist's works, `first` to before `end`, that one process paints in one go."""

    seed: int
    artist: int
    first: int
    end: int

    def paint(self) -> Iterator[bytes]:
        return (paint_picture(self.seed, self.artist, work) for work in range(self.first, self.end))


def paint_sittings(sittings: Sequence[Sitting]) -> Iterator[list[bytes]]:
    """Each sitting's JPEGs, in the order of the sittings. Raises Unavailable where a process dies."""
    pictures = sum(sitting.end - sitting.first for sitting in sittings)
    processes = min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, MOST_PROCESSES)
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


def _start() -> subprocess.Popen[bytes]:
    path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)
    return subprocess.Popen(
        [sys.executable, "-P", "-m", __name__],
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
            (length,) = _LENGTH.unpack(easel.stdout.read(_LENGTH.size))
            pictures.append(easel.stdout.read(length))
        return pictures
    except (BrokenPipeError, struct.error) as error:
        raise Unavailable(
            f"a process that paints the sample collection ended with status {easel.wait()}; "
            f"what it wrote to standard error says why, and painting again may succeed"
        ) from error


def _serve() -> None:
    """Paint what standard input asks for, one sitting a line, until it closes."""
    for line in sys.stdin:
        for jpeg in Sitting(*map(int, line.split())).paint():
            sys.stdout.buffer.write(_LENGTH.pack(len(jpeg)) + jpeg)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    _serve()
