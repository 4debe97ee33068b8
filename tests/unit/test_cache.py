"""The cache of the most recently used values, which threads share."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from gallery.cache import RecentlyUsed
from gallery.errors import Unavailable
from tests.fakes.processes import HANG_GUARD_S, wait_for

THREADS = 8


@pytest.mark.parametrize("fails", [False, True])
def test_threads_that_ask_for_a_value_at_the_same_time_make_it_once(fails: bool) -> None:
    cache, made = RecentlyUsed[str, object](2), []
    waiting, finish = threading.Barrier(THREADS + 1), threading.Event()

    def make() -> object:
        made.append(threading.get_ident())
        assert finish.wait(HANG_GUARD_S)
        if fails:
            raise Unavailable("no answer")
        return object()

    def ask() -> object:
        waiting.wait(HANG_GUARD_S)
        return cache.get("key", make)

    with ThreadPoolExecutor(THREADS) as threads:
        answers = [threads.submit(ask) for _ in range(THREADS)]
        waiting.wait(HANG_GUARD_S)
        wait_for(lambda: bool(made))
        assert cache.get("another", lambda: 7) == 7  # is not held up
        finish.set()
    if fails:
        assert all(isinstance(answer.exception(), Unavailable) for answer in answers)
        assert cache.get("key", lambda: 8) == 8  # a failure is not kept
    else:
        assert len(made) == 1 and len({answer.result() for answer in answers}) == 1


def test_the_least_recently_used_value_is_dropped() -> None:
    cache = RecentlyUsed[int, str](2)
    for key, expected in [(1, "a"), (2, "b"), (1, "a"), (3, "c"), (1, "a"), (2, "again")]:
        made = {"a": "a", "b": "b", "c": "c", "again": "again"}[expected]
        assert cache.get(key, lambda made=made: made) == expected  # type: ignore[misc]
