"""Decode untrusted images in worker processes with limits on memory and processor time.

What an image claims about itself does not bound what decoding it costs: a TIFF's tiles, an AVIF's frame and a
JPEG's scans have sizes of their own. So each image is decoded in another process, whose memory limit follows
from the size that the image claims, and whose processor time is limited. Workers are reused, so a request
costs a copy of the file and of the decoded pixels through a pipe.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image

from gallery.errors import Invalid, Unavailable
from gallery.images.decode import Decoded, TooManyPixels, decode

MAX_CPU_S = 10
"""Processor seconds that one image may take: twice what a HEIC of 25 million pixels and 15 MB takes."""
MAX_WALL_S = 300
"""Seconds until a worker is killed, for one that waits without using processor time."""
BASE_MEMORY_BYTES = 64 * 1024 * 1024
"""Memory for headers, metadata, colour profiles and the decoder itself, for an image without pixels."""

_OVERTIME = {
    signal.SIGXCPU.name: f"decoding the image takes more than {MAX_CPU_S} s of processor time",
    "timeout": f"decoding the image takes more than {MAX_WALL_S} s",
}
"""Failures that are not worth a second try, with what to say about the image."""

PASSED_VARIABLES = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PYTHONPATH", "PYTHONHOME", "TMPDIR")
"""Environment variables of a worker. It gets no others, since they hold the keys of stores."""

_REQUEST = struct.Struct("<QQII")
"""Length of the file, pixel limit, `side` and `longest` (0 for none); the file follows."""
_REPLY = struct.Struct("<IQ")
"""Lengths of the JSON text and of the pixels, which follow."""


def decode_untrusted(
    data: bytes, *, max_pixels: int, side: int | None = None, longest: int | None = None
) -> Decoded:
    """Return what `decode` returns, from a worker process. Each calling thread has its own worker.

    Raises TooManyPixels or Invalid, whose messages can follow "<file>: ". Invalid also if the image needs
    more memory or time than an image of its size should. Raises Unavailable if no process can be started, or
    if it is killed from outside twice: that says nothing about the image.
    """
    request = _REQUEST.pack(len(data), max_pixels, side or 0, longest or 0)
    worker = _take()
    reply = worker.ask(request, data)
    if reply is None and worker.failure not in _OVERTIME:
        worker = _Worker()  # once more: the machine may have run out of memory, or someone ended the process
        reply = worker.ask(request, data)
    if reply is None:
        if worker.failure == signal.SIGKILL.name:
            raise Unavailable(
                "the process that decodes images was killed; the machine may be out of memory: give it more, "
                "or lower GALLERY_WORKERS or GALLERY_MAX_PIXELS"
            )
        raise Invalid(_OVERTIME.get(worker.failure, f"the image makes the decoder fail ({worker.failure})"))
    _idle.append(worker)
    facts, pixels = reply
    if "limit" in facts:
        raise TooManyPixels(facts["error"], facts["limit"])
    if "error" in facts:
        raise Invalid(facts["error"])
    image = Image.frombuffer("RGB", tuple(facts["size"]), pixels, "raw", "RGB", 0, 1)
    return Decoded(image, facts["width"], facts["height"], facts["format"])


class _Worker:
    """A process that decodes one image at a time."""

    def __init__(self) -> None:
        passed = {name: os.environ[name] for name in PASSED_VARIABLES if name in os.environ}
        environment = {**passed, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "gallery.images.sandbox"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=environment,
                bufsize=0,
            )
        except OSError as error:  # the machine or container has too many processes, or too little memory
            raise Unavailable(f"cannot start a process that decodes images ({error.strerror})") from error
        assert self._process.stdin
        os.set_blocking(self._process.stdin.fileno(), False)  # a worker that stops reading holds up no thread
        self.failure = ""

    def ask(self, request: bytes, data: bytes) -> tuple[dict[str, Any], bytearray] | None:
        """Return the reply's JSON and pixels.

        None if the process ended or was too slow; `failure` then says why: the name of the signal that ended
        it, its exit status, or "timeout".
        """
        assert self._process.stdin and self._process.stdout
        deadline = time.monotonic() + MAX_WALL_S
        try:
            for part in (request, data):
                self._write(part, deadline)
            head = self._read(_REPLY.size, deadline)
            text_length, pixel_length = _REPLY.unpack(head)
            facts = json.loads(bytes(self._read(text_length, deadline)))
            return facts, self._read(pixel_length, deadline)
        except (BrokenPipeError, EOFError, TimeoutError) as error:
            ended = self._ends_by_itself()
            self.close()
            code = self._process.wait()
            if isinstance(error, TimeoutError):
                self.failure = "timeout"
            elif not ended:
                self.failure = "its pipe is closed"
            else:
                self.failure = signal.Signals(-code).name if code < 0 else f"exit status {code}"
            return None

    def close(self) -> None:
        """End the process."""
        if self._process.poll() is None and not self._ends_by_itself():
            self._process.kill()
            self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()

    def _ends_by_itself(self) -> bool:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(0.5)
        return self._process.poll() is not None

    def _write(self, data: bytes, deadline: float) -> None:
        assert self._process.stdin
        descriptor, view = self._process.stdin.fileno(), memoryview(data)
        while view:
            _wait_for(descriptor, select.POLLOUT, deadline)
            view = view[os.write(descriptor, view) :]

    def _read(self, length: int, deadline: float) -> bytearray:
        assert self._process.stdout
        buffer, filled = bytearray(length), 0
        descriptor = self._process.stdout.fileno()
        view = memoryview(buffer)
        while filled < length:
            _wait_for(descriptor, select.POLLIN, deadline)
            count = os.readv(descriptor, [view[filled:]])
            if not count:
                raise EOFError
            filled += count
        return buffer


def _wait_for(descriptor: int, event: int, deadline: float) -> None:
    """Wait until the pipe is ready or closed. Raises TimeoutError."""
    ready = select.poll()  # select does not accept file descriptors above 1,023
    ready.register(descriptor, event)
    if not ready.poll(max(0.0, deadline - time.monotonic()) * 1000):
        raise TimeoutError


_idle: list[_Worker] = []
"""Workers without a request. Appending and popping are atomic."""


def _take() -> _Worker:
    try:
        return _idle.pop()
    except IndexError:
        return _Worker()


def _close_all() -> None:
    while _idle:
        worker = _idle.pop()
        worker._process.stdin.close()  # type: ignore[union-attr]


atexit.register(_close_all)
os.register_at_fork(after_in_child=_idle.clear)  # a worker answers one process only


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


# The worker process


def main() -> None:
    """Answer requests on stdin until it closes."""
    import numpy  # noqa: F401  # takes address space, so before the limits

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole process group; the parent decides
    replies = os.dup(sys.stdout.fileno())
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing that is printed becomes a reply
    _set_limit("RLIMIT_CORE", 0)
    requests = sys.stdin.buffer
    while head := requests.read(_REQUEST.size):
        length, max_pixels, side, longest = _REQUEST.unpack(head)
        data = requests.read(length)
        _set_limit("RLIMIT_CPU", int(time.process_time()) + MAX_CPU_S)
        with _silence():
            facts, pixels = _answer(data, max_pixels, side or None, longest or None)
        del data
        text = json.dumps(facts).encode()
        for part in (_REPLY.pack(len(text), len(pixels)), text, pixels):
            _write_all(replies, part)


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Drop what decoders print, such as libtiff's line for each damaged row; a traceback is printed later."""
    errors = os.dup(sys.stderr.fileno())
    os.dup2(sys.stdout.fileno(), sys.stderr.fileno())
    try:
        yield
    finally:
        os.dup2(errors, sys.stderr.fileno())
        os.close(errors)


