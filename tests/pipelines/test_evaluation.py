"""Quality in figures: what is measured, what may fall how far, and what the gate does with a candidate that fell."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pytest

from gallery.encoders.fake import FakeEncoder
from gallery.errors import Invalid
from gallery.models import Artist, Artwork, Build, Hit, StoredImage
from gallery.services import Services
from gallery.settings import Settings
from gallery.vectors.memory import MemoryCollection, MemoryStore
from pipelines.definitions import build_defs
from pipelines.defs.evaluation.gate import check_gate, verdict_on
from pipelines.defs.evaluation.measurements import Measurement, measure, query_maker
from pipelines.defs.evaluation.metrics import (
    LIMITS,
    Nearest,
    Quality,
    compare,
    keyed_sample,
    overlaps,
    recall,
    share_alike,
)
from pipelines.runner import RefreshFailed, StageEvent, run_refresh
from pipelines.tables import EVALUATION, read_note, write_note
from tests.fakes.archives import artists_csv, picture, write_folder

GOOD = Quality(1.0, 1.0, 0.5, 0.6, 0.9, 5.0, 9.0)
NAMES = ("Anna A", "Bea B", "Cleo C")


# --- the figures alone


def test_a_build_is_no_worse_than_itself() -> None:
    assert not [row for row in compare(GOOD, GOOD, GOOD, tolerance=0.0) if row.worse or row.too_low]


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.figure)
def test_each_share_may_fall_by_its_tolerance_and_no_further(limit: Any) -> None:
    fall = 0.05 if limit.fall is None else limit.fall
    for by, faults in ((fall, 0), (fall + 0.001, 1)):
        now = dataclasses.replace(GOOD, **{limit.figure: getattr(GOOD, limit.figure) - by})
        worse = [row for row in compare(GOOD, now, GOOD, tolerance=0.05) if row.worse]
        assert len(worse) == faults and all(limit.figure in row.worse for row in worse)


@pytest.mark.parametrize("limit", [limit for limit in LIMITS if limit.least], ids=lambda limit: limit.figure)
def test_a_first_build_has_to_reach_the_least_of_each_figure(limit: Any) -> None:
    for value, faults in ((limit.least, 0), (limit.least - 0.001, 1)):
        quality = dataclasses.replace(GOOD, **{limit.figure: value})
        judged = compare(quality, None, None, tolerance=0.05)
        assert sum(bool(row.too_low) for row in judged) == faults and not [row for row in judged if row.worse]


def test_what_could_not_be_measured_is_not_held_against_a_build() -> None:
    assert not [row for row in compare(Quality(), Quality(), GOOD, tolerance=0.0) if row.worse or row.too_low]


@pytest.mark.parametrize(("now", "before", "refused"), [(90, 5, False), (290, 100, False), (310, 100, True)])
def test_a_slower_search_is_refused_when_it_is_slow_and_much_slower(
    now: float, before: float, refused: bool
) -> None:
    slow, quick = (dataclasses.replace(GOOD, search_p50_ms=float(ms)) for ms in (now, before))
    assert bool([row for row in compare(slow, slow, quick, tolerance=0.05) if row.worse]) is refused


def test_samples_of_two_builds_overlap_as_the_builds_do() -> None:
    ids = [f"work-{n}" for n in range(1_000)]
    assert keyed_sample(ids, 100) == keyed_sample(reversed(ids), 100)
    more = keyed_sample([*ids, "another"], 100)
    assert len(set(more) & set(keyed_sample(ids, 100))) >= 99


def test_nearest_in_blocks_are_the_nearest_in_one() -> None:
    scores = np.random.default_rng(3).standard_normal((7, 100)).astype(np.float32)
    scores[:, 50] = -np.inf
    whole, parts = Nearest(7, 10), Nearest(7, 10)
    whole.add(scores, np.arange(100))
    for start in range(0, 100, 13):
        parts.add(scores[:, start : start + 13], np.arange(start, min(start + 13, 100)))
    assert (whole.places == parts.places).all() and (
        whole.places == np.argsort(-scores, axis=1)[:, :10]
    ).all()
    few = Nearest(1, 5)
    few.add(np.array([[0.3, -np.inf]], dtype=np.float32), np.arange(2))
    assert few.places.tolist() == [[0, -1]]


def test_recall_counts_scores_so_that_either_of_two_equal_works_will_do() -> None:
    exact = np.array([[0.9, 0.8], [0.9, 0.8], [0.9, -np.inf]], dtype=np.float32)
    given = np.array([[0.9, 0.8], [0.9, 0.5], [0.9, np.nan]], dtype=np.float32)
    assert recall(given, exact).tolist() == [1.0, 0.5, 1.0]


def test_shares_and_overlaps() -> None:
    assert share_alike({"a", "b"}, [{"b"}, {"c"}, set(), {"a"}]) == 0.5
    assert np.isnan(share_alike(set(), [{"b"}])) and np.isnan(share_alike({"a"}, []))
    assert overlaps({"q": ["a", "b"], "r": ["a"], "s": []}, {"q": ["b", "c"], "s": ["a"]}) == {"q": 0.5}


# --- what a build answers


def works_of(count: int) -> list[Artwork]:
    artists = [Artist(name, name, 1800, 1850, (name,), (), "", "", "") for name in ("ann", "bob")]
    look = StoredImage("o", "l", "s", 1, 1, "#000000")
    return [Artwork(f"w{n:03}", artists[n % 2], f"{n}.jpg", f"{n:064}", look) for n in range(count)]


def built(vectors: np.ndarray, kind: type[MemoryCollection] = MemoryCollection) -> MemoryCollection:
    works = works_of(len(vectors))
    build = Build("b1", "fake", "fake/8/1", vectors.shape[1], len(works), "", "", False, "2026-01-01")
    collection = kind(build)
    collection.upsert(works, vectors)
    return collection


def measured(collection: MemoryCollection) -> Measurement:
    works = {work.id: work for work in works_of(collection.count())}
    altered = {
        ("w000", "same"): collection.vectors(["w000"])[0],
        ("w000", "other"): collection.vectors(["w001"])[0],
    }
    return measure(collection, works, set(works), lambda rows: rows, altered)


def two_crowds(count: int = 40) -> np.ndarray:
    """Rows of two artists' works in two far corners."""
    rows = np.random.default_rng(1).standard_normal((count, 8)) * 0.05
    rows[::2, 0] += 1
    rows[1::2, 1] += 1
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_a_sound_build_finds_everything() -> None:
    found = measured(built(two_crowds()))
    quality = found.quality()
    assert (quality.self_retrieval, quality.recall_at_10, quality.same_artist, quality.same_genre) == (
        1,
        1,
        1,
        1,
    )
    assert (found.rows, found.unsound, len(found.queries)) == (40, 0, 40)
    assert quality.search_p50_ms is not None and quality.search_p95_ms is not None
    assert found.altered[("w000", "same")] is True and found.altered[("w000", "other")] is False


