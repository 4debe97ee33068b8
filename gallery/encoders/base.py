"""What an encoder promises."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Vectors = NDArray[np.float32]
"""float32 [n, dim], each row of unit length."""


class Encoder(Protocol):
    """Turns pictures and words into unit vectors of one space, so that likeness is a cosine.

    Encoders are lazy: what the properties tell is known without loading any weights. A model that is not on this disk
    yet is fetched when one of them first needs it.
    One instance may be used from several threads. Pictures arrive decoded, upright and RGB.
    """

    @property
    def address(self) -> str:
        """What `open_encoder` takes to open this encoder again."""

    @property
    def label(self) -> str:
        """A name for people, such as "CLIP (clip-ViT-B-32)"."""

    @property
    def fingerprint(self) -> str:
        """Names the model, the weights' revision and the preprocessing. Vectors of different fingerprints never mix."""

    @property
    def dim(self) -> int:
        """Floats in a row."""

    @property
    def image_side(self) -> int:
        """Pixels of the shorter side that a picture needs at most; decoding larger is waste."""

    @property
    def best_score(self) -> float:
        """The cosine that a perfect match of a query gets: 1.0, or less where a query fills only a part of the row."""

    @property
    def understands_art_terms(self) -> bool:
        """True where words such as a painter's name or a style mean something to it. Of others' queries, the words
        that the catalogue has are left to the catalogue."""

    def load(self) -> None:
        """Load the weights, if that has not happened. Raises Unavailable or Invalid with what to do."""

    def embed_images(self, images: Sequence[Image.Image]) -> Vectors:
        """Rows to store, float32 [n, dim], unit length, in the order given."""

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        """Queries from words, float32 [n, dim], unit length, in the order given."""

    def as_query(self, rows: Vectors) -> Vectors:
        """Queries that ask for works like these stored rows, float32 [n, dim], unit length."""
