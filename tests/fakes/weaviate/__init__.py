"""A fake Weaviate server: REST and gRPC on the wire, everything in memory, searched exactly.

The real `weaviate-client` talks to it; the gRPC messages are those that ship inside the client. It encodes a reading of
the server's source and was never compared with a real server, so what passes here proves the client's side only.
There is no HNSW (recall is perfect), no replication, no indexing lag, and access control knows two roles.
"""

from __future__ import annotations

import warnings

with warnings.catch_warnings():  # importing the client turns on every warning of the process
    warnings.simplefilter("ignore")
    import weaviate.proto.v1  # noqa: F401

from tests.fakes.weaviate.server import FakeWeaviate

__all__ = ["FakeWeaviate"]
