"""Builds as Weaviate collections that share a prefix, and an alias for the live one."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from weaviate.classes.config import ConsistencyLevel

from gallery.addresses import Address
from gallery.errors import Corrupted, Invalid, NotFound, Unavailable
from gallery.models import Build
from gallery.vectors.base import BUILD_NAME, check_name
from gallery.vectors.weaviate.collection import WeaviateCollection
from gallery.vectors.weaviate.connection import Connection, Endpoint
from gallery.vectors.weaviate.schema import SchemaOptions, from_description, to_description

logger = logging.getLogger(__name__)


class WeaviateStore:
    """The builds of one prefix. Connects on first use. Thread-safe."""

    def __init__(self, address: str, connection: Connection, options: SchemaOptions) -> None:
        self.address = address
        self._connection = connection
        self._options = options
        self._opened: dict[str, WeaviateCollection] = {}

    def version(self) -> str:
        meta = self._call("asking for the version", lambda client: client.get_meta())
        return f"Weaviate {meta['version']}"

    def create(self, build: Build) -> WeaviateCollection:
        check_name(build.name)
        build = dataclasses.replace(build, ready=False)
        configuration = self._options.configuration(build)
        if self._exists(configuration["name"]):
            raise Invalid(f"build {build.name} already exists in {self.address}")
        tried = False

        def make(client: Any) -> None:
            nonlocal tried
            # It did not exist before: if it does after the first try, only the reply was lost.
            if not (tried and client.collections.exists(configuration["name"])):
                tried = True
                client.collections.create(**configuration)

        self._call(f"creating build {build.name}", make, writing=True)
        self._opened.pop(build.name, None)
        return WeaviateCollection(self._connection, self._options, build)

    def open(self, name: str) -> WeaviateCollection:
        opened = self._opened.get(name)
        return opened if opened is not None else self._collection(self._read(name))

    def builds(self) -> list[Build]:
        found = self._call("listing builds", lambda client: client.collections.list_all(simple=True))
        builds = []
        for name, config in found.items():
            if not name.startswith(f"{self._options.prefix}_"):
                continue
            build = from_description(config.description)
            if build is None:
                logger.warning(
                    "%s: ignoring collection %s, which is not a build of this gallery",
                    self.address,
                    name,
                )
            else:
                builds.append(build)
        return sorted(builds, key=lambda build: (build.created_at, build.name), reverse=True)

    def seal(self, name: str) -> Build:
        build = dataclasses.replace(self._read(name), ready=True)
        collection = self._options.collection(name)
        self._call(
            f"sealing build {name}",
            lambda client: client.collections.use(collection).config.update(
                description=to_description(build)
            ),
            writing=True,
        )
        if not self._read(name).ready:  # a proxy may have answered instead of the server
            raise Unavailable(
                f"Weaviate at {self._connection.endpoint} confirmed sealing build {name}, "
                "but it is not sealed; try again"
            )
        return build

    def live(self) -> Build | None:
        """Return the live build with one REST call, in which the server resolves the alias."""
        build = self._manifest(self._options.prefix)
        if build is None:
            target = self._target()
            if target is None:
                return None
            build = self._manifest(target)
        if build is None:
            raise Corrupted(
                f"{self.address}: the alias {self._options.prefix} points to {target}, which is gone; "
                "run `gallery refresh` to build another or `gallery rollback` to return to an existing one"
            )
        self._collection(build)
        return build

    def publish(self, name: str) -> None:
        if not self._read(name).ready:
            raise Invalid(f"build {name} is not ready, so it cannot be published")
        alias, target = self._options.prefix, self._options.collection(name)

        def point(client: Any) -> None:
            if not client.alias.update(alias_name=alias, new_target_collection=target):
                if client.collections.exists(alias):
                    raise Invalid(
                        f"{self.address} has a collection called {alias}, so it cannot have an alias of that "
                        "name; remove the collection, or choose another name with ?collection="
                    )
                client.alias.create(alias_name=alias, target_collection=target)

        self._call(f"publishing build {name}", point, writing=True)
        now = self._target()
        if now is None or now.lower() != target.lower():
            raise Unavailable(
                f"Weaviate at {self._connection.endpoint} confirmed publishing build {name}, "
                f"but {now or 'none'} is live; try again"
            )

    def drop(self, name: str) -> None:
        if not BUILD_NAME.fullmatch(name):
            return
        collection = self._options.collection(name)
        target = self._target()
        if target is not None and target.lower() == collection.lower():
            raise Invalid(f"build {name} is live; publish another one before dropping it")
        self._opened.pop(name, None)
        if not self._exists(collection):
            return
        if self._manifest(collection) is None:
            raise Invalid(
                f"{self.address}: collection {collection} is not a build of this gallery; not dropped"
            )
        self._call(
            f"dropping build {name}", lambda client: client.collections.delete(collection), writing=True
        )
        if self._exists(collection):
            raise Unavailable(
                f"Weaviate at {self._connection.endpoint} confirmed dropping build {name}, "
                "but it still exists; try again"
            )

    def close(self) -> None:
        """Close the connection, also done when the process ends; the next call opens another."""
        self._connection.close()

    def _call(self, doing: str, function: Callable[[Any], Any], *, writing: bool = False) -> Any:
        return self._connection.call(doing, function, writing=writing)

    def _exists(self, collection: str) -> bool:
        return bool(
            self._call(f"looking for {collection}", lambda client: client.collections.exists(collection))
        )

    def _manifest(self, collection: str) -> Build | None:
        """Return the manifest of the collection with that name or alias; None if there is none."""
        try:
            config = self._call(
                f"reading the manifest of {collection}",
                lambda client: client.collections.use(collection).config.get(simple=True),
            )
        except NotFound:
            return None
        return from_description(config.description)

    def _read(self, name: str) -> Build:
        build = self._manifest(self._options.collection(name))
        if build is None or build.name != name:
            if self._exists(self._options.collection(name)):
                raise Corrupted(
                    f"{self.address}: collection {self._options.collection(name)} is not a readable build; "
                    "remove it; `gallery refresh` makes another"
                )
            raise NotFound(f"no build {name} in {self.address}")
        return build

    def _target(self) -> str | None:
        """Return the name of the alias's collection, even if it is gone; None if there is no alias."""
        alias = self._options.prefix
        found = self._call(f"reading the alias {alias}", lambda client: client.alias.get(alias_name=alias))
        return str(found.collection) if found else None

    def _collection(self, build: Build) -> WeaviateCollection:
        """Return the build's collection, from the cache if the build is ready and so no longer changes."""
        opened = self._opened.get(build.name)
        if opened is None or opened.build != build:
            opened = WeaviateCollection(self._connection, self._options, build)
            if build.ready:
                self._opened[build.name] = opened
        return opened


