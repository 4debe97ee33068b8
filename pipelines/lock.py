"""Locks with a time to live (TTL) in the table store, for any number of machines.

REFRESH lets one refresh run at a time, PUBLICATION one process move the pointer to the live build.

Record n is <lock><n>.json, and only the record with the highest n counts. Acquiring the lock
creates record n + 1; the object store lets only one contender do that. The owner is a run, not a process,
since steps may execute in many processes. A process of the run renews the record while it works.

Another run may take the lock if the record was released, its process has died, Dagster knows that the run
has finished, or the record did not change while the other run watched it for the TTL. Each watches with its
own monotonic clock, so it does not matter how far the clocks of the machines differ.
"""

from __future__ import annotations

import json
import logging
import os
import re
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from gallery.errors import GalleryError, NotFound, Unavailable
from gallery.objects.base import ObjectStore
from gallery.stored_json import parse_json
from pipelines.parallel import in_background

log = logging.getLogger(__name__)

REFRESH = "lock/refresh/"
PUBLICATION = "lock/publication/"
TITLES = {REFRESH: "the refresh lock", PUBLICATION: "the publication lock"}
ACTIVITIES = {
    REFRESH: "another refresh is running",
    PUBLICATION: "another process is publishing or rolling back",
}
"""What the holder of each lock is doing."""
RECORD = re.compile(r"[0-9]{12}\.json")
POLL_INTERVAL_S = 1.0
PUBLICATION_POLL_S = 0.1
PUBLICATION_TIMEOUT_S = 60.0
"""How long to wait for the publication lock. Its holder makes a few calls to the stores."""
RENEWAL_INTERVAL_S = 5.0
TTL_S = 30.0
"""Time to live of a record whose owner renews it: six missed renewals. A run that was killed in another
container delays the next one by this much."""
IDLE_TTL_S = 900.0
"""Time to live between two steps of a distributed run: the next pod may have to wait for a machine."""
OUTAGE_LIMIT_S = 300.0
"""How long a waiting contender puts up with a store that does not answer."""
MAX_RECORDS = 8
"""Records to keep, so that a contender with an outdated listing collides with a newer record."""

IsFinished = Callable[[str], bool]
"""Returns whether the run of an owner is known to have finished."""
OnWait = Callable[[str], None]
"""Receives a message each time a contender begins to wait for another holder."""


class LockHeld(Unavailable):
    """Another owner holds the lock."""


class LockLost(GalleryError):
    """Another owner holds the lock, so this one must stop writing."""


@dataclass(frozen=True)
class LockRecord:
    """Who holds the lock. Times are seconds since 1970 by the clock of the machine that wrote them.

    `pid` is the process of the run, unique within `machine`, or 0 for a distributed run, which has several.
    """

    owner: str
    host: str
    machine: str
    pid: int
    acquired_at: float
    renewed_at: float
    ttl: float
    released: bool = False

    def __str__(self) -> str:
        since = datetime.fromtimestamp(self.acquired_at, UTC).strftime("%d %b %H:%M:%S UTC")
        process = f", process {self.pid}" if self.pid else ""
        return f"run {self.owner[:8]} on {self.host}{process}, since {since}"


