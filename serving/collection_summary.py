"""Summary of a collection: highlights for the home page, artists, and filter values with their counts."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from flask_babel import gettext

from gallery.cache import RecentlyUsed
from gallery.models import Artist, Artwork
from gallery.vectors import base as vectors
from gallery.vectors.base import Collection
from gallery.vectors.filters import EVERYTHING, Filter
from serving.i18n import marked

HIGHLIGHTS = 24
SAMPLE_WORKS = 6
"""Works kept per artist, for the artist's card and page."""
MAX_WORKS = 10_000
"""Works read from a build; in a larger collection, artists of later works are missing."""
MAX_BUILDS = 2
"""Builds kept: the live one, and the previous one for requests in progress."""
MAX_FACETS = 256
"""Facet counts kept, one for each build and filter. A build never changes, so they do not expire."""


@dataclass(frozen=True)
class FacetField:
    """A filter field: its parameter name, the attribute of `Filter` and of facet counts, and its title."""

    name: str
    attribute: str
    title: str


FACET_FIELDS = (
    FacetField("artist", "artists", marked("Artist")),
    FacetField("style", "styles", marked("Style")),
    FacetField("nationality", "nationalities", marked("Nationality")),
)


@dataclass(frozen=True)
class ArtistSummary:
    """An artist, the number of their works in the collection, and up to SAMPLE_WORKS of these works."""

    artist: Artist
    works: int
    samples: tuple[Artwork, ...]


@dataclass(frozen=True)
class FacetValue:
    """A filter value. `works` is the number of works if no other value of its field is chosen."""

    value: str
    label: str
    works: int
    chosen: bool


@dataclass(frozen=True)
class Facet:
    """A filter field and its values. Chosen values are always included."""

    field: str
    title: str
    choices: tuple[FacetValue, ...]


@dataclass(frozen=True)
class _Contents:
    highlights: tuple[Artwork, ...]
    artists: Mapping[str, ArtistSummary]


class CollectionSummary:
    """Cached summaries of builds. Each build is read once, and counted once per filter. Thread-safe."""

    def __init__(self) -> None:
        self._contents = RecentlyUsed[str, _Contents](MAX_BUILDS)
        self._counts = RecentlyUsed[tuple[str, Filter], vectors.Facets](MAX_FACETS)

    def highlights(self, collection: Collection) -> tuple[Artwork, ...]:
        """Return works by as many different artists as possible; the same works for the same build."""
        return self._read(collection).highlights

    def artists(self, collection: Collection) -> Mapping[str, ArtistSummary]:
        """Return the artists by slug, ordered by name."""
        return self._read(collection).artists

    def names(self, collection: Collection) -> Mapping[str, str]:
        """Return the artists' names by slug."""
        return {slug: summary.artist.name for slug, summary in self.artists(collection).items()}

    def facets(self, collection: Collection, where: Filter) -> tuple[Facet, ...]:
        """Return the filter values for a search with this filter.

        Values of one field are alternatives, so each field is counted as if none of its values were chosen.
        """
        names = self.names(collection)
        facets = []
        for field in FACET_FIELDS:
            chosen: tuple[str, ...] = getattr(where, field.attribute)
            others = dataclasses.replace(where, **{field.attribute: ()})  # type: ignore[arg-type]
            counts = dict(getattr(self._count(collection, others), field.attribute))
            counts |= dict.fromkeys(set(chosen) - set(counts), 0)
            labels: Mapping[str, str] = names if field.name == "artist" else {}
            values = [
                FacetValue(value, labels.get(value, value), works, value in chosen)
                for value, works in counts.items()
            ]
            if field.name == "artist":
                values.sort(key=lambda value: value.label)
            facets.append(Facet(field.name, gettext(field.title), tuple(values)))
        return tuple(facets)

    def _read(self, collection: Collection) -> _Contents:
        def read() -> _Contents:
            works = _in_turn(collection.works(limit=MAX_WORKS))
            counts = self._count(collection, EVERYTHING).artists
            by_artist: dict[str, list[Artwork]] = {}
            for work in works:
                by_artist.setdefault(work.artist.slug, []).append(work)
            ordered = sorted(by_artist.items(), key=lambda item: item[1][0].artist.name)
            artists = {
                slug: ArtistSummary(
                    theirs[0].artist, counts.get(slug, len(theirs)), tuple(theirs[:SAMPLE_WORKS])
                )
                for slug, theirs in ordered
            }
            return _Contents(tuple(works[:HIGHLIGHTS]), artists)

        return self._contents.get(collection.build.name, read)

    def _count(self, collection: Collection, where: Filter) -> vectors.Facets:
        return self._counts.get((collection.build.name, where), lambda: collection.facets(where))


def _in_turn(works: Iterable[Artwork]) -> list[Artwork]:
    """Return one work of each artist, then a second of each, and so on; each round ordered by digest."""
    seen: Counter[str] = Counter()
    ranked = []
    for work in sorted(works, key=lambda work: work.sha256):
        seen[work.artist.slug] += 1
        ranked.append((seen[work.artist.slug], work))
    return [work for _, work in sorted(ranked, key=lambda pair: pair[0])]
