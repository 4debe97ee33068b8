"""What watches: for a new version of the dataset, and for runs that end."""

import json
import logging
import urllib.error
import urllib.request
from typing import Any

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from gallery.errors import GalleryError, Unavailable
from gallery.services import Services
from gallery.settings import Settings, read_settings
from pipelines import lock as lease
from pipelines.defs.collection.builds import live_or_none
from pipelines.errors import error_message
from pipelines.orphans import LOOK_EVERY_S, report_the_dead

log = logging.getLogger(__name__)

ASK_EVERY_S = 3600
"""Seconds between two questions for the dataset's version."""
WEBHOOK_TIMEOUT_S = 10.0
ADVICE = (
    "What is live has not changed. Mend the cause and start `refresh` again, or run `gallery refresh`: what was done is "
    "kept, and only the rest is done."
)


def refresh_sensors(
    job: UnresolvedAssetJobDefinition, services: Services | None
) -> list[dg.SensorDefinition]:
    """All sensors, over the ports of the settings, or over `services`. They are on from the start, as the schedule is."""

    def opened() -> Services:
        return services if services is not None else Services(read_settings())

    @dg.sensor(
        name="new_dataset_version",
        job=job,
        minimum_interval_seconds=ASK_EVERY_S,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Asks the dataset for its version, and starts a refresh where it is another than the last one seen.",
    )
    def new_dataset_version(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        return ask_for_version(opened(), context.cursor)

    @dg.sensor(
        name="run_died",
        minimum_interval_seconds=LOOK_EVERY_S,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Ends a run that Dagster takes for a living one though its process is gone, so that others can start.",
    )
    def run_died(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        return report_the_dead(context.instance, opened().tables, context.cursor)

    @dg.run_failure_sensor(
        name="run_failed",
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Says what failed and what to do: in its log, and to GALLERY_WEBHOOK where that is set.",
    )
    def run_failed(context: dg.RunFailureSensorContext) -> None:
        facts = failure_facts(context)
        context.log.error(facts["text"])
        there = opened()
        give_back(there, context.dagster_run.run_id)
        post(there.settings, facts)

    ends = [
        _run_ended(status, opened) for status in (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.CANCELED)
    ]
    return [new_dataset_version, run_died, run_failed, *ends]


def _run_ended(status: dg.DagsterRunStatus, opened: Any) -> dg.SensorDefinition:
    @dg.run_status_sensor(
        run_status=status,
        name=f"run_{status.value.lower()}",
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Gives the refresh lease back where the steps of the run were done in several processes.",
    )
    def ended(context: dg.RunStatusSensorContext) -> None:
        give_back(opened(), context.dagster_run.run_id)

    return ended


def ask_for_version(services: Services, cursor: str | None) -> dg.SensorResult | dg.SkipReason:
    """A run for the dataset's version, where that is not the one in the cursor, or in the live build at first.

    One run for each version: where it fails, the schedule or a person tries again, not this.
    """
    dataset = services.dataset
    try:
        seen = f"{dataset.address}@{dataset.version()}"
        if cursor is None:
            live = live_or_none(services.vectors)
            cursor = f"{live.dataset}@{live.version}" if live is not None else None
    except Unavailable as error:
        return dg.SkipReason(f"not known, and asked again in an hour: {error}")
    if seen == cursor:
        return dg.SensorResult(skip_reason=dg.SkipReason(f"the dataset is still at {seen}"), cursor=seen)
    return dg.SensorResult(run_requests=[dg.RunRequest(run_key=seen)], cursor=seen)


def failure_facts(context: dg.RunFailureSensorContext) -> dict[str, Any]:
    """What is told of a failed run: `text` for people, the rest for programs."""
    run = context.dagster_run
    failures = [
        {"step": event.step_key or "", "error": error_message(event.step_failure_data.error)}
        for event in context.get_step_failure_events()
    ]
    # Of a check Dagster's own words are only that it failed; what it found stands in its evaluation.
    looked = context.instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    evaluations = [entry.dagster_event.asset_check_evaluation_data for entry in looked if entry.dagster_event]
    failures += [
        {
            "step": f"{evaluation.asset_key.to_user_string()}, {evaluation.check_name}",
            "error": evaluation.description,
        }
        for evaluation in evaluations
        if not evaluation.passed and evaluation.blocking and evaluation.description
    ]
    said = "; ".join(f"{failure['step']}: {failure['error']}" for failure in failures)
    return {
        "text": f"Run {run.run_id[:8]} of {run.job_name} failed. {said or context.failure_event.message} {ADVICE}",
        "run_id": run.run_id,
        "job": run.job_name,
        "failures": failures,
    }


def give_back(services: Services, run_id: str) -> None:
    """Release the lease if that run holds it. Where it cannot be reached, it runs out by itself."""
    try:
        lease.release(services.tables, run_id)
    except GalleryError as error:
        log.warning("the refresh lease was not given back: %s", error)


def post(settings: Settings, facts: dict[str, Any]) -> None:
    """Send the facts to the webhook, if there is one. A failure to is logged, without the address, which is a secret."""
    if settings.webhook is None:
        return
    try:
        request = urllib.request.Request(
            settings.webhook.get_secret_value(),
            data=json.dumps(facts).encode(),
            headers={"Content-Type": "application/json", "User-Agent": "artwork-gallery"},
        )
        with urllib.request.urlopen(request, timeout=WEBHOOK_TIMEOUT_S):
            return
    except urllib.error.HTTPError as error:
        log.warning("GALLERY_WEBHOOK answered %d to a failed run's report", error.code)
    except (OSError, ValueError) as error:
        # Only the kind: the words of some of these quote the address.
        log.warning("GALLERY_WEBHOOK could not be told of a failed run (%s)", type(error).__name__)
