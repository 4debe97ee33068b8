"""A fake Weaviate server: REST and gRPC on the wire, everything in memory, searched exactly.

The real `weaviate-client` talks to it, with the gRPC messages that ship inside the client. It follows the
server's source and was never compared with a real server, so tests with it prove the client's side only. It
has no HNSW (recall is perfect), no replication, no indexing lag, and access control has two roles.
"""

from __future__ import annotations

import warnings

with warnings.catch_warnings():  # importing the client turns on every warning of the process
    warnings.simplefilter("ignore")
    import weaviate.proto.v1  # noqa: F401

from tests.fakes.weaviate.server import FakeWeaviate

__all__ = ["FakeWeaviate"]
