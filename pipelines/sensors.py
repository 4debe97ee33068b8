"""Sensors: start a refresh for a new dataset version, fail runs whose process died, report failed runs.

They are on by default; the UI can switch them off.
"""

import time
from typing import Any

import dagster as dg

from gallery.errors import Unavailable
from gallery.objects.base import ObjectStore
from gallery.services import Services
from gallery.settings import Settings, valid_settings
from gallery.text import printable
from pipelines import alerts, lock
from pipelines.defs.collection.builds import live_or_none
from pipelines.defs.collection.manifests import dataset_of
from pipelines.errors import EVENT_TYPES, Failure, failures
from pipelines.jobs import REFRESH, delete_old_runs, rollback
from pipelines.reporting import asset_key
from pipelines.resources import run_of_owner

VERSION_INTERVAL_S = 3600
ORPHAN_INTERVAL_S = 30
ORPHANED = "The process of this run died, or did not renew its lock in time. What the run stored is kept."
OTHER_JOBS = {rollback.name, delete_old_runs.name}
"""Jobs that materialize no assets."""


@dg.sensor(
    job_name=REFRESH,
    minimum_interval_seconds=VERSION_INTERVAL_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Check the dataset's version every hour, and start a refresh when it has changed.",
)
def new_dataset_version(
    context: dg.SensorEvaluationContext, unlocked_services: dg.ResourceParam[Services]
) -> dg.SensorResult | dg.SkipReason:
    return check_version(unlocked_services, context.cursor)


@dg.sensor(
    minimum_interval_seconds=ORPHAN_INTERVAL_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Mark a refresh as failed when its process has died, so that queued runs can start.",
)
def fail_orphaned_runs(
    context: dg.SensorEvaluationContext, unlocked_services: dg.ResourceParam[Services]
) -> dg.SensorResult | dg.SkipReason:
    return fail_orphaned_run(context.instance, unlocked_services.tables, context.cursor, time.time())


@dg.run_failure_sensor(
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Report failed runs, with cause and remedy, in the sensor's log and to GALLERY_WEBHOOK.",
)
def failure_alert(context: dg.RunFailureSensorContext) -> None:
    """Read the settings here: a resource would fail the tick if one of them is invalid."""
    if context.dagster_run.tags.get(alerts.ALERT_TAG) == alerts.BY_COMMAND:
        return
    settings = valid_settings()
    report = report_of(context, settings)
    context.log.error(report["text"])
    alerts.post(settings, report)


SENSORS: list[dg.SensorDefinition] = [new_dataset_version, fail_orphaned_runs, failure_alert]


def check_version(services: Services, cursor: str | None) -> dg.SensorResult | dg.SkipReason:
    """Request a run if the dataset's version is new: not in the cursor or, without one, not the live build's.

    Each version gets one run. If it fails, the schedule or a person starts the next one.
    """
    dataset = services.dataset
    try:
        version = printable(f"{dataset.address}@{dataset.version()}")
        if cursor is None:
            live = live_or_none(services.vectors)
            known = dataset_of(services.tables, live) if live is not None else None
            cursor = printable(f"{known.address}@{known.version}") if known is not None else None
    except Unavailable as error:
        return dg.SkipReason(f"the dataset's version is unknown, next check in an hour: {error}")
    if version == cursor:
        return dg.SensorResult(
            skip_reason=dg.SkipReason(f"the dataset is still at {version}"), cursor=version
        )
    return dg.SensorResult(run_requests=[dg.RunRequest(run_key=version)], cursor=version)


def fail_orphaned_run(
    instance: dg.DagsterInstance, store: ObjectStore, cursor: str | None, now: float
) -> dg.SensorResult | dg.SkipReason:
    """Fail a run whose process died while Dagster still shows it as started.

    The code server that starts a run watches its process. If the server is gone too, or `gallery refresh`
    started the run, Dagster 1.13 shows it as started until max_runtime_seconds, and other refreshes stay
    queued behind it.

    Such a run has lost the refresh lock to another one, or still holds it. In that case, a process on this
    machine is looked up. On another machine, the lock must not have been renewed for its TTL since a tick
    first saw it in this state. The cursor holds the state, and when that was by the daemon's clock (`now`).
    The daemon retries the failed run if the daemon had started it.
    """
    for owner in lock.owners_that_lost(store):
        _fail(instance, run_of_owner(instance, owner))
    number, record = lock.current(store)
    if record is None or record.released:
        return dg.SkipReason("no refresh is running")
    run = run_of_owner(instance, record.owner)
    if run is None or run.is_finished:
        return dg.SkipReason(
            f"the refresh that holds the lock does not run in this Dagster instance ({record})"
        )
    renewal = f"{number} {record.renewed_at}"
    seen, _, since = (cursor or "").rpartition(" ")
    since = since if seen == renewal else str(now)
    if lock.owner_died(record) or now - float(since) >= record.ttl:
        _fail(instance, run)
        return dg.SensorResult(skip_reason=dg.SkipReason(f"failed the run whose process died: {record}"))
    return dg.SensorResult(skip_reason=dg.SkipReason(f"running: {record}"), cursor=f"{renewal} {since}")


def _fail(instance: dg.DagsterInstance, run: dg.DagsterRun | None) -> None:
    if run is not None and not run.is_finished:
        instance.add_run_tags(run.run_id, {alerts.ALERT_TAG: alerts.BY_SENSOR})  # its command died too
        instance.report_run_failed(run, ORPHANED)


def report_of(context: dg.RunFailureSensorContext, settings: Settings) -> dict[str, Any]:
    """Return the report of the run that failed."""
    run = context.dagster_run
    types = {*EVENT_TYPES, dg.DagsterEventType.ASSET_MATERIALIZATION}
    entries = context.instance.all_logs(run.run_id, of_type=types)
    events = [entry.dagster_event for entry in entries if entry.dagster_event]
    keys = {event.asset_key for event in events if event.is_step_materialization}
    return alerts.failure_report(
        settings,
        failures(events) or [Failure("", "", context.failure_event.message or "")],
        job=run.job_name,
        run_id=run.run_id,
        refreshes=run.job_name not in OTHER_JOBS,
        published=asset_key("published_collection") in keys,
    )
