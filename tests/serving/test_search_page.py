"""The search page: words or a picture in, works with their painters out."""

from __future__ import annotations

import base64
import html
import re
import tempfile
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from gallery.catalog import Artwork
from gallery.ports import Ports
from tests.serving.collection import drawing, encoded
from tests.serving.conftest import upload


def hits(page: str) -> int:
    return page.count('<li class="hit">')


def token(page: str) -> str:
    found = re.search(r'name="token" value="([^"]+)"', page)
    assert found
    return found[1]


def test_home_shows_works_of_every_artist(client: FlaskClient) -> None:
    page = client.get("/").text
    first = re.findall(r'<span class="label">(.*?)</span>', page)[:4]
    assert sorted(map(html.unescape, first)) == ["Ada Amber", "Bo Blue", "Ché “Cyan” <b>", "Dee Dun"]


def test_home_links_to_example_searches(client: FlaskClient) -> None:
    assert 'href="/?q=sailing+boats+on+the+sea&amp;k=3"' in client.get("/").text


def test_filters_without_words_show_what_passes_them(client: FlaskClient) -> None:
    page = client.get("/?nationality=Dutch").text
    assert set(re.findall(r'<span class="label">(.*?)</span>', page)) == {
        html.escape("Ché “Cyan” <b>", quote=False)
    }


def test_words_find_three_works_by_default(client: FlaskClient) -> None:
    assert hits(client.get("/?q=light").text) == 3


@pytest.mark.parametrize("k", [1, 7, 10])
def test_k_says_how_many(client: FlaskClient, k: int) -> None:
    assert hits(client.get(f"/?q=light&k={k}").text) == k


def test_a_result_tells_of_its_painter(client: FlaskClient) -> None:
    page = client.get("/?q=light&k=1&artist=ada-amber").text
    for fact in (
        "Ada Amber",
        "1840–1926",
        "French",
        "Impressionism",
        "Ada painted light.",
        "wikipedia.org/wiki/Ada",
    ):
        assert fact in page


def test_a_picture_is_described_by_the_catalogue(client: FlaskClient) -> None:
    page = client.get("/?q=light&k=1&artist=ada-amber").text
    assert 'alt="Painting by Ada Amber, 1840–1926, Impressionism"' in page


def test_a_picture_comes_in_two_sizes_with_its_colour_behind(client: FlaskClient, ports: Ports) -> None:
    page = client.get("/?q=light&k=1&artist=ada-amber").text
    found = re.search(r'srcset="/pictures/(\S+) (\d+)w, /pictures/(\S+) (\d+)w"', page)
    assert found
    widths = {work.picture.small: work.picture for work in ports.vectors.open("one").works()}
    picture = widths[found[1]]
    assert found[3] == picture.large
    assert (found[2], found[4]) == (("40", "80") if picture.width > picture.height else ("30", "60"))
    assert f'fill="{picture.color}"' in page


def test_more_by_the_painter_leaves_out_the_work_itself(client: FlaskClient) -> None:
    page = client.get("/?q=light&k=1&artist=ada-amber").text
    shown = re.findall(r'href="/works/(\w+)"', page.partition("More by Ada Amber")[2])
    found = re.findall(r'<a class="hang" href="/works/(\w+)"', page)
    assert len(set(shown)) == 3
    assert not set(shown) & set(found)


def test_a_name_cannot_bring_markup_along(client: FlaskClient) -> None:
    page = client.get("/?q=<script>alert(1)</script>&artist=ché-cyan").text
    assert "<script>alert" not in page
    assert "Cyan” <b>" not in page


def test_a_genre_links_to_the_same_search_narrowed(client: FlaskClient) -> None:
    page = client.get("/?q=light&k=2&artist=ada-amber&from=1800").text
    assert 'href="/?q=light&amp;k=2&amp;artist=ada-amber&amp;genre=Impressionism&amp;from=1800"' in page


