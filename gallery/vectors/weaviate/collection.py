"""One build as a Weaviate collection."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np
from weaviate.classes.aggregate import GroupByAggregate
from weaviate.classes.data import DataObject
from weaviate.classes.query import Filter as Condition
from weaviate.classes.query import MetadataQuery, Sort
from weaviate.exceptions import WeaviateInsertManyAllFailedError

from gallery.errors import Corrupted, NotFound, Unavailable
from gallery.models import Artwork, Build, Hit
from gallery.retries import with_jitter
from gallery.vectors.base import Facets, Vector, Vectors, check_query, check_rows, no_rows, parse_work
from gallery.vectors.filters import EVERYTHING, Filter
from gallery.vectors.lexical import tokens
from gallery.vectors.ranking import RankedWork, most_frequent_first
from gallery.vectors.weaviate.connection import Connection
from gallery.vectors.weaviate.ranking import MAX_RESULTS, check_depth, hybrid, nearest
from gallery.vectors.weaviate.schema import (
    SchemaOptions,
    condition,
    from_description,
    properties_of,
    uuid_of,
)

Result = TypeVar("Result")

BATCH_OBJECTS = 500
"""Most objects in one message."""
MESSAGE_BYTES = 8 * 2**20
"""Approximate size of one message. The server accepts 100 MiB, but holds each message in memory."""
PAGE_OBJECTS = 1_000
"""Objects in one page of an iteration over a collection."""
RETRY_PAUSES_S = (0.25, 0.5, 1.0, 2.0)
"""Seconds between attempts of a write, up to half longer."""


class WeaviateCollection:
    """The works of one build as objects; their UUIDs are derived from the works' ids."""

    max_depth = MAX_RESULTS

    def __init__(self, connection: Connection, options: SchemaOptions, build: Build) -> None:
        self.build = build
        self._connection = connection
        self._options = options
        self._name = options.collection(build.name)

    # -- writing

    def upsert(self, works: Sequence[Artwork], vectors: Vectors) -> None:
        rows = check_rows(self.build, [work.id for work in works], vectors)
        if not works:
            return
        # With auto-schema enabled, the server would create a collection for a build that was dropped.
        self._run("writing to", self._check_exists, writing=True)
        last = {work.id: place for place, work in enumerate(works)}  # the last of a repeated id
        for places in _message_parts(works, last.values(), self.build.dim):
            objects = {
                works[place].id: DataObject(
                    uuid=uuid_of(works[place].id),
                    properties=properties_of(works[place]),
                    vector=rows[place].tolist(),
                )
                for place in places
            }
            self._write(objects)

    def delete(self, ids: Sequence[str]) -> None:
        for part in _parts(list(dict.fromkeys(ids)), PAGE_OBJECTS):
            where = Condition.by_id().contains_any([uuid_of(id) for id in part])
            while True:  # one call deletes at most QUERY_MAXIMUM_RESULTS objects
                done = self._run("deleting from", _deletion(where), writing=True)
                if not done.matches:
                    break
                if not done.successful:
                    raise Unavailable(f"build {self.build.name}: could not delete {_some(part)}")

    def _write(self, objects: dict[str, DataObject[Any, Any]]) -> None:
        """Store the objects and check that they are there. Retries: an upsert is safe to repeat."""
        for pause in (*RETRY_PAUSES_S, None):
            try:
                self._insert(objects)
                return
            except Unavailable as error:
                if pause is None:
                    raise Unavailable(
                        f"build {self.build.name}: could not write works {_some(objects)} ({error})"
                    ) from error
                time.sleep(with_jitter(pause))

    def _insert(self, objects: dict[str, DataObject[Any, Any]]) -> None:
        ids = list(objects)

        def insert(collection: Any) -> dict[int, str]:
            try:
                reply = collection.data.insert_many(list(objects.values()))
            except WeaviateInsertManyAllFailedError as error:
                return dict.fromkeys(range(len(ids)), str(error))
            if len(reply.uuids) + len(reply.errors) != len(ids):
                lost = set(range(len(ids))) - set(reply.uuids) - set(reply.errors)
                return dict.fromkeys(lost or range(len(ids)), "not mentioned in the reply")
            return {index: error.message for index, error in reply.errors.items()}

        failed = self._run("writing to", insert, writing=True)
        if failed:
            problem = next(iter(failed.values()))
            named = _some([ids[index] for index in failed])
            # The messages do not tell a lasting problem from a passing one, so both are retried.
            raise Unavailable(f"build {self.build.name}: Weaviate rejected works {named} ({problem})")
        stored = {item.properties["work_id"] for item in self._objects(ids, ["work_id"])}
        if lost := [id for id in ids if id not in stored]:
            raise Unavailable(
                f"build {self.build.name}: Weaviate accepted works {_some(lost)}, but they are not there"
            )

    def _check_exists(self, collection: Any) -> None:
        if from_description(collection.config.get(simple=True).description) is None:
            raise Corrupted(f"collection {self._name} is no longer a build; run `gallery refresh`")

    # -- reading

    def count(self, where: Filter = EVERYTHING) -> int:
        reply = self._run(
            "counting",
            lambda collection: collection.aggregate.over_all(total_count=True, filters=condition(where)),
        )
        return int(reply.total_count)

    def ids(self) -> set[str]:
        return {item["work_id"] for item in self._walk(["work_id"])}

    def get(self, id: str) -> Artwork:
        for item in self._objects([id], ["payload"]):
            return self._work(item.properties)
        raise NotFound(f"no work {id} in build {self.build.name}")

    def vectors(self, ids: Sequence[str]) -> Vectors:
        rows: dict[str, Any] = {}
        for part in _parts(list(dict.fromkeys(ids)), BATCH_OBJECTS):
            for item in self._objects(part, ["work_id"], vectors=True):
                if "default" in item.vector:
                    rows[item.properties["work_id"]] = item.vector["default"]
        if missing := [id for id in ids if id not in rows]:
            raise no_rows(self.build, missing)
        found = np.array([rows[id] for id in ids], dtype=np.float32)
        return found.reshape(len(ids), self.build.dim)

    def works(self, where: Filter = EVERYTHING, limit: int = 100, offset: int = 0) -> list[Artwork]:
        if limit < 1:
            return []
        if limit <= PAGE_OBJECTS and offset + limit <= MAX_RESULTS:
            reply = self._run(
                "listing",
                lambda collection: collection.query.fetch_objects(
                    filters=condition(where),
                    sort=Sort.by_property("file").by_property("work_id"),
                    limit=limit,
                    offset=offset,
                    return_properties=["payload"],
                ),
            )
            return [self._work(item.properties) for item in reply.objects]
        works = sorted(self._passing(where), key=lambda work: (work.file, work.id))
        return works[offset : offset + limit]

    def facets(self, where: Filter = EVERYTHING) -> Facets:
        total = self.count(where)
        groups = {name: self._groups(name, where) for name in ("artist", "styles", "nationalities")}
        # The server silently drops groups beyond its limit. Each work has one artist, so artists must add up.
        if sum(groups["artist"].values()) != total or any(
            len(group) >= MAX_RESULTS for group in groups.values()
        ):
            groups = self._counted(where)
        return Facets(
            most_frequent_first(groups["artist"]),
            most_frequent_first(groups["styles"]),
            most_frequent_first(groups["nationalities"]),
        )

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
        query = check_query(self.build, vector, fingerprint, k, offset, per_artist)
        check_depth(offset + k)
        if words := tokens(text):
            found = hybrid(self._run_search, query, words, offset + k, where, per_artist)
            return self._hybrid_hits(found[offset:], query)
        return self._hits(nearest(self._run_search, query, offset + k, where, per_artist)[offset:])

    # -- helpers

    def _run(self, doing: str, function: Callable[[Any], Result], *, writing: bool = False) -> Result:
        def call(client: Any) -> Result:
            collection = client.collections.use(self._name)
            if self._options.consistency is not None:
                collection = collection.with_consistency_level(self._options.consistency)
            return function(collection)

        try:
            return self._connection.call(f"{doing} build {self.build.name}", call, writing=writing)
        except NotFound as error:
            raise Corrupted(
                f"build {self.build.name} is gone from Weaviate ({error}); "
                "run `gallery refresh` to rebuild it or `gallery rollback` to return to another build"
            ) from error

    def _run_search(self, function: Callable[[Any], Any]) -> Any:
        return self._run("searching", function)

    def _work(self, properties: Any) -> Artwork:
        return parse_work(self.build, properties["payload"])

    def _objects(self, ids: Sequence[str], properties: list[str], *, vectors: bool = False) -> list[Any]:
        """Return the objects of the works that exist, in no particular order."""
        if not ids:
            return []
        reply = self._run(
            "reading from",
            lambda collection: collection.query.fetch_objects(
                filters=Condition.by_id().contains_any([uuid_of(id) for id in ids]),
                limit=len(ids),
                return_properties=properties,
                include_vector=vectors,
            ),
        )
        return list(reply.objects)

    def _hits(self, found: Sequence[RankedWork]) -> list[Hit]:
        works: dict[str, Artwork] = {}
        for part in _parts([ranked.id for ranked in found], BATCH_OBJECTS):
            for item in self._objects(part, ["payload"]):
                work = self._work(item.properties)
                works[work.id] = work
        return [Hit(works[ranked.id], ranked.score) for ranked in found if ranked.id in works]

    def _hybrid_hits(self, found: Sequence[RankedWork], query: Vector) -> list[Hit]:
        """Return the works in order, scored by cosine similarity, which hybrid replies do not contain."""
        hits: dict[str, Hit] = {}
        for part in _parts([ranked.id for ranked in found], BATCH_OBJECTS):
            reply = self._run_search(_nearest_among(part, query))
            for item in reply.objects:
                work = self._work(item.properties)
                hits[work.id] = Hit(work, round(1.0 - item.metadata.distance, 6))
        return [hits[ranked.id] for ranked in found if ranked.id in hits]

    def _walk(self, properties: list[str]) -> list[dict[str, Any]]:
        """Return these properties of every object, read with a cursor, which has no depth limit."""
        return self._run(
            "iterating over",
            lambda collection: [
                item.properties
                for item in collection.iterator(return_properties=properties, cache_size=PAGE_OBJECTS)
            ],
        )

    def _passing(self, where: Filter) -> Iterator[Artwork]:
        for item in self._walk(["payload"]):
            work = self._work(item)
            if where.matches(work.artist):
                yield work

    def _groups(self, name: str, where: Filter) -> Counter[str]:
        reply = self._run(
            "counting",
            lambda collection: collection.aggregate.over_all(
                group_by=GroupByAggregate(prop=name, limit=MAX_RESULTS), filters=condition(where)
            ),
        )
        return Counter({str(group.grouped_by.value): int(group.total_count) for group in reply.groups})

    def _counted(self, where: Filter) -> dict[str, Counter[str]]:
        """Count the groups on this side, one work at a time."""
        groups: dict[str, Counter[str]] = {name: Counter() for name in ("artist", "styles", "nationalities")}
        for work in self._passing(where):
            groups["artist"][work.artist.slug] += 1
            groups["styles"].update(set(work.artist.styles))
            groups["nationalities"].update(set(work.artist.nationalities))
        return groups


