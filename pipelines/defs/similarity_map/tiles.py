"""The map's picture wall as a pyramid of tiles, from the thumbnails."""

from __future__ import annotations

import hashlib
import io
import json
from collections import Counter
from collections.abc import Sequence

from PIL import Image

from gallery.datasets.base import ProgressCallback
from gallery.errors import Invalid, NotFound, Unavailable
from gallery.images.decode import open_image
from gallery.images.derivatives import METHOD, QUALITY
from gallery.map_layout import (
    CELL,
    FOLDER,
    FORMAT,
    MARGIN,
    TILE,
    MapItem,
    MapLayout,
    layout_key,
    tile_name,
    tiles_folder,
)
from gallery.models import Artwork
from gallery.objects.base import ObjectStore
from pipelines.defs.similarity_map.positions import Cells, hilbert_order
from pipelines.parallel import parallel_map, report_progress

EDGE = TILE // CELL
"""Cells along a tile's side at the deepest zoom."""


def make_layout(build: str, works: Sequence[Artwork], cells: Cells, *, of: int) -> MapLayout:
    """The map on which each of these works, which are of `of` in the build, hangs in its cell."""
    artists = Counter(work.artist.slug for work in works)
    names = {work.artist.slug: work.artist.name for work in works}
    styles = Counter(work.artist.styles[0] for work in works if work.artist.styles)
    artist_list = sorted(artists, key=lambda slug: (-artists[slug], slug))
    style_list = sorted(styles, key=lambda style: (-styles[style], style))
    artist_places = {slug: place for place, slug in enumerate(artist_list)}
    style_places = {style: place for place, style in enumerate(style_list)}
    items = []
    for place in hilbert_order(cells).tolist():
        work, picture = works[place], works[place].image
        items.append(
            MapItem(
                work.id,
                int(cells[place, 0]),
                int(cells[place, 1]),
                artist_places[work.artist.slug],
                style_places[work.artist.styles[0]] if work.artist.styles else -1,
                picture.color,
                picture.small,
                picture.width,
                picture.height,
            )
        )
    columns, rows = (cells.max(axis=0) + 1).tolist() if len(cells) else (0, 0)
    shown = [FORMAT, TILE, CELL, MARGIN, QUALITY, [(item.small, item.x, item.y) for item in items]]
    digest = hashlib.sha256(json.dumps(shown).encode()).hexdigest()[:12]
    pairs = tuple((slug, names[slug]) for slug in artist_list)
    return MapLayout(build, digest, of, columns, rows, pairs, tuple(style_list), tuple(items))


def tiles(layout: MapLayout, zoom: int) -> list[tuple[int, int]]:
    """The tiles of a zoom that any work hangs in, as column and row, ordered."""
    cells = EDGE << (layout.zoom - zoom)
    return sorted({(item.x // cells, item.y // cells) for item in layout.items})


def draw_tiles(layout: MapLayout, images: ObjectStore, *, workers: int, progress: ProgressCallback) -> int:
    """Draw the tiles that are not there yet, and return how many those were.

    Each zoom is made from the tiles of the one below it, so no more than a few tiles are in memory at a time, and what
    was drawn before a run was cut off is not drawn again. Raises NotFound where a thumbnail is missing.
    """
    folder = layout.folder
    present = {key.removeprefix(folder) for key, size in images.sizes(folder).items() if size}
    pictures = {(item.x, item.y): item.small for item in layout.items}
    drawn = 0
    for zoom in range(layout.zoom, -1, -1):
        there = tiles(layout, zoom)
        missing = [(x, y) for x, y in there if tile_name(zoom, x, y) not in present]
        below = set(tiles(layout, zoom + 1)) if zoom < layout.zoom else set()

        def one(tile: tuple[int, int], zoom: int = zoom, below: set[tuple[int, int]] = below) -> None:
            if zoom == layout.zoom:
                picture = _hung(images, pictures, *tile)
            else:
                picture = _joined(images, folder, below, zoom + 1, *tile)
            images.put(folder + tile_name(zoom, *tile), _encoded(picture), "image/webp")

        done = parallel_map(one, missing, workers)
        drawn += sum(1 for _ in report_progress(done, len(missing), f"tiles of zoom {zoom}", progress))
    return drawn


def _hung(images: ObjectStore, pictures: dict[tuple[int, int], str], x: int, y: int) -> Image.Image:
    """A tile of the deepest zoom: each picture in the middle of its cell, in its proportions, nothing around it."""
    tile = Image.new("RGBA", (TILE, TILE))
    for column in range(EDGE):
        for row in range(EDGE):
            key = pictures.get((x * EDGE + column, y * EDGE + row))
            if key is None:
                continue
            try:
                thumbnail = open_image(images.get(key), max_pixels=10**8)
            except (NotFound, Invalid) as error:
                raise NotFound(
                    f"the map needs the thumbnail {key}, which {images.address} does not have whole ({error}); "
                    "materialize `images` again"
                ) from error
            thumbnail.thumbnail((CELL - 2 * MARGIN,) * 2, Image.Resampling.LANCZOS)
            left = column * CELL + (CELL - thumbnail.width) // 2
            upper = row * CELL + (CELL - thumbnail.height) // 2
            tile.paste(thumbnail, (left, upper))
    return tile


def _joined(
    images: ObjectStore, folder: str, below: set[tuple[int, int]], zoom: int, x: int, y: int
) -> Image.Image:
    """A tile from the four below it, at half their size."""
    whole = Image.new("RGBA", (2 * TILE, 2 * TILE))
    for column in range(2):
        for row in range(2):
            tile = (2 * x + column, 2 * y + row)
            if tile in below:
                with Image.open(io.BytesIO(images.get(folder + tile_name(zoom, *tile)))) as part:
                    whole.paste(part.convert("RGBA"), (column * TILE, row * TILE))
    return whole.reduce(2)


def _encoded(tile: Image.Image) -> bytes:
    buffer = io.BytesIO()
    tile.save(buffer, "WEBP", quality=QUALITY, method=METHOD)
    return buffer.getvalue()


def finished(images: ObjectStore, build: str) -> MapLayout | None:
    """The build's map, where a complete one of this format is there."""
    try:
        data = images.get(layout_key(build))
    except NotFound:
        return None
    try:
        return MapLayout.parse(data)
    except Unavailable:
        return None  # of another version, or damaged: it is drawn anew


def finish(layout: MapLayout, images: ObjectStore) -> None:
    """Say that the map is complete, and take away what is left of another of the same build."""
    images.put(layout_key(layout.build), layout.to_json(), "application/json")
    build = f"{FOLDER}{layout.build}/"
    for key in images.sizes(build):
        if key != layout_key(layout.build) and not key.startswith(tiles_folder(layout.build, layout.digest)):
            images.delete(key)


def forget(images: ObjectStore, wanted: set[str], *, workers: int) -> list[str]:
    """Delete the maps of all builds but the wanted ones, and return the names of those."""
    gone: dict[str, list[str]] = {}
    for key in images.sizes(FOLDER):
        build = key.removeprefix(FOLDER).partition("/")[0]
        if build not in wanted:
            gone.setdefault(build, []).append(key)
    for build, keys in gone.items():
        images.delete(layout_key(build))  # first, so that no map with holes is taken for a complete one
        for _ in parallel_map(images.delete, keys, workers):
            pass
    return sorted(gone)
