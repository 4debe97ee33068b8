"""One refresh at a time, on whatever machines its steps run: a lease in the table store.

lease/refresh/<n>.json    who holds it; the highest n is the one that counts

Taking it means adding n + 1, which an object store grants to one contender only. It is held by a run rather than by a
process, since the steps of one run may be spread over many; the record is written again every `RENEW_S` while the run
lives. A lease is free when it was given back, when its process is dead, when Dagster says that its run is over, or when
nobody has renewed it for so long. That last is not left to the clocks of two machines: a contender that finds a record
old, or from the future, first watches it for longer than a renewal takes.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from gallery.errors import GalleryError, NotFound, Unavailable
from gallery.objects.base import ObjectStore

log = logging.getLogger(__name__)

FOLDER = "lease/refresh/"
RENEW_S = 20.0
"""Seconds between renewals."""
LASTS_S = 150.0
"""Seconds that a lease lasts after a renewal."""
BETWEEN_STEPS_S = 900.0
"""Seconds that it lasts after the end of a step, where nothing runs until the next one's machine is there."""
KEPT = 8
"""Records kept, for people who want to know who came before."""

Ended = Callable[[str], bool]
"""Says of a run id whether that run is known to be over."""


class LeaseLost(GalleryError):
    """Another run holds the lease now, so this one must not write any more."""


@dataclass(frozen=True)
class Holder:
    """A record: which run holds the lease, and from where. Times are seconds since 1970 by the writer's clock.

    `pid` is the process that the run dies with, 0 where there is no single one; it means something only to a process
    of the same `machine`.
    """

    run: str
    host: str
    machine: str
    pid: int
    since: float
    renewed: float
    lasts: float = LASTS_S
    released: bool = False

    def __str__(self) -> str:
        since = datetime.fromtimestamp(self.since, UTC).strftime("%d %b %H:%M:%S UTC")
        process = f", process {self.pid}" if self.pid else ""
        return f"run {self.run[:8]} on {self.host}{process}, since {since}"


def machine() -> str:
    """A name for what process numbers are unique in: the machine since its start, or a container on it."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        return f"{boot}/{Path('/proc/self/ns/pid').readlink()}"
    except OSError:  # not Linux
        return f"{socket.gethostname()}/{uuid.getnode()}"


def never(_: str) -> bool:
    """No run is known to be over."""
    return False


def current(store: ObjectStore) -> tuple[int, Holder | None]:
    """The lease that counts and its number; (0, None) before the first. Raises Unavailable."""
    while True:
        keys = store.sizes(FOLDER)
        if not keys:
            return 0, None
        key = max(keys)
        try:
            return _number(key), Holder(**json.loads(store.get(key)))
        except NotFound:
            continue  # cleared away since it was listed, so there is a higher one
        except (ValueError, TypeError):
            # Nobody can renew what nobody can read, so it runs out like any other.
            log.warning("the lease %s in %s cannot be read", key, store.address)
            return _number(key), Holder("unknown", "unknown", "", 0, 0.0, 0.0)


def check(store: ObjectStore, run: str) -> None:
    """Returns where the run holds the lease. Raises LeaseLost where it does not (any more), Unavailable."""
    _own(store, run)


def release(store: ObjectStore, run: str) -> None:
    """Give the lease back, if it is this run's. Raises Unavailable."""
    number, holder = current(store)
    if holder is not None and holder.run == run and not holder.released:
        _write(store, number, replace(holder, released=True, renewed=time.time()))


@contextmanager
def held(store: ObjectStore, run: str, *, spread: bool = False, ended: Ended = never) -> Iterator[None]:
    """Hold the lease for a run for as long as the block lasts, or be one of several blocks that do.

    The block that took it gives it back at its end. With `spread` the block is one step of a run whose other steps may
    be anywhere, so the lease then stays the run's: `release` ends it, or time does. Raises Unavailable, naming the
    holder, where another run holds it.
    """
    taken = _take(store, run, pid=0 if spread else os.getpid(), ended=ended)
    _, holder = current(store)
    alone = holder is not None and holder.pid == 0  # no process but those of the steps renews it
    stop = threading.Event()
    keeper = threading.Thread(target=_keep, args=(store, run, stop), name="lease", daemon=True)
    if taken or alone:
        keeper.start()
    try:
        yield
    finally:
        stop.set()
        if keeper.ident:
            keeper.join()
        try:
            if alone:
                _renew(store, run, BETWEEN_STEPS_S)
            elif taken:
                release(store, run)
        except GalleryError as error:  # must not hide what the block raised; it runs out by itself
            log.warning("the refresh lease was not given back: %s", error)


