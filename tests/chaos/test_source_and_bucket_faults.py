"""Kaggle and the buckets: every fault at every kind of call; docs/reliability.md says what happens."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.chaos import faults
from tests.chaos.faults import KINDS, Call, World

CALLS = [call for call in faults.CALLS if call.service != "Weaviate"]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with faults.world(tmp_path_factory.mktemp("faults"), "folder", "bucket") as made:
        yield made


@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call.service}: {call.name}")
def test_a_refresh_completes_or_stops_with_advice_and_the_live_collection_stays_whole(
    call: Call, world: World
) -> None:
    faults.check_failing(world, call)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("service", sorted({call.service for call in CALLS}))
def test_a_refresh_completes_although_every_call_fails_once(service: str, kind: str, world: World) -> None:
    faults.check_single_faults(world, service, kind)


def test_the_tables_in_the_document_are_complete() -> None:
    documented = faults.documented()
    assert set(documented) == {(call, kind) for call in faults.CALLS for kind in KINDS}
    assert faults.tables(documented).strip() in faults.PAGE.read_text("utf-8")


def test_the_troubleshooting_page_quotes_every_remedy() -> None:
    page = faults.PAGE.with_name("troubleshooting.md").read_text("utf-8")
    assert all(remedy in page for remedy in faults.REMEDIES)
