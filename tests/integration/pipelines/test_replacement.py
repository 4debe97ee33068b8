"""A live build that lost works is replaced by the next refresh, in the embedded store and in Weaviate."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gallery.services import Services
from gallery.vectors.base import replacement_name
from tests.fakes.gallery import LargerGallery
from tests.fakes.weaviate import FakeWeaviate


@pytest.fixture(params=["lance", "weaviate"])
def vectors(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Return the address of an empty vector store."""
    if request.param == "lance":
        yield f"lance://{tmp_path / 'vectors'}"
        return
    with FakeWeaviate() as server:
        yield server.address


def test_a_live_build_that_lost_works_is_replaced(larger: LargerGallery, vectors: str) -> None:
    first = larger.refresh(vectors=vectors)["build"]
    store = Services(larger.settings(vectors=vectors)).vectors
    damaged = store.open(first)
    damaged.delete(sorted(damaged.ids())[:30])
    assert damaged.count() == 6

    counts = larger.refresh(vectors=vectors)
    assert counts["build"] == replacement_name(first, 1) and (counts["indexed"], counts["embedded"]) == (
        36,
        0,
    )
    live = store.live()
    assert live is not None and live.name == counts["build"] and store.open(live.name).count() == 36
    assert store.open(first).count() == 6  # kept as it was, to look into

    again = larger.refresh(vectors=vectors)
    assert again["build"] == counts["build"]
