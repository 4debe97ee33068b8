"""Back to an earlier build: at once, remembered, and not undone by the next refresh."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import dagster as dg
import pytest
from click.testing import CliRunner

from gallery.errors import Invalid, NotFound
from gallery.search.engine import SearchEngine
from pipelines import lock
from pipelines.cli import builds, rollback
from pipelines.definitions import build_defs
from pipelines.defs.collection.manifests import blocked_builds, publications
from pipelines.defs.collection.rollback import list_builds, roll_back, unblock
from pipelines.runner import RefreshFailed
from tests.fakes.archives import picture
from tests.fakes.gallery import BOATS, Gallery


def change(gallery: Gallery, seed: int) -> None:
    gallery.path("Anna_A/Anna_A_0.jpg").write_bytes(picture(seed))


def two_builds(gallery: Gallery) -> tuple[str, str]:
    first = gallery.refresh()["build"]
    change(gallery, 71)
    return first, gallery.refresh()["build"]


def live(gallery: Gallery) -> str:
    build = gallery.services.vectors.live()
    return build.name if build else ""


def test_rolling_back_goes_to_the_build_before_and_the_pages_follow(gallery: Gallery) -> None:
    first, second = two_builds(gallery)
    services = gallery.services
    moved = roll_back(services.vectors, services.tables, None, "")
    assert (moved.build.name, moved.before, live(gallery)) == (first, second, first)
    engine = SearchEngine(services)
    results = engine.search(engine.live_collection(), replace(BOATS, limit=3))
    assert results.build.name == first and len(results.hits) == 3
    assert [entry["how"] for entry in publications(services.tables)] == ["refresh", "refresh", "rollback"]


def test_the_next_refresh_does_not_publish_what_was_rolled_back_from(gallery: Gallery) -> None:
    first, second = two_builds(gallery)
    roll_back(gallery.services.vectors, gallery.services.tables, None, "")
    with pytest.raises(
        RefreshFailed, match=f"live failed: build {second} was rolled back from.*--unblock {second}"
    ):
        gallery.refresh()
    assert live(gallery) == first
    change(gallery, 72)  # other content is another build, and free to go live
    assert gallery.refresh()["build"] == live(gallery) not in (first, second)


def test_a_released_build_is_published_again(gallery: Gallery) -> None:
    _, second = two_builds(gallery)
    tables = gallery.services.tables
    roll_back(gallery.services.vectors, tables, None, "")
    with pytest.raises(NotFound, match=f"is not held; held: {second}"):
        unblock(tables, "b0")
    assert unblock(tables, second) == [second] and blocked_builds(tables) == []
    assert gallery.refresh()["build"] == second == live(gallery)


def test_going_to_a_held_build_by_name_releases_it(gallery: Gallery) -> None:
    first, second = two_builds(gallery)
    services = gallery.services
    roll_back(services.vectors, services.tables, None, "")
    assert roll_back(services.vectors, services.tables, second, "").before == first
    assert blocked_builds(services.tables) == [first]
    assert gallery.refresh()["build"] == second


def test_there_is_nothing_to_go_back_to_before_a_second_build(gallery: Gallery) -> None:
    services = gallery.services
    with pytest.raises(NotFound, match="there are no builds yet"):
        roll_back(services.vectors, services.tables, None, "")
    build = gallery.refresh()["build"]
    with pytest.raises(NotFound, match="no earlier build is left"):
        roll_back(services.vectors, services.tables, None, "")
    with pytest.raises(Invalid, match="is the live one already"):
        roll_back(services.vectors, services.tables, build, "")
    with pytest.raises(NotFound):
        roll_back(services.vectors, services.tables, "b0", "")
    assert live(gallery) == build and blocked_builds(services.tables) == []


def test_a_candidate_that_was_refused_is_not_gone_back_to_unasked(gallery: Gallery) -> None:
    first, _ = two_builds(gallery)
    change(gallery, 73)
    with pytest.raises(RefreshFailed):
        gallery.refresh(encoder="fake://?dim=2", tolerance=0.0)
    services = gallery.services
    assert [build["state"] for build in list_builds(services.vectors, services.tables)] == [
        "never live",
        "ready",
        "ready",
    ]
    assert roll_back(services.vectors, services.tables, None, "").build.name == first
    with pytest.raises(NotFound, match="name one of those that are there"):
        roll_back(services.vectors, services.tables, None, "")  # the other was rolled back from


def test_a_build_that_lost_works_is_not_gone_back_to(gallery: Gallery) -> None:
    first, second = two_builds(gallery)
    collection = gallery.services.vectors.open(first)
    collection.delete(sorted(collection.ids())[:1])
    with pytest.raises(Invalid, match="7 of 8 works"):
        roll_back(gallery.services.vectors, gallery.services.tables, None, "")
    assert live(gallery) == second and blocked_builds(gallery.services.tables) == []


def test_a_live_build_deleted_by_hand_can_be_rolled_back_from(gallery: Gallery) -> None:
    first, second = two_builds(gallery)
    (gallery.settings().home / "vectors" / f"{second}.json").unlink()
    assert roll_back(gallery.services.vectors, gallery.services.tables, None, "").build.name == first


def test_the_job_rolls_back_while_a_refresh_runs_and_shows_on_the_page_of_live(gallery: Gallery) -> None:
    first, second = two_builds(gallery)
    job = build_defs(gallery.services).resolve_job_def("rollback")
    with (
        dg.DagsterInstance.ephemeral() as instance,
        lock.acquire(gallery.services.tables, "a refresh"),
    ):
        result = job.execute_in_process(instance=instance)
        event = instance.get_latest_materialization_event(dg.AssetKey("published_collection"))
    assert result.success and live(gallery) == first
    assert publications(gallery.services.tables)[-1]["run"] == result.run_id
    assert event is not None and event.asset_materialization is not None
    facts = {name: value.value for name, value in event.asset_materialization.metadata.items()}
    assert (facts["build"], facts["before"]) == (first, second)


def test_the_job_fails_in_words_for_a_build_that_is_not_there(gallery: Gallery) -> None:
    gallery.refresh()
    job = build_defs(gallery.services).resolve_job_def("rollback")
    config = {"ops": {"publish_earlier_build": {"config": {"build": "b0"}}}}
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(run_config=config, instance=instance, raise_on_error=False)
    (failure,) = (event for event in result.all_events if event.is_step_failure)
    assert "no build b0" in str(failure.step_failure_data.error)


def test_a_refresh_that_was_overtaken_by_a_rollback_does_not_undo_it(gallery: Gallery) -> None:
    first, second = two_builds(gallery)
    change(gallery, 74)

    def meddle(progress: Any) -> None:
        if (progress.stage, progress.kind) == ("evaluation", "done"):
            roll_back(gallery.services.vectors, gallery.services.tables, None, "")

    with pytest.raises(RefreshFailed, match=f"was compared with {second}, but {first} is live by now"):
        gallery.refresh(watch=meddle)
    assert live(gallery) == first


def test_the_commands_list_roll_back_and_release(gallery: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = gallery.settings()
    for name in ("home", "dataset", "encoder"):
        monkeypatch.setenv(f"GALLERY_{name.upper()}", str(getattr(settings, name)))
    run = CliRunner().invoke
    assert "no builds yet" in run(builds).stderr
    first, second = two_builds(gallery)
    told = run(builds).stdout.splitlines()
    assert told[0].startswith(f"* {second}") and told[1].startswith(f"  {first}") and "8 works" in told[0]
    assert json.loads(run(rollback, ["--json"]).stdout) == {
        "live": first,
        "before": second,
        "encoder": "fake://?dim=48",
    }
    listed = json.loads(run(builds, ["--json"]).stdout)
    assert [(build["build"], build["live"], build["state"]) for build in listed] == [
        (second, False, "blocked"),
        (first, True, "ready"),
    ]
    assert all(build["published"] and build["made"] and build["dataset"] for build in listed)
    assert run(rollback, ["--unblock"]).stdout == f"unblocked: {second}\n"
    assert run(rollback, ["--unblock"]).stdout == "unblocked: none\n"
    failed = run(rollback, ["b0"])
    assert failed.exit_code == 1 and "no build b0" in failed.stderr
    assert f"live: {second}" in run(rollback, [second]).stdout
