"""The cache of vectors: small pieces, merging, and damage."""

from __future__ import annotations

import random

import numpy as np
import pandas as pd
import pytest

from gallery.datasets.base import no_progress
from gallery.encoders.fake import FakeEncoder
from gallery.errors import NotFound
from gallery.objects.memory import MemoryObjects
from pipelines.defs.embeddings import vectors
from pipelines.defs.embeddings.vectors import VectorCache, encode_shard
from pipelines.defs.images.inventory import StoredImages
from tests.fakes.archives import picture

DIM = 8


def rows(count: int) -> np.ndarray:
    found = np.random.default_rng(1).normal(size=(count, DIM)).astype(np.float32)
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True))


def test_no_flipped_bit_is_read_as_another_vector() -> None:
    tables, wanted = MemoryObjects(), rows(20)
    cache = VectorCache(tables, "e", DIM)
    digests = [f"{n:064x}" for n in range(20)]
    cache.add(digests, wanted)
    (key,) = tables.sizes()
    whole, chosen, caught = tables.get(key), random.Random(5), 0
    for _ in range(300):
        data = bytearray(whole)
        data[chosen.randrange(len(data))] ^= 1 << chosen.randrange(8)
        tables.put(key, bytes(data))
        try:
            assert (cache.vectors(digests) == wanted).all()
        except NotFound:
            caught += 1
            assert cache.present() == set()
    assert caught > 200  # the others are in bytes without a meaning, such as padding


def test_parts_are_merged_and_damaged_ones_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "PART_ROWS", 8)
    tables, wanted = MemoryObjects(), rows(20)
    cache = VectorCache(tables, "e", DIM)
    digests = [f"{n:064x}" for n in range(20)]
    for start in range(0, 20, 3):
        cache.add(digests[start : start + 3], wanted[start : start + 3])
    damaged = next(iter(tables.sizes()))
    tables.put(damaged, b"cut")
    kept = cache.tidy()
    assert len(kept) in (17, 18) and cache.present() == kept and damaged not in tables.sizes()
    assert len(tables.sizes()) == 3
    cache.add(digests, wanted)
    assert cache.tidy() == set(digests) and (cache.vectors(digests) == wanted).all()


def test_a_killed_shard_has_kept_the_vectors_of_all_but_the_last_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(vectors, "SAVE_INTERVAL_S", -1.0)  # save after each batch
    images, tables = MemoryObjects(), MemoryObjects()
    encoder = FakeEncoder(DIM)
    thumbnails = pd.DataFrame({"sha256": [f"{n:064x}" for n in range(10)]})
    thumbnails["large"] = [f"thumbs/{n}.jpg" for n in range(10)]
    for n, key in enumerate(thumbnails["large"]):
        images.put(key, picture(n))
    images.delete("thumbs/7.jpg")  # fails after two batches of three
    cache = VectorCache(tables, encoder.fingerprint, DIM)

    def encode() -> None:
        encode_shard(
            encoder,
            StoredImages(images, tables),
            cache,
            thumbnails[~thumbnails["sha256"].isin(cache.present())],
            batch_size=3,
            max_pixels=10**6,
            workers=1,
            progress=no_progress,
        )

    with pytest.raises(NotFound):
        encode()
    assert cache.present() == set(thumbnails["sha256"][:6])
    images.put("thumbs/7.jpg", picture(7))
    encode()
    assert cache.present() == set(thumbnails["sha256"])