def test_rows_that_are_not_finite_or_not_of_unit_length_are_counted() -> None:
    collection = built(two_crowds())
    for id, factor in (("w003", np.nan), ("w004", 2.0), ("w005", 0.0)):
        work, row = collection._kept[id]
        collection._kept[id] = (work, row * np.float32(factor))
    assert measured(collection).unsound == 3


class Forgetful(MemoryCollection):
    """A store whose search never finds the nearest."""

    def search(self, *args: Any, **kwargs: Any) -> list[Hit]:
        return super().search(*args, **kwargs)[1:]


def test_a_store_that_misses_the_nearest_is_seen() -> None:
    quality = measured(built(two_crowds(), Forgetful)).quality()
    assert quality.self_retrieval == 0.0
    assert quality.recall_at_10 == pytest.approx(0.9, abs=0.01)  # but for ties
    assert quality.same_artist == 1.0  # what the rows hold is another matter


def test_works_that_look_the_same_both_find_themselves() -> None:
    rows = two_crowds()
    rows[2] = rows[0]
    assert measured(built(rows)).quality().self_retrieval == 1.0


def test_an_empty_build_has_no_figures() -> None:
    found = measure(built(two_crowds()[:0]), {}, set(), lambda rows: rows, {})
    assert found.quality() == Quality() and found.rows == 0


