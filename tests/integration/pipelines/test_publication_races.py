"""A refresh publishes while a rollback runs: pointer, records and builds agree afterwards."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from gallery.errors import GalleryError, Invalid, NotFound, Unavailable
from gallery.objects.base import ObjectStore
from gallery.objects.memory import MemoryObjects
from gallery.vectors.base import VECTORS, VectorStore
from gallery.vectors.memory import MemoryStore
from pipelines import lock
from pipelines.defs.collection.manifests import blocked_builds, publications, record_publication
from pipelines.defs.collection.publication import PublishedBuild, drop_refused, publish_candidate
from pipelines.defs.collection.rollback import Rollback, roll_back
from pipelines.defs.evaluation.gate import record_candidate, save_evaluation
from pipelines.records import EvaluationResult, PublicationsRecord, now
from tests.contracts.vector_store import build, row, rows, work
from tests.fakes.locks import leave_record
from tests.fakes.weaviate import FakeWeaviate

RACES = {"memory": 200, "qdrant": 60, "lance": 20, "weaviate": 20}
"""By store. `make` takes most of the time."""
OWNER = "a refresh"

Open = Callable[[], VectorStore]


@pytest.fixture(params=RACES)
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Opens the same store as another process would; a store of one process is one object."""
    with ExitStack() as stack:
        if request.param in ("memory", "qdrant"):
            only = VECTORS.open(f"{request.param}://{tmp_path}", api_key=None)
            stack.callback(getattr(only, "close", lambda: None))
            yield lambda: only
            return
        address = f"lance://{tmp_path / 'vectors'}"
        if request.param == "weaviate":
            address = stack.enter_context(FakeWeaviate()).address
        yield lambda: VECTORS.open(address, api_key=None)


def make(store: VectorStore, name: str, minute: int) -> None:
    """Add a complete build of one work."""
    made = build(name, f"2026-01-01T{minute // 60:02d}:{minute % 60:02d}:00+00:00", works=1)
    store.create(made).upsert([work("w")], rows(row(1)))
    store.seal(name)


def evaluate(tables: ObjectStore, name: str, against: str) -> None:
    record_candidate(tables, name, 1, "run")
    save_evaluation(
        tables, EvaluationResult(build=name, against=against, passed=True, reasons=[], run="run", at=now())
    )


