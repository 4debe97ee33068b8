"""Delivery of images: through the app, or from the image store by public or signed addresses."""

from __future__ import annotations

import html
import logging
import re
import threading
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient

from gallery.errors import Invalid, Unavailable
from gallery.models import Artwork
from gallery.objects.base import ObjectStore
from gallery.objects.gcs import GcsObjects
from gallery.services import Services
from gallery.settings import Settings
from serving import create_app, image_urls
from serving.command import serve
from serving.image_urls import ImageUrls
from tests.fakes.collection import stock, stocked
from tests.fakes.gcs import create_bucket, fake_gcs, service_account_key, without_credentials
from tests.fakes.processes import free_port
from tests.fakes.web import app_with

ADDRESS = re.compile(r'<img[^>]* src="([^"]+)"')
SETS = re.compile(r'srcset="([^"]+)"')


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """Run a server with a bucket that has the images of the sample gallery; yield its address."""
    with fake_gcs() as endpoint, pytest.MonkeyPatch.context() as patch:
        patch.setenv("STORAGE_EMULATOR_HOST", endpoint)
        store = GcsObjects(create_bucket(endpoint, "paintings"), "pictures")
        for key, data in stock()[1].items():
            store.add(key, data, "image/png" if key.endswith("png") else "image/webp")
        yield endpoint