def test_a_build_is_asked_the_way_its_own_encoder_asks() -> None:
    build = built(two_crowds()).build
    rows = two_crowds()
    for encoder in ("fake://?dim=8", "no/such-model-anywhere", "fake://?nonsense"):
        ask = query_maker(dataclasses.replace(build, encoder=encoder), FakeEncoder(16))
        assert (ask(rows) == rows).all()


# --- the gate, with real runs


class Pipeline:
    """A folder of 36 pictures by three artists, and what is built from it."""

    def __init__(self, root: Path, settings_with: Callable[..., Settings]) -> None:
        self.root, self._settings_with = root / "archive", settings_with
        files = {
            f"{name.replace(' ', '_')}/{n}_{place}.jpg": picture(100 * place + n)
            for place, name in enumerate(NAMES)
            for n in range(12)
        }
        write_folder(self.root, files, artists_csv(list(NAMES)))

    def services(self, **given: Any) -> Services:
        return Services(self._settings_with(**{"dataset": f"file://{self.root}", **given}))

    def refresh(self, watch: Callable[[StageEvent], None] = lambda _: None, **given: Any) -> dict[str, Any]:
        with dg.DagsterInstance.ephemeral() as instance:
            return run_refresh(self.services(**given), watch, instance)

    def alone(self, *assets: str, **given: Any) -> dg.ExecuteInProcessResult:
        """Materialize only these, in a run of their own."""
        job = build_defs(self.services(**given)).resolve_implicit_global_asset_job_def()
        with dg.DagsterInstance.ephemeral() as instance:
            return job.execute_in_process(
                asset_selection=[dg.AssetKey(name) for name in assets],
                instance=instance,
                raise_on_error=False,
            )

    def live(self) -> str:
        build = self.services().vectors.live()
        return build.name if build else ""

    def candidate(self) -> str:
        return str(read_note(self.services().tables, "candidate")["build"])


@pytest.fixture
def pipeline(tmp_path: Path, settings_with: Callable[..., Settings]) -> Pipeline:
    return Pipeline(tmp_path, settings_with)


def swap_rows(pipeline: Pipeline) -> Callable[[StageEvent], None]:
    """Gives every work of a finished candidate the row of another artist's work."""

    def watch(progress: StageEvent) -> None:
        if (progress.stage, progress.kind) == ("candidate", "done"):
            collection = pipeline.services().vectors.open(pipeline.candidate())
            works = sorted(collection.works(limit=100), key=lambda work: work.file.rpartition("/")[2])
            rows = collection.vectors([work.id for work in works])
            collection.upsert(works, np.roll(rows, 1, axis=0))

    return watch


def said_of(result: dg.ExecuteInProcessResult) -> str:
    (failure,) = (event for event in result.all_events if event.is_step_failure)
    text, error = "", failure.step_failure_data.error
    while error:
        text, error = text + error.message, error.cause
    return text


def test_figures_are_numbers_and_the_verdict_stands_beside_the_candidate(pipeline: Pipeline) -> None:
    facts: dict[str, Any] = {}

    def watch(progress: StageEvent) -> None:
        if (progress.stage, progress.kind) == ("evaluation", "done"):
            facts.update(progress.facts or {})

    build = pipeline.refresh(watch)["build"]
    tables = pipeline.services().tables
    verdict = verdict_on(tables, build)
    assert verdict is not None and verdict.passed and verdict.against == "" and verdict.run
    assert set(EVALUATION.read(tables)["figure"]) == {field.name for field in dataclasses.fields(Quality)}
    for figure in (
        "self_retrieval",
        "recall_at_10",
        "same_artist",
        "same_genre",
        "altered_found",
        "search_p50_ms",
    ):
        assert isinstance(facts[figure], float)
    assert (facts["queries"], facts["altered_copies"], facts["altered_copies_encoded"]) == (36, 108, 108)
    assert "changed_most" not in facts and "in_words" not in facts


