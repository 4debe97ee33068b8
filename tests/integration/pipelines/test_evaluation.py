"""The evaluation and the gate in real runs: which candidates are published, and which are refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dagster as dg
import numpy as np
import pytest

from gallery.encoders.fake import FakeEncoder
from gallery.errors import Invalid
from gallery.vectors.memory import MemoryStore
from pipelines.defs.evaluation.gate import check_gate, load_evaluation
from pipelines.defs.evaluation.metrics import LATENCIES, LIMITS
from pipelines.errors import RefreshFailed
from pipelines.records import CandidateRecord
from pipelines.runner import StageEvent
from pipelines.tables import EVALUATION
from tests.fakes.gallery import Gallery, LargerGallery

pytestmark = pytest.mark.slow


def after(stage: str, action: Callable[[], None]) -> Callable[[StageEvent], None]:
    """Return a callback that acts when the stage is done."""

    def watch(event: StageEvent) -> None:
        if (event.stage, event.kind) == (stage, "done"):
            action()

    return watch


def failure(result: dg.ExecuteInProcessResult) -> str:
    (event,) = (event for event in result.all_events if event.is_step_failure)
    text, error = "", event.step_failure_data.error
    while error:
        text, error = text + error.message, error.cause
    return text


def failed_checks(result: dg.ExecuteInProcessResult) -> set[str]:
    return {check.check_name for check in result.get_asset_check_evaluations() if not check.passed}


def test_every_metric_is_reported_and_unchanged_builds_are_not_encoded_again(larger: LargerGallery) -> None:
    build = larger.refresh()["build"]
    tables = larger.services.tables
    result = load_evaluation(tables, build)
    assert result is not None and result.passed and result.against == "" and result.run
    metrics = {limit.metric for limit in LIMITS} | set(LATENCIES)
    assert set(EVALUATION.read(tables)["metric"]) == metrics
    facts = larger.facts["evaluation"]
    assert all(isinstance(facts[metric], float) for metric in metrics)
    counts = ("queries", "copies_searched", "copies_encoded")
    assert [facts[name] for name in counts] == [36, 108, 108]
    assert "most_changed" not in facts and "text_queries" not in facts
    larger.refresh()
    facts = larger.facts["evaluation"]
    assert facts["copies_encoded"] == 0 and facts["overlap_at_10"] == 1.0


def test_a_worse_encoder_is_refused_and_the_live_build_stays(built_larger: LargerGallery) -> None:
    larger, build = built_larger, built_larger.live
    with pytest.raises(RefreshFailed, match=r"evaluation failed: .*modified_copies is .*GALLERY_TOLERANCE"):
        larger.refresh(encoder="fake://?dim=2")
    facts = larger.facts["evaluation"]
    assert larger.live == build and facts["passed"] is False
    assert facts["most_changed"].startswith("![") and "data:image/jpeg;base64," in facts["most_changed"]
    assert len(facts["most_changed"]) < 150_000
    run = load_evaluation(larger.services.tables, larger.candidate)
    assert run is not None
    # Publishing alone, in a run without the checks, is refused as well.
    result = larger.materialize("published_collection", encoder="fake://?dim=2")
    assert not result.success and larger.live == build
    assert f"run {run.run} found" in failure(result) and "modified_copies" in failure(result)
    # The next candidate takes the place of the refused one.
    with pytest.raises(RefreshFailed):
        larger.refresh(encoder="fake://?dim=3", tolerance=0.0)
    assert [found.dim for found in larger.services.vectors.builds()] == [3, 48]
    assert larger.refresh(encoder="fake://?dim=2", publish_anyway=True)["build"] == larger.live != build
    assert "modified_copies" in larger.facts["evaluation"]["result"]


def test_a_failed_check_stops_the_assets_after_it(built_larger: LargerGallery) -> None:
    assert failed_checks(built_larger.materialize("evaluation", encoder="fake://?dim=9")) == {
        "encoder_matches"
    }
    result = built_larger.materialize(
        "embeddings",
        "candidate",
        "evaluation",
        "published_collection",
        "image_cleanup",
        encoder="fake://?dim=2",
    )
    assert failed_checks(result) == {"not_below_live"} and not result.success
    materialized = [event.asset_key.path[-1] for event in result.get_asset_materialization_events()]
    assert materialized == ["embeddings", "candidate", "evaluation"]


def test_vectors_of_the_wrong_works_are_refused(built_larger: LargerGallery) -> None:
    larger, build = built_larger, built_larger.live
    larger.correct_artists()

    def swap_vectors() -> None:
        collection = larger.services.vectors.open(larger.candidate)
        works = sorted(collection.works(limit=100), key=lambda work: work.file.rpartition("/")[2])
        collection.upsert(works, np.roll(collection.vectors([work.id for work in works]), 1, axis=0))

    with pytest.raises(RefreshFailed, match="evaluation failed: modified_copies is 0"):
        larger.refresh(after("candidate", swap_vectors))
    assert larger.live == build != larger.candidate


def test_a_candidate_that_was_not_evaluated_is_refused(built_larger: LargerGallery) -> None:
    larger, build = built_larger, built_larger.live
    larger.correct_artists()
    assert larger.materialize("raw_dataset", "artists", "artworks", "candidate").success
    result = larger.materialize("published_collection")
    assert not result.success and "has not been evaluated" in failure(result) and larger.live == build
    assert larger.materialize("evaluation").success and larger.materialize("published_collection").success
    assert larger.live == larger.candidate != build


def test_a_damaged_vector_blocks_publishing(larger: LargerGallery) -> None:
    services = larger.services
    services.vectors = store = MemoryStore()

    def damage() -> None:
        collection = store.open(larger.candidate)
        id, (work, row) = next(iter(collection._kept.items()))
        collection._kept[id] = (work, row * np.float32(np.nan))

    with pytest.raises(RefreshFailed, match="evaluation failed: 1 of 36 rows are not finite"):
        larger.refresh(after("candidate", damage), services=services, publish_anyway=True)
    assert store.live() is None


def test_an_evaluation_counts_for_its_build_and_the_live_build_it_was_compared_with(
    built_gallery: Gallery,
) -> None:
    tables, build = built_gallery.services.tables, built_gallery.live
    check_gate(tables, build, "")
    with pytest.raises(Invalid, match="was compared with no live build, but b0 is live now"):
        check_gate(tables, build, "b0")
    with pytest.raises(Invalid, match="has not been evaluated"):
        check_gate(tables, "b1", "")
    CandidateRecord.load(tables).model_copy(update={"build": "b1"}).save(tables)
    with pytest.raises(Invalid, match="has not been evaluated"):
        check_gate(tables, "b1", "")


def test_a_larger_or_smaller_sample_is_not_refused(larger: LargerGallery) -> None:
    first = larger.refresh(per_artist=3)["build"]
    second = larger.refresh(per_artist=12)["build"]
    third = larger.refresh(per_artist=3)["build"]
    assert first != second and third == first == larger.live


class TextEncoder(FakeEncoder):
    """The fake encoder under a name that makes its text vectors count."""

    def __init__(self) -> None:
        super().__init__()
        self.fingerprint = "text/48/1"
        self.texts = 0

    def embed_texts(self, texts: Any) -> Any:
        self.texts += len(texts)
        return super().embed_texts(texts)


def test_text_queries_are_encoded_once_and_their_results_reported(gallery: Gallery) -> None:
    services = gallery.services
    services.encoder = encoder = TextEncoder()
    for _ in range(2):
        gallery.refresh(services=services)
    facts = gallery.facts["evaluation"]
    assert encoder.texts == 8 and facts["text_overlap_at_10"] == 1.0 and facts["text_spread"] > 0
    assert facts["text_queries"].count("\n") == 9 and "ships on a stormy sea" in facts["text_queries"]
