"""How much one client may ask for. Flask-Limiter counts, and a storage that is down never takes the site along."""

from __future__ import annotations

import ipaddress
import logging
import math
import time
from collections.abc import Callable
from typing import Any

from flask import Flask, current_app, request
from flask_limiter import Limiter
from limits.errors import ConfigurationError, StorageError

from gallery.errors import Invalid
from gallery.settings import Settings, variable

EXTENSION = "gallery-limits"
UNCOUNTED = ("assets", "pictures", "pieces", "health")
"""Blueprints whose answers are not counted: a page asks for dozens of pictures, a pointer that moves over the map for
many cards, and watchers ask all the time."""
PATIENCE = 0.5
"""Seconds that a request waits for the storage; while it is down, each replica counts by itself."""
NETWORK = 64
"""Bits of an IPv6 address that tell clients apart: a customer is given all the addresses that share them."""

log = logging.getLogger(__name__)


class Limits:
    """The limits of one app, counted for each client."""

    def __init__(self, app: Flask, settings: Settings) -> None:
        """Raises Invalid where the storage cannot be used."""
        self._warned = settings.trusted_proxies > 0
        address = settings.rate_storage.get_secret_value()
        try:
            self._limiter = Limiter(
                client,
                app=app,
                application_limits=_given(settings.rate_limit),
                storage_uri=address,
                storage_options=_options(address),
                in_memory_fallback_enabled=True,
                swallow_errors=True,
                request_identifier=lambda: request.endpoint or "nothing",  # else what does not exist is free
            )
        # Their words may hold the address, and with it a password.
        except (ImportError, ConfigurationError):
            raise Invalid(f"{variable('rate_storage')} needs `pip install redis`") from None
        except ValueError:
            raise Invalid(
                f"{variable('rate_storage')} is no address; it looks like redis://host:6379"
            ) from None
        for name in UNCOUNTED:
            self._limiter.exempt(app.blueprints[name])  # type: ignore[call-overload]  # Flask has two classes of that name
        self.upload: Callable[[], None] = _nothing
        for rate in _given(settings.upload_rate_limit):
            self.upload = self._limiter.shared_limit(rate, "uploads", override_defaults=False)(_nothing)
        app.before_request(self._look)

    def wait(self) -> int:
        """Seconds after which the client that was refused may ask again, 1 at least."""
        limit = self._limiter.current_limit
        if limit is None:
            return 1
        try:
            return max(1, min(limit.limit.get_expiry(), math.ceil(limit.reset_at - time.time())))
        except StorageError:
            return limit.limit.get_expiry()

    def _look(self) -> None:
        if not self._warned and "X-Forwarded-For" in request.headers:
            self._warned = True
            log.warning(
                "A request names a proxy, but %s is 0: if the site is behind one, all visitors share one limit.",
                variable("trusted_proxies"),
            )


def register(app: Flask, settings: Settings) -> None:
    """Count the requests of each client. Raises Invalid where the storage cannot be used."""
    app.extensions[EXTENSION] = Limits(app, settings)


def limits() -> Limits:
    """The limits of the app that answers this request; `upload` raises RateLimitExceeded."""
    found: Limits = current_app.extensions[EXTENSION]
    return found


def client() -> str:
    """Who is counted as one: an IPv4 address, or the network of an IPv6 one."""
    text = request.remote_addr or "unknown"
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return text
    if address.version == 4:
        return text
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((int(address), NETWORK), strict=False))


def _given(rate: str) -> list[Any]:
    return [] if rate == "off" else [rate]


def _options(address: str) -> dict[str, Any]:
    if address.startswith("memory"):
        return {}
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    return {
        "socket_timeout": PATIENCE,
        "socket_connect_timeout": PATIENCE,
        "retry": Retry(NoBackoff(), 0),
        "wrap_exceptions": True,
    }


def _nothing() -> None:
    """What counting an upload does beside counting."""
