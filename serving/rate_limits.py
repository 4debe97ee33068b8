"""Rate limits per client, with Flask-Limiter. If its storage is down, each replica counts separately."""

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
from limits.strategies import FixedWindowRateLimiter

from gallery.errors import Invalid
from gallery.settings import Settings, variable
from serving.rate_counters import MemoryCounters

EXTENSION = "gallery-rate-limits"
IMAGE_BLUEPRINTS = ("media", "map_data")
"""Blueprints with a limit of their own: a page loads dozens of images, and the map a card for each work under
the pointer."""
IMAGES_PER_PAGE = 50
"""Factor of the limit of images: a page loads 24 by default, and the map a few hundred in a minute."""
EXEMPT_BLUEPRINTS = ("static_files", "health")
"""Blueprints without a limit: browsers cache static files, and monitoring calls the health checks."""
STORAGE_TIMEOUT_S = 0.5
"""Maximum time that a request waits for the storage."""
IPV6_PREFIX_BITS = 64
"""An IPv6 network of this size counts as one client, since providers usually assign at least that."""

log = logging.getLogger(__name__)


class RateLimits:
    """The rate limits of one app."""

    def __init__(self, app: Flask, settings: Settings) -> None:
        """Raises Invalid if the storage address is invalid or its client library is missing."""
        self._warned = settings.trusted_proxies > 0
        address = settings.rate_storage.get_secret_value()
        try:
            self._limiter = Limiter(
                client_key,
                app=app,
                application_limits=_rates(settings.rate_limit),
                storage_uri=address,
                storage_options=_options(address),
                in_memory_fallback_enabled=True,
                swallow_errors=True,
                # Count requests for unknown addresses too.
                request_identifier=lambda: request.endpoint or "unknown",
            )
        # The original messages may contain the address and its password.
        except (ImportError, ConfigurationError):
            raise Invalid(
                f"{variable('rate_storage')} needs the redis package; run `pip install redis`"
            ) from None
        except ValueError:
            raise Invalid(f"{variable('rate_storage')} must be a URL such as redis://host:6379") from None
        # No option sets the storage of the fallback.
        self._limiter._fallback_storage = MemoryCounters()  # type: ignore[assignment]
        self._limiter._fallback_limiter = FixedWindowRateLimiter(self._limiter._fallback_storage)
        for name in (*IMAGE_BLUEPRINTS, *EXEMPT_BLUEPRINTS):
            self._limiter.exempt(app.blueprints[name])  # type: ignore[call-overload]  # Flask has two Blueprint classes
        self.count_upload = self._counter("uploads", _rates(settings.upload_rate_limit), _upload)
        count_image = self._counter("images", _rates(settings.rate_limit, IMAGES_PER_PAGE), _image)
        for name in IMAGE_BLUEPRINTS:
            app.before_request_funcs.setdefault(name, []).insert(0, count_image)
        app.before_request(self._warn_of_proxy)

    def _counter(self, scope: str, rates: list[Any], function: Callable[[], None]) -> Callable[[], None]:
        """Return the function wrapped so that its calls by a client are limited."""
        for rate in rates:
            function = self._limiter.shared_limit(rate, scope, override_defaults=False)(function)
        return function

    def retry_after_s(self) -> int:
        """Return the seconds until a client over its limit may try again, at least 1."""
        limit = self._limiter.current_limit
        if limit is None:
            return 1
        try:
            return max(1, min(limit.limit.get_expiry(), math.ceil(limit.reset_at - time.time())))
        except StorageError:
            return limit.limit.get_expiry()

    def _warn_of_proxy(self) -> None:
        if not self._warned and "X-Forwarded-For" in request.headers:
            self._warned = True
            log.warning(
                "A request came through a proxy, but %s is 0, so all visitors share one rate limit. "
                "Set it to the number of proxies.",
                variable("trusted_proxies"),
            )


def register(app: Flask, settings: Settings) -> None:
    """Limit the requests of each client. Raises Invalid like RateLimits."""
    app.extensions[EXTENSION] = RateLimits(app, settings)


def rate_limits() -> RateLimits:
    """Return the rate limits of the current app. Their `count_upload` raises RateLimitExceeded."""
    limits: RateLimits = current_app.extensions[EXTENSION]
    return limits


def client_key() -> str:
    """Return what identifies the client: its IPv4 address, or its IPv6 network."""
    text = request.remote_addr or "unknown"
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return text
    if address.version == 4:
        return text
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((int(address), IPV6_PREFIX_BITS), strict=False))


def _rates(rate: str, factor: int = 1) -> list[Any]:
    if rate == "off":
        return []
    number, _, period = rate.partition("/")
    return [f"{int(number) * factor}/{period}"]


def _options(address: str) -> dict[str, Any]:
    if address.startswith("memory"):
        return {}
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    return {
        "socket_timeout": STORAGE_TIMEOUT_S,
        "socket_connect_timeout": STORAGE_TIMEOUT_S,
        "retry": Retry(NoBackoff(), 0),
        "wrap_exceptions": True,
    }


# Flask-Limiter counts the calls of these functions by name.
def _upload() -> None: ...
def _image() -> None: ...
