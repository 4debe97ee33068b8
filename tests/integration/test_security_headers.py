"""Every kind of response has the security headers, and no page needs an exception from the policy."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from gallery.settings import Settings
from tests.fakes.web import app_with, upload
from tests.integration.hostile_input.files import SVG

POLICY = {
    "default-src": "'none'", "script-src": "'self'", "style-src": "'self'", "form-action": "'self'",
    "base-uri": "'none'", "frame-ancestors": "'none'",
}  # fmt: skip
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
}


@pytest.fixture
def client(settings_with: Callable[..., Settings]) -> FlaskClient:
    return app_with(settings_with()).test_client()


def linked(client: FlaskClient, start: str) -> str:
    """The first address on a result page that starts like this."""
    return next(part for part in client.get("/?q=sea").text.split('"') if part.startswith(start))


def again(client: FlaskClient, path: str) -> TestResponse:
    """The response to a conditional request with the current ETag."""
    return client.get(path, headers={"If-None-Match": client.get(path).headers["ETag"]})


KINDS: dict[str, tuple[int, Callable[[FlaskClient], TestResponse]]] = {
    "the home page": (200, lambda client: client.get("/")),
    "a page of results": (200, lambda client: client.get("/?q=sea")),
    "a fragment": (
        200,
        lambda client: client.get("/?q=sea", headers={"HX-Request": "true", "HX-Target": "more"}),
    ),
    "a work": (200, lambda client: client.get(linked(client, "/works/"))),
    "artists": (200, lambda client: client.get("/artists")),
    "the map": (200, lambda client: client.get("/map")),
    "a packed page": (200, lambda client: client.get("/", headers={"Accept-Encoding": "gzip"})),
    "a form sent on": (303, lambda client: client.post("/", data={"q": "sea"})),
    "an upload": (200, lambda client: upload(client)),
    "a refused upload": (415, lambda client: upload(client, SVG)),
    "a refused query": (400, lambda client: client.get("/?q=sea&limit=0")),
    "nothing there": (404, lambda client: client.get("/nothing")),
    "another method": (405, lambda client: client.delete("/")),
    "the options": (200, lambda client: client.options("/")),
    "the head of a page": (200, lambda client: client.head("/")),
    "a search as JSON": (200, lambda client: client.get("/api/v1/search?q=sea")),
    "a problem": (400, lambda client: client.get("/api/v1/search?q=sea&limit=0")),
    "no such API": (404, lambda client: client.get("/api/v1/nothing")),
    "the API's document": (200, lambda client: client.get("/api/v1/openapi.json")),
    "the API's page": (200, lambda client: client.get("/api")),
    "health": (200, lambda client: client.get("/healthz")),
    "a style": (200, lambda client: client.get(linked(client, "/static/"))),
    "a style not changed": (304, lambda client: again(client, linked(client, "/static/"))),
    "no such style": (404, lambda client: client.get("/static/x/none.css")),
    "a picture": (200, lambda client: client.get(linked(client, "/images/"))),
    "a picture not changed": (304, lambda client: again(client, linked(client, "/images/"))),
    "part of a picture": (
        206,
        lambda client: client.get(linked(client, "/images/"), headers={"Range": "bytes=0-9"}),
    ),
    "no part of a picture": (
        416,
        lambda client: client.get(linked(client, "/images/"), headers={"Range": "bytes=9999999-"}),
    ),
    "no such picture": (404, lambda client: client.get("/images/originals/none.png")),
}


def directives(answer: TestResponse) -> dict[str, str]:
    parts = answer.headers["Content-Security-Policy"].split(";")
    return {name: value for name, _, value in (part.strip().partition(" ") for part in parts)}


@pytest.mark.parametrize(("status", "ask"), KINDS.values(), ids=KINDS.keys())
def test_every_response_has_the_headers(
    client: FlaskClient, status: int, ask: Callable[[FlaskClient], TestResponse]
) -> None:
    answer = ask(client)
    assert answer.status_code == status
    assert {name: answer.headers[name] for name in ALWAYS} == ALWAYS
    found = directives(answer)
    assert {name: found[name] for name in POLICY} == POLICY
    assert "unsafe" not in str(found) and "*" not in str(found) and "http:" not in str(found)
    for feature in ("camera", "microphone", "geolocation"):
        assert f"{feature}=()" in answer.headers["Permissions-Policy"]
    shared = "cross-origin" if answer.request.path.startswith("/images/") else "same-origin"
    assert answer.headers["Cross-Origin-Resource-Policy"] == shared
    assert "Set-Cookie" not in answer.headers
    assert "Strict-Transport-Security" not in answer.headers
    assert "Server" not in answer.headers and "X-Powered-By" not in answer.headers


@pytest.mark.parametrize("path", ["/", "/?q=sea", "/artists", "/map", "/nothing", "/api/", "/works/none"])
def test_no_page_has_inline_code_or_foreign_resources(client: FlaskClient, path: str) -> None:
    text = client.get(path).text
    assert not re.search(r"<[^>]+\s(on\w+|style)\s*=", text)
    assert not re.search(r"<script(?![^>]*\ssrc=)[^>]*>", text) and "<style" not in text
    assert not re.search(r'(href|src|action)="\s*(javascript|vbscript):', text)
    assert not re.search(r'(src|srcset|action)="(https?:)?//', text)


@pytest.mark.parametrize(
    ("proxies", "said", "secure"),
    [(0, "https", False), (1, "http", False), (1, "https", True), (1, "", False), (1, "gopher", False)],
)
@pytest.mark.parametrize("site_url", [None, "https://gallery.example"])
def test_hsts_is_sent_only_if_a_trusted_proxy_reports_https(
    settings_with: Callable[..., Settings], proxies: int, said: str, secure: bool, site_url: str | None
) -> None:
    client = app_with(settings_with(trusted_proxies=proxies, site_url=site_url)).test_client()
    answer = client.get("/healthz", headers={"X-Forwarded-Proto": said} if said else {})
    assert ("Strict-Transport-Security" in answer.headers) == secure


def test_other_sites_do_not_learn_the_search(client: FlaskClient) -> None:
    """The Referer of links to Wikipedia would contain it."""
    assert client.get("/?q=secret").headers["Referrer-Policy"] == "same-origin"
