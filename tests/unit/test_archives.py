"""Archives on disk: reading them, and rejecting damaged or hostile entries."""

from __future__ import annotations

import os
import struct
import zipfile
from pathlib import Path

import pytest

from gallery.datasets.archive import FolderArchive, ZipArchive, open_archive
from gallery.datasets.base import DATASETS, is_ignored
from gallery.errors import Invalid, NotFound
from tests.fakes.archives import artists_csv, picture, write_folder, write_zip

LIMIT = 1_000_000
FILES = {"A_B/A_B_1.jpg": picture(1), "A_B/A_B_2.jpg": picture(2)}


@pytest.fixture(params=["zip", "folder"])
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    write = write_zip if request.param == "zip" else write_folder
    return write(tmp_path / "archive", FILES, artists_csv(["A B"]))


def test_a_zip_and_a_folder_are_read_alike(archive: Path) -> None:
    opened = open_archive(archive)
    assert [entry.path for entry in opened.entries()] == [
        "artists.csv",
        "images/images/A_B/A_B_1.jpg",
        "images/images/A_B/A_B_2.jpg",
    ]
    assert opened.read("images/images/A_B/A_B_2.jpg", LIMIT) == FILES["A_B/A_B_2.jpg"]


def test_an_unknown_path_is_not_found(archive: Path) -> None:
    with pytest.raises(NotFound):
        open_archive(archive).read("images/images/nobody.jpg", LIMIT)


def test_a_file_over_the_limit_is_rejected(archive: Path) -> None:
    with pytest.raises(Invalid, match="limit of 10"):
        open_archive(archive).read("images/images/A_B/A_B_1.jpg", 10)


def test_the_version_changes_with_the_content(archive: Path, tmp_path: Path) -> None:
    dataset = DATASETS.open(f"file://{archive}", home=tmp_path)
    before = dataset.version()
    assert dataset.version() == before
    write = write_zip if archive.is_file() else write_folder
    write(archive, {**FILES, "A_B/A_B_2.jpg": picture(3)}, artists_csv(["A B"]))
    assert dataset.version() != before


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        (lambda path: None, "no archive at"),
        (lambda path: path.write_bytes(b"not a zip"), "cannot be read as a zip"),
        (lambda path: path.write_bytes(b""), "cannot be read as a zip"),
        (lambda path: write_zip(path, FILES, None), "has no artists.csv"),
        (lambda path: write_zip(path, {}, artists_csv(["A"])), "has no files under images/images/"),
        (lambda path: write_zip(path, {}, None), "has no artists.csv"),
        (lambda path: path.mkdir(), "has no artists.csv"),
        (
            lambda path: write_zip(path, FILES, artists_csv(["A"])).write_bytes(path.read_bytes()[:-40]),
            "cannot be read as a zip",
        ),
    ],
)
def test_an_unusable_archive_is_named_with_the_expected_layout(tmp_path: Path, prepare, words: str) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "archive.zip"
    prepare(path)
    with pytest.raises(Invalid, match=words) as error:
        DATASETS.open(f"file://{path}", home=tmp_path).version()
    assert str(path) in str(error.value)
    assert "artists.csv and images/images/<Artist_Name>/" in str(error.value)


def test_a_path_that_leads_out_of_a_zip_is_rejected(tmp_path: Path) -> None:
    hostile = ["../evil.jpg", "images/images/A/../../../x.jpg", "..\\evil.jpg"]
    path = write_zip(tmp_path / "a.zip", {f"/{name}": picture(1) for name in hostile}, None)
    archive = ZipArchive(path)
    assert len(archive.entries()) == 3
    for entry in archive.entries():
        with pytest.raises(Invalid, match="leads out"):
            archive.read(entry.path, LIMIT)


def test_a_link_out_of_a_folder_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "secret.jpg").write_bytes(picture(1))
    root = write_folder(tmp_path / "root", FILES, artists_csv(["A B"]))
    (root / "images/images/A_B/link.jpg").symlink_to(tmp_path / "secret.jpg")
    with pytest.raises(Invalid, match="it is a link that leads out of the folder"):
        open_archive(root).read("images/images/A_B/link.jpg", LIMIT)


def test_an_entry_that_unpacks_to_more_than_it_claims_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.jpg", b"\0" * 50_000_000)
    data = bytearray(path.read_bytes())
    real, claimed = struct.pack("<I", 50_000_000), struct.pack("<I", 100)
    assert data.count(real) == 2  # in the entry's header and in the directory
    path.write_bytes(data.replace(real, claimed))
    with pytest.raises(Invalid, match="damaged"):
        ZipArchive(path).read("bomb.jpg", LIMIT)


