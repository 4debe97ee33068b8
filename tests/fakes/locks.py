"""Records of the refresh lock as other processes leave them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import asdict, replace
from typing import Any

from gallery.objects.base import ObjectStore
from pipelines import lock


def leave_record(store: ObjectStore, owner: str, **fields: Any) -> None:
    """Write the record of an owner on another machine, renewed just now; `fields` replace its fields."""
    now = time.time()
    record = lock.LockRecord(owner, "elsewhere", "another machine", 4711, now, now, lock.TTL_S)
    number, _ = lock.current(store)
    data = json.dumps(asdict(replace(record, **fields))).encode()
    assert store.add(f"{lock.REFRESH}{number + 1:012d}.json", data)


def dead_pid() -> int:
    """Return the id of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid
