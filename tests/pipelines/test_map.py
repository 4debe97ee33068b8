"""The map: laid out by likeness, one work to a cell, drawn as tiles once for a build, forgotten with it."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import numpy as np
import pytest
from PIL import Image

from gallery.errors import NotFound, Unavailable
from gallery.images.derivatives import webp
from gallery.map_layout import CELL, FOLDER, FORMAT, MARGIN, TILE, MapLayout, depth, layout_key, tile_name
from gallery.models import Artist, Artwork, StoredImage
from gallery.objects.memory import MemoryObjects
from gallery.services import Services
from gallery.settings import Settings
from gallery.vectors.base import Vectors
from pipelines.definitions import build_defs
from pipelines.defs.similarity_map import assets as asset
from pipelines.defs.similarity_map.positions import Cells, assign_to_grid, hilbert_order, positions
from pipelines.defs.similarity_map.tiles import draw_tiles, finish, finished, forget, make_layout, tiles
from tests.fakes.archives import artists_csv, picture, write_folder

NOWHERE: Callable[[str], None] = lambda _: None  # noqa: E731


def clusters(count: int, groups: int = 8, seed: int = 0) -> Vectors:
    """Unit rows in so many bundles, of which row n is in bundle n modulo `groups`."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(groups, 64))
    rows = centres[np.arange(count) % groups] + 0.5 * random.normal(size=(count, 64))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def grid_of(count: int) -> Cells:
    """A full square-like grid."""
    side = int(np.ceil(np.sqrt(count)))
    return np.stack(np.divmod(np.arange(count), side)[::-1], axis=1).astype(np.int64)


def works_in(images: MemoryObjects, count: int) -> list[Artwork]:
    """Works of two painters, whose thumbnails of one colour each are in the store."""
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
    layout = make_layout("b1", works_in(images, count), grid_of(count), of=count)
    draw_tiles(layout, images, workers=2, progress=NOWHERE)
    return layout, images


def tile(images: MemoryObjects, layout: MapLayout, zoom: int, x: int, y: int) -> Image.Image:
    return Image.open(io.BytesIO(images.get(layout.folder + tile_name(zoom, x, y)))).convert("RGBA")


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 11, 60])
def test_any_number_of_works_gets_a_cell_each(count: int) -> None:
    cells = assign_to_grid(positions(clusters(count)))
    assert cells.shape == (count, 2) and len({tuple(cell) for cell in cells.tolist()}) == count
    if count:
        assert cells.min(axis=0).tolist() == [0, 0]
        assert np.prod(cells.max(axis=0) + 1) <= 4 * count + 4


def test_the_same_rows_give_the_same_layout() -> None:
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


def test_rows_that_nothing_tells_apart_are_laid_out_all_the_same() -> None:
    cells = assign_to_grid(positions(np.repeat(clusters(1), 30, axis=0)))
    assert len({tuple(cell) for cell in cells.tolist()}) == 30


