"""Decode a file as an upload is decoded, and measure the memory of the worker that does it."""

from __future__ import annotations

from pathlib import Path

from gallery.errors import Invalid
from gallery.images import sandbox
from gallery.settings import Settings
from serving.uploads import MAX_DETAIL, preview_of
from tests.fakes.archives import picture

MAX_PIXELS: int = Settings.model_fields["max_upload_pixels"].default
SIDE = 224
"""Side of CLIP's input, in pixels; for the smallest detail, the image is decoded MAX_DETAIL times larger."""


def measured_decode(data: bytes, side: int = SIDE * MAX_DETAIL) -> tuple[str, int]:
    """Return "accepted" or "rejected", and by how many megabytes the worker grew; 0 if not on Linux."""
    sandbox.decode_untrusted(
        picture(1), max_pixels=MAX_PIXELS
    )  # a worker is idle, and has loaded its libraries
    process = Path(f"/proc/{sandbox._idle[-1]._process.pid}")
    if process.exists():
        (process / "clear_refs").write_text("5")  # resets the peak
    before = _megabytes(process, "VmRSS")
    outcome = "accepted"
    try:
        preview_of(sandbox.decode_untrusted(data, max_pixels=MAX_PIXELS, side=side).image)
    except Invalid:
        outcome = "rejected"
    return outcome, _megabytes(process, "VmHWM") - before


def _megabytes(process: Path, name: str) -> int:
    if not (process / "status").exists():
        return 0
    (line,) = [line for line in (process / "status").read_text().splitlines() if line.startswith(name)]
    return int(line.split()[1]) // 1000
