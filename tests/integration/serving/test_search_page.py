"""The search page: queries of text, images and works; filters, pages, uploads and relevance."""

from __future__ import annotations

import base64
import html
import re
import tempfile
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gallery.models import Artwork
from gallery.search.calibration import Relevance
from gallery.services import Services
from tests.fakes.collection import drawing, encoded
from tests.fakes.web import state_of, token, upload


def hits(page: str) -> int:
    return page.count('<li class="hit ')


def found(page: str) -> list[str]:
    return re.findall(r'<a class="image-link" href="/works/(\w+)"', page)


def artists_on(page: str) -> set[str]:
    return set(re.findall(r'class="artist-name"[^>]*>(.*?)</button>', page))


def heading(page: str) -> str:
    [text] = re.findall(r'<h1 id="answer"[^>]*>(.*?)</h1>', page)
    return html.unescape(text)


def more(page: str) -> str:
    found = re.search(r'<a href="([^"]+)">More works</a>', page)
    assert found
    return html.unescape(found[1])


def test_home_shows_works_of_every_artist(client: FlaskClient) -> None:
    page = client.get("/").text
    first = re.findall(r'<span class="label">(.*?)</span>', page)[:4]
    assert sorted(map(html.unescape, first)) == ["Ada Amber", "Bo Blue", "Ché “Cyan” <b>", "Dee Dun"]


def test_home_links_to_example_searches_and_into_the_collection(client: FlaskClient) -> None:
    page = client.get("/").text
    for link in ("/?q=sailing+boats+on+the+sea", "/?style=Cubism", "/?nationality=Dutch", "/artists"):
        assert f'href="{link}"' in page


def test_filters_without_text_list_the_works_that_match(client: FlaskClient) -> None:
    page = client.get("/?nationality=Dutch").text
    assert artists_on(page) == {html.escape("Ché “Cyan” <b>", quote=False)}
    assert hits(page) == 4
    assert "<data" not in page


def test_a_search_has_the_default_number_of_results(app: Flask, client: FlaskClient) -> None:
    assert state_of(app).settings.default_results > 16
    assert hits(client.get("/?q=light").text) == 16


@pytest.mark.parametrize("k", [1, 7, 10])
def test_limit_sets_the_number_of_results(client: FlaskClient, k: int) -> None:
    assert hits(client.get(f"/?q=light&limit={k}").text) == k


def test_pages_have_every_work_once(client: FlaskClient) -> None:
    page = client.get("/?q=light&limit=7").text
    seen = found(page)
    while "More works" in page:
        page = client.get(more(page)).text
        seen += found(page)
    assert len(seen) == len(set(seen)) == 16


def test_htmx_gets_only_the_additional_results(client: FlaskClient) -> None:
    address = more(client.get("/?q=light&limit=7").text)
    whole = client.get(address).text
    part = client.get(address, headers={"HX-Request": "true", "HX-Target": "more"}).text
    assert "<html" in whole and "<html" not in part
    assert found(part) == found(whole)
    assert more(part) == more(whole)


def test_htmx_pushes_the_address_without_the_buttons_parameters(client: FlaskClient, work: Artwork) -> None:
    answer = client.get(f"/?q=light&like={work.id}&limit=24&drop=like:0", headers={"HX-Target": "main"})
    assert answer.headers["HX-Push-Url"] == "/?q=light"
    assert "HX-Target" in answer.headers["Vary"]


def test_a_result_has_the_details_of_its_artist(client: FlaskClient) -> None:
    page = client.get("/?q=light&limit=1&artist=ada-amber").text
    for fact in (
        "Ada Amber",
        "1840–1926",
        "French",
        "Impressionism",
        "Ada painted light.",
        "wikipedia.org/wiki/Ada",
    ):
        assert fact in page


def test_each_artist_has_one_card_on_a_page(client: FlaskClient) -> None:
    page = client.get("/?q=light").text
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    for opened in re.findall(r'popovertarget="([^"]+)"', page):
        assert opened in ids


def test_the_alt_text_comes_from_the_catalog(client: FlaskClient) -> None:
    page = client.get("/?q=light&limit=1&artist=ada-amber").text
    assert 'alt="Painting by Ada Amber, 1840–1926, Impressionism"' in page


def test_an_image_has_two_sizes_and_a_placeholder_colour(client: FlaskClient, services: Services) -> None:
    page = client.get("/?q=light&limit=1&artist=ada-amber").text
    found = re.search(r'srcset="/images/(\S+) (\d+)w, /images/(\S+) (\d+)w"', page)
    assert found
    widths = {work.image.small: work.image for work in services.vectors.open("one").works()}
    picture = widths[found[1]]
    assert found[3] == picture.large
    assert (found[2], found[4]) == (("40", "80") if picture.width > picture.height else ("30", "60"))
    assert f'fill="{picture.color}"' in page


