"""A vector store in the memory of this process: exact, and the reference in tests of the other stores."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence

import numpy as np

from gallery.addresses import Address
from gallery.errors import Invalid, NotFound
from gallery.models import Artwork, Build, Hit
from gallery.vectors.base import Facets, Vector, Vectors, check_name, check_query, check_rows, no_rows
from gallery.vectors.filters import EVERYTHING, Filter
from gallery.vectors.lexical import searchable_text, tokens
from gallery.vectors.ranking import (
    by_match,
    idf,
    limit_per_artist,
    most_frequent_first,
    reciprocal_rank_fusion,
)

_STORES: dict[str, MemoryStore] = {}


class MemoryCollection:
    """One build's works and vectors in a dict."""

    max_depth = None

    def __init__(self, build: Build) -> None:
        self.build = build
        self._kept: dict[str, tuple[Artwork, Vector]] = {}

    def upsert(self, works: Sequence[Artwork], vectors: Vectors) -> None:
        rows = check_rows(self.build, [work.id for work in works], vectors)
        for work, row in zip(works, rows, strict=True):
            self._kept[work.id] = (work, row.copy())

    def delete(self, ids: Sequence[str]) -> None:
        for id in ids:
            self._kept.pop(id, None)

    def count(self, where: Filter = EVERYTHING) -> int:
        return len(self._passing(where))

    def ids(self) -> set[str]:
        return set(self._kept)

    def get(self, id: str) -> Artwork:
        try:
            return self._kept[id][0]
        except KeyError:
            raise NotFound(f"no work {id} in build {self.build.name}") from None

    def vectors(self, ids: Sequence[str]) -> Vectors:
        found = [self._kept.get(id) for id in ids]
        missing = [id for id, kept in zip(ids, found, strict=True) if kept is None]
        if missing:
            raise no_rows(self.build, missing)
        rows = [kept[1] for kept in found if kept is not None]
        return np.stack(rows) if rows else np.zeros((0, self.build.dim), dtype=np.float32)

    def works(self, where: Filter = EVERYTHING, limit: int = 100, offset: int = 0) -> list[Artwork]:
        passing = [work for work, _ in self._passing(where)]
        return sorted(passing, key=lambda work: (work.file, work.id))[offset : offset + limit]

    def facets(self, where: Filter = EVERYTHING) -> Facets:
        artists, styles, nationalities = Counter[str](), Counter[str](), Counter[str]()
        for work, _ in self._passing(where):
            artists[work.artist.slug] += 1
            styles.update(set(work.artist.styles))
            nationalities.update(set(work.artist.nationalities))
        return Facets(*map(most_frequent_first, (artists, styles, nationalities)))

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
        hits = {hit.artwork.id: hit for hit in self._nearest(query, where)}
        wanted = set(tokens(text))
        matching = {id: wanted & set(searchable_text(hit.artwork).split()) for id, hit in hits.items()}
        having = Counter(word for matched in matching.values() for word in matched)
        scores = {
            id: round(sum(idf(len(hits), having[word]) for word in matched), 9)
            for id, matched in matching.items()
            if matched
        }
        ranking = reciprocal_rank_fusion(list(hits), by_match(scores, hits)) if scores else list(hits)
        return limit_per_artist((hits[id] for id in ranking), per_artist)[offset : offset + k]

    def _passing(self, where: Filter) -> list[tuple[Artwork, Vector]]:
        # Copy first: another thread may write in the meantime.
        return [kept for kept in list(self._kept.values()) if where.matches(kept[0].artist)]

    def _nearest(self, query: Vector, where: Filter) -> list[Hit]:
        passing = self._passing(where)
        if not passing:
            return []
        scores = np.stack([row for _, row in passing]) @ query
        hits = [Hit(work, round(float(score), 6)) for (work, _), score in zip(passing, scores, strict=True)]
        return sorted(hits, key=lambda hit: (-hit.score, hit.artwork.id))


class MemoryStore:
    """Builds in a dict, lost when the process ends."""

    def __init__(self, address: str = "memory://") -> None:
        self.address = address
        self._collections: dict[str, MemoryCollection] = {}
        self._live: str | None = None

    def version(self) -> str:
        return "this process's memory"

    def create(self, build: Build) -> MemoryCollection:
        check_name(build.name)
        if build.name in self._collections:
            raise Invalid(f"build {build.name} already exists")
        self._collections[build.name] = MemoryCollection(dataclasses.replace(build, ready=False))
        return self._collections[build.name]

    def open(self, name: str) -> MemoryCollection:
        try:
            return self._collections[name]
        except KeyError:
            raise NotFound(f"no build {name} in {self.address}") from None

    def builds(self) -> list[Build]:
        builds = [collection.build for collection in self._collections.values()]
        return sorted(builds, key=lambda build: (build.created_at, build.name), reverse=True)

    def seal(self, name: str) -> Build:
        collection = self.open(name)
        collection.build = dataclasses.replace(collection.build, ready=True)
        return collection.build

    def live(self) -> Build | None:
        return self.open(self._live).build if self._live else None

    def publish(self, name: str) -> None:
        if not self.open(name).build.ready:
            raise Invalid(f"build {name} is not ready, so it cannot be published")
        self._live = name

    def drop(self, name: str) -> None:
        if name == self._live:
            raise Invalid(f"build {name} is live; publish another one before dropping it")
        self._collections.pop(name, None)


def open_memory(address: Address, *, api_key: str | None = None) -> MemoryStore:
    """Return the store of that name, always the same within a process. The key is ignored."""
    return _STORES.setdefault(address.location, MemoryStore(address.text))
