"""The generator of the sample collection: what it writes, and that it writes the same each time."""

from __future__ import annotations

import csv
import hashlib
import io
import random
import re
import subprocess
import sys
import zipfile
from collections import Counter
from pathlib import Path, PurePosixPath

import pytest
from PIL import Image

from gallery.datasets.archive import open_archive
from gallery.names import display_name, slugify_name
from sample_art import pool
from sample_art.archive import faults_in, write_archive
from sample_art.biographies import biography
from sample_art.canvas import Canvas
from sample_art.finishes import FINISHES
from sample_art.generated_artists import artist_at
from sample_art.image import paint_image
from sample_art.palettes import PALETTES
from sample_art.scenes import scenes
from tests.fakes.processes import modules_loaded_by

ARTISTS, WORKS = 5, 3


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("generated") / "sample.zip"
    write_archive(path, artists=ARTISTS, works=WORKS, seed=7)
    return path


def files(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def images(path: Path) -> dict[str, bytes]:
    return {name: data for name, data in files(path).items() if name.endswith(".jpg")}


def decodes(jpeg: bytes) -> bool:
    try:
        Image.open(io.BytesIO(jpeg)).load()
    except OSError:
        return False
    return True


def catalog(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(files(path)["artists.csv"].decode("utf-8"))))


def test_same_parameters_write_the_same_bytes(collection: Path, tmp_path: Path) -> None:
    write_archive(tmp_path / "again.zip", artists=ARTISTS, works=WORKS, seed=7)
    assert (tmp_path / "again.zip").read_bytes() == collection.read_bytes()


def test_another_seed_paints_other_images(collection: Path, tmp_path: Path) -> None:
    write_archive(tmp_path / "other.zip", artists=1, works=2, seed=8)
    assert not set(images(tmp_path / "other.zip").values()) & set(images(collection).values())


def test_several_processes_paint_the_same_bytes_as_one(
    collection: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "MIN_POOL_IMAGES", 1)
    monkeypatch.setattr(pool, "_cores", lambda: 2)
    write_archive(tmp_path / "together.zip", artists=ARTISTS, works=WORKS, seed=7)
    assert (tmp_path / "together.zip").read_bytes() == collection.read_bytes()


def test_a_worker_that_dies_is_reported_and_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dying() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-c", "import sys; sys.stdin.readline(); sys.exit(3)"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    monkeypatch.setattr(pool, "MIN_POOL_IMAGES", 1)
    monkeypatch.setattr(pool, "_cores", lambda: 2)
    monkeypatch.setattr(pool, "_start", dying)
    with pytest.raises(pool.WorkerDied, match="status 3"):
        write_archive(tmp_path / "sample.zip", artists=2, works=1)
    assert not list(tmp_path.iterdir())


def test_a_work_is_the_same_in_a_collection_of_any_size(collection: Path, tmp_path: Path) -> None:
    write_archive(tmp_path / "smaller.zip", artists=3, works=2, seed=7)
    larger = images(collection)
    misspelt = artist_at(1).folder  # spelled correctly if there are too few artists for faults
    smaller = {name: data for name, data in images(tmp_path / "smaller.zip").items() if misspelt not in name}
    assert len(smaller) == 4
    assert all(larger[name] == data for name, data in smaller.items())


def test_the_archive_has_the_layout_of_kaggle_s(collection: Path) -> None:
    with zipfile.ZipFile(collection) as archive:
        assert archive.testzip() is None
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    for name in images(collection):
        folder, file = PurePosixPath(name).parts[-2:]
        assert re.fullmatch(rf"images/images/{re.escape(folder)}/{re.escape(folder)}_[1-9]\d*\.jpg", name)
        assert file.startswith(folder)
    assert (
        open_archive(collection).read("artists.csv", 1 << 20).startswith(b"id,name,years,genre,nationality,")
    )


def test_the_catalog_counts_the_images(collection: Path) -> None:
    faults = faults_in(ARTISTS, WORKS)
    assert faults
    count = Counter(PurePosixPath(name).parts[-2] for name in images(collection))
    for row in catalog(collection):
        spelled = (
            faults.misspelt_folders
            if row["name"] == faults.misspelt_name
            else [row["name"].replace(" ", "_")]
        )
        assert [count[folder] for folder in spelled] == [int(row["paintings"])] * len(spelled)


