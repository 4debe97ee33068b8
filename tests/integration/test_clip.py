"""The CLIP encoder, mostly on random weights, which have the right shapes but no meaning."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from PIL import Image

from gallery.encoders.opening import open_encoder
from tests.fakes.drawings import drawn
from tests.fakes.tiny_clip import DIM, SIDE, write_tiny_clip


def test_its_sizes_come_from_the_configuration(tiny_clip: Path) -> None:
    encoder = open_encoder(str(tiny_clip))
    assert (encoder.dim, encoder.image_side, encoder.best_score) == (DIM, SIDE, 1.0)


def test_the_fingerprint_depends_on_the_weights_and_not_the_folder(tiny_clip: Path, tmp_path: Path) -> None:
    moved = shutil.copytree(tiny_clip, tmp_path / "moved")
    other = write_tiny_clip(tmp_path / "other", seed=1)
    fingerprint = open_encoder(str(tiny_clip)).fingerprint
    assert open_encoder(str(moved)).fingerprint == fingerprint
    assert open_encoder(str(other)).fingerprint != fingerprint


def test_the_address_of_a_relative_folder_is_absolute(
    tiny_clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tiny_clip.parent)
    assert open_encoder(f"./{tiny_clip.name}").address == str(tiny_clip.resolve())


def test_nothing_is_written_to_the_terminal(tiny_clip: Path, capfd: pytest.CaptureFixture[str]) -> None:
    encoder = open_encoder(str(tiny_clip))
    encoder.embed_images([drawn(0)])
    encoder.embed_texts(["a ship"])
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(
    "GALLERY_TEST_CLIP" not in os.environ, reason="GALLERY_TEST_CLIP names no folder with CLIP"
)
def test_real_weights_know_colours() -> None:
    encoder = open_encoder(os.environ["GALLERY_TEST_CLIP"])
    colors = ["red", "blue", "green"]
    rows = encoder.embed_images([Image.new("RGB", (224, 224), color) for color in colors])
    scores = encoder.embed_texts([f"a plain {color} picture" for color in colors]) @ rows.T
    assert (scores.argmax(axis=1) == range(3)).all()


@pytest.mark.parametrize("size", [(1, 40_000), (40_000, 1)])
def test_only_the_middle_of_an_extremely_narrow_image_is_encoded(
    tiny_clip: Path, size: tuple[int, int]
) -> None:
    encoder = open_encoder(str(tiny_clip))
    line = Image.new("RGB", size, "teal")
    middle = line.crop((0, 0, min(size[0], 4), min(size[1], 4)))
    assert encoder.embed_images([line])[0] == pytest.approx(encoder.embed_images([middle])[0], abs=1e-4)
