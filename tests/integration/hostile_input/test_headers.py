"""Odd Host and If-None-Match headers are answered, and never a server error."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import create_environ, run_wsgi_app

HOSTS = (
    "xn--e1afmkfd.example",
    "xn--99999999999",
    "xn--",
    "a..b",
    "[::1]:80",
    "[::",
    "host:99999999",
    "user@host",
    "a b",
    "<script>",
    "x" * 300,
    "",
)
PAGES = ("/", "/api", "/api/v1/works?limit=2", "/api/v1/search?q=boats", "/artists")


def ask(client: FlaskClient, page: str, host: str) -> tuple[int, str]:
    """Return the status and the Link header. Werkzeug's client would decode the host itself."""
    environ = {**create_environ(page), "HTTP_HOST": host}
    _, status, headers = run_wsgi_app(client.application, environ)
    return int(status.split()[0]), headers.get("Link", "")


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("page", PAGES)
def test_an_odd_host_is_answered(client: FlaskClient, host: str, page: str) -> None:
    status, link = ask(client, page, host)
    assert status in (200, 400) and link.isascii()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(host=st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=40))
def test_no_host_is_a_server_error(client: FlaskClient, host: str) -> None:
    status, link = ask(client, "/api/v1/works?limit=2", host)
    assert status in (200, 400) and link.isascii()
    assert urlsplit(link.strip("<").partition(">")[0]).path in ("", "/api/v1/works")


@pytest.mark.parametrize("tag", ["*", '"x"', "W/*", '*, "x"', '"' * 99, "\xff"])
@pytest.mark.parametrize(
    "key", ["originals/none.jpg", "originals/%22.jpg", "thumbs/%D0%B6.webp", "originals/..%2fx.jpg"]
)
def test_an_image_that_does_not_exist_is_not_found_whatever_the_client_has(
    client: FlaskClient, key: str, tag: str
) -> None:
    assert client.get(f"/images/{key}", headers={"If-None-Match": tag}).status_code == 404
