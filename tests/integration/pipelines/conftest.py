"""Fixtures for runs of the pipeline. `gallery` and `built_gallery` are in tests/conftest.py."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gallery.settings import Settings
from tests.conftest import built_once
from tests.fakes.gallery import LargerGallery


@pytest.fixture
def larger(tmp_path: Path, settings_with: Callable[..., Settings]) -> Iterator[LargerGallery]:
    """Yield a dataset that is large enough to tell encoders apart; nothing is built yet."""
    with LargerGallery(tmp_path, settings_with) as made:
        yield made


@pytest.fixture(scope="session")
def _restore_larger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], LargerGallery]]:
    yield from built_once(tmp_path_factory.mktemp("larger"), LargerGallery)


@pytest.fixture
def built_larger(_restore_larger: Callable[[], LargerGallery]) -> LargerGallery:
    """Return the dataset of `larger` after one refresh; tests can change it."""
    return _restore_larger()
