"""Who the client is and where the site is, as the settings say: nobody's word is taken for either."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, request
from werkzeug.middleware.proxy_fix import ProxyFix

from gallery.settings import Settings

SCHEME = "gallery.scheme"
"""The key of the environment with the scheme that the request came by."""


def register(app: Flask, settings: Settings) -> None:
    """Believe as many proxies as there are, and make absolute links with GALLERY_SITE_URL where it is set."""
    app.wsgi_app = _Address(app.wsgi_app, settings.site_url)  # type: ignore[method-assign]
    if count := settings.trusted_proxies:
        # Hosts, ports and prefixes are never taken from them: GALLERY_SITE_URL says them.
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=0, x_port=0, x_prefix=0)  # type: ignore[method-assign]


def came_by_https() -> bool:
    """True where the visitor's connection was encrypted, by the word of a trusted proxy."""
    return request.environ.get(SCHEME) == "https"


class _Address:
    """Sets the host and the scheme that links are made with."""

    def __init__(self, app: Callable[..., Iterable[bytes]], site_url: str | None) -> None:
        self._app = app
        self._site = urlsplit(site_url) if site_url else None

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["wsgi.url_scheme"] != "https":  # a proxy may say anything
            environ["wsgi.url_scheme"] = "http"
        environ[SCHEME] = environ["wsgi.url_scheme"]
        if self._site:
            environ["wsgi.url_scheme"] = self._site.scheme
            environ["HTTP_HOST"] = self._site.netloc
        return self._app(environ, start_response)