def _take(store: ObjectStore, run: str, *, pid: int, ended: Ended) -> bool:
    """True where the lease was free and is the run's now, False where it was the run's before."""
    if ended(run):
        raise LeaseLost(f"run {run[:8]} is over, so no step of it may start any more")
    while True:
        number, holder = current(store)
        if holder is not None and not holder.released:
            if holder.run == run:
                return False
            if not _is_over(store, number, holder, ended):
                age = max(0.0, time.time() - holder.renewed)
                raise Unavailable(
                    f"another refresh is running ({holder}; heard of {age:.0f} s ago); wait for it to end, or end it. "
                    f"A run that died without a word is passed over {holder.lasts:.0f} s after it was last heard of"
                )
            log.warning("taking over the refresh lease from a run that is over: %s", holder)
        now = time.time()
        mine = Holder(run, socket.gethostname(), machine(), pid, now, now)
        if store.add(_key(number + 1), _json(mine), "application/json"):
            for key in sorted(store.sizes(FOLDER))[:-KEPT]:
                store.delete(key)
            return True
        # Somebody was faster, perhaps another step of this very run.


def has_died(holder: Holder) -> bool:
    """True where the process that the run dies with was on this machine and is gone."""
    return bool(holder.pid) and holder.machine == machine() and not _alive(holder.pid)


def is_silent(holder: Holder) -> bool:
    """True where the lease has run out by the clock here, or is from the future. Alone that proves nothing."""
    return not 0 <= time.time() - holder.renewed <= holder.lasts


def _is_over(store: ObjectStore, number: int, holder: Holder, ended: Ended) -> bool:
    if has_died(holder) or ended(holder.run):
        return True
    if not is_silent(holder):
        return False
    log.warning("the refresh lease looks abandoned (%s); watching it for %.0f s", holder, RENEW_S * 1.5)
    threading.Event().wait(RENEW_S * 1.5)
    return current(store) == (number, holder)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:  # killed but not yet collected by its parent: such a process holds nothing any more
        return Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()[0] != "Z"
    except (OSError, IndexError):
        return True


def _keep(store: ObjectStore, run: str, stop: threading.Event) -> None:
    """Renew until told to stop or the lease is another's. A store that does not answer is asked again."""
    while not stop.wait(RENEW_S):
        try:
            _renew(store, run, LASTS_S)
        except LeaseLost as error:
            log.error("%s", error)
            return
        except GalleryError as error:
            log.warning("the refresh lease could not be renewed, and will be tried again: %s", error)


def _own(store: ObjectStore, run: str) -> tuple[int, Holder]:
    number, holder = current(store)
    if holder is None or holder.run != run or holder.released:
        whose = "nobody's" if holder is None or holder.released else f"that of {holder}"
        raise LeaseLost(
            f"this run ({run[:8]}) does not hold the refresh lease, which is {whose}; it stops before it writes anything"
        )
    return number, holder


def _renew(store: ObjectStore, run: str, lasts: float) -> None:
    number, holder = _own(store, run)
    # Many steps at once need not all write: an object store takes about one write a second to one object.
    if holder.lasts != lasts or abs(time.time() - holder.renewed) > RENEW_S / 2:
        _write(store, number, replace(holder, renewed=time.time(), lasts=lasts))


def _write(store: ObjectStore, number: int, holder: Holder) -> None:
    store.put(_key(number), _json(holder), "application/json")


def _key(number: int) -> str:
    return f"{FOLDER}{number:012d}.json"


def _number(key: str) -> int:
    return int(key.removeprefix(FOLDER).removesuffix(".json"))


def _json(holder: Holder) -> bytes:
    return json.dumps(asdict(holder), indent=1).encode()
