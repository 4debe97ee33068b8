"""Models that the encoders' tests share, each built or loaded once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.encoders.tiny_clip import write_tiny_clip


@pytest.fixture(scope="session")
def tiny_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a CLIP of random weights, 24 floats a row."""
    pytest.importorskip("sentence_transformers", reason="needs the extra [encoders]")
    return write_tiny_clip(tmp_path_factory.mktemp("models") / "tiny")
