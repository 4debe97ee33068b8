"""Security headers of every response."""

from __future__ import annotations

from flask import Flask, Response, request

from serving.client_address import is_https
from serving.context import state
from serving.errors import PROBLEM
from serving.views import media

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # other sites do not learn the search from the address
    "X-Frame-Options": "DENY",  # like frame-ancestors, for older browsers
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""Headers of every response, except that other sites may embed images."""
HSTS = "max-age=31536000"
"""Browsers use HTTPS for a year. Only sent over HTTPS."""
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; img-src 'self' data:{store}; style-src 'self'; script-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Nothing is loaded from other sites, run inline or framed, except images from the store if it delivers them.
`data:` is for previews of uploaded images."""


def register(app: Flask) -> None:
    """Add the security headers to every response."""
    app.after_request(_add_headers)


def _add_headers(response: Response) -> Response:
    if request.blueprint == media.blueprint.name:
        response.headers.setdefault("Cross-Origin-Resource-Policy", "cross-origin")
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if is_https():
        response.headers.setdefault("Strict-Transport-Security", HSTS)
    origin = state().image_urls.origin
    policy = CONTENT_SECURITY_POLICY.format(store=f" {origin}" if origin else "")
    response.headers.setdefault("Content-Security-Policy", policy)
    response.headers.setdefault("Cache-Control", "no-cache")
    if response.mimetype in ("text/html", PROBLEM):
        response.vary.add("Accept")  # an error is a page or JSON at the same address
    return response