@pytest.fixture
def bucket(endpoint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> GcsObjects:
    """Return a store on that bucket, with a key to sign with."""
    without_credentials(monkeypatch, tmp_path)
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", endpoint)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "key.json"))
    service_account_key(tmp_path / "key.json")
    return GcsObjects("paintings", "pictures")


@pytest.fixture
def delivering(settings: Settings) -> Callable[..., Flask]:
    """Return a function that makes a warm app with this delivery and image store."""

    def make(how: str, store: ObjectStore, **more: Any) -> Flask:
        chosen = settings.model_copy(update={"delivery": how, **more})
        services = stocked(chosen)
        services.images = store
        return app_with(chosen, services)

    return make


def addresses(client: FlaskClient, page: str) -> list[str]:
    """Return the addresses of all images on the page."""
    answer = client.get(page)
    assert answer.status_code == 200
    sets = [part.split()[0] for found in SETS.findall(answer.text) for part in found.split(", ")]
    return [html.unescape(address) for address in ADDRESS.findall(answer.text) + sets]


def pages(work: Artwork) -> tuple[str, str, str]:
    return "/", "/?q=sea", f"/works/{work.id}"


def from_api(client: FlaskClient) -> list[str]:
    answer = client.get("/api/v1/search?q=sea&limit=2")
    assert isinstance(answer.json, dict)
    results = answer.json["results"]
    return [result["image"][name] for result in results for name in ("small", "large", "original")]


def policy(client: FlaskClient) -> str:
    [images] = re.findall(r"img-src ([^;]+);", client.get("/healthz").headers["Content-Security-Policy"])
    return str(images)


def test_by_default_the_app_serves_images(client: FlaskClient, work: Artwork) -> None:
    for page in pages(work):
        found = addresses(client, page)
        assert found and all(address.startswith("/images/") for address in found)
    assert all(address.startswith("http://localhost/images/") for address in from_api(client))
    assert policy(client) == "'self' data:"


def test_the_app_serves_images_from_a_bucket(
    delivering: Callable[..., Flask], bucket: GcsObjects, work: Artwork
) -> None:
    client = delivering("app", bucket).test_client()
    answer = client.get(f"/images/{work.image.original}", headers={"Range": "bytes=0-3"})
    assert (answer.status_code, answer.data) == (206, stock()[1][work.image.original][:4])
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    again = client.get(f"/images/{work.image.original}", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304
    assert client.get("/images/originals/none.png").status_code == 404
    assert policy(client) == "'self' data:"


@pytest.mark.parametrize("how", ["signed", "public"])
def test_browsers_load_images_from_the_bucket(
    delivering: Callable[..., Flask], bucket: GcsObjects, endpoint: str, work: Artwork, how: str
) -> None:
    client = delivering(how, bucket).test_client()
    found = [address for page in pages(work) for address in addresses(client, page)]
    assert len(set(found)) > 10
    for address in {*found, *from_api(client)}:
        assert address.startswith(f"{endpoint}/paintings/pictures/")
        assert ("X-Goog-Signature=" in address) == (how == "signed")
        key = address.partition("?")[0].removeprefix(f"{endpoint}/paintings/pictures/")
        with urllib.request.urlopen(address) as answer:
            assert answer.read() == stock()[1][key]


@pytest.mark.parametrize("how", ["signed", "public"])
def test_the_content_security_policy_allows_only_the_bucket(
    delivering: Callable[..., Flask], bucket: GcsObjects, endpoint: str, how: str
) -> None:
    client = delivering(how, bucket).test_client()
    assert policy(client) == f"'self' data: {endpoint}"
    headers = client.get("/healthz").headers
    assert headers["Content-Security-Policy"].count(endpoint) == 1
    assert "Cross-Origin-Embedder-Policy" not in headers


def test_the_content_security_policy_names_google_without_an_emulator(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STORAGE_EMULATOR_HOST", raising=False)
    services = stocked(settings)
    services.images = GcsObjects("paintings")
    client = create_app(settings.model_copy(update={"delivery": "public"}), services=services).test_client()
    assert policy(client) == "'self' data: https://storage.googleapis.com"


def test_the_app_also_serves_images_that_the_bucket_delivers(
    delivering: Callable[..., Flask], bucket: GcsObjects, work: Artwork
) -> None:
    """An older page may still be open, or an address could not be signed."""
    client = delivering("public", bucket).test_client()
    assert client.get(f"/images/{work.image.small}").data == stock()[1][work.image.small]


@pytest.mark.parametrize("how", ["signed", "public"])
@pytest.mark.parametrize("images", ["file://{home}/images", "memory://"])
def test_a_store_without_web_addresses_is_rejected_at_startup(
    settings_with: Callable[..., Settings], how: str, images: str
) -> None:
    with pytest.raises(Invalid, match=rf"GALLERY_DELIVERY={how} is not possible: .*GALLERY_DELIVERY=app"):
        create_app(settings_with(images=images, delivery=how))


def test_serve_reports_a_store_without_web_addresses(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GALLERY_HOME", str(tmp_path))
    monkeypatch.setenv("GALLERY_DELIVERY", "signed")
    result = CliRunner().invoke(serve, ["--port", str(free_port())])
    assert result.exit_code == 1
    assert "GALLERY_DELIVERY=signed is not possible: file://" in result.output


# -- signed addresses


class Signer:
    """A store that only signs. Each address is different; while `error` is set, it is raised instead."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []
        self.error: Exception | None = None
        self._lock = threading.Lock()

    def public_url(self, key: str) -> str:
        return f"https://pictures.example/{key}"

    def signed_url(self, key: str, seconds: int) -> str:
        with self._lock:
            self.asked.append((key, seconds))
            if self.error is not None:
                raise self.error
            return f"https://pictures.example/{key}?signature={len(self.asked)}"


@pytest.fixture
def signer() -> Signer:
    return Signer()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time in seconds, which tests change."""
    now = [1_000_000.0]
    monkeypatch.setattr("serving.image_urls.time.time", lambda: now[0])
    monkeypatch.setattr("serving.image_urls.time.monotonic", lambda: now[0])
    return now


@pytest.fixture
def signed(settings: Settings, signer: Signer, clock: list[float]) -> ImageUrls:
    """Return image addresses that are signed for 1000 s."""
    services = Services(settings)
    services.images = signer  # type: ignore[assignment]
    return ImageUrls(settings.model_copy(update={"delivery": "signed", "signed_for": 1000}), services)


def test_a_signed_address_is_renewed_after_half_of_its_lifetime(
    signed: ImageUrls, signer: Signer, clock: list[float]
) -> None:
    first = signed.url_for("a")
    clock[0] += 499
    assert signed.url_for("a") == first
    clock[0] += 1
    second = signed.url_for("a")
    assert second != first
    assert signer.asked == [("a", 1000), ("a", 1000)]


def test_addresses_are_the_same_for_every_thread(signed: ImageUrls) -> None:
    keys = [f"k/{number}" for number in range(50)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: [signed.url_for(key) for key in keys], range(8)))
    assert all(addresses == found[0] for addresses in found)


def test_the_cache_of_signed_addresses_is_bounded(
    signed: ImageUrls, signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_urls, "MAX_SIGNED_URLS", 3)
    for key in ("a", "b", "c", "a", "d"):
        signed.url_for(key)
    assert [key for key, _ in signer.asked] == ["a", "b", "c", "d"]
    signed.url_for("a")  # used recently, so still in the cache
    signed.url_for("b")
    assert [key for key, _ in signer.asked] == ["a", "b", "c", "d", "b"]


def test_a_failing_signer_is_logged_once_and_not_called_for_every_image(
    signed: ImageUrls, signer: Signer, clock: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    signer.error = Unavailable("IAM is away")
    with caplog.at_level(logging.INFO):
        assert [signed.url_for(key) for key in "abc"] == [None] * 3
        assert len(signer.asked) == 1
        clock[0] += 61
        assert signed.url_for("a") is None
        assert len(signer.asked) == 2
    assert [record.getMessage() for record in caplog.records] == [
        "The image store cannot sign addresses; the app serves the images itself for now: IAM is away"
    ]
    signer.error = None
    clock[0] += 61
    assert str(signed.url_for("a")).startswith("https://pictures.example/a?")


def test_a_valid_address_is_used_while_the_signer_fails(
    signed: ImageUrls, signer: Signer, clock: list[float]
) -> None:
    first = signed.url_for("a")
    signer.error = Unavailable("IAM is away")
    assert signed.url_for("b") is None
    assert signed.url_for("a") == first


def test_the_app_serves_images_if_none_can_be_signed(
    delivering: Callable[..., Flask], bucket: GcsObjects, work: Artwork, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS")
    client = delivering("signed", bucket).test_client()
    with caplog.at_level(logging.WARNING):
        for page in pages(work):
            found = addresses(client, page)
            assert found and all(client.get(address).status_code == 200 for address in found)
        assert all(address.startswith("http://localhost/images/") for address in from_api(client))
    [said] = [record.getMessage() for record in caplog.records if record.name == "serving.image_urls"]
    assert "GOOGLE_APPLICATION_CREDENTIALS" in said
