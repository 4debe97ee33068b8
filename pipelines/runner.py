"""The refresh job in this process, and what it counted."""

from __future__ import annotations

import logging
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.execution.api import execute_run

from gallery.errors import GalleryError, Invalid, Unavailable
from gallery.services import Services
from gallery.settings import Settings, variable
from pipelines import lock as lease
from pipelines.definitions import REFRESH, build_defs
from pipelines.errors import error_message
from pipelines.executors import check_startable, is_distributed
from pipelines.resources import ended_in

STAGES = (
    "dataset",
    "artists",
    "artworks",
    "quarantine",
    "sample",
    "images",
    "embeddings",
    "candidate",
    "evaluation",
    "live",
    "swept",
    "map",
)
NOTHING_TO_DO = "Emitting implicit Nothing"
"""What Dagster says of a plan without shards, at a level that people read."""
FOLLOW_EVERY_S = 0.5
"""Seconds between looks into the log of a run whose steps are done by other processes."""


class RefreshFailed(GalleryError):
    """A stage failed. What is live has not changed, unless it was `live` itself after it moved the pointer, or a stage
    that comes later. The message names the stage and says why."""


@dataclass(frozen=True)
class StageEvent:
    """Something that happened in a run: a stage started, said something, or ended.

    `kind` is "start", "say", "done", "failed" or "check failed"; `facts` are a finished stage's figures.
    """

    stage: str
    kind: str
    text: str = ""
    facts: dict[str, Any] | None = None


StageCallback = Callable[[StageEvent], None]


class _Watching(logging.Handler):
    """Turns what Dagster logs while a job runs into StageEvent, as it happens."""

    def __init__(self, watch: StageCallback) -> None:
        super().__init__(logging.DEBUG)
        self._watch = watch
        self._started: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        facts = getattr(record, "dagster_meta", {})
        said = str(facts.get("orig_message", record.getMessage()))
        self._tell(facts.get("dagster_event"), facts.get("step_key"), record.levelno, said)

    def tell(self, entry: dg.EventLogEntry) -> None:
        """The same from an entry of a run's stored log."""
        self._tell(entry.dagster_event, entry.step_key, int(entry.level), entry.user_message)

    def _tell(self, event: dg.DagsterEvent | None, step_key: str | None, level: int, said: str) -> None:
        stage = _stage(step_key or (event.step_key if event else None))
        if not stage:
            return
        if event is None:
            # Below INFO is Dagster moving values between steps, above WARNING it repeating a failure for each step after it.
            if logging.INFO <= level <= logging.WARNING and not said.startswith(NOTHING_TO_DO):
                self._watch(StageEvent(stage, "say", said))
        elif event.event_type == dg.DagsterEventType.STEP_START and stage not in self._started:
            self._started.add(stage)
            self._watch(StageEvent(stage, "start"))
        elif event.event_type == dg.DagsterEventType.ASSET_MATERIALIZATION:
            self._watch(
                StageEvent(stage, "done", facts=_facts(event.step_materialization_data.materialization))
            )
        elif event.event_type == dg.DagsterEventType.STEP_FAILURE:
            self._watch(StageEvent(stage, "failed"))


# The steps of a stage that has several, or that goes by another name.
_STEPS = {
    "every_file_accounted_for": "artworks",
    "sample_within_limits": "sample",
    "every_picture_is_stored": "images",
    "candidate_reconciles": "candidate",
}


def _stage(step_key: str | None) -> str:
    name = (step_key or "").partition(".")[0].partition("[")[0]
    name = _STEPS.get(name.removesuffix("_check"), name)
    return name if name in STAGES else ""


def _facts(materialization: dg.AssetMaterialization) -> dict[str, Any]:
    return {name: value.value for name, value in materialization.metadata.items()}


def run_refresh(
    services: Services,
    watch: StageCallback,
    instance: dg.DagsterInstance | None = None,
    *,
    allow_removals: bool = False,
) -> dict[str, Any]:
    """The counts of a finished refresh. Raises RefreshFailed with the stage's own words, Unavailable where another
    refresh is running. With `allow_removals` it may take more works away than GALLERY_MAX_REMOVED.

    Runs are kept in `instance`; without one, where DAGSTER_HOME says, or nowhere. Where the steps are done by other
    processes (GALLERY_EXECUTOR), those read the settings themselves.
    """
    started = time.monotonic()
    spread = is_distributed(services.settings)
    check_startable(services.settings)
    run_id = str(uuid.uuid4())
    with (
        nullcontext(instance) if instance else open_instance(services.settings) as opened,
        # Taken before there is a run, so that one that may not be leaves no trace. The steps find it theirs.
        lease.held(services.tables, run_id, ended=ended_in(opened)),
    ):
        config = {"ops": {"artworks": {"config": {"allow_removals": allow_removals}}}}
        result = (_in_processes if spread else _in_process)(services, watch, opened, run_id, config)
        if not result.success:
            if _was_interrupted(result):
                raise KeyboardInterrupt
            raise RefreshFailed(_failure(result))
    facts: dict[str, dict[str, Any]] = {}
    for event in result.get_asset_materialization_events():
        materialization = event.step_materialization_data.materialization
        facts[materialization.asset_key.to_user_string()] = _facts(materialization)
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
        "build": facts["live"]["build"],
        "encoder": facts["candidate"]["encoder"],
        "seconds": round(time.monotonic() - started, 2),
    }


