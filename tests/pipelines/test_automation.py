"""What starts runs and looks after them when nobody does: schedule, version sensor, failure report, clearing up."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from gallery.errors import Invalid, Unavailable
from gallery.services import Services
from gallery.settings import Settings
from pipelines import lock as lease
from pipelines import maintenance, sensors, steps
from pipelines.definitions import build_defs
from pipelines.runner import run_refresh
from pipelines.sensors import ask_for_version
from tests.fakes.archives import artists_csv, picture, write_zip

FILES = {f"A/{n}.jpg": picture(n) for n in range(3)}

TWO_ARTISTS = {
    f"{folder}/{folder}_{n}.jpg": picture(10 * place + n)
    for place, folder in enumerate(["Anna_A", "Bea_B"])
    for n in range(4)
}


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return write_zip(tmp_path / "a.zip", FILES, artists_csv(["A"]))


@pytest.fixture
def services(archive: Path, settings_with: Callable[..., Settings]) -> Services:
    return Services(settings_with(dataset=f"file://{archive}"))


def run(services: Services, instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    return (
        build_defs(services)
        .resolve_job_def("refresh")
        .execute_in_process(instance=instance, raise_on_error=False)
    )


# --- The schedule


def test_a_refresh_is_scheduled_weekly_in_utc_and_switched_on(services: Services) -> None:
    schedule = build_defs(services).resolve_schedule_def("refresh_schedule")
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("0 3 * * 1", "UTC")
    assert schedule.default_status == dg.DefaultScheduleStatus.RUNNING and schedule.job_name == "refresh"


def test_the_schedule_can_be_another_or_off(settings_with: Callable[..., Settings]) -> None:
    daily = build_defs(Services(settings_with(schedule="15 2 * * *")))
    assert daily.resolve_schedule_def("refresh_schedule").cron_schedule == "15 2 * * *"
    off = build_defs(Services(settings_with(schedule="off")))
    assert "refresh_schedule" not in {schedule.name for schedule in off.schedules or []}


def test_a_schedule_that_is_none_is_said(settings_with: Callable[..., Settings]) -> None:
    with pytest.raises(Invalid, match="GALLERY_SCHEDULE"):
        settings_with(schedule="weekly")
    with pytest.raises(Invalid, match=r"'61 3 . . 1' is no cron expression; write minute, hour"):
        build_defs(Services(settings_with(schedule="61 3 * * 1")))


def test_live_has_a_freshness_policy_and_nothing_else_does(settings_with: Callable[..., Settings]) -> None:
    graph = build_defs(Services(settings_with(stale_after=10))).resolve_asset_graph()
    policies = {
        key.to_user_string(): graph.get(key).freshness_policy_or_from_metadata
        for key in graph.get_all_asset_keys()
        if graph.get(key).freshness_policy_or_from_metadata
    }
    assert list(policies) == ["live"]
    policy = policies["live"]
    assert policy.fail_window.to_timedelta().days == 10 and policy.warn_window.to_timedelta().days == 5


# --- A new version of the dataset


def test_a_version_starts_one_run_and_the_next_question_none(services: Services, archive: Path) -> None:
    first = ask_for_version(services, None)
    assert isinstance(first, dg.SensorResult) and first.run_requests
    assert [request.run_key for request in first.run_requests] == [first.cursor]
    again = ask_for_version(services, first.cursor)
    assert isinstance(again, dg.SensorResult) and not again.run_requests and again.cursor == first.cursor
    write_zip(archive, {**FILES, "A/new.jpg": picture(9)}, artists_csv(["A"]))
    newer = ask_for_version(services, first.cursor)
    assert isinstance(newer, dg.SensorResult) and newer.run_requests and newer.cursor != first.cursor


def test_what_is_live_already_is_not_fetched_again_by_a_sensor_without_memory(services: Services) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        run_refresh(services, lambda _: None, instance)
    answer = ask_for_version(services, None)
    assert isinstance(answer, dg.SensorResult) and not answer.run_requests and answer.cursor


def test_a_dataset_that_does_not_answer_is_asked_later(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone() -> str:
        raise Unavailable("the hub does not answer")

    monkeypatch.setattr(services.dataset, "version", gone)
    answer = ask_for_version(services, "seen")
    assert isinstance(answer, dg.SkipReason) and "the hub does not answer" in str(answer.skip_message)


def test_an_archive_that_is_none_fails_the_tick_and_the_next_one_asks_again(
    services: Services, archive: Path
) -> None:
    archive.write_bytes(b"PK no zip")
    with pytest.raises(Invalid, match="cannot be read as a zip"):
        ask_for_version(services, "seen")


def test_the_sensors_are_on_from_the_start_and_ask_once_an_hour(services: Services) -> None:
    found = {sensor.name: sensor for sensor in build_defs(services).sensors or []}
    assert set(found) == {"new_dataset_version", "run_died", "run_failed", "run_success", "run_canceled"}
    assert {sensor.default_status for sensor in found.values()} == {dg.DefaultSensorStatus.RUNNING}
    asked = found["new_dataset_version"]
    assert asked.minimum_interval_seconds == 3600 and asked.job_name == "refresh"
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_sensor_context(instance=instance, definitions=build_defs(services))
        data = asked.evaluate_tick(context)
    assert len(data.run_requests or []) == 1 and data.cursor


# --- A run that failed


class Hook:
    """A web address that remembers what was posted to it."""

    def __init__(self, answer: int) -> None:
        self.posted: list[dict[str, Any]] = []
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                hook.posted.append(json.loads(self.rfile.read(length)))
                self.send_response(answer)
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
def hook() -> Iterator[Callable[[int], Hook]]:
    hooks: list[Hook] = []

    def make(answer: int) -> Hook:
        hooks.append(Hook(answer))
        return hooks[-1]

    yield make
    for made in hooks:
        made.close()


def failed_run(services: Services, instance: dg.DagsterInstance) -> dg.RunFailureSensorContext:
    """The context of the failure sensor after a run of an archive that cannot be read."""
    result = run(services, instance)
    assert not result.success
    (event,) = [event for event in result.all_events if event.event_type == dg.DagsterEventType.RUN_FAILURE]
    return dg.build_run_status_sensor_context(
        sensor_name="run_failed",
        dagster_event=event,
        dagster_instance=instance,
        dagster_run=result.dagster_run,
    ).for_run_failure()


def tell(services: Services, instance: dg.DagsterInstance) -> None:
    """What the daemon does after a failed run."""
    sensor = next(sensor for sensor in build_defs(services).sensors or [] if sensor.name == "run_failed")
    sensor(failed_run(services, instance))


def with_hook(
    services: Services, archive: Path, settings_with: Callable[..., Settings], address: str
) -> Services:
    archive.write_bytes(b"PK no zip")
    return Services(settings_with(dataset=f"file://{archive}", webhook=address))


def test_a_failed_run_is_told_with_what_failed_and_what_to_do(
    services: Services, archive: Path, settings_with: Callable[..., Settings], hook: Callable[[int], Hook]
) -> None:
    there = hook(204)
    with dg.DagsterInstance.ephemeral() as instance:
        tell(with_hook(services, archive, settings_with, there.address), instance)
    (facts,) = there.posted
    assert facts["job"] == "refresh" and [failure["step"] for failure in facts["failures"]] == ["dataset"]
    assert "cannot be read as a zip" in facts["text"] and "What is live has not changed." in facts["text"]
    assert "Traceback" not in facts["text"]


def test_of_a_check_that_failed_it_is_told_what_it_found(services: Services, archive: Path) -> None:
    write_zip(archive, TWO_ARTISTS, artists_csv(["Anna A", "Bea B"]))
    with dg.DagsterInstance.ephemeral() as instance:
        assert run(services, instance).success
        worse = Services(services.settings.model_copy(update={"encoder": "fake://?dim=2", "tolerance": 0.0}))
        facts = sensors.failure_facts(failed_run(worse, instance))
    (found,) = [
        failure for failure in facts["failures"] if failure["step"] == "evaluation, no_worse_than_live"
    ]
    assert "the live build's" in found["error"] and found["error"] in facts["text"]


@pytest.mark.parametrize("answer", [404, 500])
def test_a_webhook_that_refuses_stops_nothing_and_is_not_named(
    services: Services,
    archive: Path,
    settings_with: Callable[..., Settings],
    hook: Callable[[int], Hook],
    caplog: pytest.LogCaptureFixture,
    answer: int,
) -> None:
    there = hook(answer)
    with dg.DagsterInstance.ephemeral() as instance:
        tell(with_hook(services, archive, settings_with, there.address), instance)
    assert len(there.posted) == 1 and f"answered {answer}" in caplog.text
    assert "hidden-token" not in caplog.text


@pytest.mark.parametrize("address", ["http://127.0.0.1:1/hidden-token", "no address/hidden-token"])
def test_a_webhook_that_is_not_there_stops_nothing_and_is_not_named(
    services: Services,
    archive: Path,
    settings_with: Callable[..., Settings],
    caplog: pytest.LogCaptureFixture,
    address: str,
) -> None:
    caplog.set_level(logging.INFO)
    sensors.post(settings_with(webhook=address), {"text": "x"})
    assert "could not be told of a failed run" in caplog.text and "hidden-token" not in caplog.text


def test_the_end_of_a_run_gives_its_lease_back(services: Services) -> None:
    with lease.held(services.tables, "run", spread=True):
        pass
    sensors.give_back(services, "run")
    with lease.held(services.tables, "next"):
        pass


# --- Trying again


def attempts(
    services: Services, monkeypatch: pytest.MonkeyPatch, error: Exception, times: int
) -> tuple[int, bool]:
    """How often `artists` is tried where it raises so many times, and whether the run succeeds in the end."""
    monkeypatch.setattr(steps, "WAITS_S", (0.0, 0.0))
    real, tried = services.dataset.fetch, 0

    def fetch(*args: Any) -> Any:
        nonlocal tried
        tried += 1
        if tried <= times:
            raise error
        return real(*args)

    monkeypatch.setattr(services.dataset, "fetch", fetch)
    with dg.DagsterInstance.ephemeral() as instance:
        result = run(services, instance)
    return tried, result.success


def test_what_may_heal_is_tried_again(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    tried, success = attempts(services, monkeypatch, Unavailable("not now"), 2)
    assert success and tried > 2


def test_what_does_not_heal_in_time_fails_with_its_own_words(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert attempts(services, monkeypatch, Unavailable("not now"), 99) == (3, False)


def test_what_will_not_heal_is_tried_once(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    assert attempts(services, monkeypatch, Invalid("never"), 99) == (1, False)


def test_a_step_that_takes_too_long_is_stopped_and_tried_again(
    archive: Path, settings_with: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    services = Services(settings_with(dataset=f"file://{archive}", step_limit=1))
    monkeypatch.setattr(steps, "WAITS_S", (0.0,))
    tried: list[int] = []

    def hang() -> str:
        tried.append(1)
        threading.Event().wait(60)
        return "never"

    monkeypatch.setattr(services.dataset, "version", hang)
    with dg.DagsterInstance.ephemeral() as instance:
        result = run(services, instance)
        (failure,) = [event for event in result.all_events if event.is_step_failure]
    assert len(tried) == 2
    assert "stopped after 1 s (GALLERY_STEP_LIMIT)" in failure.step_failure_data.error.to_string()


def test_every_step_goes_through_the_one_place_for_errors(services: Services) -> None:
    graph = build_defs(services).resolve_job_def("refresh").graph
    ops = list(graph.iterate_op_defs())
    assert len(ops) > 10
    for op in ops:
        body = op.compute_fn.decorated_fn  # type: ignore[union-attr]
        assert hasattr(body, "__wrapped__") and body.__code__.co_filename == steps.__file__, op.name


# --- Old runs


def test_records_of_old_runs_go_but_not_those_the_assets_hang_on(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        runs = [run(services, instance).run_id for _ in range(3)]
        assert maintenance.old_runs(instance, days=1) == []
        assert maintenance.old_runs(instance, days=0) == runs[:2]  # the last one made what there is
        monkeypatch.setattr(maintenance, "old_runs", lambda _, days: runs[:2] if days == 180 else [])
        assert maintenance.forget_old_runs.execute_in_process(instance=instance).success
        left = {record.run_id for record in instance.get_runs() if record.job_name == "refresh"}
        assert left == {runs[2]}
        assert instance.get_latest_materialization_event(dg.AssetKey("live")) is not None


def test_runs_are_kept_for_ever_where_that_is_asked(settings_with: Callable[..., Settings]) -> None:
    names = {schedule.name for schedule in build_defs(Services(settings_with(keep_runs=0))).schedules or []}
    assert "forget_old_runs_schedule" not in names
