"""The map in Chromium, by mouse, touch and keyboard."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gallery.map_layout import MapLayout
from gallery.settings import Settings
from tests.fakes.collection import ARTISTS, stocked
from tests.fakes.map_layout import hang
from tests.fakes.web import app_with, served

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
axe = pytest.importorskip(
    "axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed"
)
Page, expect = playwright.Page, playwright.expect

Visit = Callable[..., playwright.Page]
NARROW = {"width": 320, "height": 640}
PHONE = {"viewport": NARROW, "has_touch": True, "is_mobile": True}


@pytest.fixture(scope="module")
def drawn(home: Path) -> Iterator[tuple[str, MapLayout]]:
    """Return the address of a site with a map of 4 x 4 works, a row per artist, and its layout."""
    settings = Settings(home=home, encoder="fake", thumb_small=40, thumb_large=80)
    services = stocked(settings)
    layout = hang(services)
    with served(app_with(settings, services)) as address:
        yield address, layout


@pytest.fixture
def site(drawn: tuple[str, MapLayout]) -> str:
    return drawn[0]


@pytest.fixture
def layout(drawn: tuple[str, MapLayout]) -> MapLayout:
    return drawn[1]


def open_map(visit: Visit, address: str, **options: object) -> playwright.Page:
    """Open the map and wait for a tile."""
    page = visit(address, **options)
    loaded = page.locator("#map img.leaflet-tile-loaded")
    expect(loaded.first).to_be_attached()
    assert loaded.first.evaluate("tile => tile.naturalWidth") == 256
    return page


def point_of(page: playwright.Page, x: float, y: float) -> tuple[float, float]:
    """Return where the middle of a cell is in the window, while the whole map of 4 x 4 is shown."""
    page.locator("#map").scroll_into_view_if_needed()
    frame = page.locator("#map").bounding_box()
    tile = page.locator("#map img.leaflet-tile-loaded").first.bounding_box()
    assert frame and tile
    source = page.locator("#map img.leaflet-tile-loaded").first.get_attribute("src") or ""
    zoom = int(re.findall(r"/(\d+)/\d+/\d+\.webp", source)[0])
    cell = tile["width"] / (2 << (1 - zoom))
    middle = frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] / 2
    return middle[0] + (x - 1.5) * cell, middle[1] + (y - 1.5) * cell


def serious(page: playwright.Page) -> list[str]:
    """Return the serious and critical accessibility violations that axe finds."""
    return [
        f"{violation['id']}: {[node['html'] for node in violation['nodes']]}"
        for violation in axe.Axe().run(page).response["violations"]
        if violation["impact"] in ("serious", "critical")
    ]


def wait_for_highlights(page: playwright.Page, count: int) -> None:
    """Wait until so many works are not dimmed, by the pixels of what is drawn over the tiles."""
    page.wait_for_function(
        """(count) => {
              const copy = document.createElement("canvas");
              copy.width = copy.height = 2;
              const context = copy.getContext("2d", { willReadFrequently: true });
              let clear = 0;
              for (const canvas of document.querySelectorAll("#map canvas")) {
                for (const x of [0, 1]) for (const y of [0, 1]) {
                  context.clearRect(0, 0, 1, 1);
                  const left = (x + .5) * canvas.width / 2, top = (y + .5) * canvas.height / 2;
                  context.drawImage(canvas, left, top, 1, 1, 0, 0, 1, 1);
                  if (context.getImageData(0, 0, 1, 1).data[3] === 0) clear += 1;
                }
              }
              return clear === count;
            }""",
        arg=count,
    )


def test_a_work_under_the_mouse_has_a_card(site: str, visit: Visit, layout: MapLayout) -> None:
    page = open_map(visit, f"{site}/map")
    expect(page.locator(".map-card")).to_be_hidden()
    page.mouse.move(*point_of(page, 1, 2))
    card = page.locator(".map-card")
    expect(card).to_contain_text("Ché “Cyan” <b>")
    expect(card.get_by_alt_text("Painting by Ché")).to_be_visible()
    page.mouse.move(*point_of(page, 0, 0))
    expect(card).to_contain_text("Ada Amber")
    expect(card).to_contain_text("1840–1926 · Impressionism")
    page.mouse.move(5, 5)
    expect(card).to_be_hidden()


def test_a_click_opens_the_work(site: str, visit: Visit, layout: MapLayout) -> None:
    page = open_map(visit, f"{site}/map")
    page.mouse.click(*point_of(page, 3, 1))
    page.wait_for_url(f"{site}/works/{layout.items[7].id}")


def test_dragging_moves_the_map_and_opens_nothing(site: str, visit: Visit) -> None:
    page = open_map(visit, f"{site}/map", reduced_motion="reduce")
    for _ in range(2):
        page.locator(".leaflet-control-zoom-out").click(force=True)
    x, y = point_of(page, 1, 1)
    before = page.locator("#map .leaflet-map-pane").evaluate("pane => pane._leaflet_pos.x")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y + 20, steps=5)
    page.mouse.up()
    page.wait_for_function(
        "before => document.querySelector('#map .leaflet-map-pane')._leaflet_pos.x !== before", arg=before
    )
    assert "/map" in page.url


def test_the_address_follows_the_view(site: str, visit: Visit) -> None:
    page = open_map(visit, f"{site}/map#at=1,0.5,0.5")
    page.locator("#map").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_url(re.compile(r"#at=1,(?!0\.5,)"))


def test_the_keyboard_selects_and_opens_a_work(site: str, visit: Visit, layout: MapLayout) -> None:
    page = open_map(visit, f"{site}/map#at=1,0.5,0.5", viewport={"width": 400, "height": 600})
    said = page.locator(".map-status")
    page.locator(".reset-view").focus()
    page.keyboard.press("Tab")
    expect(page.locator("#map")).to_be_focused()
    expect(said).to_have_text(re.compile("^Painting by (Ada|Bo)"))
    for _ in range(3):
        page.keyboard.press("ArrowDown")
        expect(page.locator(".leaflet-pan-anim")).to_have_count(0)
    expect(said).to_have_text(re.compile("^Painting by (Ché|Dee)"))
    page.keyboard.press("Escape")
    expect(page.locator(".map-card")).to_be_hidden()
    page.keyboard.press("ArrowUp")
    expect(page.locator(".map-card strong")).to_be_visible()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/works/[0-9a-f]{16}$"))
    assert page.url.rpartition("/")[2] in {item.id for item in layout.items}


def test_a_tap_shows_the_card_and_a_second_one_opens_the_work(
    site: str, visit: Visit, layout: MapLayout
) -> None:
    page = open_map(visit, f"{site}/map", **PHONE)
    page.touchscreen.tap(*point_of(page, 2, 0))
    link = page.locator(".map-card a")
    expect(link).to_be_visible()
    assert page.url.partition("#")[0] == f"{site}/map"
    link.tap()
    page.wait_for_url(f"{site}/works/{layout.items[2].id}")


def test_legend_entries_highlight_their_works(site: str, visit: Visit) -> None:
    page = open_map(visit, f"{site}/map")
    expect(page.locator(".legend")).to_be_hidden()
    expect(page.locator("#map canvas")).to_have_count(0)
    page.get_by_label("artist", exact=True).check()
    entries = page.locator(".legend button")
    expect(entries).to_have_count(len(ARTISTS))
    wait_for_highlights(page, 16)
    page.get_by_role("button", name="Bo Blue").click()
    expect(page.get_by_role("button", name="Bo Blue")).to_have_attribute("aria-pressed", "true")
    wait_for_highlights(page, 4)
    page.get_by_role("button", name="Bo Blue").click()
    wait_for_highlights(page, 16)
    page.get_by_label("style", exact=True).check()
    expect(page.locator(".legend")).to_contain_text("style unknown")
    expect(entries).to_have_count(3)
    page.get_by_label("none", exact=True).check()
    expect(page.locator(".legend")).to_be_hidden()
    expect(page.locator("#map canvas")).to_have_count(0)


def test_search_results_are_highlighted_and_listed(site: str, visit: Visit, layout: MapLayout) -> None:
    page = open_map(visit, f"{site}/map")
    page.get_by_role("searchbox", name="Highlight").fill("a quiet light")
    page.get_by_role("button", name="Highlight").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("“a quiet light”")
    entries = page.locator(".highlighted a")
    expect(entries.first).to_be_visible()
    wait_for_highlights(page, entries.count())
    page.goto(f"{site}/map?artist=bo-blue")
    wait_for_highlights(page, 4)


def test_a_focused_list_entry_is_shown_on_the_map(site: str, visit: Visit) -> None:
    page = open_map(visit, f"{site}/map?artist=bo-blue")
    page.locator("#list").focus()
    page.keyboard.press("Tab")
    expect(page.locator(".map-card")).to_be_visible()
    expect(page.locator(".map-card")).to_contain_text("Ada Amber")
    expect(page.locator("#map .current")).to_be_attached()


def test_without_javascript_there_is_the_list(site: str, visit: Visit, layout: MapLayout) -> None:
    page = visit(f"{site}/map", java_script_enabled=False)
    expect(page.locator(".map-view")).to_be_hidden()
    expect(page.locator("noscript .note")).to_be_visible()  # where no locator by text looks
    expect(page.locator(".map-list a")).to_have_count(16)
    page.locator(".map-list a").nth(5).click()
    page.wait_for_url(f"{site}/works/{layout.items[5].id}")


def test_without_a_layout_there_are_a_message_and_the_list(site: str, visit: Visit) -> None:
    page = visit(f"{site}/healthz")
    page.route("**/map/layout.json*", lambda route: route.fulfill(status=200, body="no JSON"))
    page.goto(f"{site}/map")
    expect(page.get_by_role("alert")).to_contain_text("could not be loaded")
    expect(page.locator(".map-list a")).to_have_count(16)


def test_reduced_motion_disables_animations(site: str, visit: Visit) -> None:
    page = open_map(visit, f"{site}/map#at=0,2,2", reduced_motion="reduce")
    page.locator("#map").focus()
    page.keyboard.press("+")
    assert page.locator(".leaflet-zoom-anim .leaflet-zoom-animated").count() == 0
    expect(page).to_have_url(re.compile(r"/map#at=1,"))


def test_the_layout_does_not_shift_while_the_page_loads(site: str, visit: Visit) -> None:
    page = open_map(visit, f"{site}/map")
    shift = page.evaluate(
        """() => new Promise((resolve) => {
          let sum = 0;
          const observer = new PerformanceObserver((list) => {
            for (const entry of list.getEntries()) sum += entry.value;
          });
          observer.observe({ type: "layout-shift", buffered: true });
          requestAnimationFrame(() => setTimeout(() => resolve(sum), 0));
        })"""
    )
    assert shift < 0.05


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/map", "/map?q=light", "/map?style=None"])
def test_axe_finds_no_serious_violations(site: str, visit: Visit, path: str, scheme: str) -> None:
    page = open_map(visit, site + path, color_scheme=scheme)
    page.get_by_label("artist", exact=True).check()
    page.locator("#map").focus()
    assert serious(page) == []


@pytest.mark.parametrize("path", ["/map", "/map?q=light"])
def test_a_narrow_screen_never_scrolls_sideways(site: str, visit: Visit, path: str) -> None:
    page = open_map(visit, site + path, **PHONE)
    page.get_by_label("artist", exact=True).check()
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0


def test_a_missing_map_has_a_page_that_says_so(gallery: str, visit: Visit) -> None:
    page = visit(f"{gallery}/map", viewport=NARROW)
    expect(page.get_by_role("heading", level=1)).to_have_text("The map is not ready yet")
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    assert serious(page) == []
