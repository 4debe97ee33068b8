"""What visitors get while a store is away or slow, from `gallery serve` as a process of its own, and how soon it is back."""

from __future__ import annotations

import os
import re
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gallery.settings import read_settings
from tests.chaos import faults
from tests.chaos.faults import World
from tests.fakes.collection import stocked
from tests.fakes.gcs import Fault
from tests.fakes.processes import free_port, process, wait_for
from tests.fakes.weaviate.faults import CALLS

pytestmark = pytest.mark.usefixtures("kaggle_port")

TIMEOUT_S = 1
"""What the addresses say here; the defaults are longer."""
SOON_S = 5.0
"""From the store's return to the first page, at most."""
QUICK_S = 0.5
THREADS = 8


@dataclass(frozen=True)
class Told:
    """An answer and how long it took."""

    status: int
    headers: Any
    text: str
    seconds: float


Ask = Callable[..., Told]


@contextmanager
def served(folder: Path, **given: str) -> Iterator[Ask]:
    """`gallery serve` with these settings, ready, and a way to ask it."""
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GALLERY_")}
    environment |= {f"GALLERY_{name.upper()}": value for name, value in given.items()}

    def ask(path: str, **headers: str) -> Told:
        started = time.monotonic()
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                body = answer.read()
        except urllib.error.HTTPError as error:
            with error:
                answer, body = error, error.read()
        return Told(answer.status, answer.headers, body.decode(errors="replace"), time.monotonic() - started)

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
        assert ask("/?q=painter").status == 200
        yield ask


@pytest.fixture(autouse=True)
def _healed(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "world" in request.fixturenames or "site" in request.fixturenames:
        request.getfixturevalue("world").heal()


def check_503(told: Told) -> None:
    """It says in a sentence that this passes, and when to come again."""
    assert told.status == 503
    assert 1 <= int(told.headers["Retry-After"]) <= 30
    assert "<h1" in told.text and "Traceback" not in told.text and "127.0.0.1" not in told.text


def back_within(site: Ask, path: str = "/?q=painter") -> float:
    """Seconds until the page is there again."""
    return wait_for(lambda: site(path).status == 200, "back to normal", SOON_S)


@pytest.mark.parametrize("fault", ["refuse", "500", "garbage"])
def test_without_the_vector_store_a_page_says_so_at_once_and_is_back_by_itself(
    fault: str, world: World, site: Ask
) -> None:
    for call in CALLS:
        world.weaviate.faults.add(call, fault)
    told = site("/?q=painter")
    check_503(told)
    assert told.seconds < SOON_S
    assert site("/healthz").status == 200 and site("/readyz").status == 503
    world.heal()
    back_within(site)


@pytest.mark.parametrize("call", ["schema", "Search"])
def test_a_slow_vector_store_does_not_hold_up_the_process(call: str, world: World, site: Ask) -> None:
    world.weaviate.faults.add(call, "slow", seconds=20 * TIMEOUT_S)
    with ThreadPoolExecutor(THREADS) as pool:
        pages = [pool.submit(site, f"/?q=painter+{number}") for number in range(THREADS // 2)]
        wait_for(lambda: world.weaviate.faults.met > 0, "the first search")
        health = [site("/healthz") for _ in range(5)]
        told = [page.result() for page in pages]
    for one in told:
        check_503(one)
        assert one.seconds < 3 * TIMEOUT_S + QUICK_S
    assert all(one.status == 200 and one.seconds < QUICK_S for one in health), health
    world.heal()
    back_within(site)


@pytest.mark.parametrize("how", ["reset", "500", "slow"])
def test_without_the_image_store_pages_are_there_and_pictures_say_so_soon(
    how: str, world: World, site: Ask
) -> None:
    page = site("/?q=painter")
    shown = re.findall(r'src="(/pictures/[^"]+)"', page.text)
    assert len(set(shown)) >= 4
    status = int(how) if how.isdecimal() else 0
    world.proxy.faults.append(
        Fault("GET", times=10**6, status=status, damage="" if status else how, seconds=20 * TIMEOUT_S)
    )
    started = time.monotonic()
    with ThreadPoolExecutor(THREADS - 2) as pool:
        asked = [pool.submit(site, address) for address in (shown * 100)[:100]]
        wait_for(lambda: world.proxy.met > 0, "the first picture")
        pages = [site("/?q=painter") for _ in range(3)]
        told = [one.result() for one in asked]
    assert all(one.status == 503 and one.headers["Retry-After"] for one in told)
    assert max(one.seconds for one in told) < 3 * TIMEOUT_S + QUICK_S
    # Most of them did not ask the store at all: each waiting in turn would take twice as long.
    assert time.monotonic() - started < 100 / (THREADS - 2) * TIMEOUT_S / 2
    assert all(one.status == 200 and one.seconds < QUICK_S for one in pages), pages
    world.heal()
    back_within(site, shown[0])


def test_a_lance_folder_that_is_away_is_said_and_its_return_noticed(
    tmp_path: Path, _clean_environment: None
) -> None:
    settings = read_settings(home=tmp_path, encoder="fake", vectors=f"lance://{tmp_path}/collection")
    held = stocked(settings).vectors
    from gallery.services import Services

    services, live = Services(settings), held.live()
    assert live is not None
    collection, works = services.vectors.create(live), held.open(live.name).works()
    collection.upsert(works, held.open(live.name).vectors([work.id for work in works]))
    services.vectors.seal(live.name)
    services.vectors.publish(live.name)
    with served(tmp_path, home=str(tmp_path), vectors=settings.vectors, encoder="fake") as site:
        assert site("/?q=painted").status == 200
        (tmp_path / "collection").rename(tmp_path / "away")
        check_503(site("/?q=painted"))
        assert site("/healthz").status == 200
        (tmp_path / "away").rename(tmp_path / "collection")
        back_within(site, "/?q=painted")
