"""What a visitor does, in Chromium."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

if os.environ.get("CI") != "true":
    pytest.importorskip("axe_playwright_python.sync_playwright", reason="playwright is not installed")

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

Visit = Callable[..., Page]

NARROW = {"width": 320, "height": 640}
STATES = {
    "home": "/",
    "filtered": "/?genre=Cubism",
    "results": "/?q=light&k=4&genre=Impressionism",
    "nothing found": "/?q=light&genre=None",
    "error": "/nothing",
    "empty query": "/?q=",
}


def search_by_picture(page: Page, picture: Path) -> None:
    page.set_input_files("#picture", picture)
    page.wait_for_selector(".yours")


def sideways(page: Page) -> int:
    """How many pixels the page can be scrolled sideways."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def serious(page: Page) -> list[str]:
    """What axe finds that keeps people out."""
    found = Axe().run(page).response["violations"]
    return [
        f"{violation['id']}: {[node['html'] for node in violation['nodes']]}"
        for violation in found
        if violation["impact"] in ("serious", "critical")
    ]


def first_work(page: Page) -> str:
    return page.locator(".wall a").first.get_attribute("href") or ""


def test_words_lead_to_results_at_an_address_to_share(gallery: str, visit: Visit) -> None:
    page = visit(gallery)
    page.get_by_label("Describe a painting").fill("a quiet light")
    page.get_by_label("Show").select_option("5")
    page.get_by_role("button", name="Search", exact=True).click()
    expect(page.locator(".hit")).to_have_count(5)
    assert page.url == f"{gallery}/?q=a+quiet+light&k=5"
    expect(page.get_by_role("status").filter(has_text="5 works")).to_be_visible()


def test_an_uploaded_picture_is_shown_back_and_k_changes_without_it(
    gallery: str, visit: Visit, picture: Path
) -> None:
    page = visit(gallery)
    search_by_picture(page, picture)
    expect(page.locator(".hit")).to_have_count(3)
    expect(page.get_by_alt_text("The picture you uploaded")).to_be_visible()
    assert page.locator(".yours").evaluate("image => image.naturalWidth") == 120
    picture.unlink()
    page.get_by_label("Show").select_option("6")
    page.get_by_role("button", name="Search", exact=True).click()
    expect(page.locator(".hit")).to_have_count(6)
    expect(page.get_by_alt_text("The picture you uploaded")).to_be_visible()


def test_a_picture_search_is_narrowed_and_widened_again(gallery: str, visit: Visit, picture: Path) -> None:
    page = visit(gallery)
    search_by_picture(page, picture)
    page.get_by_role("button", name="Narrow to Impressionism").first.click()
    page.get_by_role("button", name="Remove the filter Impressionism").click()
    expect(page.get_by_role("button", name="Remove the filter Impressionism")).to_have_count(0)
    expect(page.get_by_alt_text("The picture you uploaded")).to_be_visible()


def test_a_picture_can_be_dropped_anywhere(gallery: str, visit: Visit, picture: Path) -> None:
    page = visit(f"{gallery}/?q=light")
    page.evaluate(
        """async (bytes) => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([new Uint8Array(bytes)], "mine.png", {type: "image/png"}));
            const drop = new DragEvent("drop", {dataTransfer: transfer, bubbles: true, cancelable: true});
            document.querySelector("footer").dispatchEvent(drop);
        }""",
        list(picture.read_bytes()),
    )
    expect(page.get_by_alt_text("The picture you uploaded")).to_be_visible()


def test_a_picture_that_is_too_large_is_not_even_sent(gallery: str, visit: Visit, tmp_path: Path) -> None:
    page = visit(gallery)
    large = tmp_path / "large.png"
    large.write_bytes(b"\0" * 300_000)
    page.set_input_files("#picture", large)
    expect(page.locator("#form-status")).to_contain_text("larger than")
    assert page.url == f"{gallery}/"


def test_a_filter_is_added_by_a_result_and_removed_by_its_chip(gallery: str, visit: Visit) -> None:
    page = visit(f"{gallery}/?q=light&k=10")
    page.get_by_role("link", name="Narrow to Cubism").first.click()
    expect(page.locator(".hit h2")).to_have_text(["Bo Blue"] * 4)
    page.get_by_role("link", name="Remove the filter Cubism").click()
    expect(page.locator(".hit")).to_have_count(10)


