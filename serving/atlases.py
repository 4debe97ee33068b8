"""The maps of builds, each read from the image store once."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from gallery.atlas import Atlas, layout_key
from gallery.catalog import Build
from gallery.errors import NotFound
from gallery.ports import Ports

KEPT = 2
"""Maps in memory: the live build's, and that of the one before it for requests under way."""
NEIGHBOURHOOD = 24
"""Works that follow each other in an atlas and are listed together."""


@dataclass(frozen=True)
class Neighbourhood:
    """Works that hang near each other: their places in the atlas, and the names of the painters that most are by."""

    places: range
    names: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class ShownAtlas:
    """A map with what its page and its script need of it."""

    atlas: Atlas

    @cached_property
    def places(self) -> Mapping[str, int]:
        """The place of each work in the atlas, by its id."""
        return {spot.id: place for place, spot in enumerate(self.atlas.spots)}

    @cached_property
    def script_json(self) -> bytes:
        """What the script draws from. `ratio` is a picture's width by height, in hundredths."""
        spots = self.atlas.spots
        facts = {
            "columns": self.atlas.columns,
            "rows": self.atlas.rows,
            "zoom": self.atlas.zoom,
            "artists": [name for _, name in self.atlas.artists],
            "genres": self.atlas.genres,
            "ids": [spot.id for spot in spots],
            "x": [spot.x for spot in spots],
            "y": [spot.y for spot in spots],
            "artist": [spot.artist for spot in spots],
            "genre": [spot.genre for spot in spots],
            "ratio": [round(100 * spot.width / spot.height) for spot in spots],
        }
        return json.dumps(facts, ensure_ascii=False, separators=(",", ":")).encode()

    @property
    def neighbourhoods(self) -> int:
        """How many there are."""
        return -(-len(self.atlas.spots) // NEIGHBOURHOOD)

    def neighbourhood(self, number: int) -> Neighbourhood:
        """The one of that number, from 0."""
        places = range(number * NEIGHBOURHOOD, min((number + 1) * NEIGHBOURHOOD, len(self.atlas.spots)))
        counts: dict[int, int] = {}
        for place in places:
            artist = self.atlas.spots[place].artist
            counts[artist] = counts.get(artist, 0) + 1
        most = sorted(counts, key=lambda artist: -counts[artist])[:2]
        return Neighbourhood(places, tuple(self.atlas.artists[artist][1] for artist in most))


class Atlases:
    """Reads maps out of the image store. May be used from several threads."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._lock = threading.Lock()
        self._read: dict[str, ShownAtlas] = {}

    def of(self, build: Build) -> ShownAtlas | None:
        """The build's map; None while it has not been drawn. Raises Unavailable."""
        with self._lock:
            found = self._read.get(build.name)
        if found is None:
            try:
                data = self._ports.images.get(layout_key(build.name))
            except NotFound:
                return None
            found = ShownAtlas(Atlas.parse(data))
            with self._lock:
                older = list(self._read.items())[-(KEPT - 1) :]
                self._read = dict(older) | {build.name: found}
        return found
