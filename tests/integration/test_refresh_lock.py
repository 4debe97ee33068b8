"""The refresh lock in real runs."""

from __future__ import annotations

import dagster as dg
import pytest

from pipelines import lock
from pipelines.definitions import build_defs
from pipelines.reporting import asset_key
from pipelines.runner import RefreshFailed, StageEvent, run_refresh
from tests.fakes.gallery import Gallery
from tests.fakes.locks import leave_record


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


def test_one_asset_alone_is_refused_while_a_refresh_runs(gallery: Gallery) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        run_refresh(gallery.services, lambda _: None, instance)
        job = build_defs(gallery.services).resolve_job_def("refresh")
        with lock.acquire(gallery.services.tables, "a refresh"):
            result = job.execute_in_process(
                instance=instance, raise_on_error=False, asset_selection=[asset_key("published_collection")]
            )
    assert not result.success


def test_of_two_processes_that_refresh_at_once_the_second_is_refused_or_waits(gallery: Gallery) -> None:
    both = [gallery.start("--json") for _ in range(2)]
    outputs = [process.communicate(timeout=900) for process in both]
    codes = sorted(process.returncode for process in both)
    # Both succeed if one starts so late that the other has finished.
    assert codes in ([0, 1], [0, 0])
    if codes == [0, 1]:
        refused = next(err for process, (_, err) in zip(both, outputs, strict=True) if process.returncode)
        assert "Error: another refresh is running (run " in refused and "Traceback" not in refused
    live = gallery.services.vectors.live()
    assert live is not None and live.works == 8


def test_every_asset_op_and_check_is_in_the_pool_that_dagster_yaml_limits(gallery: Gallery) -> None:
    ops = list(build_defs(gallery.services).resolve_job_def("refresh").graph.iterate_op_defs())
    assert len(ops) > 10 and {op.pool for op in ops} == {"refresh"}
