"""A server to flood."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gallery.settings import Settings
from serving import connections
from tests.fakes.servers import RunningServer, running

THREADS = 8


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.load)


@pytest.fixture
def server(settings_with: Callable[..., Settings]) -> Iterator[RunningServer]:
    """Run a server with THREADS threads over the sample gallery."""
    with running(settings_with(threads=THREADS), send_buffer=4096) as server:
        yield server


@pytest.fixture
def no_timeouts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let slow clients stay connected for the whole test, so that only a free thread can answer others."""
    for name in (
        "IDLE_TIMEOUT_S",
        "REQUEST_TIMEOUT_S",
        "UPLOAD_TIMEOUT_S",
        "RESPONSE_TIMEOUT_S",
        "LINGER_IDLE_S",
        "LINGER_MAX_S",
    ):
        monkeypatch.setattr(connections, name, 1e6)
