"""Queries that are not works of the build: modified copies of works, and texts. Their vectors are cached."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from gallery.datasets.base import ProgressCallback
from gallery.encoders.base import Encoder, Vectors
from gallery.encoders.opening import open_encoder
from gallery.errors import GalleryError
from gallery.models import Artwork, Build, Hit
from gallery.objects.base import ObjectStore
from gallery.services import Services
from gallery.vectors.base import Collection, Vector
from pipelines.defs.embeddings.vectors import VectorCache
from pipelines.defs.evaluation.metrics import NEIGHBORS, QueryMaker
from pipelines.defs.images.inventory import StoredImages
from pipelines.parallel import parallel_map, report_progress

VERSION = 2
"""Version of the modifications, part of the cache key. Increase it when copies change."""
COPIED_WORKS = 48
"""Works with modified copies, three each, so that a share is accurate to about 0.04."""
COPY_SIDE = 512
"""Shorter side of the image that copies are made from, in pixels; no encoder here uses more."""
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
"""Prefix of the fingerprints of encoders whose text vectors are meaningless."""


def cropped(image: Image.Image) -> Image.Image:
    """Crop a tenth off each side."""
    width, height = image.size
    return image.crop((width // 10, height // 10, width - width // 10, height - height // 10))


def shrunk(image: Image.Image) -> Image.Image:
    """Shrink to a thumbnail."""
    small = image.copy()
    small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    return small


def recompressed(image: Image.Image) -> Image.Image:
    """Save as a JPEG of quality 20, with visible blocks."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=20)
    return Image.open(buffer).convert("RGB")


MODIFICATIONS: Mapping[str, Callable[[Image.Image], Image.Image]] = {
    "cropped": cropped,
    "shrunk": shrunk,
    "recompressed": recompressed,
}


def copies_cache(tables: ObjectStore, build: Build) -> VectorCache:
    """Return the cache of vectors of modified copies by the build's encoder."""
    return VectorCache(tables, f"{build.fingerprint}+copies/{VERSION}", build.dim)


def encode_copies(
    services: Services, cache: VectorCache, works: Sequence[Artwork], progress: ProgressCallback
) -> int:
    """Encode the copies that have no vector yet; return their number.

    Raises NotFound, Corrupted, Unavailable.
    """
    settings, encoder = services.settings, services.encoder
    images = StoredImages(services.images, services.tables)
    present = cache.present()
    new = [work for work in works if not {_key(work, kind) for kind in MODIFICATIONS} <= present]

    def copies(work: Artwork) -> list[Image.Image]:
        image = images.open(work.image.large, side=max(COPY_SIDE, encoder.image_side))
        return [modify(image) for modify in MODIFICATIONS.values()]

    rows: list[Vectors] = []
    step = max(1, settings.batch_size // len(MODIFICATIONS))
    starts = range(0, len(new), step)
    for start in report_progress(starts, len(starts), "batches of modified copies", progress):
        groups = parallel_map(copies, new[start : start + step], settings.workers)
        batch = [copy for group in groups for copy in group]
        rows.append(encoder.embed_images(batch))
    keys = [_key(work, kind) for work in new for kind in MODIFICATIONS]
    if keys:
        cache.add(keys, np.concatenate(rows))
        cache.tidy()
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
    """Return the vectors of `TEXTS`; none if the encoder's text vectors are meaningless."""
    if encoder.fingerprint.startswith(NO_TEXT):
        return np.zeros((0, encoder.dim), dtype=np.float32)
    cache = VectorCache(tables, f"{encoder.fingerprint}+texts", encoder.dim)
    keys = [hashlib.sha256(text.encode()).hexdigest() for text in TEXTS]
    if not set(keys) <= cache.present():
        cache.add(keys, encoder.embed_texts(TEXTS))
    return cache.vectors(keys)


@dataclass(frozen=True)
class TextResult:
    """The ten nearest works to a text."""

    text: str
    hits: list[Hit]

    @property
    def spread(self) -> float:
        """The score of the first work minus that of the last."""
        return self.hits[0].score - self.hits[-1].score if self.hits else 0.0


def search_texts(collection: Collection, queries: Vectors) -> list[TextResult]:
    """Return the ten nearest works to each of `TEXTS`, whose vectors are `queries`."""
    fingerprint = collection.build.fingerprint
    return [
        TextResult(text, collection.search(vector, NEIGHBORS, fingerprint=fingerprint))
        for text, vector in zip(TEXTS, queries, strict=False)
    ]


def query_maker(build: Build, encoder: Encoder) -> QueryMaker:
    """Return `as_query` of the build's encoder, or the identity if that encoder is not available."""
    if encoder.fingerprint != build.fingerprint:
        try:
            # Neither this nor as_query loads weights. Reading the fingerprint might download some.
            encoder = open_encoder(build.encoder)
        except GalleryError:
            return lambda rows: rows
    return encoder.as_query
