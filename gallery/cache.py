"""A small thread-safe cache of the most recently used values."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class RecentlyUsed(Generic[K, T]):
    """Keeps the `size` most recently used values by key. Thread-safe."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._values: OrderedDict[K, T] = OrderedDict()
        self._making: dict[K, Future[T]] = {}
        self._lock = threading.Lock()

    def get(self, key: K, make: Callable[[], T]) -> T:
        """Return the key's value, from `make()` if it is not cached.

        Threads that ask for a value while another one makes it wait for it, and get the same exception if
        that fails. Exceptions are not cached.
        """
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
            being_made = self._making.get(key)
            future = being_made or self._making.setdefault(key, Future())
        if being_made is None:
            try:
                future.set_result(make())  # outside the lock: it may take seconds
            except BaseException as error:
                future.set_exception(error)
            with self._lock:
                del self._making[key]
                if future.exception() is None:
                    self._values[key] = future.result()
                while len(self._values) > self._size:
                    self._values.popitem(last=False)
        return future.result()
