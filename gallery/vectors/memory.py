"""A vector store in this process's memory: exact, and the yardstick of the others' tests."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from gallery.addresses import Address
from gallery.catalog import Artwork, Build, Hit
from gallery.errors import Invalid, NotFound
from gallery.vectors import Vector, Vectors, check_query, check_rows
from gallery.vectors.filters import EVERYTHING, Filter

_STORES: dict[str, MemoryStore] = {}


class MemoryCollection:
    """Works and rows in dicts."""

    def __init__(self, build: Build) -> None:
        self.build = build
        self._works: dict[str, Artwork] = {}
        self._rows: dict[str, Vector] = {}

    def upsert(self, works: Sequence[Artwork], vectors: Vectors) -> None:
        rows = check_rows(self.build, [work.id for work in works], vectors)
        for work, row in zip(works, rows, strict=True):
            self._works[work.id] = work
            self._rows[work.id] = row.copy()

    def delete(self, ids: Sequence[str]) -> None:
        for id in ids:
            self._works.pop(id, None)
            self._rows.pop(id, None)

    def count(self, where: Filter = EVERYTHING) -> int:
        return sum(where.lets_through(work.artist) for work in self._works.values())

    def ids(self) -> set[str]:
        return set(self._works)

    def get(self, id: str) -> Artwork:
        try:
            return self._works[id]
        except KeyError:
            raise NotFound(f"no work {id} in build {self.build.name}") from None

    def vector(self, id: str) -> Vector:
        self.get(id)
        return self._rows[id].copy()

    def works(self, where: Filter = EVERYTHING, limit: int = 100, offset: int = 0) -> list[Artwork]:
        passing = [work for work in self._works.values() if where.lets_through(work.artist)]
        return sorted(passing, key=lambda work: (work.file, work.id))[offset : offset + limit]

    def search(self, vector: Vector, k: int, *, fingerprint: str, where: Filter = EVERYTHING) -> list[Hit]:
        query = check_query(self.build, vector, fingerprint, k)
        passing = [work for work in self._works.values() if where.lets_through(work.artist)]
        if not passing:
            return []
        scores = np.stack([self._rows[work.id] for work in passing]) @ query
        hits = [Hit(work, round(float(score), 6)) for work, score in zip(passing, scores, strict=True)]
        return sorted(hits, key=lambda hit: (-hit.score, hit.artwork.id))[:k]


class MemoryStore:
    """Builds in a dict, gone with the process."""

    def __init__(self, address: str = "memory://") -> None:
        self.address = address
        self._collections: dict[str, MemoryCollection] = {}
        self._live: str | None = None

    def create(self, build: Build) -> MemoryCollection:
        if build.name in self._collections:
            raise Invalid(f"there is a build {build.name} already")
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
            raise Invalid(f"build {name} is not ready, so it cannot go live")
        self._live = name

    def drop(self, name: str) -> None:
        if name == self._live:
            raise Invalid(f"build {name} is live; publish another one before dropping it")
        self._collections.pop(name, None)


def open_memory(address: Address) -> MemoryStore:
    """The store of that name; the same name gives the same store for as long as the process lives."""
    address.check_options()
    return _STORES.setdefault(address.location, MemoryStore(address.text))
