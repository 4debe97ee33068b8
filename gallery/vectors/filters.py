"""Filters on what the catalogue knows of a work: AND across fields, OR within one."""

from __future__ import annotations

from dataclasses import dataclass

from gallery.catalog import Artist

ONGOING = 9999
"""The last year of a life whose end is not known."""


@dataclass(frozen=True)
class Filter:
    """Which works a search may return; the empty filter lets all through.

    `artists` are slugs, as are `without_artists`, whose works are left out; `genres` and `nationalities` match whole
    entries, exactly. `since` and `until` are years: a work passes where its painter's life overlaps them, and fails
    where no life dates are known.
    """

    artists: tuple[str, ...] = ()
    without_artists: tuple[str, ...] = ()
    genres: tuple[str, ...] = ()
    nationalities: tuple[str, ...] = ()
    since: int | None = None
    until: int | None = None

    def __bool__(self) -> bool:
        return self != Filter()

    def lets_through(self, artist: Artist) -> bool:
        """True where a work by this artist passes."""
        if self.artists and artist.slug not in self.artists:
            return False
        if artist.slug in self.without_artists:
            return False
        if self.genres and not set(self.genres) & set(artist.genres):
            return False
        if self.nationalities and not set(self.nationalities) & set(artist.nationalities):
            return False
        start, end = life(artist)
        if self.since is not None and (end is None or end < self.since):
            return False
        return self.until is None or (start is not None and start <= self.until)


def life(artist: Artist) -> tuple[int | None, int | None]:
    """The years an artist's life spans at most: up to `ONGOING` where no death is known, (None, None) where nothing is."""
    start = artist.birth if artist.birth is not None else artist.death
    end = artist.death if artist.death is not None else (ONGOING if artist.birth is not None else None)
    return start, end


EVERYTHING = Filter()
