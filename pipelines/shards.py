"""Split work into shards that any machine can process.

A stored plan lists the rows of each shard. A step reads its own shard only, nothing is passed between
steps, and the last step can detect lost shards.

<folder>/plan/<shard>.parquet   the rows of one shard
<folder>/plan/shards.json       the shards of the current plan, each with its number of rows
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

import pandas as pd
import pyarrow as pa

from gallery.errors import Corrupted, Invalid, NotFound
from gallery.objects.base import ObjectStore
from gallery.stored_json import parse_json
from pipelines.parquet import read_parquet, write_parquet


def shard_name(items: Sequence[str]) -> str:
    """Return a name of letters and digits. It depends on the items alone, so retries get the same one."""
    return "s" + hashlib.sha256("|".join(items).encode()).hexdigest()[:12]


def make_shards(rows: pd.DataFrame, by: str, size: int) -> dict[str, pd.DataFrame]:
    """Return shard name -> at most `size` rows. `by` is the column that identifies a row."""
    ordered = rows.sort_values(by).drop_duplicates(by)
    chunks = [ordered.iloc[start : start + size] for start in range(0, len(ordered), size)]
    return {shard_name(list(chunk[by])): chunk for chunk in chunks}


class Plan:
    """The shards of one stage of the current run. Every run writes a new plan."""

    def __init__(self, store: ObjectStore, folder: str) -> None:
        self._store = store
        self._folder = f"{folder}/plan/"

    def write(self, shards: dict[str, pd.DataFrame]) -> None:
        """Replace the previous plan."""
        for name, rows in shards.items():
            write_parquet(self._store, self._key(name), pa.Table.from_pandas(rows, preserve_index=False))
        sizes = {name: len(rows) for name, rows in shards.items()}
        self._store.put(f"{self._folder}shards.json", json.dumps(sizes).encode(), "application/json")
        current = {self._key(name) for name in shards}
        for key in self._store.sizes(self._folder):
            if key.endswith(".parquet") and key not in current:
                self._store.delete(key)

    def sizes(self) -> dict[str, int]:
        """Return shard name -> number of rows. Raises NotFound if there is no plan, or Corrupted."""
        try:
            return parse_json(dict[str, int], self._store.get(f"{self._folder}shards.json"))
        except ValueError as error:
            raise Corrupted(
                f"the plan in {self._folder} of {self._store.address} cannot be read ({error}); run "
                "`gallery refresh` again"
            ) from error
        except NotFound:
            raise NotFound(
                f"there is no plan in {self._folder} of {self._store.address}; run `gallery refresh`"
            ) from None

    def shard(self, name: str) -> pd.DataFrame:
        """Return the rows of a shard.

        Raises Corrupted if it is unreadable, Invalid if another run has replaced the plan.
        """
        try:
            return read_parquet(self._store, self._key(name)).to_pandas()
        except NotFound:
            raise Invalid(
                f"the plan in {self._folder} has no shard {name}: another run has replaced it; run "
                "`gallery refresh` again"
            ) from None

    def _key(self, name: str) -> str:
        return f"{self._folder}{name}.parquet"
