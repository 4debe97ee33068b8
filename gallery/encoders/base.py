"""The encoder protocol."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Vectors = NDArray[np.float32]
"""float32 [n, dim], each row of unit length."""


class Encoder(Protocol):
    """Turns images and texts into unit vectors of one space; similarity is their cosine.

    Encoders are lazy: properties do not load the weights, but may download a model to this disk.
    Thread-safe. Images must be decoded, upright and RGB.
    """

    @property
    def address(self) -> str:
        """The address from which `open_encoder` opens this encoder."""

    @property
    def label(self) -> str:
        """The display name, such as "CLIP (clip-ViT-B-32)"."""

    @property
    def fingerprint(self) -> str:
        """Identifies the model, its revision and the preprocessing.

        Vectors can only be compared if their encoders have the same fingerprint.
        """

    @property
    def dim(self) -> int:
        """The length of a vector, in floats."""

    @property
    def image_side(self) -> int:
        """The largest useful length of an image's shorter side, in pixels."""

    @property
    def best_score(self) -> float:
        """The cosine of a perfect match: 1.0, or less if a query uses only part of the vector."""

    @property
    def understands_art_terms(self) -> bool:
        """Whether the encoder understands names of artists and styles.

        If not, query words that occur in the catalogue are left to the full-text search.
        """

    def load(self) -> None:
        """Load the weights unless they are loaded. Raises Unavailable or Invalid, naming the remedy."""

    def embed_images(self, images: Sequence[Image.Image]) -> Vectors:
        """Return the vectors to store, float32 [n, dim], unit length, in the given order."""

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        """Return query vectors for texts, float32 [n, dim], unit length, in the given order."""

    def as_query(self, rows: Vectors) -> Vectors:
        """Return query vectors for works similar to these stored vectors, float32 [n, dim], unit length."""
