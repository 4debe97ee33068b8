"""One build as a Weaviate collection."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np
from weaviate.classes.aggregate import GroupByAggregate
from weaviate.classes.data import DataObject
from weaviate.classes.query import Filter as Condition
from weaviate.classes.query import Sort
from weaviate.exceptions import WeaviateInsertManyAllFailedError

from gallery.errors import Invalid, NotFound, Unavailable
from gallery.models import Artwork, Build, Hit, from_payload
from gallery.vectors.base import Facets, Vector, Vectors, check_query, check_rows
from gallery.vectors.filters import EVERYTHING, Filter
from gallery.vectors.lexical import tokens
from gallery.vectors.weaviate.connection import Connection
from gallery.vectors.weaviate.ranking import (
    DEEPEST,
    Found,
    by_nearness,
    by_nearness_and_words,
    check_depth,
)
from gallery.vectors.weaviate.schema import Layout, condition, from_description, properties_of, uuid_of

Result = TypeVar("Result")

MANY = 500
"""Objects in one message, at most."""
MESSAGE = 8 * 2**20
"""Bytes in one message, about. The server takes 100 MiB, and holds each message in memory as a whole."""
PAGE = 1_000
"""Objects in one page of a walk through all."""
PAUSES_S = (0.25, 0.5, 1.0, 2.0)
"""Seconds between the tries of a write."""

_PERMANENT = re.compile(r"length|no such prop|invalid", re.I)


class WeaviateCollection:
    """The works of one build as objects, found under ids made of ours."""

    def __init__(self, connection: Connection, layout: Layout, build: Build) -> None:
        self.build = build
        self._connection = connection
        self._layout = layout
        self._name = layout.collection(build.name)

    # -- writing

    def upsert(self, works: Sequence[Artwork], vectors: Vectors) -> None:
        rows = check_rows(self.build, [work.id for work in works], vectors)
        if not works:
            return
        # A server that makes collections up as objects arrive would make one for a build that was dropped.
        self._run("writing to", self._check_exists, writing=True)
        last = {work.id: place for place, work in enumerate(works)}  # the last of a repeated id counts
        for places in _messages(works, last.values(), self.build.dim):
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
        for part in _parts(list(dict.fromkeys(ids)), PAGE):
            where = Condition.by_id().contains_any([uuid_of(id) for id in part])
            while True:  # a call deletes at most QUERY_MAXIMUM_RESULTS, which may be less than were sent
                done = self._run("deleting from", _deletion(where), writing=True)
                if not done.matches:
                    break
                if not done.successful:
                    raise Unavailable(f"build {self.build.name}: could not delete {_some(part)}")

    def _write(self, objects: dict[str, DataObject[Any, Any]]) -> None:
        """Store the objects and see that they are there. Repeats itself: an upsert can only be done again."""
        for pause in (*PAUSES_S, None):
            try:
                self._insert(objects)
                return
            except Unavailable as error:
                if pause is None:
                    raise Unavailable(
                        f"build {self.build.name}: could not write works {_some(objects)} ({error})"
                    ) from error
                time.sleep(pause)

    def _insert(self, objects: dict[str, DataObject[Any, Any]]) -> None:
        ids = list(objects)

        def insert(held: Any) -> dict[int, str]:
            try:
                reply = held.data.insert_many(list(objects.values()))
            except WeaviateInsertManyAllFailedError as error:
                return dict.fromkeys(range(len(ids)), str(error))
            if len(reply.uuids) + len(reply.errors) != len(ids):
                lost = set(range(len(ids))) - set(reply.uuids) - set(reply.errors)
                return dict.fromkeys(lost, "the answer does not mention it") | {0: "the answer is short"}
            return {index: error.message for index, error in reply.errors.items()}

        failed = self._run("writing to", insert, writing=True)
        if failed:
            problem = next(iter(failed.values()))
            named = _some([ids[index] for index in failed])
            kind = Invalid if _PERMANENT.search(problem) else Unavailable
            raise kind(f"build {self.build.name}: Weaviate did not take works {named} ({problem})")
        stored = {one.properties["work_id"] for one in self._objects(ids, ["work_id"])}
        if lost := [id for id in ids if id not in stored]:
            raise Unavailable(
                f"build {self.build.name}: Weaviate said that it took works {_some(lost)}, but they are not there"
            )

    def _check_exists(self, held: Any) -> None:
        if from_description(held.config.get(simple=True).description) is None:
            raise Unavailable(f"{self._name} is no build any more; run `gallery refresh`")

    # -- reading

    def count(self, where: Filter = EVERYTHING) -> int:
        reply = self._run(
            "counting", lambda held: held.aggregate.over_all(total_count=True, filters=condition(where))
        )
        return int(reply.total_count)

    def ids(self) -> set[str]:
        return {one["work_id"] for one in self._walk(["work_id"])}

    def get(self, id: str) -> Artwork:
        for one in self._objects([id], ["payload"]):
            return _work(one.properties)
        raise NotFound(f"no work {id} in build {self.build.name}")

    def vectors(self, ids: Sequence[str]) -> Vectors:
        rows: dict[str, Any] = {}
        for part in _parts(list(dict.fromkeys(ids)), MANY):
            for one in self._objects(part, ["work_id"], vectors=True):
                rows[one.properties["work_id"]] = one.vector["default"]
        if missing := [id for id in ids if id not in rows]:
            raise NotFound(f"no works {_some(missing)} in build {self.build.name}")
        found = np.array([rows[id] for id in ids], dtype=np.float32)
        return found.reshape(len(ids), self.build.dim)

    def works(self, where: Filter = EVERYTHING, limit: int = 100, offset: int = 0) -> list[Artwork]:
        if limit < 1:
            return []
        if offset + limit <= DEEPEST:
            reply = self._run(
                "listing",
                lambda held: held.query.fetch_objects(
                    filters=condition(where),
                    sort=Sort.by_property("file").by_property("work_id"),
                    limit=limit,
                    offset=offset,
                    return_properties=["payload"],
                ),
            )
            return [_work(one.properties) for one in reply.objects]
        works = sorted(self._passing(where), key=lambda work: (work.file, work.id))
        return works[offset : offset + limit]

    def facets(self, where: Filter = EVERYTHING) -> Facets:
        total = self.count(where)
        groups = {name: self._groups(name, where) for name in ("artist", "styles", "nationalities")}
        # The server cuts off groups beyond its limit and says nothing. Each work has one artist, so theirs add up.
        if sum(groups["artist"].values()) != total or any(len(one) >= DEEPEST for one in groups.values()):
            groups = self._counted(where)
        return Facets(
            _frequent(groups["artist"]), _frequent(groups["styles"]), _frequent(groups["nationalities"])
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
            found = by_nearness_and_words(self._searching, query, words, offset + k, where, per_artist)
        else:
            found = by_nearness(self._searching, query, offset + k, where, per_artist)
        return self._hits(found[offset:])

    # -- what these are made of

    def _run(self, doing: str, what: Callable[[Any], Result], *, writing: bool = False) -> Result:
        def call(client: Any) -> Result:
            held = client.collections.use(self._name)
            if self._layout.consistency is not None:
                held = held.with_consistency_level(self._layout.consistency)
            return what(held)

        try:
            return self._connection.call(f"{doing} build {self.build.name}", call, writing=writing)
        except NotFound as error:
            raise Unavailable(
                f"build {self.build.name} is gone from Weaviate ({error}); "
                "`gallery refresh` builds it anew, `gallery rollback` goes back to another"
            ) from error

    def _searching(self, what: Callable[[Any], Any]) -> Any:
        return self._run("searching", what)

    def _objects(self, ids: Sequence[str], properties: list[str], *, vectors: bool = False) -> list[Any]:
        """The objects of those works that are there, in no order."""
        if not ids:
            return []
        reply = self._run(
            "reading from",
            lambda held: held.query.fetch_objects(
                filters=Condition.by_id().contains_any([uuid_of(id) for id in ids]),
                limit=len(ids),
                return_properties=properties,
                include_vector=vectors,
            ),
        )
        return list(reply.objects)

    def _hits(self, found: Sequence[Found]) -> list[Hit]:
        works: dict[str, Artwork] = {}
        for part in _parts([one.id for one in found], MANY):
            for one in self._objects(part, ["payload"]):
                work = _work(one.properties)
                works[work.id] = work
        return [Hit(works[one.id], one.score) for one in found if one.id in works]

    def _walk(self, properties: list[str]) -> list[dict[str, Any]]:
        """These properties of every object, by the cursor, which has no end to how far it goes."""
        return self._run(
            "walking through",
            lambda held: [
                one.properties for one in held.iterator(return_properties=properties, cache_size=PAGE)
            ],
        )

    def _passing(self, where: Filter) -> Iterator[Artwork]:
        for one in self._walk(["payload"]):
            work = _work(one)
            if where.matches(work.artist):
                yield work

    def _groups(self, name: str, where: Filter) -> Counter[str]:
        reply = self._run(
            "counting",
            lambda held: held.aggregate.over_all(
                group_by=GroupByAggregate(prop=name, limit=DEEPEST), filters=condition(where)
            ),
        )
        return Counter({str(group.grouped_by.value): int(group.total_count) for group in reply.groups})

    def _counted(self, where: Filter) -> dict[str, Counter[str]]:
        """The groups as they are when counted here, one work at a time."""
        groups: dict[str, Counter[str]] = {name: Counter() for name in ("artist", "styles", "nationalities")}
        for work in self._passing(where):
            groups["artist"][work.artist.slug] += 1
            groups["styles"].update(set(work.artist.styles))
            groups["nationalities"].update(set(work.artist.nationalities))
        return groups


def _deletion(where: Any) -> Callable[[Any], Any]:
    return lambda held: held.data.delete_many(where=where)


def _messages(works: Sequence[Artwork], places: Iterable[int], dim: int) -> Iterator[list[int]]:
    """The places in parts that each make a message of a sensible size."""
    part: list[int] = []
    size = 0
    for place in places:
        bio = works[place].artist.bio
        more = 4 * dim + 2_000 + 6 * len(bio)  # a character takes six bytes at most, as \uXXXX
        if part and (len(part) == MANY or size + more > MESSAGE):
            yield part
            part, size = [], 0
        part.append(place)
        size += more
    if part:
        yield part


def _parts(ids: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), size):
        yield ids[start : start + size]


def _work(properties: Any) -> Artwork:
    return from_payload(json.loads(properties["payload"]))


def _frequent(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def _some(ids: Iterable[str]) -> str:
    named = list(ids)
    return ", ".join(named[:5]) + (f" and {len(named) - 5} more" if len(named) > 5 else "")
