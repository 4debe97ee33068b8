"""What a search asks for: words, pictures and works of the collection, each with a weight, through a filter.

Several parts become one query vector,

    q = unit( Σ wᵢ · uᵢ / σᵢ )

uᵢ being the unit vector of part i as the encoder asks with it, wᵢ its weight, below zero for what to move away from,
and σᵢ how widely the scores of that part alone are spread over the collection. Moving a query towards what is liked
and away from what is not is Rocchio's relevance feedback (J. J. Rocchio, "Relevance feedback in information
retrieval", in G. Salton (ed.), The SMART Retrieval System, 1971). The division by σᵢ is ours: words and pictures score
on different scales with most encoders, and after it parts of one weight move the order of the results equally.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gallery.errors import Invalid
from gallery.vectors.base import Vector, Vectors
from gallery.vectors.filters import EVERYTHING, Filter

CANCELLED = 1e-4
"""A sum of parts shorter than this share of their lengths points nowhere in particular."""


@dataclass(frozen=True)
class TextTerm:
    """What a picture shows, said in words."""

    text: str
    weight: float = 1.0


@dataclass(frozen=True)
class WorkTerm:
    """A work of the collection."""

    id: str
    weight: float = 1.0


@dataclass(frozen=True, eq=False)
class ImageTerm:
    """A picture from elsewhere, encoded: float32 [dim] of unit length, and the fingerprint of its encoder."""

    vector: Vector
    fingerprint: str
    weight: float = 1.0


Term = TextTerm | WorkTerm | ImageTerm


@dataclass(frozen=True)
class SearchQuery:
    """Parts of any kind, of which those with a weight below zero are moved away from; which works may be found; and
    how many of one artist's, at most."""

    parts: tuple[Term, ...]
    where: Filter = EVERYTHING
    per_artist: int | None = None

    @property
    def words(self) -> str:
        """The words searched for, to be looked up in the catalogue too; "" where there are none."""
        return " ".join(part.text for part in self.parts if isinstance(part, TextTerm) and part.weight > 0)

    @property
    def works(self) -> frozenset[str]:
        """The ids of the works among the parts, which a search does not find again."""
        return frozenset(part.id for part in self.parts if isinstance(part, WorkTerm))


def combine(vectors: Vectors, weights: Sequence[float], stats_per_term: Sequence[float]) -> Vector:
    """The query of several parts, float32 [dim] of unit length. Raises Invalid where they cancel each other out."""
    shares = np.asarray(weights, dtype=np.float64) / np.asarray(stats_per_term, dtype=np.float64)
    total = (shares[:, None] * vectors).sum(axis=0)
    length = float(np.linalg.norm(total))
    if length <= CANCELLED * float(np.abs(shares).sum()):
        raise Invalid("the parts of this search cancel each other out")
    return np.asarray(total / length, dtype=np.float32)
