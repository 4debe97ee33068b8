"""The map of a build: which cell of a grid each work hangs in, and where the pictures of that grid lie.

The pipeline writes it to the image store, the web app reads it:

    maps/<build>/layout.json                    an Atlas; put there last, so where it is the map is complete
    maps/<build>/<digest>/<zoom>/<x>/<y>.webp   tiles, 256 pixels square; where no work hangs there is none

At zoom 0 everything is in one tile; each zoom doubles the scale, and at the deepest a cell is `CELL` pixels wide.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from gallery.errors import Unavailable

FOLDER = "maps/"
FORMAT = 1
"""Raise it when what `MapLayout` says, or how tiles look, changes: maps of another format are drawn again."""
TILE = 256
"""Pixels of a tile's side."""
CELL = 128
"""Pixels of a cell's side at the deepest zoom."""
MARGIN = 6
"""Pixels around a picture in its cell there."""


def depth(columns: int, rows: int) -> int:
    """The deepest zoom of a grid: the least at which zoom 0 needs one tile only."""
    tiles = -(-max(columns, rows, 1) * CELL // TILE)
    return (tiles - 1).bit_length()


@dataclass(frozen=True)
class MapItem:
    """A work on the map: its cell from the upper left, and what is shown of it.

    `artist` and `style` are places in the atlas' lists, `style` -1 for none. `small` is the key of its thumbnail;
    `width` and `height` are the original's, in pixels; `color` is its mean colour as "#rrggbb".
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
    """Where the works of a build hang, in an order in which neighbours follow each other.

    `digest` names the tiles' content, `works` is the size of the build, of which `items` may be a sample. `artists` are
    pairs of slug and name, `styles` names; both begin with the one that has the most works.
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
        """The deepest zoom that there are tiles of."""
        return depth(self.columns, self.rows)

    @property
    def folder(self) -> str:
        """Where the tiles lie, with a slash at its end."""
        return tiles_folder(self.build, self.digest)

    def to_json(self) -> bytes:
        """What `parse` reads: a list for each field of the spots, which is a third of the size of a list of spots."""
        facts = asdict(self) | {"format": FORMAT}
        facts["items"] = {
            field.name: [getattr(item, field.name) for item in self.items] for field in fields(MapItem)
        }
        return json.dumps(facts, ensure_ascii=False, separators=(",", ":")).encode()

    @classmethod
    def parse(cls, data: bytes) -> MapLayout:
        """The atlas. Raises Unavailable where this is none, or one of another version of this program."""
        try:
            facts: dict[str, Any] = json.loads(data)
            if facts.pop("format") != FORMAT:
                raise ValueError("another format")
            facts["items"] = _items(facts["items"])
            facts["artists"] = tuple((str(slug), str(name)) for slug, name in facts["artists"])
            facts["styles"] = tuple(facts["styles"])
            return cls(**facts)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Unavailable(
                f"the map cannot be read ({error}); materialize `map` again, which draws it anew"
            ) from error


def _items(columns: dict[str, Sequence[Any]]) -> tuple[MapItem, ...]:
    names = [field.name for field in fields(MapItem)]
    return tuple(MapItem(*values) for values in zip(*(columns[name] for name in names), strict=True))


def layout_key(build: str) -> str:
    """Where the atlas of a build lies."""
    return f"{FOLDER}{build}/layout.json"


def tiles_folder(build: str, digest: str) -> str:
    """Where the tiles of a map lie, with a slash at its end."""
    return f"{FOLDER}{build}/{digest}/"


def tile_name(zoom: int, x: int, y: int) -> str:
    """A tile's key below its folder."""
    return f"{zoom}/{x}/{y}.webp"
