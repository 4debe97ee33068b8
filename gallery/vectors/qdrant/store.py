"""Builds as Qdrant collections, and an alias for the live one."""

from __future__ import annotations

import dataclasses
import re
from importlib.metadata import version
from typing import Any

from qdrant_client import QdrantClient, models

from gallery.errors import Corrupted, Invalid, NotFound
from gallery.models import Build
from gallery.stored_json import check_fields
from gallery.vectors.base import BUILD_NAME, check_name
from gallery.vectors.qdrant.client import ClientProvider
from gallery.vectors.qdrant.collection import QdrantCollection
from gallery.vectors.qdrant.points import IMAGE, INDEXES, WORDS

MIN_VERSION = (1, 16)
"""First server version that stores a collection's metadata."""
INT8 = models.ScalarQuantization(
    scalar=models.ScalarQuantizationConfig(type=models.ScalarType.INT8, always_ram=True)
)


class QdrantStore:
    """Builds as collections of a Qdrant server, or of a local folder, which the first build creates.

    These apply to new collections: `shards` is their number of shards (None leaves it to the server),
    `replication` the number of copies; `quantized` keeps int8 vectors in memory beside the exact ones.
    """

    def __init__(
        self,
        provider: ClientProvider,
        base: str = "artwork",
        *,
        shards: int | None = None,
        replication: int = 1,
        quantized: bool = False,
    ) -> None:
        self.address = provider.address
        self._provider = provider
        self._base = base
        self._shards, self._replication, self._quantized = shards, replication, quantized

    def version(self) -> str:
        if self._provider.local:
            return f"Qdrant's client {version('qdrant-client')}, without a server"
        with self._provider.client("asking for the version") as client:
            return f"Qdrant {client.info().version}"

    def create(self, build: Build) -> QdrantCollection:
        check_name(build.name)
        collection = self._name(build.name)
        build = dataclasses.replace(build, ready=False)
        with self._provider.client(f"creating build {build.name}") as client:
            if not self._provider.local:
                self._check_version(client)
            if client.collection_exists(collection):
                raise Invalid(f"collection {collection} already exists in {self.address}")
            self.live()  # fails if the alias's name is taken: better now than when the build is published
            client.create_collection(
                collection,
                vectors_config={IMAGE: models.VectorParams(size=build.dim, distance=models.Distance.COSINE)},
                sparse_vectors_config={WORDS: models.SparseVectorParams(modifier=models.Modifier.IDF)},
                metadata={"base": self._base, **dataclasses.asdict(build)},
                shard_number=self._shards,
                replication_factor=self._replication,
                # A write succeeds once every copy has it, so any copy can answer a read.
                write_consistency_factor=self._replication,
                quantization_config=INT8 if self._quantized else None,
            )
            for field, kind in {} if self._provider.local else INDEXES.items():
                client.create_payload_index(collection, field, kind, wait=True)
        return QdrantCollection(self._provider, collection, build)

    def open(self, name: str) -> QdrantCollection:
        collection = self._name(name)
        build = self._read(collection)
        if build is None or build.name != name:
            if self._exists(collection):
                raise Corrupted(
                    f"collection {collection} in {self.address} is not a readable build of this gallery; "
                    "remove it if nothing else uses it; `gallery refresh` makes another"
                )
            raise NotFound(f"no build {name} in {self.address}")
        return QdrantCollection(self._provider, collection, build)

    def builds(self) -> list[Build]:
        if not self._provider.exists():
            return []
        with self._provider.client("listing builds") as client:
            names = [collection.name for collection in client.get_collections().collections]
        found = [self._read(name) for name in names if name.startswith(f"{self._base}_")]
        builds = [build for build in found if build is not None]
        return sorted(builds, key=lambda build: (build.created_at, build.name), reverse=True)

    def seal(self, name: str) -> Build:
        build = self.open(name).build
        with self._provider.client(f"sealing build {name}") as client:
            client.update_collection(self._name(name), metadata={"ready": True})
        return dataclasses.replace(build, ready=True)

    def live(self) -> Build | None:
        if not self._provider.exists():
            return None
        try:
            with self._provider.client("reading the live build") as client:
                metadata = client.get_collection(self._base).config.metadata
        except NotFound:
            return None
        build = self._build(metadata)
        if build is None:
            raise Invalid(
                f"{self._base} in {self.address} is not the alias of a build of this gallery; remove it, or "
                "choose another name in GALLERY_VECTORS with ?collection=…"
            )
        return build

    def publish(self, name: str) -> None:
        if not self.open(name).build.ready:
            raise Invalid(f"build {name} is not ready, so it cannot be published")
        live = models.CreateAlias(collection_name=self._name(name), alias_name=self._base)
        with self._provider.client(f"publishing build {name}") as client:
            # One request is atomic, so no search finds the alias missing.
            client.update_collection_aliases(
                [
                    models.DeleteAliasOperation(delete_alias=models.DeleteAlias(alias_name=self._base)),
                    models.CreateAliasOperation(create_alias=live),
                ]
            )

    def drop(self, name: str) -> None:
        try:
            self.open(name)  # makes sure that the collection is a build
        except (NotFound, Corrupted):
            return
        live = self.live()
        if live is not None and live.name == name:
            raise Invalid(f"build {name} is live; publish another one before dropping it")
        with self._provider.client(f"dropping build {name}") as client:
            client.delete_collection(self._name(name))

    def close(self) -> None:
        """Close the connections, or release the folder for another process; the next use opens again."""
        self._provider.close()

    def _name(self, build: str) -> str:
        if not BUILD_NAME.fullmatch(build):
            raise NotFound(f"no build {build!r} in {self.address}")
        return f"{self._base}_{build}"

    def _exists(self, collection: str) -> bool:
        if not self._provider.exists():
            return False
        with self._provider.client(f"looking for collection {collection}") as client:
            return client.collection_exists(collection)

    def _read(self, collection: str) -> Build | None:
        """Return the collection's build; None if it does not exist or is not a build of this gallery."""
        if not self._provider.exists():
            return None
        try:
            with self._provider.client(f"reading collection {collection}") as client:
                return self._build(client.get_collection(collection).config.metadata)
        except NotFound:
            return None

    def _build(self, metadata: dict[str, Any] | None) -> Build | None:
        if not metadata or metadata.get("base") != self._base:
            return None
        try:
            return check_fields(Build, metadata)
        except ValueError:
            return None

    def _check_version(self, client: QdrantClient) -> None:
        version = client.info().version
        numbers = re.match(r"(\d+)\.(\d+)", version)
        if numbers and (int(numbers[1]), int(numbers[2])) < MIN_VERSION:
            raise Invalid(
                f"{self.address} is Qdrant {version}, which does not store collection metadata; "
                f"use {'.'.join(map(str, MIN_VERSION))} or newer"
            )
