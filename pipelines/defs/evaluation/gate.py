"""The gate before `published_collection`: which build may become the live one.

Dagster's blocking checks stop later steps of the same run only. The result of the evaluation is therefore
stored with the candidate, and publishing reads it there, in the same run or another one.
"""

from __future__ import annotations

from gallery.errors import Invalid, NotFound
from gallery.objects.base import ObjectStore
from gallery.vectors.base import original_name
from pipelines.defs.collection.manifests import blocked_builds
from pipelines.records import CandidateRecord, EvaluationResult


def record_candidate(tables: ObjectStore, build: str, works: int, run: str) -> None:
    """Make the build the candidate. An existing evaluation of the same build is kept."""
    before = CandidateRecord.load_or_none(tables)
    evaluation = before.evaluation if before and before.build == build else None
    CandidateRecord(build=build, works=works, run=run, evaluation=evaluation).save(tables)


def candidate_name(tables: ObjectStore) -> str:
    """Return the name of the candidate. Raises NotFound, naming the asset that makes one."""
    try:
        return CandidateRecord.load(tables).build
    except NotFound:
        raise NotFound("there is no candidate to publish; materialize `candidate` first") from None


def save_evaluation(tables: ObjectStore, result: EvaluationResult) -> None:
    """Store the result with the candidate. Raises Invalid if another build has become the candidate."""
    candidate = CandidateRecord.load(tables)
    if candidate.build != result.build:
        raise Invalid(f"build {result.build} was evaluated, but the candidate is now {candidate.build}")
    candidate.model_copy(update={"evaluation": result}).save(tables)


def load_evaluation(tables: ObjectStore, build: str) -> EvaluationResult | None:
    """Return the result of this build, or None if it has not been evaluated."""
    candidate = CandidateRecord.load_or_none(tables)
    result = candidate.evaluation if candidate else None
    return result if result and result.build == build else None


def check_gate(tables: ObjectStore, build: str, live: str) -> None:
    """Raise Invalid, with the reason, if the build may not replace the live one ("" for none)."""
    if build == live:
        return
    if original_name(build) in {original_name(name) for name in blocked_builds(tables)}:
        raise Invalid(
            f"build {build} was rolled back from, so it is not published again while dataset and settings "
            f"give the same content; `gallery rollback --unblock {build}` allows it"
        )
    result = load_evaluation(tables, build)
    if result is None:
        raise Invalid(f"build {build} is not published: it has not been evaluated; materialize `evaluation`")
    if not result.passed:
        raise Invalid(f"build {build} is not published: run {result.run} found: {'; '.join(result.reasons)}")
    if result.against != live:
        raise Invalid(
            f"build {build} is not published: it was compared with {result.against or 'no live build'}, but "
            f"{live or 'none'} is live now; materialize `evaluation` again"
        )
