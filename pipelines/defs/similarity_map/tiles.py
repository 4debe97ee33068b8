"""Draw the tiles of the map from thumbnails."""

from __future__ import annotations

import hashlib
import io
import json
from collections import Counter
from collections.abc import Sequence

from PIL import Image

from gallery.datasets.base import ProgressCallback
from gallery.errors import Corrupted, Invalid, NotFound
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


def draw_tiles(layout: MapLayout, images: ObjectStore, *, workers: int, progress: ProgressCallback) -> int:
    """Draw the tiles that do not exist yet; return their number. Raises NotFound if a thumbnail is missing.

    Each zoom level is drawn from the tiles of the next deeper one, so memory holds a few tiles at a time,
    and an interrupted run continues where it stopped.
    """
    folder = layout.folder
    present = {key.removeprefix(folder) for key, size in images.sizes(folder).items() if size}
    thumbnails = {(item.x, item.y): item.small for item in layout.items}
    drawn = 0
    for zoom in range(layout.zoom, -1, -1):
        missing = [(x, y) for x, y in tiles(layout, zoom) if tile_name(zoom, x, y) not in present]
        deeper = set(tiles(layout, zoom + 1)) if zoom < layout.zoom else set()

        def draw(tile: tuple[int, int], zoom: int = zoom, deeper: set[tuple[int, int]] = deeper) -> None:
            if zoom == layout.zoom:
                image = _draw_thumbnails(images, thumbnails, *tile)
            else:
                image = _join_tiles(images, folder, deeper, zoom + 1, *tile)
            images.put(folder + tile_name(zoom, *tile), _webp(image), "image/webp")

        done = parallel_map(draw, missing, workers)
        drawn += sum(1 for _ in report_progress(done, len(missing), f"tiles of zoom {zoom}", progress))
    return drawn


def _draw_thumbnails(
    images: ObjectStore, thumbnails: dict[tuple[int, int], str], x: int, y: int
) -> Image.Image:
    """Return a tile of the deepest zoom level: each image centred in its cell, on transparent ground."""
    tile = Image.new("RGBA", (TILE, TILE))
    for column in range(CELLS_PER_TILE):
        for row in range(CELLS_PER_TILE):
            key = thumbnails.get((x * CELLS_PER_TILE + column, y * CELLS_PER_TILE + row))
            if key is None:
                continue
            try:
                thumbnail = open_image(images.get(key), max_pixels=10**8)
            except (NotFound, Invalid) as error:
                raise NotFound(
                    f"the map needs the thumbnail {key}, which is missing or damaged in {images.address} "
                    f"({error}); materialize `images` again"
                ) from error
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
        if build not in needed:
            obsolete.setdefault(build, []).append(key)
    for build, keys in obsolete.items():
        images.delete(layout_key(build))  # first: without it the map counts as incomplete
        for _ in parallel_map(images.delete, keys, workers):
            pass
    return sorted(obsolete)
