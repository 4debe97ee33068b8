"""Why a run failed, from the events that Dagster recorded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg

from gallery.errors import GalleryError

EVENT_TYPES = {
    dg.DagsterEventType.ASSET_CHECK_EVALUATION,
    dg.DagsterEventType.STEP_FAILURE,
    dg.DagsterEventType.RUN_FAILURE,
}
"""The events that `failures` reads."""
CHECK_ERROR = "DagsterAssetCheckFailedError"
"""The error of a step whose check failed. It does not say why."""


@dataclass(frozen=True)
class Failure:
    """Why a run failed: a failed check of the asset `step`, a failed step, or neither if both are ""."""

    step: str
    check: str
    error: str

    def __str__(self) -> str:
        return f"{self.step} failed: {self.error}" if self.step else self.error


class RefreshFailed(GalleryError):
    """A stage failed; the message names it and its error.

    `published` says whether the new build had become live before.
    """

    def __init__(self, failures: Sequence[Failure], run_id: str, *, published: bool) -> None:
        super().__init__(" ".join(str(failures[0]).split()))  # one line
        self.failures, self.run_id, self.published = failures, run_id, published


def failures(events: Iterable[dg.DagsterEvent]) -> list[Failure]:
    """Return why a run failed: failed checks first, then failed steps; without either, the run's own error.

    Empty if nothing recorded a reason, as after a crash.
    """
    checks, steps, runs = [], [], []
    for event in events:
        if event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            check = event.asset_check_evaluation_data
            is_error = check.severity == dg.AssetCheckSeverity.ERROR
            if not check.passed and check.blocking and is_error:
                checks.append(Failure(check.asset_key.path[-1], check.check_name, check_reason(check)))
        elif event.event_type == dg.DagsterEventType.STEP_FAILURE:
            error = event.step_failure_data.error
            if error is None or error.cls_name != CHECK_ERROR:
                steps.append(Failure(event.step_key or "", "", error_message(error)))
        elif event.event_type == dg.DagsterEventType.RUN_FAILURE:
            data: Any = event.event_specific_data  # None for a run that Dagster ended
            runs += [Failure("", "", error_message(data.error))] if data and data.error else []
    return checks + steps or runs


def check_reason(check: dg.AssetCheckResult | dg.AssetCheckEvaluation) -> str:
    """Return why a check failed: its description or, without one, its figures."""
    figures = (f"{name} {getattr(value, 'value', value)}" for name, value in (check.metadata or {}).items())
    return check.description or f"{check.check_name or 'a check'} did not pass ({', '.join(figures)})"


def error_message(error: Any) -> str:
    """Return the message of an error as Dagster stores it.

    The first of this project's errors in its chain counts; without one, the error that Dagster wrapped.
    """
    own = _class_names(GalleryError)
    chain = []
    while error:
        chain.append(error)
        error = error.cause
    for link in chain:
        if link.cls_name in own:
            # Dagster puts the class name first; these messages need none.
            return str(link.message.strip().split(": ", 1)[-1])
    return str(chain[min(1, len(chain) - 1)].message.strip()) if chain else "no error was recorded"


def _class_names(cls: type[GalleryError]) -> set[str]:
    return {cls.__name__}.union(*(_class_names(subclass) for subclass in cls.__subclasses__()))