def _deletion(where: Any) -> Callable[[Any], Any]:
    return lambda collection: collection.data.delete_many(where=where)


def _nearest_among(ids: Sequence[str], query: Vector) -> Callable[[Any], Any]:
    return lambda collection: collection.query.near_vector(
        near_vector=query.tolist(),
        limit=len(ids),
        filters=Condition.by_id().contains_any([uuid_of(id) for id in ids]),
        return_properties=["payload"],
        return_metadata=MetadataQuery(distance=True),
    )


def _message_parts(works: Sequence[Artwork], places: Iterable[int], dim: int) -> Iterator[list[int]]:
    """Split the places into parts that each fit one message."""
    part: list[int] = []
    size = 0
    for place in places:
        bio = works[place].artist.bio
        more = 4 * dim + 2_000 + 6 * len(bio)  # a character takes at most six bytes, as \uXXXX
        if part and (len(part) == BATCH_OBJECTS or size + more > MESSAGE_BYTES):
            yield part
            part, size = [], 0
        part.append(place)
        size += more
    if part:
        yield part


def _parts(ids: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), size):
        yield ids[start : start + size]


def _some(ids: Iterable[str]) -> str:
    named = list(ids)
    return ", ".join(named[:5]) + (f" and {len(named) - 5} more" if len(named) > 5 else "")
