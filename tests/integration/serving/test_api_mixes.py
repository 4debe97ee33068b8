"""Searches with several terms, sent as JSON and as forms."""

from __future__ import annotations

import base64
import io
import itertools
import json
import textwrap
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from gallery.models import Artwork
from gallery.services import Services
from serving.api.request_models import UploadedImage
from tests.fakes.collection import drawing, encoded, stocked
from tests.fakes.web import API_SEARCH as PATH
from tests.fakes.web import body, state_of, upload

PICTURE = encoded(drawing("#c08020", 1))
AS_TEXT = base64.b64encode(PICTURE).decode()


LINES = (0, 60, 64, 76)
"""Characters in a line of Base64; 0 for no line breaks."""
PREFIXES = ("", "data:image/jpeg;base64,", "data:;base64,", "data:image/png;charset=utf-8;base64,", " \r\n")


@pytest.mark.parametrize("urlsafe", [False, True], ids=["standard alphabet", "URL-safe alphabet"])
@pytest.mark.parametrize("padding", [0, 1, 2], ids=lambda length: f"{length} bytes of padding")
def test_base64_is_read_as_programs_write_it(
    monkeypatch: pytest.MonkeyPatch, padding: int, urlsafe: bool
) -> None:
    monkeypatch.setattr("serving.api.request_models.encode", lambda _collection, data, *_: data)
    data = bytes(range(256)) * 3 + b"\xfb\xff" * 3 + b"\xff" * ((3 - padding) % 3)
    whole = (base64.urlsafe_b64encode if urlsafe else base64.b64encode)(data).decode()
    assert whole.count("=") == padding
    for text, length, newline, prefix, end in itertools.product(
        (whole, whole.rstrip("=")), LINES, ("\n", "\r\n"), PREFIXES, ("", "\n", " ")
    ):
        lines = newline.join(textwrap.wrap(text, length)) if length else text
        image = UploadedImage.model_validate_json(json.dumps({"data": prefix + lines + end}))
        assert image.image_term(None) == data, (text[-4:], length, prefix, end)  # type: ignore[arg-type]


@pytest.mark.parametrize("length", LINES)
@pytest.mark.parametrize(("more", "status"), [(0, 200), (1, 413)])
def test_the_limit_is_on_the_file_and_not_on_its_base64(
    client: FlaskClient, app: Flask, length: int, more: int, status: int
) -> None:
    file = PICTURE.ljust(state_of(app).settings.max_upload + more, b"\0")
    text = base64.b64encode(file).decode()
    lines = "\r\n".join(text[at : at + length] for at in range(0, len(text), length)) if length else text
    answer = client.post(PATH, json={"images": [{"data": lines}]})
    assert answer.status_code == status, body(answer)


@pytest.mark.parametrize(
    "data", ['"' + AS_TEXT + '"', "%2B" + AS_TEXT, "file:///photo.jpg", "", "é", "====="]
)
def test_what_is_not_base64_is_rejected_by_name(client: FlaskClient, data: str) -> None:
    answer = client.post(PATH, json={"images": [{"data": data}]})
    assert answer.status_code == 400
    assert body(answer)["detail"].startswith("images.0.data: Must be an image file in Base64")


def ids(answer: TestResponse) -> list[str]:
    return [result["id"] for result in body(answer)["results"]]


def test_all_kinds_of_terms_in_one_search(client: FlaskClient, services: Services) -> None:
    first, second = services.vectors.open("one").works()[:2]
    asked = {
        "q": "sea", "q_weight": 2, "exclude": "people", "images": [{"data": AS_TEXT, "weight": 0.5}],
        "like": [{"id": first.id}], "unlike": [{"id": second.id, "weight": 0.25}],
        "filters": {"nationality": ["French"], "active_from": 1800}, "per_artist": 1, "limit": 5,
    }  # fmt: skip
    answer = body(client.post(PATH, json=asked))
    terms = ["q", "exclude", "image", "like", "unlike"]
    assert [one["term"] for one in answer["results"][0]["contributions"]] == terms
    slugs = [result["artist"]["slug"] for result in answer["results"]]
    assert len(set(slugs)) == len(slugs) and set(slugs) <= {"ada-amber", "dee-dun"}
    assert {first.id, second.id}.isdisjoint(result["id"] for result in answer["results"])
    assert answer["query"]["unlike"] == [{"id": second.id, "weight": 0.25}]


