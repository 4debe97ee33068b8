"""What changed is done again and nothing else is; what is gone is deleted, and only that."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.loader import LoadingContextForTest

from gallery.errors import Corrupted, Unavailable
from gallery.models import Build
from gallery.objects.memory import MemoryObjects
from gallery.services import Services
from gallery.settings import Settings
from gallery.vectors.memory import MemoryStore
from pipelines.changes import Changes, changes
from pipelines.definitions import build_defs
from pipelines.defs.collection.builds import live_or_none
from pipelines.defs.collection.cleanup import sweep
from pipelines.defs.collection.manifests import live_works, load_manifest
from pipelines.lineage import trace
from pipelines.runner import RefreshFailed, StageEvent, run_refresh
from pipelines.tables import QUARANTINE, SAMPLE, read_note
from tests.fakes.archives import artists_csv, picture
from tests.fakes.gallery import FILES, Gallery


class Watched(Gallery):
    """A gallery whose refreshes leave what each stage said of itself."""

    facts: dict[str, dict[str, Any]]

    def refresh(self, *, allow_removals: bool = False, **given: Any) -> dict[str, Any]:
        self.facts = {}

        def watch(progress: StageEvent) -> None:
            if progress.facts is not None:
                self.facts[progress.stage] = progress.facts

        with dg.DagsterInstance.ephemeral() as instance:
            return run_refresh(
                Services(self.settings(**given)), watch, instance, allow_removals=allow_removals
            )

    def summary(self, stage: str) -> tuple[int, ...]:
        """How many of the stage's rows were new, changed, removed and as before."""
        return tuple(self.facts[stage][name] for name in ("new", "changed", "removed", "unchanged"))


@pytest.fixture
def gallery(tmp_path: Path, settings_with: Callable[..., Settings]) -> Watched:
    return Watched(tmp_path, settings_with)


def objects(gallery: Gallery) -> set[str]:
    """What lies in the image store, but for maps, which the asset `map` looks after."""
    return {key for key in gallery.services.images.sizes() if not key.startswith("maps/")}


# --- change, seen exactly


def test_changes_are_counted_by_key_and_content() -> None:
    before = SAMPLE.frame([{"id": id, "sha256": id} for id in "abc"])
    after = SAMPLE.frame([{"id": "a", "sha256": "a"}, {"id": "b", "sha256": "x"}, {"id": "d", "sha256": "d"}])
    assert changes(before, after, key="id", by=["sha256"]) == Changes(1, 1, 1, 1)
    assert changes(None, after, key="id", by=["sha256"]) == Changes(3, 0, 0, 0)
    assert changes(before, before, key="id", by=["sha256"]) == Changes(0, 0, 0, 3)


def test_every_stage_says_what_was_new_changed_removed_and_kept(gallery: Watched) -> None:
    gallery.refresh()
    assert gallery.summary("raw_dataset") == (8, 0, 0, 0)
    gallery.path("Anna_A/Anna_A_0.jpg").write_bytes(picture(77))
    gallery.path("Anna_A/Anna_A_9.jpg").write_bytes(picture(78))
    gallery.path("Bea_B/Bea_B_3.jpg").unlink()
    gallery.refresh()
    assert gallery.summary("raw_dataset") == (1, 1, 1, 6)
    assert (
        gallery.summary("artworks")
        == gallery.summary("sample")
        == gallery.summary("candidate")
        == (1, 1, 1, 6)
    )
    assert gallery.facts["scanned_files"]["files_read"] == 2
    assert (gallery.facts["embeddings"]["embedded"], gallery.facts["embeddings"]["embeddings_reused"]) == (
        2,
        6,
    )
    gallery.refresh()
    assert gallery.summary("raw_dataset") == (0, 0, 0, 8) and gallery.summary("candidate") == (0, 0, 0, 8)
    assert gallery.facts["scanned_files"]["files_read"] == 0


def test_a_corrected_artist_changes_works_and_no_picture(gallery: Watched) -> None:
    gallery.refresh()
    (gallery.root / "artists.csv").write_bytes(
        artists_csv({"Anna A": "1700 - 1750", "Bea B": "1840 - 1926", "Nobody Yet": "1840 - 1926"})
    )
    counts = gallery.refresh()
    assert gallery.summary("artists") == (0, 1, 0, 2)
    assert gallery.summary("artworks") == gallery.summary("sample") == (0, 0, 0, 8)
    assert gallery.summary("candidate") == (0, 4, 0, 4)
    assert (counts["images_uploaded"], counts["embedded"]) == (0, 0)


