"""The pages in Chromium, as visitors use them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

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

if os.environ.get("CI") != "true":
    pytest.importorskip("axe_playwright_python.sync_playwright", reason="playwright is not installed")

from playwright.sync_api import Page, expect

Visit = Callable[..., Page]

WIDE = {"width": 1280, "height": 900}


def search(page: Page) -> None:
    page.get_by_role("button", name="Search", exact=True).click()


def test_a_search_has_results_and_an_address_that_can_be_shared(gallery: str, visit: Visit) -> None:
    page = visit(gallery)
    page.get_by_label("What are you looking for?").fill("a quiet light")
    page.get_by_text("More options").click()
    page.get_by_label("Results per page").select_option("48")
    search(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("“a quiet light”")
    expect(page.locator(".hit")).to_have_count(16)
    expect(page).to_have_url(f"{gallery}/?q=a+quiet+light&limit=48")
    expect(page.locator("#live")).to_contain_text("“a quiet light”. 16 works")
    assert page.title().startswith("“a quiet light”")
    again, links = visit(page.url), "links => links.slice(0, 6).map(link => link.href)"
    assert again.locator(".image-link").evaluate_all(links) == page.locator(".image-link").evaluate_all(links)


def test_the_back_button_restores_the_search(gallery: str, visit: Visit) -> None:
    page = visit(f"{gallery}/?q=light")
    page.get_by_label("What are you looking for?").fill("dark")
    search(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("“dark”")
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("“light”")
    expect(page.get_by_label("What are you looking for?")).to_have_value("light")


def test_an_empty_search_shows_a_message_at_the_form(gallery: str, visit: Visit) -> None:
    page = visit(gallery)
    search(page)
    expect(page.locator("#form-status")).to_contain_text("Type something or choose an image.")
    expect(page.get_by_label("What are you looking for?")).to_be_focused()


def test_the_address_of_an_upload_works_for_others(gallery: str, visit: Visit, picture: Path) -> None:
    page = visit(gallery)
    upload_image(page, picture)
    expect(page.get_by_alt_text("The image you uploaded")).to_be_visible()
    assert page.locator(".upload-preview").evaluate("image => image.naturalWidth") == 112
    picture.unlink()
    other = visit(page.url)
    expect(other.get_by_alt_text("The image you uploaded")).to_be_visible()
    expect(other.get_by_role("heading", level=1)).to_have_text("In the style of your image")


@pytest.mark.parametrize("event", ["drop", "paste"])
def test_an_image_can_be_dropped_or_pasted_anywhere(
    gallery: str, visit: Visit, picture: Path, event: str
) -> None:
    page = visit(f"{gallery}/?q=light")
    transfer(page, picture, event)
    expect(page.get_by_role("button", name="Search with this image")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("“light”, in the style of your image")


def test_text_can_still_be_pasted(gallery: str, visit: Visit) -> None:
    page = visit(gallery)
    caught = page.evaluate(
        """() => {
            const transfer = new DataTransfer();
            transfer.setData("text/plain", "a boat");
            const options = {clipboardData: transfer, bubbles: true, cancelable: true};
            const event = new ClipboardEvent("paste", options);
            document.getElementById("q").dispatchEvent(event);
            return event.defaultPrevented;
        }"""
    )
    assert caught is False


def test_a_phone_offers_its_camera(gallery: str, visit: Visit, picture: Path) -> None:
    page = visit(gallery, viewport=NARROW, has_touch=True, is_mobile=True)
    camera = page.locator("input[capture=environment]")
    expect(page.get_by_text("Take a photo")).to_be_visible()
    camera.set_input_files(picture)
    page.get_by_role("button", name="Search with this image").click()
    expect(page.get_by_alt_text("The image you uploaded")).to_be_visible()


def test_a_detail_of_an_image_is_selected_by_dragging(gallery: str, visit: Visit, picture: Path) -> None:
    page = visit(gallery)
    page.set_input_files("#image", picture)
    box = page.locator("#cropper canvas").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + box["height"] * 0.5)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + box["height"] * 0.9, steps=3)
    page.mouse.up()
    values = [float(page.locator(f"#box-{name}").input_value()) for name in "xywh"]
    assert values == pytest.approx([0.25, 0.5, 0.5, 0.4], abs=0.03)
    expect(page.locator(".crop")).to_be_visible()
    page.get_by_role("button", name="Search with this image").click()
    page.wait_for_selector(".upload-preview")
    shape = page.locator(".upload-preview").evaluate("image => image.naturalWidth / image.naturalHeight")
    assert shape == pytest.approx(120 * values[2] / (90 * values[3]), rel=0.1)


def test_a_detail_of_an_image_is_entered_as_numbers(gallery: str, visit: Visit, picture: Path) -> None:
    page = visit(gallery)
    page.set_input_files("#image", picture)
    page.get_by_label("Width").fill("0.5")
    expect(page.locator(".crop")).to_be_visible()
    page.keyboard.press("Enter")
    page.wait_for_selector(".upload-preview")
    assert page.locator(".upload-preview").evaluate("image => image.naturalWidth < image.naturalHeight")


def test_a_chosen_image_can_be_removed(gallery: str, visit: Visit, picture: Path) -> None:
    page = visit(gallery)
    page.set_input_files("#image", picture)
    page.get_by_role("button", name="Remove").click()
    expect(page.locator("#cropper")).to_be_hidden()
    page.get_by_label("What are you looking for?").fill("light")
    search(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("“light”")


def test_a_detail_of_a_work_is_searched(gallery: str, visit: Visit) -> None:
    page = visit(gallery)
    page.goto(gallery + first_work(page))
    page.locator(".detail summary").click()
    box = page.locator(".detail .stage").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    page.mouse.down()
    page.mouse.move(box["x"] + 40, box["y"] + 40, steps=3)
    page.mouse.up()
    page.get_by_role("button", name="Search with this detail").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("In the style of your image")


def test_works_are_liked_unliked_weighted_and_removed(gallery: str, visit: Visit) -> None:
    page = visit(f"{gallery}/?q=light")
    page.get_by_role("button", name="More like this").first.click()
    expect(page.locator(".term")).to_have_count(1)
    page.get_by_role("button", name="Less like this").nth(2).click()
    expect(page.locator(".term.negative")).to_have_count(1)
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_contain_text("less like a work by")
    page.get_by_label("Importance", exact=True).first.select_option("2")
    expect(page).to_have_url(re.compile("like_weight=2"))
    page.get_by_role("button", name="Remove").first.click()
    expect(page.locator(".term")).to_have_count(1)
    expect(page).not_to_have_url(re.compile("drop"))
    expect(page.locator("#live")).to_contain_text("15 works")


def test_a_card_explains_a_result(gallery: str, visit: Visit) -> None:
    page = visit(f"{gallery}/?q=light&exclude=dark")
    page.get_by_role("button", name="why this work?").first.click()
    card = page.get_by_role("dialog", name="Why this work was found")
    expect(card).to_be_visible()
    expect(card.get_by_role("row")).to_have_count(3)
    page.keyboard.press("Escape")
    expect(card).to_be_hidden()


def test_an_artist_can_be_hidden_from_the_card(gallery: str, visit: Visit) -> None:
    page = visit(f"{gallery}/?q=light")
    page.get_by_role("button", name="Bo Blue", exact=True).first.click()
    card = page.get_by_role("dialog", name="Bo Blue")
    expect(card).to_contain_text("1881–1973")
    expect(card).to_contain_text("Bo painted corners.")
    card.get_by_role("button", name="Hide this artist").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("“light”, not by Bo Blue")
    expect(page.get_by_role("button", name="Bo Blue", exact=True)).to_have_count(0)


def test_a_facet_filters_at_once_and_stays_open(gallery: str, visit: Visit) -> None:
    page = visit(f"{gallery}/?q=light")
    page.locator("#facet-style summary").click()
    page.get_by_role("checkbox", name="Cubism").check()
    expect(page.locator(".hit")).to_have_count(4)
    expect(page.get_by_role("checkbox", name="Cubism")).to_be_focused()
    page.get_by_role("checkbox", name="Impressionism").check()
    expect(page.locator(".hit")).to_have_count(12)
    expect(page).to_have_url(f"{gallery}/?q=light&style=Impressionism&style=Cubism")
    page.keyboard.press("Escape")
    expect(page.get_by_role("checkbox", name="Cubism")).to_be_hidden()
    page.get_by_role("link", name="Remove filter: Cubism").click()
    expect(page.locator(".hit")).to_have_count(8)


def test_scrolling_loads_more_works(gallery: str, visit: Visit) -> None:
    page = visit(f"{gallery}/?q=light&limit=3", viewport=NARROW)
    for _ in range(1_000):
        page.mouse.wheel(0, 3_000)
        page.wait_for_timeout(50)
        if not page.locator(".more").count():
            break
    expect(page.locator(".hit")).to_have_count(16)
    expect(page.locator(".more")).to_have_count(0)
    ids = page.locator("[id]").evaluate_all("all => all.map(one => one.id)")
    assert len(ids) == len(set(ids))


def test_an_image_that_is_too_large_is_not_sent(gallery: str, visit: Visit, tmp_path: Path) -> None:
    page = visit(gallery)
    large = tmp_path / "large.png"
    large.write_bytes(b"\0" * 300_000)
    page.set_input_files("#image", large)
    expect(page.locator("#form-status")).to_contain_text("larger than")
    expect(page).to_have_url(f"{gallery}/")


def test_an_image_over_a_limit_is_sent_as_a_smaller_copy(gallery: str, visit: Visit, tmp_path: Path) -> None:
    photo = tmp_path / "photo.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    Image.linear_gradient("L").resize((8_160, 6_144)).convert("RGB").save(photo, quality=95, exif=exif)
    assert photo.stat().st_size > 200_000
    page = visit(gallery)
    page.set_input_files("#image", photo)
    page.wait_for_selector("#cropper canvas")
    sent = "document.getElementById('image').files[0]"
    assert page.evaluate(f"{sent}.type") == "image/jpeg"
    assert 1_000 < page.evaluate(f"{sent}.size") <= 200_000
    page.get_by_role("button", name="Search with this image").click()
    preview = page.locator(".upload-preview")
    preview.wait_for()
    assert preview.evaluate("image => image.naturalWidth / image.naturalHeight") == pytest.approx(
        3 / 4, rel=0.03
    )


def test_an_invalid_search_keeps_its_text_in_the_form(gallery: str, visit: Visit) -> None:
    page = visit(gallery)
    page.get_by_label("What are you looking for?").fill("light")
    page.get_by_text("More options").click()
    page.get_by_label("Artist active between").fill("1900")
    page.get_by_label("and", exact=True).fill("1800")
    search(page)
    expect(page.get_by_role("alert")).to_contain_text("The years are the wrong way round")
    expect(page.get_by_label("What are you looking for?")).to_have_value("light")


def test_a_search_during_startup_is_repeated(gallery: str, visit: Visit) -> None:
    page = visit(f"{gallery}/?q=light")
    starting = {"status": 503, "headers": {"Retry-After": "1"}, "content_type": "text/html"}
    page.route("**/?q=dark", lambda route: route.fulfill(**starting, body='<main id="main"></main>'), times=1)
    page.get_by_label("What are you looking for?").fill("dark")
    search(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("“dark”")


def test_an_unreachable_server_shows_a_message(gallery: str, visit: Visit) -> None:
    page = visit(f"{gallery}/?q=light")
    page.evaluate("htmx.ajax = () => document.dispatchEvent(new Event('htmx:sendError'))")
    page.get_by_label("What are you looking for?").fill("dark")
    search(page)
    expect(page.locator("#form-status")).to_contain_text("We can’t reach the gallery")
    expect(page.locator("#main")).not_to_have_attribute("aria-busy", "true")


def test_an_artist_has_a_page(gallery: str, visit: Visit) -> None:
    page = visit(gallery)
    page.get_by_role("navigation").get_by_role("link", name="Artists").click()
    page.get_by_role("link", name="Ada Amber").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Ada Amber")
    page.get_by_text("Read full biography").click()
    expect(page.get_by_text("It was a long life.")).to_be_visible()
    expect(page.locator(".hit")).to_have_count(4)


def test_years_are_entered_with_the_keyboard(gallery: str, visit: Visit) -> None:
    page = visit(f"{gallery}/?q=light")
    page.locator("#options summary").focus()
    page.keyboard.press("Enter")
    page.locator("#active_from").focus()
    page.keyboard.type("1900")
    page.keyboard.press("Tab")
    page.keyboard.type("1800")
    page.keyboard.press("Enter")
    expect(page.locator("#problem")).to_contain_text("The years are the wrong way round")
    expect(page.locator("#active_from")).to_have_value("1900")
    expect(page.locator("#active_to")).to_have_value("1800")
    expect(page.locator("#active_to")).to_be_focused()
    page.locator("#active_from").fill("1700")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("by artists active 1700–1800")


def test_quick_changes_of_two_filters_both_count(gallery: str, visit: Visit) -> None:
    page = visit(f"{gallery}/?q=light")
    page.locator("#facet-style summary").click()
    page.evaluate(
        """for (const box of [...document.querySelectorAll("#facet-style input")].slice(0, 2)) box.click();"""
    )
    expect(page.locator("#facet-style .chosen")).to_have_text("2")


def test_everything_works_by_keyboard(gallery: str, visit: Visit) -> None:
    page = visit(gallery)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to main content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("What are you looking for?")).to_be_focused()
    page.keyboard.type("light")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("“light”")
    expect(page.locator(".hit")).to_have_count(16)
    page.locator(".hit .image-link").first.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    card = page.locator(".card:popover-open")
    expect(card).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".hit .artist-name").first).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="More like this").first).to_be_focused()
    page.keyboard.press("Space")
    expect(page.locator(".term")).to_have_count(1)
    expect(page.get_by_role("heading", level=1)).to_be_focused()


def test_focus_is_visible_on_the_hidden_file_field(gallery: str, visit: Visit) -> None:
    page = visit(gallery)
    page.get_by_role("button", name="Search", exact=True).focus()
    page.keyboard.press("Tab")
    expect(page.locator("#image")).to_be_focused()
    assert (
        page.locator("label[for=image]").evaluate("label => getComputedStyle(label).outlineStyle") == "solid"
    )


@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES.keys())
def test_a_narrow_screen_never_scrolls_sideways(gallery: str, visit: Visit, path: str) -> None:
    page = visit(gallery + path, viewport=NARROW)
    open_all(page)
    assert sideways_scroll(page) == 0


def test_a_work_an_upload_and_the_cropper_fit_a_narrow_screen(
    gallery: str, visit: Visit, picture: Path
) -> None:
    page = visit(gallery, viewport=NARROW)
    work = first_work(page)
    page.set_input_files("#image", picture)
    page.wait_for_selector("#cropper canvas")
    assert sideways_scroll(page) == 0
    page.get_by_role("button", name="Search with this image").click()
    page.wait_for_selector(".upload-preview")
    assert sideways_scroll(page) == 0
    page.goto(gallery + work)
    open_all(page)
    assert sideways_scroll(page) == 0


def test_everything_works_without_javascript(gallery: str, visit: Visit, picture: Path) -> None:
    page = visit(gallery, java_script_enabled=False, viewport=NARROW)
    page.get_by_label("What are you looking for?").fill("light")
    search(page)
    expect(page.locator(".hit")).to_have_count(16)
    page.get_by_label("Search with an image").set_input_files(picture)
    page.get_by_text("Search with a detail").click()
    page.get_by_label("Width").fill("0.5")
    search(page)
    expect(page.get_by_alt_text("The image you uploaded")).to_be_visible()
    page.get_by_role("button", name="Less like this").first.click()
    expect(page.locator(".term")).to_have_count(2)
    page.locator("#facet-style summary").click()
    page.get_by_role("checkbox", name="Impressionism").check()
    page.locator("#facet-style").get_by_role("button", name="Apply").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("style: Impressionism")
    page.get_by_role("button", name="Remove your image").click()
    expect(page.locator(".term")).to_have_count(1)
    page.goto(f"{gallery}/?q=light&limit=3")
    page.get_by_role("link", name="More works").click()
    expect(page.locator(".hit")).to_have_count(3)


def test_images_have_their_size_before_they_load(gallery: str, visit: Visit) -> None:
    page = visit(f"{gallery}/healthz")
    page.route("**/images/**", lambda route: None)  # never answered
    page.goto(f"{gallery}/?q=light", wait_until="domcontentloaded")
    box = page.locator(".hit .image").first.bounding_box()
    size = page.locator(".hit img").first.evaluate(
        "image => image.getAttribute('width') / image.getAttribute('height')"
    )
    assert box is not None
    assert box["height"] > 100
    assert box["width"] / box["height"] == pytest.approx(size, rel=0.02)


@pytest.mark.parametrize("path", ["/", "/?q=light", "/artists"])
def test_the_layout_does_not_shift_while_a_page_loads(gallery: str, visit: Visit, path: str) -> None:
    page = visit(gallery + path, viewport=WIDE)
    page.wait_for_load_state("networkidle")
    shift = page.evaluate(
        """() => new Promise((resolve) => {
            new PerformanceObserver((list) => {
                resolve(list.getEntries().reduce((sum, entry) => sum + entry.value, 0));
            }).observe({type: "layout-shift", buffered: true});
            setTimeout(() => resolve(0), 300);
        })"""
    )
    assert shift < 0.05


def test_works_in_a_row_have_equal_heights_and_fill_it(gallery: str, visit: Visit) -> None:
    page = visit(f"{gallery}/?q=light", viewport=WIDE)
    boxes = page.locator(".hit .image").evaluate_all(
        """all => all.map((one) => one.getBoundingClientRect())
            .map(({top, right, height}) => [top, right, height])"""
    )
    right = page.locator(".hits").evaluate("list => list.getBoundingClientRect().right")
    rows: dict[int, list[list[float]]] = {}
    for box in boxes:
        rows.setdefault(round(box[0]), []).append(box)
    assert len(rows) > 1
    for row in rows.values():
        heights = [height for _, _, height in row]
        assert max(heights) / min(heights) < 1.03
    for top in sorted(rows)[:-1]:
        assert rows[top][-1][1] == pytest.approx(right, abs=1)


def test_dark_mode_has_its_own_colours(gallery: str, visit: Visit) -> None:
    colors = [
        visit(gallery, color_scheme=scheme).evaluate("getComputedStyle(document.body).backgroundColor")
        for scheme in ("light", "dark")
    ]
    assert colors == ["rgb(251, 249, 244)", "rgb(23, 22, 20)"]


def test_reduced_motion_disables_transitions(gallery: str, visit: Visit) -> None:
    page = visit(f"{gallery}/?q=light", reduced_motion="reduce")
    moving = "all => all.filter((one) => getComputedStyle(one).transitionDuration !== '0s').length"
    assert page.locator("*").evaluate_all(moving) == 0


def test_print_shows_images_and_not_the_form(gallery: str, visit: Visit) -> None:
    page = visit(f"{gallery}/?q=light")
    page.emulate_media(media="print")
    expect(page.locator("#search")).to_be_hidden()
    expect(page.locator(".hit img").first).to_be_visible()
    expect(page.locator(".actions").first).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES.keys())
def test_axe_finds_no_violations(gallery: str, visit: Visit, path: str, scheme: str) -> None:
    page = visit(gallery + path, color_scheme=scheme)
    open_all(page)
    assert axe_violations(page) == []


def test_axe_finds_no_violations_on_a_work_an_upload_or_a_card(
    gallery: str, visit: Visit, picture: Path
) -> None:
    page = visit(gallery)
    work = first_work(page)
    page.set_input_files("#image", picture)
    page.wait_for_selector("#cropper canvas")
    assert axe_violations(page) == []
    page.get_by_role("button", name="Search with this image").click()
    page.wait_for_selector(".upload-preview")
    page.get_by_role("button", name="Less like this").first.click()
    page.wait_for_selector(".negative")
    assert axe_violations(page) == []
    for button in (".match", ".artist-name"):
        page.locator(button).first.click()
        assert axe_violations(page) == []
        page.keyboard.press("Escape")
    page.goto(gallery + work)
    open_all(page)
    assert axe_violations(page) == []


def test_a_page_without_its_images_is_small(gallery: str, visit: Visit) -> None:
    sizes: list[int] = []
    page = visit(f"{gallery}/healthz")
    page.on(
        "requestfinished",
        lambda request: sizes.append(
            0 if request.resource_type == "image" else request.sizes()["responseBodySize"]
        ),
    )
    page.goto(f"{gallery}/?q=light", wait_until="networkidle")
    assert 10_000 < sum(sizes) < 100_000


def test_without_a_collection_there_is_a_page_that_says_so(bare: str, visit: Visit) -> None:
    page = visit(bare, viewport=NARROW)
    expect(page.get_by_role("heading", level=1)).to_have_text("Nothing on display yet")
    expect(page.get_by_text("gallery refresh")).to_be_visible()
    assert sideways_scroll(page) == 0
    assert axe_violations(page) == []
