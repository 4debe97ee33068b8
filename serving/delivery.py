"""Where visitors' browsers get pictures: from this app, or from the image store by addresses of its own."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from urllib.parse import urlsplit

from gallery.errors import GalleryError, Invalid
from gallery.services import Services
from gallery.settings import Settings, variable

KEPT = 32_768
"""Signed addresses remembered, at most; each is under 1 kB."""
REST = 60.0
"""Seconds without another try after one address could not be had: pages must not wait for a signer each time."""

log = logging.getLogger(__name__)


class Delivery:
    """The store's addresses of objects, as GALLERY_DELIVERY says. May be used from several threads.

    A signed address stays the same for half of the time that it works, so that browsers remember the picture, and
    one that is handed out works for the other half at least.
    """

    def __init__(self, settings: Settings, services: Services) -> None:
        """Raises Invalid where the settings ask for addresses that the image store does not have."""
        self._mode = settings.delivery
        self._seconds = settings.signed_for
        self._ports = services
        self._signed: OrderedDict[str, tuple[str, float]] = OrderedDict()
        self._lock = threading.Lock()
        self._resting_until = 0.0
        self._failing = False
        self.origin = "" if self._mode == "app" else self._origin()

    def address(self, key: str) -> str | None:
        """The object's address in the store; None where the app is to serve it, now or always."""
        if self._mode == "app":
            return None
        if self._mode == "public":
            return self._try(lambda: self._ports.images.public_url(key))
        now = time.time()
        with self._lock:
            address = self._remembered(key, now)
        return address or self._try(lambda: self._sign(key, now))

    def _origin(self) -> str:
        """Where the addresses lead, such as "https://storage.googleapis.com", for the pages' policy."""
        try:
            parts = urlsplit(self._ports.images.public_url("probe"))
        except Invalid as error:
            raise Invalid(f"{variable('delivery')}={self._mode} cannot be: {error}") from error
        return f"{parts.scheme}://{parts.netloc}"

    def _remembered(self, key: str, now: float) -> str | None:
        address, renewal = self._signed.get(key, ("", 0.0))
        if now >= renewal:
            return None
        self._signed.move_to_end(key)
        return address

    def _sign(self, key: str, now: float) -> str:
        address = self._ports.images.signed_url(key, self._seconds)
        with self._lock:
            # Of two threads that signed it at once, both hand out the first one's.
            first = self._remembered(key, now)
            if first is not None:
                return first
            self._signed[key] = address, now + self._seconds / 2
            self._signed.move_to_end(key)
            if len(self._signed) > KEPT:
                self._signed.popitem(last=False)
        return address

    def _try(self, ask: Callable[[], str]) -> str | None:
        if time.monotonic() < self._resting_until:
            return None
        try:
            address = ask()
        except GalleryError as error:
            self._resting_until = time.monotonic() + REST
            with self._lock:
                new, self._failing = not self._failing, True
            if new:
                log.warning("Pictures are sent through the app for now: %s", error)
            return None
        self._failing = False
        return address
