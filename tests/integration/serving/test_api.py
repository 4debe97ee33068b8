"""The search as JSON."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from gallery.models import Artwork
from gallery.services import Services
from tests.fakes.web import API_SEARCH as PATH
from tests.fakes.web import body, upload


def test_a_search_answer_repeats_the_query_and_names_the_build(client: FlaskClient) -> None:
    answer = body(client.get(f"{PATH}?q=sea&limit=2&style=Cubism&active_to=1950"))
    assert (answer["query"]["q"], answer["query"]["filters"]) == (
        "sea",
        {"style": ["Cubism"], "active_to": 1950},
    )
    assert answer["description"] == "“sea”, style: Cubism, by artists active until 1950"
    assert (answer["limit"], answer["build"], answer["generated"]) == (2, "one", False)
    assert answer["encoder"] == "Fake (48 floats)"
    assert len(answer["results"]) == 2


def test_a_result_has_all_fields(client: FlaskClient) -> None:
    [result] = body(client.get(f"{PATH}?q=sea&limit=1&artist=ada-amber"))["results"]
    assert set(result) == {
        "id", "score", "relevance", "z_score", "weak", "matched_terms", "contributions", "artist", "file",
        "alt", "image", "url",
    }  # fmt: skip
    assert result["artist"] == {
        "slug": "ada-amber", "name": "Ada Amber", "years": "1840–1926", "birth": 1840, "death": 1926,
        "styles": ["Impressionism"], "nationalities": ["French"], "summary": "Ada painted light.",
        "wikipedia": "https://en.wikipedia.org/wiki/Ada",
    }  # fmt: skip
    assert set(result["image"]) == {"small", "large", "original", "width", "height", "color"}


def test_every_url_in_a_result_works(client: FlaskClient) -> None:
    [result] = body(client.get(f"{PATH}?q=sea&limit=1"))["results"]
    for url in (result["url"], *(result["image"][name] for name in ("small", "large", "original"))):
        assert url.startswith("http://localhost/")
        assert client.get(url).status_code == 200


def test_results_are_ordered_by_score(client: FlaskClient) -> None:
    scores = [result["score"] for result in body(client.get(f"{PATH}?q=sea&limit=10"))["results"]]
    assert scores == sorted(scores, reverse=True)


def test_an_image_finds_its_own_work(client: FlaskClient, services: Services, work: Artwork) -> None:
    answer = body(upload(client, services.images.get(work.image.original), PATH, limit="1"))
    assert (answer["results"][0]["id"], answer["query"]["q"]) == (work.id, None)


@pytest.mark.parametrize(
    ("data", "fields", "status"),
    [
        (None, {"kk": "1"}, 400),
        (b"no picture", {}, 415),
        (b"\0" * 300_000, {}, 413),
        (None, {"limit": "0"}, 400),
    ],
)
def test_an_invalid_upload_is_refused(
    client: FlaskClient, data: bytes | None, fields: dict[str, str], status: int
) -> None:
    answer = upload(client, data, PATH, **fields)
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    problem = body(answer)
    assert set(problem) - {"errors"} == {"type", "title", "status", "detail"}
    assert problem["status"] == status


@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=x", "application/x-www-form-urlencoded"])
def test_an_empty_search_is_refused(client: FlaskClient, kind: str) -> None:
    assert client.post(PATH, data=b"", content_type=kind).status_code == 400
    assert client.post(PATH, json={}).status_code == 400


def test_an_unknown_address_of_the_api_is_not_taken_for_a_missing_work(client: FlaskClient) -> None:
    answer = client.get("/api/v1/collection")
    assert (answer.status_code, answer.get_json()["detail"]) == (
        404,
        "The API has no such address; /api lists them.",
    )


def test_errors_are_json_whatever_the_accept_header(client: FlaskClient) -> None:
    for path in (PATH, "/api/v2/none"):
        assert client.get(path, headers={"Accept": "text/html"}).mimetype == "application/problem+json"


def test_an_invalid_host_header_is_handled(client: FlaskClient) -> None:
    assert client.get(f"{PATH}?q=sea", headers={"Host": "a b<>"}).status_code in (200, 400)


def test_the_score_of_an_identical_image_is_1(client: FlaskClient, services: Services, work: Artwork) -> None:
    data = services.images.get(work.image.original)
    assert body(upload(client, data, PATH))["results"][0]["score"] == pytest.approx(1.0, abs=1e-5)
