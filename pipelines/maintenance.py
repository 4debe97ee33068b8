"""Records of old runs go, since Dagster keeps them for ever: about a megabyte for each refresh."""

from datetime import UTC, datetime, timedelta

import dagster as dg

from gallery.settings import Settings, read_settings

FINISHED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
AT_ONCE = 1_000
"""Runs deleted in one go; what is left waits for the next."""


def old_runs(instance: dg.DagsterInstance, days: int) -> list[str]:
    """Ids of finished runs that began more than `days` ago, the oldest first, but for those that an asset was last
    materialized by: what the UI says of the assets hangs on them."""
    before = datetime.now(UTC) - timedelta(days=days)
    filters = dg.RunsFilter(statuses=FINISHED, created_before=before)
    records = instance.get_run_records(filters, limit=AT_ONCE, ascending=True)
    needed = set()
    for key in instance.get_asset_keys():
        event = instance.get_latest_materialization_event(key)
        if event is not None:
            needed.add(event.run_id)
    return [record.dagster_run.run_id for record in records if record.dagster_run.run_id not in needed]


@dg.op(description="Delete the records of runs that ended more than GALLERY_KEEP_RUNS days ago.")
def delete_old_runs(context: dg.OpExecutionContext) -> None:
    """Only what Dagster noted of the runs; nothing of what they made."""
    days = read_settings().keep_runs
    if not days:
        context.log.info("GALLERY_KEEP_RUNS is 0: nothing is deleted")
        return
    runs = old_runs(context.instance, days)
    for run_id in runs:
        context.instance.delete_run(run_id)
    context.log.info(f"deleted the records of {len(runs)} runs")


@dg.job(
    executor_def=dg.in_process_executor,
    description="Deletes the records of runs that ended more than GALLERY_KEEP_RUNS days ago.",
)
def forget_old_runs() -> None:
    delete_old_runs()


def schedules(settings: Settings) -> list[dg.ScheduleDefinition]:
    """Once a week, unless runs are to be kept for ever."""
    if not settings.keep_runs:
        return []
    return [
        dg.ScheduleDefinition(
            name="forget_old_runs_schedule",
            job=forget_old_runs,
            cron_schedule="30 4 * * 0",
            execution_timezone="UTC",
            default_status=dg.DefaultScheduleStatus.RUNNING,
        )
    ]
