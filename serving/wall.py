"""The collection at a glance: works to look at before any search, its painters, and what there is to filter by."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from flask_babel import gettext

from gallery.models import Artist, Artwork, Build
from gallery.services import Services
from gallery.vectors import base as vectors
from gallery.vectors.filters import EVERYTHING, Filter
from serving.language import marked
from serving.query import FIELDS, Field

SHOWN = 24
SAMPLES = 6
"""Works of each painter kept at hand for their cards."""
READ = 10_000
"""Works looked through, at most; a larger collection is shown by this part of it."""
KEPT = 256
"""Answers remembered; a build never changes, so none of them goes stale."""
TITLES: dict[Field, str] = {
    "artist": marked("Painter"),
    "genre": marked("Genre"),
    "nationality": marked("Nationality"),
}


@dataclass(frozen=True)
class Painter:
    """An artist of the collection, how many works there are, and some of them."""

    artist: Artist
    works: int
    samples: tuple[Artwork, ...]


@dataclass(frozen=True)
class Choice:
    """A value to filter by: its name for people, and how many works the search would then be among."""

    value: str
    label: str
    works: int
    chosen: bool


@dataclass(frozen=True)
class Facet:
    """A field to filter by and its choices; chosen ones are always among them."""

    field: Field
    title: str
    choices: tuple[Choice, ...]


@dataclass(frozen=True)
class _Contents:
    wall: tuple[Artwork, ...]
    painters: Mapping[str, Painter]


class Wall:
    """Reads the collection once for each build, and counts it once for each build and filter."""

    def __init__(self, services: Services) -> None:
        self._ports = services
        self._contents = lru_cache(2)(self._read)
        self._counts = lru_cache(KEPT)(self._count)

    def spread(self, build: Build) -> tuple[Artwork, ...]:
        """Works from as many artists as there are, each artist's in turn; the same ones for the same build."""
        return self._contents(build.name).wall

    def painters(self, build: Build) -> Mapping[str, Painter]:
        """The build's painters by slug, ordered by name."""
        return self._contents(build.name).painters

    def facets(self, build: Build, where: Filter) -> tuple[Facet, ...]:
        """What a search through this filter can be narrowed to, or widened by.

        Values of one field widen each other, so each field is counted as if nothing of it were chosen.
        """
        names = {slug: painter.artist.name for slug, painter in self.painters(build).items()}
        facets = []
        for field, title in TITLES.items():
            attribute = FIELDS[field]
            chosen: tuple[str, ...] = getattr(where, attribute)
            others = dataclasses.replace(where, **{attribute: ()})  # type: ignore[arg-type]
            counts = dict(getattr(self._counts(build.name, others), attribute))
            counts |= dict.fromkeys(set(chosen) - set(counts), 0)
            labels: Mapping[str, str] = names if field == "artist" else {}
            choices = [
                Choice(value, labels.get(value, value), works, value in chosen)
                for value, works in counts.items()
            ]
            if field == "artist":
                choices.sort(key=lambda choice: choice.label)
            facets.append(Facet(field, gettext(title), tuple(choices)))
        return tuple(facets)

    def _read(self, name: str) -> _Contents:
        collection = self._ports.vectors.open(name)
        works = collection.works(limit=READ)
        counts = self._counts(name, EVERYTHING).artists
        mixed = _in_turn(works)
        by_artist: dict[str, list[Artwork]] = {}
        for work in mixed:
            by_artist.setdefault(work.artist.slug, []).append(work)
        ordered = sorted(by_artist.items(), key=lambda item: item[1][0].artist.name)
        painters = {
            slug: Painter(theirs[0].artist, counts.get(slug, len(theirs)), tuple(theirs[:SAMPLES]))
            for slug, theirs in ordered
        }
        return _Contents(tuple(mixed[:SHOWN]), painters)

    def _count(self, name: str, where: Filter) -> vectors.Facets:
        return self._ports.vectors.open(name).facets(where)


def _in_turn(works: Iterable[Artwork]) -> list[Artwork]:
    """One work of each artist, then a second of each, and so on; digests shuffle them the same way every time."""
    seen: Counter[str] = Counter()
    ranked = []
    for work in sorted(works, key=lambda work: work.sha256):
        seen[work.artist.slug] += 1
        ranked.append((seen[work.artist.slug], work))
    return [work for _, work in sorted(ranked, key=lambda pair: pair[0])]
