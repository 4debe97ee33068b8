"""Client address and public URL behind reverse proxies.

Forwarded headers are trusted only for GALLERY_TRUSTED_PROXIES hops, and the site's own address comes from
GALLERY_SITE_URL, never from a forwarded header.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote, urlsplit

from flask import Flask, request
from werkzeug.middleware.proxy_fix import ProxyFix

from gallery.settings import Settings

HOST = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")
"""A host header that can be part of an address."""
CLIENT_SCHEME = "gallery.client_scheme"
"""Key of the WSGI environment: the scheme of the visitor's connection, "http" or "https"."""


def register(app: Flask, settings: Settings) -> None:
    """Trust `trusted_proxies` proxies, and build absolute links from GALLERY_SITE_URL if it is set."""
    app.wsgi_app = _SiteUrl(app.wsgi_app, settings.site_url)  # type: ignore[method-assign]
    if count := settings.trusted_proxies:
        # Host, port and prefix come from GALLERY_SITE_URL, not from proxies.
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=0, x_port=0, x_prefix=0)  # type: ignore[method-assign]


def root_url() -> str:
    """Return the address of the site in ASCII, with a final "/". An internationalized name stays encoded."""
    return f"{request.scheme}://{request.host}{quote(request.script_root)}/"


def is_https() -> bool:
    """Return True if the visitor's connection is encrypted, as reported by a trusted proxy."""
    return request.environ.get(CLIENT_SCHEME) == "https"


class _SiteUrl:
    """WSGI middleware that sets the host and scheme of absolute links."""

    def __init__(self, app: Callable[..., Iterable[bytes]], site_url: str | None) -> None:
        self._app = app
        self._site = urlsplit(site_url) if site_url else None

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["wsgi.url_scheme"] != "https":  # a proxy may report anything
            environ["wsgi.url_scheme"] = "http"
        environ[CLIENT_SCHEME] = environ["wsgi.url_scheme"]
        if not HOST.fullmatch(environ.get("HTTP_HOST", "")):
            environ.pop("HTTP_HOST", None)  # Werkzeug takes the server's name instead
        if self._site:
            environ["wsgi.url_scheme"] = self._site.scheme
            environ["HTTP_HOST"] = self._site.netloc
        return self._app(environ, start_response)
