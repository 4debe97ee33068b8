"""Filters on catalog fields: AND across fields, OR within one."""

from __future__ import annotations

from dataclasses import dataclass

from gallery.models import Artist

ONGOING = 9999
"""Last year of a life if no year of death is known."""


@dataclass(frozen=True)
class Filter:
    """Which works a search may return; every work passes the empty filter.

    `artists` and `exclude_artists` are slugs. `styles` and `nationalities` match whole entries exactly.
    `active_from` and `active_to` are years, both inclusive: a work passes if its artist's life overlaps them,
    and fails if no life dates are known.
    """

    artists: tuple[str, ...] = ()
    exclude_artists: tuple[str, ...] = ()
    styles: tuple[str, ...] = ()
    nationalities: tuple[str, ...] = ()
    active_from: int | None = None
    active_to: int | None = None

    def __bool__(self) -> bool:
        return self != Filter()

    def matches(self, artist: Artist) -> bool:
        """Return True if a work by this artist passes."""
        if self.artists and artist.slug not in self.artists:
            return False
        if artist.slug in self.exclude_artists:
            return False
        if self.styles and not set(self.styles) & set(artist.styles):
            return False
        if self.nationalities and not set(self.nationalities) & set(artist.nationalities):
            return False
        start, end = life(artist)
        if self.active_from is not None and (end is None or end < self.active_from):
            return False
        return self.active_to is None or (start is not None and start <= self.active_to)


def life(artist: Artist) -> tuple[int | None, int | None]:
    """Return the first and last year of a life.

    If no birth is known, the first year is that of death. If no death is known, the last is `ONGOING`.
    If neither is, both are None.
    """
    start = artist.birth if artist.birth is not None else artist.death
    end = artist.death if artist.death is not None else (ONGOING if artist.birth is not None else None)
    return start, end


EVERYTHING = Filter()
