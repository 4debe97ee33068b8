"""What changed between two versions of a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import pandas as pd


@dataclass(frozen=True)
class Changes:
    """Numbers of rows by what happened to them."""

    new: int
    changed: int
    removed: int
    unchanged: int

    def facts(self) -> dict[str, int]:
        """Return the counts as metadata."""
        return asdict(self)


def changes(before: pd.DataFrame | None, after: pd.DataFrame, *, key: str, by: Sequence[str]) -> Changes:
    """Compare rows with the same key; a row has changed if it differs in one of the columns `by`."""

    def rows(frame: pd.DataFrame) -> dict[str, tuple[str, ...]]:
        columns = [[str(value) for value in frame[name]] for name in by]
        return dict(zip(frame[key], zip(*columns, strict=True), strict=True))

    old, now = {} if before is None else rows(before), rows(after)
    changed = sum(id in old and old[id] != row for id, row in now.items())
    new = sum(id not in old for id in now)
    return Changes(new, changed, sum(id not in now for id in old), len(now) - new - changed)
