"""What visitors get while a store is away or slow, from `gallery serve` as a process of its own."""

from __future__ import annotations

import os
import re
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gallery.services import Services
from gallery.settings import read_settings
from tests.chaos import faults
from tests.chaos.faults import World
from tests.fakes.collection import stocked
from tests.fakes.gcs import Fault
from tests.fakes.processes import free_port, process, wait_for
from tests.fakes.weaviate.faults import CALLS

TIMEOUT_S = 1
"""Timeout in the addresses of the stores; the defaults are longer."""
SLOW_S = 20 * TIMEOUT_S
"""How long a slow store takes. A page that waited for it would show results; one that gave up answers 503."""
THREADS = 8
REQUESTS = 100


@dataclass(frozen=True)
class Page:
    """A response."""

    status: int
    headers: Any
    text: str


Ask = Callable[..., Page]


@contextmanager
def served(folder: Path, **given: str) -> Iterator[Ask]:
    """Run `gallery serve` with these settings until the block ends; yield a function that sends requests."""
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GALLERY_")}
    environment |= {f"GALLERY_{name.upper()}": value for name, value in given.items()}

    def ask(path: str, **headers: str) -> Page:
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                body = answer.read()
        except urllib.error.HTTPError as error:
            with error:
                answer, body = error, error.read()
        return Page(answer.status, answer.headers, body.decode(errors="replace"))

    def ready() -> bool:
        try:
            return ask("/readyz").status == 200
        except OSError:
            return False

    command = [sys.executable, "-m", "gallery", "serve", "--port", str(port)]
    with process(command, folder / "serve.log", cwd=folder, env=environment):
        wait_for(ready, "the web app")
        yield ask


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with faults.world(tmp_path_factory.mktemp("outages"), "folder") as made:
        yield made


@pytest.fixture(scope="module")
def site(world: World) -> Iterator[Ask]:
    images, vectors = world.settings.images, world.settings.vectors
    with served(
        world.folder,
        home=str(world.home),
        images=f"{images}?timeout={TIMEOUT_S}",
        vectors=f"{vectors}&timeout={TIMEOUT_S}",
        encoder="fake",
        threads=str(THREADS),
    ) as ask:
        wait_until_back(ask)
        yield ask


@pytest.fixture(autouse=True)
def _healed(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "world" in request.fixturenames or "site" in request.fixturenames:
        request.getfixturevalue("world").heal()


def check_503(page: Page) -> None:
    """Check that the page says in a sentence that this passes, and when to come again."""
    assert page.status == 503
    assert 1 <= int(page.headers["Retry-After"]) <= 30
    assert "<h1" in page.text and "Traceback" not in page.text and "127.0.0.1" not in page.text


def wait_until_back(site: Ask, path: str = "/?q=painter") -> None:
    wait_for(lambda: site(path).status == 200, "back to normal")


@pytest.mark.parametrize("fault", ["refuse", "500", "garbage"])
def test_a_page_without_the_vector_store_is_a_503_until_it_is_back(
    fault: str, world: World, site: Ask
) -> None:
    for call in CALLS:
        world.weaviate.faults.add(call, fault)
    check_503(site("/?q=painter"))
    assert site("/healthz").status == 200 and site("/readyz").status == 503
    world.heal()
    wait_until_back(site)


@pytest.mark.parametrize("call", ["schema", "Search"])
def test_a_slow_vector_store_leaves_threads_for_other_requests(call: str, world: World, site: Ask) -> None:
    world.weaviate.faults.add(call, "slow", seconds=SLOW_S)
    with ThreadPoolExecutor(THREADS) as pool:
        searches = [pool.submit(site, f"/?q=painter+{number}") for number in range(THREADS // 2)]
        wait_for(lambda: world.weaviate.faults.met > 0, "the first search")
        health = [site("/healthz") for _ in range(5)]
        pages = [search.result() for search in searches]
    for page in pages:
        check_503(page)
    assert all(page.status == 200 for page in health)
    world.heal()
    wait_until_back(site)


@pytest.mark.parametrize("how", ["reset", "500", "slow"])
def test_without_the_image_store_pages_are_served_and_most_images_fail_without_asking_it(
    how: str, world: World, site: Ask
) -> None:
    wait_until_back(site)
    shown = re.findall(r'src="(/images/[^"]+)"', site("/?q=painter").text)
    assert len(set(shown)) >= 4
    status = int(how) if how.isdecimal() else 0
    world.proxy.faults.append(
        Fault("GET", times=10**6, status=status, damage="" if status else how, seconds=SLOW_S)
    )
    with ThreadPoolExecutor(THREADS - 2) as pool:
        images = [pool.submit(site, address) for address in (shown * REQUESTS)[:REQUESTS]]
        wait_for(lambda: world.proxy.met > 0, "the first image")
        pages = [site("/?q=painter") for _ in range(3)]
        answers = [image.result() for image in images]
    assert all(answer.status == 503 and answer.headers["Retry-After"] for answer in answers)
    assert world.proxy.met < REQUESTS / 2
    assert all(page.status == 200 for page in pages)
    world.heal()
    wait_until_back(site, shown[0])


def test_a_page_is_a_503_while_the_folder_of_lance_is_away(tmp_path: Path, _clean_environment: None) -> None:
    settings = read_settings(home=tmp_path, encoder="fake", vectors=f"lance://{tmp_path}/collection")
    stored = stocked(settings).vectors
    services, live = Services(settings), stored.live()
    assert live is not None
    collection, works = services.vectors.create(live), stored.open(live.name).works()
    collection.upsert(works, stored.open(live.name).vectors([work.id for work in works]))
    services.vectors.seal(live.name)
    services.vectors.publish(live.name)
    with served(tmp_path, home=str(tmp_path), vectors=settings.vectors, encoder="fake") as site:
        assert site("/?q=painted").status == 200
        (tmp_path / "collection").rename(tmp_path / "away")
        check_503(site("/?q=painted"))
        assert site("/healthz").status == 200
        (tmp_path / "away").rename(tmp_path / "collection")
        wait_until_back(site, "/?q=painted")