def at_once(*calls: Callable[[], object]) -> list[object]:
    """Return what each call returned or raised, when all start together."""
    start, results = threading.Barrier(len(calls)), list[object]([None] * len(calls))

    def call(place: int) -> None:
        start.wait()
        try:
            results[place] = calls[place]()
        except GalleryError as error:
            results[place] = error

    threads = [threading.Thread(target=call, args=(place,)) for place in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_a_publication_and_a_rollback_never_interleave(
    open_store: Open, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    races = RACES[request.node.callspec.params["open_store"]]
    monkeypatch.setattr(lock, "PUBLICATION_POLL_S", 0.002)
    tables, refresh, operator = MemoryObjects("memory://races"), open_store(), open_store()
    seen = set()
    with lock.acquire(tables, OWNER):

        def publish(name: str) -> PublishedBuild:
            return publish_candidate(refresh, tables, name, owner=OWNER, run="run", keep=2)

        live = ""
        for race in range(races + 2):
            name = f"b{race:012x}"
            make(refresh, name, race)
            evaluate(tables, name, live)
            if race < 2:
                live = publish(name).build.name
                continue
            published, rolled_back = at_once(
                lambda name=name: publish(name),  # type: ignore[misc]
                lambda: roll_back(operator, tables, None, "rollback"),
            )
            now_live = open_store().live()  # raises if the pointer names a dropped build
            assert now_live is not None
            live = now_live.name
            assert publications(tables)[-1].build == live
            if isinstance(rolled_back, Rollback):
                assert rolled_back.build.name == live, "a rollback that succeeded was published over"
            else:
                assert isinstance(published, PublishedBuild) and published.build.name == live
            seen.add((type(published).__name__, type(rolled_back).__name__))
            roll_back_was_first = isinstance(published, GalleryError)
            assert not roll_back_was_first or "was compared with" in str(published)
    assert ("PublishedBuild", "Rollback") in seen or ("Invalid", "Rollback") in seen


def test_a_build_that_was_never_live_is_not_rolled_back_to_unless_forced(open_store: Open) -> None:
    tables, store = MemoryObjects("memory://never"), open_store()
    with lock.acquire(tables, OWNER):
        for minute, (name, against) in enumerate([("one", ""), ("two", "one")]):
            make(store, name, minute)
            evaluate(tables, name, against)
            publish_candidate(store, tables, name, owner=OWNER, run="run", keep=3)
    make(store, "refused", 3)
    with pytest.raises(GalleryError, match=r"has never been live.*rollback --force refused"):
        roll_back(store, tables, "refused", "run")
    assert store.live().name == "two"  # type: ignore[union-attr]
    assert roll_back(store, tables, "refused", "run", force=True).build.name == "refused"
    assert store.live().name == "refused"  # type: ignore[union-attr]


@pytest.mark.parametrize("how", ["publish", "roll back"])
def test_a_process_that_lost_the_publication_lock_moves_no_pointer(
    monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """As after a pause of the process that is longer than the time to live of its record."""
    tables, store = (
        MemoryObjects("memory://stalled"),
        VECTORS.open(f"memory://stalled-{how[:4]}", api_key=None),
    )
    with lock.acquire(tables, OWNER):
        for minute, (name, against) in enumerate([("one", ""), ("two", "one"), ("three", "two")]):
            make(store, name, minute)
            evaluate(tables, name, against)
            if name != "three":
                publish_candidate(store, tables, name, owner=OWNER, run="run", keep=3)
        open_build = store.open

        def stall(name: str) -> object:
            leave_record(tables, "another", lock.PUBLICATION)
            return open_build(name)

        monkeypatch.setattr(store, "open", stall)
        with pytest.raises(lock.LockLost, match="another process took over the publication lock"):
            if how == "publish":
                publish_candidate(store, tables, "three", owner=OWNER, run="run", keep=3)
            else:
                roll_back(store, tables, "one", "run")
    assert store.live().name == "two"  # type: ignore[union-attr]
    assert publications(tables)[-1].build == "two" and blocked_builds(tables) == []


@pytest.mark.parametrize(
    ("how", "error"), [("publish", SystemExit), ("roll back", SystemExit), ("roll back", Unavailable)]
)
def test_a_move_that_was_not_recorded_is_recorded_by_the_next_publication(
    monkeypatch: pytest.MonkeyPatch, how: str, error: type[BaseException]
) -> None:
    """As if the process died, or the table store failed, right after the pointer moved."""
    tables, store = MemoryObjects("memory://unrecorded"), MemoryStore()

    def publish(name: str) -> None:
        publish_candidate(store, tables, name, owner=OWNER, run="run", keep=3)

    with lock.acquire(tables, OWNER):
        for minute, (name, against) in enumerate([("one", ""), ("two", "one"), ("three", "two")]):
            make(store, name, minute)
            evaluate(tables, name, against)
            if name != "three":
                publish(name)
        put = tables.put

        def fail(key: str, data: bytes, content_type: str = "") -> None:
            if key == PublicationsRecord.key:
                raise error
            put(key, data, content_type)

        monkeypatch.setattr(tables, "put", fail)
        with suppress(SystemExit):
            publish("three") if how == "publish" else roll_back(store, tables, None, "run")
        live = store.live()
        assert live is not None and live.name == ("three" if how == "publish" else "one")
        assert publications(tables)[-1].build == "two"
        monkeypatch.undo()
        with suppress(Invalid):  # the candidate was compared with the build that was live before the rollback
            publish("three")
        assert publications(tables)[-1].build == live.name


def test_a_rollback_whose_confirmation_was_lost_has_succeeded(monkeypatch: pytest.MonkeyPatch) -> None:
    tables, store = MemoryObjects("memory://confirmation"), MemoryStore()
    for minute, name in enumerate(("one", "two")):
        make(store, name, minute)
        store.publish(name)
        record_publication(tables, name, "", "refresh", "run")
    publish = store.publish

    def lose_reply(name: str) -> None:
        publish(name)
        raise Unavailable("no answer")

    monkeypatch.setattr(store, "publish", lose_reply)
    assert roll_back(store, tables, None, "run").build.name == "one" == publications(tables)[-1].build


def test_a_candidate_is_kept_while_it_is_unknown_which_builds_were_live() -> None:
    tables, store = MemoryObjects("memory://unknown"), MemoryStore()
    for minute, name in enumerate(("one", "two", "three")):
        make(store, name, minute)
    store.publish("one")
    tables.put(PublicationsRecord.key, b"{")
    assert not drop_refused(store, tables, "two", "three")
    record_publication(tables, "one", "", "refresh", "run")
    assert drop_refused(store, tables, "two", "three")


def test_a_replacement_is_blocked_when_its_original_becomes_live_again() -> None:
    tables, store = MemoryObjects("memory://again"), VECTORS.open("memory://again", api_key=None)
    with lock.acquire(tables, OWNER):
        for minute, (name, against) in enumerate([("one", ""), ("one_1", "one")]):
            make(store, name, minute)
            evaluate(tables, name, against)
            publish_candidate(store, tables, name, owner=OWNER, run="run", keep=3)
    with pytest.raises(NotFound, match="no earlier build"):  # not the damaged one that was replaced
        roll_back(store, tables, None, "run")
    roll_back(store, tables, "one", "run")
    assert blocked_builds(tables) == ["one_1"] and store.live().name == "one"  # type: ignore[union-attr]
