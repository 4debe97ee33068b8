"""One build as a Qdrant collection: its works written, listed and searched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

import numpy as np
from qdrant_client import QdrantClient, models

from gallery.errors import NotFound
from gallery.models import Artwork, Build, Hit
from gallery.vectors.base import Facets, Vector, Vectors, check_query, check_rows, no_rows
from gallery.vectors.filters import EVERYTHING, Filter
from gallery.vectors.lexical import tokens
from gallery.vectors.qdrant.places import Place
from gallery.vectors.qdrant.points import (
    PICTURE,
    WORDS,
    filter_of,
    payload_of,
    point_id,
    point_of,
    sparse,
    work_of,
)
from gallery.vectors.ranking import by_match, first_per_artist, most_frequent_first, reciprocal_rank_fusion

PAGE = 1_000
"""Points read or deleted in one request."""
WRITTEN = 256
"""Points written in one request, fewer where rows are long: a server takes requests of up to 32 MB."""
DEPTH = 500
"""How far down the two rankings of a hybrid search go at first. The same for each page, so that pages agree."""


class Found(NamedTuple):
    """A work that a query found, before its record is read."""

    id: str
    artist: str
    score: float


class QdrantCollection:
    """One build's rows as a Qdrant collection."""

    def __init__(self, place: Place, collection: str, build: Build) -> None:
        self.build = build
        self._place = place
        self._collection = collection

    def upsert(self, works: Sequence[Artwork], vectors: Vectors) -> None:
        ids = [work.id for work in works]
        rows = check_rows(self.build, ids, vectors)
        # The last of a repeated id counts; within one request Qdrant promises no order.
        last = list({id: position for position, id in enumerate(ids)}.values())
        for chunk in _chunks(last, max(1, min(WRITTEN, 1_000_000 // self.build.dim))):
            named = ", ".join(ids[position] for position in chunk[:5]) + (" …" if len(chunk) > 5 else "")
            with self._client(f"writing {len(chunk)} works ({named})") as client:
                points = [point_of(works[position], rows[position]) for position in chunk]
                client.upsert(self._collection, points=points, wait=True)

    def delete(self, ids: Sequence[str]) -> None:
        for chunk in _chunks(ids, PAGE):
            with self._client(f"deleting {len(chunk)} works") as client:
                selected = models.PointIdsList(points=[point_id(id) for id in chunk])
                client.delete(self._collection, points_selector=selected, wait=True)

    def count(self, where: Filter = EVERYTHING) -> int:
        with self._client("counting works") as client:
            return int(client.count(self._collection, count_filter=filter_of(where), exact=True).count)

    def ids(self) -> set[str]:
        return {payload["id"] for payload in self._scroll(EVERYTHING, ["id"])}

    def get(self, id: str) -> Artwork:
        for point in self._retrieve([id]):
            return work_of(point)
        raise NotFound(f"no work {id} in build {self.build.name}")

    def vectors(self, ids: Sequence[str]) -> Vectors:
        found = {
            payload_of(point)["id"]: point.vector[PICTURE]
            for point in self._retrieve(ids, payload=["id"], vectors=True)
            if isinstance(point.vector, dict)
        }
        missing = [id for id in ids if id not in found]
        if missing:
            raise no_rows(self.build, missing)
        return np.array([found[id] for id in ids], dtype=np.float32).reshape(len(ids), self.build.dim)

    def works(self, where: Filter = EVERYTHING, limit: int = 100, offset: int = 0) -> list[Artwork]:
        # Ordered here: Qdrant would need an index of whole file names, and only keys are read before the cut.
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
        depth = DEPTH
        while True:
            nearest, complete = self._nearest(query, where, depth)
            matching = self._matching(sought, query, where, depth)
            found = {one.id: one for one in (*nearest, *matching)}
            order = reciprocal_rank_fusion([one.id for one in nearest], [one.id for one in matching])
            kept = _thinned((found[id] for id in order), per_artist)
            if len(kept) >= offset + k or complete:
                return self._hits(kept[offset : offset + k])
            depth *= 4

    def _nearest(
        self, query: Vector, where: Filter, wanted: int, per_artist: int | None = None
    ) -> tuple[list[Found], bool]:
        """The `wanted` nearest works, and whether these are all that pass."""
        fetch, exact = wanted + 8, self._place.local
        while True:
            fetch = self._bounded(fetch, where)
            points = self._query(query.tolist(), PICTURE, where, fetch, exact=exact)
            if len(points) < fetch and not exact:
                exact = True  # fewer than asked for are all there are, or all that the graph leads to
                continue
            found = sorted((_found(point) for point in points), key=lambda one: (-one.score, one.id))
            complete = len(points) < fetch
            # Ties go by id, and works of the last score may be missing from what was fetched.
            settled = found if complete else [one for one in found if one.score > found[-1].score]
            kept = _thinned(settled, per_artist)
            if complete or len(kept) >= wanted:
                return kept[:wanted], complete and len(kept) <= wanted
            fetch *= 4

    def _matching(
        self, sought: models.SparseVector, query: Vector, where: Filter, wanted: int
    ) -> list[Found]:
        """The `wanted` works that match the words best, ties by nearness to the vector: "french" fits hundreds alike."""
        fetch = wanted + 8
        while True:
            fetch = self._bounded(fetch, where)
            points = self._query(sought, WORDS, where, fetch)
            weights = {str(point.id): round(point.score, 4) for point in points}  # as float32 sums may differ
            if len(points) == fetch:
                lowest = min(weights.values())
                weights = {id: weight for id, weight in weights.items() if weight > lowest}
            if len(points) < fetch or len(weights) >= wanted:
                break
            fetch *= 4
        if not weights:
            return []
        candidates = models.Prefetch(query=sought, using=WORDS, filter=filter_of(where), limit=fetch)
        near = self._query(query.tolist(), PICTURE, where, fetch, prefetch=candidates)
        found = {one.id: one for one in sorted(map(_found, near), key=lambda one: (-one.score, one.id))}
        scores = {id: weights.get(point_id(id), 0.0) for id in found}
        return [found[id] for id in by_match(scores, found)[:wanted]]

    def _bounded(self, fetch: int, where: Filter) -> int:
        """`fetch`, or one more than there are where that is less: a server sets room for all of it aside."""
        return fetch if fetch <= 10 * PAGE else min(fetch, self.count(where) + 1)

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
        # With quantized rows the candidates are scored again by the true ones: a score is a cosine.
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
                search_params=None if self._place.local or using == WORDS else params,
                limit=limit,
                with_payload=["id", "artist"],
            )
        return answer.points

    def _hits(self, found: Sequence[Found]) -> list[Hit]:
        works = self._works(one.id for one in found)
        return [Hit(works[one.id], one.score) for one in found if one.id in works]

    def _works(self, ids: Iterable[str]) -> dict[str, Artwork]:
        """The works in the order of the ids, but for those that are gone."""
        wanted = list(ids)
        works = {work.id: work for work in map(work_of, self._retrieve(wanted))}
        return {id: works[id] for id in wanted if id in works}

    def _retrieve(
        self, ids: Sequence[str], payload: Sequence[str] = ("work",), vectors: bool = False
    ) -> Iterator[models.Record]:
        for chunk in _chunks(ids, PAGE):
            with self._client("reading works") as client:
                points = client.retrieve(
                    self._collection,
                    ids=[point_id(id) for id in chunk],
                    with_payload=list(payload),
                    with_vectors=[PICTURE] if vectors else False,
                )
            yield from points

    def _scroll(self, where: Filter, payload: list[str]) -> Iterator[dict[str, Any]]:
        start: Any = None
        while True:
            with self._client("listing works") as client:
                points, start = client.scroll(
                    self._collection,
                    scroll_filter=filter_of(where),
                    limit=PAGE,
                    offset=start,
                    with_payload=payload,
                )
            yield from map(payload_of, points)
            if start is None:
                return

    def _facet(self, field: str, where: Filter) -> dict[str, int]:
        limit = PAGE
        while True:
            with self._client(f"counting works by {field}") as client:
                hits = client.facet(
                    self._collection, key=field, facet_filter=filter_of(where), limit=limit, exact=True
                ).hits
            if len(hits) < limit:  # as many as asked for may not be all there are
                return most_frequent_first({str(hit.value): hit.count for hit in hits})
            limit *= 4

    def _client(self, doing: str) -> AbstractContextManager[QdrantClient]:
        return self._place.client(f"{doing} of build {self.build.name}")


def _found(point: models.ScoredPoint) -> Found:
    payload = payload_of(point)
    return Found(payload["id"], payload["artist"], round(point.score, 6))


def _thinned(found: Iterable[Found], per_artist: int | None) -> list[Found]:
    found = list(found)
    return [found[place] for place in first_per_artist((one.artist for one in found), per_artist)]


def _chunks(values: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    return (values[start : start + size] for start in range(0, len(values), size))
