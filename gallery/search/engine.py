"""The search engine: finds and scores the works of a collection that are nearest to a SearchQuery."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from gallery.cache import RecentlyUsed
from gallery.encoders.base import Encoder
from gallery.encoders.opening import open_encoder
from gallery.errors import Invalid, Unavailable
from gallery.models import Build, Hit
from gallery.search.calibration import Relevance, ScoreBaseline, ScoreStats, relevance_of
from gallery.search.query import ImageTerm, InvalidQuery, SearchQuery, Term, TextTerm, WorkTerm, combine
from gallery.services import Services
from gallery.vectors.base import Collection, Vector, Vectors
from gallery.vectors.lexical import remove_words, searchable_text, tokens
from gallery.vectors.ranking import limit_per_artist

UNCALIBRATED = ScoreStats(0.0, 1.0)
"""Statistics of every term if the collection is too small to measure them."""
MAX_BASELINES = 2
"""Baselines that are kept: the live build's, and its predecessor's for searches under way."""


@dataclass(frozen=True)
class Contribution:
    """What one term of a search contributes to a hit.

    `likeness` is the hit's similarity to the term, on the scale of scores. `delta` is the term's z-score
    times its weight: above zero if the term raises the hit, below zero if it lowers it.
    """

    similarity: float
    delta: float


@dataclass(frozen=True)
class SearchResult(Hit):
    """A work found by a search, and how relevant it is.

    `score` is scaled as in `Results`. `z_score` is the number of standard deviations above the collection's
    median score, None if the collection is too small. `matched_terms` are the searched words that the
    catalogue's text about the work contains. `contributions` has one entry per term if the search has
    several, else none.
    """

    z_score: float | None
    relevance: Relevance
    matched_terms: tuple[str, ...]
    contributions: tuple[Contribution, ...]

    @property
    def weak(self) -> bool:
        """Return True if neither the score nor the catalogue's text sets this work apart."""
        return self.relevance is Relevance.WEAK and not self.matched_terms


@dataclass(frozen=True)
class Results:
    """The results of a search.

    Scores are cosine similarities divided by the highest that a query of this encoder can reach: 1.0 is a
    perfect match of one term with any encoder. `searched` is the number of works that pass the filter.
    `next_offset` is the offset of the next page, None after the last. `encoder` is the encoder's label.
    """

    hits: tuple[SearchResult, ...]
    searched: int
    next_offset: int | None
    build: Build
    encoder: str
    seconds: float


@dataclass(frozen=True, eq=False)
class _EncodedQuery:
    """A query as one combined vector with its statistics, and a vector, weight and statistics per term."""

    vector: Vector
    term_vectors: Vectors
    weights: tuple[float, ...]
    term_stats: tuple[ScoreStats, ...]
    stats: ScoreStats | None


class SearchEngine:
    """Searches collections, each with the encoder that made it. Thread-safe."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._encoders = RecentlyUsed[str, Encoder](1)  # by fingerprint; an encoder takes much memory
        self._baselines = RecentlyUsed[Build, ScoreBaseline](MAX_BASELINES)

    def live_collection(self) -> Collection:
        """Return the collection of the live build. Raises Unavailable if no build is published yet."""
        build = self._services.vectors.live()
        if build is None:
            raise Unavailable("there is no collection yet; run `gallery refresh` to build one")
        return self._services.vectors.open(build.name)

    def encoder_for(self, build: Build) -> Encoder:
        """Return the encoder that made the build, opened but not necessarily loaded.

        With the setting `auto` that is the encoder the build names. Raises Unavailable if the setting names
        another one: vectors of two encoders cannot be compared.
        """
        return self._encoders.get(build.fingerprint, lambda: self._open_encoder(build))

    def _open_encoder(self, build: Build) -> Encoder:
        if self._services.settings.encoder == "auto":
            encoder = open_encoder(build.encoder, batch_size=self._services.settings.batch_size)
        else:
            encoder = self._services.encoder
        if encoder.fingerprint != build.fingerprint:
            raise Unavailable(
                f"the collection was made by the encoder {build.fingerprint}, "
                f"but the configured one is {encoder.fingerprint}; "
                f"set GALLERY_ENCODER={build.encoder} or run `gallery refresh`"
            )
        return encoder

    def warm(self, collection: Collection) -> None:
        """Load the collection's encoder and run a search with text and image, so that no visitor waits."""
        self.encoder_for(collection.build).load()
        image = self.image_term(collection, Image.new("RGB", (64, 64), "gray"))
        self.search(collection, SearchQuery((TextTerm("warm up"), image), limit=1))

    def image_term(self, collection: Collection, image: Image.Image, weight: float = 1.0) -> ImageTerm:
        """Return a decoded image as a term for searches of this collection."""
        encoder = self.encoder_for(collection.build)
        vector = encoder.as_query(encoder.embed_images([image]))[0]
        return ImageTerm(vector, encoder.fingerprint, weight)

    def search(self, collection: Collection, query: SearchQuery) -> Results:
        """Return the works nearest to the query, without the works among its terms.

        Raises Invalid if the query has no terms, has an image encoded for another collection, or has terms
        that cancel each other out; NotFound if a work among its terms is not in the collection; Unavailable.
        """
        started = time.perf_counter()
        encoder = self.encoder_for(collection.build)
        encoded = self._encode(collection, encoder, query.terms)
        hits, next_offset = _find(collection, query, encoded.vector)
        searched = collection.count(query.where) if query.where else collection.build.works
        results = _score_results(collection, encoder, query, encoded, hits, searched)
        seconds = time.perf_counter() - started
        return Results(results, searched, next_offset, collection.build, encoder.label, seconds)

    def _encode(self, collection: Collection, encoder: Encoder, terms: Sequence[Term]) -> _EncodedQuery:
        if not terms:
            raise Invalid("the search is empty; give words, an image or a work")
        baseline = self._baselines.get(collection.build, lambda: ScoreBaseline.of(collection))
        vectors = _term_vectors(collection, encoder, terms, baseline)
        weights = tuple(term.weight for term in terms)
        known = [stats for vector in vectors if (stats := baseline.stats(vector))]
        term_stats = tuple(known) if len(known) == len(terms) else (UNCALIBRATED,) * len(terms)
        vector = combine(vectors, weights, [stats.deviation for stats in term_stats])
        return _EncodedQuery(vector, vectors, weights, term_stats, baseline.stats(vector))