def test_an_unchanged_refresh_encodes_no_copy_again_and_overlaps_wholly(pipeline: Pipeline) -> None:
    pipeline.refresh()
    facts: dict[str, Any] = {}
    pipeline.refresh(
        lambda progress: facts.update({progress.stage: progress.facts} if progress.facts else {})
    )
    assert facts["evaluation"]["altered_copies_encoded"] == 0 and facts["evaluation"]["overlap_at_10"] == 1.0


def test_a_worse_encoder_is_refused_and_what_is_live_stays(pipeline: Pipeline) -> None:
    build = pipeline.refresh()["build"]
    facts: dict[str, Any] = {}

    def watch(progress: StageEvent) -> None:
        if (progress.stage, progress.kind) == ("evaluation", "done"):
            facts.update(progress.facts or {})

    with pytest.raises(RefreshFailed, match=r"evaluation failed: .*altered_found is .*GALLERY_TOLERANCE"):
        pipeline.refresh(watch, encoder="fake://?dim=2")
    assert pipeline.live() == build and facts["passed"] is False
    assert facts["changed_most"].startswith("![") and "data:image/jpeg;base64," in facts["changed_most"]
    assert len(facts["changed_most"]) < 150_000
    assert pipeline.refresh(encoder="fake://?dim=2", tolerance=1.0)["build"] != build  # where that is meant


def test_rows_given_to_the_wrong_works_are_refused_and_seen_before_publishing(pipeline: Pipeline) -> None:
    build = pipeline.refresh()["build"]
    (pipeline.root / "artists.csv").write_bytes(artists_csv(dict.fromkeys(NAMES, "1700 - 1750")))
    with pytest.raises(RefreshFailed, match="evaluation failed: altered_found is 0"):
        pipeline.refresh(swap_rows(pipeline))
    assert pipeline.live() == build != pipeline.candidate()


def test_live_alone_refuses_what_the_gate_refused(pipeline: Pipeline) -> None:
    build = pipeline.refresh()["build"]
    with pytest.raises(RefreshFailed):
        pipeline.refresh(encoder="fake://?dim=2")
    run = read_note(pipeline.services().tables, "candidate")["verdict"]["run"]
    result = pipeline.alone("published_collection", encoder="fake://?dim=2")
    assert not result.success and pipeline.live() == build
    assert f"as run {run} found" in said_of(result) and "altered_found" in said_of(result)


def test_live_alone_refuses_a_candidate_that_nobody_evaluated(pipeline: Pipeline) -> None:
    build = pipeline.refresh()["build"]
    (pipeline.root / "artists.csv").write_bytes(artists_csv(dict.fromkeys(NAMES, "1700 - 1750")))
    assert pipeline.alone("raw_dataset", "artists", "artworks", "candidate").success
    result = pipeline.alone("published_collection")
    assert not result.success and "has not been evaluated" in said_of(result) and pipeline.live() == build
    assert pipeline.alone("evaluation").success and pipeline.alone("published_collection").success
    assert pipeline.live() == pipeline.candidate() != build


def test_a_verdict_counts_for_its_build_and_against_its_rival_only(pipeline: Pipeline) -> None:
    build = pipeline.refresh()["build"]
    tables = pipeline.services().tables
    check_gate(tables, build, "")
    with pytest.raises(Invalid, match="was compared with no live build, but b0 is live by now"):
        check_gate(tables, build, "b0")
    with pytest.raises(Invalid, match="has not been evaluated"):
        check_gate(tables, "b1", "")
    write_note(tables, "candidate", {**read_note(tables, "candidate"), "build": "b1"})
    with pytest.raises(Invalid, match="has not been evaluated"):
        check_gate(tables, "b1", "")


