"""Works as Qdrant points, and filters as conditions on their payload."""

from __future__ import annotations

import json
import uuid
import zlib
from collections.abc import Iterable
from typing import Any

from qdrant_client import models

from gallery.models import Artwork, to_payload
from gallery.vectors.base import Vector
from gallery.vectors.filters import Filter, life
from gallery.vectors.lexical import searchable_text

IMAGE, WORDS = "image", "words"
INDEXES = {
    "artist": models.PayloadSchemaType.KEYWORD,
    "styles": models.PayloadSchemaType.KEYWORD,
    "nationalities": models.PayloadSchemaType.KEYWORD,
    "life_start": models.PayloadSchemaType.INTEGER,
    "life_end": models.PayloadSchemaType.INTEGER,
}
"""Payload fields for filters and counts, with the type of their index."""


def point_id(id: str) -> str:
    """Return the id of a work's point."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, id))


def point_of(work: Artwork, row: Vector) -> models.PointStruct:
    """Return the work and its vector as a point."""
    start, end = life(work.artist)
    words = sparse(searchable_text(work).split())
    return models.PointStruct(
        id=point_id(work.id),
        vector={IMAGE: row.tolist(), **({WORDS: words} if words else {})},
        payload={
            "id": work.id,
            "file": work.file,
            "artist": work.artist.slug,
            "styles": list(work.artist.styles),
            "nationalities": list(work.artist.nationalities),
            "life_start": start,
            "life_end": end,
            "work": json.dumps(to_payload(work), ensure_ascii=False),
        },
    )


def sparse(words: Iterable[str]) -> models.SparseVector | None:
    """Return the distinct words as a sparse vector of ones at their CRC-32; None if there are no words."""
    places = sorted({zlib.crc32(word.encode()) for word in words})
    return models.SparseVector(indices=places, values=[1.0] * len(places)) if places else None


def payload_of(point: models.Record | models.ScoredPoint) -> dict[str, Any]:
    """Return the point's payload; {} if it was not requested."""
    return point.payload or {}


def filter_of(where: Filter) -> models.Filter | None:
    """Return the filter as a Qdrant filter; None if every work passes."""
    must: list[Any] = [
        models.FieldCondition(key=key, match=models.MatchAny(any=list(values)))
        for key, values in (
            ("artist", where.artists),
            ("styles", where.styles),
            ("nationalities", where.nationalities),
        )
        if values
    ]
    if where.active_from is not None:
        must.append(models.FieldCondition(key="life_end", range=models.Range(gte=where.active_from)))
    if where.active_to is not None:
        must.append(models.FieldCondition(key="life_start", range=models.Range(lte=where.active_to)))
    must_not: list[Any] = []
    if where.exclude_artists:
        must_not.append(
            models.FieldCondition(key="artist", match=models.MatchAny(any=list(where.exclude_artists)))
        )
    return models.Filter(must=must or None, must_not=must_not or None) if must or must_not else None
