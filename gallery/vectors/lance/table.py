"""Lance tables: columns, indexes, works as rows, and filters as SQL."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
from lancedb.index import FTS, BTree, HnswSq

from gallery.models import Artwork, to_payload
from gallery.vectors.base import Vector
from gallery.vectors.filters import Filter, life
from gallery.vectors.lexical import searchable_text

TEXT, VECTOR = "text", "vector"
MIN_INDEXED_ROWS = 10_000
"""Smaller tables get no vector index: an exact search of them takes 2 to 7 ms, as long as an indexed one."""


def schema(dim: int) -> pa.Schema:
    """Return the columns of a build's table."""
    return pa.schema(
        [
            pa.field("id", pa.string(), nullable=False),
            pa.field("file", pa.string(), nullable=False),
            pa.field("artist", pa.string(), nullable=False),
            pa.field("styles", pa.list_(pa.string())),
            pa.field("nationalities", pa.list_(pa.string())),
            pa.field("life_start", pa.int32()),
            pa.field("life_end", pa.int32()),
            pa.field(TEXT, pa.string(), nullable=False),
            pa.field("payload", pa.string(), nullable=False),
            pa.field(VECTOR, pa.list_(pa.float32(), dim), nullable=False),
        ]
    )


def row_of(work: Artwork, vector: Vector) -> dict[str, Any]:
    """Return the work as a row."""
    start, end = life(work.artist)
    return {
        "id": work.id,
        "file": work.file,
        "artist": work.artist.slug,
        "styles": list(dict.fromkeys(work.artist.styles)),
        "nationalities": list(dict.fromkeys(work.artist.nationalities)),
        "life_start": start,
        "life_end": end,
        TEXT: searchable_text(work),
        "payload": json.dumps(to_payload(work), ensure_ascii=False),
        VECTOR: vector,
    }


def create_text_index(table: Any) -> None:
    """Create the full-text index. Rows added later are scanned until `seal_indexes` indexes them."""
    # `gallery.vectors.lexical` has already removed case, accents, endings and stop words.
    config = FTS(
        base_tokenizer="whitespace",
        lower_case=False,
        stem=False,
        remove_stop_words=False,
        ascii_folding=False,
        max_token_length=None,
    )
    table.create_index(TEXT, config=config)


def seal_indexes(table: Any) -> None:
    """Update the full-text index; index the vectors and ids if the table has `MIN_INDEXED_ROWS` rows."""
    if table.count_rows() >= MIN_INDEXED_ROWS:
        # IVF_HNSW_SQ finds the exact neighbours under any filter, unlike IVF_RQ and IVF_PQ with a fixed
        # nprobes; see docs/decisions/004-lance-indexes.md.
        table.create_index(VECTOR, config=HnswSq(distance_type="cosine"))
        table.create_index("id", config=BTree())
    table.optimize()


def quoted(values: Sequence[str]) -> str:
    """Return the values as SQL string literals, separated by commas."""
    return ", ".join("'" + value.replace("'", "''") + "'" for value in values)


def sql(where: Filter) -> str | None:
    """Return the filter as a SQL condition; None if every work passes."""
    terms = []
    if where.artists:
        terms.append(f"artist IN ({quoted(where.artists)})")
    if where.exclude_artists:
        terms.append(f"artist NOT IN ({quoted(where.exclude_artists)})")
    if where.styles:
        terms.append(f"array_has_any(styles, [{quoted(where.styles)}])")
    if where.nationalities:
        terms.append(f"array_has_any(nationalities, [{quoted(where.nationalities)}])")
    if where.active_from is not None:
        terms.append(f"life_end >= {int(where.active_from)}")
    if where.active_to is not None:
        terms.append(f"life_start <= {int(where.active_to)}")
    return " AND ".join(terms) or None
