"""Records of the refresh lock as other processes leave them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import pytest

from gallery.objects.base import ObjectStore
from pipelines import lock


def leave_record(store: ObjectStore, owner: str, name: str = lock.REFRESH, **fields: Any) -> None:
    """Write the record of an owner on another machine, renewed just now; `fields` replace its fields."""
    now = time.time()
    record = lock.LockRecord(owner, "elsewhere", "another machine", 4711, now, now, lock.TTL_S)
    number, _ = lock.current(store, name)
    data = json.dumps(asdict(replace(record, **fields))).encode()
    assert store.add(f"{name}{number + 1:012d}.json", data)


def renew_record(store: ObjectStore, owner: str, renewed_at: float) -> None:
    """Renew the record as its owner would on a machine with this time. Do nothing if it lost the lock."""
    number, record = lock.current(store)
    if record is not None and record.owner == owner:
        data = json.dumps(asdict(replace(record, renewed_at=renewed_at))).encode()
        store.put(f"{lock.REFRESH}{number:012d}.json", data)


class Clock:
    """The clock of `pipelines.lock`: time passes only while a contender waits.

    `events` are calls by time, made when it has come.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        self.events: dict[float, Callable[[], object]] = {}
        monkeypatch.setattr(lock, "_now", lambda: self.now)
        monkeypatch.setattr(lock, "_wait", self._wait)

    def _wait(self, seconds: float) -> None:
        self.now += seconds
        for at in sorted(at for at in self.events if at <= self.now):
            self.events.pop(at)()


def dead_pid() -> int:
    """Return the id of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid
