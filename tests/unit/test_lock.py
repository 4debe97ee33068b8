"""The refresh lock: one owner at a time; a dead run's lock can be taken over, a live one's cannot."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import pytest

from gallery.errors import Unavailable
from gallery.objects.base import TABLES, ObjectStore
from gallery.objects.memory import MemoryObjects
from pipelines import lock
from pipelines.lock import LockLost
from tests.fakes.locks import dead_pid, leave_record
from tests.fakes.processes import HANG_GUARD_S


@pytest.fixture(params=["memory", "file"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ObjectStore]:
    yield MemoryObjects() if request.param == "memory" else TABLES.open(f"file://{tmp_path}/tables")


@pytest.fixture
def while_watching(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Replace the time for which an expired record is watched by a call of the given function."""
    return lambda function: monkeypatch.setattr(lock, "_wait", lambda seconds: function())


def record_in(store: ObjectStore) -> lock.LockRecord:
    _, record = lock.current(store)
    assert record is not None
    return record


def test_a_second_run_is_refused_and_the_error_names_the_first(store: ObjectStore) -> None:
    with (
        lock.acquire(store, "run-one"),
        pytest.raises(
            Unavailable, match=r"another refresh is running \(run run-one on .*, process \d+, since"
        ),
        lock.acquire(store, "run-two"),
    ):
        pass
    with lock.acquire(store, "run-two"):
        lock.check(store, "run-two")


def test_a_failed_run_releases_the_lock(store: ObjectStore) -> None:
    with pytest.raises(ZeroDivisionError), lock.acquire(store, "one"):
        raise ZeroDivisionError
    with lock.acquire(store, "two"):
        pass


def contend(store: ObjectStore) -> int:
    """Return how many of eight contenders acquire the lock; all try at the same time."""
    start, done = threading.Barrier(8), threading.Barrier(8)

    def acquired(n: int) -> bool:
        start.wait()
        try:
            with lock.acquire(store, f"run-{n}"):
                done.wait()
                return True
        except Unavailable:
            done.wait()
            return False

    with ThreadPoolExecutor(8) as pool:
        return sum(pool.map(acquired, range(8)))


def test_one_of_many_contenders_acquires_the_lock(store: ObjectStore) -> None:
    assert contend(store) == 1


def test_one_of_many_contenders_takes_over_the_lock_of_a_dead_process(store: ObjectStore) -> None:
    leave_record(store, "dead", machine=lock.machine_id(), pid=dead_pid())
    assert contend(store) == 1


def test_steps_of_one_run_share_the_lock_and_do_not_release_it(store: ObjectStore) -> None:
    with lock.acquire(store, "one"):
        for _ in range(2):
            with lock.acquire(store, "one"):
                pass
            lock.check(store, "one")


def test_a_distributed_run_keeps_the_lock_between_its_steps(store: ObjectStore) -> None:
    with lock.acquire(store, "one", distributed=True):
        assert record_in(store).pid == 0
    assert record_in(store).ttl == lock.IDLE_TTL_S
    with pytest.raises(Unavailable, match="another refresh"), lock.acquire(store, "two"):
        pass
    with lock.acquire(store, "one", distributed=True):
        pass
    lock.release(store, "two")  # does not own it
    lock.check(store, "one")
    lock.release(store, "one")
    with lock.acquire(store, "two"):
        pass


def test_the_lock_of_a_dead_process_on_this_machine_is_free_at_once(store: ObjectStore) -> None:
    leave_record(store, "dead", machine=lock.machine_id(), pid=dead_pid())
    with lock.acquire(store, "next"):
        assert record_in(store).owner == "next"


def test_a_run_that_is_executed_again_renews_the_lock_of_its_dead_process(store: ObjectStore) -> None:
    leave_record(store, "one", machine=lock.machine_id(), pid=dead_pid())
    with lock.acquire(store, "one"):
        assert lock.current(store)[0] == 2


def test_a_process_id_means_nothing_on_another_machine(store: ObjectStore) -> None:
    leave_record(store, "alive", pid=dead_pid())
    with pytest.raises(Unavailable, match="another refresh"), lock.acquire(store, "next"):
        pass


