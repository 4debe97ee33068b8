"""Queries that are not works of the collection: modified copies of works, and texts. Each is encoded once and then kept."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from gallery.encoders import open_encoder
from gallery.encoders.base import Encoder, Vectors
from gallery.errors import GalleryError
from gallery.images.decode import open_image
from gallery.models import Artwork, Build, Hit
from gallery.objects.base import ObjectStore
from gallery.vectors.base import Collection, Vector
from pipelines.defs.embeddings.vectors import VectorCache
from pipelines.defs.evaluation.metrics import NEIGHBORS, QueryMaker
from pipelines.parallel import parallel_map

VERSION = 2
"""Part of the cache key: increase it when a copy would come out differently."""
COPIED_WORKS = 48
"""Works that copies are made of; each has three, so a share is accurate to about 0.04."""
COPY_SIDE = 512
"""Shorter side of the image that copies are made from, in pixels; no encoder here looks at more."""
THUMBNAIL_SIDE = 96
TEXTS = (
    "a portrait of a woman",
    "ships on a stormy sea",
    "flowers in a vase",
    "a landscape with trees and a river",
    "a battle with horses",
    "an abstract composition of red and blue",
    "a religious scene with angels",
    "a street in a city at night",
)
NO_TEXT = "fake/"
"""Start of the fingerprints of encoders whose text vectors mean nothing."""


def cropped(image: Image.Image) -> Image.Image:
    """Cut a tenth off each side, as in a photograph of a framed painting."""
    width, height = image.size
    return image.crop((width // 10, height // 10, width - width // 10, height - height // 10))


def shrunk(image: Image.Image) -> Image.Image:
    """Make a thumbnail of it."""
    small = image.copy()
    small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    return small


def recompressed(image: Image.Image) -> Image.Image:
    """Save it as a JPEG of quality 20, which shows its blocks."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=20)
    return Image.open(buffer).convert("RGB")


MODIFICATIONS: Mapping[str, Callable[[Image.Image], Image.Image]] = {
    "cropped": cropped,
    "shrunk": shrunk,
    "recompressed": recompressed,
}


def copies_cache(tables: ObjectStore, build: Build) -> VectorCache:
    """Return the vectors of modified copies by the build's encoder."""
    return VectorCache(tables, f"{build.fingerprint}+copies/{VERSION}", build.dim)


def encode_copies(
    cache: VectorCache,
    encoder: Encoder,
    images: ObjectStore,
    works: Sequence[Artwork],
    *,
    max_pixels: int,
    batch_size: int,
    workers: int,
) -> int:
    """Encode the copies of works that have no vectors yet; return how many. Raises NotFound, Invalid, Unavailable."""
    present = cache.present()
    new = [work for work in works if not {_key(work, kind) for kind in MODIFICATIONS} <= present]

    def copies(work: Artwork) -> list[Image.Image]:
        data = images.get(work.image.large)
        image = open_image(data, max_pixels=max_pixels, side=max(COPY_SIDE, encoder.image_side))
        return [modify(image) for modify in MODIFICATIONS.values()]

    rows: list[Vectors] = []
    step = max(1, batch_size // len(MODIFICATIONS))
    for start in range(0, len(new), step):
        batch = [copy for group in parallel_map(copies, new[start : start + step], workers) for copy in group]
        rows.append(encoder.embed_images(batch))
    keys = [_key(work, kind) for work in new for kind in MODIFICATIONS]
    if keys:
        cache.add(keys, np.concatenate(rows))
    return len(keys)


def copy_vectors(cache: VectorCache, works: Sequence[Artwork]) -> dict[tuple[str, str], Vector]:
    """Return the stored vectors, by work id and kind of copy."""
    present = cache.present()
    keys = {(work.id, kind): _key(work, kind) for work in works for kind in MODIFICATIONS}
    keys = {name: key for name, key in keys.items() if key in present}
    return dict(zip(keys, cache.vectors(list(keys.values())), strict=True))


def _key(work: Artwork, kind: str) -> str:
    return f"{work.sha256}-{kind}"


def encode_texts(tables: ObjectStore, encoder: Encoder) -> Vectors:
    """Return the queries of `TEXTS`; none if texts mean nothing to the encoder."""
    if encoder.fingerprint.startswith(NO_TEXT):
        return np.zeros((0, encoder.dim), dtype=np.float32)
    cache = VectorCache(tables, f"{encoder.fingerprint}+texts", encoder.dim)
    keys = [hashlib.sha256(text.encode()).hexdigest() for text in TEXTS]
    if not set(keys) <= cache.present():
        cache.add(keys, encoder.embed_texts(TEXTS))
    return cache.vectors(keys)


@dataclass(frozen=True)
class TextResult:
    """The nearest works to a text, and how far the score of the last is below that of the first."""

    text: str
    hits: list[Hit]

    @property
    def spread(self) -> float:
        return self.hits[0].score - self.hits[-1].score if self.hits else 0.0


def search_texts(collection: Collection, queries: Vectors) -> list[TextResult]:
    """Return the ten nearest works to each of `TEXTS`. `queries` are by the build's own encoder."""
    fingerprint = collection.build.fingerprint
    return [
        TextResult(text, collection.search(vector, NEIGHBORS, fingerprint=fingerprint))
        for text, vector in zip(TEXTS, queries, strict=False)
    ]


def query_maker(build: Build, encoder: Encoder) -> QueryMaker:
    """Return what turns the build's rows into queries as its encoder does; the rows themselves if that is unavailable."""
    if encoder.fingerprint != build.fingerprint:
        try:
            # Neither this nor as_query loads weights; the fingerprint of an encoder might download some.
            encoder = open_encoder(build.encoder)
        except GalleryError:
            return lambda rows: rows
    return encoder.as_query
