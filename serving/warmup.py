"""Loading the encoder in the background, so that the server answers at once and no visitor pays for it."""

from __future__ import annotations

import logging
import threading
import time
from enum import Enum

from gallery.errors import GalleryError
from gallery.search.engine import SearchEngine
from gallery.services import Services

FIRST_DELAY, LONGEST_DELAY = 0.5, 5.0
"""Seconds between attempts; each wait is twice the one before, up to the longest."""

log = logging.getLogger(__name__)


class State(Enum):
    """How far the warm-up is."""

    STARTING = "starting"
    FAILED = "failed"
    READY = "ready"


class WarmUp:
    """Runs `engine.warm` until it succeeds once; before the first build is published there is nothing to warm."""

    def __init__(self, services: Services, engine: SearchEngine) -> None:
        self.state = State.STARTING
        self._ports = services
        self._engine = engine
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def start(self) -> None:
        """Start the thread; a second call does nothing."""
        with self._lock:
            if self._thread is None and self.state is not State.READY:
                self._thread = threading.Thread(target=self._until_ready, name="warm-up", daemon=True)
                self._thread.start()

    def attempt(self) -> bool:
        """Try once; True where the search is ready."""
        try:
            if self._ports.vectors.live() is None:
                self.state = State.STARTING
            else:
                self._engine.warm()
                self.state = State.READY
        except GalleryError as error:
            self.state = State.FAILED
            log.warning("The search is not ready: %s", error)
        except Exception:
            # A fault of ours must not end the thread in silence and leave the site starting for ever.
            self.state = State.FAILED
            log.exception("The search could not be started")
        return self.state is State.READY

    def _until_ready(self) -> None:
        delay = FIRST_DELAY
        while not self.attempt():
            time.sleep(delay)
            delay = min(2 * delay, LONGEST_DELAY)