def test_names_and_queries_are_escaped(client: FlaskClient) -> None:
    page = client.get("/?q=<script>alert(1)</script>&artist=ché-cyan").text
    assert "<script>alert" not in page
    assert "Cyan” <b>" not in page


def test_a_chip_links_to_the_search_without_its_filter(client: FlaskClient) -> None:
    page = client.get("/?q=light&style=Cubism&nationality=Spanish&active_to=1950&exclude_artist=dee-dun").text
    chips = page.partition('class="chips"')[2].partition("</ul>")[0]
    assert 'href="/?q=light&amp;nationality=Spanish&amp;exclude_artist=dee-dun&amp;active_to=1950"' in chips
    assert 'href="/?q=light&amp;style=Cubism&amp;nationality=Spanish&amp;exclude_artist=dee-dun"' in chips
    assert "not by Dee Dun" in chips


def test_facets_count_the_results_of_choosing_them(client: FlaskClient) -> None:
    page = client.get("/?q=light&style=Impressionism").text
    counts = dict(
        re.findall(
            r'value="([^"]+)" id="(?:style|nationality|artist)-[^>]*>.*?<span class="count">(\d+)</span>',
            page,
        )
    )
    assert counts["French"] == "8"
    assert counts["Cubism"] == "4"  # another style would widen the search
    assert "Dutch" not in counts
    assert re.search(r'name="style" value="Impressionism" id="style-Impressionism" checked', page)


def test_a_filter_without_results_can_be_removed(client: FlaskClient) -> None:
    answer = client.get("/?q=light&style=Nothing")
    assert answer.status_code == 200
    assert "No paintings match all these filters" in answer.text
    assert 'value="Nothing" id="style-Nothing" checked' in answer.text


def test_an_offset_beyond_the_end_links_back_to_the_start(client: FlaskClient) -> None:
    page = client.get("/?q=light&offset=50").text
    assert "That’s everything." in page
    assert '<a href="/?q=light">' in page


def test_per_artist_limits_the_results_of_each_artist(client: FlaskClient) -> None:
    assert hits(client.get("/?q=light&per_artist=2").text) == 8


def test_an_artist_can_be_excluded(client: FlaskClient) -> None:
    assert "Bo Blue" not in artists_on(client.get("/?q=light&exclude_artist=bo-blue").text)


def test_a_posted_search_redirects_to_its_address(client: FlaskClient) -> None:
    form = {
        "q": " storm  at sea",
        "limit": "5",
        "active_from": "",
        "style": "Cubism",
        "per_artist": "",
        "q_weight": "1",
        "exclude": "",
    }
    answer = client.post("/", data=form)
    assert (answer.status_code, answer.location) == (303, "/?q=storm+at+sea&style=Cubism&limit=5")


def test_posted_filters_redirect_to_their_address(client: FlaskClient) -> None:
    answer = client.post("/", data={"q": "", "limit": "3", "artist": "bo-blue"})
    assert (answer.status_code, answer.location) == (303, "/?artist=bo-blue&limit=3")


def test_an_upload_redirects_to_an_address_that_can_be_shared(
    client: FlaskClient, services: Services, work: Artwork
) -> None:
    data = services.images.get(work.image.original)
    answer = upload(client, data, q="light")
    [sent] = answer.history
    assert sent.status_code == 303
    assert len(sent.location) < 2_500
    page = client.application.test_client().get(sent.location).text
    assert found(page) == found(answer.text)
    assert heading(page) == "“light”, in the style of your image"


def test_an_uploaded_work_finds_itself(client: FlaskClient, services: Services, work: Artwork) -> None:
    page = upload(client, services.images.get(work.image.original)).text
    assert found(page)[0] == work.id
    score = re.search(r'<data value="([\d.]+)">1.00</data>', page)
    assert score and float(score[1]) == pytest.approx(1, abs=1e-3)


def test_the_uploaded_image_is_shown(client: FlaskClient) -> None:
    page = upload(client).text
    found = re.search(r'src="data:image/webp;base64,([^"]+)" width="112" height="84"', page)
    assert found
    assert base64.b64decode(found[1])[8:12] == b"WEBP"


def test_a_second_image_is_added_to_the_first(client: FlaskClient) -> None:
    first = token(upload(client).text)
    page = upload(client, encoded(drawing("#20b0b0", 2)), image=first, q="words").text
    assert heading(page) == "“words”, in the style of your 2 images"
    assert len(re.findall(r'name="image" value=', page)) == 2


