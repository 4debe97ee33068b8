"""The maps of builds, each read from the image store once."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from gallery.errors import NotFound
from gallery.map_layout import MapLayout, layout_key
from gallery.models import Build
from gallery.services import Services

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

    layout: MapLayout

    @cached_property
    def places(self) -> Mapping[str, int]:
        """The place of each work in the atlas, by its id."""
        return {item.id: place for place, item in enumerate(self.layout.items)}

    @cached_property
    def script_json(self) -> bytes:
        """What the script draws from. `ratio` is a picture's width by height, in hundredths."""
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
            "genre": [item.style for item in items],
            "ratio": [round(100 * item.width / item.height) for item in items],
        }
        return json.dumps(facts, ensure_ascii=False, separators=(",", ":")).encode()

    @property
    def neighbourhoods(self) -> int:
        """How many there are."""
        return -(-len(self.layout.items) // NEIGHBOURHOOD)

    def neighbourhood(self, number: int) -> Neighbourhood:
        """The one of that number, from 0."""
        places = range(number * NEIGHBOURHOOD, min((number + 1) * NEIGHBOURHOOD, len(self.layout.items)))
        counts: dict[int, int] = {}
        for place in places:
            artist = self.layout.items[place].artist
            counts[artist] = counts.get(artist, 0) + 1
        most = sorted(counts, key=lambda artist: -counts[artist])[:2]
        return Neighbourhood(places, tuple(self.layout.artists[artist][1] for artist in most))


class Atlases:
    """Reads maps out of the image store. May be used from several threads."""

    def __init__(self, services: Services) -> None:
        self._ports = services
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
            found = ShownAtlas(MapLayout.parse(data))
            with self._lock:
                older = list(self._read.items())[-(KEPT - 1) :]
                self._read = dict(older) | {build.name: found}
        return found
