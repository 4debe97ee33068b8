"""Only pixels decide whether an image is accepted, and no image takes more than one of its size should."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import resource
import signal
import struct
import subprocess
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from PIL import Image

from gallery.errors import Invalid, Unavailable
from gallery.images import sandbox
from gallery.images.decode import TooManyPixels, decode
from gallery.images.sandbox import decode_untrusted
from tests.fakes.archives import picture, saved
from tests.fakes.decoding import measured_decode

LIMIT = 50_000_000
ORIENTATION = 0x0112


def deflated_zeros(count: int) -> bytes:
    """Return so many zeros in zlib's format (RFC 1950), which takes seconds by `zlib.compress`."""
    blocks, rest = divmod(count, 1 << 20)
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    block = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    end = packer.compress(bytes(rest)) + packer.flush()
    return b"\x78\xda" + block * blocks + end + struct.pack(">HH", count % 65_521, 1)


def tiff(width: int, height: int, *, tile: tuple[int, int] | None = None, rows_per_strip: int = 0) -> bytes:
    """Return a deflated grey TIFF whose only tile or strip may be larger than the image."""
    data = deflated_zeros(tile[0] * tile[1] if tile else width * max(height, rows_per_strip))
    tags = [(256, width), (257, height), (258, 8), (259, 8), (262, 1), (277, 1), (284, 1)]
    if tile:
        tags += [(322, tile[0]), (323, tile[1]), (324, 8), (325, len(data))]
    else:
        tags += [(273, 8), (278, rows_per_strip or height), (279, len(data))]
    rows = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(tags))
    return b"II*\0" + struct.pack("<I", 8 + len(data)) + data + struct.pack("<H", len(tags)) + rows + bytes(4)


def avif_claiming(side: int, claimed: int) -> bytes:
    """Return an AVIF whose box claims another size than its frame has."""
    data = saved(Image.new("RGB", (side, side), (90, 120, 60)), "AVIF", quality=20, speed=10)
    at = data.find(b"ispe")
    return data[: at + 8] + struct.pack(">II", claimed, claimed) + data[at + 16 :]


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="limits on memory need Linux")
@pytest.mark.parametrize(
    "make",
    [partial(tiff, 64, 64, tile=(side, side)) for side in (4_096, 16_384, 40_000)]
    + [partial(tiff, 64, 64, rows_per_strip=rows) for rows in (100_000, 10_000_000)]
    + [partial(avif_claiming, side, 64) for side in (2_048, 8_192)],
    ids=["tile 4096", "tile 16384", "tile 40000", "strip", "long strip", "frame 2048", "frame 8192"],
)
def test_an_image_larger_than_it_claims_takes_little_memory(make: Callable[[], bytes]) -> None:
    _, megabytes = measured_decode(make(), side=224)
    assert megabytes < 100


def test_decoding_has_a_limit_of_processor_time(monkeypatch: pytest.MonkeyPatch) -> None:
    ask = sandbox._Worker.ask

    def stopped(self: sandbox._Worker, request: bytes, data: bytes) -> object:
        os.kill(self._process.pid, signal.SIGXCPU)  # as the system does at the limit
        self._process.wait()
        return ask(self, request, data)

    monkeypatch.setattr(sandbox._Worker, "ask", stopped)
    with pytest.raises(Invalid, match="takes more than 10 s of processor time"):
        decode_untrusted(picture(1), max_pixels=LIMIT)


