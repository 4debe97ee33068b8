"""Kaggle -> the pipeline -> a bucket and Weaviate -> the web app, each a process of its own, with the real clients."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fakes.archives import picture
from tests.production.conftest import ARTISTS, PLANTED, WORKS, Answer, Services, wait_for

SAMPLED = ARTISTS * 3


@pytest.fixture(scope="module", autouse=True)
def refreshed(services: Services) -> dict[str, object]:
    """The figures of a first refresh."""
    figures: dict[str, object] = json.loads(services.run("refresh", "--json").stdout)
    return figures


def test_the_refresh_counts_what_kaggle_has(refreshed: dict[str, object]) -> None:
    assert refreshed["files"] == ARTISTS * WORKS + 1 and refreshed["quarantined"] == 1
    assert refreshed["sampled"] == refreshed["indexed"] == refreshed["images_uploaded"] == SAMPLED


def test_a_second_refresh_fetches_uploads_and_encodes_nothing(services: Services) -> None:
    figures = json.loads(services.run("refresh", "--json").stdout)
    assert figures["images_uploaded"] == figures["embedded"] == 0 and figures["indexed"] == SAMPLED


def test_the_doctor_finds_all_in_order(services: Services) -> None:
    findings = json.loads(services.run("doctor", "--json").stdout)
    assert len(findings) >= 8 and all(finding["ok"] for finding in findings)


def test_words_find_works_and_their_pictures_can_be_seen(site: Callable[..., Answer]) -> None:
    wait_for(lambda: site("/readyz").status == 200, "ready")
    page = site("/?q=painter+c")
    assert page.status == 200 and "Painter C" in page.text
    seen = re.findall(r'src="(/pictures/[^"]+)"', page.text)
    assert seen
    for address in seen[:3]:
        shown = site(address)
        assert shown.status == 200 and shown.headers["Content-Type"] == "image/webp"
        assert site(address, **{"If-None-Match": shown.headers["ETag"]}).status == 304


def test_the_api_filters_and_says_which_build_answered(
    site: Callable[..., Answer], refreshed: dict[str, object]
) -> None:
    wait_for(lambda: site("/readyz").status == 200, "ready")
    found = site("/api/v1/search?q=anything&k=5&artist=painter-b").json
    assert refreshed["build"] in json.dumps(found)
    assert {result["artist"]["slug"] for result in found["results"]} == {"painter-b"}  # type: ignore[attr-defined]


def test_an_uploaded_picture_finds_itself(site: Callable[..., Answer]) -> None:
    wait_for(lambda: site("/readyz").status == 200, "ready")
    boundary = "frontier"
    name = b'Content-Disposition: form-data; name="picture"; filename="p.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
    scores = []
    for number in range(1, WORKS + 1):  # one of them is not in the sample
        body = b"--frontier\r\n" + name + picture(200 + number) + b"\r\n--frontier--\r\n"
        kind = f"multipart/form-data; boundary={boundary}"
        best = site("/api/v1/search", body, **{"Content-Type": kind}).json["results"][0]  # type: ignore[index]
        scores.append((best["artist"]["slug"], round(best["score"], 2)))
    assert scores.count(("painter-c", 1.0)) >= 3


def test_an_outage_of_the_store_is_said_and_passes_by_itself(
    services: Services, site: Callable[..., Answer]
) -> None:
    wait_for(lambda: site("/readyz").status == 200, "ready")
    with services.outage():
        page = site("/?q=painter+c", Accept="text/html")
        assert page.status == 503 and int(page.headers["Retry-After"]) <= 30
        assert "Traceback" not in page.text and "<h1" in page.text
        problem = site("/api/v1/search?q=painter+c")
        assert problem.status == 503 and problem.headers["Content-Type"] == "application/problem+json"
        assert site("/healthz").status == 200 and site("/readyz").status == 503
    assert wait_for(lambda: site("/?q=painter+c").status == 200, "back to normal") < 15


def test_wrong_keys_are_said_without_being_repeated(services: Services) -> None:
    wrong = dict(
        services.environment, GALLERY_VECTORS_KEY="pl4nted-wrong", GALLERY_VECTORS_SEARCH_KEY="pl4nted-wrong"
    )
    said = Services(services.folder, wrong, services.weaviate).run("doctor", "--json", expect=1)
    findings = {finding["part"]: finding for finding in json.loads(said.stdout)}
    assert not findings["vectors"]["ok"] and "GALLERY_VECTORS_KEY" in findings["vectors"]["what"]


def test_planted_secrets_are_nowhere(services: Services, site: Callable[..., Answer]) -> None:
    """Runs last: in no log, output, page, table, object or Dagster record of all the above."""
    shown = services.run("settings").stdout + services.run("settings", "--json").stdout
    pages = [site(path).text for path in ("/", "/?q=x", "/no-such-page", "/api/v1/search?q=", "/readyz")]
    files = [path for path in services.folder.rglob("*") if path.is_file() and path.suffix != ".zip"]
    assert (services.folder / "serve.log") in files and any(path.suffix == ".db" for path in files)
    for secret in PLANTED:
        assert secret not in shown and not any(secret in page for page in pages), secret
        for path in files:
            assert secret.encode() not in _content(path), f"{secret} in {path}"


def _content(path: Path) -> bytes:
    if path.suffix != ".db":
        return path.read_bytes()
    with sqlite3.connect(path) as database:  # with its write-ahead log, and whatever is packed unpacked
        return "\n".join(database.iterdump()).encode()
