"""Archives as systems and people pack them: what belongs to the dataset is found, and nothing else counts."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from gallery.datasets.archive import open_archive
from gallery.datasets.base import is_ignored
from gallery.errors import Invalid
from tests.fakes.archives import artists_csv, picture, write_folder, write_zip

FILES = {f"images/images/Ada/{n}.jpg": picture(n) for n in range(3)}
EVERYTHING = {"artists.csv": artists_csv(["Ada"]), **FILES}
CLUTTER = [
    "@eaDir", ".ipynb_checkpoints", ".thumbnails", "lost+found", "__MACOSX", ".git", ".Trash-1000",
    "$RECYCLE.BIN", "System Volume Information", "@Recycle", "#snapshot", "RECYCLER", "FOUND.000",
    "__pycache__", "_vti_cnf", "Network Trash Folder",
]  # fmt: skip
CLUTTER_FILES = [
    "Thumbs.db", "thumbs.db", "THUMBS.DB", "Desktop.ini", "desktop.ini", "ehthumbs.db", ".DS_Store",
    ".directory", ".nomedia", ".picasa.ini", "._1.jpg", "1.jpg:Zone.Identifier",
    "thumbs.db:encryptable", "Icon\r",
]  # fmt: skip


@pytest.mark.parametrize("name", CLUTTER)
@pytest.mark.parametrize(
    "place", ["", "images/", "images/images/", "images/images/Ada/", "images/images/Ada/deep/"]
)
def test_folders_of_systems_are_ignored_wherever_they_are(name: str, place: str) -> None:
    assert is_ignored(f"{place}{name}/1.jpg") and is_ignored(f"{place}{name}/1.jpg/SYNOPHOTO_THUMB_M.jpg")


@pytest.mark.parametrize("name", CLUTTER_FILES)
def test_files_of_systems_are_ignored(name: str) -> None:
    assert is_ignored(f"images/images/Ada/{name}")


def test_files_of_the_dataset_are_not_ignored() -> None:
    for path in (
        *FILES,
        "images/images/Ada/lost+found.jpg",
        "images/images/A. B. C./1.jpg",
        "images/images/Ada/#3 at sea.jpg",
        "images/images/Ada/__1.jpg",
        "images/images/../1.jpg",
    ):
        assert not is_ignored(path)


def packed(path: Path, *, windows: bool = False, prefix: str = "", wrapper: str = "") -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in EVERYTHING.items():
            info = zipfile.ZipInfo("x")
            info.filename = f"{prefix}{wrapper}{name}".replace("/", "\\" if windows else "/")
            info.create_system = 0 if windows else 3
            archive.writestr(info, data)
    return path


@pytest.mark.parametrize("windows", [False, True])
@pytest.mark.parametrize("prefix", ["", "./"])
@pytest.mark.parametrize("wrapper", ["", "Best Artworks/"])
def test_a_zip_is_read_however_its_paths_are_written(
    tmp_path: Path, windows: bool, prefix: str, wrapper: str
) -> None:
    archive = open_archive(packed(tmp_path / "a.zip", windows=windows, prefix=prefix, wrapper=wrapper))
    assert [entry.path for entry in archive.entries()] == sorted(EVERYTHING)
    assert {path: archive.read(path, 10**6) for path in EVERYTHING} == EVERYTHING
    archive.close()


def test_a_folder_in_a_folder_is_read(tmp_path: Path) -> None:
    inner = tmp_path / "outer" / "inner"
    write_folder(
        inner,
        {path.removeprefix("images/images/"): data for path, data in FILES.items()},
        artists_csv(["Ada"]),
    )
    archive = open_archive(tmp_path / "outer")
    assert {entry.path for entry in archive.entries()} == set(EVERYTHING)


def test_a_backslash_in_a_name_of_another_system_is_part_of_the_name(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"Ada/a\\b.jpg": picture(1)}, artists_csv(["Ada"]))
    assert "images/images/Ada/a\\b.jpg" in [entry.path for entry in open_archive(path).entries()]


def test_a_linked_folder_is_named(tmp_path: Path) -> None:
    elsewhere = write_folder(tmp_path / "disk", {"Ada/1.jpg": picture(1)}, artists_csv(["Ada"]))
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "artists.csv").write_bytes(artists_csv(["Ada"]))
    (tmp_path / "set" / "images").symlink_to(elsewhere / "images")
    with pytest.raises(Invalid, match="images is a link to another folder, which is not followed"):
        open_archive(tmp_path / "set")