def machine_id() -> str:
    """Return an id of the scope of process ids: this machine since it booted, or this container."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        return f"{boot}/{Path('/proc/self/ns/pid').readlink()}"
    except OSError:  # not Linux
        return f"{socket.gethostname()}/{uuid.getnode()}"


def current(store: ObjectStore, name: str = REFRESH) -> tuple[int, LockRecord | None]:
    """Return the newest record and its number; (0, None) without records. Raises Unavailable."""
    while True:
        keys = _record_keys(store, name)
        if not keys:
            return 0, None
        number = int(keys[-1].removeprefix(name).removesuffix(".json"))
        try:
            return number, _read(store, keys[-1])
        except NotFound:
            continue  # deleted since it was listed, so there is a newer one


def owners_that_lost(store: ObjectStore, name: str = REFRESH) -> list[str]:
    """Return the owners whose lock another one has taken over, of the records that are kept.

    Raises Unavailable.
    """
    records = []
    for key in _record_keys(store, name):
        with suppress(NotFound):
            records.append(_read(store, key))
    newest = records[-1].owner if records else ""
    return [record.owner for record in records if not record.released and record.owner != newest]


def _read(store: ObjectStore, key: str) -> LockRecord:
    """Return the record. One that is unreadable cannot be renewed, so it counts as expired."""
    try:
        record = parse_json(LockRecord, store.get(key))
        str(record)  # fails if a time is beyond the calendar
        return record
    except (ValueError, OverflowError):
        log.warning("the lock %s in %s is unreadable", key, store.address)
        return LockRecord("unknown", "unknown", "", 0, 0.0, 0.0, TTL_S)


def _record_keys(store: ObjectStore, name: str) -> list[str]:
    """Return the keys of the records, oldest first, without other files beside them."""
    return sorted(key for key in store.sizes(name) if RECORD.fullmatch(key.removeprefix(name)))


def check(store: ObjectStore, owner: str, name: str = REFRESH) -> None:
    """Raise LockLost if the owner does not hold the lock. Raises Unavailable."""
    _own_record(store, owner, name)


def release(store: ObjectStore, owner: str, name: str = REFRESH) -> None:
    """Release the lock if the owner holds it. Raises Unavailable."""
    number, record = current(store, name)
    if record is not None and record.owner == owner and not record.released:
        _write(store, name, number, replace(record, released=True, renewed_at=time.time()))


@contextmanager
def acquire(
    store: ObjectStore,
    owner: str,
    name: str = REFRESH,
    *,
    distributed: bool = False,
    is_finished: IsFinished = lambda _: False,
    wait_s: float = 0.0,
    on_wait: OnWait = log.info,
    poll_s: float = POLL_INTERVAL_S,
) -> Iterator[None]:
    """Hold the lock for the block. Blocks of one owner share it; the first one in its process releases it.

    With `distributed`, the block is one step of a run whose other steps execute in other processes. The
    run keeps the lock until it has finished, or for IDLE_TTL_S after its last step.

    Raises LockHeld, naming the holder, if another run still holds the lock after `wait_s` seconds; LockLost
    if this run has finished; Unavailable, while waiting only after OUTAGE_LIMIT_S.
    """
    pid = 0 if distributed else os.getpid()
    record = _take(store, owner, name, pid, is_finished, wait_s, on_wait, poll_s)
    shared_by_steps = record.pid == 0
    # Not whether this call created the record: an earlier one may have, although its reply was lost.
    held = (store.address, name, owner)
    with _held_guard:
        is_first = (record.pid, record.machine) == (os.getpid(), machine_id()) and held not in _held
        if is_first:
            _held.add(held)
    renew = partial(_renew_until, store, owner, name)
    try:
        with in_background(renew, "lock") if is_first or shared_by_steps else nullcontext():
            yield
    finally:
        try:
            if shared_by_steps:
                _renew(store, owner, name, IDLE_TTL_S)
            elif is_first:
                _held.discard(held)
                release(store, owner, name)
        except GalleryError as error:  # must not hide an error of the block; the lock expires
            log.warning("could not release %s: %s", TITLES[name], error)


_held: set[tuple[str, str, str]] = set()
"""The locks that a block of this process renews and releases: address of the store, name, owner."""
_held_guard = threading.Lock()


def _take(
    store: ObjectStore,
    owner: str,
    name: str,
    pid: int,
    is_finished: IsFinished,
    wait_s: float,
    on_wait: OnWait,
    poll_s: float,
) -> LockRecord:
    """Return the owner's record, which exists or is created."""
    if is_finished(owner):
        raise LockLost(f"run {owner[:8]} has finished, so none of its steps may start")
    started, watched, watched_since, reported = _now(), None, 0.0, ""
    answered_at: float | None = None
    while True:
        try:
            number, record = current(store, name)
        except Unavailable as error:
            if answered_at is None or _now() - answered_at >= min(wait_s, OUTAGE_LIMIT_S):
                raise
            watched = None  # the holder could not renew its record either
            if reported:
                on_wait(f"{error}; still waiting for the lock")
                reported = ""
            _wait(poll_s)
            continue
        answered_at = _now()
        if record is not None and not record.released and not owner_died(record):
            if record.owner == owner:
                return record
            is_alive = watched not in (None, (number, record))  # it was renewed while it was watched
            if watched != (number, record):
                watched, watched_since = (number, record), _now()
            if not is_finished(record.owner) and _now() - watched_since < record.ttl:
                if _now() - started >= wait_s and (is_alive or not is_expired(record)):
                    raise LockHeld(f"{_describe(name, record)}. Wait for it to end, or cancel it")
                if record.owner != reported:
                    reported = record.owner
                    on_wait(f"{_describe(name, record)}; waiting for it to end")
                _wait(poll_s)
                continue
        if record is not None and not record.released:
            log.warning("taking over %s of a run that has ended: %s", TITLES[name], record)
        now = time.time()
        mine = LockRecord(owner, socket.gethostname(), machine_id(), pid, now, now, TTL_S)
        if store.add(_key(name, number + 1), _to_json(mine), "application/json"):
            for key in _record_keys(store, name)[:-MAX_RECORDS]:
                store.delete(key)
            return mine
        # Another process was faster, perhaps another step of this run.


