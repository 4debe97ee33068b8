"""Home, work, artist, error and empty pages, health checks, and what all responses share."""

from __future__ import annotations

import dataclasses
import gzip
import html
import io
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, template_rendered
from flask.testing import FlaskClient
from jinja2 import Template

import serving
from gallery.errors import GalleryError, Invalid, NotFound, Unavailable
from gallery.models import Artwork
from gallery.services import Services
from gallery.settings import Settings
from serving import create_app
from serving.template_filters import ratio_rules
from serving.view_models import (
    ROUGHER,
    ArtistPage,
    ArtistsPage,
    EmptyPage,
    ErrorPage,
    HomePage,
    Page,
    ResultsPage,
    WorkPage,
    banners,
)
from tests.fakes.collection import drawing, encoded, stock, stocked
from tests.fakes.processes import HANG_GUARD_S
from tests.fakes.web import app_with, state_of, upload

FLASKS = {"g", "request", "session"}


@contextmanager
def rendered(app: Flask) -> Iterator[list[tuple[Template, dict[str, Any]]]]:
    seen: list[tuple[Template, dict[str, Any]]] = []

    def note(sender: Flask, template: Template, context: dict[str, Any], **_: Any) -> None:
        seen.append((template, context))

    with template_rendered.connected_to(note, app):
        yield seen


@pytest.mark.parametrize(
    ("page", "path"),
    [(HomePage, "/"), (ResultsPage, "/?q=sea"), (ResultsPage, "/?style=Cubism"), (WorkPage, "/works/{id}"),
     (ArtistsPage, "/artists"), (ArtistPage, "/artists/bo-blue"), (ErrorPage, "/nothing")],
)  # fmt: skip
def test_a_template_sees_the_fields_of_its_page_and_no_more(
    app: Flask, work: Artwork, page: type[Page], path: str
) -> None:
    with rendered(app) as seen:
        app.test_client().get(path.format(id=work.id))
    [(template, context)] = seen
    assert template.name == page.template
    assert set(context) - FLASKS == {field.name for field in dataclasses.fields(page)}


def test_the_list_of_page_classes_is_complete() -> None:
    ours = {
        page for page in Page.__subclasses__() if page.__module__ == "serving.view_models"
    }  # others have their own
    assert ours == {
        HomePage, ResultsPage, WorkPage, ArtistsPage, ArtistPage, ErrorPage, EmptyPage,
    }  # fmt: skip


def test_a_work_page_shows_its_provenance(client: FlaskClient, work: Artwork) -> None:
    page = client.get(f"/works/{work.id}").text
    for fact in (
        work.file,
        work.sha256,
        "paintings.zip, version v7",
        "one, 4 March 2026",
        "Fake (48 floats)",
    ):
        assert fact in page


def test_a_file_name_cannot_hide_or_reverse_text(client: FlaskClient, services: Services) -> None:
    [work, *_], _, rows = stock()
    build = dataclasses.replace(services.vectors.open("one").build, name="two", works=1)
    named = dataclasses.replace(work, file="x\x1b\u202egpj.exe")
    services.vectors.create(build).upsert([named], rows[:1])
    services.vectors.seal("two")
    services.vectors.publish("two")
    page = client.get(f"/works/{work.id}").text
    assert "x\\x1b\\u202egpj.exe" in page and not {"\x1b", "\u202e"} & set(page)


def test_a_work_page_shows_no_folder_of_the_server(client: FlaskClient, work: Artwork) -> None:
    assert "/srv/private" not in client.get(f"/works/{work.id}").text


def test_a_work_page_shows_similar_works_without_the_work_itself(client: FlaskClient, work: Artwork) -> None:
    page = client.get(f"/works/{work.id}").text
    like = page.partition('id="like"')[2]
    assert len(re.findall(r'<li class="hit ', like)) == 12
    assert f'<a class="image-link" href="/works/{work.id}"' not in page


def test_a_style_on_a_work_page_links_to_its_works(client: FlaskClient, work: Artwork) -> None:
    assert 'href="/?style=Impressionism"' in client.get(f"/works/{work.id}").text


