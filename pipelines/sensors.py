"""Sensors: start a refresh for a new dataset version, fail runs whose process died, report failed runs.

They are on by default; the UI can switch them off.
"""

import json
import logging
import urllib.error
import urllib.request
from typing import Any

import dagster as dg

from gallery.errors import Unavailable
from gallery.objects.base import ObjectStore
from gallery.services import Services
from gallery.settings import Settings
from pipelines import lock
from pipelines.defs.collection.builds import live_or_none
from pipelines.errors import error_message
from pipelines.jobs import REFRESH
from pipelines.resources import run_of_owner

log = logging.getLogger(__name__)

VERSION_INTERVAL_S = 3600
ORPHAN_INTERVAL_S = 60
"""Longer than two renewals of the lock, so a live owner has renewed it between two checks."""
WEBHOOK_TIMEOUT_S = 10.0
ADVICE = (
    "The live collection has not changed. Fix the cause and start `refresh` again, or run `gallery refresh`: "
    "it continues from what is stored."
)
ORPHANED = (
    "The process of this run died, or did not renew its lock in time. The live collection has not changed, "
    "and what the run stored is kept."
)


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
    return fail_orphaned_run(context.instance, unlocked_services.tables, context.cursor)


@dg.run_failure_sensor(
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Report failed runs, with cause and remedy, in the sensor's log and to GALLERY_WEBHOOK.",
)
def failure_alert(context: dg.RunFailureSensorContext, unlocked_services: dg.ResourceParam[Services]) -> None:
    report = failure_report(context)
    context.log.error(report["text"])
    post(unlocked_services.settings, report)


SENSORS: list[dg.SensorDefinition] = [new_dataset_version, fail_orphaned_runs, failure_alert]


def check_version(services: Services, cursor: str | None) -> dg.SensorResult | dg.SkipReason:
    """Request a run if the dataset's version is new: not in the cursor or, without one, not the live build's.

    Each version gets one run. If it fails, the schedule or a person starts the next one.
    """
    dataset = services.dataset
    try:
        version = f"{dataset.address}@{dataset.version()}"
        if cursor is None:
            live = live_or_none(services.vectors)
            cursor = f"{live.dataset}@{live.version}" if live is not None else None
    except Unavailable as error:
        return dg.SkipReason(f"the dataset's version is unknown, next check in an hour: {error}")
    if version == cursor:
        return dg.SensorResult(
            skip_reason=dg.SkipReason(f"the dataset is still at {version}"), cursor=version
        )
    return dg.SensorResult(run_requests=[dg.RunRequest(run_key=version)], cursor=version)


def fail_orphaned_run(
    instance: dg.DagsterInstance, store: ObjectStore, cursor: str | None
) -> dg.SensorResult | dg.SkipReason:
    """Fail the run that holds the refresh lock if its process died while Dagster still shows it as started.

    The code server that starts a run watches its process. If the server is gone too, or `gallery refresh`
    started the run, Dagster 1.13 shows it as started until max_runtime_seconds, and other refreshes stay
    queued behind it.

    A process on this machine is looked up. On another machine, the lock must have expired, without a
    renewal since the last tick, which is in the cursor. The daemon retries the failed run if the daemon
    had started it.
    """
    number, record = lock.current(store)
    if record is None or record.released:
        return dg.SkipReason("no refresh is running")
    run = run_of_owner(instance, record.owner)
    if run is None or run.is_finished:
        return dg.SkipReason(f"the refresh that holds the lock is not running in this Dagster ({record})")
    renewal = f"{number} {record.renewed_at}"
    if lock.owner_died(record) or (lock.is_expired(record) and renewal == cursor):
        instance.report_run_failed(run, ORPHANED)
        return dg.SensorResult(skip_reason=dg.SkipReason(f"failed the run whose process died: {record}"))
    return dg.SensorResult(skip_reason=dg.SkipReason(f"running: {record}"), cursor=renewal)


def failure_report(context: dg.RunFailureSensorContext) -> dict[str, Any]:
    """Return the report of a failed run: `text` for people, other fields for programs."""
    run = context.dagster_run
    failures = [
        {"step": event.step_key or "", "error": error_message(event.step_failure_data.error)}
        for event in context.get_step_failure_events()
    ]
    # The event of the step names a failed check; the evaluation of the check has the reason.
    entries = context.instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    evaluations = [
        entry.dagster_event.asset_check_evaluation_data for entry in entries if entry.dagster_event
    ]
    failures += [
        {
            "step": f"{evaluation.asset_key.path[-1]}, {evaluation.check_name}",
            "error": evaluation.description,
        }
        for evaluation in evaluations
        if not evaluation.passed and evaluation.blocking and evaluation.description
    ]
    causes = "; ".join(f"{failure['step']}: {failure['error']}" for failure in failures)
    cause = causes or context.failure_event.message
    return {
        "text": f"Run {run.run_id[:8]} of {run.job_name} failed. {cause} {ADVICE}",
        "run_id": run.run_id,
        "job": run.job_name,
        "failures": failures,
    }


def post(settings: Settings, report: dict[str, Any]) -> None:
    """Send the report to GALLERY_WEBHOOK if it is set. Log failures without the address, which is secret."""
    if settings.webhook is None:
        return
    try:
        request = urllib.request.Request(
            settings.webhook.get_secret_value(),
            data=json.dumps(report).encode(),
            headers={"Content-Type": "application/json", "User-Agent": "artwork-gallery"},
        )
        with urllib.request.urlopen(request, timeout=WEBHOOK_TIMEOUT_S):
            return
    except urllib.error.HTTPError as error:
        log.warning("GALLERY_WEBHOOK answered a failure report with status %d", error.code)
    except (OSError, ValueError) as error:
        # Only the type: messages of some of these quote the address.
        log.warning("could not send a failure report to GALLERY_WEBHOOK (%s)", type(error).__name__)