def test_the_query_of_an_answer_can_be_posted_again(client: FlaskClient, work: Artwork) -> None:
    asked = {
        "q": "sea",
        "images": [{"data": AS_TEXT}],
        "unlike": [{"id": work.id}],
        "filters": {"active_to": 1950},
    }
    first = client.post(PATH, json=asked)
    again = client.post(PATH, json=body(first)["query"])
    assert body(again)["query"] == body(first)["query"]
    assert ids(again) == ids(first) != []


def test_json_and_form_give_the_same_results(client: FlaskClient, work: Artwork) -> None:
    asked = {
        "q": "sea",
        "exclude": "land",
        "images": [{"data": AS_TEXT}],
        "like": [{"id": work.id, "weight": 2}],
    }
    form = upload(
        client, PICTURE, PATH, **{"q": "sea", "exclude": "land", "like": work.id, "like_weight": "2"}
    )
    assert ids(form) == ids(client.post(PATH, json=asked))


def test_a_page_and_the_api_give_the_same_results(client: FlaskClient, work: Artwork) -> None:
    address = f"?q=sea&unlike={work.id}&style=Impressionism"
    answer = body(client.get(PATH + address))
    assert answer["page"] == f"http://localhost/{address}"
    page = client.get(answer["page"]).text
    assert len(answer["results"]) == 7
    assert all(f"/works/{result['id']}" in page for result in answer["results"])


def test_a_detail_of_an_image_gives_other_results(client: FlaskClient, work: Artwork) -> None:
    corner = {"x": 0.5, "y": 0.5, "w": 0.5, "h": 0.5}
    whole = body(client.post(PATH, json={"images": [{"data": AS_TEXT}]}))
    part = body(client.post(PATH, json={"images": [{"data": AS_TEXT, "crop": corner}]}))
    form = body(upload(client, PICTURE, PATH, **{name: str(share) for name, share in corner.items()}))
    assert part["results"][0]["score"] == form["results"][0]["score"] != whole["results"][0]["score"]
    assert client.post(PATH, json={"images": [{"work": work.id, "crop": corner}]}).status_code == 200
    assert client.post(PATH, json={"images": [{"work": "none", "crop": corner}]}).status_code == 404


def test_several_images_can_be_sent(client: FlaskClient) -> None:
    files = [(io.BytesIO(encoded(drawing(color, 1))), f"{color}.png") for color in ("#c08020", "#2040c0")]
    answer = client.post(
        PATH, data={"image": files, "image_weight": ["1", "3"]}, content_type="multipart/form-data"
    )
    assert [picture["weight"] for picture in body(answer)["query"]["images"]] == [1, 3]


def test_a_search_with_an_image_has_a_next_page(client: FlaskClient) -> None:
    first = body(upload(client, PICTURE, PATH, limit="5"))
    rest = body(client.post(PATH, json={**first["query"], "limit": 20, "cursor": first["next_cursor"]}))
    sent_again = body(upload(client, PICTURE, PATH, limit="20", cursor=first["next_cursor"]))
    found = [result["id"] for result in first["results"] + rest["results"]]
    assert len(set(found)) == len(found) == 16
    assert [result["id"] for result in sent_again["results"]] == found[5:]
    assert rest["next_cursor"] is None


