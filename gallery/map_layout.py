"""The similarity map of a build: the grid cell of each work, and the keys of the map's tiles.

The pipeline writes it to the image store and the web app reads it:

    maps/<build>/layout.json                    the MapLayout; written last, so a map that has it is complete
    maps/<build>/<digest>/<zoom>/<x>/<y>.webp   tiles of 256 x 256 pixels; empty tiles are left out

At zoom 0 the whole map is one tile. Each zoom level doubles the scale; at the deepest, a cell is `CELL`
pixels wide.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from gallery.errors import Corrupted
from gallery.stored_json import check_fields

FOLDER = "maps/"
FORMAT = 3
"""Version of the file and the tiles. Raise it with any change, and the next refresh draws the map again."""
TILE = 256
"""Width and height of a tile, in pixels."""
CELL = 128
"""Width and height of a cell at the deepest zoom, in pixels."""
MARGIN = 6
"""Space around an image in its cell at the deepest zoom, in pixels."""


def depth(columns: int, rows: int) -> int:
    """Return the deepest zoom level of a grid: how often it must be halved to fit in one tile."""
    tiles = -(-max(columns, rows, 1) * CELL // TILE)
    return (tiles - 1).bit_length()


@dataclass(frozen=True)
class MapItem:
    """A work on the map: its cell, and what a page shows of it.

    `x` and `y` count cells from the upper left, from 0. `artist` and `style` are indexes into the layout's
    lists; `style` is -1 for none. `small` is the key of the thumbnail. `width` and `height` are the
    original's size in pixels; `color` is its mean colour as "#rrggbb".
    """

    id: str
    x: int
    y: int
    artist: int
    style: int
    color: str
    small: str
    width: int
    height: int


@dataclass(frozen=True)
class MapLayout:
    """The cells of a build's works, in an order that keeps neighbours together.

    `digest` identifies the content of the tiles. `works` is the number of works in the build; `items` may be
    a sample of them. `artists` are pairs of slug and name, `styles` are names; both are sorted by number of
    works, largest first.
    """

    build: str
    digest: str
    works: int
    columns: int
    rows: int
    artists: tuple[tuple[str, str], ...]
    styles: tuple[str, ...]
    items: tuple[MapItem, ...]

    @property
    def zoom(self) -> int:
        """The deepest zoom level that has tiles."""
        return depth(self.columns, self.rows)

    @property
    def folder(self) -> str:
        """Key prefix of the tiles, with a trailing slash."""
        return tiles_folder(self.build, self.digest)

    def to_json(self) -> bytes:
        """Return the layout as JSON, with one list per item field: a third of the size of a list of items."""
        facts = asdict(self) | {"format": FORMAT}
        facts["items"] = {
            field.name: [getattr(item, field.name) for item in self.items] for field in fields(MapItem)
        }
        return _to_json(facts | {"checksum": _checksum(facts)})

    @classmethod
    def parse(cls, data: bytes) -> MapLayout:
        """Return the layout that `to_json` wrote. Raises Corrupted for anything else, or another `FORMAT`."""
        try:
            facts: dict[str, Any] = json.loads(data)
            if facts.pop("checksum") != _checksum(facts):
                raise ValueError("its checksum is wrong")
            if facts.pop("format") != FORMAT:
                raise ValueError("unknown format version")
            facts["items"] = _items(facts["items"])
            layout = check_fields(cls, facts)
            if not all(
                0 <= item.artist < len(layout.artists) and -1 <= item.style < len(layout.styles)
                for item in layout.items
            ):
                raise ValueError("a work has an unknown artist or style")
            return layout
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Corrupted(
                f"the similarity map cannot be read ({error}); materialize `similarity_map` to draw it again"
            ) from error


def _to_json(facts: dict[str, Any]) -> bytes:
    return json.dumps(facts, ensure_ascii=False, separators=(",", ":")).encode()


def _checksum(facts: dict[str, Any]) -> str:
    return hashlib.sha256(_to_json(facts)).hexdigest()[:16]


def _items(columns: dict[str, Sequence[Any]]) -> tuple[MapItem, ...]:
    names = [field.name for field in fields(MapItem)]
    return tuple(MapItem(*values) for values in zip(*(columns[name] for name in names), strict=True))


def layout_key(build: str) -> str:
    """Return the key of a build's layout."""
    return f"{FOLDER}{build}/layout.json"


def tiles_folder(build: str, digest: str) -> str:
    """Return the key prefix of a map's tiles, with a trailing slash."""
    return f"{FOLDER}{build}/{digest}/"


def tile_name(zoom: int, x: int, y: int) -> str:
    """Return a tile's key relative to the folder of its map."""
    return f"{zoom}/{x}/{y}.webp"
