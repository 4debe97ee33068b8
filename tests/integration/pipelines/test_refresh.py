"""The refresh job in this process: its counts, what a second run does, and what bad input leads to."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gallery.errors import Invalid, NotFound
from gallery.search.query import SearchQuery, WorkTerm
from gallery.vectors.filters import Filter
from pipelines.defs.collection.builds import assemble_works
from pipelines.errors import RefreshFailed
from pipelines.lineage import lineage
from pipelines.runner import STAGES, StageEvent, run_refresh
from pipelines.tables import ARTISTS as ARTISTS_TABLE
from pipelines.tables import ARTWORKS, IMAGES
from tests.fakes.archives import artists_csv, picture, write_zip
from tests.fakes.gallery import ARTISTS, BOATS, FILES, Gallery

COUNTS = [
    "artists", "files", "works", "duplicates", "quarantined", "sampled", "images_uploaded",
    "images_unchanged", "embedded", "embeddings_reused", "indexed", "build", "published", "encoder",
    "seconds",
]  # fmt: skip


def test_a_first_refresh_builds_and_publishes_everything(built_gallery: Gallery) -> None:
    counts = built_gallery.first
    assert list(counts) == COUNTS
    assert [counts[name] for name in COUNTS[:11]] == [2, 8, 8, 0, 0, 8, 8, 0, 8, 0, 8]
    live = built_gallery.services.vectors.live()
    assert live is not None and live.name == counts["build"] and live.works == 8 and live.ready
    images = built_gallery.services.images
    assert len(images.sizes("originals/")) == 8 and len(images.sizes("thumbs/")) == 16


def test_the_built_collection_can_be_searched(built_gallery: Gallery) -> None:
    works = built_gallery.services.vectors.open(built_gallery.live).works()
    work = next(work for work in works if "Bea_B_2" in work.file)
    assert built_gallery.search(SearchQuery((WorkTerm(work.id),), limit=3))[0] != work.file
    assert len(built_gallery.search(replace(BOATS, limit=5))) == 5
    found = built_gallery.search(replace(BOATS, where=Filter(artists=("bea-b",))))
    assert found and all("/Bea_B/" in file for file in found)
    with pytest.raises(NotFound):
        built_gallery.search(SearchQuery((WorkTerm("nobody"),)))


def test_a_refresh_of_an_unchanged_dataset_does_nothing(built_gallery: Gallery) -> None:
    counts = built_gallery.refresh()
    assert (counts["images_uploaded"], counts["images_unchanged"]) == (0, 8)
    assert (counts["embedded"], counts["embeddings_reused"]) == (0, 8)
    assert counts["build"] == built_gallery.first["build"]
    assert len(built_gallery.services.vectors.builds()) == 1
    for reread, files_read in ((False, 0), (True, 8)):
        assert built_gallery.refresh(reread=reread)["build"] == counts["build"]
        assert built_gallery.facts["scanned_files"]["files_read"] == files_read
        assert built_gallery.changes("scanned_files")[1:3] == (0, 0)


def test_a_refresh_processes_what_changed_and_nothing_else(gallery: Gallery) -> None:
    gallery.refresh()
    assert gallery.changes("raw_dataset") == (8, 0, 0, 0)
    assert gallery.facts["scanned_files"]["files_read"] == 8
    ids = {work.file: work.id for work in gallery.services.vectors.open(gallery.live).works()}
    gallery.path("Anna_A/Anna_A_0.jpg").write_bytes(picture(77))
    gallery.path("Anna_A/Anna_A_9.jpg").write_bytes(picture(78))
    gallery.path("Bea_B/Bea_B_3.jpg").unlink()
    counts = gallery.refresh()
    for stage in ("raw_dataset", "scanned_files", "artworks", "sample", "candidate"):
        assert gallery.changes(stage) == (1, 1, 1, 6), stage
    assert gallery.facts["scanned_files"]["files_read"] == 2
    assert (counts["images_uploaded"], counts["images_unchanged"]) == (2, 6)
    assert (counts["embedded"], counts["embeddings_reused"], counts["indexed"]) == (2, 6, 8)
    assert gallery.live_files() == (set(FILES) | {"Anna_A/Anna_A_9.jpg"}) - {"Bea_B/Bea_B_3.jpg"}
    works = {work.file: work.id for work in gallery.services.vectors.open(gallery.live).works()}
    assert all(works[file] == id for file, id in ids.items() if file in works)  # also of the changed image


def test_a_corrected_artist_makes_a_new_build_without_reading_images(built_gallery: Gallery) -> None:
    built_gallery.refresh()
    years = {"Anna A": "1700 - 1750", "Bea B": "1840 - 1926", "Nobody Yet": "1840 - 1926"}
    (built_gallery.root / "artists.csv").write_bytes(artists_csv(years))
    counts = built_gallery.refresh()
    assert counts["build"] != built_gallery.first["build"]
    assert built_gallery.changes("artists") == (0, 1, 0, 2)
    assert built_gallery.changes("artworks") == built_gallery.changes("sample") == (0, 0, 0, 8)
    assert built_gallery.changes("candidate") == (0, 4, 0, 4)
    assert (counts["images_uploaded"], counts["embedded"]) == (0, 0)
    assert built_gallery.facts["scanned_files"]["files_read"] == 0


def test_a_new_version_of_the_searchable_text_makes_a_new_build(
    built_gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gallery.vectors.lexical.VERSION", 0)
    counts = built_gallery.refresh()
    assert counts["build"] != built_gallery.first["build"]
    assert (counts["embedded"], counts["images_uploaded"]) == (0, 0)


def test_another_thumbnail_size_makes_thumbnails_and_encodes_nothing(built_gallery: Gallery) -> None:
    before = set(built_gallery.services.images.sizes("originals/"))
    counts = built_gallery.refresh(thumb_small=64)
    assert (counts["images_uploaded"], counts["embedded"]) == (8, 0)
    assert built_gallery.changes("artworks") == (0, 0, 0, 8) and built_gallery.changes("candidate") == (
        0,
        8,
        0,
        0,
    )
    assert set(built_gallery.services.images.sizes("originals/")) == before


def test_another_large_thumbnail_makes_new_vectors_and_a_new_build(built_gallery: Gallery) -> None:
    counts = built_gallery.refresh(thumb_large=256)
    assert (counts["embedded"], counts["embeddings_reused"]) == (8, 0)
    assert counts["build"] != built_gallery.first["build"]


def test_another_encoder_makes_a_separate_build(built_gallery: Gallery) -> None:
    counts = built_gallery.refresh(encoder="fake://?dim=16", tolerance=1.0)
    assert (counts["images_uploaded"], counts["embedded"], counts["embeddings_reused"]) == (0, 8, 0)
    builds = built_gallery.services.vectors.builds()
    assert [(build.fingerprint, build.dim) for build in builds] == [("fake/16/1", 16), ("fake/48/1", 48)]


def test_a_smaller_sample_makes_a_new_build(built_gallery: Gallery) -> None:
    counts = built_gallery.refresh(per_artist=3)
    assert (counts["sampled"], counts["indexed"], counts["embedded"]) == (6, 6, 0)


@pytest.mark.slow
def test_the_live_and_the_previous_build_are_kept(built_gallery: Gallery) -> None:
    builds = []
    for seed in (70, 71):
        built_gallery.path("Anna_A/Anna_A_0.jpg").write_bytes(picture(seed))
        builds.append(built_gallery.refresh()["build"])
    assert [build.name for build in built_gallery.services.vectors.builds()] == builds[::-1]


def test_an_unusable_file_is_quarantined_and_too_many_stop_the_run(built_gallery: Gallery) -> None:
    build = built_gallery.live
    built_gallery.path("Anna_A/Anna_A_0.jpg").write_bytes(b"not an image")
    with pytest.raises(
        RefreshFailed, match=r"quarantine failed: 1 of 8 files are unusable \(12.5%\).*GALLERY_MAX_QUARANTINE"
    ):
        built_gallery.refresh()
    assert built_gallery.live == build and built_gallery.live_files() == set(FILES)
    (facts,) = lineage(built_gallery.services, "Anna_A_0.jpg")
    assert facts["status"].startswith("quarantined: this is not an image")
    counts = built_gallery.refresh(max_quarantine=0.2)
    assert [counts[name] for name in ("files", "works", "quarantined", "indexed")] == [8, 7, 1, 7]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda gallery: (gallery.root / "artists.csv").unlink(), "raw_dataset failed: .*has no artists.csv"),
        (
            lambda gallery: (gallery.root / "artists.csv").write_bytes(b"name\nx\n"),
            "artists failed: .*lacks years, genre",
        ),
        (
            lambda gallery: (shutil.rmtree(gallery.root), gallery.root.write_bytes(b"PK no zip")),
            "raw_dataset failed: .*cannot be read as a zip",
        ),
        (
            lambda gallery: gallery.root.rename(gallery.root.with_name("gone")),
            "raw_dataset failed: no archive at",
        ),
    ],
)
def test_an_unusable_archive_is_one_clear_error_and_changes_nothing(
    built_gallery: Gallery, spoil: Any, message: str
) -> None:
    build = built_gallery.live
    spoil(built_gallery)
    with pytest.raises(RefreshFailed, match=message) as error:
        built_gallery.refresh()
    assert str(built_gallery.root) in str(error.value) and "Traceback" not in str(error.value)
    assert built_gallery.live == build and len(built_gallery.search(replace(BOATS, limit=3))) == 3


def test_every_stage_reports_its_start_and_end(gallery: Gallery) -> None:
    events: list[StageEvent] = []
    gallery.refresh(events.append)
    for kind in ("start", "done"):
        assert [event.stage for event in events if event.kind == kind] == list(STAGES)
    assert not [event.text for event in events if "IOManager" in event.text]


def test_a_zip_gives_the_same_collection_as_a_folder(built_gallery: Gallery, tmp_path: Path) -> None:
    path = write_zip(tmp_path / "archive.zip", FILES, ARTISTS)
    assert built_gallery.refresh(dataset=f"file://{path}")["build"] == built_gallery.first["build"]


def test_tables_of_different_runs_are_not_combined(built_gallery: Gallery) -> None:
    tables = built_gallery.services.tables
    images, artworks = IMAGES.read(tables), ARTWORKS.read(tables)
    with pytest.raises(Invalid, match="different runs"):
        assemble_works(ARTISTS_TABLE.read(tables), artworks[artworks["id"] != images["id"][0]], images)


@pytest.mark.parametrize("home", ["relative", "/nowhere/at/all"])
def test_an_unusable_dagster_home_is_reported(
    gallery: Gallery, monkeypatch: pytest.MonkeyPatch, home: str
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", home)
    with pytest.raises(Invalid, match=f"DAGSTER_HOME={home}"):
        run_refresh(gallery.services, lambda _: None)


def test_empty_fields_at_the_end_of_rows_of_artists_csv_do_no_harm(gallery: Gallery) -> None:
    path = gallery.root / "artists.csv"
    head, *rows = path.read_text("utf-8").splitlines()
    path.write_text("\n".join([head, *(f"{row}," for row in rows)]), "utf-8")
    result = gallery.materialize("raw_dataset", "artists")
    assert result.success and len(ARTISTS_TABLE.read(gallery.services.tables)) == 3


def test_a_failed_check_stops_the_run_before_publishing(gallery: Gallery) -> None:
    services = gallery.services
    etags = services.images.etags
    services.images.etags = lambda prefix="": {} if prefix == "thumbs/" else etags(prefix)  # type: ignore[method-assign]
    with pytest.raises(RefreshFailed, match="images failed"):
        gallery.refresh(services=services)
    assert gallery.live == ""


@pytest.mark.slow
def test_removals_need_permission_when_they_are_many(built_gallery: Gallery) -> None:
    build = built_gallery.live
    for number in (0, 1):
        built_gallery.path(f"Anna_A/Anna_A_{number}.jpg").unlink()
    for _ in range(2):  # a stopped run does not become the standard for the next
        with pytest.raises(
            RefreshFailed,
            match=r"artworks failed: 2 of the 8 live works \(25.0%\) are missing.*--allow-removals",
        ):
            built_gallery.refresh()
        assert "sample" not in built_gallery.facts
    assert built_gallery.live == build and built_gallery.live_files() == set(FILES)
    counts = built_gallery.refresh(max_removed=1.0)
    assert counts["indexed"] == 6 and len(built_gallery.live_files()) == 6
    tables = built_gallery.services.tables
    for manifest in tables.sizes("builds/"):
        tables.put(
            manifest, tables.get(manifest)[:100]
        )  # an unreadable one is made again from the live build
    (built_gallery.root / "artists.csv").write_bytes(artists_csv(["Anna A", "Bea B"], blank=("bio", "genre")))
    with pytest.raises(
        RefreshFailed,
        match=r"artworks failed: artists\.csv no longer has styles of 2 of 2 artists.*; bio of 2 of 2",
    ):
        built_gallery.refresh()


@pytest.mark.slow
def test_a_smaller_sample_counts_as_no_removal_and_the_limit_is_a_setting(built_gallery: Gallery) -> None:
    built_gallery.refresh(per_artist=1, max_removed=0.0)
    for name in ("Anna_A/Anna_A_0.jpg", "Bea_B/Bea_B_0.jpg"):
        built_gallery.path(name).unlink()
    built_gallery.refresh(max_removed=0.99)
