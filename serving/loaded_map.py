"""Maps of builds, each read from the image store once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from gallery.cache import RecentlyUsed
from gallery.errors import NotFound
from gallery.map_layout import MapLayout, layout_key
from gallery.models import Build
from gallery.services import Services

MAX_MAPS = 2
"""Maps in memory: of the live build, and of the previous one for requests in progress."""
GROUP_WORKS = 24
"""Consecutive works on the map that are listed together."""


@dataclass(frozen=True)
class Neighbourhood:
    """Neighbouring works: their places on the map, and the names of the one or two most frequent artists."""

    places: range
    names: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class LoadedMap:
    """A map, with the data for its page and its script."""

    layout: MapLayout

    @cached_property
    def places(self) -> Mapping[str, int]:
        """Return the index of each work in `layout.items`, by id."""
        return {item.id: place for place, item in enumerate(self.layout.items)}

    @cached_property
    def script_json(self) -> bytes:
        """Return the data for the script. `ratio` is 100 times width by height."""
        items = self.layout.items
        facts = {
            "columns": self.layout.columns,
            "rows": self.layout.rows,
            "zoom": self.layout.zoom,
            "artists": [name for _, name in self.layout.artists],
            "styles": self.layout.styles,
            "ids": [item.id for item in items],
            "x": [item.x for item in items],
            "y": [item.y for item in items],
            "artist": [item.artist for item in items],
            "style": [item.style for item in items],
            "ratio": [round(100 * item.width / item.height) for item in items],
        }
        return json.dumps(facts, ensure_ascii=False, separators=(",", ":")).encode()

    @property
    def neighbourhoods(self) -> int:
        """Return the number of neighbourhoods."""
        return -(-len(self.layout.items) // GROUP_WORKS)

    def neighbourhood(self, number: int) -> Neighbourhood:
        """Return a neighbourhood by number, from 0."""
        places = range(number * GROUP_WORKS, min((number + 1) * GROUP_WORKS, len(self.layout.items)))
        counts: dict[int, int] = {}
        for place in places:
            artist = self.layout.items[place].artist
            counts[artist] = counts.get(artist, 0) + 1
        most = sorted(counts, key=lambda artist: -counts[artist])[:2]
        return Neighbourhood(places, tuple(self.layout.artists[artist][1] for artist in most))


class LoadedMaps:
    """Reads the maps of builds from the image store. Thread-safe."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._maps = RecentlyUsed[str, LoadedMap](MAX_MAPS)

    def of(self, build: Build) -> LoadedMap | None:
        """Return the build's map, or None if it does not exist yet. Raises Corrupted, Unavailable."""
        try:
            return self._maps.get(build.name, lambda: self._read(build))
        except NotFound:
            return None

    def _read(self, build: Build) -> LoadedMap:
        return LoadedMap(MapLayout.parse(self._services.images.get(layout_key(build.name))))
