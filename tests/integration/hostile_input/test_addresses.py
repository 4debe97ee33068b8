"""No open redirects, path traversal, header injection, links to foreign hosts, or secrets in errors."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st

from gallery.objects.base import IMAGES
from gallery.objects.local import open_local
from gallery.settings import Settings
from tests.fakes.servers import INTERNALS
from tests.fakes.web import app_with, state_of

SECRETS = {
    "secret_key": "the-key-that-signs",
    "vectors_key": "the-key-that-writes",
    "vectors_search_key": "the-key-that-reads",
    "rate_storage": "redis://:the-password@127.0.0.1:1",
}
OUT = [
    "//evil.example",
    "https://evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "//evil.example/%2f..",
    "javascript:alert(1)",
    "data:text/html,x",
]
WALKS = [
    "../../etc/passwd", "..%2f..%2fetc%2fpasswd", "%2e%2e/%2e%2e/etc/passwd", "..%5c..%5cetc%5cpasswd",
    "..\\..\\secret.png",
    "originals/../../secret.png", "originals/..%2f..%2fsecret.png", "originals/%2e%2e/%2e%2e/secret.png",
    "originals/..%5c..%5csecret.png", "/etc/passwd", "%2fetc%2fpasswd", "originals//etc/passwd",
    "originals/%00/secret.png",
    "originals/secret.png%00.webp", "originals/....//....//secret.png",
    "originals/%252e%252e/%252e%252e/secret.png",
    "originals/%c0%ae%c0%ae/secret.png", "originals/C:%5csecret.png", "originals/./../../secret.png",
    "originals/..", "thumbs/~/secret.png",
]  # fmt: skip


@pytest.fixture
def files(app: Flask, tmp_path: Path) -> Path:
    """An image store in a folder, with a secret file beside it."""
    folder = tmp_path / "store" / "images"
    (folder / "originals").mkdir(parents=True)
    (folder / "originals" / "fine.png").write_bytes(b"fine")
    for place in (tmp_path, tmp_path / "store", folder):
        (place / "secret.png").write_bytes(b"secret")
    state_of(app).services.images = open_local(IMAGES.parse(f"file://{folder}"))
    return folder


def test_an_image_of_the_store_is_sent(client: FlaskClient, files: Path) -> None:
    assert client.get("/images/originals/fine.png").data == b"fine"


@pytest.mark.parametrize("walk", WALKS)
@pytest.mark.parametrize("start", ["/images/", "/static/x/"])
def test_no_path_leaves_the_image_store(client: FlaskClient, files: Path, start: str, walk: str) -> None:
    answer = client.get(start + walk)
    assert answer.status_code in (301, 308, 400, 404)
    assert b"secret" not in answer.data.replace(walk.encode(), b"") and b"root:" not in answer.data
    if "Location" in answer.headers:  # double slashes made one
        assert client.get(answer.headers["Location"]).status_code == 404


@pytest.mark.slow
@given(st.text(st.sampled_from("./\\%2ef5c:~\0aé"), max_size=30))
@settings(max_examples=100)
def test_no_path_is_a_server_error(client: FlaskClient, files: Path, path: str) -> None:
    for start in (
        "/",
        "/images/",
        "/images/originals/",
        "/works/",
        "/artists/",
        "/static/",
        "/api/v1/works/",
    ):
        answer = client.get("/", environ_overrides={"PATH_INFO": (start + path).encode().decode("latin-1")})
        assert answer.status_code < 500 and b"secret" not in answer.data


@pytest.mark.parametrize("out", OUT)
def test_no_redirect_leaves_the_site(client: FlaskClient, out: str) -> None:
    form = dict.fromkeys(("q", "next", "url", "return", "style", "artist", "drop", "like"), out)
    answer = client.post("/", data=form, headers={"Referer": out, "HX-Current-URL": out})
    assert answer.status_code == 303 and answer.headers["Location"].startswith("/?")
    for path in (
        f"/{out}",
        f"//evil.example/{out}",
        f"/artists/{out}",
        f"/works/{out}",
        "/api",
        f"/api/{out}",
    ):
        # As it is on the wire: the client would take a host out of it.
        location = client.get("/", environ_overrides={"PATH_INFO": path}).headers.get("Location", "/")
        assert re.fullmatch(r"(http://localhost)?/([^/\\].*)?", location), location


@pytest.mark.parametrize(
    "text", ["a\r\nSet-Cookie: x=1", "a\nLocation: //evil.example", "a\r\n\r\n<script>", "\x85\u2028x: y"]
)
def test_no_parameter_injects_a_header(client: FlaskClient, text: str) -> None:
    answers = [
        client.post("/", data={"q": text}),
        client.get("/", query_string={"q": text}, headers={"HX-Target": "main"}),
        client.get("/", query_string={"style": text}),
        client.get("/images/originals/fine.png", headers={"If-None-Match": '"x"'}),
    ]
    for answer in answers:
        assert answer.status_code < 500
        assert "Set-Cookie" not in answer.headers
        assert all("\r" not in value and "\n" not in value for value in answer.headers.values())
        assert "evil.example" not in answer.headers.get("Location", "").split("?")[0]


@given(text=st.text(st.characters(min_codepoint=32, codec="utf-8"), min_size=1, max_size=12))
@settings(max_examples=15)
def test_addresses_in_headers_are_in_ascii(client: FlaskClient, text: str) -> None:
    """Location, Link, HX-Push-Url and others: anything else is not a URI, and may not be encodable."""
    query = {"q": text, "style": text}
    answers = [
        client.post("/", data=query),
        client.get("/", query_string=query, headers={"HX-Target": "main"}),
        client.get("/", query_string={"q": text, "genre": text}),
        client.get("/api/v1/search", query_string={"q": text, "limit": 1}),
        client.get("/api/v1/works", query_string={"limit": 1}, headers={"Origin": f"https://{text}"}),
        client.get("/", environ_overrides={"PATH_INFO": f"//{text}/".encode().decode("latin-1")}),
    ]
    for answer in answers:
        assert answer.status_code < 500
        assert all(value.isascii() for value in answer.headers.values()), dict(answer.headers)


def absolute(client: FlaskClient, host: str) -> set[str]:
    """The hosts of absolute links on a work's page and in the API, for a request with that Host."""
    found = client.get("/api/v1/search?q=sea&limit=1", headers={"Host": host}).text
    work = re.search(r"/works/([0-9a-f]+)", client.get("/?q=sea").text)
    assert work
    found += client.get(work[0], headers={"Host": host}).text
    hosts = set(re.findall(r"https?://([^/\"\s]+)/(?:works|pictures|api)", found))
    assert hosts
    return hosts