def test_an_entry_over_the_limit_is_rejected_without_reading_it(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.jpg", b"\0" * 50_000_000)
    with pytest.raises(Invalid, match="50,000,000 bytes, over the limit"):
        ZipArchive(path).read("bomb.jpg", LIMIT)


def test_a_flipped_bit_is_detected(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", FILES, None)
    data = bytearray(path.read_bytes())
    data[data.find(FILES["A_B/A_B_1.jpg"]) + 500] ^= 1
    path.write_bytes(data)
    with pytest.raises(Invalid, match="damaged"):
        ZipArchive(path).read("images/images/A_B/A_B_1.jpg", LIMIT)


def test_an_encrypted_entry_is_rejected(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"x.jpg": picture(1)}, None)
    data = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.find(signature) + offset] |= 1  # the flag that says an entry is encrypted
    path.write_bytes(data)
    with pytest.raises(Invalid, match="encrypted"):
        ZipArchive(path).read("images/images/x.jpg", LIMIT)


def test_a_file_name_that_is_not_utf8_is_listed_and_read(tmp_path: Path) -> None:
    root = write_folder(tmp_path, FILES, artists_csv(["A B"]))
    Path(os.fsdecode(os.fsencode(root) + b"/images/images/A_B/\xff.jpg")).write_bytes(b"odd")
    (name,) = [entry.path for entry in FolderArchive(root).entries() if "xff" in entry.path]
    name.encode()  # is valid UTF-8
    assert FolderArchive(root).read(name, LIMIT) == b"odd"


def test_a_pipe_a_loop_and_a_dangling_link_are_listed_and_rejected(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "root", FILES, artists_csv(["A B"]))
    folder = root / "images/images/A_B"
    os.mkfifo(folder / "pipe.jpg")
    (folder / "to_pipe.jpg").symlink_to("pipe.jpg")
    (folder / "loop.jpg").symlink_to("loop.jpg")
    (folder / "up").symlink_to(folder)
    (folder / "gone.jpg").symlink_to("nowhere.jpg")
    archive = open_archive(root)
    odd = ["pipe.jpg", "to_pipe.jpg", "loop.jpg", "up", "gone.jpg"]
    assert {f"images/images/A_B/{name}" for name in odd} <= {entry.path for entry in archive.entries()}
    for name in odd:
        with pytest.raises((Invalid, NotFound)):
            archive.read(f"images/images/A_B/{name}", LIMIT)


def test_a_home_inside_the_folder_does_not_belong_to_the_dataset(tmp_path: Path) -> None:
    write_folder(tmp_path, FILES, artists_csv(["A B"]))
    dataset = DATASETS.open(f"file://{tmp_path}", home=tmp_path / ".gallery")
    before = dataset.version()
    (tmp_path / ".gallery").mkdir()
    (tmp_path / ".gallery" / "x.jpg").write_bytes(picture(9))
    assert dataset.version() == before
    assert len(dataset.fetch().entries()) == 3


def test_a_damaged_lzma_entry_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("packed.jpg", bytes(range(256)) * 50)
    data = bytearray(path.read_bytes())
    data[60:80] = b"\xff" * 20
    path.write_bytes(data)
    with pytest.raises(Invalid, match="damaged"):
        ZipArchive(path).read("packed.jpg", LIMIT)


@pytest.mark.parametrize(
    ("path", "ignored"),
    [
        ("resized/resized/x.jpg", True),
        ("__MACOSX/images/images/A/._x.jpg", True),
        ("images/images/A/.DS_Store", True),
        ("images/images/A/._x.jpg", True),
        ("artists.csv", True),
        ("images/images/A/x.jpg", False),
        ("images/images/resized/x.jpg", False),
        ("readme.txt", False),
    ],
)
def test_files_that_are_not_meant_to_be_images_are_ignored(path: str, ignored: bool) -> None:
    assert is_ignored(path) == ignored


def test_a_hash_in_an_address_must_be_quoted(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="write # as %23"):
        DATASETS.open(f"file://{tmp_path}/a#b", home=tmp_path)
    write_folder(tmp_path / "a#b?c%d", FILES, artists_csv(["A B"]))
    assert DATASETS.open(f"file://{tmp_path}/a%23b%3Fc%25d", home=tmp_path).version()
