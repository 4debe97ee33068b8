"""Each service fails at each kind of call, in each way: what docs/reliability.md says is what happens."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.chaos import faults
from tests.chaos.faults import CALLS, KINDS, NAMED, NEVER, PAGE, REMEDIES, Call, World

pytestmark = pytest.mark.usefixtures("kaggle_port")

MAX_CALLS = 200
"""Calls that a refresh may make to a service that fails; more would mean that it retries without end."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with faults.world(tmp_path_factory.mktemp("faults"), "folder", "bucket") as made:
        yield made


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call.service}: {call.name}")
def test_a_refresh_completes_or_stops_in_words_and_what_is_live_stays_whole(
    call: Call, kind: str, world: World
) -> None:
    first, second = faults.refreshes(world, call, kind)
    assert first.met, "the call was never made"
    for outcome in (first, second):
        assert outcome.met <= MAX_CALLS
        if outcome.words:
            assert re.search(NAMED[call.service], outcome.words), outcome.words
            assert any(remedy in outcome.words for remedy in REMEDIES), outcome.words
            assert not NEVER.search(outcome.words), outcome.words
    assert faults.cell(first, second) == faults.documented()[call, kind]
    if second.words:
        second = world.refresh()
    assert not second.words and second.new
    assert world.builds() <= world.settings.keep_builds or call.name == "drop a build"


def test_the_tables_of_the_page_are_complete() -> None:
    told = faults.documented()
    assert set(told) == {(call, kind) for call in CALLS for kind in KINDS}
    assert faults.tables(told).strip() in PAGE.read_text("utf-8")


def test_the_page_on_troubleshooting_names_the_words_to_look_for() -> None:
    page = PAGE.with_name("troubleshooting.md").read_text("utf-8")
    assert all(remedy in page for remedy in REMEDIES)
