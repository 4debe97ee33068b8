"""Asks a build what a visitor would ask, and keeps what came back for `evaluation` to judge.

A build is asked one query at a time, and its rows are read through once in blocks, so memory stays at some megabytes
whatever the number of works.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gallery.encoders import Vectors, open_encoder
from gallery.encoders.base import Encoder
from gallery.errors import GalleryError
from gallery.models import Artwork, Build, Hit
from gallery.objects.base import ObjectStore
from gallery.vectors.base import Collection, Vector
from pipelines.defs.embeddings.vectors import VectorCache
from pipelines.defs.evaluation.metrics import (
    ALTERED_PLACES,
    NEIGHBOURS,
    QUERIES,
    TIE,
    Nearest,
    Quality,
    keyed_sample,
    recall,
    share,
    share_alike,
)

BLOCK = 2_000
"""Rows read from a store at once: 4 MB of 512 floats."""
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
"""What is asked in words, always the same."""
NO_MEANING = "fake/"
"""Fingerprints of encoders whose words mean nothing start so; they are asked nothing in words."""

AsQuery = Callable[[Vectors], Vectors]


@dataclass(frozen=True)
class Measurement:
    """What one build answered. Arrays have one entry a query, in the order of `queries`; nan where not measurable."""

    build: Build
    queries: list[str]
    found_itself: NDArray[np.float64]
    recall: NDArray[np.float64]
    same_artist: NDArray[np.float64]
    same_genre: NDArray[np.float64]
    seconds: NDArray[np.float64]
    neighbours: dict[str, list[Hit]]
    altered: dict[tuple[str, str], bool]
    rows: int
    unsound: int
    """Rows that are not finite or not of unit length."""

    def quality(
        self, queries: set[str] | None = None, altered: set[tuple[str, str]] | None = None
    ) -> Quality:
        """The figures over those queries and altered copies; over all where none are given."""
        mask = np.array([queries is None or query in queries for query in self.queries], dtype=np.bool_)
        copies = [found for copy, found in self.altered.items() if altered is None or copy in altered]
        # The first searches open files and connections; a visitor never pays for those.
        seconds = self.seconds[min(5, len(self.seconds) // 2) :]
        p50, p95 = (np.percentile(seconds, [50, 95]) * 1000) if seconds.size else (None, None)
        return Quality(
            self_retrieval=share(self.found_itself[mask]),
            recall_at_10=share(self.recall[mask]),
            same_artist=share(self.same_artist[mask]),
            same_genre=share(self.same_genre[mask]),
            altered_found=share([float(found) for found in copies]),
            search_p50_ms=None if p50 is None else float(p50),
            search_p95_ms=None if p95 is None else float(p95),
        )


@dataclass(frozen=True)
class TextAnswer:
    """What a query in words found: the nearest works, and how far the tenth lies below the first in score."""

    text: str
    hits: list[Hit]
    spread: float


def measure(
    collection: Collection,
    works: Mapping[str, Artwork],
    common: set[str],
    as_query: AsQuery,
    altered: Mapping[tuple[str, str], Vector],
) -> Measurement:
    """Ask the build for what is like a keyed sample of its works, and read all of its rows once.

    `works` has the labels that neighbours are judged by, at least those of `common`: the works that neighbours and
    the originals of altered copies are looked for among. Raises Unavailable, NotFound.
    """
    ids = sorted(collection.ids())
    place = {id: position for position, id in enumerate(ids)}
    queries = keyed_sample(ids, QUERIES)
    fingerprint = collection.build.fingerprint
    vectors = np.nan_to_num(_rows(collection, queries))
    asked = as_query(vectors)

    seconds, answers = np.zeros(len(queries)), []
    for position, vector in enumerate(asked):
        started = time.perf_counter()
        # A row of nothing has no neighbours, and is counted below as unsound.
        sound = bool(np.linalg.norm(vector) > 0)
        answers.append(collection.search(vector, NEIGHBOURS + 1, fingerprint=fingerprint) if sound else [])
        seconds[position] = time.perf_counter() - started

    given = np.full((len(queries), NEIGHBOURS), -1, dtype=np.int64)
    for row, hits in enumerate(answers):
        given[row, : len(hits[:NEIGHBOURS])] = [place.get(hit.artwork.id, -1) for hit in hits[:NEIGHBOURS]]
    given_scores = np.full(given.shape, np.nan, dtype=np.float32)
    exact, alike = Nearest(len(queries), NEIGHBOURS), Nearest(len(queries), NEIGHBOURS)
    copies = (
        as_query(np.stack(list(altered.values())))
        if altered
        else np.zeros((0, collection.build.dim), np.float32)
    )
    originals = Nearest(len(copies), ALTERED_PLACES)
    own = np.array([place[query] for query in queries], dtype=np.int64)
    unsound = 0
    for start in range(0, len(ids), BLOCK):
        block = ids[start : start + BLOCK]
        stored = np.asarray(collection.vectors(block), dtype=np.float32)
        sound = np.isfinite(stored).all(axis=1) & (np.abs(np.linalg.norm(stored, axis=1) - 1) < 1e-3)
        unsound += int((~sound).sum())
        stored = np.where(sound[:, None], stored, 0)
        places = np.arange(start, start + len(block))
        scores = (asked @ stored.T).astype(np.float32)
        rows, columns = np.nonzero((given >= start) & (given < start + len(block)))
        given_scores[rows, columns] = scores[rows, given[rows, columns] - start]
        exact.add(scores, places)
        shared = np.array([id in common for id in block], dtype=np.bool_)
        others = np.where(shared & (places != own[:, None]), scores, -np.inf).astype(np.float32)
        alike.add(others, places)
        if len(copies):
            originals.add(np.where(shared, copies @ stored.T, -np.inf).astype(np.float32), places)

    artists = {id: {works[id].artist.slug} for id in common}
    styles = {id: set(works[id].artist.styles) for id in common}
    near = [[ids[position] for position in row if position >= 0] for row in alike.places]
    judged = [query in common for query in queries]
    return Measurement(
        build=collection.build,
        queries=queries,
        found_itself=np.array(
            [_first(query, hits) for query, hits in zip(queries, answers, strict=True)], dtype=np.float64
        ),
        recall=recall(given_scores, exact.scores),
        same_artist=_alike(queries, near, judged, artists),
        same_genre=_alike(queries, near, judged, styles),
        seconds=seconds,
        neighbours={
            query: [hit for hit in hits if hit.artwork.id != query][:NEIGHBOURS]
            for query, hits in zip(queries, answers, strict=True)
        },
        altered={
            copy: place.get(copy[0], -2) in row for copy, row in zip(altered, originals.places, strict=True)
        },
        rows=len(ids),
        unsound=unsound,
    )


def _rows(collection: Collection, ids: Sequence[str]) -> Vectors:
    if not ids:
        return np.zeros((0, collection.build.dim), dtype=np.float32)
    return np.asarray(collection.vectors(ids), dtype=np.float32)


def _first(query: str, hits: Sequence[Hit]) -> bool:
    """Whether a work is its own first answer; one that looks exactly the same may stand before it."""
    return any(hit.artwork.id == query and hit.score >= hits[0].score - TIE for hit in hits)


def _alike(
    queries: Sequence[str],
    near: Sequence[Sequence[str]],
    judged: Sequence[bool],
    labels: Mapping[str, set[str]],
) -> NDArray[np.float64]:
    return np.array(
        [
            share_alike(labels[query], [labels[id] for id in found]) if counts else np.nan
            for query, found, counts in zip(queries, near, judged, strict=True)
        ],
        dtype=np.float64,
    )


def text_queries(tables: ObjectStore, encoder: Encoder) -> Vectors:
    """The queries that `TEXTS` make, encoded once and then kept; none where the encoder knows no words."""
    if encoder.fingerprint.startswith(NO_MEANING):
        return np.zeros((0, encoder.dim), dtype=np.float32)
    cache = VectorCache(tables, f"{encoder.fingerprint}+texts", encoder.dim)
    names = [hashlib.sha256(text.encode()).hexdigest() for text in TEXTS]
    if not set(names) <= cache.present():
        cache.add(names, encoder.embed_texts(TEXTS))
    return cache.vectors(names)


def ask_in_words(collection: Collection, queries: Vectors) -> list[TextAnswer]:
    """What the build finds for each of `TEXTS`, given as queries of its own encoder."""
    answers = []
    for text, vector in zip(TEXTS, queries, strict=False):
        hits = collection.search(vector, NEIGHBOURS, fingerprint=collection.build.fingerprint)
        answers.append(TextAnswer(text, hits, hits[0].score - hits[-1].score if hits else 0.0))
    return answers


def query_maker(build: Build, encoder: Encoder) -> AsQuery:
    """What turns the build's rows into queries as its own encoder does; the rows themselves where that cannot be had."""
    if encoder.fingerprint != build.fingerprint:
        try:
            # Opening reads no weights, and neither does as_query; asking for the fingerprint might fetch some.
            encoder = open_encoder(build.encoder)
        except GalleryError:
            return lambda rows: rows
    return encoder.as_query
