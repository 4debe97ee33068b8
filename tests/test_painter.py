"""The painted sample collection."""

from __future__ import annotations

import csv
import hashlib
import io
import re
import subprocess
import sys
import zipfile
from collections import Counter
from pathlib import Path, PurePosixPath

import pytest
from PIL import Image

from gallery.datasets.archive import open_archive
from gallery.datasets.painter import easels, faults_in, paint_archive
from gallery.datasets.painter.colours import PALETTES
from gallery.datasets.painter.lives import biography
from gallery.datasets.painter.motifs import MOTIFS
from gallery.datasets.painter.newcomers import painter_at
from gallery.datasets.painter.picture import paint_picture
from gallery.datasets.painter.touches import TOUCHES
from gallery.errors import Unavailable
from gallery.names import display_name, slugify_name

ARTISTS, WORKS = 5, 3


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("painted") / "sample.zip"
    paint_archive(path, artists=ARTISTS, works=WORKS, seed=7)
    return path


def files(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def pictures(path: Path) -> dict[str, bytes]:
    return {name: data for name, data in files(path).items() if name.endswith(".jpg")}


def decodes(jpeg: bytes) -> bool:
    try:
        Image.open(io.BytesIO(jpeg)).load()
    except OSError:
        return False
    return True


def catalogue(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(files(path)["artists.csv"].decode("utf-8"))))


def test_same_parameters_write_the_same_bytes(collection: Path, tmp_path: Path) -> None:
    paint_archive(tmp_path / "again.zip", artists=ARTISTS, works=WORKS, seed=7)
    assert (tmp_path / "again.zip").read_bytes() == collection.read_bytes()


def test_another_seed_paints_other_pictures(collection: Path, tmp_path: Path) -> None:
    paint_archive(tmp_path / "other.zip", artists=1, works=2, seed=8)
    assert not set(pictures(tmp_path / "other.zip").values()) & set(pictures(collection).values())