@pytest.mark.parametrize("count", [700, 5_000])
def test_a_crowd_at_one_point_is_spread_without_two_in_a_cell(count: int) -> None:
    places = np.random.default_rng(1).normal(size=(count, 2)) * [1.0, 0.2]
    places[: count // 2] *= 1e-3  # half of them in one spot, more than the cells there
    cells = assign_to_grid(places)
    assert len(np.unique(cells, axis=0)) == count
    columns, rows = cells.max(axis=0) + 1
    assert columns >= rows and columns * rows <= 2 * count


def test_who_lies_to_the_left_hangs_to_the_left() -> None:
    places = np.random.default_rng(2).uniform(size=(2_000, 2))
    cells = assign_to_grid(places)
    for axis in (0, 1):
        assert np.corrcoef(places[:, axis], cells[:, axis])[0, 1] > 0.98


@pytest.mark.parametrize("side", [1, 2, 8, 32])
def test_the_walk_takes_one_step_at_a_time_through_a_full_grid(side: int) -> None:
    cells = grid_of(side * side)
    order = hilbert_order(cells)
    assert sorted(order.tolist()) == list(range(side * side))
    assert (np.abs(np.diff(cells[order], axis=0)).sum(axis=1) == 1).all()


@pytest.mark.parametrize(
    ("columns", "rows", "zoom"), [(0, 0, 0), (1, 1, 0), (2, 2, 0), (3, 1, 1), (4, 4, 1), (5, 4, 2), (128, 90, 6), (129, 1, 7)]
)  # fmt: skip
def test_at_zoom_0_everything_is_in_one_tile(columns: int, rows: int, zoom: int) -> None:
    assert depth(columns, rows) == zoom
    assert max(columns, rows) * CELL <= TILE << zoom


def test_the_pyramid_holds_the_tiles_that_works_hang_in_and_no_others() -> None:
    layout, images = drawn(20)  # 5 x 4
    assert (layout.columns, layout.rows, layout.zoom) == (5, 4, 2)
    assert [len(tiles(layout, zoom)) for zoom in range(3)] == [1, 2, 6]
    stored = set(images.sizes(layout.folder))
    assert stored == {
        layout.folder + tile_name(zoom, x, y) for zoom in range(3) for x, y in tiles(layout, zoom)
    }
    assert all(tile(images, layout, 2, x, y).size == (TILE, TILE) for x, y in tiles(layout, 2))


def test_a_picture_hangs_in_the_middle_of_its_cell_with_nothing_around_it() -> None:
    layout, images = drawn(1)
    seen = tile(images, layout, 0, 0, 0)
    side = CELL - 2 * MARGIN
    assert seen.getbbox() == (24, 34, 104, 94)  # 80 x 60, which is never enlarged, in 128 x 128
    assert seen.getpixel((64, 64))[2] == pytest.approx(160, abs=8) and side >= 80  # type: ignore[index]
    assert seen.getpixel((2, 2))[3] == 0 and seen.getpixel((200, 64))[3] == 0  # type: ignore[index]


def test_a_higher_tile_is_the_four_below_it_at_half_their_size() -> None:
    layout, images = drawn(16)
    above = np.asarray(tile(images, layout, 0, 0, 0), dtype=float)
    below = np.asarray(tile(images, layout, 1, 1, 0).reduce(2), dtype=float)
    quarter = above[:128, 128:]
    assert np.abs(quarter[..., 3] - below[..., 3]).mean() < 3
    solid = below[..., 3] == 255
    assert solid.any() and np.abs(quarter[solid][:, :3] - below[solid][:, :3]).mean() < 6


def test_tiles_that_are_there_are_not_drawn_again() -> None:
    layout, images = drawn(20)
    assert draw_tiles(layout, images, workers=2, progress=NOWHERE) == 0
    images.delete(layout.folder + tile_name(1, 0, 0))
    images.put(layout.folder + tile_name(2, 0, 0), b"")  # as a power cut leaves one
    assert draw_tiles(layout, images, workers=2, progress=NOWHERE) == 2


def test_a_missing_thumbnail_is_named() -> None:
    images = MemoryObjects()
    works = works_in(images, 3)
    images.delete("thumbs/1.webp")
    layout = make_layout("b1", works, grid_of(3), of=3)
    with pytest.raises(NotFound, match=r"thumbs/1\.webp.*materialize `images`"):
        draw_tiles(layout, images, workers=1, progress=NOWHERE)


def test_an_atlas_survives_the_store_and_counts_its_painters() -> None:
    layout, _ = drawn(5)
    assert MapLayout.parse(layout.to_json()) == layout
    assert layout.artists == (("ada", "Ada"), ("bo", "Bo")) and layout.styles == ("Realism",)
    assert {item.style for item in layout.items if item.artist == 1} == {-1}


@pytest.mark.parametrize("change", ["place", "picture"])
def test_another_layout_or_another_picture_has_other_tiles(change: str) -> None:
    images = MemoryObjects()
    works, cells = works_in(images, 4), grid_of(4)
    layout = make_layout("b1", works, cells, of=4)
    if change == "place":
        cells = cells[::-1]
    else:
        works[0] = dataclasses.replace(
            works[0], image=dataclasses.replace(works[0].image, small="thumbs/1.webp")
        )
    assert make_layout("b1", works, cells, of=4).digest != layout.digest


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[]", b"null", b'{"format": 0}', b'{"format": 1, "spots": {}}', b"\xff"]
)
def test_what_is_no_atlas_is_said_to_be_none(data: bytes) -> None:
    with pytest.raises(Unavailable, match="materialize `similarity_map`"):
        MapLayout.parse(data)


