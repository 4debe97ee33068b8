"""The map page, its list, and the data for its script."""

from __future__ import annotations

import dataclasses
import html
import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gallery.errors import Unavailable
from gallery.map_layout import MapLayout, layout_key, tiles_folder
from gallery.search.engine import SearchEngine
from gallery.search.query import SearchQuery, TextTerm
from gallery.services import Services
from gallery.settings import Settings
from serving import create_app, loaded_map
from serving.views import map_view
from tests.fakes.collection import ARTISTS, stock, stocked
from tests.fakes.map_layout import DIGEST, hang


@pytest.fixture
def layout(services: Services) -> MapLayout:
    return hang(services)


def shown(client: FlaskClient, path: str = "/map") -> str:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.text


def attribute(text: str, name: str) -> str:
    (found,) = re.findall(rf'{name}="([^"]*)"', text)
    return html.unescape(found)


def listed(text: str) -> list[int]:
    """Return the positions of the works in the list."""
    return [int(place) for place in re.findall(r'data-place="(\d+)"', text.split('id="list"')[1])]


def test_the_page_names_the_layout_and_the_tiles_of_the_live_build(
    client: FlaskClient, layout: MapLayout
) -> None:
    text = shown(client)
    assert "16 paintings" in text
    tiles = attribute(text, "data-tiles")
    assert tiles == f"/images/{tiles_folder('one', DIGEST)}{{z}}/{{x}}/{{y}}.webp"
    tile = client.get(tiles.format(z=1, x=1, y=0))
    assert (tile.status_code, tile.mimetype) == (200, "image/webp") and "immutable" in tile.headers[
        "Cache-Control"
    ]
    assert client.get(attribute(text, "data-layout")).status_code == 200


def test_the_home_page_links_to_the_map(client: FlaskClient) -> None:
    assert 'href="/map"' in client.get("/").text


