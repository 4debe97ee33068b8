"""The sensors: a new dataset version, and runs whose process died."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.sensor_definition import SensorType
from dagster._core.remote_origin import (
    RegisteredCodeLocationOrigin,
    RemoteInstigatorOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    InstigatorType,
    SensorInstigatorData,
)

from gallery.errors import Invalid, Unavailable
from gallery.services import Services
from pipelines import lock
from pipelines.definitions import build_defs
from pipelines.defs.collection.rollback import list_builds
from pipelines.jobs import REFRESH
from pipelines.resources import LOCK_OWNER_TAG, add_code_location
from pipelines.sensors import check_version, fail_orphaned_run
from tests.fakes.archives import picture
from tests.fakes.gallery import Gallery
from tests.fakes.locks import dead_pid, leave_record, renew_record


def run(services: Services, instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    job = build_defs(services).resolve_job_def(REFRESH)
    return job.execute_in_process(instance=instance, raise_on_error=False)


def sensor(services: Services, name: str) -> Any:
    return next(found for found in build_defs(services).sensors or [] if found.name == name)


def test_the_sensors_are_on_from_the_start(gallery: Gallery) -> None:
    found = {found.name: found for found in build_defs(gallery.services).sensors or []}
    assert set(found) == {"new_dataset_version", "fail_orphaned_runs", "failure_alert"}
    assert {one.default_status for one in found.values()} == {dg.DefaultSensorStatus.RUNNING}
    assert found["new_dataset_version"].minimum_interval_seconds == 3600
    assert found["new_dataset_version"].job_name == REFRESH


@pytest.mark.parametrize("name", ["new_dataset_version", "fail_orphaned_runs"])
def test_a_tick_uses_the_resource_without_the_lock(gallery: Gallery, name: str) -> None:
    services = gallery.services
    with (
        dg.DagsterInstance.ephemeral() as instance,
        dg.build_sensor_context(
            instance=instance, definitions=build_defs(services), resources={"unlocked_services": services}
        ) as context,
    ):
        tick = sensor(services, name).evaluate_tick(context)
    assert tick.run_requests if name == "new_dataset_version" else tick.skip_message


# --- A new version of the dataset


def test_each_version_starts_one_run(gallery: Gallery) -> None:
    first = check_version(gallery.services, None)
    assert isinstance(first, dg.SensorResult) and first.run_requests
    assert [request.run_key for request in first.run_requests] == [first.cursor]
    again = check_version(gallery.services, first.cursor)
    assert isinstance(again, dg.SensorResult) and not again.run_requests and again.cursor == first.cursor
    gallery.path("Anna_A/new.jpg").write_bytes(picture(9))
    newer = check_version(gallery.services, first.cursor)
    assert isinstance(newer, dg.SensorResult) and newer.run_requests and newer.cursor != first.cursor


def test_a_sensor_without_a_cursor_does_not_refresh_the_version_that_is_live(gallery: Gallery) -> None:
    gallery.refresh()
    result = check_version(gallery.services, None)
    assert isinstance(result, dg.SensorResult) and not result.run_requests and result.cursor


def test_a_version_with_the_content_that_is_live_is_not_refreshed_again(
    built_gallery: Gallery, tmp_path: Path
) -> None:
    """The build is reused, and names the dataset that it was first made from."""
    moved = f"file://{shutil.copytree(built_gallery.root, tmp_path / 'moved')}"
    build = built_gallery.refresh(dataset=moved)["build"]
    services = Services(built_gallery.settings(dataset=moved))
    assert build == built_gallery.first["build"]
    assert [found["dataset"] for found in list_builds(services.vectors, services.tables)] == [moved]
    result = check_version(services, None)
    assert isinstance(result, dg.SensorResult) and not result.run_requests


def test_a_dataset_that_does_not_answer_is_asked_later(
    gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = gallery.services

    def fail() -> str:
        raise Unavailable("the hub does not answer")

    monkeypatch.setattr(services.dataset, "version", fail)
    result = check_version(services, "cursor")
    assert isinstance(result, dg.SkipReason) and "the hub does not answer" in str(result.skip_message)


def test_an_unreadable_archive_fails_the_tick(gallery: Gallery) -> None:
    archive = gallery.root / "archive.zip"
    archive.write_bytes(b"PK not a zip")
    with pytest.raises(Invalid, match="cannot be read as a zip"):
        check_version(Services(gallery.settings(dataset=f"file://{archive}")), "cursor")


# --- Runs whose process died


def started_run(instance: dg.DagsterInstance, services: Services, **tags: str) -> dg.DagsterRun:
    """Return a run that Dagster shows as started."""
    run = instance.create_run_for_job(build_defs(services).resolve_job_def(REFRESH), tags=tags)
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
    assert status(instance, run) == dg.DagsterRunStatus.STARTED
    return run


def status(instance: dg.DagsterInstance, run: dg.DagsterRun) -> dg.DagsterRunStatus:
    found = instance.get_run_by_id(run.run_id)
    assert found is not None
    return found.status


def test_a_run_whose_process_died_on_this_machine_fails_at_once(gallery: Gallery) -> None:
    services = gallery.services
    with dg.DagsterInstance.ephemeral() as instance:
        run = started_run(instance, services)
        leave_record(services.tables, run.run_id, machine=lock.machine_id(), pid=dead_pid())
        fail_orphaned_run(instance, services.tables, None, 0)
        assert status(instance, run) == dg.DagsterRunStatus.FAILURE


def test_a_run_is_found_by_the_owner_in_its_tag(gallery: Gallery) -> None:
    services = gallery.services
    with dg.DagsterInstance.ephemeral() as instance:
        run = started_run(instance, services, **{LOCK_OWNER_TAG: "a command"})
        leave_record(services.tables, "a command", machine=lock.machine_id(), pid=dead_pid())
        fail_orphaned_run(instance, services.tables, None, 0)
        assert status(instance, run) == dg.DagsterRunStatus.FAILURE


def test_a_run_whose_lock_was_taken_over_fails(gallery: Gallery) -> None:
    services = gallery.services
    with dg.DagsterInstance.ephemeral() as instance:
        run, finished, newest = (started_run(instance, services) for _ in range(3))
        leave_record(services.tables, run.run_id)
        leave_record(services.tables, finished.run_id, released=True)
        leave_record(services.tables, newest.run_id)
        fail_orphaned_run(instance, services.tables, None, 0)
        states = [status(instance, one) for one in (run, finished, newest)]
        assert states == [dg.DagsterRunStatus.FAILURE, *[dg.DagsterRunStatus.STARTED] * 2]


def test_a_run_of_a_command_gets_the_code_location_of_the_daemon_and_is_not_started_again(
    gallery: Gallery, tmp_path: Path
) -> None:
    job = build_defs(gallery.services).resolve_job_def(REFRESH)
    location = RegisteredCodeLocationOrigin("gallery")
    origin = RemoteInstigatorOrigin(RemoteRepositoryOrigin(location, "__repository__"), "failure_alert")
    state = InstigatorState(
        origin,
        InstigatorType.SENSOR,
        InstigatorStatus.DECLARED_IN_CODE,
        SensorInstigatorData(sensor_type=SensorType.RUN_STATUS),
    )
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        first, second = (instance.create_run_for_job(job) for _ in range(2))
        add_code_location(instance, first)  # no daemon has run yet
        instance.add_instigator_state(state)
        add_code_location(instance, second)
        runs = {run.run_id: run for run in instance.get_runs()}
    assert runs[first.run_id].remote_job_origin is None
    found = runs[second.run_id]
    assert found.remote_job_origin is not None and found.remote_job_origin.location_name == "gallery"
    assert found.tags["dagster/max_retries"] == "0" and "gallery" in found.tags[".dagster/repository"]


def test_a_live_run_is_not_failed_whatever_the_clocks_say(gallery: Gallery) -> None:
    services = gallery.services
    with dg.DagsterInstance.ephemeral() as instance:
        run = started_run(instance, services)

        def tick(cursor: str | None, now: float) -> str | None:
            result = fail_orphaned_run(instance, services.tables, cursor, now)
            assert isinstance(result, dg.SensorResult)
            return result.cursor

        leave_record(services.tables, run.run_id, renewed_at=-10_000)  # its machine's clock is wrong
        cursor = tick(None, 0)
        renew_record(services.tables, run.run_id, -9_980)
        cursor = tick(cursor, lock.TTL_S + 10)
        cursor = tick(cursor, lock.TTL_S + 20)
        assert cursor and status(instance, run) == dg.DagsterRunStatus.STARTED
        tick(cursor, 2 * lock.TTL_S + 10)  # not renewed for the TTL
        assert status(instance, run) == dg.DagsterRunStatus.FAILURE


def test_without_a_lock_or_with_that_of_another_dagster_no_run_is_failed(gallery: Gallery) -> None:
    tables = gallery.services.tables
    with dg.DagsterInstance.ephemeral() as instance:
        assert isinstance(fail_orphaned_run(instance, tables, None, 0), dg.SkipReason)
        leave_record(tables, "elsewhere", machine=lock.machine_id(), pid=dead_pid())
        assert isinstance(fail_orphaned_run(instance, tables, None, 0), dg.SkipReason)
