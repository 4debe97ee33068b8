"""`gallery lineage`: the state of a file in every stage, and why; the quarantine; what stages report."""

from __future__ import annotations

import json

import pytest

from gallery.errors import NotFound
from gallery.services import Services
from pipelines.errors import RefreshFailed
from pipelines.lineage import lineage
from pipelines.records import run_records
from pipelines.tables import QUARANTINE
from tests.fakes.archives import artists_csv, picture
from tests.fakes.gallery import FILES, Gallery

pytestmark = pytest.mark.slow


def test_lineage_explains_every_file(gallery: Gallery) -> None:
    gallery.path("Bea_B/again.jpg").write_bytes(FILES["Anna_A/Anna_A_1.jpg"])
    gallery.refresh(per_artist=2)
    services = Services(gallery.settings(per_artist=2))
    facts = {file: lineage(services, f"images/images/{file}")[0] for file in [*FILES, "Bea_B/again.jpg"]}
    again = facts["Bea_B/again.jpg"]
    assert again["status"] == "duplicate: the same bytes as images/images/Anna_A/Anna_A_1.jpg"
    included = [entry for entry in facts.values() if entry["live"].startswith("in build")]
    left_out = [
        entry for entry in facts.values() if entry["sample"].startswith("not included: 2 works of its artist")
    ]
    assert len({entry["work"] for entry in included}) == 4 == len({entry["work"] for entry in left_out})
    assert all(entry["live"].startswith("not in build") for entry in left_out)
    assert lineage(services, included[0]["work"])[0] == included[0]
    assert lineage(services, "ánna-a 0") == lineage(services, "Anna_A_0.jpg")
    with pytest.raises(NotFound, match="give an id"):
        lineage(services, "nothing like it")


def test_lineage_names_objects_builds_and_runs(built_gallery: Gallery) -> None:
    first, work = built_gallery.live, lineage(built_gallery.services, "Bea_B_0.jpg")[0]["work"]
    built_gallery.path("Bea_B/Bea_B_0.jpg").unlink()
    second = built_gallery.refresh()["build"]
    (facts,) = lineage(built_gallery.services, "Anna_A_1.jpg")
    assert facts["images"].count("bytes)") == 3
    assert facts["live"].startswith(f"in build {second}") and f"in build {first}" in facts["other_builds"]
    run = run_records(built_gallery.services.tables)["published_collection"].run
    assert facts["runs"].startswith(run) and f"published by run {run}" in facts["live"]
    assert all(
        asset in facts["runs"] for asset in ("raw_dataset", "artworks", "images", "embeddings", "evaluation")
    )
    key = facts["images"].partition(" ")[0]
    built_gallery.services.images.delete(key)
    assert f"{key} (missing)" in lineage(built_gallery.services, "Anna_A_1.jpg")[0]["images"]
    # A file that was deleted from the archive is found while a build has its work.
    (facts,) = lineage(built_gallery.services, "Bea_B_0.jpg")
    assert facts["status"] == "deleted: the file is no longer in the archive" and facts["work"] == work
    assert facts["live"].startswith("not in") and facts["other_builds"].startswith("in build")


def test_lineage_shows_corrected_names(gallery: Gallery) -> None:
    (gallery.root / "artists.csv").write_bytes(artists_csv(["Anna A", "Béa B"]))
    folder = gallery.path("Bea_B")
    folder.rename(folder.with_name("BÃ©a_B"))
    gallery.refresh()
    (facts,) = lineage(gallery.services, "Bea_B_1.jpg")
    assert facts["folder_corrected"] == "BÃ©a B -> Béa B"
    assert "folder_corrected" not in lineage(gallery.services, "Anna_A_1.jpg")[0]


def test_the_quarantine_shows_reasons_and_previews(gallery: Gallery) -> None:
    gallery.path("Anna_A/broken.jpg").write_bytes(b"not an image")
    gallery.path("Anna_A/broken_2.jpg").write_bytes(b"nor this")
    stray = gallery.path("Nobody_Known/stray.jpg")
    stray.parent.mkdir()
    stray.write_bytes(picture(90))
    with pytest.raises(RefreshFailed, match="quarantine failed: 3 of 11 files are unusable"):
        gallery.refresh(max_quarantine=0.1)
    facts = gallery.facts["quarantine"]  # reported although the run stopped here
    assert lineage(gallery.services, "Anna_A_0.jpg")[0]["sample"].startswith("not drawn yet")
    assert facts["quarantined"] == 3 and facts["by_reason"].count("\n") == 3
    assert "Nobody_Known / stray.jpg" in facts["files"] and facts["thumbnails"].startswith("![")
    frame = QUARANTINE.read(gallery.services.tables)
    assert len(frame) == 3 and frame["kind"].nunique() == 2
    assert gallery.refresh(max_quarantine=0.5)["quarantined"] == 3
    assert gallery.changes("quarantine") == (0, 0, 0, 3)


def test_what_stages_report_is_json_and_small(built_gallery: Gallery) -> None:
    built_gallery.refresh(site_url="https://example.org/search")
    assert built_gallery.facts["published_collection"]["search_page"] == "https://example.org/search"
    for stage, facts in built_gallery.facts.items():
        assert len(json.dumps(facts)) < 200_000, stage
