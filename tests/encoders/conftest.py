"""Models that the encoders' tests share, each built or loaded once."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.encoders.tiny_clip import write_tiny_clip


@pytest.fixture(scope="session")
def tiny_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a CLIP of random weights, 24 floats a row."""
    pytest.importorskip("sentence_transformers", reason="needs the extra [encoders]")
    return write_tiny_clip(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="session", autouse=True)
def _one_torch_thread() -> Iterator[None]:
    """One thread for torch: on a busy machine two wait for each other, and a picture takes seconds."""
    if importlib.util.find_spec("torch") is None:
        yield  # the fake encoder's tests need none
        return
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
