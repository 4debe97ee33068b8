"""Fixtures of browser tests: Chromium, and web servers over the sample gallery."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ByteSize

from gallery.settings import Settings
from serving import create_app
from tests.fakes.collection import drawing, encoded, stocked
from tests.fakes.web import app_with, served

try:
    from playwright.sync_api import (
        Browser,
        BrowserContext,
        ConsoleMessage,
        Page,
        Request,
        Response,
        expect,
        sync_playwright,
    )
except ImportError:  # the fixture below says so
    sync_playwright = None  # type: ignore[assignment]

TIMEOUT_MS = 60_000
# The first one lacks the parts of a desktop browser, and takes half the processor time.
BROWSERS = ("chromium-headless-shell", "chromium")
ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run",
]  # fmt: skip
FAILED = "Failed to load resource: the server responded with a status of"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    missing = "playwright is not installed" if sync_playwright is None else ""
    if not missing and not found:
        missing = f"no {' or '.join(BROWSERS)} is installed"
    if missing and os.environ.get("CI") == "true":
        pytest.fail(missing)
    if missing:
        pytest.skip(missing)
    expect.set_options(timeout=TIMEOUT_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="package")
def gallery(home: Path) -> Iterator[str]:
    """Return the address of a site with a generated collection, whose pages have a banner that says so."""
    settings = Settings(
        home=home, encoder="fake", thumb_small=40, thumb_large=80, max_upload=ByteSize(200_000)
    )
    with served(app_with(settings, stocked(settings, generated=True))) as address:
        yield address


@pytest.fixture(scope="package")
def bare(home: Path) -> Iterator[str]:
    """Return the address of a site without a collection."""
    settings = Settings(home=home, encoder="fake")
    with served(create_app(settings, services=stocked(settings, publish=False))) as address:
        yield address


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "mine.png"
    path.write_bytes(encoded(drawing("#c08020", 1)))
    return path


@pytest.fixture
def visit(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Return a function that opens an address in a new window.

    The test fails if a page logs an error, misses a file, or loads one from another host.
    """
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def heard(line: ConsoleMessage) -> None:
        if not line.text.startswith(FAILED):  # `answered` distinguishes pages from their parts
            complaints.append(line.text)

    def answered(response: Response) -> None:
        asked = response.request
        # The response to a search by htmx is a page too.
        visited = asked.is_navigation_request() or asked.headers.get("hx-target") == "main"
        if response.status >= 400 and not visited:
            complaints.append(f"{response.status} {response.url}")

    def open_page(address: str, **options: Any) -> Page:
        host = "/".join(address.split("/")[:3]) + "/"

        def asked(request: Request) -> None:
            if not request.url.startswith((host, "data:")):
                complaints.append(request.url)

        context = chromium.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(TIMEOUT_MS)
        page.on("console", heard)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", asked)
        page.on("response", answered)
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
