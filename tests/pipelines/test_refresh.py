"""The whole job in this process: what it counts, what a second run does, what bad input gets."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from gallery.errors import Invalid, NotFound, Unavailable
from gallery.search.engine import SearchEngine
from gallery.search.query import SearchQuery, WorkTerm
from gallery.services import Services
from gallery.vectors.filters import Filter
from pipelines import lock
from pipelines.defs.collection.builds import assemble_works, publish
from pipelines.lineage import trace
from pipelines.runner import STAGES, RefreshFailed, StageEvent, run_refresh
from pipelines.tables import ARTISTS as ARTISTS_TABLE
from pipelines.tables import ARTWORKS, IMAGES
from tests.fakes.archives import artists_csv, picture, write_zip
from tests.fakes.gallery import ARTISTS, BOATS, FILES, Gallery

COUNTS = ["artists", "files", "works", "duplicates", "quarantined", "sampled", "images_uploaded", "images_unchanged",
          "embedded", "embeddings_reused", "indexed", "build", "encoder", "seconds"]  # fmt: skip


def test_a_first_refresh_builds_and_publishes_everything(gallery: Gallery) -> None:
    counts = gallery.refresh()
    assert list(counts) == COUNTS
    told = {name: counts[name] for name in COUNTS[:11]}
    assert told == dict(zip(COUNTS[:11], (2, 8, 8, 0, 0, 8, 8, 0, 8, 0, 8), strict=True))
    live = gallery.services.vectors.live()
    assert live is not None and live.name == counts["build"] and live.works == 8 and live.ready
    assert (
        len(gallery.services.images.sizes("originals/")) == 8
        and len(gallery.services.images.sizes("thumbs/")) == 16
    )


def test_what_was_built_can_be_searched(gallery: Gallery) -> None:
    gallery.refresh()
    engine = SearchEngine(gallery.services)
    (work,) = [
        work
        for work in gallery.services.vectors.open(gallery.refresh()["build"]).works()
        if "Bea_B_2" in work.file
    ]
    collection = engine.live_collection()
    similar = engine.search(collection, SearchQuery((WorkTerm(work.id),), limit=3))
    assert similar.hits[0].artwork.id != work.id
    assert len(engine.search(collection, replace(BOATS, limit=5)).hits) == 5
    assert {
        hit.artwork.artist.slug
        for hit in engine.search(collection, replace(BOATS, where=Filter(artists=("bea-b",)))).hits
    } == {"bea-b"}
    with pytest.raises(NotFound):
        engine.search(collection, SearchQuery((WorkTerm("nobody"),)))


def test_a_second_refresh_with_nothing_changed_does_nothing(gallery: Gallery) -> None:
    first, second = gallery.refresh(), gallery.refresh()
    assert (second["images_uploaded"], second["images_unchanged"]) == (0, 8)
    assert (second["embedded"], second["embeddings_reused"]) == (0, 8)
    assert second["build"] == first["build"] and len(gallery.services.vectors.builds()) == 1


def test_a_refresh_does_exactly_what_changed(gallery: Gallery) -> None:
    gallery.refresh()
    gallery.path("Anna_A/Anna_A_0.jpg").write_bytes(picture(77))  # changed
    gallery.path("Anna_A/Anna_A_9.jpg").write_bytes(picture(78))  # added
    gallery.path("Bea_B/Bea_B_3.jpg").unlink()  # removed
    counts = gallery.refresh()
    assert (counts["images_uploaded"], counts["images_unchanged"]) == (2, 6)
    assert (counts["embedded"], counts["embeddings_reused"], counts["indexed"]) == (2, 6, 8)
    assert gallery.live_files() == (set(FILES) | {"Anna_A/Anna_A_9.jpg"}) - {"Bea_B/Bea_B_3.jpg"}


def test_a_changed_picture_keeps_its_works_id(gallery: Gallery) -> None:
    gallery.refresh()
    before = {
        work.file: work.id for work in gallery.services.vectors.open(gallery.refresh()["build"]).works()
    }
    gallery.path("Anna_A/Anna_A_0.jpg").write_bytes(picture(77))
    after = {work.file: work.id for work in gallery.services.vectors.open(gallery.refresh()["build"]).works()}
    assert before == after


def test_a_corrected_artist_makes_a_new_build_and_encodes_nothing(gallery: Gallery) -> None:
    first = gallery.refresh()
    (gallery.root / "artists.csv").write_bytes(artists_csv({"Anna A": "1700 - 1750", "Bea B": "1700 - 1750"}))
    second = gallery.refresh()
    assert second["build"] != first["build"] and (second["embedded"], second["images_uploaded"]) == (0, 0)


def test_another_way_of_taking_words_makes_a_new_build_and_encodes_nothing(
    gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = gallery.refresh()
    monkeypatch.setattr("gallery.vectors.lexical.VERSION", 0)
    second = gallery.refresh()
    assert second["build"] != first["build"] and (second["embedded"], second["images_uploaded"]) == (0, 0)


def test_an_original_cut_to_nothing_is_uploaded_again(gallery: Gallery) -> None:
    gallery.refresh()
    key = next(iter(gallery.services.images.sizes("originals/")))
    gallery.services.images.put(key, b"")
    assert gallery.refresh()["images_uploaded"] == 1
    assert hashlib.sha256(gallery.services.images.get(key)).hexdigest() in key


def test_a_smaller_sample_is_a_new_build(gallery: Gallery) -> None:
    gallery.refresh()
    counts = gallery.refresh(per_artist=3)
    assert (counts["sampled"], counts["indexed"], counts["embedded"]) == (6, 6, 0)


def test_another_encoder_builds_beside_and_mixes_nothing(gallery: Gallery) -> None:
    gallery.refresh()
    counts = gallery.refresh(encoder="fake://?dim=16")
    assert (counts["embedded"], counts["embeddings_reused"]) == (8, 0)
    builds = gallery.services.vectors.builds()
    assert [build.dim for build in builds] == [16, 48]


def test_old_builds_are_dropped_and_the_one_before_is_kept(gallery: Gallery) -> None:
    builds = []
    for seed in (70, 71, 72):
        gallery.path("Anna_A/Anna_A_0.jpg").write_bytes(picture(seed))
        builds.append(gallery.refresh()["build"])
    assert [build.name for build in gallery.services.vectors.builds()] == [builds[2], builds[1]]


def test_one_bad_file_neither_stops_a_run_nor_disappears(gallery: Gallery) -> None:
    gallery.path("Anna_A/Anna_A_0.jpg").write_bytes(b"not a picture")
    counts = gallery.refresh(max_quarantine=0.2)
    assert (counts["files"], counts["works"], counts["quarantined"], counts["indexed"]) == (8, 7, 1, 7)
    (found,) = trace(gallery.services, "Anna_A_0.jpg")
    assert found["status"].startswith("quarantined: this is not an image")


def test_too_many_bad_files_stop_the_run_before_publishing(gallery: Gallery) -> None:
    build = gallery.refresh()["build"]
    gallery.path("Anna_A/Anna_A_0.jpg").write_bytes(b"not a picture")
    with pytest.raises(
        RefreshFailed, match=r"quarantine failed: 1 of 8 files are unusable \(12.5%\).*GALLERY_MAX_QUARANTINE"
    ):
        gallery.refresh()
    live = gallery.services.vectors.live()
    assert live is not None and live.name == build and gallery.live_files() == set(FILES)
    assert trace(gallery.services, "Anna_A_0.jpg")[0]["status"].startswith(
        "quarantined"
    )  # and the table says which


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda gallery: (gallery.root / "artists.csv").unlink(), "dataset failed: .*has no artists.csv"),
        (
            lambda gallery: (gallery.root / "artists.csv").write_bytes(b"name\nx\n"),
            "artists failed: .*lacks years, genre",
        ),
        (
            lambda gallery: (shutil.rmtree(gallery.root), gallery.root.write_bytes(b"PK no zip")),
            "dataset failed: .*cannot be read as a zip",
        ),
        (
            lambda gallery: gallery.root.rename(gallery.root.with_name("gone")),
            "dataset failed: no archive at",
        ),
    ],
)
def test_an_unusable_archive_is_one_error_and_what_is_live_stays(
    gallery: Gallery, spoil: Any, said: str
) -> None:
    build = gallery.refresh()["build"]
    spoil(gallery)
    with pytest.raises(RefreshFailed, match=said) as error:
        gallery.refresh()
    assert str(gallery.root) in str(error.value) and "Traceback" not in str(error.value)
    live = gallery.services.vectors.live()
    assert live is not None and live.name == build
    engine = SearchEngine(gallery.services)
    assert len(engine.search(engine.live_collection(), replace(BOATS, limit=3)).hits) == 3


def test_progress_names_each_stage_as_it_goes(gallery: Gallery) -> None:
    seen: list[StageEvent] = []
    with dg.DagsterInstance.ephemeral() as instance:
        run_refresh(gallery.services, seen.append, instance)
    for kind in ("start", "done"):
        assert [progress.stage for progress in seen if progress.kind == kind] == list(STAGES)
    assert not [progress.text for progress in seen if "IOManager" in progress.text]


def test_why_tells_where_a_work_stands(gallery: Gallery) -> None:
    gallery.path("Bea_B/again.jpg").write_bytes(FILES["Anna_A/Anna_A_1.jpg"])
    gallery.refresh(per_artist=2)
    services = Services(gallery.settings(per_artist=2))
    traces = {file: trace(services, f"images/images/{file}")[0] for file in [*FILES, "Bea_B/again.jpg"]}
    assert (
        traces["Bea_B/again.jpg"]["status"]
        == "duplicate: the same bytes as images/images/Anna_A/Anna_A_1.jpg"
    )
    held = [facts for facts in traces.values() if facts["live"].startswith("in build")]
    left_out = [
        facts
        for facts in traces.values()
        if facts["sample"].startswith("out: 2 works of its artist rank before")
    ]
    assert len({facts["work"] for facts in held}) == 4 and len({facts["work"] for facts in left_out}) == 4
    assert all(facts["live"].startswith("not in build") for facts in left_out)
    assert trace(services, held[0]["work"])[0] == held[0]
    assert trace(services, "ánna-a 0") == trace(services, "Anna_A_0.jpg")
    with pytest.raises(NotFound, match="give an id"):
        trace(services, "nothing like it")


def test_a_build_left_half_written_is_written_again(gallery: Gallery) -> None:
    first = gallery.refresh()
    store = gallery.services.vectors
    gallery.path("Anna_A/Anna_A_0.jpg").write_bytes(picture(71))
    second = gallery.refresh()["build"]
    store.publish(first["build"])
    collection = store.open(second)
    collection.delete(
        sorted(collection.ids())[:3]
    )  # as a kill in the middle of writing would leave it: not sealed, not whole
    manifest = gallery.settings().home / "vectors" / f"{second}.json"
    manifest.write_text(manifest.read_text().replace('"ready": true', '"ready": false'))
    assert gallery.refresh()["build"] == second
    assert gallery.services.vectors.open(second).count() == 8


def test_a_live_build_that_lost_works_is_replaced_and_not_written_to(gallery: Gallery) -> None:
    first = gallery.refresh()["build"]
    collection = gallery.services.vectors.open(first)
    collection.delete(sorted(collection.ids())[:1])
    assert gallery.refresh()["build"] == f"{first}_1"
    assert gallery.services.vectors.open(first).count() == 7


def test_live_alone_refuses_a_candidate_that_is_not_complete(gallery: Gallery) -> None:
    build = gallery.refresh()["build"]
    collection = gallery.services.vectors.open(build)
    collection.delete(sorted(collection.ids())[:1])
    with pytest.raises(Invalid, match="7 of 8"):
        publish(gallery.services.vectors, build)


def test_a_zip_gives_the_same_collection_as_a_folder(gallery: Gallery, tmp_path: Path) -> None:
    build = gallery.refresh()["build"]
    path = write_zip(tmp_path / "archive.zip", FILES, ARTISTS)
    assert gallery.refresh(dataset=f"file://{path}")["build"] == build


def test_tables_of_different_runs_are_not_mixed(gallery: Gallery) -> None:
    gallery.refresh()
    tables = gallery.services.tables
    images, artworks = IMAGES.read(tables), ARTWORKS.read(tables)
    with pytest.raises(Invalid, match="different runs"):
        assemble_works(ARTISTS_TABLE.read(tables), artworks[artworks["id"] != images["id"][0]], images)


def test_a_second_refresh_at_the_same_time_is_refused(gallery: Gallery) -> None:
    with (
        lock.acquire(gallery.services.tables, "another"),
        pytest.raises(Unavailable, match="another refresh is running"),
    ):
        gallery.refresh()
    gallery.refresh()


@pytest.mark.parametrize("home", ["relative", "/nowhere/at/all"])
def test_a_dagster_home_that_cannot_be_used_is_said(
    gallery: Gallery, monkeypatch: pytest.MonkeyPatch, home: str
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", home)
    with pytest.raises(Invalid, match=f"DAGSTER_HOME={home}"):
        run_refresh(gallery.services, lambda _: None)


def test_a_file_that_changes_during_a_run_spoils_no_later_run(gallery: Gallery) -> None:
    victim = gallery.path("Anna_A/Anna_A_1.jpg")
    honest = victim.read_bytes()

    def meddle(progress: StageEvent) -> None:
        if (progress.stage, progress.kind) == ("artworks", "start"):
            victim.write_bytes(honest[:400])  # as if it were being written just then
        if (progress.stage, progress.kind) == ("images", "start"):
            victim.write_bytes(honest)

    services = Services(gallery.settings(max_quarantine=0.5))
    with dg.DagsterInstance.ephemeral() as instance:
        counts = run_refresh(services, meddle, instance)
    assert counts["quarantined"] == 1
    assert "changed while it was read" in trace(services, "Anna_A_1.jpg")[0]["status"]
    counts = gallery.refresh()
    assert (counts["quarantined"], counts["indexed"]) == (0, 8)


def test_nothing_is_stored_under_the_digest_of_another_content(gallery: Gallery) -> None:
    victim = gallery.path("Anna_A/Anna_A_1.jpg")

    def meddle(progress: StageEvent) -> None:
        if (progress.stage, progress.kind) == ("images", "start"):
            victim.write_bytes(picture(999))

    with dg.DagsterInstance.ephemeral() as instance:
        counts = run_refresh(Services(gallery.settings(max_quarantine=0.5)), meddle, instance)
    assert counts["indexed"] == 7
    images = gallery.services.images
    for key in images.sizes("originals/"):
        assert hashlib.sha256(images.get(key)).hexdigest() in key


@pytest.mark.parametrize("lost", ["*.lance", "*.lance/data", "b*.json", "LIVE"])
def test_a_damaged_vector_folder_is_mended_by_the_next_refresh(gallery: Gallery, lost: str) -> None:
    gallery.refresh()
    for path in (gallery.settings().home / "vectors").glob(lost):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    counts = gallery.refresh()
    assert counts["indexed"] == 8 and counts["embedded"] == 0
    engine = SearchEngine(gallery.services)
    assert len(engine.search(engine.live_collection(), replace(BOATS, limit=20)).hits) == 8


def test_rows_longer_than_the_head_of_the_csv_do_not_shift(gallery: Gallery) -> None:
    text = (gallery.root / "artists.csv").read_text("utf-8")
    head, *rows = text.splitlines()
    (gallery.root / "artists.csv").write_text("\n".join([head, *(f"{row}," for row in rows)]), "utf-8")
    assert gallery.refresh()["artists"] == 2
