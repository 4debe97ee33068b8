"""The API's lists of works, artists, facets and builds; cursors, ETags and CORS."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gallery.errors import Unavailable
from gallery.models import Artwork
from gallery.settings import Settings, read_settings
from serving import create_app
from tests.fakes.collection import ARTISTS, stocked
from tests.fakes.web import app_with, body, state_of

API = "/api/v1"
LISTS = ["search?q=sea", "works?", "works?style=Impressionism", "artists?"]
CACHED = [
    "search?q=sea",
    "works",
    "works/{id}",
    "works/{id}/similar",
    "artists",
    "artists/bo-blue",
    "facets",
    "builds/live",
]


def pages(client: FlaskClient, path: str) -> list[dict[str, Any]]:
    """Return all pages of a list, three results each."""
    cursor, found = "", []
    while True:
        found.append(body(client.get(f"{API}/{path}&limit=3{cursor}")))
        if found[-1]["next_cursor"] is None:
            return found
        cursor = f"&cursor={found[-1]['next_cursor']}"


@pytest.mark.parametrize(("path", "total"), list(zip(LISTS, (16, 16, 8, 4), strict=True)))
def test_cursors_page_through_a_whole_list(client: FlaskClient, path: str, total: int) -> None:
    results = [result for page in pages(client, path) for result in page["results"]]
    names = [result.get("id") or result["slug"] for result in results]
    assert len(names) == len(set(names)) == total


@pytest.mark.parametrize("path", LISTS)
def test_the_link_header_is_the_next_page(client: FlaskClient, path: str) -> None:
    first = client.get(f"{API}/{path}&limit=3")
    address, relation = first.headers["Link"].split("; ")
    assert relation == 'rel="next"'
    cursor = body(first)["next_cursor"]
    assert (
        client.get(address.strip("<>")).json["results"]
        == client.get(f"{API}/{path}&limit=3&cursor={cursor}").json["results"]
    )  # type: ignore[index]


@pytest.mark.parametrize("path", LISTS)
def test_a_cursor_is_gone_after_a_new_build(client: FlaskClient, app: Flask, path: str) -> None:
    cursor = body(client.get(f"{API}/{path}&limit=3"))["next_cursor"]
    state_of(app).services.vectors = stocked(state_of(app).settings, name="two").vectors
    answer = client.get(f"{API}/{path}&limit=3&cursor={cursor}")
    assert (answer.status_code, answer.mimetype) == (410, "application/problem+json")


def test_a_cursor_of_another_request_is_refused(client: FlaskClient) -> None:
    cursor = body(client.get(f"{API}/works?limit=3"))["next_cursor"]
    for path in ("works?style=Cubism&", "artists?", "search?q=sea&"):
        assert client.get(f"{API}/{path}cursor={cursor}").status_code == 400
    assert client.get(f"{API}/works?cursor={'A' * len(cursor)}").status_code == 400


def test_a_work_has_its_hash_and_build(client: FlaskClient, work: Artwork) -> None:
    found = body(client.get(f"{API}/works/{work.id}"))
    assert (found["id"], found["sha256"], found["build"]) == (work.id, work.sha256, "one")
    assert found["alt"].startswith("Painting by")
    assert client.get(f"{API}/works/none").status_code == 404


def test_similar_works_leave_out_the_work(client: FlaskClient, work: Artwork) -> None:
    found = body(client.get(f"{API}/works/{work.id}/similar?limit=5"))
    assert found["query"]["like"] == [{"id": work.id, "weight": 1}]
    assert work.id not in [result["id"] for result in found["results"]]
    assert len(found["results"]) == 5
    assert client.get(f"{API}/works/none/similar").status_code == 404


def test_artists_are_ordered_by_name(client: FlaskClient) -> None:
    found = body(client.get(f"{API}/artists"))
    assert [artist["slug"] for artist in found["results"]] == [artist.slug for artist in ARTISTS]
    one = body(client.get(f"{API}/artists/ada-amber"))
    assert (one["bio"], one["works"], len(one["samples"])) == ("Ada painted light. It was a long life.", 4, 4)
    assert client.get(f"{API}/artists/none").status_code == 404


def test_facets_count_works_that_match_the_filters(client: FlaskClient) -> None:
    found = body(client.get(f"{API}/facets?style=Cubism"))
    assert found["total"] == 4
    styles = {value["value"]: (value["works"], value["chosen"]) for value in found["style"]}
    assert styles["Cubism"] == (4, True) and styles["Impressionism"] == (8, False)
    assert [value["label"] for value in found["artist"]] == ["Bo Blue"]


def test_builds_name_their_dataset_without_its_folder(client: FlaskClient) -> None:
    live = body(client.get(f"{API}/builds/live"))
    assert live == {
        "name": "one", "works": 16, "dataset": "paintings.zip", "version": "v7",
        "fingerprint": live["fingerprint"],
        "dim": 48, "generated": False, "created_at": "2026-03-04T05:06:07+00:00", "live": True,
        "encoder": "Fake (48 floats)",
    }  # fmt: skip
    assert [build["name"] for build in body(client.get(f"{API}/builds"))["results"]] == ["one"]


@pytest.mark.parametrize("path", CACHED)
def test_an_unchanged_answer_is_a_304(
    client: FlaskClient, app: Flask, monkeypatch: pytest.MonkeyPatch, work: Artwork, path: str
) -> None:
    address = f"{API}/{path.format(id=work.id)}"
    tag = client.get(address).headers["ETag"]
    again = client.get(address, headers={"If-None-Match": tag})
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", tag)
    assert client.get(address, headers={"If-None-Match": 'W/"other"'}).status_code == 200
    other = stocked(state_of(app).settings, name="two").vectors
    monkeypatch.setattr(state_of(app).services, "vectors", other)
    assert client.get(address, headers={"If-None-Match": tag}).status_code == 200


def test_an_unchanged_search_is_not_run_again(
    client: FlaskClient, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise Unavailable("no search here")

    tag = client.get(f"{API}/search?q=sea").headers["ETag"]
    monkeypatch.setattr(state_of(app).engine, "search", broken)
    assert client.get(f"{API}/search?q=sea", headers={"If-None-Match": tag}).status_code == 304
    assert client.get(f"{API}/search?q=land", headers={"If-None-Match": tag}).status_code == 503


def test_different_requests_have_different_etags(client: FlaskClient) -> None:
    addresses = [f"{API}/search?q=sea", f"{API}/search?q=land", f"{API}/search?q=sea&limit=2", f"{API}/works"]
    assert len({client.get(address).headers["ETag"] for address in addresses}) == 4
    elsewhere = client.get(addresses[0], headers={"Host": "example.org"})
    assert elsewhere.headers["ETag"] != client.get(addresses[0]).headers["ETag"]  # it holds whole addresses


def test_etags_change_before_signed_addresses_expire(
    settings_with: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_with(delivery="app", signed_for=4000)
    app = create_app(settings, services=stocked(settings))
    object.__setattr__(state_of(app), "settings", settings.model_copy(update={"delivery": "signed"}))
    client = app.test_client()
    tags = []
    for now in (0.0, 900.0, 1100.0):
        monkeypatch.setattr("serving.api.caching.time", SimpleNamespace(time=lambda now=now: now))
        tags.append(client.get(f"{API}/works").headers["ETag"])
    assert tags[0] == tags[1] != tags[2]


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_another_method_is_refused(client: FlaskClient, method: str) -> None:
    answer = getattr(client, method)(f"{API}/works")
    assert (answer.status_code, answer.mimetype) == (405, "application/problem+json")
    assert "GET" in answer.headers["Allow"]


def test_before_the_first_build_the_answer_is_503(settings: Settings) -> None:
    client = create_app(settings, services=stocked(settings, publish=False)).test_client()
    for path in ("search?q=sea", "works", "artists", "facets", "builds/live"):
        answer = client.get(f"{API}/{path}")
        assert (answer.status_code, answer.mimetype) == (503, "application/problem+json")
        assert int(answer.headers["Retry-After"]) > 0


def cors_client(settings_with: Callable[..., Settings], cors: str | None) -> FlaskClient:
    return app_with(settings_with(cors=cors)).test_client()


ORIGIN = "https://example.org"


@pytest.mark.parametrize(
    ("cors", "allowed"),
    [
        (None, None),
        ("*", "*"),
        (ORIGIN, ORIGIN),
        (f"http://localhost:3000, {ORIGIN}", ORIGIN),
        ("https://example.com", None),
    ],
)
def test_cors_allows_the_origins_of_the_setting(
    settings_with: Callable[..., Settings], cors: str | None, allowed: str | None
) -> None:
    client = cors_client(settings_with, cors)
    for path in ("search?q=sea", "works/none", "search?q=", "nothing"):
        answer = client.get(f"{API}/{path}", headers={"Origin": ORIGIN})
        assert answer.headers.get("Access-Control-Allow-Origin") == allowed
    asked = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    before = client.options(f"{API}/search", headers=asked)
    assert before.status_code == 200
    assert ("POST" in before.headers.get("Access-Control-Allow-Methods", "")) == (allowed is not None)
    assert "Access-Control-Allow-Origin" not in client.get("/", headers={"Origin": ORIGIN}).headers
    assert "Access-Control-Allow-Credentials" not in before.headers


def test_answers_vary_by_origin(settings_with: Callable[..., Settings]) -> None:
    client = cors_client(settings_with, ORIGIN)
    assert "Origin" in client.get(f"{API}/works").headers["Vary"]


@pytest.mark.parametrize(
    "cors", ["example.org", "https://example.org/", "*, https://a.org", "https://*.org", "null"]
)
def test_an_invalid_origin_in_the_settings_is_refused(cors: str) -> None:
    with pytest.raises(Exception, match="GALLERY_CORS"):
        read_settings(cors=cors)


@pytest.mark.parametrize("path", ["/api", "/api/"])
def test_the_reference_is_a_page(client: FlaskClient, path: str) -> None:
    answer = client.get(path, follow_redirects=True)
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    assert "POST /api/v1/search" in answer.text and "next_cursor" in answer.text
    assert "style=" not in answer.text and "<script>" not in answer.text
