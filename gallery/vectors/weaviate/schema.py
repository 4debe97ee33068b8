"""Map builds, works and filters to Weaviate's schema, objects and conditions."""

from __future__ import annotations

import dataclasses
import json
import uuid
from dataclasses import dataclass
from typing import Any

from weaviate.classes.config import (
    Configure,
    ConsistencyLevel,
    DataType,
    Property,
    StopwordsPreset,
    Tokenization,
    VectorDistances,
)
from weaviate.classes.query import Filter as Condition

from gallery.errors import NotFound
from gallery.models import Artwork, Build, to_payload
from gallery.stored_json import parse_json
from gallery.vectors.base import BUILD_NAME
from gallery.vectors.filters import Filter, life
from gallery.vectors.lexical import searchable_text

SEARCHABLE_TEXT = "words"
"""The property for full-text search."""


@dataclass(frozen=True)
class SchemaOptions:
    """The address's options for new collections, and the consistency level of reads and writes."""

    prefix: str
    quantization: str
    replication: int | None
    shards: int | None
    consistency: ConsistencyLevel | None

    def collection(self, build: str) -> str:
        """Return the collection's name. Raises NotFound if no build may have this name."""
        if not BUILD_NAME.fullmatch(build):
            raise NotFound(f"no build {build!r} in Weaviate")
        return f"{self.prefix}_{build}"

    def configuration(self, build: Build) -> dict[str, Any]:
        """Return the arguments that create the build's collection."""
        quantizers = Configure.VectorIndex.Quantizer
        return {
            "name": self.collection(build.name),
            "description": to_description(build),
            "properties": PROPERTIES,
            "vector_config": Configure.Vectors.self_provided(
                vector_index_config=Configure.VectorIndex.hnsw(distance_metric=VectorDistances.COSINE),
                quantizer=quantizers.rq(bits=8) if self.quantization == "rq8" else quantizers.none(),
            ),
            # `gallery.vectors.lexical` has removed stop words; the server's list would remove more.
            "inverted_index_config": Configure.inverted_index(stopwords_preset=StopwordsPreset.NONE),
            "replication_config": Configure.replication(factor=self.replication)
            if self.replication
            else None,
            "sharding_config": Configure.sharding(desired_count=self.shards) if self.shards else None,
        }


def _exact(name: str, kind: DataType = DataType.TEXT) -> Property:
    """Return a property that is compared as a whole; other tokenizations find "test" in "test_domain"."""
    return Property(
        name=name,
        data_type=kind,
        tokenization=Tokenization.FIELD,
        index_filterable=True,
        index_searchable=False,
    )


def _year(name: str) -> Property:
    return Property(name=name, data_type=DataType.INT, index_filterable=True, index_range_filters=True)


PROPERTIES = [
    _exact("work_id"),  # `id` is Weaviate's own
    _exact("file"),
    _exact("artist"),
    _exact("styles", DataType.TEXT_ARRAY),
    _exact("nationalities", DataType.TEXT_ARRAY),
    _year("life_start"),
    _year("life_end"),
    Property(
        name=SEARCHABLE_TEXT,
        data_type=DataType.TEXT,
        tokenization=Tokenization.WORD,
        index_filterable=False,
        index_searchable=True,
    ),
    Property(name="payload", data_type=DataType.TEXT, index_filterable=False, index_searchable=False),
]


def uuid_of(id: str) -> str:
    """Return the UUID of a work's object, a hash of the id: not all ids are UUIDs in canonical form."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"artwork:{id}"))


def properties_of(work: Artwork) -> dict[str, Any]:
    """Return the work's properties, without unknown years."""
    start, end = life(work.artist)
    years = {"life_start": start, "life_end": end}
    return {
        "work_id": work.id,
        "file": work.file,
        "artist": work.artist.slug,
        "styles": list(work.artist.styles),
        "nationalities": list(work.artist.nationalities),
        SEARCHABLE_TEXT: searchable_text(work),
        "payload": json.dumps(to_payload(work)),
        **{name: year for name, year in years.items() if year is not None},
    }


def to_description(build: Build) -> str:
    """Return the description of the build's collection: its manifest as JSON."""
    return json.dumps(dataclasses.asdict(build))


def from_description(text: str | None) -> Build | None:
    """Return the manifest; None if the description is not one, so the collection is not a build."""
    try:
        return parse_json(Build, text or "")
    except ValueError:
        return None


def condition(where: Filter) -> Any:
    """Return the filter as a Weaviate condition; None if every work passes."""
    terms: list[Any] = []
    for name in ("artists", "styles", "nationalities"):
        if values := getattr(where, name):
            terms.append(
                Condition.by_property("artist" if name == "artists" else name).contains_any(list(values))
            )
    terms += [Condition.by_property("artist").not_equal(slug) for slug in where.exclude_artists]
    if where.active_from is not None:
        terms.append(Condition.by_property("life_end").greater_or_equal(_bounded(where.active_from)))
    if where.active_to is not None:
        terms.append(Condition.by_property("life_start").less_or_equal(_bounded(where.active_to)))
    return Condition.all_of(terms) if terms else None


def _bounded(year: int) -> int:
    return max(-(2**31), min(2**31, year))