def test_an_image_may_be_cached_forever(client: FlaskClient, work: Artwork) -> None:
    answer = client.get(f"/images/{work.image.small}")
    assert (answer.status_code, answer.mimetype) == (200, "image/webp")
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_an_unchanged_image_is_a_304(client: FlaskClient, work: Artwork) -> None:
    path = f"/images/{work.image.original}"
    etag = client.get(path).headers["ETag"]
    again = client.get(path, headers={"If-None-Match": etag})
    assert (again.status_code, again.data) == (304, b"")


def test_a_range_of_an_image_is_served(client: FlaskClient, services: Services, work: Artwork) -> None:
    data = services.images.get(work.image.original)
    answer = client.get(f"/images/{work.image.original}", headers={"Range": "bytes=4-9"})
    assert (answer.status_code, answer.data) == (206, data[4:10])
    assert answer.headers["Content-Range"] == f"bytes 4-9/{len(data)}"


@pytest.mark.parametrize("ranges", ["bytes=0-0,4-9", "items=0-5", "bytes=x", "bytes=9-4"])
def test_ranges_that_are_not_supported_are_ignored(client: FlaskClient, work: Artwork, ranges: str) -> None:
    answer = client.get(f"/images/{work.image.original}", headers={"Range": ranges})
    assert (answer.status_code, answer.headers["Accept-Ranges"]) == (200, "bytes")


def test_a_range_beyond_the_end_is_416(client: FlaskClient, work: Artwork) -> None:
    answer = client.get(f"/images/{work.image.original}", headers={"Range": "bytes=999999-"})
    assert answer.status_code == 416
    assert answer.headers["Content-Range"].startswith("bytes */")


@pytest.mark.parametrize(
    "key",
    [
        "originals/none.png", "thumbs/", "originals/../secret.png", "originals/%2e%2e/secret.png",
        "..%2fsecret.png",
        "originals//etc/passwd", "secret.png", "tables/rows.png", "originals/page.html", "originals/a%00.png",
        "%5c..%5ca.png",
    ],
)  # fmt: skip
def test_no_other_key_is_served(client: FlaskClient, services: Services, key: str) -> None:
    for hidden in ("secret.png", "tables/rows.png", "originals/page.html"):
        services.images.put(hidden, b"not for you")
    answer = client.get(f"/images/{key}", follow_redirects=True)
    assert answer.status_code == 404
    assert b"not for you" not in answer.data


def test_static_files_have_a_hash_in_their_address_and_may_be_cached_forever(client: FlaskClient) -> None:
    for path in set(re.findall(r'(?:href|src)="(/static/[^"]+)"', client.get("/").text)):
        assert re.fullmatch(r"/static/[0-9a-f]{12}/[\w./-]+", path)
        assert "immutable" in client.get(path).headers["Cache-Control"]


def test_an_outdated_static_address_gives_the_new_file_uncached(client: FlaskClient) -> None:
    answer = client.get("/static/000000000000/style.css")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-cache")


@pytest.mark.parametrize("path", ["/", "/?q=sea", "/works/{id}", "/nothing"])
def test_pages_of_a_generated_collection_have_a_banner(settings: Settings, path: str) -> None:
    services = stocked(settings, generated=True)
    app = app_with(settings, services)
    work = services.vectors.open("one").works()[0]
    assert "Demo collection." in app.test_client().get(path.format(id=work.id)).text


def test_pages_of_a_real_collection_have_no_banner(client: FlaskClient) -> None:
    assert "generated" not in client.get("/").text


@pytest.mark.parametrize(
    ("made_by", "wanted", "said"),
    [("offline", "auto", True), ("offline", "offline", False), ("fake", "auto", False)],
)
def test_a_banner_says_that_the_offline_encoder_replaces_clip(
    services: Services, made_by: str, wanted: str, said: bool
) -> None:
    build = dataclasses.replace(services.vectors.open("one").build, encoder=made_by)
    assert (ROUGHER in banners(build, wanted)) is said


def test_without_a_collection_pages_say_what_to_run(settings: Settings) -> None:
    app = create_app(settings, services=stocked(settings, publish=False))
    with rendered(app) as seen:
        for path in ("/", "/?q=sea", "/works/x"):
            answer = app.test_client().get(path)
            assert answer.status_code == 503
            assert "Retry-After" in answer.headers
            assert "gallery refresh" in answer.text
    assert [(template.name, set(context) - FLASKS) for template, context in seen] == [
        ("empty.html", {"layout"})
    ] * 3


