"""The vector store protocol: builds of the collection, one of them live, searched by cosine similarity."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gallery.addresses import Option, Registry, Scheme
from gallery.errors import Corrupted, Invalid, NotFound
from gallery.models import Artwork, Build, Hit
from gallery.stored_json import parse_json
from gallery.vectors.filters import EVERYTHING, Filter

Vector = NDArray[np.float32]
"""float32 [dim], unit length."""
Vectors = NDArray[np.float32]
"""float32 [n, dim], rows of unit length."""

MAX_NAME_LENGTH = 100
BUILD_NAME = re.compile(rf"[a-z0-9_]{{1,{MAX_NAME_LENGTH}}}")
"""Names that every store accepts. Weaviate's class names have no hyphens and ignore case; a Lance build is a
file, and some file systems ignore case."""
REPLACEMENT = re.compile(r"_\d+$")


@dataclass(frozen=True)
class Facets:
    """Number of works per value, most frequent first, ties by value.

    Artists are counted by slug. A work with two styles counts under both.
    """

    artists: Mapping[str, int]
    styles: Mapping[str, int]
    nationalities: Mapping[str, int]


class Collection(Protocol):
    """The works of one build and their vectors.

    Scores are cosine similarities, higher is more similar. A vector search orders hits by score, ties by id.
    A write is visible to reads once the call returns; a failed write raises and names the ids. Thread-safe.
    """

    build: Build
    max_depth: int | None
    """Largest offset + k of a search; None if there is no limit."""

    def upsert(self, works: Sequence[Artwork], vectors: Vectors) -> None:
        """Store works with their vectors, float32 [works, dim], replacing works of the same id.

        Raises Invalid if vectors have the wrong shape, are not finite or not of unit length; Unavailable.
        """

    def delete(self, ids: Sequence[str]) -> None:
        """Remove works; unknown ids are ignored."""

    def count(self, where: Filter = EVERYTHING) -> int:
        """Return the number of works that pass the filter."""

    def ids(self) -> set[str]:
        """Return the id of every work."""

    def get(self, id: str) -> Artwork:
        """Return the work. Raises NotFound."""

    def vectors(self, ids: Sequence[str]) -> Vectors:
        """Return the works' vectors, float32 [ids, dim], in the order of the ids.

        Raises NotFound, naming the missing ids.
        """

    def works(self, where: Filter = EVERYTHING, limit: int = 100, offset: int = 0) -> list[Artwork]:
        """Return at most `limit` works that pass the filter, after the first `offset`, by file, then id."""

    def facets(self, where: Filter = EVERYTHING) -> Facets:
        """Count the works that pass the filter by value; values without works are left out."""

    def search(
        self,
        vector: Vector,
        k: int,
        *,
        fingerprint: str,
        text: str = "",
        where: Filter = EVERYTHING,
        offset: int = 0,
        per_artist: int | None = None,
    ) -> list[Hit]:
        """Return the k works nearest to the vector, after the first `offset`; fewer if fewer pass the filter.

        `vector` is float32 [dim], of any length above zero; `fingerprint` identifies its encoder.

        With `text` the search is hybrid: works are ordered by reciprocal rank fusion of the vector ranking
        and a full-text ranking (BM25) of `gallery.vectors.lexical.searchable_text`. Scores remain cosine
        similarities, so they need not decrease in a hybrid list. A text that matches nothing does not change
        the order.

        With `per_artist` only the first `per_artist` works of each artist are returned. Raises Invalid if the
        vector has the wrong shape or comes from another encoder than the build's, or if k, offset or
        per_artist is too small.
        """


class VectorStore(Protocol):
    """The builds of the collection by name, one of them live. Reading creates nothing."""

    address: str

    def version(self) -> str:
        """Return the store's software and version, such as "Weaviate 1.40.4". Raises Invalid, Unavailable."""

    def create(self, build: Build) -> Collection:
        """Create an empty build, not ready. Raises Invalid if its name is taken or not a BUILD_NAME."""

    def open(self, name: str) -> Collection:
        """Return the build of that name, ready or not.

        Raises NotFound, or Corrupted if what has this name is not a readable build.
        """

    def builds(self) -> list[Build]:
        """Return every build, newest first."""

    def seal(self, name: str) -> Build:
        """Build the indexes and mark the build ready: it will not be written again. Raises NotFound."""

    def live(self) -> Build | None:
        """Return the build that searches use; None before the first is published.

        Raises Corrupted if it is gone or unreadable; Unavailable.
        """

    def publish(self, name: str) -> None:
        """Make the build the live one, atomically. Raises NotFound, or Invalid if it is not ready.

        It does not check which build was live before, since neither Weaviate nor Qdrant can move an alias on
        a condition. Callers hold `pipelines.lock.publication`.
        """

    def drop(self, name: str) -> None:
        """Remove the build; an unknown name is ignored. Raises Invalid if the build is live."""


