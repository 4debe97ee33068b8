"""An encoder without a model, for tests: fast and deterministic, with close vectors for similar images."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gallery.encoders.base import Vectors

THUMBNAIL_SIDE_PX = 4
VERSION = 1


class FakeEncoder:
    """Projects a 4 x 4 thumbnail of an image, and draws a text's vector at random, seeded with its hash.

    Images and texts share a space but no meaning.
    """

    image_side = 64
    best_score = 1.0
    understands_art_terms = True

    def __init__(self, dim: int = 48) -> None:
        self.dim = dim
        self.address = f"fake://?dim={dim}"
        self.label = f"Fake ({dim} floats)"
        self.fingerprint = f"fake/{dim}/{VERSION}"
        # The last row is a constant input, so that a grey image has a direction too.
        self._projection = _normal("projection", (THUMBNAIL_SIDE_PX**2 * 3 + 1, dim))

    def load(self) -> None:
        """Do nothing."""

    def embed_images(self, images: Sequence[Image.Image]) -> Vectors:
        """Return the projected colours of 4 x 4 thumbnails, float32 [n, dim], unit length."""
        size = (THUMBNAIL_SIDE_PX, THUMBNAIL_SIDE_PX)
        thumbnails = [image.convert("RGB").resize(size, Image.Resampling.BOX) for image in images]
        colors = np.array([np.asarray(thumbnail) for thumbnail in thumbnails], dtype=np.float64)
        centred = colors.reshape(len(images), THUMBNAIL_SIDE_PX**2 * 3) / 127.5 - 1
        return _unit(np.hstack([centred, np.full((len(images), 1), 0.1)]) @ self._projection)

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        """Return a random direction for each text, seeded with its hash, float32 [n, dim], unit length."""
        return _unit(np.array([_normal(text, (self.dim,)) for text in texts]).reshape(len(texts), self.dim))

    def as_query(self, rows: Vectors) -> Vectors:
        """Return the vectors unchanged."""
        return rows


def _normal(seed: str, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return standard normal numbers that depend only on `seed`, float64 of the given shape."""
    digest = hashlib.sha256(seed.encode("utf-8", "surrogatepass")).digest()
    return np.random.default_rng(np.frombuffer(digest, dtype=np.uint32)).standard_normal(shape)


def _unit(vectors: NDArray[np.float64]) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / lengths, dtype=np.float32)
