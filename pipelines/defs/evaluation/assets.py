"""The asset evaluation: measures candidate and live build on the same queries, for `published_collection`."""

from dataclasses import asdict

import dagster as dg
import pandas as pd
from pydantic import Field

from gallery.models import Artwork
from gallery.services import Services
from pipelines.defs.collection.assets import candidate, wanted_works
from pipelines.defs.collection.builds import live_or_none
from pipelines.defs.evaluation.comparison import Comparison, before_and_after, compare_builds, most_changed
from pipelines.defs.evaluation.gate import candidate_name, save_evaluation
from pipelines.defs.evaluation.metrics import mean
from pipelines.records import EvaluationResult, now, record_run
from pipelines.reporting import GROUP_COLLECTION, OWNERS, columns, decoration, markdown_table
from pipelines.steps import REFRESH_POOL, guarded_op
from pipelines.tables import EVALUATION

CHECKS = {
    "rows_are_valid": "The build has exactly the works of the sample, each with a finite unit vector.",
    "encoder_matches": "The build was made by the encoder of this run.",
    "above_minimum": "No metric is below its minimum.",
    "not_below_live": (
        "No metric is too far below the live build, on the same queries and on works that both have. The "
        "limit is GALLERY_TOLERANCE for the quality of the vectors, and tighter for the search of the store."
    ),
}


class EvaluationConfig(dg.Config):
    """Whether metrics decide about publication."""

    publish_anyway: bool = Field(
        default=False,
        description="Publish even if metrics are too low. Invalid rows or another encoder still stop it.",
    )


@dg.asset(
    pool=REFRESH_POOL,
    deps=[candidate],
    group_name=GROUP_COLLECTION,
    owners=OWNERS,
    kinds={"numpy"},
    code_version="2",
    metadata=columns(EVALUATION),
    check_specs=[
        dg.AssetCheckSpec(name, asset="evaluation", blocking=True, description=text)
        for name, text in CHECKS.items()
    ],
    description=(
        "Quality of candidate and live build: whether works find themselves, whether neighbours "
        "share artist and style, [recall](https://en.wikipedia.org/wiki/Precision_and_recall) against exact "
        "search, whether modified copies are found, search times, and changed results. A candidate that "
        "fails is not published."
    ),
)
@guarded_op
def evaluation(
    context: dg.AssetExecutionContext, config: EvaluationConfig, services: dg.ResourceParam[Services]
) -> dg.MaterializeResult:
    """Measure both builds, compare every metric with its limits, and store the result with the candidate."""
    name = candidate_name(services.tables)
    live = live_or_none(services.vectors)
    works = wanted_works(services)
    compared = compare_builds(services, name, live, works, context.log.info)
    if compared.not_compared:
        context.log.warning(f"no comparison with the live build: {compared.not_compared}")
    frame = _table(compared)
    EVALUATION.write(services.tables, frame)
    is_sound = not compared.row_problems and not compared.encoder_problems
    anyway = config.publish_anyway and is_sound and bool(compared.problems)
    result = EvaluationResult(
        build=name,
        against=live.name if live else "",
        passed=anyway or not compared.problems,
        reasons=compared.problems,
        run=context.run.run_id,
        at=now(),
    )
    save_evaluation(services.tables, result)
    record_run(services.tables, "evaluation", context.run.run_id)
    verdict = f"failed: {'; '.join(result.reasons)}" if result.reasons else "passed; ready to publish"
    if anyway:
        verdict += "; to be published anyway"
    context.log.info(f"build {name}: {verdict}")
    return dg.MaterializeResult(
        data_version=dg.DataVersion(f"{name} against {result.against or 'nothing'}: {result.passed}"),
        metadata={
            "dagster/row_count": len(frame),
            "build": name,
            "against": result.against or "none",
            "passed": result.passed,
            "result": verdict,
            **_numbers(compared),
            "metrics": _metrics_table(frame),
            **_most_changed(compared, works, services),
            **_text_results(compared),
        },
        check_results=_check_results(
            compared, dg.AssetCheckSeverity.WARN if anyway else dg.AssetCheckSeverity.ERROR
        ),
    )


