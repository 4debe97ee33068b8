"""Draw the tiles of the map from thumbnails."""

from __future__ import annotations

import hashlib
import io
import json
import logging
from collections import Counter
from collections.abc import Sequence

from PIL import Image

from gallery.datasets.base import ProgressCallback
from gallery.errors import Corrupted, NotFound
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
from gallery.vectors.base import BUILD_NAME
from pipelines.defs.images.inventory import ImageWriter, StoredImages, check_objects
from pipelines.defs.similarity_map.positions import Cells, hilbert_order
from pipelines.parallel import parallel_map, report_progress

log = logging.getLogger(__name__)

CELLS_PER_TILE = TILE // CELL
"""Cells along the side of a tile at the deepest zoom level."""


def make_layout(build: str, works: Sequence[Artwork], cells: Cells, *, total: int) -> MapLayout:
    """Return the layout with each work in its cell. `total` is the number of works in the build."""
    artists = Counter(work.artist.slug for work in works)
    names = {work.artist.slug: work.artist.name for work in works}
    styles = Counter(work.artist.styles[0] for work in works if work.artist.styles)
    artist_list = sorted(artists, key=lambda slug: (-artists[slug], slug))
    style_list = sorted(styles, key=lambda style: (-styles[style], style))
    artist_index = {slug: index for index, slug in enumerate(artist_list)}
    style_index = {style: index for index, style in enumerate(style_list)}
    items = []
    for position in hilbert_order(cells).tolist():
        work = works[position]
        items.append(
            MapItem(
                work.id,
                int(cells[position, 0]),
                int(cells[position, 1]),
                artist_index[work.artist.slug],
                style_index[work.artist.styles[0]] if work.artist.styles else -1,
                work.image.color,
                work.image.small,
                work.image.width,
                work.image.height,
            )
        )
    columns, rows = (cells.max(axis=0) + 1).tolist() if len(cells) else (0, 0)
    drawn = [FORMAT, TILE, CELL, MARGIN, QUALITY, [(item.small, item.x, item.y) for item in items]]
    digest = hashlib.sha256(json.dumps(drawn).encode()).hexdigest()[:12]
    pairs = tuple((slug, names[slug]) for slug in artist_list)
    return MapLayout(build, digest, total, columns, rows, pairs, tuple(style_list), tuple(items))


def tiles(layout: MapLayout, zoom: int) -> list[tuple[int, int]]:
    """Return the tiles of a zoom level that contain works, as sorted pairs (column, row)."""
    cells = CELLS_PER_TILE << (layout.zoom - zoom)
    return sorted({(item.x // cells, item.y // cells) for item in layout.items})


def draw_tiles(
    layout: MapLayout, images: ObjectStore, tables: ObjectStore, *, workers: int, progress: ProgressCallback
) -> int:
    """Draw the tiles that are missing or damaged; return their number. Raises Unavailable.

    A work whose thumbnail is missing or damaged gets an empty cell, so that no map fails for want of one.
    Each zoom level is drawn from the tiles of the next deeper one, so memory holds a few tiles at a time.
    """
    folder, stored, writer = layout.folder, StoredImages(images, tables), ImageWriter(images)
    keys = [folder + tile_name(zoom, x, y) for zoom in range(layout.zoom + 1) for x, y in tiles(layout, zoom)]
    whole = check_objects(tables, images, keys, workers=workers).whole
    thumbnails = {(item.x, item.y): item.small for item in layout.items}
    drawn = 0
    for zoom in range(layout.zoom, -1, -1):
        missing = [(x, y) for x, y in tiles(layout, zoom) if folder + tile_name(zoom, x, y) not in whole]
        deeper = set(tiles(layout, zoom + 1)) if zoom < layout.zoom else set()

        def draw(tile: tuple[int, int], zoom: int = zoom, deeper: set[tuple[int, int]] = deeper) -> None:
            if zoom == layout.zoom:
                image = _draw_thumbnails(stored, thumbnails, *tile)
            else:
                image = _join_tiles(images, folder, deeper, zoom + 1, *tile)
            writer.add(folder + tile_name(zoom, *tile), _webp(image), replace=True)

        done = parallel_map(draw, missing, workers)
        drawn += sum(1 for _ in report_progress(done, len(missing), f"tiles of zoom {zoom}", progress))
    if drawn:
        writer.save(tables, f"map-{layout.digest}")
    return drawn


def _draw_thumbnails(
    images: StoredImages, thumbnails: dict[tuple[int, int], str], x: int, y: int
) -> Image.Image:
    """Return a tile of the deepest zoom level: each image centred in its cell, on transparent ground."""
    tile = Image.new("RGBA", (TILE, TILE))
    for column in range(CELLS_PER_TILE):
        for row in range(CELLS_PER_TILE):
            key = thumbnails.get((x * CELLS_PER_TILE + column, y * CELLS_PER_TILE + row))
            if key is None:
                continue
            try:
                thumbnail = images.open(key)
            except (NotFound, Corrupted) as error:
                log.warning("a cell of the map stays empty: %s", error)
                continue
            thumbnail.thumbnail((CELL - 2 * MARGIN,) * 2, Image.Resampling.LANCZOS)
            left = column * CELL + (CELL - thumbnail.width) // 2
            upper = row * CELL + (CELL - thumbnail.height) // 2
            tile.paste(thumbnail, (left, upper))
    return tile


def _join_tiles(
    images: ObjectStore, folder: str, deeper: set[tuple[int, int]], zoom: int, x: int, y: int
) -> Image.Image:
    """Return a tile made of up to four tiles of zoom level `zoom`, at half their size."""
    joined = Image.new("RGBA", (2 * TILE, 2 * TILE))
    for column in range(2):
        for row in range(2):
            tile = (2 * x + column, 2 * y + row)
            if tile in deeper:
                with Image.open(io.BytesIO(images.get(folder + tile_name(zoom, *tile)))) as part:
                    joined.paste(part.convert("RGBA"), (column * TILE, row * TILE))
    return joined.reduce(2)


def _webp(tile: Image.Image) -> bytes:
    buffer = io.BytesIO()
    tile.save(buffer, "WEBP", quality=QUALITY, method=METHOD)
    return buffer.getvalue()


def read_layout(images: ObjectStore, build: str) -> MapLayout | None:
    """Return the layout of the build's map; None if it is incomplete, damaged, or in another format."""
    try:
        data = images.get(layout_key(build))
    except NotFound:
        return None
    try:
        return MapLayout.parse(data)
    except Corrupted:
        return None


def save_layout(layout: MapLayout, images: ObjectStore) -> None:
    """Store the layout, which marks the map as complete, and delete tiles of earlier maps of the build."""
    images.put(layout_key(layout.build), layout.to_json(), "application/json")
    for key in images.sizes(f"{FOLDER}{layout.build}/"):
        if key != layout_key(layout.build) and not key.startswith(tiles_folder(layout.build, layout.digest)):
            images.delete(key)


def delete_other_maps(images: ObjectStore, needed: set[str], *, workers: int) -> list[str]:
    """Delete the maps of all builds but the needed ones; return the names of the other builds."""
    obsolete: dict[str, list[str]] = {}
    for key in images.sizes(FOLDER):
        build = key.removeprefix(FOLDER).partition("/")[0]
        if build not in needed and BUILD_NAME.fullmatch(build):
            obsolete.setdefault(build, []).append(key)
    for build, keys in obsolete.items():
        images.delete(layout_key(build))  # first: without it the map counts as incomplete
        for _ in parallel_map(images.delete, keys, workers):
            pass
    return sorted(obsolete)