@pytest.mark.parametrize(
    ("asked", "at"),
    [
        ({"q": ""}, "q"),
        ({"q": "a\0b"}, "q"),
        ({"q": 5}, "q"),
        ({"q": "sea", "limit": "5"}, "limit"),
        ({"q": "sea", "limit": 0}, "limit"),
        ({"q": "sea", "q_weight": 1e9}, "q_weight"),
        ({"q": "sea", "colour": "red"}, "colour"),
        ({"q": "sea", "filters": {"styles": ["x"]}}, "filters.styles"),
        ({"q": "sea", "like": [{"id": "x"}] * 13}, "like"),
        ({"q": "sea", "cursor": "x"}, "cursor"),
        ({"images": [{"token": "x"}] * 4}, "images"),
        ([], ""),
        ("q", ""),
    ],
)
def test_each_invalid_field_is_named(client: FlaskClient, asked: Any, at: str) -> None:
    answer = client.post(PATH, json=asked)
    assert answer.status_code == 400
    assert [error["field"] for error in body(answer)["errors"]] == [at]


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b'{"q": "\\ud800"}', b'{"q": NaN}', b"[" * 5000])
def test_invalid_json_is_refused(client: FlaskClient, data: bytes) -> None:
    assert client.post(PATH, data=data, content_type="application/json").status_code == 400


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"q": "sea", "filters": {"active_from": 1900, "active_to": 1800}}, 400),
        ({"q": "sea", "exclude": "sea"}, 400),
        ({"like": [{"id": "none"}]}, 404),
        ({"images": [{"data": "AAAA"}]}, 415),
        ({"images": [{"data": "AAAAA"}]}, 415),
        ({"images": [{"data": "A" * 400_000}]}, 413),
        ({"images": [{"token": "forged"}]}, 410),
    ],
)
def test_a_search_that_cannot_be_answered_has_a_status(client: FlaskClient, asked: Any, status: int) -> None:
    answer = client.post(PATH, json=asked)
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "image/png", ""])
def test_a_body_of_another_type_is_415(client: FlaskClient, kind: str) -> None:
    assert client.post(PATH, data=PICTURE, content_type=kind).status_code == 415


def test_misspelt_and_repeated_parameters_are_named(client: FlaskClient) -> None:
    answer = body(client.get(f"{PATH}?q=sea&styles=Cubism&limit=2&limit=3"))
    messages = {error["field"]: error["message"] for error in answer["errors"]}
    assert "did you mean style?" in messages["styles"] and "once" in messages["limit"]


def test_a_token_of_another_encoder_is_refused(client: FlaskClient, app: Flask) -> None:
    token = body(upload(client, PICTURE, PATH))["query"]["images"][0]["token"]
    state_of(app).services.vectors = stocked(state_of(app).settings, name="two").vectors
    assert client.post(PATH, json={"images": [{"token": token}]}).status_code == 200
    state_of(app).services.vectors = stocked(
        state_of(app).settings, name="three", fingerprint="other"
    ).vectors
    assert client.post(PATH, json={"images": [{"token": token}]}).status_code == 410


@pytest.mark.parametrize(
    ("asked", "field", "message"),
    [
        ({"q": ""}, "q", "Must not be empty."),
        ({"q": " "}, "q", "Must not be blank or contain control characters."),
        ({"q": "sea", "limit": 0}, "limit", "Must be at least 1."),
        ({"q": "sea", "limit": "5"}, "limit", "Must be a whole number."),
        ({"q": "sea", "cursor": "x"}, "cursor", "Invalid cursor; pass next_cursor unchanged."),
        ({"q": "sea", "filters": {"styles": ["x"]}}, "filters.styles", "Unknown field; did you mean style?"),
        ({"images": [{"data": "*"}]}, "images.0.data",
         "Must be an image file in Base64, as `base64 FILE` prints it."),
        ({"images": [{"token": "a b"}]}, "images.0.token",
         "Invalid token; pass the token of an earlier response unchanged."),
        ({"images": [{"tokens": "x"}]}, "images.0", "Must have one of data, token and work."),
        ({"images": ["x"]}, "images.0", "Must have one of data, token and work."),
    ],
)  # fmt: skip
def test_messages_say_what_a_field_must_be(
    client: FlaskClient, asked: dict[str, Any], field: str, message: str
) -> None:
    answer = body(client.post(PATH, json=asked))
    assert answer["errors"] == [{"field": field, "message": message}]
    assert (answer["title"], answer["detail"]) == ("Bad Request", f"{field}: {message}")
