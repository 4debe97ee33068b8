"""Addresses from which browsers load images: in this app or in the image store."""

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

MAX_SIGNED_URLS = 32_768
"""Signed addresses kept in memory; each is under 1 kB."""
RETRY_AFTER_S = 60.0
"""Pause after signing has failed, so that pages do not wait for a failing signer each time."""

log = logging.getLogger(__name__)


class ImageUrls:
    """Addresses of objects in the image store, as GALLERY_DELIVERY selects. Thread-safe.

    A signed address is reused for half of its lifetime. So browsers can cache the image, and each address is
    valid for at least the other half.
    """

    def __init__(self, settings: Settings, services: Services) -> None:
        """Raises Invalid if the image store has no public addresses and the settings ask for them."""
        self._mode = settings.delivery
        self._lifetime_s = settings.signed_for
        self._services = services
        self._signed: OrderedDict[str, tuple[str, float]] = OrderedDict()
        self._lock = threading.Lock()
        self._retry_at = 0.0
        self._failing = False
        self.origin = "" if self._mode == "app" else self._origin()

    def url_for(self, key: str) -> str | None:
        """Return the object's address in the store, or None if the app serves it itself.

        The app serves images if GALLERY_DELIVERY is `app`, and while the store gives no addresses.
        """
        if self._mode == "app":
            return None
        if self._mode == "public":
            return self._try(lambda: self._services.images.public_url(key))
        now = time.time()
        with self._lock:
            url = self._cached(key, now)
        return url or self._try(lambda: self._sign(key, now))

    def _origin(self) -> str:
        """Return the store's origin, such as "https://storage.googleapis.com", for the security policy."""
        try:
            parts = urlsplit(self._services.images.public_url("probe"))
        except Invalid as error:
            raise Invalid(f"{variable('delivery')}={self._mode} is not possible: {error}") from error
        return f"{parts.scheme}://{parts.netloc}"

    def _cached(self, key: str, now: float) -> str | None:
        url, renew_at = self._signed.get(key, ("", 0.0))
        if now >= renew_at:
            return None
        self._signed.move_to_end(key)
        return url

    def _sign(self, key: str, now: float) -> str:
        url = self._services.images.signed_url(key, self._lifetime_s)
        with self._lock:
            # If two threads have signed it at once, both return the first address.
            first = self._cached(key, now)
            if first is not None:
                return first
            self._signed[key] = url, now + self._lifetime_s / 2
            self._signed.move_to_end(key)
            if len(self._signed) > MAX_SIGNED_URLS:
                self._signed.popitem(last=False)
        return url

    def _try(self, get_url: Callable[[], str]) -> str | None:
        if time.monotonic() < self._retry_at:
            return None
        try:
            url = get_url()
        except GalleryError as error:
            self._retry_at = time.monotonic() + RETRY_AFTER_S
            with self._lock:
                is_new, self._failing = not self._failing, True
            if is_new:
                log.warning(
                    "The image store cannot sign addresses; the app serves the images itself for now: %s",
                    error,
                )
            return None
        self._failing = False
        return url
