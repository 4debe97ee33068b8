"""Fixtures for runs of the pipeline. `gallery` and `built_gallery` are in tests/conftest.py."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gallery.settings import Settings
from tests.fakes.gallery import LargerGallery


@pytest.fixture
def larger(tmp_path: Path, settings_with: Callable[..., Settings]) -> Iterator[LargerGallery]:
    """Return a dataset that is large enough to tell encoders apart; nothing is built yet."""
    with LargerGallery(tmp_path, settings_with) as gallery:
        yield gallery
