"""A process that decodes files as the app does, and reports what each of them cost.

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
"""Side of CLIP's input, in pixels; for the smallest detail, the image is decoded MAX_DETAIL times larger."""
STATUS = Path("/proc/self/status")


def outcome(data: bytes) -> str:
    """Return "taken", "refused", or the error."""
    try:
        preview_of(open_image(data, max_pixels=MAX_PIXELS, side=SIDE * MAX_DETAIL))
    except Invalid:
        return "refused"
    except BaseException as error:
        return repr(error)[:200]
    return "taken"


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


def main() -> None:
    """Answer until stdin ends."""
    warnings.simplefilter("ignore")
    # What Pillow loads on first use is not part of a file's cost.
    first = io.BytesIO()
    Image.new("RGB", (300, 300)).save(first, "PNG")
    outcome(first.getvalue())
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
    while head := sys.stdin.buffer.read(8):
        data = sys.stdin.buffer.read(struct.unpack(">Q", head)[0])
        reset_peak()
        before, began = memory("VmRSS"), time.process_time()
        result = outcome(data)
        seconds, grown = time.process_time() - began, memory("VmHWM") - before
        print(json.dumps([result, round(seconds, 3), round(grown / 1e6)]), flush=True)


if __name__ == "__main__":
    main()
