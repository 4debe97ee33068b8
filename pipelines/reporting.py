"""What assets say of themselves in Dagster's terms: columns, pictures, tables."""

import base64
from collections.abc import Mapping, Sequence

import dagster as dg

from pipelines.tables import Table

GROUP_CATALOGUE, GROUP_PICTURES, GROUP_COLLECTION = "catalogue", "pictures", "collection"
OWNERS = ["team:gallery"]


def columns(table: Table) -> dict[str, dg.TableSchema]:
    """The table's columns as the asset page shows them."""
    schema = dg.TableSchema(
        columns=[
            dg.TableColumn(name, str(kind), description=text or None)
            for name, (kind, text) in table.columns.items()
        ]
    )
    return {"dagster/column_schema": schema}


def picture(jpeg: bytes, title: str = "contact sheet") -> dg.MarkdownMetadataValue:
    """A picture for the asset page. The UI shows data URIs in Markdown and has no picture type of its own."""
    return dg.MetadataValue.md(f"![{title}](data:image/jpeg;base64,{base64.b64encode(jpeg).decode()})")


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> dg.MarkdownMetadataValue:
    """Rows as a Markdown table; whatever could break a cell is taken out of it."""
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    lines += [
        "| " + " | ".join(str(cell).replace("|", "¦").replace("\n", " ") for cell in row) + " |"
        for row in rows
    ]
    return dg.MetadataValue.md("\n".join(lines))


def bars(what: str, counts: Mapping[str, int], *, width: int = 30) -> dg.MarkdownMetadataValue:
    """Counts as a table with a bar each, the longest `width` characters."""
    longest = max(counts.values(), default=1)
    rows = [(name, "█" * max(1, round(width * count / longest)), count) for name, count in counts.items()]
    return markdown_table((what, "", "works"), rows)


def search_page(site_url: str | None) -> dict[str, dg.UrlMetadataValue]:
    """A link to the page that searches what is live, where the setting names one."""
    return {"search_page": dg.MetadataValue.url(site_url)} if site_url else {}
