"""The failure drills of docs/reliability.md: full disk, truncated tables, wrong clock, deleted collection."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from gallery.errors import GalleryError
from gallery.services import Services
from pipelines import steps
from pipelines.runner import run_refresh
from pipelines.tables import ARTWORKS
from tests.chaos.drills import problems
from tests.fakes.archives import picture
from tests.fakes.gallery import Gallery
from tests.fakes.locks import Clock
from tests.fakes.weaviate import FakeWeaviate

FAKETIME = [
    Path(f"/usr/lib/{machine}-linux-gnu/faketime/libfaketime.so.1") for machine in ("x86_64", "aarch64")
]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a file system of 8 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "gallery-test", str(folder)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a tmpfs needs root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(disk: Path, free_bytes: int) -> Path:
    """Write a file that leaves so many bytes free, and return its path."""
    path = disk / "filler"
    free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
    with path.open("wb") as file:
        for _ in range((free - free_bytes) // 4096):
            file.write(b"\0" * 4096)
    return path


def test_a_full_disk_stops_a_refresh_with_a_message_and_the_next_completes(
    gallery: Gallery, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "RETRY_POLICY", dg.RetryPolicy(max_retries=0))
    services = Services(gallery.settings(home=small_disk / "home"))

    def refresh() -> str:
        # All in one instance: without room to release the lock, Dagster knows that its run has finished.
        return str(run_refresh(services, lambda _: None, instance)["build"])

    with dg.DagsterInstance.ephemeral() as instance:
        before, messages = refresh(), []
        for turn, free_bytes in enumerate((20_000, 60_000, 100_000)):
            for n in range(4):  # as much as the whole collection again, so that the disk fills up on the way
                path = gallery.path(f"Anna_A/Anna_A_{n}.jpg")
                path.write_bytes(picture(100 * turn + n + 700, size=(480, 360)))
            filler = fill(small_disk, free_bytes)
            with pytest.raises(GalleryError) as stopped:
                refresh()
            messages.append(str(stopped.value))
            live = services.vectors.live()
            assert live is not None and live.name == before and problems(services) == []
            filler.unlink()
            before = refresh()
            assert problems(services) == []
    assert all("No space left" in message for message in messages), messages


SHAPES = (b"[]", b'{"x": 1}', b"null", b'"text"', b"7")


@pytest.mark.parametrize("kind", ["parquet", "json", "another shape"])
def test_all_tables_may_be_damaged_and_the_next_refresh_repairs_them(
    built_gallery: Gallery, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Clock(monkeypatch)  # the damaged lock is watched for a renewal
    gallery, build = built_gallery, built_gallery.live
    tables = sorted(
        (gallery.settings().home / "tables").rglob("*.parquet" if kind == "parquet" else "*.json")
    )
    assert len(tables) > 5
    for number, path in enumerate(tables):
        half = path.read_bytes()[: path.stat().st_size // 2]
        path.write_bytes(SHAPES[number % len(SHAPES)] if kind == "another shape" else half)
        (path.parent / f"{path.name}.bak").write_text("left by an editor")
        (path.parent / "notes.txt").write_text("left by a person")
    counts = gallery.refresh()
    assert (counts["build"], counts["indexed"], counts["images_uploaded"]) == (build, 8, 0)
    assert problems(gallery.services) == []
    assert all((path.parent / "notes.txt").exists() for path in tables)


def test_an_asset_that_reads_a_truncated_table_names_it(built_gallery: Gallery) -> None:
    cut = built_gallery.settings().home / "tables" / ARTWORKS.key
    cut.write_bytes(cut.read_bytes()[:200])
    with pytest.raises(
        GalleryError, match=r"artworks\.parquet in .* cannot be read .*`gallery refresh` replaces it"
    ):
        ARTWORKS.read(built_gallery.services.tables)


def test_a_refresh_with_a_wrong_clock_publishes_and_the_next_continues(built_gallery: Gallery) -> None:
    library = next((path for path in FAKETIME if path.exists()), None)
    if library is None:
        pytest.skip("libfaketime is not installed; apt-get install faketime")
    gallery, builds = built_gallery, [built_gallery.live]
    for number, offset in enumerate(("-400d", "+400d")):
        gallery.path("Anna_A/Anna_A_0.jpg").write_bytes(picture(900 + number))
        process = gallery.start(LD_PRELOAD=str(library), FAKETIME=offset, FAKETIME_DONT_FAKE_MONOTONIC="1")
        _, messages = process.communicate(timeout=900)
        assert process.returncode == 0, messages
        assert gallery.live not in builds and problems(gallery.services) == []
        builds.append(gallery.live)
    gallery.path("Anna_A/Anna_A_1.jpg").write_bytes(picture(910))
    assert gallery.refresh()["build"] not in builds
    assert problems(gallery.services) == []


def test_a_weaviate_collection_deleted_under_its_alias_is_built_again_without_encoding(
    gallery: Gallery,
) -> None:
    with FakeWeaviate() as server:
        address = f"{server.address}&timeout=5"
        gallery.refresh(vectors=address)
        gallery.path("Anna_A/Anna_A_0.jpg").write_bytes(picture(950))
        build = gallery.refresh(vectors=address)["build"]
        services = Services(gallery.settings(vectors=address))
        assert problems(services) == []
        del server.data.collections[f"Artwork_{build}"]
        with pytest.raises(GalleryError):
            services.vectors.open(build).count()
        counts = gallery.refresh(vectors=address)
        assert (counts["indexed"], counts["embedded"]) == (8, 0)
        assert problems(Services(gallery.settings(vectors=address))) == []