def test_processes_paint_the_same_as_one(
    collection: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(easels, "WORTH_A_PROCESS", 1)
    monkeypatch.setattr(easels, "_cores", lambda: 2)
    paint_archive(tmp_path / "together.zip", artists=ARTISTS, works=WORKS, seed=7)
    assert (tmp_path / "together.zip").read_bytes() == collection.read_bytes()


def test_a_process_that_dies_is_said_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dying() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-c", "import sys; sys.stdin.readline(); sys.exit(3)"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    monkeypatch.setattr(easels, "WORTH_A_PROCESS", 1)
    monkeypatch.setattr(easels, "_cores", lambda: 2)
    monkeypatch.setattr(easels, "_start", dying)
    with pytest.raises(Unavailable, match="status 3"):
        paint_archive(tmp_path / "sample.zip", artists=2, works=1)
    assert not list(tmp_path.iterdir())


def test_a_work_is_the_same_in_a_collection_of_any_size(collection: Path, tmp_path: Path) -> None:
    paint_archive(tmp_path / "smaller.zip", artists=3, works=2, seed=7)
    larger = pictures(collection)
    misspelt = painter_at(1).folder  # rightly spelled where there are too few artists for faults
    smaller = {
        name: data for name, data in pictures(tmp_path / "smaller.zip").items() if misspelt not in name
    }
    assert len(smaller) == 4
    assert all(larger[name] == data for name, data in smaller.items())


def test_archive_is_laid_out_as_kaggle_s(collection: Path) -> None:
    with zipfile.ZipFile(collection) as archive:
        assert archive.testzip() is None
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    for name in pictures(collection):
        folder, file = PurePosixPath(name).parts[-2:]
        assert re.fullmatch(rf"images/images/{re.escape(folder)}/{re.escape(folder)}_[1-9]\d*\.jpg", name)
        assert file.startswith(folder)
    assert (
        open_archive(collection).read("artists.csv", 1 << 20).startswith(b"id,name,years,genre,nationality,")
    )


def test_catalogue_counts_the_pictures(collection: Path) -> None:
    faults = faults_in(ARTISTS, WORKS)
    assert faults
    count = Counter(PurePosixPath(name).parts[-2] for name in pictures(collection))
    for row in catalogue(collection):
        spelled = (
            faults.misspelt_folders
            if row["name"] == faults.misspelt_name
            else [row["name"].replace(" ", "_")]
        )
        assert [count[folder] for folder in spelled] == [int(row["paintings"])] * len(spelled)


def test_pictures_differ_but_for_the_misspelt_artist_s(collection: Path) -> None:
    faults = faults_in(ARTISTS, WORKS)
    assert faults
    digests = Counter(hashlib.sha256(jpeg).hexdigest() for jpeg in pictures(collection).values())
    assert sorted(digests.values(), reverse=True)[: WORKS + 1] == [2] * WORKS + [1]


def test_two_folders_spell_the_mojibake_and_none_the_name(collection: Path) -> None:
    faults = faults_in(ARTISTS, WORKS)
    assert faults
    folders = {PurePosixPath(name).parts[-2] for name in pictures(collection)}
    assert set(faults.misspelt_folders) <= folders
    assert faults.misspelt_name.replace(" ", "_") not in folders
    assert {display_name(folder) for folder in faults.misspelt_folders} == {faults.misspelt_name}
    once, twice = (
        [data for name, data in pictures(collection).items() if f"/{folder}/" in name]
        for folder in faults.misspelt_folders
    )
    assert once == twice


def test_exactly_the_broken_file_does_not_decode(collection: Path) -> None:
    faults = faults_in(ARTISTS, WORKS)
    assert faults
    assert [name for name, jpeg in pictures(collection).items() if not decodes(jpeg)] == [faults.broken_path]


def test_one_artist_has_about_half_of_the_works(collection: Path) -> None:
    faults = faults_in(50, 24)
    assert faults and faults.few_works == 12


def test_some_years_have_en_dashes(collection: Path) -> None:
    years = [row["years"] for row in catalogue(collection)]
    assert all(re.fullmatch(r"\d{4} [-–] \d{4}", text) for text in years)
    assert {"-", "–"} == {text[5] for text in years}


def test_a_small_collection_has_no_faults(tmp_path: Path) -> None:
    paint_archive(tmp_path / "small.zip", artists=1, works=1)
    assert faults_in(3, 24) is None
    assert all(decodes(jpeg) for jpeg in pictures(tmp_path / "small.zip").values())


def test_pictures_are_of_a_size_for_screens() -> None:
    for artist in range(4):
        picture = Image.open(io.BytesIO(paint_picture(7, artist, 0)))
        assert 480 <= max(picture.size) <= 640
        assert picture.mode == "RGB"


def test_progress_ends_at_the_total(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    paint_archive(tmp_path / "small.zip", artists=2, works=1, progress=lambda *done: told.append(done))
    assert told == [(1, 2), (2, 2)]


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "sample.zip"
    path.write_bytes(b"before")

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        paint_archive(path, artists=1, works=1, progress=stop)
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_painters_have_names_of_their_own_that_are_read_rightly() -> None:
    names = [painter_at(index).name for index in range(5_000)]
    assert len({slugify_name(name) for name in names}) == len(names)
    assert [name for name in names[:150] if display_name(name) != name] == []


def test_painters_keep_to_styles_that_exist() -> None:
    for index in range(400):
        painter = painter_at(index)
        assert set(painter.motifs) <= set(MOTIFS)
        assert painter.palette in PALETTES
        assert painter.touch in TOUCHES


def test_biographies_say_that_the_painter_is_invented() -> None:
    lives = [biography(painter_at(index)) for index in range(200)]
    assert all("invented painter" in life for life in lives)
    assert any(len(life) > 600 for life in lives[:50])
    assert any(": [" in life for life in lives[:50])
