"""Faults that a test switches on while the fake server runs."""

from __future__ import annotations

import threading
from dataclasses import dataclass

CALLS = ("meta", "ready", "schema", "aliases", "Search", "BatchObjects", "BatchDelete", "Aggregate")
"""Kinds of calls: the first four are REST, the others gRPC."""

VERBS = ("GET schema", "POST schema", "PUT schema", "DELETE schema", "GET aliases", "PUT aliases")
"""REST calls by method, for a fault of one of them only."""

FAULTS = ("refuse", "reset", "429", "500", "slow", "garbage", "lose", "reject")
"""Faults of a call:

refuse   the connection is closed without an answer; UNAVAILABLE in gRPC
reset    the call is carried out, half of it for a batch, and the connection closed without an answer
429, 500 the status; RESOURCE_EXHAUSTED and INTERNAL in gRPC
slow     the call is carried out, and the answer comes after `seconds`
garbage  the answer is not valid
lose     BatchObjects only: every second object is not stored, and the reply does not say so
reject   BatchObjects only: every second object is refused, and the reply says so
"""


@dataclass
class Fault:
    """A fault of the next `times` calls; a slow answer takes `seconds`."""

    kind: str
    times: int = 1_000_000
    seconds: float = 0.0


class Faults:
    """The present faults, by kind of call. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._on: dict[str, Fault] = {}
        self.met = 0
        """Calls that went wrong since the faults were last cleared."""

    def add(self, call: str, fault: str, times: int = 1_000_000, seconds: float = 0.0) -> None:
        """Let the next `times` calls of that kind go wrong."""
        if call not in CALLS + VERBS or fault not in FAULTS:
            raise ValueError(f"no such call or fault: {call!r} of {CALLS + VERBS}, {fault!r} of {FAULTS}")
        with self._lock:
            self._on[call] = Fault(fault, times, seconds)

    def clear(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._on.clear()
            self.met = 0

    def next(self, *names: str) -> Fault | None:
        """Return the fault of a call that has these names, if any, and count it."""
        with self._lock:
            for name in names:
                fault = self._on.get(name)
                if fault is not None and fault.times > 0:
                    fault.times -= 1
                    self.met += 1
                    return fault
        return None