def test_more_by_the_painter_opens_on_demand(gallery: str, visit: Visit) -> None:
    page = visit(f"{gallery}/?q=light&k=1&artist=ada-amber")
    more = page.locator(".hit .strip a")
    expect(more.first).to_be_hidden()
    page.get_by_text("More by Ada Amber").click()
    expect(more).to_have_count(3)
    more.first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Ada Amber")


def test_the_keyboard_alone_is_enough(gallery: str, visit: Visit) -> None:
    page = visit(gallery)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Describe a painting")).to_be_focused()
    page.keyboard.type("light")
    page.keyboard.press("Enter")
    expect(page.locator(".hit")).to_have_count(3)
    page.locator(".hit .hang").first.focus()
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.tagName") == "SUMMARY":
            break
    page.keyboard.press("Enter")
    expect(page.locator(".hit details").first).to_have_attribute("open", "")


def test_focus_can_be_seen_on_the_hidden_file_field(gallery: str, visit: Visit) -> None:
    page = visit(gallery)
    page.get_by_role("button", name="Search", exact=True).focus()
    page.keyboard.press("Tab")
    expect(page.locator("#picture")).to_be_focused()
    assert (
        page.locator("label[for=picture]").evaluate("label => getComputedStyle(label).outlineStyle")
        == "solid"
    )


@pytest.mark.parametrize("path", STATES.values(), ids=STATES.keys())
def test_a_narrow_screen_never_scrolls_sideways(gallery: str, visit: Visit, path: str) -> None:
    page = visit(gallery + path, viewport=NARROW)
    assert sideways(page) == 0


def test_a_work_and_an_upload_fit_a_narrow_screen(gallery: str, visit: Visit, picture: Path) -> None:
    page = visit(gallery, viewport=NARROW)
    work = first_work(page)
    search_by_picture(page, picture)
    assert sideways(page) == 0
    page.goto(gallery + work)
    assert sideways(page) == 0


def test_everything_works_without_javascript(gallery: str, visit: Visit, picture: Path) -> None:
    page = visit(gallery, java_script_enabled=False, viewport=NARROW)
    assert sideways(page) == 0
    page.get_by_label("Describe a painting").fill("light")
    page.get_by_role("button", name="Search", exact=True).click()
    expect(page.locator(".hit")).to_have_count(3)
    page.get_by_label("Search by a picture").set_input_files(picture)
    page.get_by_role("button", name="Search", exact=True).click()
    expect(page.get_by_alt_text("The picture you uploaded")).to_be_visible()
    page.get_by_label("Show").select_option("2")
    page.get_by_role("button", name="Search", exact=True).click()
    expect(page.locator(".hit")).to_have_count(2)


def test_pictures_take_their_place_before_they_have_loaded(gallery: str, visit: Visit) -> None:
    page = visit(f"{gallery}/healthz")
    page.route("**/pictures/**", lambda route: None)  # never answered
    page.goto(f"{gallery}/?q=light", wait_until="domcontentloaded")
    box = page.locator(".hit .picture").first.bounding_box()
    size = page.locator(".hit img").first.evaluate("image => image.width / image.height")
    assert box is not None
    assert box["height"] > 100
    assert box["width"] / box["height"] == pytest.approx(size, rel=0.02)


def test_the_dark_has_its_own_colours(gallery: str, visit: Visit) -> None:
    colors = [
        visit(gallery, color_scheme=scheme).evaluate("getComputedStyle(document.body).backgroundColor")
        for scheme in ("light", "dark")
    ]
    assert colors == ["rgb(251, 249, 244)", "rgb(23, 22, 20)"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", STATES.values(), ids=STATES.keys())
def test_axe_finds_nothing_serious(gallery: str, visit: Visit, path: str, scheme: str) -> None:
    page = visit(gallery + path, color_scheme=scheme)
    for details in page.locator("details").all():
        details.evaluate("details => details.open = true")
    assert serious(page) == []


def test_axe_finds_nothing_serious_on_a_work_or_an_upload(gallery: str, visit: Visit, picture: Path) -> None:
    page = visit(gallery)
    work = first_work(page)
    search_by_picture(page, picture)
    assert serious(page) == []
    page.goto(gallery + work)
    assert serious(page) == []


def test_no_collection_is_a_page_of_its_own(bare: str, visit: Visit) -> None:
    page = visit(bare, viewport=NARROW)
    expect(page.get_by_role("heading", level=1)).to_have_text("The walls are still bare")
    expect(page.get_by_text("gallery refresh")).to_be_visible()
    assert sideways(page) == 0
    assert serious(page) == []
