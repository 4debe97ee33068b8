"""The refresh lock in real runs."""

from __future__ import annotations

import dagster as dg
import pytest

from pipelines import lock
from pipelines.definitions import build_defs
from pipelines.errors import RefreshFailed
from pipelines.runner import StageEvent, run_refresh
from tests.fakes.gallery import Gallery
from tests.fakes.locks import Clock, leave_record


def test_a_run_that_lost_the_lock_fails_before_it_publishes(gallery: Gallery) -> None:
    services = gallery.services

    def take_over(event: StageEvent) -> None:
        if (event.stage, event.kind) == ("candidate", "done"):
            leave_record(services.tables, "other")

    with (
        dg.DagsterInstance.ephemeral() as instance,
        pytest.raises(RefreshFailed, match=r"no longer holds the refresh lock \(run other"),
    ):
        run_refresh(services, take_over, instance)
    assert services.vectors.live() is None


@pytest.mark.parametrize("start", ["one asset from the UI", "gallery refresh"])
def test_a_run_waits_for_the_lock_of_another_one(
    built_gallery: Gallery, monkeypatch: pytest.MonkeyPatch, start: str
) -> None:
    tables, clock = built_gallery.services.tables, Clock(monkeypatch)
    leave_record(tables, "another")
    clock.events[5.0] = lambda: lock.release(tables, "another")
    if start == "gallery refresh":
        logged: list[str] = []
        built_gallery.refresh(lambda event: logged.append(event.text))
        assert "another refresh is running (run another on elsewhere" in logged[0]
    else:
        assert built_gallery.materialize("artists").success
    _, record = lock.current(tables)
    assert clock.now == 5 and record is not None and record.released and record.owner != "another"


def test_a_refresh_that_does_not_wait_is_refused_and_leaves_no_run(gallery: Gallery) -> None:
    leave_record(gallery.services.tables, "another")
    with dg.DagsterInstance.ephemeral() as instance:
        with pytest.raises(lock.LockHeld, match="another refresh is running"):
            run_refresh(gallery.services, lambda _: None, instance, wait_s=0)
        assert instance.get_runs_count() == 0


def test_every_asset_op_and_check_is_in_the_pool_that_dagster_yaml_limits(gallery: Gallery) -> None:
    ops = list(build_defs(gallery.services).resolve_job_def("refresh").graph.iterate_op_defs())
    assert len(ops) > 10 and {op.pool for op in ops} == {"refresh"}