def test_links_use_the_site_url_whatever_the_host(
    settings_with: Callable[..., Settings],
) -> None:
    client = app_with(settings_with(site_url="https://gallery.example/")).test_client()
    for host in ("evil.example", "gallery.example:1", "gallery.example@evil.example", "", "..", "[::1"):
        assert absolute(client, host) == {"gallery.example"}
    assert "https://gallery.example/works/" in client.get("/api/v1/search?q=sea&limit=1").text


def test_a_forwarded_host_is_ignored(settings_with: Callable[..., Settings]) -> None:
    for proxies in (0, 1):
        client = app_with(settings_with(trusted_proxies=proxies)).test_client()
        headers = {
            "X-Forwarded-Host": "evil.example",
            "X-Forwarded-Prefix": "/evil",
            "Forwarded": "host=evil.example",
        }
        assert "evil" not in client.get("/api/v1/search?q=sea&limit=1", headers=headers).text


def test_errors_contain_no_secrets_or_tracebacks(
    settings_with: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("FLASK_DEBUG", "1")
    app = app_with(settings_with(**SECRETS))
    assert not app.debug and not app.testing
    client = app.test_client()

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("at /srv/private with " + " ".join(SECRETS.values()))

    paths = {
        "/": 500,
        "/?q=sea": 500,
        "/api/v1/search?q=sea": 500,
        "/readyz": 500,
        "/nothing": 404,
        "/?q=sea&limit=0": 400,
    }
    monkeypatch.setattr(state_of(app).services.vectors, "live", broken)
    monkeypatch.setattr(state_of(app).services.images, "get", broken)
    for path, status in (paths | {"/images/originals/a.png": 500}).items():
        answer = client.get(path)
        assert answer.status_code == status
        assert not any(
            word in answer.text for word in (*INTERNALS, *SECRETS.values(), "RuntimeError", "the-")
        )
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "path", ["/console", "/?__debugger__=yes&cmd=resource&f=debugger.js", "/.env", "/.git/config"]
)
def test_there_is_no_debugger_and_no_project_file(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code in (200, 404)
    assert "GALLERY_" not in answer.text and "Werkzeug" not in answer.text