def test_a_collection_appears_without_a_restart(settings: Settings) -> None:
    services = stocked(settings, publish=False)
    app = create_app(settings, services=services)
    assert state_of(app).warmup.attempt() is False
    services.vectors.publish("one")
    assert state_of(app).warmup.attempt() is True
    assert app.test_client().get("/?q=sea").status_code == 200


@pytest.fixture
def cold(settings: Settings, services: Services, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    app = create_app(settings, services=services)
    monkeypatch.setattr(state_of(app).warmup, "start", lambda: None)
    return app.test_client()


def test_a_search_during_startup_reloads_itself(cold: FlaskClient) -> None:
    answer = cold.get("/?q=sea")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "3")
    assert '<meta http-equiv="refresh" content="3">' in answer.text


def test_an_upload_during_startup_does_not_reload_itself(cold: FlaskClient) -> None:
    answer = upload(cold)
    assert answer.status_code == 503
    assert "http-equiv" not in answer.text


def test_the_home_page_needs_no_encoder(cold: FlaskClient) -> None:
    assert cold.get("/").status_code == 200


def test_the_warm_up_runs_in_the_background_and_tries_again(
    settings: Settings, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    warmup = state_of(create_app(settings, services=services)).warmup
    failures: list[Exception] = [Unavailable("no hub at https://inner"), RuntimeError("a fault")]
    monkeypatch.setattr("serving.warmup.FIRST_DELAY_S", 0.001)
    monkeypatch.setattr(
        "gallery.search.engine.SearchEngine.warm",
        lambda *_: (_ for _ in ()).throw(failures.pop()) if failures else None,
    )
    warmup.start()
    warmup.start()
    assert warmup._thread is not None
    warmup._thread.join(HANG_GUARD_S)
    assert warmup.attempt() is True


def test_after_a_failed_startup_a_search_does_not_reload_itself(
    cold: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gallery.search.engine.SearchEngine.warm", lambda *_: 1 / 0)
    state_of(cold.application).warmup.attempt()
    answer = cold.get("/?q=sea")
    assert answer.status_code == cold.get("/readyz").status_code == 503
    assert "http-equiv" not in answer.text


def test_health_needs_no_collection_or_encoder(settings: Settings) -> None:
    assert create_app(settings).test_client().get("/healthz").status_code == 200


def test_ready_means_a_live_build_and_a_warm_encoder(client: FlaskClient, cold: FlaskClient) -> None:
    assert client.get("/readyz").json == {"ready": True, "build": "one", "works": 16}
    answer = cold.get("/readyz")
    assert (answer.status_code, answer.json) == (
        503,
        {"ready": False, "reason": "the encoder is still loading"},
    )


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Invalid("/srv/private/x"), 400),
        (NotFound("/srv/private/x"), 404),
        (Unavailable("http://inner:1/x"), 503),
        (ZeroDivisionError("/srv/private"), 500),
    ],
)
def test_error_details_are_logged_and_not_shown(
    app: Flask,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    status: int,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("gallery.search.engine.SearchEngine.search", fail)
    with caplog.at_level(logging.INFO):
        answer = app.test_client().get("/?q=sea")
        api = app.test_client().get("/api/v1/search?q=sea")
    assert answer.status_code == api.status_code == status
    for text in (answer.text, api.text):
        assert str(error) not in text
        assert "Traceback" not in text
    assert str(error) in caplog.text
    assert ("Retry-After" in answer.headers) is (status == 503)


def test_an_unavailable_store_is_a_503_page(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise Unavailable("http://inner:8080")

    monkeypatch.setattr(state_of(app).services.vectors, "live", fail)
    answer = app.test_client().get("/")
    assert answer.status_code == 503
    assert "inner" not in answer.text


@pytest.mark.parametrize(
    ("accept", "mimetype"),
    [
        ("text/html", "text/html"),
        ("*/*", "text/html"),
        ("", "text/html"),
        ("application/json", "application/problem+json"),
        ("application/problem+json", "application/problem+json"),
        ("image/png", "text/html"),
    ],
)
def test_errors_are_html_or_json_by_the_accept_header(
    client: FlaskClient, accept: str, mimetype: str
) -> None:
    assert client.get("/nothing", headers={"Accept": accept}).mimetype == mimetype


def test_every_gallery_error_has_a_handler(app: Flask) -> None:
    assert GalleryError in app.error_handler_spec[None][None]


def test_create_app_makes_apps_that_share_nothing(settings_with: Callable[..., Settings]) -> None:
    one, two = settings_with(max_query=5), settings_with(max_query=50)
    apps = [app_with(settings) for settings in (one, two)]
    assert [app.test_client().get("/?q=longer+than+five").status_code for app in apps] == [400, 200]


def test_too_many_form_fields_are_rejected(client: FlaskClient) -> None:
    data = {f"f{number}": (io.BytesIO(encoded(drawing("#fff", 0))), "a.png") for number in range(200)}
    assert client.post("/", data=data).status_code == 413


def test_a_work_page_has_open_graph_tags(client: FlaskClient, work: Artwork) -> None:
    page = client.get(f"/works/{work.id}").text
    assert '<meta property="og:title" content="Work by Ada Amber">' in page
    assert (
        '<meta property="og:description" content="Painting by Ada Amber, 1840–1926, Impressionism">' in page
    )
    found = re.search(r'property="og:image" content="(http://localhost/[^"]+)"', page)
    assert found
    assert client.get(found[1]).status_code == 200


def test_every_artist_has_a_page(client: FlaskClient) -> None:
    index = client.get("/artists").text
    links = re.findall(r'href="(/artists/[^"]+)"', index)
    assert len(links) == 4
    for link in links:
        answer = client.get(link)
        assert answer.status_code == 200
        assert answer.text.count('<li class="hit ') == 4


def test_an_artist_page_has_years_and_the_full_biography(client: FlaskClient) -> None:
    page = client.get("/artists/ada-amber").text
    for fact in (
        "1840–1926",
        "French",
        "Impressionism",
        "Ada painted light.",
        "a long life",
        "wikipedia.org/wiki/Ada",
    ):
        assert fact in page


@pytest.mark.parametrize(
    ("address", "missing"),
    [
        ("/works/0000000000000000", "This painting may no longer be"),
        ("/artists/nobody", "This artist may no longer be"),
        ("/nowhere", "There’s no page at this address"),
        ("/static/nothing.css", "There’s no page at this address"),
        ("/images/nothing.jpg", "There’s no page at this address"),
        ("/?like=0000000000000000", "This painting may no longer be"),
        ("/api/v1/works/0000000000000000", "This painting may no longer be"),
        ("/api/v1/artists/nobody", "This artist may no longer be"),
        ("/api/v1/nowhere", "The API has no such address"),
    ],
)
def test_a_404_says_what_does_not_exist(client: FlaskClient, address: str, missing: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 404 and missing in answer.text


def test_the_works_of_an_artist_are_paged(client: FlaskClient) -> None:
    page = client.get("/artists/ada-amber?limit=3").text
    assert page.count('<li class="hit ') == 3
    found = re.search(r'<a href="([^"]+)">More works</a>', page)
    assert found
    assert client.get(html.unescape(found[1])).text.count('<li class="hit ') == 1


def test_pages_are_compressed_on_request(client: FlaskClient) -> None:
    plain = client.get("/?q=sea")
    packed = client.get("/?q=sea", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert re.sub(r"in \d.\d\d s", "", gzip.decompress(packed.data).decode()) == re.sub(
        r"in \d.\d\d s", "", plain.text
    )
    assert "Accept-Encoding" in plain.headers["Vary"]


def test_static_files_are_compressed_on_request(client: FlaskClient) -> None:
    [path] = re.findall(r'src="(/static/[^"]+htmx[^"]+)"', client.get("/").text)
    plain, packed = client.get(path), client.get(path, headers={"Accept-Encoding": "gzip"})
    assert gzip.decompress(packed.data) == plain.data
    assert packed.headers["ETag"] != plain.headers["ETag"]


def test_the_style_sheet_of_ratios_matches_the_code() -> None:
    sheet = (Path(serving.__file__).parent / "static" / "ratios.css").read_text("utf-8")
    assert sheet.partition("\n")[2] == ratio_rules()


def test_vendored_files_have_a_version_and_a_licence() -> None:
    for folder in (Path(serving.__file__).parent / "static" / "vendor").iterdir():
        assert re.fullmatch(r"[a-z]+-\d+\.\d+\.\d+", folder.name)
        assert (folder / "LICENSE").read_text("utf-8").strip()
