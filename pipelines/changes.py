"""What is new, changed, removed and as it was between two tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import pandas as pd


@dataclass(frozen=True)
class Changes:
    """Counts of rows by what happened to them."""

    new: int
    changed: int
    removed: int
    unchanged: int

    def facts(self) -> dict[str, int]:
        """The counts as metadata."""
        return asdict(self)


def changes(before: pd.DataFrame | None, after: pd.DataFrame, *, key: str, by: Sequence[str]) -> Changes:
    """Rows of `after` beside those of the same key before; one has changed where it differs in the columns `by`."""

    def rows(frame: pd.DataFrame) -> dict[str, tuple[str, ...]]:
        columns = [[str(value) for value in frame[name]] for name in by]
        return dict(zip(frame[key], zip(*columns, strict=True), strict=True))

    old, now = {} if before is None else rows(before), rows(after)
    changed = sum(id in old and old[id] != row for id, row in now.items())
    new = sum(id not in old for id in now)
    return Changes(new, changed, sum(id not in now for id in old), len(now) - new - changed)
