"""The search itself: a mix of words, pictures and works in; the nearest works of the live build out."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from gallery.encoders import open_encoder
from gallery.encoders.base import Encoder
from gallery.errors import Invalid, Unavailable
from gallery.models import Artwork, Build, Hit
from gallery.search.calibration import Relevance, ScoreBaseline, ScoreStats, relevance_of
from gallery.search.query import ImageTerm, SearchQuery, Term, TextTerm, WorkTerm, combine
from gallery.services import Services
from gallery.vectors.base import Collection, Vector, Vectors
from gallery.vectors.filters import Filter
from gallery.vectors.lexical import remove_words, searchable_text, tokens
from gallery.vectors.ranking import limit_per_artist

AS_IT_IS = ScoreStats(0.0, 1.0)
"""Taken for every part of a mix where the collection is too small to tell how its scores are spread."""
MAX_BASELINES = 2
"""Builds whose samples are remembered: the live one, and the one before it for searches under way."""


@dataclass(frozen=True)
class Contribution:
    """What one part of a mix does for a hit: their likeness on the scale of scores, and how many deviations the part
    moves the hit up, its weight counted, below zero for down."""

    likeness: float
    delta: float


@dataclass(frozen=True)
class SearchResult(Hit):
    """A work that was found, and what its score is worth.

    `z_score` is in deviations above the middle of the collection's scores, None where the collection is too small to
    tell. `matched_terms` are the searched words that the catalogue has about the work. `contributions` has an entry for each part of a
    mix of several.
    """

    z_score: float | None
    relevance: Relevance
    matched_terms: tuple[str, ...]
    contributions: tuple[Contribution, ...]

    @property
    def weak(self) -> bool:
        """True where neither the picture nor the catalogue gives much reason for this hit."""
        return self.relevance is Relevance.WEAK and not self.matched_terms


@dataclass(frozen=True)
class Results:
    """What a search found: hits in order, how many works were searched, the build they come from, and how long it took.

    Scores are cosine similarities divided by the most that this encoder's query can reach, so that 1.0 is a perfect
    match of one part with any encoder; `encoder` is its name for people. `next` is the offset at which the hits go on,
    None after the last.
    """

    hits: tuple[SearchResult, ...]
    searched: int
    next: int | None
    build: Build
    encoder: str
    seconds: float


@dataclass(frozen=True, eq=False)
class _Query:
    """A mix as the store and the judgement need it; `stats_per_term` are those of the parts, `stats` that of the whole."""

    vector: Vector
    parts: Vectors
    weights: tuple[float, ...]
    stats_per_term: tuple[ScoreStats, ...]
    stats: ScoreStats | None


class SearchEngine:
    """Searches the live build, following it when another one is published. May be used from several threads."""

    def __init__(self, services: Services) -> None:
        self._ports = services
        self._lock = threading.Lock()
        self._encoders: dict[str, Encoder] = {}
        self._baselines: dict[Build, ScoreBaseline] = {}

    def collection(self) -> Collection:
        """The live build's works. Raises Unavailable before the first build is published."""
        build = self._ports.vectors.live()
        if build is None:
            raise Unavailable("there is no collection yet; run `gallery refresh` to build one")
        return self._ports.vectors.open(build.name)

    def encoder_for(self, build: Build) -> Encoder:
        """The encoder that made the build, opened but not necessarily loaded.

        With the setting `auto` that is whichever encoder the build names. Raises Unavailable where the setting
        names another: vectors of two encoders cannot be compared.
        """
        with self._lock:
            if build.fingerprint not in self._encoders:
                if self._ports.settings.encoder == "auto":
                    encoder = open_encoder(build.encoder, batch_size=self._ports.settings.batch_size)
                else:
                    encoder = self._ports.encoder
                if encoder.fingerprint != build.fingerprint:
                    raise Unavailable(
                        f"the collection was made by the encoder {build.fingerprint}, but this one is "
                        f"{encoder.fingerprint}; set GALLERY_ENCODER={build.encoder} or run `gallery refresh`"
                    )
                self._encoders = {build.fingerprint: encoder}
            return self._encoders[build.fingerprint]

    def warm(self) -> None:
        """Load the live build's encoder and run each kind of query once, so that no visitor pays for it."""
        self.encoder_for(self.collection().build).load()
        picture = self.picture(Image.new("RGB", (64, 64), "gray"))
        self.search(SearchQuery((TextTerm("warm up"), picture)), 1)

    def picture(self, picture: Image.Image, weight: float = 1.0) -> ImageTerm:
        """The part of a mix that a decoded picture makes, for now or for later."""
        encoder = self.encoder_for(self.collection().build)
        vector = encoder.as_query(encoder.embed_images([picture]))[0]
        return ImageTerm(vector, encoder.fingerprint, weight)

    def search(self, mix: SearchQuery, k: int, offset: int = 0) -> Results:
        """The k works nearest to the mix, after the first `offset`; the works among its parts are left out.

        Raises Invalid for a mix of nothing, or with a picture encoded for another collection, NotFound for a work that
        is not in this one, Unavailable.
        """
        started = time.perf_counter()
        collection = self.collection()
        encoder = self.encoder_for(collection.build)
        query = self._query(collection, encoder, mix.parts)
        kept, following = _found(collection, mix, query.vector, k, offset)
        searched = collection.count(mix.where) if mix.where else collection.build.works
        matches = self._judged(collection, encoder, mix, query, kept, searched)
        seconds = time.perf_counter() - started
        return Results(matches, searched, following, collection.build, encoder.label, seconds)

    def like(self, id: str, k: int) -> Results:
        """The k works nearest to a work of the collection. Raises NotFound."""
        return self.search(SearchQuery((WorkTerm(id),)), k)

    def work(self, id: str) -> Artwork:
        """The work. Raises NotFound."""
        return self.collection().get(id)

    def works(self, where: Filter, limit: int, offset: int = 0) -> list[Artwork]:
        """Works that pass the filter, ordered by file, which groups them by artist."""
        return self.collection().works(where, limit, offset)

    def _query(self, collection: Collection, encoder: Encoder, parts: Sequence[Term]) -> _Query:
        if not parts:
            raise Invalid("there is nothing to search for")
        baseline = self._baseline(collection)
        vectors = self._vectors(collection, encoder, parts, baseline)
        weights = tuple(part.weight for part in parts)
        known = [stats for vector in vectors if (stats := baseline.stats(vector))]
        stats_per_term = tuple(known) if len(known) == len(parts) else (AS_IT_IS,) * len(parts)
        vector = combine(vectors, weights, [stats.deviation for stats in stats_per_term])
        return _Query(vector, vectors, weights, stats_per_term, baseline.stats(vector))

    def _vectors(
        self, collection: Collection, encoder: Encoder, parts: Sequence[Term], baseline: ScoreBaseline
    ) -> Vectors:
        """One unit query a part, float32 [parts, dim]."""
        vectors = np.zeros((len(parts), collection.build.dim), dtype=np.float32)
        known = frozenset[str]() if encoder.understands_art_terms else baseline.words
        texts = {
            place: remove_words(part.text, known)
            for place, part in enumerate(parts)
            if isinstance(part, TextTerm)
        }
        works = {place: part.id for place, part in enumerate(parts) if isinstance(part, WorkTerm)}
        if texts:
            vectors[list(texts)] = encoder.embed_texts(list(texts.values()))
        if works:
            vectors[list(works)] = encoder.as_query(collection.vectors(list(works.values())))
        for place, part in enumerate(parts):
            if isinstance(part, ImageTerm):
                if part.fingerprint != encoder.fingerprint or len(part.vector) != collection.build.dim:
                    raise Invalid(
                        "the collection has changed since this picture was uploaded; please upload it again"
                    )
                vectors[place] = part.vector
        return vectors

    def _baseline(self, collection: Collection) -> ScoreBaseline:
        with self._lock:
            found = self._baselines.get(collection.build)
        if found is None:
            found = ScoreBaseline.of(collection)
            with self._lock:
                older = list(self._baselines.items())[-(MAX_BASELINES - 1) :]
                self._baselines = dict(older) | {collection.build: found}
        return found

    def _judged(
        self,
        collection: Collection,
        encoder: Encoder,
        mix: SearchQuery,
        query: _Query,
        hits: Sequence[Hit],
        searched: int,
    ) -> tuple[SearchResult, ...]:
        wanted = frozenset(tokens(mix.words))
        contributions: list[tuple[Contribution, ...]] = [()] * len(hits)
        if len(mix.parts) > 1 and hits:
            scores = collection.vectors([hit.artwork.id for hit in hits]) @ query.parts.T
            contributions = [_contributions(row, query, encoder) for row in scores]
        matches = []
        for hit, pulled in zip(hits, contributions, strict=True):
            z_score = query.stats.z_score(hit.score) if query.stats else None
            matched_terms = tuple(word for word in searchable_text(hit.artwork).split() if word in wanted)
            score = _scaled(hit.score, encoder)
            matches.append(
                SearchResult(
                    hit.artwork, score, z_score, relevance_of(z_score, searched), matched_terms, pulled
                )
            )
        return tuple(matches)


