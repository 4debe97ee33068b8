"""The gate before `live`: which build may become the live one.

Dagster's blocking checks stop what comes later in the same run only. The verdict therefore stands beside the candidate,
and publishing reads it there, whoever asks and in whichever run.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from gallery.errors import Invalid, NotFound
from gallery.objects.base import ObjectStore
from gallery.vectors.base import original_name
from pipelines.defs.collection.manifests import blocked_builds
from pipelines.tables import note_or_none, read_note, write_note


@dataclass(frozen=True)
class EvaluationResult:
    """Whether a build may become live, in place of which one (`against`, "" for none), and which run says so."""

    build: str
    against: str
    passed: bool
    reasons: list[str]
    run: str
    at: str


def record_candidate(tables: ObjectStore, build: str, works: int, run: str) -> None:
    """Make the build the one that would be published next. A verdict on the same build stays."""
    before = note_or_none(tables, "candidate") or {}
    verdict = {"verdict": before["verdict"]} if before.get("build") == build and "verdict" in before else {}
    write_note(tables, "candidate", {"build": build, "works": works, "run": run, **verdict})


def candidate_name(tables: ObjectStore) -> str:
    """The build that would be published next. Raises NotFound, saying what makes one."""
    try:
        return str(read_note(tables, "candidate")["build"])
    except NotFound:
        raise NotFound("there is no candidate to publish; materialize `candidate` first") from None


def write_evaluation_result(tables: ObjectStore, verdict: EvaluationResult) -> None:
    """Put the verdict beside its candidate. Raises Invalid where that is no longer the candidate."""
    note = read_note(tables, "candidate")
    if note["build"] != verdict.build:
        raise Invalid(f"build {verdict.build} was evaluated, but {note['build']} is the candidate by now")
    write_note(tables, "candidate", {**note, "verdict": asdict(verdict)})


def verdict_on(tables: ObjectStore, build: str) -> EvaluationResult | None:
    """The verdict on exactly this build; None where there is none."""
    note: dict[str, Any] = note_or_none(tables, "candidate") or {}
    verdict = EvaluationResult(**note["verdict"]) if "verdict" in note else None
    return verdict if verdict and verdict.build == build else None


def check_gate(tables: ObjectStore, build: str, live: str) -> None:
    """Raises Invalid with the reason where the build may not take the place of the live one ("" for none)."""
    if build == live:
        return  # it is there already
    if original_name(build) in {original_name(name) for name in blocked_builds(tables)}:
        raise Invalid(
            f"build {build} was rolled back from, so it is not published again while the dataset and the settings "
            f"give the same; `gallery rollback --unblock {build}` allows it again"
        )
    verdict = verdict_on(tables, build)
    if verdict is None:
        raise Invalid(
            f"build {build} has not been evaluated, so it stays unpublished; materialize `evaluation`"
        )
    if not verdict.passed:
        raise Invalid(
            f"build {build} stays unpublished, as run {verdict.run} found: {'; '.join(verdict.reasons)}"
        )
    if verdict.against != live:
        raise Invalid(
            f"build {build} was compared with {verdict.against or 'no live build'}, but {live or 'none'} is live by "
            "now; materialize `evaluation` again"
        )
