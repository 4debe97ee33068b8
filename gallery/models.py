"""Domain types: frozen values shared by the pipeline, the stores and the web app."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

MAX_VALUE_CHARS = 200
"""Longest value that a search can refer to: an artist's slug, a style, a nationality, a work's id."""


@dataclass(frozen=True)
class Artist:
    """An artist of the catalogue; `birth` and `death` are years, None when unknown."""

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
        """Life dates for display: "1840–1926", "born 1932", "died 1516", or "" when neither is known."""
        if self.birth and self.death:
            return f"{self.birth}–{self.death}"
        if self.birth:
            return f"born {self.birth}"
        return f"died {self.death}" if self.death else ""


@dataclass(frozen=True)
class StoredImage:
    """The image of a work: its three files in the image store, and what a page needs before they load.

    `original`, `large` and `small` are object keys. `width` and `height` are the original's size in pixels,
    after EXIF rotation; `color` is its mean colour as "#rrggbb".
    """

    original: str
    large: str
    small: str
    width: int
    height: int
    color: str


@dataclass(frozen=True)
class Artwork:
    """One work of the collection.

    `file` is its path in the dataset, `sha256` the digest of the original in hex.
    """

    id: str
    artist: Artist
    file: str
    sha256: str
    image: StoredImage


@dataclass(frozen=True)
class Hit:
    """A work found by a search; `score` is a cosine similarity, higher is more similar."""

    artwork: Artwork
    score: float


@dataclass(frozen=True)
class Build:
    """One version of the collection, and what it was made from.

    `encoder` is the address that opens the encoder, `fingerprint` identifies its weights and preprocessing,
    and `dim` is the length of its vectors. `works` is their number, `dataset` and `version` say where they
    come from. `generated` marks computer-generated images. `created_at` is UTC in ISO 8601. Only a `ready`
    build (complete and reconciled) can be published.
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
    """Return the work as values that JSON can hold; `gallery.vectors.base.parse_work` reads them."""
    return dataclasses.asdict(work)
