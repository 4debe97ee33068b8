"""A process that decodes what it is sent, as the app does, and tells what each file cost.

On stdin, for each file: its length in 8 bytes, then the file. On stdout, for each, a line of JSON: the outcome, the
processor seconds, and by how many megabytes the process grew meanwhile, at its largest (on Linux; elsewhere 0).
"""

from __future__ import annotations

import io
import json
import resource
import struct
import sys
import time
import warnings
from pathlib import Path

from PIL import Image

from gallery.errors import Invalid
from gallery.images.decode import open_image
from gallery.settings import Settings
from serving.uploads import MAX_DETAIL, preview_of

MAX_PIXELS: int = Settings.model_fields["max_upload_pixels"].default
SIDE = 224
"""Pixels of a side that CLIP looks at; for the smallest part of a picture, it is decoded MAX_DETAIL times larger."""
STATUS = Path("/proc/self/status")


def outcome(data: bytes) -> str:
    """ "taken", "refused", or what went wrong."""
    try:
        preview_of(open_image(data, max_pixels=MAX_PIXELS, side=SIDE * MAX_DETAIL))
    except Invalid:
        return "refused"
    except BaseException as error:
        return repr(error)[:200]
    return "taken"


def memory(which: str) -> int:
    """Bytes of this process: VmRSS for now, VmHWM for the most since `memory_forgotten`."""
    if not STATUS.exists():
        return 0
    [line] = [line for line in STATUS.read_text().splitlines() if line.startswith(which)]
    return int(line.split()[1]) * 1024


def memory_forgotten() -> None:
    """Measure the most from now on; getrusage cannot, and begins with what the parent process had."""
    if STATUS.exists():
        Path("/proc/self/clear_refs").write_text("5")


def main() -> None:
    """Answer until stdin ends."""
    warnings.simplefilter("ignore")
    # What Pillow loads on first use is no file's cost.
    first = io.BytesIO()
    Image.new("RGB", (300, 300)).save(first, "PNG")
    outcome(first.getvalue())
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
    while head := sys.stdin.buffer.read(8):
        data = sys.stdin.buffer.read(struct.unpack(">Q", head)[0])
        memory_forgotten()
        before, began = memory("VmRSS"), time.process_time()
        said = outcome(data)
        seconds, grown = time.process_time() - began, memory("VmHWM") - before
        print(json.dumps([said, round(seconds, 3), round(grown / 1e6)]), flush=True)


if __name__ == "__main__":
    main()
