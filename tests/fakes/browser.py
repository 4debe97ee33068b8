"""Actions of a visitor in a browser, and the pages that are checked."""

from __future__ import annotations

from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

NARROW = {"width": 320, "height": 640}
PAGES = {
    "home": "/",
    "a list": "/?style=Cubism",
    "results": "/?q=light&limit=4&style=Impressionism",
    "text match": "/?q=Bo+Blue",
    "all filters": "/?q=light&q_weight=2&exclude=dark&active_from=1500&active_to=1950&per_artist=2"
    "&exclude_artist=dee-dun",
    "nothing found": "/?q=light&style=None",
    "beyond the end": "/?q=light&offset=99",
    "artists": "/artists",
    "an artist": "/artists/bo-blue",
    "error": "/nothing",
    "empty query": "/?q=",
}


def upload_image(page: Page, image: Path) -> None:
    page.set_input_files("#image", image)
    page.get_by_role("button", name="Search with this image").click()
    page.wait_for_selector(".upload-preview")


def transfer(page: Page, image: Path, event: str) -> None:
    """Drop or paste the image on the footer of the page."""
    page.evaluate(
        """async ([bytes, kind]) => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([new Uint8Array(bytes)], "mine.png", {type: "image/png"}));
            const options = {bubbles: true, cancelable: true};
            const event = kind === "drop"
                ? new DragEvent("drop", {dataTransfer: transfer, ...options})
                : new ClipboardEvent("paste", {clipboardData: transfer, ...options});
            document.querySelector("footer").dispatchEvent(event);
        }""",
        [list(image.read_bytes()), event],
    )


def sideways_scroll(page: Page) -> int:
    """Return by how many pixels the page can be scrolled sideways."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def axe_violations(page: Page) -> list[str]:
    """Return the accessibility violations that axe finds, of any impact."""
    page.wait_for_load_state()  # a page that is still being parsed has no heading yet
    found = Axe().run(page).response["violations"]
    return [f"{violation['id']}: {[node['html'] for node in violation['nodes']]}" for violation in found]


def open_all(page: Page) -> None:
    for details in page.locator("main details").all():
        details.evaluate("details => { details.removeAttribute('name'); details.open = true; }")


def first_work(page: Page) -> str:
    return page.locator(".image-link").first.get_attribute("href") or ""
