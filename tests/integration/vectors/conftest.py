"""Fixtures of the vector stores that are servers."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from gallery.vectors.base import VECTORS
from gallery.vectors.weaviate import WeaviateStore
from gallery.vectors.weaviate import collection as adapter
from gallery.vectors.weaviate import connection as connections
from tests.fakes.processes import HANG_GUARD_S
from tests.fakes.weaviate import FakeWeaviate


@pytest.fixture(scope="module")
def shared_server() -> Iterator[FakeWeaviate]:
    """Run one fake Weaviate for the tests that do not break it."""
    with FakeWeaviate() as server:
        yield server


@pytest.fixture
def server() -> Iterator[FakeWeaviate]:
    """Run a fake Weaviate for one test."""
    with FakeWeaviate() as server:
        yield server


@pytest.fixture
def guarded() -> Iterator[FakeWeaviate]:
    """Run a fake Weaviate that asks for API keys."""
    with FakeWeaviate(keys={"loading-key": "loader", "searching-key": "search"}) as server:
        yield server


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., WeaviateStore]]:
    """Return a function that opens stores, which are closed afterwards and hardly wait between attempts."""
    opened: list[WeaviateStore] = []
    monkeypatch.setattr(adapter, "RETRY_PAUSES_S", (0.01, 0.01))
    monkeypatch.setattr(connections, "RECONNECT_PAUSE_S", 0.05)

    def make(address: str, api_key: str | None = None) -> WeaviateStore:
        store = VECTORS.open(address, api_key=api_key)
        assert isinstance(store, WeaviateStore)
        opened.append(store)
        return store

    yield make
    for store in opened:
        store.close()


@pytest.fixture
def store(server: FakeWeaviate, connect: Callable[..., WeaviateStore]) -> WeaviateStore:
    """Return a store on the test's own fake server."""
    return connect(f"{server.address}&timeout={HANG_GUARD_S}")
