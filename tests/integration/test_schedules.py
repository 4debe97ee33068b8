"""Schedules, freshness, and the deletion of records of old runs."""

from __future__ import annotations

from collections.abc import Callable

import dagster as dg
import pytest

from gallery.errors import Invalid
from gallery.services import Services
from gallery.settings import Settings
from pipelines import jobs
from pipelines.definitions import build_defs
from pipelines.reporting import asset_key
from tests.fakes.gallery import Gallery


def names(settings: Settings) -> set[str]:
    return {schedule.name for schedule in build_defs(Services(settings)).schedules or []}


def test_a_refresh_is_scheduled_weekly_in_utc(settings_with: Callable[..., Settings]) -> None:
    schedule = build_defs(Services(settings_with())).resolve_schedule_def("refresh_schedule")
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("0 3 * * 1", "UTC")
    assert schedule.default_status == dg.DefaultScheduleStatus.RUNNING and schedule.job_name == "refresh"


def test_the_schedule_can_be_changed_or_off(settings_with: Callable[..., Settings]) -> None:
    daily = build_defs(Services(settings_with(schedule="15 2 * * *")))
    assert daily.resolve_schedule_def("refresh_schedule").cron_schedule == "15 2 * * *"
    assert names(settings_with(schedule="off")) == {"delete_old_runs_schedule"}


def test_an_invalid_schedule_is_reported_with_an_example(settings_with: Callable[..., Settings]) -> None:
    with pytest.raises(Invalid, match="GALLERY_SCHEDULE"):
        settings_with(schedule="weekly")
    with pytest.raises(Invalid, match=r"'61 3 . . 1' is not a cron expression; write minute, hour"):
        build_defs(Services(settings_with(schedule="61 3 * * 1")))


def test_only_the_live_collection_has_a_freshness_policy(settings_with: Callable[..., Settings]) -> None:
    graph = build_defs(Services(settings_with(stale_after=10))).resolve_asset_graph()
    policies = {key: graph.get(key).freshness_policy_or_from_metadata for key in graph.get_all_asset_keys()}
    ((key, policy),) = [(key, policy) for key, policy in policies.items() if policy]
    assert key == asset_key("published_collection")
    assert policy.fail_window.to_timedelta().days == 10 and policy.warn_window.to_timedelta().days == 5


@pytest.mark.slow
def test_records_of_old_runs_are_deleted_but_not_the_latest_of_an_asset(
    gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        refresh = build_defs(gallery.services).resolve_job_def("refresh")
        runs = [refresh.execute_in_process(instance=instance).run_id for _ in range(3)]
        assert jobs.old_runs(instance, days=1) == []
        assert jobs.old_runs(instance, days=0) == runs[:2]
        monkeypatch.setattr(jobs, "old_runs", lambda _, days: runs[:2] if days == 180 else [])
        assert jobs.delete_old_runs.execute_in_process(instance=instance).success
        assert {run.run_id for run in instance.get_runs() if run.job_name == "refresh"} == {runs[2]}
        assert instance.get_latest_materialization_event(asset_key("published_collection")) is not None


def test_all_records_can_be_kept(settings_with: Callable[..., Settings]) -> None:
    assert names(settings_with(keep_runs=0)) == {"refresh_schedule"}