def _term_vectors(
    collection: Collection, encoder: Encoder, terms: Sequence[Term], baseline: ScoreBaseline
) -> Vectors:
    """Return one unit vector per term, float32 [terms, dim]."""
    vectors = np.zeros((len(terms), collection.build.dim), dtype=np.float32)
    # An encoder that does not know artists and styles gets the text without their names.
    catalog_words = frozenset[str]() if encoder.understands_art_terms else baseline.words
    texts = {
        row: remove_words(term.text, catalog_words)
        for row, term in enumerate(terms)
        if isinstance(term, TextTerm)
    }
    works = {row: term.id for row, term in enumerate(terms) if isinstance(term, WorkTerm)}
    if texts:
        vectors[list(texts)] = encoder.embed_texts(list(texts.values()))
    if works:
        vectors[list(works)] = encoder.as_query(collection.vectors(list(works.values())))
    for row, term in enumerate(terms):
        if isinstance(term, ImageTerm):
            if term.fingerprint != encoder.fingerprint or len(term.vector) != collection.build.dim:
                raise Invalid("the collection has changed since this image was uploaded; upload it again")
            vectors[row] = term.vector
    return vectors


def _score_results(
    collection: Collection,
    encoder: Encoder,
    query: SearchQuery,
    encoded: _EncodedQuery,
    hits: Sequence[Hit],
    searched: int,
) -> tuple[SearchResult, ...]:
    searched_words = frozenset(tokens(query.text))
    contributions: list[tuple[Contribution, ...]] = [()] * len(hits)
    if len(query.terms) > 1 and hits:
        scores = collection.vectors([hit.artwork.id for hit in hits]) @ encoded.term_vectors.T
        contributions = [_contributions(row, encoded, encoder) for row in scores]
    results = []
    for hit, contribution in zip(hits, contributions, strict=True):
        z_score = encoded.stats.z_score(hit.score) if encoded.stats else None
        matched = tuple(word for word in searchable_text(hit.artwork).split() if word in searched_words)
        score = _scaled(hit.score, encoder)
        relevance = relevance_of(z_score, searched)
        results.append(SearchResult(hit.artwork, score, z_score, relevance, matched, contribution))
    return tuple(results)


def _find(collection: Collection, query: SearchQuery, vector: Vector) -> tuple[list[Hit], int | None]:
    """Return the hits without works among the terms, and the next page's offset, None after the last."""
    limit, offset, works = query.limit, query.offset, query.works

    def search(k: int, offset: int, per_artist: int | None) -> list[Hit]:
        depth = collection.max_depth
        if depth is not None and offset >= depth:
            raise InvalidQuery("offset", "A search in this collection ends after %(max)s results.", max=depth)
        return collection.search(
            vector,
            k if depth is None else min(k, depth - offset),
            fingerprint=collection.build.fingerprint,
            text=query.text,
            where=query.where,
            offset=offset,
            per_artist=per_artist,
        )

    # Fetch extra hits to replace works among the terms, and one more to learn whether there is a next page.
    if query.per_artist is None or not works:
        hits = search(limit + len(works) + 1, offset, query.per_artist)
        kept = [index for index, hit in enumerate(hits) if hit.artwork.id not in works]
        return [hits[index] for index in kept[:limit]], offset + kept[limit] if len(kept) > limit else None
    # The store's limit per artist would count the works among the terms, so the limit is applied here.
    most = query.per_artist + len(works)
    hits = search((offset + limit + 1) * -(-most // query.per_artist) + len(works), 0, most)
    rest = limit_per_artist((hit for hit in hits if hit.artwork.id not in works), query.per_artist)
    return rest[offset : offset + limit], offset + limit if len(rest) > offset + limit else None


def _contributions(scores: Vector, encoded: _EncodedQuery, encoder: Encoder) -> tuple[Contribution, ...]:
    terms = zip(scores, encoded.weights, encoded.term_stats, strict=True)
    return tuple(
        Contribution(_scaled(score, encoder), round(weight * stats.z_score(float(score)), 2))
        for score, weight, stats in terms
    )


def _scaled(score: float, encoder: Encoder) -> float:
    """Return a cosine similarity divided by the highest that a query of this encoder can reach."""
    return round(max(-1.0, min(1.0, float(score) / encoder.best_score)), 6)
