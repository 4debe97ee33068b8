"""Faults that a test switches on while the fake server runs."""

from __future__ import annotations

import threading
from dataclasses import dataclass

CALLS = ("meta", "ready", "schema", "aliases", "Search", "BatchObjects", "BatchDelete", "Aggregate")
"""The kinds of call: the first four are REST, the others gRPC."""

VERBS = ("GET schema", "POST schema", "PUT schema", "DELETE schema", "GET aliases", "PUT aliases")
"""Kinds of a REST call, where only one of them is to fail."""

FAULTS = ("refuse", "reset", "429", "500", "slow", "garbage", "lose", "reject")
"""What can go wrong with one:

refuse   no answer, the connection is closed; gRPC says UNAVAILABLE
reset    the call is carried out, half of it for a batch, but the answer never comes
429, 500 the status; gRPC's RESOURCE_EXHAUSTED and INTERNAL
slow     the call is carried out, but the answer comes after `seconds`
garbage  an answer that is none
lose     BatchObjects only: every second object is not stored, and nothing is said of it
reject   BatchObjects only: every second object is refused, and the reply says so
"""


@dataclass
class Fault:
    """What goes wrong with a call, how many more times, and how long a slow answer takes."""

    kind: str
    times: int = 1_000_000
    seconds: float = 0.0


class Faults:
    """The faults that are on, by kind of call. May be used from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._on: dict[str, Fault] = {}
        self.met = 0
        """Calls that went wrong since the faults were last cleared."""

    def add(self, call: str, fault: str, times: int = 1_000_000, seconds: float = 0.0) -> None:
        """From now on the next `times` calls of that kind go wrong."""
        if call not in CALLS + VERBS or fault not in FAULTS:
            raise ValueError(f"no such call or fault: {call!r} of {CALLS + VERBS}, {fault!r} of {FAULTS}")
        with self._lock:
            self._on[call] = Fault(fault, times, seconds)

    def clear(self) -> None:
        """Everything works again."""
        with self._lock:
            self._on.clear()
            self.met = 0

    def next(self, *names: str) -> Fault | None:
        """What goes wrong with the call that is being made now, and goes by these names."""
        with self._lock:
            for name in names:
                fault = self._on.get(name)
                if fault is not None and fault.times > 0:
                    fault.times -= 1
                    self.met += 1
                    return fault
        return None