def test_a_map_is_there_only_once_it_is_finished() -> None:
    layout, images = drawn(3)
    assert finished(images, "b1") is None
    images.put(f"{FOLDER}b1/0123/0/0/0.webp", b"of another layout")
    finish(layout, images)
    assert finished(images, "b1") == layout
    assert {key.split("/")[2] for key in images.sizes(f"{FOLDER}b1/")} == {layout.digest, "layout.json"}
    images.put(layout_key("b1"), layout.to_json().replace(f'"format":{FORMAT}'.encode(), b'"format":0'))
    assert finished(images, "b1") is None


def test_only_maps_of_builds_that_are_gone_are_forgotten() -> None:
    images = MemoryObjects()
    for build in ("b1", "b10", "b2"):
        for name in ("layout.json", "d/0/0/0.webp"):
            images.put(f"{FOLDER}{build}/{name}", b"x")
    images.put("thumbs/1.webp", b"x")
    assert forget(images, {"b1", "b3"}, workers=1) == ["b10", "b2"]
    assert list(images.sizes()) == ["maps/b1/d/0/0/0.webp", "maps/b1/layout.json", "thumbs/1.webp"]


class Gallery:
    """A folder of pictures, and the refresh job over it."""

    def __init__(self, root: Path, settings: Settings) -> None:
        self.root, self.services = root, Services(settings)

    def refresh(self) -> dg.ExecuteInProcessResult:
        with dg.DagsterInstance.ephemeral() as instance:
            job = build_defs(self.services).resolve_job_def("refresh")
            return job.execute_in_process(instance=instance, raise_on_error=False)

    def facts(self) -> dict[str, object]:
        result = self.refresh()
        assert result.success
        (made,) = result.asset_materializations_for_node("similarity_map")
        return {name: value.value for name, value in made.metadata.items()}


@pytest.fixture
def gallery(tmp_path: Path, settings_with: Callable[..., Settings]) -> Gallery:
    files = {
        f"{folder}/{n}.jpg": picture(10 * place + n) for place, folder in enumerate("AB") for n in range(4)
    }
    write_folder(tmp_path / "archive", files, artists_csv(["A", "B"]))
    return Gallery(
        tmp_path / "archive", settings_with(dataset=f"file://{tmp_path / 'archive'}", keep_builds=1)
    )


def test_a_refresh_draws_the_map_of_its_build_once_and_forgets_it_with_the_build(gallery: Gallery) -> None:
    first = gallery.facts()
    assert (first["dagster/row_count"], first["reused"]) == (8, False) and int(str(first["tiles_drawn"])) > 1
    assert "data:image/jpeg" in str(first["overview"])
    second = gallery.facts()
    assert (second["reused"], second["tiles_drawn"]) == (True, 0)
    (gallery.root / "images" / "images" / "A" / "9.jpg").write_bytes(picture(77))
    third = gallery.facts()
    assert third["build"] != first["build"] and third["forgotten"] == first["build"]
    assert {key.split("/")[1] for key in gallery.services.images.sizes(FOLDER)} == {third["build"]}


def test_a_map_that_fails_does_not_keep_the_build_from_being_published(
    gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise NotFound("no layout today")

    monkeypatch.setattr(asset, "positions", fails)
    assert not gallery.refresh().success
    assert gallery.services.vectors.live() is not None
    assert not gallery.services.images.sizes(FOLDER)


def test_of_a_large_build_a_sample_is_drawn(gallery: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asset, "MOST", 5)
    monkeypatch.setattr(asset, "PAGE", 3)
    facts = gallery.facts()
    assert (facts["dagster/row_count"], facts["of_works"]) == (5, 8)


def test_nothing_is_upstream_of_publishing_that_draws() -> None:
    graph = build_defs().resolve_asset_graph()
    assert not graph.get(dg.AssetKey("similarity_map")).child_keys