def _answer(
    data: bytes, max_pixels: int, side: int | None, longest: int | None
) -> tuple[dict[str, Any], bytes]:
    _reserve(len(data))
    try:
        decoded = decode(data, max_pixels=max_pixels, side=side, longest=longest, reserve=_reserve)
        pixels = decoded.image.tobytes()
    except TooManyPixels as error:
        return {"error": str(error), "limit": error.limit}, b""
    except Invalid as error:
        return {"error": str(error)}, b""
    except MemoryError:
        return {"error": "decoding the image takes more memory than one of its size should"}, b""
    finally:
        _set_limit("RLIMIT_AS", None)
    facts = {
        "width": decoded.width,
        "height": decoded.height,
        "format": decoded.format,
        "size": decoded.image.size,
    }
    return facts, pixels


def _reserve(size: int) -> None:
    """Limit this process to `size` plus BASE_MEMORY_BYTES more than it uses now. Linux only."""
    with contextlib.suppress(OSError):
        used = int(Path("/proc/self/statm").read_text("ascii").split()[0]) * os.sysconf("SC_PAGE_SIZE")
        _set_limit("RLIMIT_AS", used + BASE_MEMORY_BYTES + size)


def _set_limit(name: str, value: int | None) -> None:
    import resource

    kind = getattr(resource, name)
    hard = resource.getrlimit(kind)[1]
    soft = hard if value is None or (hard != resource.RLIM_INFINITY and value > hard) else value
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(kind, (soft, hard))


if __name__ == "__main__":
    main()
