"""The memory store keeps the contract."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gallery.vectors.base import VectorStore
from gallery.vectors.memory import MemoryStore
from pipelines.defs.collection.builds import damage
from tests.contracts.vector_store import ThreadedStoreContract, build, row, rows, work


class TestMemoryStore(ThreadedStoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> VectorStore:
        return MemoryStore()

    def test_a_vector_that_is_not_finite_is_damage(self, store: MemoryStore) -> None:
        """The other stores refuse to write one."""
        collection, works, vectors = store.create(build()), [work("x"), work("y")], rows(row(1), row(0, 1))
        collection.upsert(works, vectors)
        assert damage(collection, build(), works, vectors) == ""
        collection._kept["y"][1][0] = np.nan
        assert damage(collection, build(), works, vectors).endswith("differ, such as y")
