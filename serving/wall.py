"""The collection at a glance: works to look at before any search, and what there is to filter by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from gallery.catalog import Artist, Artwork, Build
from gallery.ports import Ports
from gallery.vectors.filters import EVERYTHING, Filter

SHOWN = 24
READ = 10_000
"""Works looked through, at most; a larger collection is shown by this part of it."""
KEPT = 64
"""Answers remembered; a build never changes, so none of them goes stale."""


@dataclass(frozen=True)
class Spread:
    """Works from as many artists as there are, each artist's in turn; `works` and `artists` count them all."""

    shown: tuple[Artwork, ...]
    works: int
    artists: int


@dataclass(frozen=True)
class Facets:
    """What the collection can be filtered by: artists as slug and name, by name; the others by frequency."""

    artists: tuple[tuple[str, str], ...]
    genres: tuple[str, ...]
    nationalities: tuple[str, ...]


class Wall:
    """Reads the collection once for each build and filter."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._spread = lru_cache(KEPT)(self._read_spread)
        self._facets = lru_cache(2)(self._read_facets)

    def spread(self, build: Build, where: Filter = EVERYTHING) -> Spread:
        """Works that pass the filter, the same ones for the same build."""
        return self._spread(build.name, where)

    def facets(self, build: Build) -> Facets:
        """What the build's works can be filtered by."""
        return self._facets(build.name)

    def _works(self, name: str, where: Filter) -> list[Artwork]:
        return self._ports.vectors.open(name).works(where, limit=READ)

    def _read_spread(self, name: str, where: Filter) -> Spread:
        works = self._works(name, where)
        return Spread(tuple(_in_turn(works)[:SHOWN]), len(works), len({work.artist.slug for work in works}))

    def _read_facets(self, name: str) -> Facets:
        artists = {work.artist.slug: work.artist for work in self._works(name, EVERYTHING)}.values()
        return Facets(
            tuple(sorted(((artist.slug, artist.name) for artist in artists), key=lambda pair: pair[1])),
            _by_frequency(genre for artist in artists for genre in artist.genres),
            _by_frequency(nationality for artist in artists for nationality in artist.nationalities),
        )


def _in_turn(works: Iterable[Artwork]) -> list[Artwork]:
    """One work of each artist, then a second of each, and so on; digests shuffle them the same way every time."""
    seen: Counter[str] = Counter()
    ranked = []
    for work in sorted(works, key=lambda work: work.sha256):
        seen[work.artist.slug] += 1
        ranked.append((seen[work.artist.slug], work))
    return [work for _, work in sorted(ranked, key=lambda pair: pair[0])]


def _by_frequency(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(value for value, _ in sorted(Counter(values).items(), key=lambda pair: (-pair[1], pair[0])))


def artist_names(artists: Iterable[Artist]) -> dict[str, str]:
    """Slug -> name."""
    return {artist.slug: artist.name for artist in artists}
