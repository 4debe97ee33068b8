"""The memory store keeps the contract."""

from __future__ import annotations

from pathlib import Path

import pytest

from gallery.vectors.base import VectorStore
from gallery.vectors.memory import MemoryStore
from tests.contracts.vector_store import ThreadedStoreContract


class TestMemoryStore(ThreadedStoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> VectorStore:
        return MemoryStore()
