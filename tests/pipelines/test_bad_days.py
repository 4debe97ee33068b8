"""Bad days: killed at random moments, no room on the disk, files cut in half, builds deleted by hand, a clock that jumps."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import pytest

from gallery.errors import GalleryError
from gallery.services import Services
from gallery.settings import Settings
from pipelines import lock as lease
from pipelines import steps
from pipelines.definitions import REFRESH, build_defs
from pipelines.orphans import report_the_dead
from pipelines.runner import run_refresh
from pipelines.tables import ARTWORKS
from tests.fakes.archives import picture
from tests.fakes.weaviate import StandIn
from tests.pipelines.bad_days import blows, faults, start
from tests.pipelines.test_lease import dead_pid, leave
from tests.pipelines.test_refresh import Gallery

FAKETIME = [
    Path(f"/usr/lib/{machine}-linux-gnu/faketime/libfaketime.so.1") for machine in ("x86_64", "aarch64")
]


@pytest.fixture
def gallery(tmp_path: Path, settings_with: Callable[..., Settings]) -> Gallery:
    return Gallery(tmp_path, settings_with)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "gallery-test", str(folder)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a tmpfs is not permitted here; it takes root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_refresh_killed_at_random_moments_loses_nothing(gallery: Gallery) -> None:
    assert len(list(blows(gallery, kills=3, seed=11))) == 3


def ballast(disk: Path, leaving: int) -> Path:
    """A file that leaves so many bytes free."""
    path = disk / "ballast"
    free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
    with path.open("wb") as file:
        for _ in range((free - leaving) // 4096):
            file.write(b"\0" * 4096)
    return path


def test_a_full_disk_stops_a_refresh_in_words_and_the_next_completes(
    gallery: Gallery, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "WAITS_S", ())
    services = Services(gallery.settings(home=small_disk / "home"))

    def refresh() -> str:
        # One instance for all runs: there may be no room to give the lease back, and then it is Dagster that knows.
        return str(run_refresh(services, lambda _: None, instance)["build"])

    with dg.DagsterInstance.ephemeral() as instance:
        before, stopped = refresh(), []
        for turn, leaving in enumerate((20_000, 60_000, 100_000)):
            for n in range(
                4
            ):  # as much again as all of the collection, so that room runs out somewhere on the way
                path = gallery.path(f"Anna_A/Anna_A_{n}.jpg")
                path.write_bytes(picture(100 * turn + n + 700, size=(480, 360)))
            filler = ballast(small_disk, leaving)
            with pytest.raises(GalleryError) as refused:
                refresh()
            stopped.append(str(refused.value))
            live = services.vectors.live()
            assert live is not None and live.name == before and faults(services) == []
            filler.unlink()
            before = refresh()
            assert faults(services) == []
    assert all("No space left" in words for words in stopped), stopped


@pytest.mark.parametrize("kind", ["parquet", "json"])
def test_all_files_of_the_tables_may_be_cut_in_half_and_the_next_refresh_mends_them(
    gallery: Gallery, kind: str
) -> None:
    build = gallery.refresh()["build"]
    tables = sorted((gallery.settings().home / "tables").rglob(f"*.{kind}"))
    assert len(tables) > 5
    for path in tables:
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    counts = gallery.refresh()
    assert (counts["build"], counts["indexed"], counts["images_uploaded"]) == (build, 8, 0)
    assert faults(gallery.services) == []


def test_a_parquet_cut_in_half_is_named_by_the_asset_that_reads_it_alone(gallery: Gallery) -> None:
    gallery.refresh()
    cut = gallery.settings().home / "tables" / ARTWORKS.key
    cut.write_bytes(cut.read_bytes()[:200])
    with pytest.raises(
        GalleryError, match=r"table artworks in .* cannot be read .*materialize its asset again"
    ):
        ARTWORKS.read(gallery.services.tables)


@pytest.mark.parametrize("jump", ["-400d", "+400d"])
def test_a_refresh_whose_clock_is_a_year_off_publishes_and_the_next_one_goes_on(
    gallery: Gallery, jump: str
) -> None:
    library = next((path for path in FAKETIME if path.exists()), None)
    if library is None:
        pytest.skip("libfaketime is not installed; apt-get install faketime")
    former = gallery.refresh()["build"]
    gallery.path("Anna_A/Anna_A_0.jpg").write_bytes(picture(900))
    process = start(gallery, LD_PRELOAD=str(library), FAKETIME=jump, FAKETIME_DONT_FAKE_MONOTONIC="1")
    _, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    elsewhen = gallery.services.vectors.live()
    assert elsewhen is not None and elsewhen.name != former and faults(gallery.services) == []
    gallery.path("Anna_A/Anna_A_1.jpg").write_bytes(picture(901))
    assert gallery.refresh()["build"] not in (former, elsewhen.name)
    assert faults(gallery.services) == []


# --- A run that died with everything that watched it


def started(instance: dg.DagsterInstance, services: Services) -> dg.DagsterRun:
    """A run that Dagster takes for a living one."""
    run = instance.create_run_for_job(build_defs(services).resolve_job_def(REFRESH))
    instance.report_engine_event("it lives", run)
    instance.handle_new_event(
        dg.EventLogEntry(
            error_info=None,
            level=20,
            user_message="",
            run_id=run.run_id,
            timestamp=time.time(),
            job_name=run.job_name,
            dagster_event=dg.DagsterEvent(dg.DagsterEventType.RUN_START.value, run.job_name),
        )
    )
    return run


def status(instance: dg.DagsterInstance, run: dg.DagsterRun) -> dg.DagsterRunStatus:
    found = instance.get_run_by_id(run.run_id)
    assert found is not None
    return found.status


def test_a_run_whose_process_is_gone_is_ended_so_that_queued_ones_can_start(gallery: Gallery) -> None:
    services = gallery.services
    with dg.DagsterInstance.ephemeral() as instance:
        run = started(instance, services)
        leave(services.tables, run.run_id, machine=lease.machine(), pid=dead_pid())
        assert status(instance, run) == dg.DagsterRunStatus.STARTED
        report_the_dead(instance, services.tables, None)
        assert status(instance, run) == dg.DagsterRunStatus.FAILURE


def test_a_living_run_is_never_ended_whatever_the_clock_says(gallery: Gallery) -> None:
    services = gallery.services
    with dg.DagsterInstance.ephemeral() as instance:
        run = started(instance, services)
        with lease.held(services.tables, run.run_id):
            for _ in range(2):
                found = report_the_dead(instance, services.tables, None)
                assert isinstance(found, dg.SensorResult) and found.cursor
        leave(
            services.tables, run.run_id, renewed=time.time() - 10_000
        )  # on another machine, whose clock may be wrong
        first = report_the_dead(instance, services.tables, None)
        leave(services.tables, run.run_id, renewed=time.time() - 9_980)  # it has renewed its lease since
        assert isinstance(first, dg.SensorResult)
        second = report_the_dead(instance, services.tables, first.cursor)
        assert isinstance(second, dg.SensorResult) and status(instance, run) == dg.DagsterRunStatus.STARTED
        report_the_dead(instance, services.tables, second.cursor)  # and now it has not
        assert status(instance, run) == dg.DagsterRunStatus.FAILURE


def test_a_lease_that_nobody_holds_or_another_dagster_knows_of_ends_no_run(gallery: Gallery) -> None:
    services = gallery.services
    with dg.DagsterInstance.ephemeral() as instance:
        assert isinstance(report_the_dead(instance, services.tables, None), dg.SkipReason)
        leave(services.tables, "elsewhere", machine=lease.machine(), pid=dead_pid())
        assert isinstance(report_the_dead(instance, services.tables, None), dg.SkipReason)


def test_a_weaviate_collection_deleted_under_its_alias_is_built_anew_and_nothing_encoded(
    gallery: Gallery,
) -> None:
    with StandIn() as server:
        address = f"{server.address}&timeout=5"
        gallery.refresh(vectors=address)
        gallery.path("Anna_A/Anna_A_0.jpg").write_bytes(picture(950))
        build = gallery.refresh(vectors=address)["build"]
        services = Services(gallery.settings(vectors=address))
        assert faults(services) == []
        del server.data.collections[f"Artwork_{build}"]
        with pytest.raises(GalleryError):
            services.vectors.open(build).count()
        counts = gallery.refresh(vectors=address)
        assert (counts["indexed"], counts["embedded"]) == (8, 0)
        assert faults(Services(gallery.settings(vectors=address))) == []