@contextmanager
def publication(store: ObjectStore) -> Iterator[Callable[[], None]]:
    """Hold the lock on the pointer to the live build for the block, after waiting for another holder.

    Yields a function to call right before the pointer moves. It raises LockLost if another process took over
    the lock meanwhile, as it may once this one has not renewed it for TTL_S.

    Raises LockHeld if the other does not release it within PUBLICATION_TIMEOUT_S, Unavailable.
    """
    owner = str(uuid.uuid4())
    with acquire(store, owner, PUBLICATION, wait_s=PUBLICATION_TIMEOUT_S, poll_s=PUBLICATION_POLL_S):

        def check_lock() -> None:
            try:
                check(store, owner, PUBLICATION)
            except LockLost as error:
                raise LockLost(
                    f"another process took over {TITLES[PUBLICATION]}, because this one had not renewed it "
                    f"for {TTL_S:g} s; what is live was not changed, so try again"
                ) from error

        yield check_lock


def _describe(name: str, record: LockRecord) -> str:
    return f"{ACTIVITIES[name]} ({record}; last renewed {_age_s(record):.0f} s ago)"


def owner_died(record: LockRecord) -> bool:
    """Return whether the owner's process ran on this machine and no longer exists."""
    if not record.pid or record.machine != machine_id():
        return False
    try:
        os.kill(record.pid, 0)
    except (ProcessLookupError, OverflowError):  # the latter for a damaged record
        return True
    except PermissionError:
        return False
    return False


def is_expired(record: LockRecord) -> bool:
    """Return whether the TTL has passed by this machine's clock, or the record is from the future.

    Clocks may differ, so an expired record is not yet an abandoned one.
    """
    return not 0 <= _age_s(record) <= record.ttl


def _age_s(record: LockRecord) -> float:
    return time.time() - record.renewed_at


def _now() -> float:
    return time.monotonic()


def _wait(seconds: float) -> None:
    time.sleep(seconds)


def _renew_until(store: ObjectStore, owner: str, name: str, stop: threading.Event) -> None:
    """Renew the record until `stop` is set or the lock is lost. Try again if the store does not answer."""
    while not stop.wait(RENEWAL_INTERVAL_S):
        try:
            _renew(store, owner, name, TTL_S)
        except LockLost as error:
            log.error("%s", error)
            return
        except GalleryError as error:
            log.warning("could not renew %s, will try again: %s", TITLES[name], error)


def _renew(store: ObjectStore, owner: str, name: str, ttl: float) -> None:
    number, record = _own_record(store, owner, name)
    # Cloud Storage takes about one write a second to an object, so parallel steps do not all write.
    if record.ttl != ttl or abs(_age_s(record)) > RENEWAL_INTERVAL_S / 2:
        _write(store, name, number, replace(record, renewed_at=time.time(), ttl=ttl))


def _own_record(store: ObjectStore, owner: str, name: str = REFRESH) -> tuple[int, LockRecord]:
    number, record = current(store, name)
    if record is None or record.owner != owner or record.released:
        holder = "nobody does" if record is None or record.released else f"{record} does"
        raise LockLost(
            f"run {owner[:8]} no longer holds {TITLES[name]} ({holder}); it stops before it writes"
        )
    return number, record


def _write(store: ObjectStore, name: str, number: int, record: LockRecord) -> None:
    store.put(_key(name, number), _to_json(record), "application/json")


def _key(name: str, number: int) -> str:
    return f"{name}{number:012d}.json"


def _to_json(record: LockRecord) -> bytes:
    return json.dumps(asdict(record), indent=1).encode()
