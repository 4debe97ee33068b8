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
        that fails. Exceptions are not cached. `make` must not ask for its own key.
        """
        mine: Future[T] | None = None
        try:
            with self._lock:
                if key in self._values:
                    self._values.move_to_end(key)
                    return self._values[key]
                future = self._making.get(key)
                if future is None:
                    future = mine = self._making[key] = Future()
            if mine is None:
                return future.result()
            value = make()  # outside the lock: it may take seconds
            with self._lock:
                self._values[key] = value
                while len(self._values) > self._size:
                    self._values.popitem(last=False)
            mine.set_result(value)
            return value
        except BaseException as error:
            if mine is not None and not mine.done():
                mine.set_exception(error)
            raise
        finally:
            if mine is not None:
                with self._lock:
                    if self._making.get(key) is mine:
                        del self._making[key]
