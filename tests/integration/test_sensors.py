"""The sensors: a new dataset version, runs whose process died, and reports of failed runs."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import dagster as dg
import pytest

from gallery.errors import Invalid, Unavailable
from gallery.services import Services
from gallery.settings import Settings
from pipelines import lock, sensors
from pipelines.definitions import build_defs
from pipelines.jobs import REFRESH
from pipelines.resources import LOCK_OWNER_TAG
from pipelines.sensors import check_version, fail_orphaned_run
from tests.fakes.archives import picture
from tests.fakes.gallery import Gallery
from tests.fakes.locks import dead_pid, leave_record


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
        fail_orphaned_run(instance, services.tables, None)
        assert status(instance, run) == dg.DagsterRunStatus.FAILURE


def test_a_run_is_found_by_the_owner_in_its_tag(gallery: Gallery) -> None:
    services = gallery.services
    with dg.DagsterInstance.ephemeral() as instance:
        run = started_run(instance, services, **{LOCK_OWNER_TAG: "a command"})
        leave_record(services.tables, "a command", machine=lock.machine_id(), pid=dead_pid())
        fail_orphaned_run(instance, services.tables, None)
        assert status(instance, run) == dg.DagsterRunStatus.FAILURE


def test_a_live_run_is_not_failed_whatever_the_clocks_say(gallery: Gallery) -> None:
    services = gallery.services
    with dg.DagsterInstance.ephemeral() as instance:
        run = started_run(instance, services)
        with lock.acquire(services.tables, run.run_id):
            for _ in range(2):
                result = fail_orphaned_run(instance, services.tables, None)
                assert isinstance(result, dg.SensorResult) and result.cursor
        # On another machine, whose clock may be wrong.
        leave_record(services.tables, run.run_id, renewed_at=time.time() - 10_000)
        first = fail_orphaned_run(instance, services.tables, None)
        assert isinstance(first, dg.SensorResult)
        leave_record(services.tables, run.run_id, renewed_at=time.time() - 9_980)  # renewed since
        second = fail_orphaned_run(instance, services.tables, first.cursor)
        assert isinstance(second, dg.SensorResult) and status(instance, run) == dg.DagsterRunStatus.STARTED
        fail_orphaned_run(instance, services.tables, second.cursor)  # not renewed since
        assert status(instance, run) == dg.DagsterRunStatus.FAILURE


def test_without_a_lock_or_with_that_of_another_dagster_no_run_is_failed(gallery: Gallery) -> None:
    tables = gallery.services.tables
    with dg.DagsterInstance.ephemeral() as instance:
        assert isinstance(fail_orphaned_run(instance, tables, None), dg.SkipReason)
        leave_record(tables, "elsewhere", machine=lock.machine_id(), pid=dead_pid())
        assert isinstance(fail_orphaned_run(instance, tables, None), dg.SkipReason)


# --- Failed runs


class Webhook:
    """A local web server that keeps what is posted to it."""

    def __init__(self, status: int) -> None:
        self.reports: list[dict[str, Any]] = []
        webhook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                webhook.reports.append(json.loads(self.rfile.read(length)))
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                return

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}/hidden-token"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def webhook() -> Iterator[Callable[[int], Webhook]]:
    """Return a function that starts a webhook which answers with a status."""
    started: list[Webhook] = []

    def start(status: int) -> Webhook:
        started.append(Webhook(status))
        return started[-1]

    yield start
    for one in started:
        one.close()


@pytest.fixture
def broken(gallery: Gallery) -> Callable[..., Services]:
    """Return a function that opens services whose archive is not a zip."""
    archive = gallery.root / "archive.zip"
    archive.write_bytes(b"PK not a zip")
    return lambda **given: Services(gallery.settings(dataset=f"file://{archive}", **given))


def failure_context(services: Services, instance: dg.DagsterInstance) -> dg.RunFailureSensorContext:
    """Run a refresh that fails, and return what the daemon passes to the failure sensor."""
    result = run(services, instance)
    assert not result.success
    (event,) = [event for event in result.all_events if event.event_type == dg.DagsterEventType.RUN_FAILURE]
    context = dg.build_run_status_sensor_context(
        sensor_name="failure_alert",
        dagster_event=event,
        dagster_instance=instance,
        dagster_run=result.dagster_run,
        resources={"unlocked_services": services},
    )
    return context.for_run_failure()


def test_a_report_says_what_failed_and_what_to_do(
    broken: Callable[..., Services], webhook: Callable[[int], Webhook]
) -> None:
    receiver = webhook(204)
    services = broken(webhook=receiver.address)
    with dg.DagsterInstance.ephemeral() as instance:
        sensor(services, "failure_alert")(failure_context(services, instance))
    (report,) = receiver.reports
    assert report["job"] == REFRESH and len(report["failures"]) == 1
    assert "cannot be read as a zip" in report["failures"][0]["error"]
    assert "cannot be read as a zip" in report["text"] and "live collection has not changed" in report["text"]
    assert "Traceback" not in report["text"]


def test_the_report_of_a_failed_check_says_what_it_found(gallery: Gallery) -> None:
    gallery.refresh()
    worse = Services(gallery.settings(encoder="fake://?dim=2", tolerance=0.0))
    with dg.DagsterInstance.ephemeral() as instance:
        report = sensors.failure_report(failure_context(worse, instance))
    (failure,) = [one for one in report["failures"] if one["step"] == "evaluation, not_below_live"]
    assert "in the live build" in failure["error"] and failure["error"] in report["text"]


@pytest.mark.parametrize("status", [404, 500])
def test_a_webhook_that_answers_with_an_error_stops_nothing_and_its_address_is_not_logged(
    broken: Callable[..., Services],
    webhook: Callable[[int], Webhook],
    caplog: pytest.LogCaptureFixture,
    status: int,
) -> None:
    receiver = webhook(status)
    sensors.post(broken(webhook=receiver.address).settings, {"text": "x"})
    assert len(receiver.reports) == 1 and f"status {status}" in caplog.text
    assert "hidden-token" not in caplog.text


@pytest.mark.parametrize("address", ["http://127.0.0.1:1/hidden-token", "no address/hidden-token"])
def test_a_webhook_that_cannot_be_reached_stops_nothing_and_its_address_is_not_logged(
    settings_with: Callable[..., Settings], caplog: pytest.LogCaptureFixture, address: str
) -> None:
    caplog.set_level(logging.INFO)
    sensors.post(settings_with(webhook=address), {"text": "x"})
    assert "could not send a failure report" in caplog.text and "hidden-token" not in caplog.text