def test_the_layout_is_columnar_and_may_be_cached_forever(client: FlaskClient, layout: MapLayout) -> None:
    answer = client.get(f"/map/layout.json?map={DIGEST}")
    facts = answer.get_json()
    assert (facts["columns"], facts["rows"], facts["zoom"]) == (4, 4, 1)
    assert facts["ids"] == [item.id for item in layout.items]
    assert [(x, y) for x, y in zip(facts["x"], facts["y"], strict=True)] == [(s.x, s.y) for s in layout.items]
    assert facts["artists"][facts["artist"][0]] == "Ada Amber"
    assert facts["ratio"][:2] in ([75, 133], [133, 75])
    assert set(facts) == {
        "columns",
        "rows",
        "zoom",
        "artists",
        "styles",
        "ids",
        "x",
        "y",
        "artist",
        "style",
        "ratio",
    }
    assert answer.headers["Cache-Control"].endswith("immutable")
    again = client.get(f"/map/layout.json?map={DIGEST}", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize("query", ["", "?map=another"])
def test_a_layout_without_its_digest_is_not_cached(
    client: FlaskClient, layout: MapLayout, query: str
) -> None:
    assert client.get(f"/map/layout.json{query}").headers["Cache-Control"] == "no-cache"


def test_the_layout_file_is_not_served_as_an_image(client: FlaskClient, layout: MapLayout) -> None:
    assert client.get("/images/maps/one/layout.json").status_code == 404


def test_a_card_has_the_artist_and_the_years(client: FlaskClient, layout: MapLayout) -> None:
    answer = client.get(f"/map/card/{layout.items[0].id}")
    assert answer.status_code == 200 and "<html" not in answer.text
    assert "Ada Amber" in answer.text and "1840–1926 · Impressionism" in answer.text
    assert attribute(answer.text, "data-announce") == "Painting by Ada Amber, 1840–1926, Impressionism"
    assert f'href="/works/{layout.items[0].id}"' in answer.text


def test_names_are_escaped_in_the_card_and_the_list(client: FlaskClient, layout: MapLayout) -> None:
    (work,) = [work for work in stock()[0] if work.artist.slug == "ché-cyan"][:1]
    for text in (client.get(f"/map/card/{work.id}").text, shown(client)):
        assert "Ché “Cyan” &lt;b&gt;" in text and "<b>" not in text


@pytest.mark.parametrize("id", ["nobody", "..%2F..", "%00", "x" * 3_000])
def test_a_card_of_an_unknown_work_is_404(client: FlaskClient, layout: MapLayout, id: str) -> None:
    assert client.get(f"/map/card/{id}").status_code == 404


def test_the_list_has_every_work_once_in_the_order_of_the_map(
    client: FlaskClient, layout: MapLayout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loaded_map, "GROUP_WORKS", 3)  # 16 works: six groups on three pages
    places: list[int] = []
    path, pages = "/map", 0
    while path:
        text = shown(client, path)
        places += listed(text)
        pages += 1
        after = re.findall(r'href="([^"]*)" rel="next"', text)
        path = html.unescape(after[0]).partition("#")[0] if after else ""
    assert places == list(range(16)) and pages == 3
    assert "Page 3 of 3" in text and 'rel="prev"' in text


def test_a_group_is_named_after_its_most_frequent_artists(
    client: FlaskClient, layout: MapLayout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loaded_map, "GROUP_WORKS", 5)
    text = shown(client)
    assert "Near Ada Amber and Bo Blue" in text
    assert "Near Bo Blue and Ché “Cyan” &lt;b&gt;" in text


@pytest.mark.parametrize("at", ["0", "99", "-1", "x", "", "9" * 30])
def test_an_invalid_page_of_the_list_shows_the_nearest_page(
    client: FlaskClient, layout: MapLayout, at: str
) -> None:
    assert len(listed(shown(client, f"/map?page={at}"))) == 16


def test_a_search_highlights_its_results(client: FlaskClient, services: Services, layout: MapLayout) -> None:
    text = shown(client, "/map?q=light&limit=5")
    places = attribute(text, "data-highlighted").split()
    assert len(places) == 5 == len(set(places)) and {int(place) for place in places} <= set(range(16))
    assert "5 matches highlighted" in text and "“light”" in text
    engine = SearchEngine(services)
    found = engine.search(engine.live_collection(), SearchQuery((TextTerm("light"),), limit=5)).hits
    assert [layout.items[int(place)].id for place in places] == [hit.artwork.id for hit in found]
    assert 'href="/?q=light&amp;limit=5"' in text


def test_a_filter_highlights_the_works_that_match(client: FlaskClient, layout: MapLayout) -> None:
    text = shown(client, "/map?style=Cubism&page=1")
    assert {layout.items[int(place)].style for place in attribute(text, "data-highlighted").split()} == {1}
    assert 'name="style" value="Cubism"' in text  # other words keep the filter


def test_a_filter_without_matches_highlights_nothing(client: FlaskClient, layout: MapLayout) -> None:
    text = shown(client, "/map?style=None")
    assert attribute(text, "data-highlighted") == "" and "0 matches highlighted" in text


def test_works_that_are_not_on_the_map_are_counted(client: FlaskClient, services: Services) -> None:
    hang(services, of=16, but=4)
    text = shown(client, f"/map?artist={ARTISTS[-1].slug}")
    assert "0 matches highlighted" in text and "4 more matches are not on the map." in text
    assert "A random selection of 16." in shown(client)


def test_an_invalid_query_has_the_status_of_the_search_page(client: FlaskClient, layout: MapLayout) -> None:
    assert client.get("/map?active_from=1900&active_to=1800").status_code == 400
    assert client.get("/map?like=nobody").status_code == 404


def test_without_a_query_the_map_needs_no_encoder(settings: Settings) -> None:
    services = stocked(settings)
    hang(services)
    client = create_app(settings, services=services).test_client()
    assert client.get("/map").status_code == 200
    assert client.get("/map?q=light").status_code in (200, 503)


def test_without_a_map_the_page_says_so(client: FlaskClient) -> None:
    text = shown(client)
    assert "The map is not ready yet" in text and "leaflet" not in text
    assert client.get("/map/layout.json").status_code == 404


def test_a_map_appears_without_a_restart(client: FlaskClient, services: Services) -> None:
    assert "not been drawn" in shown(client)
    hang(services)
    assert "16 paintings" in shown(client)


def test_the_map_of_another_build_is_not_shown_and_follows_the_live_one(
    client: FlaskClient, services: Services, layout: MapLayout
) -> None:
    assert "16 paintings" in shown(client)
    works, _, rows = stock()
    build = dataclasses.replace(services.vectors.open("one").build, name="two", ready=False)
    services.vectors.create(build).upsert(works, rows)
    services.vectors.seal("two")
    services.vectors.publish("two")
    assert "not been drawn" in shown(client)
    hang(services, "two", but=1)
    assert "15 paintings" in shown(client)
    services.vectors.publish("one")
    assert "16 paintings" in shown(client)


def test_without_a_collection_the_map_is_a_503(settings: Settings) -> None:
    client = create_app(settings, services=stocked(settings, publish=False)).test_client()
    answer = client.get("/map")
    assert answer.status_code == 503 and "Nothing on display yet" in answer.text


@pytest.mark.parametrize("damage", ["not json", '{"format": 99}'])
def test_an_unreadable_map_is_a_503_without_details(
    client: FlaskClient, services: Services, damage: str
) -> None:
    services.images.put(layout_key("one"), damage.encode())
    answer = client.get("/map")
    assert answer.status_code == 503 and "format" not in answer.text and "materialize" not in answer.text


def test_an_unavailable_store_is_a_503_without_details(
    client: FlaskClient, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(key: str) -> bytes:
        raise Unavailable("the bucket secret-bucket does not answer")

    monkeypatch.setattr(services.images, "get", broken)
    answer = client.get("/map")
    assert answer.status_code == 503 and "secret-bucket" not in answer.text


def test_the_page_has_no_inline_script_or_style(client: FlaskClient, layout: MapLayout) -> None:
    text = shown(client, "/map?q=light")
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=", text)


def test_public_tiles_are_fetched_from_the_store(
    settings_with: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_with(thumb_small=40, thumb_large=80, delivery="public")
    services = stocked(settings)
    monkeypatch.setattr(services.images, "public_url", lambda key: f"https://pictures.test/b/{key}")
    hang(services)
    text = shown(create_app(settings, services=services).test_client())
    assert (
        attribute(text, "data-tiles") == f"https://pictures.test/b/maps/one/{DIGEST}/{{z}}/{{x}}/{{y}}.webp"
    )


def test_the_template_receives_the_fields_of_its_page_class(app: Flask, layout: MapLayout) -> None:
    from flask import template_rendered

    seen: list[set[str]] = []

    def note(_: Flask, template: object, context: dict[str, object], **__: object) -> None:
        seen.append(set(context))

    with template_rendered.connected_to(note, app):
        app.test_client().get("/map")
    fields = {field.name for field in dataclasses.fields(map_view.MapPage)}
    assert seen and fields <= seen[0]
