"""The German pages in Chromium: choice of language, accessibility, and fit on a phone."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

if os.environ.get("CI") != "true":
    pytest.importorskip("axe_playwright_python.sync_playwright", reason="playwright is not installed")

from playwright.sync_api import Page, expect

from gallery.settings import Settings
from tests.fakes.browser import (
    NARROW,
    PAGES,
    axe_violations,
    first_work,
    open_all,
    sideways_scroll,
    transfer,
    upload_image,
)
from tests.fakes.collection import stocked
from tests.fakes.map_layout import hang
from tests.fakes.web import app_with, served

Visit = Callable[..., Page]

ZOOMED = {"width": 640, "height": 450}
"""A window of 1280 x 900 at 200 %."""
EVERYWHERE = PAGES | {"map": "/map", "highlights": "/map?q=light", "API": "/api"}


@pytest.fixture(scope="module")
def gallery(home: Path) -> Iterator[str]:
    """Return the address of a site with a generated collection and its map."""
    settings = Settings(home=home, encoder="fake", thumb_small=40, thumb_large=80)
    services = stocked(settings, generated=True)
    hang(services)
    with served(app_with(settings, services)) as address:
        yield address


def in_german(address: str) -> str:
    return address + ("&" if "?" in address else "?") + "lang=de"


def test_a_page_is_in_the_language_of_the_browser(gallery: str, visit: Visit) -> None:
    page = visit(gallery, locale="de-DE")
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "Finden Sie Gemälde, indem Sie sie beschreiben oder ein ähnliches zeigen"
    )
    expect(page.get_by_label("Wonach suchen Sie?")).to_have_accessible_description(
        "Auf Englisch funktioniert die Suche am besten."
    )
    page.get_by_label("Wonach suchen Sie?").fill("light")
    page.get_by_role("button", name="Suchen", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("„light“")
    expect(page).to_have_url(f"{gallery}/?q=light")


def test_a_chosen_language_stays_through_a_visit_and_in_a_shared_link(gallery: str, visit: Visit) -> None:
    page = visit(f"{gallery}/?q=light")
    switch = page.get_by_role("navigation", name="Language")
    expect(switch.get_by_role("link", name="English")).to_have_attribute("aria-current", "true")
    switch.get_by_role("link", name="Deutsch").click()
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text("„light“")
    page.get_by_role("button", name="Mehr davon: Werk").first.click()
    expect(heading).to_contain_text("„light“, wie ein Werk von")
    expect(page.locator("#live")).to_contain_text("15 Werke gefunden, beste Treffer zuerst")
    assert "lang=de" in page.url
    shared = visit(page.url, locale="en-US")
    expect(shared.get_by_role("heading", level=1)).to_have_text(heading.inner_text())
    # The switch leads to the search that the page shows now, not to that of its first load.
    page.get_by_role("navigation", name="Sprache").get_by_role("link", name="English").click()
    expect(heading).to_contain_text("“light”, like a work by")


def test_messages_at_the_form_are_translated(gallery: str, visit: Visit) -> None:
    page = visit(in_german(f"{gallery}/"))
    page.get_by_role("button", name="Suchen", exact=True).click()
    expect(page.locator("#form-status")).to_have_text("Geben Sie etwas ein oder wählen Sie ein Bild aus.")
    expect(page).to_have_url(in_german(f"{gallery}/"))


def test_dropping_an_image_works_in_german(gallery: str, visit: Visit, picture: Path) -> None:
    page = visit(in_german(f"{gallery}/"))
    transfer(page, picture, "drop")
    expect(page.locator("#form-status")).to_contain_text("Ziehen, um ein Detail auszuwählen")
    page.get_by_role("button", name="Mit diesem Bild suchen").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Im Stil Ihres Bildes")
    page.get_by_role("button", name="Ihr Bild entfernen").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "Finden Sie Gemälde, indem Sie sie beschreiben oder ein ähnliches zeigen"
    )
    expect(page).to_have_url(in_german(f"{gallery}/"))


def test_the_language_is_chosen_and_kept_without_javascript(gallery: str, visit: Visit) -> None:
    page = visit(gallery, java_script_enabled=False)
    page.get_by_role("link", name="Deutsch").click()
    page.get_by_label("Wonach suchen Sie?").fill("light")
    page.get_by_role("button", name="Suchen", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("„light“")
    expect(page).to_have_url(in_german(f"{gallery}/?q=light"))


@pytest.mark.parametrize("path", EVERYWHERE.values(), ids=EVERYWHERE.keys())
def test_axe_finds_no_violations_in_german(gallery: str, visit: Visit, path: str) -> None:
    page = visit(gallery + in_german(path))
    open_all(page)
    assert axe_violations(page) == []


@pytest.mark.parametrize("path", EVERYWHERE.values(), ids=EVERYWHERE.keys())
def test_german_pages_fit_a_narrow_and_a_zoomed_window(gallery: str, visit: Visit, path: str) -> None:
    page = visit(gallery + in_german(path), viewport=NARROW)
    open_all(page)
    assert sideways_scroll(page) == 0
    assert cut_off(page) == []
    page.set_viewport_size(ZOOMED)  # type: ignore[arg-type]
    assert sideways_scroll(page) == 0
    assert cut_off(page) == []


def test_a_work_an_upload_and_the_cards_are_accessible_in_german(
    gallery: str, visit: Visit, picture: Path
) -> None:
    page = visit(gallery, viewport=NARROW)
    work = first_work(page)
    upload_image(page, picture)
    page.goto(in_german(page.url))
    page.get_by_role("button", name="Weniger davon: Werk").first.click()
    page.wait_for_selector(".negative")
    assert (axe_violations(page), sideways_scroll(page), cut_off(page)) == ([], 0, [])
    for button in (".match", ".artist-name"):
        page.locator(button).first.click()
        assert (axe_violations(page), sideways_scroll(page), cut_off(page)) == ([], 0, [])
        page.keyboard.press("Escape")
    page.goto(gallery + in_german(work))
    open_all(page)
    assert (axe_violations(page), sideways_scroll(page), cut_off(page)) == ([], 0, [])


def test_print_hides_the_language_switch(gallery: str, visit: Visit) -> None:
    page = visit(in_german(f"{gallery}/?q=light"))
    page.emulate_media(media="print")
    expect(page.locator(".languages")).to_be_hidden()
    expect(page.locator(".words-hint")).to_be_hidden()
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def cut_off(page: Page) -> list[str]:
    """Return the controls and texts that extend beyond the window, or whose content overflows."""
    found: list[str] = page.evaluate(
        """([texts, hidden]) => [...document.querySelectorAll(texts)]
            .filter((one) => one.checkVisibility() && !one.closest(hidden))
            .filter((one) => {
                const outside = one.getBoundingClientRect().right > innerWidth + 1;
                const scrolls = one.clientWidth && one.scrollWidth > one.clientWidth + 1;
                return outside || (one.tagName !== "SELECT" && scrolls);
            })
            .map((one) => one.outerHTML.slice(0, 120))""",
        [
            "button, a, label, summary, p, dt, dd, legend, select, th, td, h1, h2",
            ".visually-hidden, .skip, pre, svg, .leaflet-container",
        ],
    )
    return found
