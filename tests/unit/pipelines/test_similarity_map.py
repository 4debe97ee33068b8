"""The similarity map: positions, grid cells, tiles, and which maps are complete or obsolete."""

from __future__ import annotations

import dataclasses
import io

import numpy as np
import pytest
from PIL import Image

from gallery.datasets.base import no_progress
from gallery.errors import Corrupted
from gallery.images.derivatives import webp
from gallery.map_layout import CELL, FOLDER, FORMAT, MARGIN, TILE, MapLayout, depth, layout_key, tile_name
from gallery.models import Artist, Artwork, StoredImage
from gallery.objects.memory import MemoryObjects
from gallery.vectors.base import Vectors
from pipelines.defs.similarity_map.positions import Cells, assign_to_grid, hilbert_order, positions
from pipelines.defs.similarity_map.tiles import (
    delete_other_maps,
    draw_tiles,
    make_layout,
    read_layout,
    save_layout,
    tiles,
)


def clusters(count: int, groups: int = 8, seed: int = 0) -> Vectors:
    """Return unit vectors in clusters; vector n is in cluster n modulo `groups`."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(groups, 64))
    rows = centres[np.arange(count) % groups] + 0.5 * random.normal(size=(count, 64))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def grid_of(count: int) -> Cells:
    """Return the cells of a full grid, about square."""
    side = int(np.ceil(np.sqrt(count)))
    return np.stack(np.divmod(np.arange(count), side)[::-1], axis=1).astype(np.int64)


def works_in(images: MemoryObjects, count: int) -> list[Artwork]:
    """Return works of two artists. The thumbnail of each, in one colour, is in the store."""
    artists = [
        Artist("ada", "Ada", 1800, 1850, ("Realism", "Other"), (), "", "", ""),
        Artist("bo", "Bo", None, None, (), (), "", "", ""),
    ]
    works = []
    for number in range(count):
        color, key = (10 + 5 * number % 240, 80, 160), f"thumbs/{number}.webp"
        images.put(key, webp(Image.new("RGB", (80, 60), color)))
        hexed = "#{:02x}{:02x}{:02x}".format(*color)
        item = StoredImage(f"originals/{number}.png", key, key, 80, 60, hexed)
        works.append(Artwork(f"w{number:03}", artists[number % 2], f"{number}.png", f"{number:064}", item))
    return works


def drawn(count: int) -> tuple[MapLayout, MemoryObjects]:
    images = MemoryObjects()
    layout = make_layout("b1", works_in(images, count), grid_of(count), total=count)
    draw_tiles(layout, images, MemoryObjects(), workers=2, progress=no_progress)
    return layout, images


def tile(images: MemoryObjects, layout: MapLayout, zoom: int, x: int, y: int) -> Image.Image:
    return Image.open(io.BytesIO(images.get(layout.folder + tile_name(zoom, x, y)))).convert("RGBA")


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 15, 16, 60])
def test_each_work_gets_its_own_cell(count: int) -> None:
    cells = assign_to_grid(positions(clusters(count)))
    assert cells.shape == (count, 2) and len({tuple(cell) for cell in cells.tolist()}) == count
    if count:
        assert cells.min(axis=0).tolist() == [0, 0]
        assert np.prod(cells.max(axis=0) + 1) <= 4 * count + 4


def test_the_same_vectors_give_the_same_layout() -> None:
    rows = clusters(150)
    first, second = positions(rows), positions(rows.copy())
    assert np.array_equal(first, second)
    assert np.array_equal(assign_to_grid(first), assign_to_grid(second))


def test_neighbours_stay_near_each_other() -> None:
    from sklearn.manifold import trustworthiness

    rows = clusters(400)
    laid = positions(rows)
    assert trustworthiness(rows, laid, n_neighbors=10) > 0.9
    assert trustworthiness(rows, assign_to_grid(laid).astype(float), n_neighbors=10) > 0.8


def test_few_works_are_placed_by_similarity_too() -> None:
    rows = clusters(2).repeat(5, axis=0) + np.random.default_rng(3).normal(scale=0.01, size=(10, 1))
    laid = positions(rows)
    distances = np.linalg.norm(laid[:, None] - laid[None], axis=-1)
    assert max(distances[:5, :5].max(), distances[5:, 5:].max()) < distances[:5, 5:].min()


def test_identical_vectors_still_get_their_own_cells() -> None:
    cells = assign_to_grid(positions(np.repeat(clusters(1), 30, axis=0)))
    assert len({tuple(cell) for cell in cells.tolist()}) == 30


@pytest.mark.parametrize("count", [700, 5_000])
def test_many_works_at_one_point_spread_over_cells(count: int) -> None:
    places = np.random.default_rng(1).normal(size=(count, 2)) * [1.0, 0.2]
    places[: count // 2] *= 1e-3  # half of them in one spot, more than there are cells
    cells = assign_to_grid(places)
    assert len(np.unique(cells, axis=0)) == count
    columns, rows = cells.max(axis=0) + 1
    assert columns >= rows and columns * rows <= 2 * count


def test_cells_follow_positions() -> None:
    places = np.random.default_rng(2).uniform(size=(2_000, 2))
    cells = assign_to_grid(places)
    for axis in (0, 1):
        assert np.corrcoef(places[:, axis], cells[:, axis])[0, 1] > 0.98


@pytest.mark.parametrize("side", [1, 2, 8, 32])
def test_the_hilbert_order_visits_adjacent_cells(side: int) -> None:
    cells = grid_of(side * side)
    order = hilbert_order(cells)
    assert sorted(order.tolist()) == list(range(side * side))
    assert (np.abs(np.diff(cells[order], axis=0)).sum(axis=1) == 1).all()


@pytest.mark.parametrize(
    ("columns", "rows", "zoom"),
    [(0, 0, 0), (1, 1, 0), (2, 2, 0), (3, 1, 1), (4, 4, 1), (5, 4, 2), (128, 90, 6), (129, 1, 7)],
)
def test_zoom_0_is_one_tile(columns: int, rows: int, zoom: int) -> None:
    assert depth(columns, rows) == zoom
    assert max(columns, rows) * CELL <= TILE << zoom


def test_only_tiles_with_works_are_drawn() -> None:
    layout, images = drawn(20)  # 5 x 4
    assert (layout.columns, layout.rows, layout.zoom) == (5, 4, 2)
    assert [len(tiles(layout, zoom)) for zoom in range(3)] == [1, 2, 6]
    stored = set(images.sizes(layout.folder))
    assert stored == {
        layout.folder + tile_name(zoom, x, y) for zoom in range(3) for x, y in tiles(layout, zoom)
    }
    assert all(tile(images, layout, 2, x, y).size == (TILE, TILE) for x, y in tiles(layout, 2))


def test_an_image_is_centred_on_a_transparent_cell() -> None:
    layout, images = drawn(1)
    seen = tile(images, layout, 0, 0, 0)
    side = CELL - 2 * MARGIN
    assert seen.getbbox() == (24, 34, 104, 94)  # 80 x 60, not enlarged, in 128 x 128
    assert seen.getpixel((64, 64))[2] == pytest.approx(160, abs=8) and side >= 80  # type: ignore[index]
    assert seen.getpixel((2, 2))[3] == 0 and seen.getpixel((200, 64))[3] == 0  # type: ignore[index]


def test_a_tile_shows_the_four_tiles_of_the_next_zoom_level() -> None:
    layout, images = drawn(16)
    above = np.asarray(tile(images, layout, 0, 0, 0), dtype=float)
    below = np.asarray(tile(images, layout, 1, 1, 0).reduce(2), dtype=float)
    quarter = above[:128, 128:]
    assert np.abs(quarter[..., 3] - below[..., 3]).mean() < 3
    solid = below[..., 3] == 255
    assert solid.any() and np.abs(quarter[solid][:, :3] - below[solid][:, :3]).mean() < 6


def test_existing_tiles_are_not_drawn_again() -> None:
    layout, images = drawn(20)
    assert draw_tiles(layout, images, MemoryObjects(), workers=2, progress=no_progress) == 0
    images.delete(layout.folder + tile_name(1, 0, 0))
    images.put(layout.folder + tile_name(2, 0, 0), b"")  # as a power cut can leave it
    assert draw_tiles(layout, images, MemoryObjects(), workers=2, progress=no_progress) == 2


def test_a_missing_or_damaged_thumbnail_leaves_its_cell_empty() -> None:
    images = MemoryObjects()
    works = works_in(images, 2)
    images.delete("thumbs/0.webp")
    images.put("thumbs/1.webp", images.get("thumbs/1.webp")[:-40])
    layout = make_layout("b1", works, grid_of(2), total=2)
    assert draw_tiles(layout, images, MemoryObjects(), workers=1, progress=no_progress) > 0
    assert tile(images, layout, layout.zoom, 0, 0).getbbox() is None


def test_a_layout_is_read_as_it_was_written() -> None:
    layout, _ = drawn(5)
    assert MapLayout.parse(layout.to_json()) == layout
    assert layout.artists == (("ada", "Ada"), ("bo", "Bo")) and layout.styles == ("Realism",)
    assert {item.style for item in layout.items if item.artist == 1} == {-1}


@pytest.mark.parametrize("change", ["place", "thumbnail"])
def test_another_place_or_thumbnail_changes_the_digest(change: str) -> None:
    images = MemoryObjects()
    works, cells = works_in(images, 4), grid_of(4)
    layout = make_layout("b1", works, cells, total=4)
    if change == "place":
        cells = cells[::-1]
    else:
        works[0] = dataclasses.replace(
            works[0], image=dataclasses.replace(works[0].image, small="thumbs/1.webp")
        )
    assert make_layout("b1", works, cells, total=4).digest != layout.digest


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[]", b"null", b'{"format": 0}', b'{"format": 1, "spots": {}}', b"\xff"]
)
def test_an_invalid_layout_is_an_error(data: bytes) -> None:
    with pytest.raises(Corrupted, match="materialize `similarity_map`"):
        MapLayout.parse(data)


def test_a_map_counts_once_its_layout_is_saved() -> None:
    layout, images = drawn(3)
    assert read_layout(images, "b1") is None
    images.put(f"{FOLDER}b1/0123/0/0/0.webp", b"tile of another layout")
    save_layout(layout, images)
    assert read_layout(images, "b1") == layout
    assert {key.split("/")[2] for key in images.sizes(f"{FOLDER}b1/")} == {layout.digest, "layout.json"}
    for whole, damaged in ((f'"format":{FORMAT}', '"format":0'), ("Ada", "Ida")):
        images.put(layout_key("b1"), layout.to_json().replace(whole.encode(), damaged.encode()))
        assert read_layout(images, "b1") is None


def test_maps_of_other_builds_are_deleted() -> None:
    images = MemoryObjects()
    for build in ("b1", "b10", "b2"):
        for name in ("layout.json", "d/0/0/0.webp"):
            images.put(f"{FOLDER}{build}/{name}", b"x")
    images.put("thumbs/1.webp", b"x")
    assert delete_other_maps(images, {"b1", "b3"}, workers=1) == ["b10", "b2"]
    assert list(images.sizes()) == ["maps/b1/d/0/0/0.webp", "maps/b1/layout.json", "thumbs/1.webp"]