@pytest.mark.parametrize("compression", ["raw", "group3", "group4", "jpeg", "tiff_lzw"])
def test_decoders_print_nothing(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], compression: str
) -> None:
    mode = "1" if compression.startswith("group") else "RGB"
    whole = saved(Image.open(io.BytesIO(picture(1))).convert(mode), "TIFF", compression=compression)
    monkeypatch.setattr(sandbox, "_idle", [worker := sandbox._Worker()])
    for start in range(8, len(whole) - 200, len(whole) // 8):
        with contextlib.suppress(Invalid):
            decode_untrusted(whole[:start] + bytes(range(200)) + whole[start + 200 :], max_pixels=LIMIT)
    worker.close()
    assert "".join(capfd.readouterr()) == ""


def test_a_worker_that_was_ended_is_replaced() -> None:
    decode_untrusted(picture(1), max_pixels=LIMIT)
    for worker in sandbox._idle:
        os.kill(worker._process.pid, signal.SIGKILL)
    assert decode_untrusted(picture(1), max_pixels=LIMIT).image.size == (120, 90)


@pytest.mark.parametrize(
    ("number", "error", "message"),
    [
        (signal.SIGKILL, Unavailable, "was killed; the machine may be out of memory"),
        (signal.SIGSEGV, Invalid, r"makes the decoder fail \(SIGSEGV\)"),
    ],
)
def test_a_worker_that_ends_twice_is_the_fault_of_the_image_only_if_it_crashed(
    monkeypatch: pytest.MonkeyPatch, number: signal.Signals, error: type[Exception], message: str
) -> None:
    ask, asked = sandbox._Worker.ask, []

    def ended(self: sandbox._Worker, request: bytes, data: bytes) -> object:
        asked.append(self)
        os.kill(self._process.pid, number)
        self._process.wait()
        return ask(self, request, data)

    monkeypatch.setattr(sandbox._Worker, "ask", ended)
    with pytest.raises(error, match=message):
        decode_untrusted(picture(1), max_pixels=LIMIT)
    assert len(asked) == 2


def test_a_worker_that_is_too_slow_gets_no_second_try(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "MAX_WALL_S", 0.2)
    monkeypatch.setattr(sandbox, "_idle", [worker := sandbox._Worker()])
    os.kill(worker._process.pid, signal.SIGSTOP)
    with pytest.raises(Invalid, match="takes more than 300 s"):
        decode_untrusted(picture(1) + bytes(1_000_000), max_pixels=LIMIT)  # more than its pipe holds
    assert worker._process.returncode == -signal.SIGKILL and not sandbox._idle


def test_many_open_files_do_not_hinder_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "_idle", [])
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4_096, hard), hard))
    held = [os.open(os.devnull, os.O_RDONLY) for _ in range(1_100)]
    try:
        assert decode_untrusted(picture(1), max_pixels=LIMIT).image.size == (120, 90)
    finally:
        for worker in sandbox._idle:
            worker.close()
        for descriptor in held:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_worker_that_cannot_start_says_nothing_about_the_image(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr(sandbox, "_idle", [])
    monkeypatch.setattr(subprocess, "Popen", refused)
    with pytest.raises(Unavailable, match="cannot start a process"):
        decode_untrusted(picture(1), max_pixels=LIMIT)


def test_a_worker_has_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GALLERY_VECTORS_KEY", "pl4nted")
    environment = Path(f"/proc/{(worker := sandbox._Worker())._process.pid}/environ")
    if environment.exists():
        assert b"pl4nted" not in environment.read_bytes()
    worker.close()


def test_threads_decode_at_the_same_time() -> None:
    images = [picture(number, (200 + number, 100)) for number in range(12)]
    with ThreadPoolExecutor(4) as pool:
        decoded = list(pool.map(lambda data: decode_untrusted(data, max_pixels=LIMIT), images))
    assert [one.width for one in decoded] == [200 + number for number in range(12)]


# Large images


@pytest.mark.parametrize(("width", "height"), [(8160, 6144), (16320, 12240)])
def test_photographs_of_phones_are_decoded_at_reduced_size(width: int, height: int) -> None:
    data = saved(Image.new("L", (width, height), 128), "JPEG", quality=30)
    decoded = decode_untrusted(data, max_pixels=LIMIT, side=224)
    assert (decoded.width, decoded.height) == (width, height) and 224 <= min(decoded.image.size) < 1600
    with pytest.raises(TooManyPixels):
        decode_untrusted(data, max_pixels=LIMIT)


@pytest.mark.parametrize(("mode", "components"), [("L", 1), ("RGB", 3), ("CMYK", 4)])
def test_a_progressive_jpeg_has_memory_for_all_its_coefficients(mode: str, components: int) -> None:
    reserved: list[int] = []
    data = saved(Image.new(mode, (640, 480)), "JPEG", progressive=True)
    decode(data, max_pixels=LIMIT, side=60, reserve=reserved.append)
    assert reserved[0] >= 2 * components * 640 * 480


@pytest.mark.parametrize("size", [(100_001, 1), (1, 100_001)])
@pytest.mark.parametrize("format", ["PNG", "BMP", "TIFF"])
def test_a_side_has_a_limit(format: str, size: tuple[int, int]) -> None:
    with pytest.raises(Invalid, match="a side has at most 100000"):
        decode_untrusted(saved(Image.new("L", size), format), max_pixels=LIMIT)


def test_an_image_over_the_limit_says_so() -> None:
    with pytest.raises(TooManyPixels, match="120 x 90 pixels, over the limit") as caught:
        decode_untrusted(picture(1, format="PNG"), max_pixels=10_000)
    assert caught.value.limit == 10_000
