"""One refresh at a time: two would write the same tables."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gallery.errors import Unavailable


@contextmanager
def one_at_a_time(home: Path) -> Iterator[None]:
    """Hold this machine's refresh lock for as long as the block lasts. Raises Unavailable where another holds it.

    The lock is the system's and goes with the process, however that ends.
    """
    try:
        home.mkdir(parents=True, exist_ok=True)
        file = (home / "refresh.lock").open("a")
    except OSError as error:
        raise Unavailable(f"GALLERY_HOME {home} cannot be written to ({error.strerror})") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Unavailable(
                f"another refresh is running in {home}, from here or from the Dagster UI; wait for it to end"
            ) from None
        yield