def test_another_thumbnail_size_makes_thumbnails_and_encodes_nothing(gallery: Watched) -> None:
    gallery.refresh()
    originals = {key for key in objects(gallery) if key.startswith("originals/")}
    counts = gallery.refresh(thumb_small=64)
    assert (counts["images_uploaded"], counts["embedded"]) == (8, 0)
    assert gallery.summary("artworks") == (0, 0, 0, 8) and gallery.summary("candidate") == (0, 8, 0, 0)
    assert {key for key in objects(gallery) if key.startswith("originals/")} == originals


def test_another_encoder_uploads_nothing_and_never_mixes(gallery: Watched) -> None:
    gallery.refresh()
    counts = gallery.refresh(encoder="fake://?dim=16", tolerance=1.0)
    assert (counts["images_uploaded"], counts["embedded"]) == (0, 8)
    prints = [(build.fingerprint, build.dim) for build in gallery.services.vectors.builds()]
    assert prints == [("fake/16/1", 16), ("fake/48/1", 48)]


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as opened:
        yield opened


def stale(gallery: Gallery, instance: dg.DagsterInstance, **given: Any) -> set[str]:
    """The assets that the UI would mark, with these settings."""
    graph = build_defs(Services(gallery.settings(**given))).resolve_asset_graph()
    resolver = CachingStaleStatusResolver(instance, graph, LoadingContextForTest(instance))
    return {
        key.to_user_string()
        for key in graph.get_all_asset_keys()
        if resolver.get_status(key) != StaleStatus.FRESH
    }


def test_the_ui_marks_what_a_setting_changes_and_nothing_else(
    gallery: Gallery, instance: dg.DagsterInstance
) -> None:
    run_refresh(gallery.services, lambda _: None, instance)
    for given, marked in [
        ({}, set()),
        ({"per_artist": 3}, {"sample"}),
        ({"sample_key": "other"}, {"sample"}),
        ({"thumb_small": 64}, {"images"}),
        ({"encoder": "fake://?dim=16"}, {"embeddings"}),
        ({"tolerance": 0.5}, {"evaluation"}),
        ({"vectors": "memory://another"}, {"candidate"}),
        ({"port": 9000, "workers": 1, "batch_size": 7}, set()),
    ]:
        assert stale(gallery, instance, **given) == marked, given


def test_a_run_that_finds_the_same_leaves_nothing_marked(
    gallery: Gallery, instance: dg.DagsterInstance
) -> None:
    services = gallery.services
    run_refresh(services, lambda _: None, instance)
    job = build_defs(services).resolve_implicit_global_asset_job_def()
    for names in (["raw_dataset", "artists"], ["artworks"], ["sample"]):
        selected = [dg.AssetKey(name) for name in names]
        assert job.execute_in_process(asset_selection=selected, instance=instance).success
    assert stale(gallery, instance) == set()


def test_a_corrected_artist_marks_artists_once_the_dataset_is_read(
    gallery: Gallery, instance: dg.DagsterInstance
) -> None:
    run_refresh(gallery.services, lambda _: None, instance)
    (gallery.root / "artists.csv").write_bytes(artists_csv(["Anna A", "Bea Bée", "Nobody Yet"]))
    job = build_defs(gallery.services).resolve_implicit_global_asset_job_def()
    job.execute_in_process(asset_selection=[dg.AssetKey("raw_dataset")], instance=instance)
    assert {"artists", "artworks", "sample"} == stale(gallery, instance)  # those that read the archive


# --- removals


def remove(gallery: Gallery, *names: str) -> None:
    for name in names:
        gallery.path(name).unlink()


def test_too_many_removals_stop_the_run_before_anything_is_published(gallery: Watched) -> None:
    build = gallery.refresh()["build"]
    remove(gallery, "Anna_A/Anna_A_0.jpg", "Anna_A/Anna_A_1.jpg")
    for _ in range(2):  # the second time too: what is live is what counts, not what the stopped run left
        with pytest.raises(
            RefreshFailed,
            match=r"artworks failed: 2 of the 8 live works \(25.0%\) are missing.*--allow-removals",
        ):
            gallery.refresh()
        assert "sample" not in gallery.facts
    live = gallery.services.vectors.live()
    assert live is not None and live.name == build and gallery.live_files() == set(FILES)
    counts = gallery.refresh(allow_removals=True)
    assert counts["indexed"] == 6 and len(gallery.live_files()) == 6


