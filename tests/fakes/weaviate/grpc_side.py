"""gRPC: Search, BatchObjects, BatchDelete, Aggregate."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import grpc
import numpy as np
from google.protobuf.json_format import MessageToDict
from weaviate.proto.v1 import (
    aggregate_pb2,
    base_pb2,
    batch_delete_pb2,
    batch_pb2,
    properties_pb2,
    search_get_pb2,
    weaviate_pb2_grpc,
)

from tests.fakes.weaviate.data import Collection, Refused, Stored
from tests.fakes.weaviate.queries import fused, matching, nearest, passes, selected

if TYPE_CHECKING:
    from tests.fakes.weaviate.server import FakeWeaviate

GROUPS = 100
"""Groups in an aggregation by default; the server leaves out the rest without saying so."""

READING = ("Search", "Aggregate")


class Service(weaviate_pb2_grpc.WeaviateServicer):  # type: ignore[misc]
    """The calls that the gallery makes, each with the data locked."""

    def __init__(self, server: FakeWeaviate) -> None:
        self.server, self.data = server, server.data

    def Search(self, request: Any, context: Any) -> Any:
        collection = self.data.resolve(request.collection)
        limit = request.limit or 10
        if request.after and (request.HasField("filters") or request.sort_by or request.offset):
            raise Refused(422, "where, sort or offset cannot be set with after and limit parameters")
        if request.offset + limit > self.server.maximum_results:
            raise Refused(422, "query maximum results exceeded")
        places = selected(request, collection)
        hits: list[tuple[Stored, float | None]]
        if request.HasField("near_vector"):
            near = request.near_vector
            raw = near.vectors[0].vector_bytes if near.vectors else near.vector_bytes
            hits = [*nearest(np.frombuffer(raw, "<f4"), places, request.offset + limit, collection)]
        elif request.HasField("hybrid_search"):
            sent = request.hybrid_search
            raw = sent.vectors[0].vector_bytes if sent.vectors else sent.vector_bytes
            depth = max(self.server.hybrid_results, limit)  # of both rankings, the offset not counted
            vector = nearest(np.frombuffer(raw, "<f4"), places, depth, collection)
            keywords = matching(sent.query, list(sent.properties), places, collection)[:depth]
            hits = [*fused(vector, keywords, sent.alpha)]
        elif request.HasField("bm25_search"):
            words = request.bm25_search
            hits = [*matching(words.query, list(words.properties), places, collection)]
        else:
            ordered, _ = collection.by_uuid()
            found = [ordered[place] for place in places]
            if request.after:
                found = [one for one in found if one.uuid > request.after]
            for sort in reversed(request.sort_by):
                name = collection.known(sort.path[0])
                found.sort(key=lambda one, name=name: one.properties[name], reverse=not sort.ascending)  # type: ignore[misc]
            hits = [(one, None) for one in found]
        page = hits[request.offset : request.offset + limit]
        return search_get_pb2.SearchReply(results=[_result(request, collection, *hit) for hit in page])

    def BatchObjects(self, request: Any, context: Any) -> Any:
        reply = batch_pb2.BatchObjectsReply()
        fault = context.fault.kind if context.fault else ""
        for index, one in enumerate(request.objects):
            try:
                if fault == "reject" and index % 2 == 0:
                    raise Refused(500, "shard is read-only: disk usage too high (invalid length)")
                if fault in ("lose", "reset") and index % 2:
                    continue
                collection = self.data.resolve(one.collection)
                raw = one.vectors[0].vector_bytes if one.vectors else one.vector_bytes
                collection.put(one.uuid, _properties(one.properties, collection), np.frombuffer(raw, "<f4"))
            except Refused as refused:
                reply.errors.add(index=index, error=refused.message)
        return reply

    def BatchDelete(self, request: Any, context: Any) -> Any:
        collection = self.data.resolve(request.collection)
        test = passes(request.filters, collection)
        found = [one.uuid for one in collection.by_uuid()[0] if test(one)]
        gone = found[: self.server.maximum_results]
        for id in gone:
            collection.remove(id)
        return batch_delete_pb2.BatchDeleteReply(matches=len(found), successful=len(gone))

    def Aggregate(self, request: Any, context: Any) -> Any:
        collection = self.data.resolve(request.collection)
        ordered, _ = collection.by_uuid()
        found = [ordered[place] for place in selected(request, collection)]
        if not request.HasField("group_by"):
            single = aggregate_pb2.AggregateReply.Single(objects_count=len(found))
            return aggregate_pb2.AggregateReply(single_result=single)
        name = collection.known(request.group_by.property)
        counts: Counter[str] = Counter()
        for one in found:
            value = one.properties.get(name)
            counts.update(value if isinstance(value, list) else [] if value is None else [value])
        grouped = aggregate_pb2.AggregateReply.Grouped()
        limit = min(request.limit or GROUPS, self.server.maximum_groups)
        for value, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:limit]:
            by = aggregate_pb2.AggregateReply.Group.GroupedBy(path=[name], text=value)
            grouped.groups.add(objects_count=count, grouped_by=by)
        return aggregate_pb2.AggregateReply(grouped_results=grouped)


class Gate(grpc.ServerInterceptor):  # type: ignore[misc]
    """Checks the API key, injects faults, and refuses calls with the server's messages."""

    def __init__(self, server: FakeWeaviate) -> None:
        self.server = server

    def intercept_service(self, continuation: Callable[[Any], Any], details: Any) -> Any:
        handler = continuation(details)
        if handler is None:
            return None
        call = details.method.rpartition("/")[2]
        role = self.server.role(dict(details.invocation_metadata or ()).get("authorization"))

        def unary(request: Any, context: Any) -> Any:
            self.server.calls.append(call)
            if role is None:
                context.abort(grpc.StatusCode.UNAUTHENTICATED, "unauthorized: invalid api key")
            if role == "search" and call not in READING:
                context.abort(
                    grpc.StatusCode.PERMISSION_DENIED,
                    "authorization, forbidden action: user 'search' has insufficient permissions to "
                    "create_data",
                )
            fault = context.fault = self.server.faults.next(call)
            kind = fault.kind if fault else ""
            if kind == "refuse":
                context.abort(grpc.StatusCode.UNAVAILABLE, "connection refused")
            if kind == "429":
                context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "too many requests")
            if kind == "500":
                context.abort(grpc.StatusCode.INTERNAL, "internal server error")
            if kind == "garbage":
                return None
            try:
                with self.server.data.lock:
                    reply = handler.unary_unary(request, context)
            except Refused as refused:
                context.abort(grpc.StatusCode.UNKNOWN, refused.message)
            if fault and kind == "slow":
                self.server.stopping.wait(fault.seconds)
            if kind == "reset":
                context.abort(grpc.StatusCode.UNAVAILABLE, "connection reset by peer")
            return reply

        def serialized(reply: Any) -> bytes:
            return b"\xff\xffnonsense" if reply is None else reply.SerializeToString()

        return grpc.unary_unary_rpc_method_handler(unary, handler.request_deserializer, serialized)


