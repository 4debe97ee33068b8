"""The refresh job in this process, and what it counted."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg

from gallery.errors import GalleryError, Invalid
from gallery.ports import Ports
from pipelines.definitions import REFRESH, build_defs
from pipelines.lock import one_at_a_time

STAGES = ("dataset", "artists", "artworks", "sample", "images", "embeddings", "candidate", "live")


class RefreshFailed(GalleryError):
    """A stage failed; what is live has not changed. The message names the stage and says why."""


@dataclass(frozen=True)
class Progress:
    """Something that happened in a run: a stage started, said something, or ended.

    `kind` is "start", "say", "done", "failed" or "check failed"; `facts` are a finished stage's figures.
    """

    stage: str
    kind: str
    text: str = ""
    facts: dict[str, Any] | None = None


Watch = Callable[[Progress], None]


class _Watching(logging.Handler):
    """Turns what Dagster logs while a job runs into Progress, as it happens."""

    def __init__(self, watch: Watch) -> None:
        super().__init__(logging.DEBUG)
        self._watch = watch
        self._started: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        facts = getattr(record, "dagster_meta", {})
        event = facts.get("dagster_event")
        stage = _stage(facts.get("step_key") or (event.step_key if event else None))
        if not stage:
            return
        if event is None:
            # Below INFO is Dagster moving values between steps, above WARNING it repeating a failure for each step after it.
            if logging.INFO <= record.levelno <= logging.WARNING:
                self._watch(Progress(stage, "say", str(facts.get("orig_message", record.getMessage()))))
        elif event.event_type == dg.DagsterEventType.STEP_START and stage not in self._started:
            self._started.add(stage)
            self._watch(Progress(stage, "start"))
        elif event.event_type == dg.DagsterEventType.ASSET_MATERIALIZATION:
            self._watch(
                Progress(stage, "done", facts=_facts(event.step_materialization_data.materialization))
            )
        elif event.event_type == dg.DagsterEventType.STEP_FAILURE:
            self._watch(Progress(stage, "failed"))


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


def run_refresh(ports: Ports, watch: Watch, instance: dg.DagsterInstance | None = None) -> dict[str, Any]:
    """The counts of a finished refresh. Raises RefreshFailed with the stage's own words.

    Runs are kept in `instance`; without one, where DAGSTER_HOME says, or nowhere.
    """
    started = time.monotonic()
    handler = _Watching(watch)

    @dg.logger
    def watching(_: dg.InitLoggerContext) -> logging.Logger:
        logger = logging.Logger("refresh", logging.DEBUG)
        logger.addHandler(handler)
        return logger

    job = build_defs(ports, loggers={"watching": watching}).resolve_job_def(REFRESH)
    with one_at_a_time(ports.settings.home), instance or open_instance() as opened:
        result = job.execute_in_process(
            run_config={"loggers": {"watching": {}}}, instance=opened, raise_on_error=False
        )
    if not result.success:
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


def open_instance() -> dg.DagsterInstance:
    """The Dagster instance that keeps runs: DAGSTER_HOME's, else that of a dagster.yaml here, else one that forgets.

    Raises Invalid for a DAGSTER_HOME that cannot be used.
    """
    if not os.environ.get("DAGSTER_HOME") and Path("dagster.yaml").is_file():
        os.environ["DAGSTER_HOME"] = str(Path.cwd())
    if not os.environ.get("DAGSTER_HOME"):
        return dg.DagsterInstance.ephemeral()
    try:
        return dg.DagsterInstance.get()
    except (dg.DagsterError, OSError) as error:
        raise Invalid(f"DAGSTER_HOME={os.environ['DAGSTER_HOME']} cannot be used: {error}") from error


def _failure(result: dg.ExecuteInProcessResult) -> str:
    for event in result.all_events:
        if event.is_step_failure:
            return (
                f"{_stage(event.step_key) or event.step_key} failed: {_reason(event.step_failure_data.error)}"
            )
    for evaluation in result.get_asset_check_evaluations():
        if not evaluation.passed:
            facts = ", ".join(f"{name} {value.value}" for name, value in evaluation.metadata.items())
            return f"the check {evaluation.check_name} of {evaluation.asset_key.to_user_string()} failed ({facts})"
    return "the run failed before its first step; see its log in the Dagster UI"


def _reason(error: Any) -> str:
    """What an error says: our own words where one of ours is in its chain, else those of what Dagster wrapped."""
    ours = {kind.__name__ for kind in GalleryError.__subclasses__()}
    chain = []
    while error:
        chain.append(error)
        error = error.cause
    for link in chain:
        if link.cls_name in ours:
            # The class name leads Dagster's text of an error; what we raise on purpose reads well without it.
            return str(link.message.strip().split(": ", 1)[-1])
    return str(chain[min(1, len(chain) - 1)].message.strip()) if chain else "no reason given"