def test_a_detail_of_an_uploaded_image_is_searched(client: FlaskClient) -> None:
    both = drawing("#20b0b0", 0, (240, 90))
    both.paste(drawing("#c08020", 0), (120, 0))
    left = upload(client, encoded(both), x="0", y="0", w="0.5", h="1").text
    right = upload(client, encoded(both), x="0.5", w="0.5").text
    assert "Cyan" in left.partition('class="artist-name"')[2].partition("</button>")[0]
    assert "Ada" in right.partition('class="artist-name"')[2].partition("</button>")[0]


def test_a_detail_of_a_work_is_searched(client: FlaskClient, work: Artwork) -> None:
    answer = client.post("/", data={"work": work.id, "w": "0.5"}, follow_redirects=True)
    assert heading(answer.text) == "In the style of your image"
    assert artists_on(answer.text.partition('<li class="hit')[2].partition("</li>")[0]) == {"Ada Amber"}
    assert client.post("/", data={"work": "none", "w": "0.5"}).status_code == 404


def test_like_unlike_and_weights_combine(client: FlaskClient, services: Services) -> None:
    one, two, three, *_ = services.vectors.open("one").works()
    query = {
        "q": "light",
        "exclude": "dark",
        "like": [one.id, two.id],
        "like_weight": ["1", "0.5"],
        "unlike": three.id,
    }
    page = client.get("/", query_string=query).text
    assert (
        heading(page) == "“light”, without “dark”, like 2 works by Ada Amber, less like a work by Ada Amber"
    )
    assert not {one.id, two.id, three.id} & set(found(page))
    assert hits(page) == 13
    assert page.count('<tr><th scope="row">') == 13 * 5
    assert '<option value="0.5" selected>' in page


def test_a_term_is_removed_by_its_button(client: FlaskClient, services: Services) -> None:
    one, two, *_ = services.vectors.open("one").works()
    answer = client.post("/", data={"like": [one.id, two.id], "like_weight": ["1", "2"], "drop": "like:0"})
    assert answer.location == f"/?like={two.id}&like_weight=2"


def test_an_unknown_liked_work_is_404(client: FlaskClient) -> None:
    assert client.get("/?like=gone").status_code == 404


def test_terms_that_cancel_out_are_rejected(client: FlaskClient) -> None:
    assert client.get("/?q=light&exclude=light").status_code == 400


def test_text_matches_come_before_similar_works(client: FlaskClient) -> None:
    page = client.get("/?q=Bo+Blue&limit=4").text
    assert artists_on(page) == {"Bo Blue"}
    # The score says nothing about a work found by its name, so the button has the word alone.
    assert page.count(">text match</button>") == 4
    assert "Its catalogue entry contains “bo” and “blue”." in page


def test_relevance_is_a_label_with_the_score(client: FlaskClient, services: Services, work: Artwork) -> None:
    page = upload(client, services.images.get(work.image.original)).text
    words = re.findall(r'class="match"[^>]*>([a-z ]+) <data', page)
    assert len(words) == 16
    assert set(words) <= {"strong match", "possible match", "unlikely match"}
    assert "most of the collection." in page or "Many other paintings fit just as well." in page


def set_close_threshold(monkeypatch: pytest.MonkeyPatch, z_score: float) -> None:
    """Call results of at least this z-score close, since 16 works are too few for the real thresholds."""

    def judge(found: float | None, _: int) -> Relevance:
        return Relevance.CLOSE if found is not None and found >= z_score else Relevance.WEAK

    monkeypatch.setattr("gallery.search.engine.relevance_of", judge)


def test_one_divider_over_all_pages_precedes_the_weak_matches(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_close_threshold(monkeypatch, 0.0)
    page = client.get("/?q=light&limit=3").text
    pages = [page]
    while "More works" in page:
        page = client.get(more(page)).text
        pages.append(page)
    text = "".join(pages)
    assert text.count('class="divider"') == 1
    before, _, after = text.partition('class="divider"')
    assert set(re.findall(r'class="match"[^>]*>([a-z ]+) <data', before)) == {"strong match"}
    assert set(re.findall(r'class="match"[^>]*>([a-z ]+) <data', after)) == {"unlikely match"}


def test_without_clear_matches_there_is_a_note_and_no_divider(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_close_threshold(monkeypatch, 99.0)
    page = client.get("/?q=light&limit=3").text
    assert "We found no clear match." in page
    assert 'class="divider"' not in page + client.get(more(page)).text


def test_a_small_collection_has_no_relevance_labels(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gallery.search.calibration.MIN_SAMPLE_WORKS", 17)
    page = client.get("/?q=light").text
    assert "We found no clear match" not in page
    assert 'class="divider"' not in page
    assert "too small to rate matches" in page


def test_an_upload_is_not_written_to_disk(
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
def test_every_image_format_is_accepted(client: FlaskClient, format: str) -> None:
    assert upload(client, encoded(drawing("#2040c0", 0), format)).status_code == 200
