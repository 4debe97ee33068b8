"""The refresh lock: one owner at a time; a dead run's lock can be taken over, a live one's cannot."""

from __future__ import annotations

import itertools
import math
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gallery.errors import Unavailable
from gallery.objects.base import TABLES, ObjectStore
from gallery.objects.memory import MemoryObjects
from pipelines import lock
from pipelines.lock import LockLost
from tests.fakes.locks import Clock, dead_pid, leave_record, renew_record
from tests.fakes.processes import HANG_GUARD_S


@pytest.fixture(params=["memory", "file"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ObjectStore]:
    yield MemoryObjects() if request.param == "memory" else TABLES.open(f"file://{tmp_path}/tables")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


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


@pytest.mark.parametrize("raises", [False, True], ids=["the client tries again", "the client gives up"])
def test_a_lock_whose_acquisition_got_no_reply_is_renewed_and_released(
    monkeypatch: pytest.MonkeyPatch, *, raises: bool
) -> None:
    class NoReply(MemoryObjects):
        def add(self, *args: Any, **options: Any) -> None:
            super().add(*args, **options)
            if raises:
                raise Unavailable("no reply")

    monkeypatch.setattr(lock, "RENEWAL_INTERVAL_S", 0.01)
    store = NoReply()
    if raises:
        with pytest.raises(Unavailable), lock.acquire(store, "one"):
            pass
    with lock.acquire(store, "one"):
        first, until = record_in(store), time.monotonic() + HANG_GUARD_S
        while record_in(store) == first and time.monotonic() < until:
            time.sleep(0.01)
        assert record_in(store).renewed_at > first.renewed_at
    assert record_in(store).released


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
def test_an_expired_record_that_is_not_renewed_while_it_is_watched_is_taken_over(
    store: ObjectStore, clock: Clock, age_s: float
) -> None:
    leave_record(store, "silent", renewed_at=time.time() - age_s)
    with lock.acquire(store, "next"):
        assert record_in(store).owner == "next" and clock.now >= lock.TTL_S


def test_a_contender_that_waits_gets_the_lock_when_the_holder_releases_it(
    store: ObjectStore, clock: Clock
) -> None:
    messages: list[str] = []
    leave_record(store, "first")
    clock.events = {3.0: lambda: lock.release(store, "first"), 2.0: lambda: leave_record(store, "second")}
    clock.events[5.0] = lambda: lock.release(store, "second")
    with lock.acquire(store, "next", wait_s=math.inf, on_wait=messages.append):
        assert record_in(store).owner == "next" and clock.now < lock.TTL_S
    assert [message.split(" on ")[0] for message in messages] == [
        "another refresh is running (run first",
        "another refresh is running (run second",
    ]


LATEST_RENEWAL_S = lock.TTL_S - lock.RENEWAL_INTERVAL_S - 2 * lock.POLL_INTERVAL_S


@given(
    skew_s=st.floats(-1e7, 1e7),
    dies_at_s=st.floats(0, 400),
    delays_s=st.lists(
        st.floats(0, lock.TTL_S - lock.RENEWAL_INTERVAL_S - 2 * lock.POLL_INTERVAL_S), min_size=1
    ),
    wait_s=st.sampled_from([0.0, 60.0, math.inf]),
)
def test_a_live_run_keeps_its_lock_and_that_of_a_killed_one_is_free_after_the_ttl(
    skew_s: float, dies_at_s: float, delays_s: list[float], wait_s: float
) -> None:
    """The holder is on another machine with a wrong clock, and its renewals are late."""
    store = MemoryObjects()
    with pytest.MonkeyPatch.context() as monkeypatch:
        clock = Clock(monkeypatch)
        at, last = 0.0, 0.0
        for delay in itertools.cycle(delays_s):
            if at >= dies_at_s:
                break
            last = at
            clock.events[at] = lambda renewed_at=at + skew_s: renew_record(store, "holder", renewed_at)
            at += lock.RENEWAL_INTERVAL_S + delay
        leave_record(store, "holder", renewed_at=skew_s)
        try:
            with lock.acquire(store, "next", wait_s=wait_s):
                assert last + lock.TTL_S <= clock.now <= last + lock.TTL_S + 2 * lock.POLL_INTERVAL_S
        except lock.LockHeld:
            assert wait_s <= clock.now <= max(wait_s, last + lock.TTL_S) + 2 * lock.POLL_INTERVAL_S


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


def test_an_unreadable_record_is_watched_and_taken_over(store: ObjectStore, clock: Clock) -> None:
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


def test_an_outage_while_waiting_neither_ends_the_wait_nor_counts_against_the_holder(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    store, messages = MemoryObjects(), list[str]()
    leave_record(store, "first")
    sizes, back_at, released_at = store.sizes, 2 * lock.TTL_S, 2 * lock.TTL_S + 20

    def fail_for_a_while(prefix: str = "") -> dict[str, int]:
        if 2.0 <= clock.now < back_at:
            raise Unavailable("the bucket does not answer")
        return sizes(prefix)

    monkeypatch.setattr(store, "sizes", fail_for_a_while)
    clock.events = {released_at: lambda: lock.release(store, "first")}
    with lock.acquire(store, "next", wait_s=math.inf, on_wait=messages.append):
        assert clock.now == released_at
    assert [message.split(" (")[0] for message in messages] == [
        "another refresh is running",
        "the bucket does not answer; still waiting for the lock",
        "another refresh is running",
    ]


def test_a_long_outage_ends_the_wait(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    def fail(prefix: str = "") -> dict[str, int]:
        raise Unavailable("the bucket does not answer")

    store = MemoryObjects()
    leave_record(store, "first", pid=0)
    clock.events = {1.0: lambda: monkeypatch.setattr(store, "sizes", fail)}
    with (
        pytest.raises(Unavailable, match="does not answer"),
        lock.acquire(store, "next", wait_s=math.inf, on_wait=lambda _: None),
    ):
        pass
    assert clock.now >= lock.OUTAGE_LIMIT_S