def _in_process(
    services: Services,
    watch: StageCallback,
    instance: dg.DagsterInstance,
    run_id: str,
    config: dict[str, Any],
) -> dg.ExecuteInProcessResult:
    handler = _Watching(watch)

    @dg.logger
    def watching(_: dg.InitLoggerContext) -> logging.Logger:
        logger = logging.Logger("refresh", logging.DEBUG)
        logger.addHandler(handler)
        return logger

    job = build_defs(services, loggers={"watching": watching}).resolve_job_def(REFRESH)
    return job.execute_in_process(
        run_config={"loggers": {"watching": {}}, **config},
        instance=instance,
        raise_on_error=False,
        run_id=run_id,
    )


def refresh_job() -> dg.JobDefinition:
    """The job as another process finds it: by the name of this function."""
    return build_defs().resolve_job_def(REFRESH)


def _in_processes(
    services: Services,
    watch: StageCallback,
    instance: dg.DagsterInstance,
    run_id: str,
    config: dict[str, Any],
) -> dg.JobExecutionResult:
    job = dg.reconstructable(refresh_job)
    # What `dg.execute_job` does, but for the run's id, which the lease is taken under before there is a run.
    run = instance.create_run_for_job(
        job_def=job.get_definition(),
        run_id=run_id,
        job_code_origin=job.get_python_origin(),
        run_config={
            "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},  # the watch tells it all
            **config,
        },
    )
    with _following(instance, run_id, watch):
        return execute_run(job, run, instance)


@contextmanager
def _following(instance: dg.DagsterInstance, run_id: str, watch: StageCallback) -> Iterator[None]:
    """Tell of what other processes write to the run's log, until the block ends."""
    handler = _Watching(watch)
    ended = threading.Event()

    def follow() -> None:
        cursor, last = None, False
        while not last:
            last = ended.wait(FOLLOW_EVERY_S)  # one more look at the end
            page = instance.get_records_for_run(run_id, cursor=cursor)
            cursor = page.cursor
            for record in page.records:
                handler.tell(record.event_log_entry)

    thread = threading.Thread(target=follow, name="follow", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def open_instance(settings: Settings) -> dg.DagsterInstance:
    """The Dagster instance that keeps runs: DAGSTER_HOME's, else that of a dagster.yaml here. Else one that forgets, or
    for several processes one in GALLERY_HOME.

    Raises Invalid for a DAGSTER_HOME that cannot be used, or is missing where other machines need it too.
    """
    if not os.environ.get("DAGSTER_HOME") and Path("dagster.yaml").is_file():
        os.environ["DAGSTER_HOME"] = str(Path.cwd())
    if os.environ.get("DAGSTER_HOME"):
        try:
            return dg.DagsterInstance.get()
        except Exception as error:  # what Dagster, SQLAlchemy and alembic raise has nothing more in common
            raise Invalid(f"DAGSTER_HOME={os.environ['DAGSTER_HOME']} cannot be used: {error}") from error
    if settings.executor == "in_process":
        return dg.DagsterInstance.ephemeral()
    if settings.executor == "multiprocess":
        quiet = {"telemetry": {"enabled": False}, "python_logs": {"python_log_level": "INFO"}}
        return dg.DagsterInstance.local_temp(_folder(settings.home), overrides=quiet)
    raise Invalid(
        f"{variable('executor')}={settings.executor} needs a DAGSTER_HOME whose dagster.yaml names a database that every "
        "machine reaches, as infra/dagster/dagster.yaml does"
    )


def _folder(home: Path) -> str:
    folder = home / "dagster"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(f"GALLERY_HOME {home} cannot be written to ({error.strerror})") from error
    return str(folder)


def _was_interrupted(result: dg.ExecutionResult) -> bool:
    """Whether Ctrl-C ended the run; Dagster records it as the failure of a step or of the run."""
    errors = [
        event.step_failure_data.error if event.is_step_failure else event.job_failure_data.error
        for event in result.all_events
        if event.is_step_failure or event.event_type == dg.DagsterEventType.RUN_FAILURE
    ]
    return any(error is not None and error.cls_name == "DagsterExecutionInterruptedError" for error in errors)


def _failure(result: dg.ExecutionResult) -> str:
    failed = [evaluation for evaluation in result.get_asset_check_evaluations() if not evaluation.passed]
    for evaluation in failed:
        if evaluation.description:  # in words, where the check has some; its step fails with fewer
            return f"{evaluation.asset_key.to_user_string()} failed: {evaluation.description}"
    for event in result.all_events:
        if event.is_step_failure:
            return f"{_stage(event.step_key) or event.step_key} failed: {error_message(event.step_failure_data.error)}"
    for evaluation in failed:
        facts = ", ".join(f"{name} {value.value}" for name, value in evaluation.metadata.items())
        return (
            f"the check {evaluation.check_name} of {evaluation.asset_key.to_user_string()} failed ({facts})"
        )
    for event in result.all_events:
        if event.event_type == dg.DagsterEventType.RUN_FAILURE and event.job_failure_data.error:
            return f"no step could be done: {error_message(event.job_failure_data.error)}"
    return "the run failed before its first step; see its log in the Dagster UI"