def test_the_share_is_a_setting_and_a_smaller_sample_removes_nothing(gallery: Watched) -> None:
    gallery.refresh()
    gallery.refresh(per_artist=1, max_removed=0.0)
    remove(gallery, "Anna_A/Anna_A_0.jpg", "Bea_B/Bea_B_0.jpg")
    gallery.refresh(max_removed=0.99)


def test_removals_can_be_allowed_in_the_launchpad(gallery: Gallery, instance: dg.DagsterInstance) -> None:
    gallery.refresh()
    remove(gallery, *[name for name in FILES if name.startswith("Bea")])
    job = build_defs(gallery.services).resolve_job_def("refresh")
    assert not job.execute_in_process(instance=instance, raise_on_error=False).success
    config = {"ops": {"artworks": {"config": {"allow_removals": True}}}}
    assert job.execute_in_process(run_config=config, instance=instance).success


# --- objects that nobody needs any more


def test_objects_of_a_removed_work_go_when_no_build_has_it_any_more(gallery: Watched) -> None:
    gallery.refresh()
    before = objects(gallery)
    remove(gallery, "Anna_A/Anna_A_0.jpg")
    gallery.refresh()
    assert (
        objects(gallery) == before and gallery.facts["image_cleanup"]["deleted"] == 0
    )  # the build before has it
    gallery.path("Bea_B/Bea_B_0.jpg").write_bytes(picture(79))
    gallery.refresh()
    assert gallery.facts["image_cleanup"]["deleted"] == 3
    gone = before - objects(gallery)
    assert len(gone) == 3 and len({key.rpartition("/")[2].partition(".")[0] for key in gone}) == 1
    for build in gallery.services.vectors.builds():
        record = load_manifest(gallery.services.tables, gallery.services.vectors, build.name)
        assert record is not None and set(record["small"]) | set(record["original"]) <= objects(gallery)


def test_an_object_that_we_did_not_put_into_a_build_is_left_alone(gallery: Watched) -> None:
    gallery.refresh(keep_builds=1)
    gallery.services.images.put("originals/zz/not-ours.jpg", b"x")
    gallery.services.images.put("notes.txt", b"x")
    gallery.path("Bea_B/Bea_B_0.jpg").write_bytes(picture(79))
    gallery.refresh(keep_builds=1)
    assert gallery.facts["image_cleanup"]["deleted"] == 3
    assert {"originals/zz/not-ours.jpg", "notes.txt"} <= objects(gallery)


def test_objects_of_a_file_that_became_unusable_are_kept(gallery: Watched) -> None:
    gallery.refresh(keep_builds=1)
    before = objects(gallery)
    honest = gallery.path("Anna_A/Anna_A_0.jpg").read_bytes()
    gallery.path("Anna_A/Anna_A_0.jpg").write_bytes(b"half a file")
    gallery.refresh(keep_builds=1, max_quarantine=0.5)
    assert (gallery.facts["image_cleanup"]["deleted"], gallery.facts["image_cleanup"]["spared"]) == (0, 3)
    assert objects(gallery) == before
    gallery.path("Anna_A/Anna_A_0.jpg").write_bytes(honest)
    assert gallery.refresh(keep_builds=1)["images_uploaded"] == 0
    remove(gallery, "Anna_A/Anna_A_0.jpg")  # and now it was seen to be gone
    gallery.refresh(keep_builds=1)
    assert gallery.facts["image_cleanup"]["deleted"] == 3


def test_a_build_without_a_record_stops_the_sweep(gallery: Watched) -> None:
    gallery.refresh()
    tables = gallery.services.tables
    for key in tables.sizes("builds/"):
        tables.delete(key)
    gallery.path("Bea_B/Bea_B_0.jpg").write_bytes(picture(79))
    gallery.refresh()
    assert "has no record" in gallery.facts["image_cleanup"]["obstacle"]
    gallery.path("Bea_B/Bea_B_0.jpg").write_bytes(picture(80))
    gallery.refresh()
    assert gallery.facts["image_cleanup"]["obstacle"] == "none"


def test_builds_of_another_vector_store_keep_their_objects(gallery: Watched, tmp_path: Path) -> None:
    gallery.refresh()
    before = objects(gallery)
    other = f"lance://{tmp_path / 'elsewhere'}"
    gallery.path("Bea_B/Bea_B_0.jpg").write_bytes(picture(79))
    for seed in (80, 81):
        gallery.path("Bea_B/Bea_B_1.jpg").write_bytes(picture(seed))
        gallery.refresh(vectors=other, keep_builds=1)
    assert before <= objects(gallery) and gallery.facts["image_cleanup"]["deleted"] == 3


