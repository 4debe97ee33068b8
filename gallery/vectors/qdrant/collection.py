"""One build as a Qdrant collection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
from qdrant_client import QdrantClient, models

from gallery.errors import NotFound
from gallery.models import Artwork, Build, Hit
from gallery.vectors.base import Facets, Vector, Vectors, check_query, check_rows, no_rows, parse_work
from gallery.vectors.filters import EVERYTHING, Filter
from gallery.vectors.lexical import tokens
from gallery.vectors.qdrant.client import ClientProvider
from gallery.vectors.qdrant.points import (
    IMAGE,
    WORDS,
    filter_of,
    payload_of,
    point_id,
    point_of,
    sparse,
)
from gallery.vectors.ranking import (
    RankedWork,
    by_match,
    by_score,
    limit_ranked,
    most_frequent_first,
    read_fused,
    reciprocal_rank_fusion,
)

PAGE_POINTS = 1_000
"""Points read or deleted in one request."""
BATCH_POINTS = 256
"""Most points written in one request; fewer if vectors are long, since a server accepts at most 32 MB."""
HYBRID_DEPTHS = (500, 5_000, 50_000, 500_000, 5_000_000)
"""Depths of the two rankings of a hybrid search, tried in this order until the page is full."""
SPARE_RESULTS = 8
"""Results fetched beyond those asked for, so that the first query usually includes all ties at the end."""


class QdrantCollection:
    """The works of one build as points of a Qdrant collection."""

    max_depth = None

    def __init__(self, provider: ClientProvider, collection: str, build: Build) -> None:
        self.build = build
        self._provider = provider
        self._collection = collection

    def upsert(self, works: Sequence[Artwork], vectors: Vectors) -> None:
        ids = [work.id for work in works]
        rows = check_rows(self.build, ids, vectors)
        # Keep the last row of a repeated id: Qdrant does not promise an order within one request.
        last = list({id: position for position, id in enumerate(ids)}.values())
        for chunk in _chunks(last, max(1, min(BATCH_POINTS, 1_000_000 // self.build.dim))):
            named = ", ".join(ids[position] for position in chunk[:5]) + (" …" if len(chunk) > 5 else "")
            with self._client(f"writing {len(chunk)} works ({named})") as client:
                points = [point_of(works[position], rows[position]) for position in chunk]
                client.upsert(self._collection, points=points, wait=True)

    def delete(self, ids: Sequence[str]) -> None:
        for chunk in _chunks(ids, PAGE_POINTS):
            with self._client(f"deleting {len(chunk)} works") as client:
                selected = models.PointIdsList(points=[point_id(id) for id in chunk])
                client.delete(self._collection, points_selector=selected, wait=True)

    def count(self, where: Filter = EVERYTHING) -> int:
        with self._client("counting works") as client:
            return int(client.count(self._collection, count_filter=filter_of(where), exact=True).count)

    def ids(self) -> set[str]:
        return {payload.get("id", "") for payload in self._scroll(EVERYTHING, ["id"])}

    def get(self, id: str) -> Artwork:
        for point in self._retrieve([id]):
            return self._work(point)
        raise NotFound(f"no work {id} in build {self.build.name}")

    def vectors(self, ids: Sequence[str]) -> Vectors:
        found = {
            payload_of(point).get("id"): point.vector[IMAGE]
            for point in self._retrieve(ids, payload=["id"], vectors=True)
            if isinstance(point.vector, dict) and IMAGE in point.vector
        }
        missing = [id for id in ids if id not in found]
        if missing:
            raise no_rows(self.build, missing)
        return np.array([found[id] for id in ids], dtype=np.float32).reshape(len(ids), self.build.dim)

    def works(self, where: Filter = EVERYTHING, limit: int = 100, offset: int = 0) -> list[Artwork]:
        # Sort here: Qdrant would need an index of file names. Only the keys of all works are read.
        keys = sorted((payload["file"], payload["id"]) for payload in self._scroll(where, ["file", "id"]))
        return list(self._works(id for _, id in keys[offset : offset + limit]).values())

    def facets(self, where: Filter = EVERYTHING) -> Facets:
        return Facets(
            self._facet("artist", where), self._facet("styles", where), self._facet("nationalities", where)
        )

    def search(
        self,
        vector: Vector,
        k: int,
        *,
        fingerprint: str,
        text: str = "",
        where: Filter = EVERYTHING,
        offset: int = 0,
        per_artist: int | None = None,
    ) -> list[Hit]:
        query = check_query(self.build, vector, fingerprint, k, offset, per_artist)
        sought = sparse(tokens(text))
        if sought is None:
            hits, _ = self._nearest(query, where, offset + k, per_artist)
            return self._hits(hits[offset : offset + k])

        def fused(depth: int) -> tuple[list[RankedWork], bool]:
            nearest, complete = self._nearest(query, where, depth)
            matching = self._matching(sought, query, where, depth)
            known = {work.id: work for work in (*nearest, *matching)}
            order = reciprocal_rank_fusion([work.id for work in nearest], [work.id for work in matching])
            return [known[id] for id in order], complete

        return self._hits(read_fused(fused, HYBRID_DEPTHS, offset + k, per_artist)[offset:])

    def _nearest(
        self, query: Vector, where: Filter, wanted: int, per_artist: int | None = None
    ) -> tuple[list[RankedWork], bool]:
        """Return the `wanted` nearest works, and whether these are all that pass the filter."""
        fetch, exact = wanted + SPARE_RESULTS, self._provider.local
        while True:
            fetch = self._bounded(fetch, where)
            points = self._query(query.tolist(), IMAGE, where, fetch, exact=exact)
            if len(points) < fetch and not exact:
                exact = True  # either there are no more, or the graph search missed some
                continue
            found = sorted((_ranked(point) for point in points), key=by_score)
            complete = len(points) < fetch
            # Unfetched works may tie with the last one, so drop its score unless everything was fetched.
            settled = found if complete else [work for work in found if work.score > found[-1].score]
            kept = limit_ranked(settled, per_artist)
            if complete or len(kept) >= wanted:
                return kept[:wanted], complete and len(kept) <= wanted
            fetch *= 4

    def _matching(
        self, sought: models.SparseVector, query: Vector, where: Filter, wanted: int
    ) -> list[RankedWork]:
        """Return the `wanted` works that match the words best, ties by similarity.

        Ties are the rule: hundreds of works match "french" equally.
        """
        fetch = wanted + SPARE_RESULTS
        while True:
            fetch = self._bounded(fetch, where)
            points = self._query(sought, WORDS, where, fetch)
            # Rounded, since float32 sums may differ in the last digits.
            weights = {str(point.id): round(point.score, 4) for point in points}
            if len(points) == fetch:
                lowest = min(weights.values())
                weights = {id: weight for id, weight in weights.items() if weight > lowest}
            if len(points) < fetch or len(weights) >= wanted:
                break
            fetch *= 4
        if not weights:
            return []
        candidates = models.Prefetch(query=sought, using=WORDS, filter=filter_of(where), limit=fetch)
        near = self._query(query.tolist(), IMAGE, where, fetch, prefetch=candidates)
        found = {work.id: work for work in sorted(map(_ranked, near), key=by_score)}
        scores = {id: weights.get(point_id(id), 0.0) for id in found}
        return [found[id] for id in by_match(scores, found)[:wanted]]

    def _bounded(self, fetch: int, where: Filter) -> int:
        """Return `fetch`, but at most one more than the works there are: servers allocate memory for it."""
        return fetch if fetch <= 10 * PAGE_POINTS else min(fetch, self.count(where) + 1)

    def _query(
        self,
        query: list[float] | models.SparseVector,
        using: str,
        where: Filter,
        limit: int,
        *,
        exact: bool = False,
        prefetch: models.Prefetch | None = None,
    ) -> list[models.ScoredPoint]:
        # Rescore candidates with the exact vectors: quantized ones give approximate scores.
        params = models.SearchParams(
            exact=exact,
            quantization=models.QuantizationSearchParams(rescore=True, oversampling=2.0),
        )
        with self._client("searching") as client:
            answer = client.query_points(
                self._collection,
                query=query,
                using=using,
                prefetch=prefetch,
                query_filter=filter_of(where),
                search_params=None if self._provider.local or using == WORDS else params,
                limit=limit,
                with_payload=["id", "artist"],
            )
        return answer.points

    def _hits(self, found: Sequence[RankedWork]) -> list[Hit]:
        works = self._works(ranked.id for ranked in found)
        return [Hit(works[ranked.id], ranked.score) for ranked in found if ranked.id in works]

    def _works(self, ids: Iterable[str]) -> dict[str, Artwork]:
        """Return the works that exist, in the order of the ids."""
        wanted = list(ids)
        works = {work.id: work for work in map(self._work, self._retrieve(wanted))}
        return {id: works[id] for id in wanted if id in works}

    def _work(self, point: models.Record) -> Artwork:
        return parse_work(self.build, payload_of(point).get("work"))

    def _retrieve(
        self, ids: Sequence[str], payload: Sequence[str] = ("work",), vectors: bool = False
    ) -> Iterator[models.Record]:
        for chunk in _chunks(ids, PAGE_POINTS):
            with self._client("reading works") as client:
                points = client.retrieve(
                    self._collection,
                    ids=[point_id(id) for id in chunk],
                    with_payload=list(payload),
                    with_vectors=[IMAGE] if vectors else False,
                )
            yield from points

    def _scroll(self, where: Filter, payload: list[str]) -> Iterator[dict[str, Any]]:
        start: Any = None
        while True:
            with self._client("listing works") as client:
                points, start = client.scroll(
                    self._collection,
                    scroll_filter=filter_of(where),
                    limit=PAGE_POINTS,
                    offset=start,
                    with_payload=payload,
                )
            yield from map(payload_of, points)
            if start is None:
                return

    def _facet(self, field: str, where: Filter) -> dict[str, int]:
        limit = PAGE_POINTS
        while True:
            with self._client(f"counting works by {field}") as client:
                hits = client.facet(
                    self._collection, key=field, facet_filter=filter_of(where), limit=limit, exact=True
                ).hits
            if len(hits) < limit:  # a reply of `limit` values may be cut off
                return most_frequent_first({str(hit.value): hit.count for hit in hits})
            limit *= 4

    def _client(self, doing: str) -> AbstractContextManager[QdrantClient]:
        return self._provider.client(f"{doing} of build {self.build.name}")


def _ranked(point: models.ScoredPoint) -> RankedWork:
    payload = payload_of(point)
    return RankedWork(payload["id"], payload["artist"], round(point.score, 6))


def _chunks(values: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    return (values[start : start + size] for start in range(0, len(values), size))
