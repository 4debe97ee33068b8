"""Every reader of stored JSON returns what was stored, or says that it is damaged, whatever the shape."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gallery.errors import Corrupted
from gallery.map_layout import MapItem, MapLayout
from gallery.models import to_payload
from gallery.objects.memory import MemoryObjects
from gallery.vectors.base import parse_work
from gallery.vectors.lance.store import LanceStore
from gallery.vectors.weaviate.schema import from_description
from pipelines import lock
from pipelines.records import CandidateRecord, EvaluationResult, Publication, PublicationsRecord, Record
from pipelines.shards import Plan
from tests.contracts.vector_store import build, work

EVALUATION = EvaluationResult(build="b1", against="", passed=True, reasons=["x"], run="r", at="now")
RECORDS: tuple[Record, ...] = (
    CandidateRecord(build="b1", works=8, run="r", evaluation=EVALUATION),
    PublicationsRecord(publications=[Publication(build="b1", before="", how="refresh", run="r", at="now")]),
)
ITEM = MapItem("w1", 0, 0, 0, -1, "#102030", "thumbs/1.webp", 4, 3)
LAYOUT = MapLayout("b1", "d", 1, 1, 1, (("ada", "Ada"),), (), (ITEM,))
LOCK = lock.LockRecord("run", "host", "machine", 1, 1.0, 2.0, 150.0)


def read_record(record: Record, data: bytes, _: Path) -> object:
    tables = MemoryObjects()
    tables.put(record.key, data)
    return type(record).load(tables)


def read_lock(data: bytes, _: Path) -> object:
    tables = MemoryObjects()
    tables.put(f"{lock.REFRESH}000000000001.json", data)
    for name in ("notes.txt", "000000000001.json.bak", "zz.json"):
        tables.put(lock.REFRESH + name, b"stray")
    number, record = lock.current(tables)
    assert number == 1 and str(record)
    return record


def read_plan(data: bytes, _: Path) -> object:
    tables = MemoryObjects()
    tables.put("scan/plan/shards.json", data)
    return Plan(tables, "scan").sizes()


def read_manifest(data: bytes, folder: Path) -> object:
    (folder / "one.json").write_bytes(data)
    store = LanceStore(folder)
    assert {found.name for found in store.builds()} <= {"one"}
    return store.open("one").build


READERS: dict[str, tuple[object, Callable[[bytes, Path], object]]] = {
    **{
        record.key: (
            json.loads(record.model_dump_json()),
            lambda data, to, record=record: read_record(record, data, to),
        )
        for record in RECORDS
    },
    "layout": (json.loads(LAYOUT.to_json()), lambda data, _: MapLayout.parse(data)),
    "lock": (asdict(LOCK), read_lock),
    "work": (to_payload(work("w")), lambda data, _: parse_work(build(), data.decode())),
    "plan": ({"s1": 4}, read_plan),
    "manifest": (asdict(build()), read_manifest),
    "description": (asdict(build()), lambda data, _: from_description(data.decode())),
}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=3,
)


def places(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every value in the document."""
    items = (
        document.items()
        if isinstance(document, dict)
        else enumerate(document)
        if isinstance(document, list)
        else ()
    )
    return [path, *(place for key, value in items for place in places(value, (*path, key)))]


def changed(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    copy = document.copy()
    copy[path[0]] = changed(document[path[0]], path[1:], value)
    return copy


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=40)
@given(data=st.data())
def test_json_of_another_shape_is_damage_and_nothing_else(
    name: str, data: st.DataObject, tmp_path: Path
) -> None:
    document, read = READERS[name]
    whole = read(json.dumps(document).encode(), tmp_path)
    place = data.draw(st.sampled_from(places(document)))
    text = json.dumps(changed(document, place, data.draw(VALUES))).encode()
    try:
        found = read(text[: data.draw(st.sampled_from([len(text), len(text) // 2]))], tmp_path)
    except Corrupted:
        return
    assert found is None or type(found) is type(whole)