def test_sweeping_twice_deletes_nothing_more(gallery: Watched) -> None:
    gallery.refresh(keep_builds=1)
    gallery.path("Bea_B/Bea_B_0.jpg").write_bytes(picture(79))
    gallery.refresh(keep_builds=1)
    services, left = gallery.services, objects(gallery)
    assert sweep(services.tables, services.images, services.vectors, workers=1, progress=print).deleted == 0
    assert objects(gallery) == left


# --- quarantine, and why


def test_the_quarantine_shows_reasons_and_what_can_be_seen(gallery: Watched) -> None:
    gallery.path("Anna_A/broken.jpg").write_bytes(b"not a picture")
    gallery.path("Anna_A/broken_2.jpg").write_bytes(b"nor this")
    stray = gallery.path("Nobody_Known/stray.jpg")
    stray.parent.mkdir()
    stray.write_bytes(picture(90))
    with pytest.raises(RefreshFailed, match="quarantine failed: 3 of 11 files are unusable"):
        gallery.refresh(max_quarantine=0.1)
    facts = gallery.facts["quarantine"]  # there although, and because, the run stopped here
    assert facts["quarantined"] == 3 and facts["by_reason"].count("\n") == 3
    assert "Nobody_Known/stray.jpg" in facts["files"] and facts["thumbnails"].startswith("![")
    frame = QUARANTINE.read(gallery.services.tables)
    assert len(frame) == 3 and frame["kind"].nunique() == 2
    assert gallery.refresh(max_quarantine=0.5)["quarantined"] == 3
    assert gallery.summary("quarantine") == (0, 0, 0, 3)


def test_why_names_objects_builds_and_runs(gallery: Watched) -> None:
    first = gallery.refresh()["build"]
    gallery.path("Bea_B/Bea_B_0.jpg").write_bytes(picture(79))
    second = gallery.refresh()["build"]
    (facts,) = trace(gallery.services, "Anna_A_1.jpg")
    assert facts["pictures"].count("bytes)") == 3
    assert facts["live"].startswith(f"in build {second}") and f"in build {first}" in facts["other_builds"]
    run = read_note(gallery.services.tables, "runs/live")["run"]
    assert facts["runs"].startswith(run) and f"made live by run {run}" in facts["live"]
    assert all(
        stage in facts["runs"] for stage in ("raw_dataset", "artworks", "images", "embeddings", "evaluation")
    )
    key = facts["pictures"].partition(" ")[0]
    gallery.services.images.delete(key)
    assert f"{key} (not there)" in trace(gallery.services, "Anna_A_1.jpg")[0]["pictures"]


def test_why_still_knows_a_file_that_is_gone_while_a_build_has_its_work(gallery: Watched) -> None:
    gallery.refresh()
    work = trace(gallery.services, "Anna_A_0.jpg")[0]["work"]
    remove(gallery, "Anna_A/Anna_A_0.jpg")
    gallery.refresh()
    (facts,) = trace(gallery.services, "Anna_A_0.jpg")
    assert facts["status"] == "gone: the archive has no such file any more" and facts["work"] == work
    assert facts["live"].startswith("not in") and facts["other_builds"].startswith("in build")


def test_why_tells_the_name_a_folder_had_and_has(gallery: Watched) -> None:
    (gallery.root / "artists.csv").write_bytes(artists_csv(["Anna A", "Béa B"]))
    folder = gallery.path("Bea_B")
    folder.rename(folder.with_name("BÃ©a_B"))
    gallery.refresh()
    (facts,) = trace(gallery.services, "Bea_B_1.jpg")
    assert facts["folder was"] == "BÃ©a B, now Béa B"
    assert "folder was" not in trace(gallery.services, "Anna_A_1.jpg")[0]


def test_metadata_is_readable_json_and_small(gallery: Watched) -> None:
    gallery.refresh(site_url="https://example.org/search")
    assert gallery.facts["published_collection"]["search_page"] == "https://example.org/search"
    for stage, facts in gallery.facts.items():
        assert len(json.dumps(facts)) < 200_000, stage


class _Silent(MemoryStore):
    """A store that does not say what is live."""

    error: type[Unavailable] = Unavailable

    def live(self) -> Build | None:
        raise self.error("no answer")


def test_a_live_build_that_cannot_be_asked_for_is_not_taken_for_none() -> None:
    store, tables = _Silent(), MemoryObjects()
    with pytest.raises(Unavailable):
        live_works(store, tables)
    with pytest.raises(Unavailable):
        live_or_none(store)
    store.error = Corrupted
    assert live_works(store, tables) == set() and live_or_none(store) is None
