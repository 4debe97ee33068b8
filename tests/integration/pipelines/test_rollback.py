"""Rollback to an earlier build takes effect at once, is recorded, and is not undone by the next refresh."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace

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
from pipelines.errors import RefreshFailed
from pipelines.jobs import rollback as rollback_job
from pipelines.reporting import asset_key
from pipelines.runner import StageEvent
from tests.fakes.archives import picture
from tests.fakes.gallery import BOATS, Gallery

pytestmark = pytest.mark.slow

Builds = tuple[str, str]


def change(gallery: Gallery, seed: int) -> None:
    gallery.path("Anna_A/Anna_A_0.jpg").write_bytes(picture(seed))


@pytest.fixture(scope="module")
def _two_builds(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Gallery], Builds]:
    """Return a function that gives a built gallery its second build, which is made only once."""
    copy = tmp_path_factory.mktemp("two") / "gallery"
    names: list[str] = []

    def make(gallery: Gallery) -> Builds:
        folder = gallery.root.parent
        if not names:
            names.append(gallery.live)
            change(gallery, 71)
            names.append(gallery.refresh()["build"])
            shutil.copytree(folder, copy, symlinks=True)
        else:
            shutil.rmtree(folder)
            shutil.copytree(copy, folder, symlinks=True)
        return names[0], names[1]

    return make


@pytest.fixture
def two_builds(built_gallery: Gallery, _two_builds: Callable[[Gallery], Builds]) -> Builds:
    """Give the built gallery a second build; return the names of both."""
    return _two_builds(built_gallery)


def test_rolling_back_makes_the_previous_build_live_and_searchable(
    built_gallery: Gallery, two_builds: Builds
) -> None:
    first, second = two_builds
    services = built_gallery.services
    moved = roll_back(services.vectors, services.tables, None, "")
    assert (moved.build.name, moved.before, built_gallery.live) == (first, second, first)
    engine = SearchEngine(services)
    results = engine.search(engine.live_collection(), replace(BOATS, limit=3))
    assert results.build.name == first and len(results.hits) == 3
    assert [entry.how for entry in publications(services.tables)] == ["refresh", "refresh", "rollback"]


def test_refreshes_do_not_publish_a_blocked_build_until_it_is_unblocked(
    built_gallery: Gallery, two_builds: Builds
) -> None:
    first, second = two_builds
    services = built_gallery.services
    roll_back(services.vectors, services.tables, None, "")
    with pytest.raises(
        RefreshFailed,
        match=f"published_collection failed: build {second} was rolled back from.*--unblock {second}",
    ):
        built_gallery.refresh()
    assert built_gallery.live == first
    with pytest.raises(NotFound, match=f"is not blocked; blocked: {second}"):
        unblock(services.tables, "b0")
    assert unblock(services.tables, second) == [second] and blocked_builds(services.tables) == []
    assert built_gallery.refresh()["build"] == second == built_gallery.live


def test_a_damaged_record_unblocks_nothing(built_gallery: Gallery, two_builds: Builds) -> None:
    first, second = two_builds
    services = built_gallery.services
    roll_back(services.vectors, services.tables, None, "")
    services.tables.put(f"blocked/{second}", b"")
    services.tables.put("blocked/NOTES.txt", b"a stray file")
    assert blocked_builds(services.tables) == [second]
    with pytest.raises(RefreshFailed, match="was rolled back from"):
        built_gallery.refresh()
    assert built_gallery.live == first


def test_other_content_is_published_while_a_build_is_blocked(
    built_gallery: Gallery, two_builds: Builds
) -> None:
    roll_back(built_gallery.services.vectors, built_gallery.services.tables, None, "")
    change(built_gallery, 72)
    assert built_gallery.refresh()["build"] == built_gallery.live not in two_builds


def test_rolling_forward_to_a_blocked_build_unblocks_it(built_gallery: Gallery, two_builds: Builds) -> None:
    first, second = two_builds
    services = built_gallery.services
    roll_back(services.vectors, services.tables, None, "")
    assert roll_back(services.vectors, services.tables, second, "").before == first
    assert blocked_builds(services.tables) == [first] and built_gallery.live == second


def test_there_is_nothing_to_roll_back_to_without_an_earlier_build(
    gallery: Gallery, built_gallery: Gallery
) -> None:
    with pytest.raises(NotFound, match="there are no builds yet"):
        roll_back(gallery.services.vectors, gallery.services.tables, None, "")
    services, build = built_gallery.services, built_gallery.live
    with pytest.raises(NotFound, match="there is no earlier build"):
        roll_back(services.vectors, services.tables, None, "")
    with pytest.raises(Invalid, match="is live already"):
        roll_back(services.vectors, services.tables, build, "")
    with pytest.raises(NotFound):
        roll_back(services.vectors, services.tables, "b0", "")
    assert built_gallery.live == build and blocked_builds(services.tables) == []


def test_a_refused_candidate_is_not_rolled_back_to(built_gallery: Gallery, two_builds: Builds) -> None:
    first, _ = two_builds
    change(built_gallery, 73)
    with pytest.raises(RefreshFailed):
        built_gallery.refresh(encoder="fake://?dim=2", tolerance=0.0)
    services = built_gallery.services
    states = [build["state"] for build in list_builds(services.vectors, services.tables)]
    assert states == ["never live", "ready", "ready"]
    assert roll_back(services.vectors, services.tables, None, "").build.name == first
    with pytest.raises(NotFound, match="name one of the existing builds"):
        roll_back(services.vectors, services.tables, None, "")  # the other one is blocked


def test_a_build_that_lost_works_is_not_rolled_back_to(built_gallery: Gallery, two_builds: Builds) -> None:
    first, second = two_builds
    services = built_gallery.services
    collection = services.vectors.open(first)
    collection.delete(sorted(collection.ids())[:1])
    with pytest.raises(Invalid, match="7 of 8 works"):
        roll_back(services.vectors, services.tables, None, "")
    assert built_gallery.live == second and blocked_builds(services.tables) == []


def test_a_live_build_deleted_by_hand_can_be_rolled_back_from(
    built_gallery: Gallery, two_builds: Builds
) -> None:
    first, second = two_builds
    (built_gallery.settings().home / "vectors" / f"{second}.json").unlink()
    services = built_gallery.services
    assert roll_back(services.vectors, services.tables, None, "").build.name == first


def test_the_job_rolls_back_during_a_refresh_and_is_shown_on_the_asset(
    built_gallery: Gallery, two_builds: Builds
) -> None:
    first, second = two_builds
    job = build_defs(built_gallery.services).resolve_job_def(rollback_job.name)
    with dg.DagsterInstance.ephemeral() as instance, lock.acquire(built_gallery.services.tables, "a refresh"):
        result = job.execute_in_process(instance=instance)
        event = instance.get_latest_materialization_event(asset_key("published_collection"))
    assert result.success and built_gallery.live == first
    assert publications(built_gallery.services.tables)[-1].run == result.run_id
    assert event is not None and event.asset_materialization is not None
    facts = {name: value.value for name, value in event.asset_materialization.metadata.items()}
    assert (facts["build"], facts["before"]) == (first, second)


def test_the_job_reports_a_build_that_does_not_exist(built_gallery: Gallery) -> None:
    job = build_defs(built_gallery.services).resolve_job_def(rollback_job.name)
    config = {"ops": {"publish_earlier_build": {"config": {"build": "b0"}}}}
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(run_config=config, instance=instance, raise_on_error=False)
    (failure,) = (event for event in result.all_events if event.is_step_failure)
    assert "no build b0" in str(failure.step_failure_data.error)


def test_a_rollback_during_a_refresh_is_not_undone_by_it(built_gallery: Gallery, two_builds: Builds) -> None:
    first, second = two_builds
    change(built_gallery, 74)

    def roll_back_now(event: StageEvent) -> None:
        if (event.stage, event.kind) == ("evaluation", "done"):
            roll_back(built_gallery.services.vectors, built_gallery.services.tables, None, "")

    with pytest.raises(RefreshFailed, match=f"was compared with {second}, but {first} is live now"):
        built_gallery.refresh(roll_back_now)
    assert built_gallery.live == first


def test_the_commands_list_builds_roll_back_and_unblock(
    gallery: Gallery, built_gallery: Gallery, two_builds: Builds, monkeypatch: pytest.MonkeyPatch
) -> None:
    def use(settings_of: Gallery) -> None:
        for name in ("home", "dataset", "encoder"):
            monkeypatch.setenv(f"GALLERY_{name.upper()}", str(getattr(settings_of.settings(), name)))

    run = CliRunner().invoke
    use(gallery)
    assert "no builds yet" in run(builds).stderr
    use(built_gallery)
    first, second = two_builds
    lines = run(builds).stdout.splitlines()
    assert lines[0].startswith(f"* {second}") and lines[1].startswith(f"  {first}") and "8 works" in lines[0]
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
