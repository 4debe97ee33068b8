"""Run the refresh job from this process, report its progress, and return its counts."""

from __future__ import annotations

import logging
import math
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import dagster as dg

from gallery.errors import Invalid, Unavailable
from gallery.services import Services
from gallery.settings import Settings, variable
from pipelines import alerts, lock
from pipelines.definitions import build_defs
from pipelines.errors import Failure, RefreshFailed, error_message, failures
from pipelines.executors import check_startable, is_distributed
from pipelines.jobs import REFRESH
from pipelines.parallel import in_background
from pipelines.resources import LOCK_OWNER_TAG, finished_runs, run_of_owner

log = logging.getLogger(__name__)

STAGES = (
    "raw_dataset",
    "artists",
    "scanned_files",
    "artworks",
    "quarantine",
    "sample",
    "images",
    "embeddings",
    "candidate",
    "evaluation",
    "published_collection",
    "image_cleanup",
    "similarity_map",
)
"""The assets in the order of a run."""
STAGE_OF_CHECK = {
    "every_file_accounted_for": "artworks",
    "sample_within_limits": "sample",
    "every_image_is_stored": "images",
    "candidate_is_complete": "candidate",
}
"""The asset of each check that runs as a step of its own."""
EMPTY_FAN_OUT = "Emitting implicit Nothing"
"""Start of the message that Dagster logs, at INFO, about a fan-out without shards."""
POLL_INTERVAL_S = 0.5
"""Seconds between two reads of the log of a run whose steps execute in other processes."""
TAGS = {alerts.ALERT_TAG: alerts.BY_COMMAND}
NO_CONSOLE = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
"""Run configuration that silences Dagster's own output: the callback receives every event."""


@dataclass(frozen=True)
class StageEvent:
    """An event in a stage of a run.

    `kind` is "start", "log", "done" or "failed"; `text` is the message of a log event, `facts` is the
    metadata of a finished stage.
    """

    stage: str
    kind: str
    text: str = ""
    facts: dict[str, Any] | None = None


StageCallback = Callable[[StageEvent], None]


def run_refresh(
    services: Services,
    callback: StageCallback,
    instance: dg.DagsterInstance | None = None,
    *,
    overrides: Mapping[str, Any] = MappingProxyType({}),
    reread: bool = False,
    publish_anyway: bool = False,
    dry_run: bool = False,
    wait_s: float = math.inf,
) -> dict[str, Any]:
    """Run a refresh and return its counts.

    Dagster's records go to `instance`, by default that of DAGSTER_HOME. With `reread` it reads files that
    seem unchanged, with `publish_anyway` low metrics do not stop it, with `dry_run` it publishes nothing. If
    another refresh is running, this one starts when it has ended.

    Steps that execute in other processes (GALLERY_EXECUTOR) read the settings of those, apart from
    `overrides`: settings of this run by name, which those of `services` contain too.

    Raises RefreshFailed, naming the stage; LockHeld if another refresh is still running after `wait_s`
    seconds; KeyboardInterrupt.
    """
    started = time.monotonic()
    check_startable(services.settings)
    execute = _execute_distributed if is_distributed(services.settings) else _execute_in_process
    owner = str(uuid.uuid4())
    with (
        nullcontext(instance) if instance else open_instance(services.settings) as opened,
        # Acquired before there is a run, so a refresh that is refused leaves no record. The steps share
        # the lock.
        lock.acquire(
            services.tables,
            owner,
            is_finished=finished_runs(opened),
            wait_s=wait_s,
            on_wait=lambda text: callback(StageEvent(STAGES[0], "log", text)),
        ),
    ):
        config: dict[str, Any] = {
            "ops": {
                "scanned_files": {"ops": {"plan_scan": {"config": {"reread": reread}}}},
                "evaluation": {"config": {"publish_anyway": publish_anyway}},
                "published_collection": {"config": {"dry_run": dry_run}},
            },
            **NO_CONSOLE,
        }
        if execute is _execute_distributed:
            config["resources"] = {"services": {"config": dict(overrides)}}
        result = execute(services, _StageEvents(callback).handle, opened, owner, config)
        if not result.success:
            if _was_interrupted(result):
                _report_canceled(opened, result.run_id)
                raise KeyboardInterrupt
            raise RefreshFailed(
                _failures(result), result.run_id, published="published_collection" in _all_facts(result)
            )
    facts = _all_facts(result)
    works = facts["artworks"]
    return {
        "artists": works["artists"],
        "files": works["files"],
        "works": works["works"],
        "duplicates": works["duplicates"],
        "quarantined": works["quarantined"],
        "sampled": facts["sample"]["sampled"],
        "images_uploaded": facts["images"]["images_uploaded"],
        "images_unchanged": facts["images"]["images_unchanged"],
        "embedded": facts["embeddings"]["embedded"],
        "embeddings_reused": facts["embeddings"]["embeddings_reused"],
        "indexed": facts["candidate"]["indexed"],
        "build": facts["candidate"]["build"],
        "published": "published_collection" in facts,
        "encoder": facts["candidate"]["encoder"],
        "seconds": round(time.monotonic() - started, 2),
    }