def test_the_lock_of_a_run_that_dagster_knows_to_be_finished_is_free_at_once(store: ObjectStore) -> None:
    leave_record(store, "finished")
    with lock.acquire(store, "next", is_finished=lambda owner: owner == "finished"):
        assert record_in(store).owner == "next"


def test_a_late_step_of_a_finished_run_does_not_start(store: ObjectStore) -> None:
    with (
        pytest.raises(LockLost, match="has finished"),
        lock.acquire(store, "one", is_finished=lambda _: True),
    ):
        pass
    assert lock.current(store) == (0, None)


@pytest.mark.parametrize("age_s", [lock.TTL_S + 1, -10_000_000.0], ids=["expired", "from the future"])
def test_a_record_that_is_not_renewed_while_it_is_watched_is_taken_over(
    store: ObjectStore, while_watching: Callable[[Callable[[], object]], None], age_s: float
) -> None:
    watched: list[str] = []
    while_watching(lambda: watched.append(record_in(store).owner))
    leave_record(store, "silent", renewed_at=time.time() - age_s)
    with lock.acquire(store, "next"):
        assert record_in(store).owner == "next" and watched == ["silent"]


@pytest.mark.parametrize("skew_s", [-10_000.0, 10_000.0])
def test_a_wrong_clock_does_not_take_the_lock_of_a_live_run(
    store: ObjectStore, while_watching: Callable[[Callable[[], object]], None], skew_s: float
) -> None:
    def renew() -> None:
        store.delete(f"{lock.REFRESH}{1:012d}.json")
        leave_record(store, "alive", renewed_at=time.time() + skew_s + lock.RENEWAL_INTERVAL_S)

    while_watching(renew)
    leave_record(store, "alive", renewed_at=time.time() + skew_s)
    with pytest.raises(Unavailable, match="another refresh"), lock.acquire(store, "next"):
        pass


def test_an_owner_that_lost_the_lock_learns_of_it_and_does_not_take_it_back(store: ObjectStore) -> None:
    with (
        lock.acquire(store, "slow"),
        lock.acquire(store, "fast", is_finished=lambda owner: owner == "slow"),
    ):
        with pytest.raises(LockLost, match=r"run slow no longer holds .* \(run fast"):
            lock.check(store, "slow")
        with pytest.raises(LockLost):
            lock._renew(store, "slow", lock.REFRESH, lock.TTL_S)
        lock.check(store, "fast")
    assert record_in(store).owner == "fast" and record_in(store).released


def test_an_unreadable_record_is_watched_and_taken_over(
    store: ObjectStore, while_watching: Callable[[Callable[[], object]], None]
) -> None:
    while_watching(lambda: None)
    store.put(f"{lock.REFRESH}000000000007.json", b"{half")
    with lock.acquire(store, "next"):
        assert lock.current(store)[0] == 8


def test_old_records_are_deleted(store: ObjectStore) -> None:
    for n in range(lock.MAX_RECORDS + 5):
        with lock.acquire(store, f"run-{n}"):
            pass
    assert len(store.sizes(lock.REFRESH)) == lock.MAX_RECORDS
    assert lock.current(store)[0] == lock.MAX_RECORDS + 5


def test_the_lock_is_renewed_while_it_is_held(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "RENEWAL_INTERVAL_S", 0.01)
    renewed = threading.Event()
    put = store.put

    def observe(*args: object, **kwargs: object) -> None:
        put(*args, **kwargs)  # type: ignore[arg-type]
        renewed.set()

    with lock.acquire(store, "one"):
        first = record_in(store)
        monkeypatch.setattr(store, "put", observe)
        assert renewed.wait(HANG_GUARD_S)
        last = record_in(store)
    assert last.renewed_at > last.acquired_at
    assert asdict(last) | {"renewed_at": 0} == asdict(first) | {"renewed_at": 0}


def test_a_store_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(prefix: str = "") -> dict[str, int]:
        raise Unavailable("the bucket does not answer")

    def wait(seconds: float) -> None:
        raise AssertionError("waited")

    store = MemoryObjects()
    monkeypatch.setattr(store, "sizes", fail)
    monkeypatch.setattr(lock, "_wait", wait)
    with pytest.raises(Unavailable, match="does not answer"), lock.publication(store):
        pass
