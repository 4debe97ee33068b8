"""The words of the domain: frozen values that travel between the pipeline, the stores and the pages."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Artist:
    """A painter as the catalogue knows them; `birth` and `death` are years, None when unknown."""

    slug: str
    name: str
    birth: int | None
    death: int | None
    styles: tuple[str, ...]
    nationalities: tuple[str, ...]
    summary: str
    bio: str
    wikipedia: str

    @property
    def years(self) -> str:
        """The life dates for people: "1840–1926", "born 1932", "died 1516", or "" when neither is known."""
        if self.birth and self.death:
            return f"{self.birth}–{self.death}"
        if self.birth:
            return f"born {self.birth}"
        return f"died {self.death}" if self.death else ""


@dataclass(frozen=True)
class StoredImage:
    """Where a work's picture lies in the image store, and its look before it has loaded.

    `original`, `large` and `small` are object keys. `width` and `height` are the upright original's,
    in pixels; `color` is its mean colour as "#rrggbb".
    """

    original: str
    large: str
    small: str
    width: int
    height: int
    color: str


@dataclass(frozen=True)
class Artwork:
    """One work of the collection: `file` is its path in the dataset, `sha256` the original's digest in hex."""

    id: str
    artist: Artist
    file: str
    sha256: str
    image: StoredImage


@dataclass(frozen=True)
class Hit:
    """A work found by a search; `score` is the cosine similarity, higher is closer."""

    artwork: Artwork
    score: float


@dataclass(frozen=True)
class Build:
    """One version of the collection, and what it was made from.

    `encoder` is the address that opens the encoder again, `fingerprint` names its exact weights and
    preprocessing, `dim` the length of its rows in floats. `generated` marks pictures painted by this
    program. `created_at` is UTC in ISO 8601. Only a `ready` build (complete and reconciled) can be
    published.
    """

    name: str
    encoder: str
    fingerprint: str
    dim: int
    works: int
    dataset: str
    version: str
    generated: bool
    created_at: str
    ready: bool = False


def to_payload(work: Artwork) -> dict[str, Any]:
    """The work as JSON values, for stores that keep it as such."""
    return dataclasses.asdict(work)


def from_payload(payload: Mapping[str, Any]) -> Artwork:
    """The work that `to_payload` was given, also after a trip through JSON."""
    artist = dict(payload["artist"])
    artist["styles"], artist["nationalities"] = tuple(artist["styles"]), tuple(artist["nationalities"])
    return Artwork(**{**payload, "artist": Artist(**artist), "image": StoredImage(**payload["image"])})
