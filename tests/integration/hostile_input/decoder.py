"""A process that decodes files as the app does, within limits of memory and processor time.

On stdin, for each file: its length in 8 bytes, then the file. On stdout, for each, a line of JSON: the
outcome, and the peak growth of the process in megabytes (0 if not on Linux). A file over a limit ends it.
"""

from __future__ import annotations

import io
import json
import resource
import struct
import sys
import warnings
from pathlib import Path

from PIL import Image

from gallery.errors import Invalid
from gallery.images.decode import open_image
from gallery.settings import Settings
from serving.uploads import MAX_DETAIL, preview_of

MAX_PIXELS: int = Settings.model_fields["max_upload_pixels"].default
SIDE = 224
"""Side of CLIP's input, in pixels; for the smallest detail, the image is decoded MAX_DETAIL times larger."""
MAX_MEMORY_BYTES = 4 << 30
MAX_CPU_S = 30
"""Processor time for one file, in seconds; the largest image that is allowed takes about 1."""
STATUS = Path("/proc/self/status")


def outcome(data: bytes) -> str:
    """Return "accepted", "rejected", or the error."""
    try:
        preview_of(open_image(data, max_pixels=MAX_PIXELS, side=SIDE * MAX_DETAIL))
    except Invalid:
        return "rejected"
    except BaseException as error:
        return repr(error)[:200]
    return "accepted"


def memory(which: str) -> int:
    """Memory of this process in bytes: VmRSS now, VmHWM the peak since `reset_peak`."""
    if not STATUS.exists():
        return 0
    [line] = [line for line in STATUS.read_text().splitlines() if line.startswith(which)]
    return int(line.split()[1]) * 1024


def reset_peak() -> None:
    """Reset the peak; getrusage cannot, and starts with the parent's."""
    if STATUS.exists():
        Path("/proc/self/clear_refs").write_text("5")


def limit_cpu() -> None:
    """Let the system end this process once it has used MAX_CPU_S more."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + MAX_CPU_S, hard))


def main() -> None:
    """Answer until stdin ends."""
    warnings.simplefilter("ignore")
    # What Pillow loads on first use is not part of a file's cost.
    first = io.BytesIO()
    Image.new("RGB", (300, 300)).save(first, "PNG")
    outcome(first.getvalue())
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    while head := sys.stdin.buffer.read(8):
        data = sys.stdin.buffer.read(struct.unpack(">Q", head)[0])
        limit_cpu()
        reset_peak()
        before = memory("VmRSS")
        result = outcome(data)
        print(json.dumps([result, round((memory("VmHWM") - before) / 1e6)]), flush=True)


if __name__ == "__main__":
    main()
