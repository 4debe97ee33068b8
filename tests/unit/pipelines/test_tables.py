"""Changes between tables, records, shards, and what counts as the live build."""

from __future__ import annotations

import pandas as pd
import pytest

from gallery.errors import Corrupted, Invalid, NotFound, Unavailable
from gallery.models import Build
from gallery.objects.memory import MemoryObjects
from gallery.vectors.memory import MemoryStore
from pipelines.defs.collection.builds import live_or_none
from pipelines.defs.collection.manifests import live_works, publications, published_builds, record_publication
from pipelines.records import CandidateRecord, record_run, run_records
from pipelines.shards import Plan, make_shards
from pipelines.tables import SAMPLE, count_changes


def test_changes_are_counted_by_key_and_content() -> None:
    before = SAMPLE.frame([{"id": id, "sha256": id} for id in "abc"])
    after = SAMPLE.frame([{"id": "a", "sha256": "a"}, {"id": "b", "sha256": "x"}, {"id": "d", "sha256": "d"}])

    def counts(old: pd.DataFrame | None, new: pd.DataFrame) -> dict[str, int]:
        return count_changes(old, new, key="id", by=["sha256"])

    assert counts(before, after) == {"new": 1, "changed": 1, "removed": 1, "unchanged": 1}
    assert counts(None, after) == {"new": 3, "changed": 0, "removed": 0, "unchanged": 0}
    assert counts(before, before) == {"new": 0, "changed": 0, "removed": 0, "unchanged": 3}


def test_a_record_is_read_as_it_was_written_and_a_damaged_one_counts_as_none() -> None:
    tables = MemoryObjects()
    with pytest.raises(NotFound):
        CandidateRecord.load(tables)
    record = CandidateRecord(build="b1", works=8, run="r")
    record.save(tables)
    assert CandidateRecord.load(tables) == record
    tables.put(CandidateRecord.key, b'{"build": "b1"')
    assert CandidateRecord.load_or_none(tables) is None
    with pytest.raises(Corrupted, match=r"candidate\.json in .* cannot be read"):
        CandidateRecord.load(tables)


def test_the_last_run_of_each_asset_is_recorded() -> None:
    tables = MemoryObjects()
    for asset, run in (("images", "r1"), ("sample", "r1"), ("images", "r2")):
        record_run(tables, asset, run)
    assert {asset: record.run for asset, record in run_records(tables).items()} == {
        "images": "r2",
        "sample": "r1",
    }


def test_publications_are_kept_in_order() -> None:
    tables = MemoryObjects()
    for build, before in (("b1", ""), ("b2", "b1"), ("b1", "b2")):
        record_publication(tables, build, before, "refresh", "")
    assert [entry.build for entry in publications(tables)] == ["b1", "b2", "b1"]
    assert published_builds(tables) == ["b1", "b2"]


def test_the_same_rows_give_the_same_shards_in_any_order() -> None:
    rows = pd.DataFrame({"id": [f"w{n}" for n in range(7)]})
    shards = make_shards(rows, "id", 3)
    assert [len(shard) for shard in shards.values()] == [3, 3, 1]
    assert list(make_shards(rows.iloc[::-1], "id", 3)) == list(shards)


def test_a_new_plan_replaces_the_previous_one() -> None:
    tables = MemoryObjects()
    plan = Plan(tables, "scan")
    with pytest.raises(NotFound, match="there is no plan"):
        plan.sizes()
    rows = pd.DataFrame({"id": ["a", "b"]})
    first, second = make_shards(rows, "id", 1), make_shards(rows.iloc[:1], "id", 1)
    plan.write(first)
    plan.write(second)
    assert plan.sizes() == dict.fromkeys(second, 1)
    (name,) = set(first) - set(second)
    with pytest.raises(Invalid, match="another run has replaced it"):
        plan.shard(name)


class FailingStore(MemoryStore):
    """A store that cannot tell which build is live."""

    error: type[Exception] = Unavailable

    def live(self) -> Build | None:
        raise self.error("no answer")


def test_an_unavailable_live_build_is_not_taken_for_none() -> None:
    store, tables = FailingStore(), MemoryObjects()
    with pytest.raises(Unavailable):
        live_works(store, tables)
    with pytest.raises(Unavailable):
        live_or_none(store)
    store.error = Corrupted
    assert live_or_none(store) is None
    with pytest.raises(Corrupted, match=r"no answer.*--allow-removals"):
        live_works(store, tables)
    assert live_works(MemoryStore(), tables).empty
