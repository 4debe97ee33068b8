"""Work in chunks that any machine can do. A stored plan says what is in each, so that nothing is handed from step to
step, no step reads more than its own share, and the last one can see what was never done.

<folder>/plan/<shard>.parquet     the rows of one shard
<folder>/plan/shards.json         the shards of the current plan, each with how many rows it has
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Sequence

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from gallery.errors import Invalid, NotFound
from gallery.objects.base import ObjectStore


def shard_name(items: Sequence[str]) -> str:
    """A name of letters and digits that only these items have, so a retry means the same shard."""
    return "s" + hashlib.sha256("|".join(items).encode()).hexdigest()[:12]


def make_shards(rows: pd.DataFrame, by: str, size: int) -> dict[str, pd.DataFrame]:
    """Shard name -> rows, at most `size` each; the column `by` says what a row is. The same rows give the same shards,
    in whatever order they come."""
    ordered = rows.sort_values(by).drop_duplicates(by)
    chunks = [ordered.iloc[start : start + size] for start in range(0, len(ordered), size)]
    return {shard_name(list(chunk[by])): chunk for chunk in chunks}


class Plan:
    """What the current run still has to do of one stage, in shards; each run plans anew."""

    def __init__(self, store: ObjectStore, folder: str) -> None:
        self._store = store
        self._folder = f"{folder}/plan/"

    def write(self, shards: dict[str, pd.DataFrame]) -> None:
        """Store these shards in place of the last plan's."""
        for name, rows in shards.items():
            buffer = io.BytesIO()
            pq.write_table(pa.Table.from_pandas(rows, preserve_index=False), buffer)
            self._store.put(self._part(name), buffer.getvalue(), "application/vnd.apache.parquet")
        sizes = {name: len(rows) for name, rows in shards.items()}
        self._store.put(f"{self._folder}shards.json", json.dumps(sizes).encode(), "application/json")
        for key in self._store.sizes(self._folder):
            if key.endswith(".parquet") and key.removeprefix(self._folder)[: -len(".parquet")] not in shards:
                self._store.delete(key)

    def sizes(self) -> dict[str, int]:
        """Shard name -> its rows. Raises NotFound where nothing was planned yet."""
        try:
            sizes: dict[str, int] = json.loads(self._store.get(f"{self._folder}shards.json"))
        except NotFound:
            raise NotFound(
                f"nothing is planned in {self._folder} of {self._store.address}; run `gallery refresh`"
            ) from None
        return sizes

    def shard(self, name: str) -> pd.DataFrame:
        """The rows of one shard. Raises Invalid where another run has planned since, or the plan cannot be read."""
        try:
            return pq.read_table(io.BytesIO(self._store.get(self._part(name)))).to_pandas()
        except NotFound:
            raise Invalid(
                f"the plan in {self._folder} has no shard {name}: another run has planned since; run `gallery refresh` again"
            ) from None
        except (pa.ArrowInvalid, OSError) as error:
            raise Invalid(
                f"the plan of shard {name} in {self._folder} cannot be read ({error}); run `gallery refresh` again"
            ) from error

    def _part(self, name: str) -> str:
        return f"{self._folder}{name}.parquet"
