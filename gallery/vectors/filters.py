"""Filters on what the catalogue knows of a work: AND across fields, OR within one."""

from __future__ import annotations

from dataclasses import dataclass

from gallery.catalog import Artist


@dataclass(frozen=True)
class Filter:
    """Which works a search may return; the empty filter lets all through.

    `artists` are slugs; `genres` and `nationalities` match whole entries, exactly. `since` and `until` are years:
    a work passes where its painter's life overlaps them, and fails where no life dates are known.
    """

    artists: tuple[str, ...] = ()
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
        if self.genres and not set(self.genres) & set(artist.genres):
            return False
        if self.nationalities and not set(self.nationalities) & set(artist.nationalities):
            return False
        if self.since is not None and (artist.death or artist.birth or -1) < self.since:
            return False
        born = artist.birth if artist.birth is not None else artist.death
        return self.until is None or (born is not None and born <= self.until)


EVERYTHING = Filter()