def _table(compared: Comparison) -> pd.DataFrame:
    rows = []
    for metric in compared.metrics:
        row = asdict(metric)
        problems = filter(None, (row.pop("too_low"), row.pop("dropped")))
        rows.append(row | {"problem": "; ".join(problems)})
    return EVALUATION.frame(rows)


def _numbers(compared: Comparison) -> dict[str, float | int]:
    """Return the figures as numbers, which the UI plots over time."""
    facts: dict[str, float | int | None] = {result.metric: result.candidate for result in compared.metrics}
    if compared.overlap:
        facts["overlap_at_10"] = mean(compared.overlap.values())
        facts["queries_changed"] = sum(share < 1 for share in compared.overlap.values())
    if compared.text_results:
        facts["text_spread"] = mean(result.spread for result in compared.text_results)
        facts["text_overlap_at_10"] = compared.text_overlap
    facts["queries"] = len(compared.candidate.results)
    facts["copies_searched"] = len(compared.candidate.scores["modified_copies"])
    facts["copies_encoded"] = compared.encoded_copies
    return {name: value for name, value in facts.items() if value is not None}


def _metrics_table(frame: pd.DataFrame) -> dg.MarkdownMetadataValue:
    """Return the metrics with the values that they must reach. The table `evaluation` has more columns."""
    rows = []
    for row in frame.to_dict("records"):
        limits = [value for value in (row["minimum"], row["live"] - row["max_drop"]) if value > 0]  # not NaN
        values = (row["candidate"], row["live"], max(limits, default=float("nan")))
        figures = ["" if pd.isna(value) else f"{value:.3f}" for value in values]
        rows.append((row["metric"], *figures, row["problem"]))
    return markdown_table(("metric", "candidate", "live", "at least", "problem"), rows)


def _most_changed(
    compared: Comparison, works: list[Artwork], services: Services
) -> dict[str, dg.MarkdownMetadataValue]:
    by_id = {work.id: work for work in works}
    queries = [by_id[id] for id in most_changed(compared.overlap) if id in by_id]
    if not queries:
        return {}
    return {
        **decoration(
            "most_changed",
            lambda: before_and_after(compared, queries, services.images),
            "query, then results in the live build and in the candidate",
        ),
        "most_changed_works": markdown_table(
            ("query", "results unchanged"),
            [(query.file.replace("/", " / "), f"{compared.overlap[query.id]:.0%}") for query in queries],
        ),
    }


def _text_results(compared: Comparison) -> dict[str, dg.MarkdownMetadataValue]:
    if not compared.text_results:
        return {}
    rows = [
        (
            result.text,
            ", ".join(f"{hit.artwork.artist.name} ({hit.score:.2f})" for hit in result.hits[:3]),
            f"{result.spread:.3f}",
        )
        for result in compared.text_results
    ]
    return {"text_queries": markdown_table(("text", "nearest works", "score of 1st minus 10th"), rows)}


def _check_results(compared: Comparison, severity: dg.AssetCheckSeverity) -> list[dg.AssetCheckResult]:
    measured, metrics = compared.candidate, compared.metrics
    rows = {"rows": measured.rows, "works": measured.build.works, "bad_rows": measured.bad_rows}
    above = {result.metric: result.candidate for result in metrics if result.candidate is not None}
    changes = {
        f"{result.metric}_change": result.shared - result.live
        for result in metrics
        if result.shared is not None and result.live is not None
    }
    facts: dict[str, tuple[list[str], dict[str, dg.RawMetadataValue]]] = {
        "rows_are_valid": (compared.row_problems, {**rows}),
        "encoder_matches": (compared.encoder_problems, {"fingerprint": measured.build.fingerprint}),
        "above_minimum": (compared.too_low, {**above}),
        "not_below_live": (compared.dropped, {**changes}),
    }
    return [
        dg.AssetCheckResult(
            check_name=name,
            passed=not problems,
            severity=severity,
            description="; ".join(problems) or None,
            metadata=numbers,
        )
        for name, (problems, numbers) in facts.items()
    ]
