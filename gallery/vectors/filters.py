"""Filters on what the catalogue knows of a work: AND across fields, OR within one."""

from __future__ import annotations

from dataclasses import dataclass

from gallery.models import Artist

ONGOING = 9999
"""The last year of a life whose end is not known."""


@dataclass(frozen=True)
class Filter:
    """Which works a search may return; the empty filter lets all through.

    `artists` are slugs, as are `exclude_artists`, whose works are left out; `styles` and `nationalities` match whole
    entries, exactly. `active_from` and `active_to` are years: a work passes where its painter's life overlaps them, and fails
    where no life dates are known.
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
        """True where a work by this artist passes."""
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
    """The years an artist's life spans at most: up to `ONGOING` where no death is known, (None, None) where nothing is."""
    start = artist.birth if artist.birth is not None else artist.death
    end = artist.death if artist.death is not None else (ONGOING if artist.birth is not None else None)
    return start, end


EVERYTHING = Filter()