def _found(
    collection: Collection, mix: SearchQuery, vector: Vector, k: int, offset: int
) -> tuple[list[Hit], int | None]:
    """The k hits after the first `offset`, without the works among the parts, and the offset at which they go on."""

    def ask(k: int, offset: int, per_artist: int | None) -> list[Hit]:
        return collection.search(
            vector,
            k,
            fingerprint=collection.build.fingerprint,
            text=mix.words,
            where=mix.where,
            offset=offset,
            per_artist=per_artist,
        )

    # A few more than asked for: works among the parts are taken out, and one more tells whether there are others.
    if mix.per_artist is None or not mix.works:
        hits = ask(k + len(mix.works) + 1, offset, mix.per_artist)
        places = [place for place, hit in enumerate(hits) if hit.artwork.id not in mix.works]
        return [hits[place] for place in places[:k]], offset + places[k] if len(places) > k else None
    # The store would count the works among the parts as their artists', so the artists' works are counted here.
    most = mix.per_artist + len(mix.works)
    hits = ask((offset + k + 1) * -(-most // mix.per_artist) + len(mix.works), 0, most)
    rest = limit_per_artist((hit for hit in hits if hit.artwork.id not in mix.works), mix.per_artist)
    return rest[offset : offset + k], offset + k if len(rest) > offset + k else None


def _contributions(scores: Vector, query: _Query, encoder: Encoder) -> tuple[Contribution, ...]:
    parts = zip(scores, query.weights, query.stats_per_term, strict=True)
    return tuple(
        Contribution(_scaled(score, encoder), round(weight * stats.z_score(float(score)), 2))
        for score, weight, stats in parts
    )


def _scaled(score: float, encoder: Encoder) -> float:
    """A cosine as people are shown it: 1.0 for the most that a query of this encoder can reach."""
    return round(max(-1.0, min(1.0, float(score) / encoder.best_score)), 6)