def _properties(sent: Any, collection: Collection) -> dict[str, Any]:
    read: dict[str, Any] = MessageToDict(sent.non_ref_properties)
    for name, value in read.items():  # a Struct carries every number as a double
        if collection.types.get(name) == "int":
            read[name] = int(value)
    for array in sent.text_array_properties:
        read[array.prop_name] = list(array.values)
    for name in sent.empty_list_props:
        read[name] = []
    return {name: value for name, value in read.items() if value is not None}


def _result(request: Any, collection: Collection, one: Stored, number: float | None) -> Any:
    """Return the object as the client reads it: the id as 16 bytes, each number with its `_present`."""
    asked, metadata = request.metadata, search_get_pb2.MetadataResult()
    metadata.id, metadata.id_as_bytes = one.uuid, uuid.UUID(one.uuid).bytes
    if asked.distance and number is not None:
        metadata.distance, metadata.distance_present = number, True
    if asked.score and number is not None:
        metadata.score, metadata.score_present = number, True
    if asked.vector or asked.vectors:
        kind = base_pb2.Vectors.VECTOR_TYPE_SINGLE_FP32
        raw = one.vector.astype("<f4").tobytes()
        metadata.vectors.append(base_pb2.Vectors(name="default", type=kind, vector_bytes=raw))
    everything = not request.HasField("properties") or request.properties.return_all_nonref_properties
    names = list(collection.types) if everything else request.properties.non_ref_properties
    fields = {name: _value(one.properties.get(name), collection.types[name]) for name in names}
    return search_get_pb2.SearchResult(
        metadata=metadata,
        properties=search_get_pb2.PropertiesResult(
            target_collection=collection.config["class"],
            non_ref_props=properties_pb2.Properties(fields=fields),
        ),
    )


def _value(value: Any, kind: str) -> Any:
    if value is None:
        return properties_pb2.Value(null_value=0)
    if isinstance(value, list):
        texts = properties_pb2.TextValues(values=value)
        return properties_pb2.Value(list_value=properties_pb2.ListValue(text_values=texts))
    return properties_pb2.Value(**{"int_value" if kind == "int" else "text_value": value})