LogHandler = Callable[[dg.EventLogEntry], None]


def _execute_in_process(
    services: Services,
    handle: LogHandler,
    instance: dg.DagsterInstance,
    run_id: str,
    config: dict[str, Any],
) -> dg.ExecutionResult:
    instance.add_event_listener(run_id, handle)
    job = build_defs(services).resolve_job_def(REFRESH)
    return job.execute_in_process(config, instance, raise_on_error=False, run_id=run_id, tags=TAGS)


def distributed_refresh() -> dg.JobDefinition:
    """Return the job. Other processes find it by the name of this function."""
    return build_defs().resolve_job_def(REFRESH)


def _execute_distributed(
    _: Services, handle: LogHandler, instance: dg.DagsterInstance, owner: str, config: dict[str, Any]
) -> dg.ExecutionResult:
    # dg.execute_job chooses the id of the run, so the run gets the owner of the lock as a tag.
    with _following(instance, owner, handle):
        return dg.execute_job(
            dg.reconstructable(distributed_refresh), instance, config, tags={LOCK_OWNER_TAG: owner, **TAGS}
        )


@contextmanager
def _following(instance: dg.DagsterInstance, owner: str, handle: LogHandler) -> Iterator[None]:
    """Pass the log entries that other processes write to `handle` until the block ends."""

    def follow(ended: threading.Event) -> None:
        cursor, run, last = None, None, False
        while not last:
            last = ended.wait(POLL_INTERVAL_S)  # reads once more at the end
            try:
                run = run or run_of_owner(instance, owner)
                if run is None:
                    continue
                page = instance.get_records_for_run(run.run_id, cursor=cursor)
            except Exception as error:  # those of the databases share no base
                log.warning("cannot read the run's log, will try again (%s)", type(error).__name__)
                continue
            cursor = page.cursor
            for record in page.records:
                handle(record.event_log_entry)

    with in_background(follow, "follow"):
        yield


class _StageEvents:
    """Turn entries of a run's log into StageEvents."""

    def __init__(self, callback: StageCallback) -> None:
        self._callback = callback
        self._started: set[str] = set()

    def handle(self, entry: dg.EventLogEntry) -> None:
        event = entry.dagster_event
        stage = _stage(entry.step_key or (event.step_key if event else None))
        if not stage:
            return
        kind = event.event_type if event else None
        if event is None:
            # Above WARNING, Dagster repeats a failure for each step after it.
            text = entry.user_message
            if int(entry.level) in (logging.INFO, logging.WARNING) and not text.startswith(EMPTY_FAN_OUT):
                self._callback(StageEvent(stage, "log", text))
        elif kind == dg.DagsterEventType.STEP_START and stage not in self._started:
            self._started.add(stage)
            self._callback(StageEvent(stage, "start"))
        elif kind == dg.DagsterEventType.STEP_UP_FOR_RETRY:
            retry = event.step_retry_data
            seconds = f"in {retry.seconds_to_wait:.0f} s" if retry.seconds_to_wait else "now"
            self._callback(StageEvent(stage, "log", f"{error_message(retry.error)}; trying again {seconds}"))
        elif kind == dg.DagsterEventType.ASSET_MATERIALIZATION:
            facts = _facts(event.step_materialization_data.materialization)
            self._callback(StageEvent(stage, "done", facts=facts))
        elif kind == dg.DagsterEventType.STEP_FAILURE and not _is_interrupt(event.step_failure_data.error):
            self._callback(StageEvent(stage, "failed"))


