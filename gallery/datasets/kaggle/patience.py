"""How long is waited for Kaggle, how often it is asked again, and the errors that are worth it."""

from __future__ import annotations

import time

from gallery.datasets.base import ProgressCallback
from gallery.datasets.kaggle.progress import duration
from gallery.errors import Unavailable

TIMEOUT_S = (15.0, 120.0)
"""How long to wait for a connection, and for each answer or next bytes. Kaggle may pack an archive only when asked."""
PAUSES_S = (1.0, 3.0, 9.0)
"""Pauses before trying again what failed; there are no more tries than these."""
LONGEST_WAIT_S = 60.0
"""The longest wait that Kaggle may ask for which we sit out."""


class Transient(Unavailable):
    """Something that another try may get past; `wait` is how many seconds the service asks to wait, if it does."""

    def __init__(self, message: str, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait


class OtherContent(Transient):
    """The part that was asked for is not to be had: what was begun must be begun again."""


class Patience:
    """How often something is tried again, and when. What is waited for is told to `progress`."""

    def __init__(self, progress: ProgressCallback) -> None:
        self._say = progress
        self._tries = 0

    def renew(self) -> None:
        """Count from the start again, after a try that brought something."""
        self._tries = 0

    def wait(self, trouble: Transient) -> None:
        """Sleep until the next try. Raises the trouble where there is to be none."""
        if self._tries >= len(PAUSES_S):
            raise trouble
        pause = PAUSES_S[self._tries] if trouble.wait is None else trouble.wait
        if pause > LONGEST_WAIT_S:
            raise trouble
        self._tries += 1
        self._say(f"{trouble}; trying again in {duration(pause)}")
        time.sleep(pause)