def open_weaviate(address: Address, *, api_key: str | None) -> WeaviateStore:
    """Return the store at ``weaviate://host:8080``, or ``weaviates://host`` for TLS. Connects on first use.

    `quantization`, `replication` and `shards` apply to new builds only. Raises Invalid for a wrong address.
    """
    options = SchemaOptions(
        prefix=address.string("collection") or "",
        quantization=address.string("quantization") or "",
        replication=address.integer("replication"),
        shards=address.integer("shards"),
        consistency=_consistency(address),
    )
    timeout_s = address.integer("timeout") or 0
    return WeaviateStore(address.text, Connection(_endpoint(address), api_key, timeout_s), options)


def _endpoint(address: Address) -> Endpoint:
    secure = address.scheme == "weaviates"
    host, port = _host_and_port(address, f"//{address.location}", 443 if secure else 8080)
    given = address.string("grpc") or ""
    if given.isdecimal():
        given = f"{host}:{given}"
    grpc_host, grpc_port = _host_and_port(address, f"//{given}", None)
    if (host, port) == (grpc_host, grpc_port):
        raise Invalid(f"{address.text}: REST and gRPC cannot share a port; set another with ?grpc=")
    return Endpoint(host, port, grpc_host, grpc_port, secure)


def _host_and_port(address: Address, given: str, default: int | None) -> tuple[str, int]:
    problem = f"{address.text}: write {address.scheme}://host:port?grpc=port"
    try:
        parts = urlsplit(given)
        host, port = parts.hostname, parts.port or default
    except ValueError as error:
        raise Invalid(f"{problem} ({error})") from error
    if not host or not port or parts.path not in ("", "/") or parts.query:
        raise Invalid(problem)
    return (f"[{host}]" if ":" in host else host), port


def _consistency(address: Address) -> ConsistencyLevel | None:
    given = address.string("consistency")
    return ConsistencyLevel(given) if given else None