def test_only_the_misspelt_artist_has_duplicates(collection: Path) -> None:
    faults = faults_in(ARTISTS, WORKS)
    assert faults
    digests = Counter(hashlib.sha256(jpeg).hexdigest() for jpeg in images(collection).values())
    assert sorted(digests.values(), reverse=True)[: WORKS + 1] == [2] * WORKS + [1]


def test_the_misspelt_artist_has_two_mojibake_folders_with_the_same_images(collection: Path) -> None:
    faults = faults_in(ARTISTS, WORKS)
    assert faults
    folders = {PurePosixPath(name).parts[-2] for name in images(collection)}
    assert set(faults.misspelt_folders) <= folders
    assert faults.misspelt_name.replace(" ", "_") not in folders
    assert {display_name(folder) for folder in faults.misspelt_folders} == {faults.misspelt_name}
    once, twice = (
        [data for name, data in images(collection).items() if f"/{folder}/" in name]
        for folder in faults.misspelt_folders
    )
    assert once == twice


def test_only_the_broken_file_does_not_decode(collection: Path) -> None:
    faults = faults_in(ARTISTS, WORKS)
    assert faults
    assert [name for name, jpeg in images(collection).items() if not decodes(jpeg)] == [faults.broken_path]


def test_one_artist_has_about_half_of_the_works(collection: Path) -> None:
    faults = faults_in(50, 24)
    assert faults and faults.few_works == 12


def test_some_years_have_en_dashes(collection: Path) -> None:
    years = [row["years"] for row in catalog(collection)]
    assert all(re.fullmatch(r"\d{4} [-–] \d{4}", text) for text in years)
    assert {"-", "–"} == {text[5] for text in years}


def test_a_small_collection_has_no_faults(tmp_path: Path) -> None:
    write_archive(tmp_path / "small.zip", artists=1, works=1)
    assert faults_in(3, 24) is None
    assert all(decodes(jpeg) for jpeg in images(tmp_path / "small.zip").values())


def test_images_have_a_size_for_screens() -> None:
    for artist in range(4):
        image = Image.open(io.BytesIO(paint_image(7, artist, 0)))
        assert 480 <= max(image.size) <= 640
        assert image.mode == "RGB"


def test_progress_ends_at_the_total(tmp_path: Path) -> None:
    reported: list[tuple[int, int]] = []
    write_archive(tmp_path / "small.zip", artists=2, works=1, progress=lambda *done: reported.append(done))
    assert reported == [(1, 2), (2, 2)]


def test_a_failure_leaves_the_old_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "sample.zip"
    path.write_bytes(b"before")

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_archive(path, artists=1, works=1, progress=stop)
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_artists_have_different_names_that_are_read_correctly() -> None:
    names = [artist_at(index).name for index in range(5_000)]
    assert len({slugify_name(name) for name in names}) == len(names)
    assert [name for name in names[:150] if display_name(name) != name] == []


def test_artists_use_scenes_palettes_and_finishes_that_exist() -> None:
    for index in range(400):
        artist = artist_at(index)
        assert set(artist.scenes) <= set(scenes())
        assert artist.palette in PALETTES
        assert artist.finish in FINISHES


@pytest.mark.parametrize("scene", scenes())
def test_every_scene_can_be_painted_in_any_shape_and_palette(scene: str) -> None:
    rng = random.Random(scene)
    for width, height in ((72, 48), (48, 64)):
        canvas = Canvas(width, height, rng.choice(list(PALETTES.values())), rng)
        scenes()[scene].paint(canvas)
        assert len(canvas.image.getcolors(1 << 20) or ()) > 1


def test_importing_the_package_loads_neither_numpy_nor_pillow() -> None:
    assert modules_loaded_by("sample_art") & {"numpy", "PIL"} == set()


def test_the_package_imports_nothing_else_of_the_project() -> None:
    loaded = modules_loaded_by("sample_art.archive", "sample_art.worker")
    assert loaded & {"gallery", "pipelines", "serving"} == set()


def test_biographies_state_that_the_artist_is_invented() -> None:
    biographies = [biography(artist_at(index)) for index in range(200)]
    assert all("invented artist" in text for text in biographies)
    assert any(len(text) > 600 for text in biographies[:50])
    assert any(": [" in text for text in biographies[:50])