def test_a_chip_links_to_the_search_without_its_filter(client: FlaskClient) -> None:
    page = client.get("/?q=light&genre=Cubism&nationality=Spanish&to=1950").text
    chips = page.partition('class="chips"')[2].partition("</ul>")[0]
    assert 'href="/?q=light&amp;k=3&amp;nationality=Spanish&amp;to=1950"' in chips
    assert 'href="/?q=light&amp;k=3&amp;genre=Cubism&amp;nationality=Spanish"' in chips


def test_a_filter_that_nothing_passes_says_so(client: FlaskClient) -> None:
    answer = client.get("/?q=light&genre=Nothing")
    assert answer.status_code == 200
    assert "No work passes these filters" in answer.text


def test_words_in_the_form_lead_to_their_own_address(client: FlaskClient) -> None:
    answer = client.post("/?genre=Cubism", data={"q": " storm  at sea", "k": "5", "from": "", "artist": ""})
    assert (answer.status_code, answer.location) == (303, "/?q=storm+at+sea&k=5&genre=Cubism")


def test_filters_alone_in_the_form_lead_to_what_passes_them(client: FlaskClient) -> None:
    answer = client.post("/", data={"q": "", "k": "3", "artist": "bo-blue"})
    assert (answer.status_code, answer.location) == (303, "/?k=3&artist=bo-blue")


def test_an_uploaded_work_finds_itself(client: FlaskClient, ports: Ports, work: Artwork) -> None:
    page = upload(client, ports.images.get(work.picture.original)).text
    assert re.findall(r'<a class="hang" href="/works/(\w+)"', page)[0] == work.id
    assert '<data value="1.0">1.00</data>' in page


def test_the_uploaded_picture_is_shown_back(client: FlaskClient) -> None:
    page = upload(client).text
    found = re.search(r'src="data:image/webp;base64,([^"]+)" width="120" height="90"', page)
    assert found
    assert base64.b64decode(found[1])[8:12] == b"WEBP"


def test_a_picture_search_is_refined_without_the_picture(client: FlaskClient) -> None:
    again = client.post("/?genre=Cubism", data={"token": token(upload(client).text), "k": "2", "q": ""}).text
    assert hits(again) == 2
    assert "data:image/webp" in again


def test_links_of_a_picture_search_carry_the_whole_query(client: FlaskClient) -> None:
    page = upload(client, None, "/", k="2", **{"from": "1800"}).text
    assert 'formaction="/?k=2&amp;from=1800&amp;genre=Impressionism"' in page.replace(
        "&amp;genre=Impressionism&amp;from=1800", "&amp;from=1800&amp;genre=Impressionism"
    )
    # The form's own fields are sent along with such a button, and must not bring the removed filter back.
    answer = client.post("/?k=2", data={"token": token(page), "k": "9", "from": "1800", "q": ""}).text
    assert hits(answer) == 2
    assert "from 1800" not in answer


def test_a_new_picture_goes_before_words_and_before_the_old_picture(client: FlaskClient) -> None:
    page = upload(client, encoded(drawing("#20b0b0", 2)), token=token(upload(client).text), q="words").text
    assert "Works like your picture" in page
    assert "Cyan" in page.partition('<li class="hit">')[2].partition("</li>")[0]


def test_words_go_before_the_old_picture(client: FlaskClient) -> None:
    assert client.post("/", data={"q": "sea", "token": token(upload(client).text)}).status_code == 303


def test_an_upload_touches_no_disk(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a temporary file was made")

    monkeypatch.setattr("werkzeug.formparser.SpooledTemporaryFile", refuse)
    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    answer = upload(client, encoded(drawing("#c08020", 1)) + b"\0" * 150_000)
    assert answer.status_code == 200
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"])
def test_every_format_is_understood(client: FlaskClient, format: str) -> None:
    assert upload(client, encoded(drawing("#2040c0", 0), format)).status_code == 200