def test_a_blocked_run_shows_the_failed_check_and_the_figures(pipeline: Pipeline) -> None:
    pipeline.refresh()
    result = pipeline.alone(
        "embeddings",
        "candidate",
        "evaluation",
        "published_collection",
        "image_cleanup",
        encoder="fake://?dim=2",
    )
    failed = {
        evaluation.check_name for evaluation in result.get_asset_check_evaluations() if not evaluation.passed
    }
    assert failed == {"no_worse_than_live"} and not result.success
    made = [
        event.asset_key.to_user_string()
        for event in result.get_asset_materialization_events()
        if event.asset_key
    ]
    assert made == ["embeddings", "candidate", "evaluation"]


def test_a_damaged_row_blocks_publishing(pipeline: Pipeline) -> None:
    services = pipeline.services()
    services.vectors = store = MemoryStore()

    def watch(progress: StageEvent) -> None:
        if (progress.stage, progress.kind) == ("candidate", "done"):
            collection = store.open(pipeline.candidate())
            id, (work, row) = next(iter(collection._kept.items()))
            collection._kept[id] = (work, row * np.float32(np.nan))

    with (
        dg.DagsterInstance.ephemeral() as instance,
        pytest.raises(RefreshFailed, match="evaluation failed: 1 of 36 rows are not finite"),
    ):
        run_refresh(services, watch, instance)
    assert store.live() is None


def test_another_encoder_in_the_settings_than_in_the_build_blocks_publishing(pipeline: Pipeline) -> None:
    pipeline.refresh()
    result = pipeline.alone("evaluation", encoder="fake://?dim=9")
    failed = {
        evaluation.check_name for evaluation in result.get_asset_check_evaluations() if not evaluation.passed
    }
    assert failed == {"encoder_is_this_runs"}


def test_a_refused_candidate_is_replaced_by_the_next_and_not_piled_up(pipeline: Pipeline) -> None:
    build = pipeline.refresh()["build"]
    for dim in (2, 3):
        with pytest.raises(RefreshFailed):
            pipeline.refresh(encoder=f"fake://?dim={dim}", tolerance=0.0)
    assert [found.dim for found in pipeline.services().vectors.builds()] == [3, 48]
    assert pipeline.live() == build


def test_a_larger_sample_is_no_reason_to_refuse(pipeline: Pipeline) -> None:
    first = pipeline.refresh(per_artist=3)["build"]
    second = pipeline.refresh(per_artist=12)["build"]
    third = pipeline.refresh(per_artist=3)["build"]
    assert len({first, second}) == 2 and third == first == pipeline.live()


class Speaking(FakeEncoder):
    """The fake encoder under a name that lets its words count, which counts what is encoded."""

    def __init__(self) -> None:
        super().__init__()
        self.fingerprint = "speaking/48/1"
        self.texts = 0

    def embed_texts(self, texts: Any) -> Any:
        self.texts += len(texts)
        return super().embed_texts(texts)


def test_an_encoder_that_knows_words_is_asked_in_words_and_encodes_them_once(pipeline: Pipeline) -> None:
    services, facts = pipeline.services(), {}
    services.encoder = encoder = Speaking()

    def watch(progress: StageEvent) -> None:
        if (progress.stage, progress.kind) == ("evaluation", "done"):
            facts.update(progress.facts or {})

    for _ in range(2):
        with dg.DagsterInstance.ephemeral() as instance:
            run_refresh(services, watch, instance)
    assert encoder.texts == 8 and facts["text_overlap_at_10"] == 1.0 and facts["text_spread"] > 0
    assert facts["in_words"].count("\n") == 9 and "ships on a stormy sea" in facts["in_words"]
