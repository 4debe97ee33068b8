"""Each request looks the live collection up once, and sees one collection from beginning to end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gallery.errors import Unavailable
from gallery.models import Artwork, Build
from gallery.services import Services
from gallery.settings import Settings
from gallery.vectors.base import Collection, VectorStore
from tests.fakes.collection import drawing, encoded, stocked
from tests.fakes.map_layout import hang
from tests.fakes.web import app_with, state_of, upload

API = "/api/v1"
PAGES = {
    "/": 1,
    "/?q=light": 1,
    "/?q=light&exclude=dark&like={id}&style=Impressionism&per_artist=2&offset=2": 1,
    "/?style=Cubism": 1,
    "/?q=light&active_from=then": 1,
    "/?like=nobody": 1,
    "/works/{id}": 1,
    "/works/nobody": 1,
    "/artists": 1,
    "/artists/ada-amber": 1,
    "/artists/nobody": 1,
    "/map": 1,
    "/map?q=light": 1,
    "/map?style=Cubism": 1,
    "/map/layout.json": 1,
    "/map/card/{id}": 1,
    "/nothing": 1,
    "/api": 1,
    "/readyz": 1,
    "/healthz": 0,
    "/images/{image}": 0,
    f"{API}/search?q=light": 1,
    f"{API}/search?q=light&like={{id}}": 1,
    f"{API}/search?q=": 0,
    f"{API}/works": 1,
    f"{API}/works/{{id}}": 1,
    f"{API}/works/{{id}}/similar": 1,
    f"{API}/works/nobody": 1,
    f"{API}/artists": 1,
    f"{API}/artists/ada-amber": 1,
    f"{API}/facets": 1,
    f"{API}/builds": 1,
    f"{API}/builds/live": 1,
    f"{API}/openapi.json": 0,
}  # fmt: skip


class CountingVectorStore:
    """A vector store that counts how often the live build is looked up and a build is opened."""

    def __init__(self, store: VectorStore) -> None:
        self._store = store
        self.lookups = 0
        self.opened = 0

    def live(self) -> Build | None:
        self.lookups += 1
        return self._store.live()

    def open(self, name: str) -> Collection:
        self.opened += 1
        return self._store.open(name)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


@pytest.fixture
def store(services: Services) -> CountingVectorStore:
    hang(services)
    counting = CountingVectorStore(services.vectors)
    services.vectors = counting  # type: ignore[assignment]
    return counting


def count(store: CountingVectorStore, request: Callable[[], object]) -> int:
    """Return the lookups of a request after one that filled the caches; builds are opened as often."""
    request()
    store.lookups = store.opened = 0
    request()
    assert store.opened <= store.lookups
    return store.lookups


@pytest.mark.parametrize(("path", "lookups"), PAGES.items())
def test_a_request_looks_the_live_collection_up_once(
    store: CountingVectorStore, client: FlaskClient, work: Artwork, path: str, lookups: int
) -> None:
    address = path.format(id=work.id, image=work.image.small)
    assert count(store, lambda: client.get(address)) == lookups


@pytest.mark.parametrize("path", ["/", f"{API}/search"])
def test_an_upload_looks_the_live_collection_up_once(
    store: CountingVectorStore, app: Flask, path: str
) -> None:
    data = encoded(drawing("#c08020", 1))
    # Without following the page's redirect, which is another request.
    assert count(store, lambda: upload(app.test_client(), data, path, follow_redirects=False)) == 1


def test_an_image_of_a_search_costs_no_further_lookup(
    store: CountingVectorStore, client: FlaskClient
) -> None:
    address = upload(client).request.full_path
    assert "image=" in address
    assert count(store, lambda: client.get(address)) == 1


def test_a_json_search_looks_the_live_collection_up_once(
    store: CountingVectorStore, client: FlaskClient, work: Artwork
) -> None:
    body = {"q": "light", "images": [{"work": work.id, "crop": {"w": 0.5}}], "unlike": [{"id": work.id}]}
    assert count(store, lambda: client.post(f"{API}/search", json=body)) == 1


def test_a_store_that_fails_is_asked_once_for_a_page_and_its_error(
    store: CountingVectorStore, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        store.lookups += 1
        raise Unavailable("the store is down")

    monkeypatch.setattr(store, "live", fail)
    store.lookups = 0
    assert client.get("/?q=light").status_code == 503
    assert store.lookups == 1


@pytest.mark.parametrize("path", ["/?q=light", "/works/{id}", f"{API}/search?q=light"])
def test_a_build_published_during_a_request_is_not_mixed_into_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    services, later = stocked(settings), stocked(settings, name="two")
    app = app_with(settings, services)
    engine = state_of(app).engine
    search, work = engine.search, services.vectors.open("one").works()[0]
    found = []

    def publish_then_search(collection: Collection, *query: Any) -> Any:
        services.vectors = later.vectors
        results = search(collection, *query)
        found.append(results.build.name)
        return results

    monkeypatch.setattr(engine, "search", publish_then_search)
    client = app.test_client()
    assert client.get(path.format(id=work.id)).status_code == 200
    assert client.get(path.format(id=work.id)).status_code == 200
    assert found == ["one", "two"]