def _stage(step_key: str | None) -> str:
    """Return the stage of a step such as "images.upload_images[3]"; empty for any other step."""
    name = (step_key or "").partition(".")[0].partition("[")[0]
    name = STAGE_OF_CHECK.get(name.removesuffix("_check"), name)
    return name if name in STAGES else ""


def _all_facts(result: dg.ExecutionResult) -> dict[str, dict[str, Any]]:
    """Return the metadata of each stage that is done."""
    events = result.get_asset_materialization_events()
    done = [event.step_materialization_data.materialization for event in events]
    return {materialization.asset_key.path[-1]: _facts(materialization) for materialization in done}


def _facts(materialization: dg.AssetMaterialization) -> dict[str, Any]:
    return {name: value.value for name, value in materialization.metadata.items()}


def open_instance(settings: Settings) -> dg.DagsterInstance:
    """Return the Dagster instance for runs of this process.

    It is that of DAGSTER_HOME, or of a dagster.yaml in the current folder. Without either, it is one in
    memory, or one in GALLERY_HOME if several processes need it.

    Raises Invalid if DAGSTER_HOME is unusable, or missing where other machines need it.
    """
    if not os.environ.get("DAGSTER_HOME") and Path("dagster.yaml").is_file():
        os.environ["DAGSTER_HOME"] = str(Path.cwd())
    if os.environ.get("DAGSTER_HOME"):
        try:
            return dg.DagsterInstance.get()
        except Exception as error:  # errors of Dagster, SQLAlchemy and Alembic share no other base
            raise Invalid(f"cannot use DAGSTER_HOME={os.environ['DAGSTER_HOME']}: {error}") from error
    if settings.executor == "in_process":
        return dg.DagsterInstance.ephemeral()
    if settings.executor == "multiprocess":
        overrides = {"telemetry": {"enabled": False}, "python_logs": {"python_log_level": "INFO"}}
        return dg.DagsterInstance.local_temp(_history_folder(settings.home), overrides=overrides)
    raise Invalid(
        f"{variable('executor')}={settings.executor} needs a DAGSTER_HOME whose dagster.yaml names a "
        "database that every machine can reach, as infra/dagster/dagster.yaml does"
    )


def _history_folder(home: Path) -> str:
    folder = home / "dagster"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(f"cannot write to GALLERY_HOME {home} ({error.strerror})") from error
    return str(folder)


def _was_interrupted(result: dg.ExecutionResult) -> bool:
    """Return whether an interrupt ended the run. Dagster records a failure of a step or of the run."""
    errors = [
        event.step_failure_data.error if event.is_step_failure else event.job_failure_data.error
        for event in result.all_events
        if event.is_step_failure or event.event_type == dg.DagsterEventType.RUN_FAILURE
    ]
    return any(map(_is_interrupt, errors))


def _report_canceled(instance: dg.DagsterInstance, run_id: str) -> None:
    """Show the run as canceled. Dagster counts an interrupt that its UI did not ask for as a failure."""
    run = instance.get_run_by_id(run_id)
    if run is not None:
        instance.report_run_canceled(run, "The command was interrupted.")


def _is_interrupt(error: Any) -> bool:
    return error is not None and error.cls_name == dg.DagsterExecutionInterruptedError.__name__


def _failures(result: dg.ExecutionResult) -> list[Failure]:
    """Return why the run failed, with stages in place of steps. At least one reason."""
    found = [replace(one, step=_stage(one.step) or one.step) for one in failures(result.all_events)]
    return found or [Failure("", "", "the run ended without an error; see its log in the Dagster UI")]
