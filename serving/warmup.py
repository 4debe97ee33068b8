"""Loading encoder and decoder in the background, so that the server responds at once after a start."""

from __future__ import annotations

import io
import logging
import threading
import time
from enum import Enum

from PIL import Image

from gallery.errors import GalleryError
from gallery.images.sandbox import decode_untrusted
from gallery.search.engine import SearchEngine
from gallery.services import Services

FIRST_DELAY_S, MAX_DELAY_S = 0.5, 5.0
"""Delay between attempts; it doubles each time, up to the maximum."""

log = logging.getLogger(__name__)


class State(Enum):
    """Progress of the warm-up."""

    STARTING = "starting"
    FAILED = "failed"
    READY = "ready"


class WarmUp:
    """Calls `engine.warm` until it succeeds. Before the first build is published, it waits for one."""

    def __init__(self, services: Services, engine: SearchEngine) -> None:
        self.state = State.STARTING
        self._services = services
        self._engine = engine
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._settled = threading.Event()

    def start(self) -> None:
        """Start the background thread, unless it is already running."""
        with self._lock:
            if self._thread is None and self.state is not State.READY:
                self._thread = threading.Thread(target=self._until_ready, name="warm-up", daemon=True)
                self._thread.start()

    def wait(self, timeout_s: float) -> None:
        """Return once the encoder is loaded or there is no collection yet, or after the timeout."""
        self._settled.wait(timeout_s)

    def attempt(self) -> bool:
        """Try once. Returns True if the encoder is loaded."""
        try:
            build = self._services.vectors.live()
            if build is None:
                self.state = State.STARTING
                self._settled.set()
            else:
                self._engine.warm(self._services.vectors.open(build.name))
                self.state = State.READY
                self._settled.set()
        except GalleryError as error:
            self.state = State.FAILED
            log.warning("The search is not ready; trying again: %s", error)
        except Exception:
            # Otherwise a bug would end the thread, and the site would keep showing "Starting up".
            self.state = State.FAILED
            log.exception("The search is not ready; trying again")
        return self.state is State.READY

    def _until_ready(self) -> None:
        _start_decoder()
        delay = FIRST_DELAY_S
        while not self.attempt():
            time.sleep(delay)
            delay = min(2 * delay, MAX_DELAY_S)


def _start_decoder() -> None:
    """Decode an image, so that the first upload does not wait for the decoder's process to start."""
    file = io.BytesIO()
    Image.new("RGB", (1, 1)).save(file, "PNG")
    try:
        decode_untrusted(file.getvalue(), max_pixels=1)
    except GalleryError as error:
        log.warning("The decoder of uploaded images does not start: %s", error)
