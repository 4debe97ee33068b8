"""Turns for decoding uploads, so that memory is bounded and no client takes all decoders."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from serving.errors import Busy

MAX_DECODERS = 2
"""Uploads decoded and encoded at the same time; each may need 900 MB for its pixels."""
TURN_TIMEOUT_S = 5.0
"""Maximum time that an upload waits for a decoder."""


class Decoders:
    """The decoders of one process: MAX_DECODERS in all, one for each client."""

    def __init__(self) -> None:
        self._served: set[str] = set()
        self._changed = threading.Condition()

    @contextmanager
    def turn(self, client: str) -> Iterator[None]:
        """Hold a decoder. Raises Busy if none is free for this client within TURN_TIMEOUT_S."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._is_free_for(client), TURN_TIMEOUT_S):
                raise Busy(f"an upload waited {TURN_TIMEOUT_S:g} s for a decoder")
            self._served.add(client)
        try:
            yield
        finally:
            with self._changed:
                self._served.remove(client)
                self._changed.notify_all()

    def _is_free_for(self, client: str) -> bool:
        return client not in self._served and len(self._served) < MAX_DECODERS
