"""From Kaggle to the web app: the pipeline, a bucket and Weaviate as processes, with the real clients."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fakes.archives import picture
from tests.fakes.deployment import ARTISTS, PLANTED, WORKS, Answer, Deployment
from tests.fakes.processes import wait_for

pytestmark = pytest.mark.services

SAMPLED = ARTISTS * 3


@pytest.fixture(scope="module", autouse=True)
def refreshed(deployment: Deployment) -> dict[str, object]:
    """Return the counts of a first refresh."""
    figures: dict[str, object] = json.loads(deployment.run("refresh", "--json").stdout)
    return figures


def test_the_refresh_counts_what_kaggle_has(refreshed: dict[str, object]) -> None:
    assert refreshed["files"] == ARTISTS * WORKS + 1 and refreshed["quarantined"] == 1
    assert refreshed["sampled"] == refreshed["indexed"] == refreshed["images_uploaded"] == SAMPLED


def test_a_second_refresh_fetches_uploads_and_encodes_nothing(deployment: Deployment) -> None:
    figures = json.loads(deployment.run("refresh", "--json").stdout)
    assert figures["images_uploaded"] == figures["embedded"] == 0 and figures["indexed"] == SAMPLED


def test_the_doctor_finds_all_in_order(deployment: Deployment) -> None:
    findings = json.loads(deployment.run("doctor", "--json").stdout)
    assert len(findings) >= 8 and {finding["status"] for finding in findings} == {"ok"}
    loader = ("GALLERY_VECTORS_KEY", "GALLERY_TABLES", "GALLERY_DATASET")
    web = {name: value for name, value in deployment.environment.items() if name not in loader}
    machine = Deployment(deployment.folder, web, deployment.weaviate)
    findings = json.loads(machine.run("doctor", "--web", "--json").stdout)
    assert {finding["status"] for finding in findings} == {"ok"}


def test_a_search_finds_works_with_images(web_app: Callable[..., Answer]) -> None:
    wait_for(lambda: web_app("/readyz").status == 200, "ready")
    page = web_app("/?q=painter+c")
    assert page.status == 200 and "Painter C" in page.text
    seen = re.findall(r'src="(/images/[^"]+)"', page.text)
    assert seen
    for address in seen[:3]:
        shown = web_app(address)
        assert shown.status == 200 and shown.headers["Content-Type"] == "image/webp"
        assert web_app(address, **{"If-None-Match": shown.headers["ETag"]}).status == 304


def test_the_api_filters_and_says_which_build_answered(
    web_app: Callable[..., Answer], refreshed: dict[str, object]
) -> None:
    wait_for(lambda: web_app("/readyz").status == 200, "ready")
    found = web_app("/api/v1/search?q=anything&limit=5&artist=painter-b").json
    assert refreshed["build"] in json.dumps(found)
    assert {result["artist"]["slug"] for result in found["results"]} == {"painter-b"}  # type: ignore[attr-defined]


def test_an_uploaded_image_finds_itself(web_app: Callable[..., Answer]) -> None:
    wait_for(lambda: web_app("/readyz").status == 200, "ready")
    boundary = "frontier"
    name = (
        b'Content-Disposition: form-data; name="image"; filename="p.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
    )
    scores = []
    for number in range(1, WORKS + 1):  # one of them is not in the sample
        body = b"--frontier\r\n" + name + picture(200 + number) + b"\r\n--frontier--\r\n"
        kind = f"multipart/form-data; boundary={boundary}"
        best = web_app("/api/v1/search", body, **{"Content-Type": kind}).json["results"][0]  # type: ignore[index]
        scores.append((best["artist"]["slug"], round(best["score"], 2)))
    assert scores.count(("painter-c", 1.0)) >= 3


def test_an_outage_of_the_store_is_a_503_until_it_ends(
    deployment: Deployment, web_app: Callable[..., Answer]
) -> None:
    wait_for(lambda: web_app("/readyz").status == 200, "ready")
    with deployment.outage():
        page = web_app("/?q=painter+c", Accept="text/html")
        assert page.status == 503 and int(page.headers["Retry-After"]) <= 30
        assert "Traceback" not in page.text and "<h1" in page.text
        problem = web_app("/api/v1/search?q=painter+c")
        assert problem.status == 503 and problem.headers["Content-Type"] == "application/problem+json"
        assert web_app("/healthz").status == 200 and web_app("/readyz").status == 503
    wait_for(lambda: web_app("/?q=painter+c").status == 200, "back to normal")


def test_wrong_keys_are_reported_without_their_value(deployment: Deployment) -> None:
    wrong = dict(
        deployment.environment,
        GALLERY_VECTORS_KEY="pl4nted-wrong",
        GALLERY_VECTORS_SEARCH_KEY="pl4nted-wrong",
    )
    said = Deployment(deployment.folder, wrong, deployment.weaviate).run("doctor", "--json", expect=1)
    findings = {finding["check"]: finding for finding in json.loads(said.stdout)}
    assert (
        findings["vectors"]["status"] == "failed" and "GALLERY_VECTORS_KEY" in findings["vectors"]["result"]
    )


def test_planted_secrets_are_nowhere(deployment: Deployment, web_app: Callable[..., Answer]) -> None:
    """They are in no log, output, page, table, object or Dagster record of the tests above."""
    shown = deployment.run("settings").stdout + deployment.run("settings", "--json").stdout
    pages = [web_app(path).text for path in ("/", "/?q=x", "/no-such-page", "/api/v1/search?q=", "/readyz")]
    files = [path for path in deployment.folder.rglob("*") if path.is_file() and path.suffix != ".zip"]
    assert (deployment.folder / "serve.log") in files and any(path.suffix == ".db" for path in files)
    for secret in PLANTED:
        assert secret not in shown and not any(secret in page for page in pages), secret
        for path in files:
            assert secret.encode() not in _content(path), f"{secret} in {path}"


def _content(path: Path) -> bytes:
    if path.suffix != ".db":
        return path.read_bytes()
    with sqlite3.connect(path) as database:  # includes the write-ahead log
        return "\n".join(database.iterdump()).encode()
