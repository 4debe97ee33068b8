"""How builds, works and filters look in Weaviate."""

from __future__ import annotations

import dataclasses
import json
import re
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
from gallery.vectors.base import BUILD_NAME
from gallery.vectors.filters import Filter, life
from gallery.vectors.lexical import searchable_text

PREFIX = re.compile(r"[A-Z][A-Za-z0-9]{0,49}")
"""Without underscores, so that no name is a build of two prefixes."""


@dataclass(frozen=True)
class Layout:
    """What the address says of new collections, and how sure reads and writes must be."""

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
        """The arguments that create the build's collection."""
        quantizers = Configure.VectorIndex.Quantizer
        return {
            "name": self.collection(build.name),
            "description": to_description(build),
            "properties": PROPERTIES,
            "vector_config": Configure.Vectors.self_provided(
                vector_index_config=Configure.VectorIndex.hnsw(distance_metric=VectorDistances.COSINE),
                quantizer=quantizers.rq(bits=8) if self.quantization == "rq8" else quantizers.none(),
            ),
            # `gallery.vectors.lexical` has left out what says nothing; the server's list would take more.
            "inverted_index_config": Configure.inverted_index(stopwords_preset=StopwordsPreset.NONE),
            "replication_config": Configure.replication(factor=self.replication)
            if self.replication
            else None,
            "sharding_config": Configure.sharding(desired_count=self.shards) if self.shards else None,
        }


def _exact(name: str, kind: DataType = DataType.TEXT) -> Property:
    """A property compared as a whole: other tokenizations find "test" in "test_domain"."""
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
        name="words",
        data_type=DataType.TEXT,
        tokenization=Tokenization.WORD,
        index_filterable=False,
        index_searchable=True,
    ),
    Property(name="payload", data_type=DataType.TEXT, index_filterable=False, index_searchable=False),
]


def uuid_of(id: str) -> str:
    """The object's id. One mapping for all ids, since they need not be UUIDs, and those that are have spellings."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"artwork:{id}"))


def properties_of(work: Artwork) -> dict[str, Any]:
    """The work's properties; absent years are left out."""
    start, end = life(work.artist)
    years = {"life_start": start, "life_end": end}
    return {
        "work_id": work.id,
        "file": work.file,
        "artist": work.artist.slug,
        "styles": list(work.artist.styles),
        "nationalities": list(work.artist.nationalities),
        "words": searchable_text(work),
        "payload": json.dumps(to_payload(work)),
        **{name: year for name, year in years.items() if year is not None},
    }


def to_description(build: Build) -> str:
    """The manifest as the description of the build's collection."""
    return json.dumps(dataclasses.asdict(build))


def from_description(text: str | None) -> Build | None:
    """The manifest; None where the description is not one, so that the collection is somebody else's."""
    try:
        return Build(**json.loads(text or ""))
    except (ValueError, TypeError):
        return None


def condition(where: Filter) -> Any:
    """The filter as Weaviate's; None for the one that lets all through."""
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
