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
    """Turns images and texts into unit vectors of one space, in which similarity is the cosine.

    Encoders are lazy: the properties do not load weights, though one may download a model that is not on this disk.
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
        """Identifies the model, the revision of its weights and the preprocessing. Only equal ones can be compared."""

    @property
    def dim(self) -> int:
        """The length of a vector, in floats."""

    @property
    def image_side(self) -> int:
        """The shorter side of an image that is enough, in pixels; decoding at a larger size brings nothing."""

    @property
    def best_score(self) -> float:
        """The cosine of a perfect match: 1.0, or less if a query uses only a part of the vector."""

    @property
    def understands_art_terms(self) -> bool:
        """Whether the encoder understands names of artists and styles.

        If not, words of a query that occur in the catalogue are left to the full-text search.
        """

    def load(self) -> None:
        """Load the weights unless they are loaded. Raises Unavailable or Invalid with what to do."""

    def embed_images(self, images: Sequence[Image.Image]) -> Vectors:
        """Return vectors to store, float32 [n, dim], unit length, in the given order."""

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        """Return text queries, float32 [n, dim], unit length, in the given order."""

    def as_query(self, rows: Vectors) -> Vectors:
        """Return queries for works similar to these stored vectors, float32 [n, dim], unit length."""