_TIMEOUT = "Seconds that one query may take."
_COLLECTION = "Name of the alias; every collection's name starts with it."
_WEAVIATE_NAME = (
    "[A-Z][A-Za-z0-9]{0,49}",
    "a capital letter followed by letters and digits, at most 50 characters",
)
"""Without underscores, so that a collection belongs to one prefix only."""
_QDRANT_NAME = ("[A-Za-z0-9_-]{1,100}", "letters, digits, - and _, at most 100 characters")
_WEAVIATE_OPTIONS = (
    Option("grpc", "Port, or host:port, of the gRPC endpoint.", "50051"),
    Option("collection", _COLLECTION, "Artwork", form=_WEAVIATE_NAME),
    Option(
        "quantization",
        "rq8 keeps one byte per float in memory and rescores the nearest.",
        "rq8",
        None,
        ("rq8", "none"),
    ),
    Option("replication", "Copies of each build; the server's default when not set.", None, (1, 16)),
    Option("shards", "Shards of each build; the server's default when not set.", None, (1, 1024)),
    Option("consistency", "Copies that must confirm a read or write.", None, None, ("ONE", "QUORUM", "ALL")),
    Option("timeout", _TIMEOUT, 5, (1, 600)),
)
_QDRANT_OPTIONS = (
    Option("collection", _COLLECTION, "artwork", form=_QDRANT_NAME),
    Option("grpc", "Port of the gRPC endpoint; REST only when not set.", None, (1, 65_535)),
    Option("quantization", "int8 keeps one byte per float in memory.", "none", None, ("int8", "none")),
    Option("replication", "Copies of each build.", 1, (1, 100)),
    Option("shards", "Shards of each build; the server's default when not set.", None, (1, 1_000)),
    Option("timeout", _TIMEOUT, 30, (1, 600)),
)
_WEAVIATE = ("gallery.vectors.weaviate:open_weaviate", _WEAVIATE_OPTIONS, "weaviate")
_QDRANT = ("gallery.vectors.qdrant:open_qdrant", _QDRANT_OPTIONS, "qdrant")
_HOST = r"(\[[^/\]]+\]|[^/:\[\]]+)(:\d{1,5})?/?"
VECTORS: Registry[VectorStore] = Registry(
    "vector store",
    "GALLERY_VECTORS",
    {
        "lance": Scheme("gallery.vectors.lance:open_lance", "lance:///folder", location=".+"),
        "weaviate": Scheme(_WEAVIATE[0], "weaviate://host:8080", *_WEAVIATE[1:], _HOST),
        "weaviates": Scheme(_WEAVIATE[0], "weaviates://host (TLS)", *_WEAVIATE[1:], _HOST),
        "qdrant": Scheme(_QDRANT[0], "qdrant://host:6333, or qdrant:///folder", *_QDRANT[1:], f"{_HOST}|/.+"),
        "qdrants": Scheme(_QDRANT[0], "qdrants://host (TLS)", *_QDRANT[1:], _HOST),
        "memory": Scheme("gallery.vectors.memory:open_memory", "memory://name"),
    },
)
"""Factories take `(address, *, api_key: str | None)`; `Services` passes a key for reading or for writing."""


def check_name(name: str) -> None:
    """Raise Invalid if no store may have a build of this name."""
    if not BUILD_NAME.fullmatch(name):
        raise Invalid(
            f"{name!r} cannot name a build: use lower-case letters, digits and _, at most {MAX_NAME_LENGTH}"
        )


def replacement_name(name: str, number: int) -> str:
    """Return the name of the build that replaces build `name`; replacements are numbered from 1."""
    return f"{name}_{number}"


def original_name(name: str) -> str:
    """Return the name of the build that a replacement replaces; other names are returned unchanged."""
    return REPLACEMENT.sub("", name)


def check_rows(build: Build, ids: Sequence[str], vectors: Vectors) -> Vectors:
    """Return the vectors as float32 [ids, dim].

    Raises Invalid if they have the wrong shape, or if any is not of unit length (the message names its id).
    """
    rows = np.asarray(vectors, dtype=np.float32)
    if rows.shape != (len(ids), build.dim):
        raise Invalid(
            f"build {build.name} takes one vector of {build.dim} floats per work; "
            f"got shape {rows.shape} for {len(ids)} works"
        )
    lengths = np.linalg.norm(rows, axis=1)
    # `not <` rather than `>=`, so that NaN is rejected too.
    bad = [id for id, length in zip(ids, lengths, strict=True) if not abs(length - 1.0) < 1e-3]
    if bad:
        raise Invalid(
            f"build {build.name}: vectors must be finite and of unit length; wrong for {', '.join(bad[:5])}"
        )
    return rows


def check_query(
    build: Build, vector: Vector, fingerprint: str, k: int, offset: int = 0, per_artist: int | None = None
) -> Vector:
    """Return the query as float32 [dim] of unit length.

    Raises Invalid if its encoder or shape is not the build's, or if k, offset or per_artist is too small.
    """
    if fingerprint != build.fingerprint:
        raise Invalid(
            f"build {build.name} was made by encoder {build.fingerprint}, this query by {fingerprint}"
        )
    query = np.asarray(vector, dtype=np.float32)
    length = float(np.linalg.norm(query))
    if query.shape != (build.dim,) or not np.isfinite(length) or length == 0.0:
        raise Invalid(
            f"build {build.name} takes finite, non-zero queries of {build.dim} floats, not {query.shape}"
        )
    if k < 1:
        raise Invalid(f"k must be at least 1, not {k}")
    if offset < 0:
        raise Invalid(f"offset must be at least 0, not {offset}")
    if per_artist is not None and per_artist < 1:
        raise Invalid(f"per_artist must be at least 1, not {per_artist}")
    return query / np.float32(length)


def parse_work(build: Build, payload: str | None) -> Artwork:
    """Return the work that was stored as JSON of `to_payload`. Raises Corrupted if it is not one."""
    try:
        return parse_json(Artwork, payload or "")
    except ValueError as error:
        raise Corrupted(
            f"a work of build {build.name} cannot be read ({error}); run `gallery refresh` to rebuild it"
        ) from error


def no_rows(build: Build, missing: Sequence[str]) -> NotFound:
    """Return the error that names the ids that the build does not have."""
    named = ", ".join(list(missing)[:5]) + (f" and {len(missing) - 5} more" if len(missing) > 5 else "")
    return NotFound(f"build {build.name} has no work {named}")
