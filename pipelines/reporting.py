"""What assets report: how their table changed, and values for their pages in the UI."""

import base64
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import dagster as dg
import pandas as pd

from gallery.objects.base import ObjectStore
from gallery.text import printable
from pipelines.records import record_run
from pipelines.steps import REFRESH_POOL, StepTimeout
from pipelines.tables import Table, count_changes

log = logging.getLogger(__name__)

GROUP_CATALOG, GROUP_IMAGES, GROUP_COLLECTION = "catalog", "images", "collection"
OWNERS = ["team:gallery"]
CATALOG_ASSET: dict[str, Any] = {
    "pool": REFRESH_POOL,
    "group_name": GROUP_CATALOG,
    "owners": OWNERS,
    "kinds": {"pandas", "parquet"},
}
"""Arguments of `dg.asset` that the assets of the catalogue share."""
KEY_PREFIX = "gallery"
"""First part of every asset's key. Keys are global in a deployment, which may have other code locations."""

MAX_WORD = 20
"""Longest word in a table: two fit side by side on an asset's page in a window of 1440 pixels."""


def asset_key(name: str) -> dg.AssetKey:
    """Return the key of the asset with this name."""
    return dg.AssetKey([KEY_PREFIX, name])


def save_table(
    context: dg.OpExecutionContext | dg.AssetExecutionContext,
    store: ObjectStore,
    table: Table,
    frame: pd.DataFrame,
    *,
    asset: str,
    key: str,
    by: Sequence[str],
    metadata: Mapping[str, Any],
    check_results: Sequence[dg.AssetCheckResult] = (),
    version_suffix: str = "",
) -> dg.MaterializeResult:
    """Store the table of an asset, record the run, and return the result with the numbers of changed rows.

    Rows with the same `key` are compared by the columns `by`. The data version is the digest of the
    table, with `version_suffix` for content that is not in it.
    """
    found = count_changes(table.read_or_none(store), frame, key=key, by=by)
    digest = table.write(store, frame)
    record_run(store, asset, context.run.run_id)
    return dg.MaterializeResult(
        data_version=dg.DataVersion(digest + version_suffix),
        metadata={"dagster/row_count": len(frame), **found, **metadata},
        check_results=check_results,
    )


def columns(table: Table) -> dict[str, dg.TableSchema]:
    """Return the table's columns for the asset page."""
    schema = dg.TableSchema(
        columns=[
            dg.TableColumn(name, str(kind), description=text or None)
            for name, (kind, text) in table.columns.items()
        ]
    )
    return {"dagster/column_schema": schema}


def image(jpeg: bytes, title: str = "contact sheet") -> dg.MarkdownMetadataValue:
    """Return a JPEG as Markdown with a data URI, since Dagster has no metadata type for images."""
    return dg.MetadataValue.md(f"![{title}](data:image/jpeg;base64,{base64.b64encode(jpeg).decode()})")


def decoration(
    name: str, draw: Callable[[], bytes], title: str = "contact sheet"
) -> dict[str, dg.MarkdownMetadataValue]:
    """Return metadata of this name with the JPEG that `draw` returns; none, with a warning, if it fails.

    The image only decorates a page, so it never fails the step.
    """
    try:
        return {name: image(draw(), title)}
    except StepTimeout:
        raise
    except Exception as error:
        log.warning("%s cannot be drawn: %s: %s", name, type(error).__name__, error)
        return {}


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> dg.MarkdownMetadataValue:
    """Return the rows as a Markdown table, which the UI shows inline if it is short.

    Characters that would break a cell are replaced, and long words shortened: the UI wraps text only at
    spaces, and cuts off what does not fit.
    """
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    lines += ["| " + " | ".join(_cell(value) for value in row) + " |" for row in rows]
    return dg.MetadataValue.md("\n".join(lines))


def _cell(value: object) -> str:
    words = printable(str(value)).replace("|", "¦").split()
    half = MAX_WORD // 2
    return " ".join(word if len(word) <= MAX_WORD else f"{word[:half]}…{word[1 - half :]}" for word in words)


def bars(what: str, counts: Mapping[str, int], *, width: int = MAX_WORD) -> dg.MarkdownMetadataValue:
    """Return counts as a table with bars, the longest of `width` characters."""
    longest = max(counts.values(), default=1)
    rows = [(name, "█" * max(1, round(width * count / longest)), count) for name, count in counts.items()]
    return markdown_table((what, "", "works"), rows)
