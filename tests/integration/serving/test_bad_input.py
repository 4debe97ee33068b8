"""Invalid input: no 500, no traceback, and nothing internal in a response."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from gallery.models import Artwork
from gallery.settings import Settings
from serving.errors import Busy
from tests.fakes.archives import png_claiming
from tests.fakes.collection import drawing, encoded, stocked
from tests.fakes.servers import INTERNALS
from tests.fakes.web import app_with, state_of, token, upload

INVALID_SEARCHES = {
    "limit is empty": "/?q=sea&limit=",
    "limit is 0": "/?q=sea&limit=0",
    "limit is negative": "/?q=sea&limit=-1",
    "limit is over the maximum": "/?q=sea&limit=101",
    "limit is huge": "/?q=sea&limit=1000000000",
    "limit has 5,000 digits": "/?q=sea&limit=" + "9" * 5000,
    "limit has an exponent": "/?q=sea&limit=1e9",
    "limit is a word": "/?q=sea&limit=many",
    "limit is a fraction": "/?q=sea&limit=3.5",
    "limit is in Arabic digits": "/?q=sea&limit=٣",
    "limit is 0 on the home page": "/?limit=0",
    "no text": "/?q=",
    "blank text": "/?q=%20%09",
    "text too long": "/?q=" + "a" * 5000,
    "a NUL": "/?q=a%00b",
    "an escape": "/?q=a%1bb",
    "a unit separator": "/?q=%1f",
    "a year that is a word": "/?q=sea&active_from=then",
    "a year too long": "/?q=sea&active_to=99999",
    "years in the wrong order": "/?q=sea&active_from=1900&active_to=1800",
    "a NUL in a filter": "/?q=sea&style=a%00",
    "a weight that is a word": "/?q=sea&q_weight=much",
    "a weight of 0": "/?q=sea&q_weight=0",
    "a huge weight": "/?q=sea&q_weight=1e9",
    "an offset that is a word": "/?q=sea&offset=then",
    "a negative offset": "/?q=sea&offset=-1",
    "an offset over the maximum": "/?q=sea&offset=100001",
    "no results per artist": "/?q=sea&per_artist=0",
    "too many liked works": "/?q=sea" + "".join(f"&like={number}" for number in range(30)),
    "an id too long": "/?q=sea&like=" + "a" * 300,
    "a filter too long": "/?q=sea&style=" + "a" * 300,
    "too many filters": "/?q=sea" + "".join(f"&style={number}" for number in range(30)),
}
UNUSUAL_SEARCHES = {
    "not UTF-8": "/?q=%ff%fe",
    "a lone surrogate": "/?q=%ed%a0%80",
    "unknown and repeated parameters": "/?q=sea&q=land&limit=2&limit=3&page=9&_=1",
    "line breaks": "/?q=sea%0d%0aland",
    "a quote in a filter": "/?q=sea&style=%27)%20OR%201=1%20--",
    "an emoji": "/?q=%F0%9F%8C%8A",
    "right to left": "/?q=%D7%99%D7%9D%E2%80%AE",
    "blank filters": "/?q=sea&style=&active_from=&active_to=%20&per_artist=&like=&image=&exclude=",
    "nothing to drop": "/?q=sea&drop=&drop=like:&drop=like:999&drop=none:0",
    "more weights than terms": "/?q=sea&q_weight=1&q_weight=2&like_weight=3",
}
INVALID_DETAILS = {
    "a word": {"x": "left"},
    "outside": {"x": "1.5"},
    "negative": {"y": "-0.1"},
    "empty": {"w": "0"},
    "beyond the edge": {"x": "0.99", "w": "0.5"},
    "400 digits": {"h": "9" * 400},
    "an exponent": {"w": "1e-1"},
}


def shows_the_form(answer: TestResponse) -> bool:
    return '<form id="search"' in answer.text and not any(word in answer.text for word in INTERNALS)


@pytest.mark.parametrize("address", INVALID_SEARCHES.values(), ids=INVALID_SEARCHES.keys())
def test_an_invalid_search_gives_a_page_with_the_form(client: FlaskClient, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 400
    assert shows_the_form(answer)


@pytest.mark.parametrize("address", INVALID_SEARCHES.values(), ids=INVALID_SEARCHES.keys())
def test_the_api_rejects_an_invalid_search(client: FlaskClient, address: str) -> None:
    answer = client.get("/api/v1/search" + address[1:])
    assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")


@pytest.mark.parametrize("address", UNUSUAL_SEARCHES.values(), ids=UNUSUAL_SEARCHES.keys())
def test_an_unusual_search_is_answered(client: FlaskClient, address: str) -> None:
    assert client.get(address).status_code == 200


def test_the_text_stays_in_the_form(client: FlaskClient) -> None:
    assert 'value="sea &amp; land"' in client.get("/?q=sea+%26+land&limit=0").text


def field(page: str, name: str) -> str:
    """Return the input or select of that name."""
    found = re.search(rf'<(?:input|select)[^>]* name="{name}"[^>]*>', page)
    assert found
    return found[0]


def test_everything_entered_stays_in_the_form_and_the_invalid_field_is_marked(
    client: FlaskClient, work: Artwork
) -> None:
    entered = {
        "q": "boats", "exclude": "people", "active_from": "18x0", "active_to": "1900", "q_weight": "2",
        "like": work.id, "artist": "ada-amber", "exclude_artist": "bo-blue", "per_artist": "2", "limit": "12",
    }  # fmt: skip
    for answer in (client.get("/", query_string=entered), client.post("/", data=entered)):
        page = answer.text
        assert answer.status_code == 400 and "A year must be a number such as 1850." in page
        for name in ("q", "exclude", "active_from", "active_to", "like", "artist", "exclude_artist"):
            assert f'value="{entered[name]}"' in field(page, name)
        assert re.findall(r'<option value="([^"]*)" selected', page) == ["1", "2", "1", "2", "12"]
        assert re.findall(r'name="(\w+)"[^>]* aria-invalid', page) == ["active_from"]
        assert 'aria-describedby="problem"' in field(page, "active_from")


def test_years_in_the_wrong_order_stay_in_the_form(client: FlaskClient) -> None:
    page = client.get("/?q=boats&active_from=1900&active_to=1800").text
    assert 'value="1900"' in field(page, "active_from") and "aria-invalid" in field(page, "active_from")
    assert 'value="1800"' in field(page, "active_to") and "aria-invalid" not in field(page, "active_to")


@pytest.mark.parametrize(
    "path", ["/works/none", "/works/%00", "/works/" + "a" * 3000, "/nothing", "/static/x/none.css"]
)
def test_what_does_not_exist_is_404(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert shows_the_form(answer)


def test_another_method_is_405_and_says_which_are_allowed(client: FlaskClient) -> None:
    answer = client.delete("/")
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]


PICTURE = encoded(drawing("#c08020", 1), "JPEG")
INVALID_UPLOADS = {
    "text": (b"not a picture", 415),
    "empty": (b"", 415),
    "SVG": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', 415),
    "EPS": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", 415),
    "a truncated picture": (PICTURE[: len(PICTURE) // 2], 415),
    "a header alone": (PICTURE[:3], 415),
    "too many pixels": (png_claiming(30_000, 30_000), 413),
    "more bytes than allowed": (PICTURE + b"\0" * 300_000, 413),
    "far more bytes than allowed": (PICTURE + b"\0" * 3_000_000, 413),
}


@pytest.mark.parametrize(("data", "status"), INVALID_UPLOADS.values(), ids=INVALID_UPLOADS.keys())
def test_an_invalid_upload_is_rejected(client: FlaskClient, data: bytes, status: int) -> None:
    answer = upload(client, data)
    assert answer.status_code == status
    assert shows_the_form(answer)


@pytest.mark.parametrize("box", INVALID_DETAILS.values(), ids=INVALID_DETAILS.keys())
def test_an_invalid_detail_is_rejected(client: FlaskClient, box: dict[str, str]) -> None:
    answer = upload(client, PICTURE, **box)
    assert answer.status_code == 400
    assert shows_the_form(answer)


def test_too_many_images_are_rejected(client: FlaskClient) -> None:
    data = {"image": [token(upload(client, encoded(drawing("#2040c0", number))).text) for number in range(3)]}
    answer = upload(client, PICTURE, **data)
    assert answer.status_code == 400
    assert shows_the_form(answer)


def test_a_search_too_long_for_an_address_is_rejected(client: FlaskClient) -> None:
    answer = client.post("/", data={"q": "\u6ce2" * 500, "exclude": "\u6ce2" * 500})
    assert answer.status_code == 400
    assert "fewer words" in answer.text


def test_a_body_of_unknown_length_is_limited_too(client: FlaskClient) -> None:
    boundary = b"--x\r\nContent-Disposition: form-data; name=picture; filename=a\r\n\r\n"
    answer = client.post(
        "/",
        input_stream=io.BytesIO(boundary + b"\0" * 3_000_000 + b"\r\n--x--\r\n"),
        headers={"Content-Type": "multipart/form-data; boundary=x", "Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input_terminated": True},
    )
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "form",
    [{}, {"q": ""}, {"image": "q"}, {"image": (io.BytesIO(b""), "")}, {"image": ""}],
    ids=["nothing", "no words", "words for a picture", "an empty picture", "no token"],
)
def test_a_form_with_neither_text_nor_image_is_rejected(client: FlaskClient, form: dict[str, object]) -> None:
    assert client.post("/", data=form, content_type="multipart/form-data").status_code == 400


@pytest.mark.parametrize("body", [b"", b"--x", b"\0" * 500, b"--x\r\n\r\n\r\n--x--"])
def test_a_malformed_form_is_rejected(client: FlaskClient, body: bytes) -> None:
    assert client.post("/", data=body, content_type="multipart/form-data; boundary=x").status_code == 400


def test_everything_but_an_invalid_image_stays_in_the_form(client: FlaskClient, app: Flask) -> None:
    one = state_of(app).services.vectors.open("one").works()[0]
    query = {
        "q": "sea",
        "image": "none",
        "unlike": one.id,
        "unlike_weight": "2",
        "style": "Cubism",
        "active_from": "1800",
    }
    page = client.get("/", query_string=query).text
    assert 'type="hidden" name="image"' not in page
    for field in (
        'value="sea"',
        f'name="unlike" value="{one.id}"',
        '<option value="2" selected>',
        'name="style" value="Cubism"',
        'value="1800"',
    ):
        assert field in page


def test_a_token_of_another_encoder_asks_for_the_image_again(client: FlaskClient, app: Flask) -> None:
    field = token(upload(client).text)
    other = stocked(state_of(app).settings, fingerprint="other")
    state_of(app).services.vectors = other.vectors
    assert "Please add it again" in client.get("/", query_string={"image": field}).text


def test_a_secret_key_makes_tokens_outlive_the_process(settings_with: Callable[..., Settings]) -> None:
    first, second = (app_with(settings_with(secret_key="s3cret")) for _ in range(2))
    field = token(upload(first.test_client()).text)
    assert second.test_client().get("/", query_string={"image": field}).status_code == 200


def test_an_upload_that_waits_too_long_for_a_decoder_is_a_503(
    client: FlaskClient, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.decoders.TURN_TIMEOUT_S", 0.01)
    decoders = state_of(app).decoders
    with decoders.turn("127.0.0.1"):  # one for each client
        answer = upload(client)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        with decoders.turn("192.0.2.1"), pytest.raises(Busy), decoders.turn("192.0.2.2"):
            pass
        with decoders.turn("192.0.2.2"):
            pass
    assert upload(client).status_code == 200
    assert upload(client).status_code == 200
