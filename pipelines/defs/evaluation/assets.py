"""evaluation: the candidate beside the live build on the same queries, and the verdict that `live` goes by."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

import dagster as dg
import pandas as pd

from gallery.services import Services
from pipelines.defs.collection.assets import candidate, wanted_works
from pipelines.defs.collection.builds import live_or_none
from pipelines.defs.evaluation.comparison import Comparison, before_and_after, changed_most, compare_builds
from pipelines.defs.evaluation.gate import EvaluationResult, candidate_name, write_evaluation_result
from pipelines.reporting import GROUP_COLLECTION, OWNERS, columns, image, markdown_table
from pipelines.steps import REFRESH_POOL, guarded_op
from pipelines.tables import EVALUATION, record_run

CHECKS = {
    "rows_are_sound": "The build holds the works that went into it, each with a finite row of unit length.",
    "encoder_is_this_runs": "The collection says of its encoder what this run's encoder says of itself.",
    "good_enough": "No figure is below what any build must reach.",
    "no_worse_than_live": (
        "No figure is further below the live build's than it may fall (GALLERY_TOLERANCE for shares, less for what a "
        "store must get right), on works that both hold and the same queries."
    ),
}


@dg.asset(
    pool=REFRESH_POOL,
    deps=[candidate],
    group_name=GROUP_COLLECTION,
    owners=OWNERS,
    kinds={"numpy"},
    code_version="1",
    metadata=columns(EVALUATION),
    check_specs=[
        dg.AssetCheckSpec(name, asset="evaluation", blocking=True, description=text)
        for name, text in CHECKS.items()
    ],
    description=(
        "The candidate and the live build on the same queries: each work finds itself, neighbours share artist and genre, "
        "[recall](https://en.wikipedia.org/wiki/Precision_and_recall) against exact search, altered copies are found, "
        "time of a search, and how many answers stayed the same. `live` refuses what does not pass here."
    ),
)
@guarded_op
def evaluation(
    context: dg.AssetExecutionContext, services: dg.ResourceParam[Services]
) -> dg.MaterializeResult:
    """Measure both, judge each figure, and leave the verdict beside the candidate."""
    name = candidate_name(services.tables)
    live = live_or_none(services.vectors)
    works = wanted_works(services)
    compared = compare_builds(
        name,
        live,
        works,
        store=services.vectors,
        tables=services.tables,
        pictures=services.images,
        encoder=services.encoder,
        settings=services.settings,
    )
    if compared.obstacle:
        context.log.warning(f"the live build cannot be compared with: {compared.obstacle}")
    frame = _table(compared)
    EVALUATION.write(services.tables, frame)
    verdict = EvaluationResult(
        build=name,
        against=live.name if live else "",
        passed=not compared.faults,
        reasons=compared.faults,
        run=context.run.run_id,
        at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    write_evaluation_result(services.tables, verdict)
    record_run(services.tables, "evaluation", context.run.run_id)
    context.log.info(
        f"build {name} "
        + ("may become live" if verdict.passed else f"is refused: {'; '.join(verdict.reasons)}")
    )
    by_id = {work.id: work for work in works}
    most = [by_id[query] for query in changed_most(compared.overlap) if query in by_id]
    asked = {work.id: work.file for work in most}
    pictures: dict[str, dg.RawMetadataValue] = {}
    if most:
        pictures["changed_most"] = image(
            before_and_after(compared, most, services.images),
            "what was asked for, then what it finds: before, after",
        )
        pictures["changed_most_works"] = markdown_table(
            ("asked for", "answers that stayed"),
            [(file, f"{compared.overlap[id]:.0%}") for id, file in asked.items()],
        )
    if compared.text_answers:
        pictures["in_words"] = _in_words(compared)
    return dg.MaterializeResult(
        data_version=dg.DataVersion(f"{name} against {verdict.against or 'nothing'}: {verdict.passed}"),
        metadata={
            "dagster/row_count": len(frame),
            "build": name,
            "against": verdict.against or "none",
            "passed": verdict.passed,
            "verdict": "; ".join(verdict.reasons) or "nothing stands against publishing",
            **_numbers(compared),
            "figures": _figures(frame),
            **pictures,
        },
        check_results=list(_checks(compared)),
    )


def _table(compared: Comparison) -> pd.DataFrame:
    rows = []
    for judgement in compared.judgements:
        row = asdict(judgement)
        faults = [row.pop("too_low"), row.pop("worse")]
        rows.append({**row, "fault": "; ".join(filter(None, faults))})
    return EVALUATION.frame(rows)


def _numbers(compared: Comparison) -> dict[str, float | int]:
    """Every figure that there is, as numbers, which the UI plots over time."""
    facts: dict[str, float | int | None] = {**asdict(compared.quality)}
    facts |= {f"live_{row.figure}": row.live for row in compared.judgements}
    if compared.overlap:
        facts["overlap_at_10"] = sum(compared.overlap.values()) / len(compared.overlap)
        facts["queries_changed"] = sum(share < 1 for share in compared.overlap.values())
    if compared.text_answers:
        facts["text_spread"] = sum(answer.spread for answer in compared.text_answers) / len(
            compared.text_answers
        )
        facts["text_overlap_at_10"] = compared.text_overlap
    facts |= {"queries": len(compared.candidate.queries), "altered_copies": len(compared.candidate.altered)}
    facts["altered_copies_encoded"] = compared.encoded
    return {name: value for name, value in facts.items() if value is not None}


def _figures(frame: pd.DataFrame) -> dg.MarkdownMetadataValue:
    def cell(value: float) -> str:
        return "" if pd.isna(value) else f"{value:.3f}"

    head = ("figure", "candidate", "on the same queries", "live", "at least", "may fall by", "")
    return markdown_table(
        head,
        [
            (
                row["figure"],
                *(cell(row[name]) for name in ("candidate", "shared", "live", "least", "fall")),
                row["fault"],
            )
            for row in frame.to_dict("records")
        ],
    )


def _in_words(compared: Comparison) -> dg.MarkdownMetadataValue:
    rows = [
        (
            answer.text,
            ", ".join(f"{hit.artwork.artist.name} ({hit.score:.2f})" for hit in answer.hits[:3]),
            f"{answer.spread:.3f}",
        )
        for answer in compared.text_answers
    ]
    return markdown_table(("asked in words", "nearest", "first to tenth"), rows)


def _checks(compared: Comparison) -> Sequence[dg.AssetCheckResult]:
    measured = compared.candidate
    facts: dict[str, tuple[list[str], dict[str, dg.RawMetadataValue]]] = {
        "rows_are_sound": (
            compared.rows,
            {"rows": measured.rows, "works": measured.build.works, "unsound": measured.unsound},
        ),
        "encoder_is_this_runs": (compared.encoder, {"fingerprint": measured.build.fingerprint}),
        "good_enough": (
            compared.too_low,
            {row.figure: row.candidate for row in compared.judgements if row.candidate is not None},
        ),
        "no_worse_than_live": (
            compared.worse,
            {
                f"{row.figure}_change": row.shared - row.live
                for row in compared.judgements
                if row.shared is not None and row.live is not None
            },
        ),
    }
    return [
        dg.AssetCheckResult(
            check_name=name,
            passed=not faults,
            description="; ".join(faults) or None,
            metadata=numbers,
        )
        for name, (faults, numbers) in facts.items()
    ]
