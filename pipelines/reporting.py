"""Metadata values for the asset pages: columns, images, tables."""

import base64
from collections.abc import Mapping, Sequence

import dagster as dg

from pipelines.tables import Table

GROUP_CATALOG, GROUP_IMAGES, GROUP_COLLECTION = "catalog", "images", "collection"
OWNERS = ["team:gallery"]
KEY_PREFIX = "gallery"
"""First part of every asset's key. Keys are global in a deployment, which may have other code locations."""


def asset_key(name: str) -> dg.AssetKey:
    """Return the key of one of our assets."""
    return dg.AssetKey([KEY_PREFIX, name])


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
    """Return an image for the asset page, as Markdown with a data URI: Dagster has no image type."""
    return dg.MetadataValue.md(f"![{title}](data:image/jpeg;base64,{base64.b64encode(jpeg).decode()})")


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> dg.MarkdownMetadataValue:
    """Return the rows as a Markdown table, with characters that would break a cell replaced."""
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    lines += [
        "| " + " | ".join(str(cell).replace("|", "¦").replace("\n", " ") for cell in row) + " |"
        for row in rows
    ]
    return dg.MetadataValue.md("\n".join(lines))


def bars(what: str, counts: Mapping[str, int], *, width: int = 30) -> dg.MarkdownMetadataValue:
    """Return counts as a table with a bar each; the longest has `width` characters."""
    longest = max(counts.values(), default=1)
    rows = [(name, "█" * max(1, round(width * count / longest)), count) for name, count in counts.items()]
    return markdown_table((what, "", "works"), rows)


def search_page(site_url: str | None) -> dict[str, dg.UrlMetadataValue]:
    """Return a link to the search page, if GALLERY_SITE_URL names it."""
    return {"search_page": dg.MetadataValue.url(site_url)} if site_url else {}
