"""The vector store for production: collections of a Weaviate server, the live one behind an alias.

A build is the collection `Artwork_<build>`; its manifest is the collection's description, which is the one thing of
a collection that can be rewritten, is there or not in one step with it, and travels in backups. The alias `Artwork`
names the live one.

Aliases need Weaviate 1.32. Use 1.39 or newer: from there on a read repair on a replicated cluster loses no
properties, and a write through a dangling alias makes no collection. Set AUTOSCHEMA_ENABLED=false on the server.
"""

from __future__ import annotations

import os
import warnings

# gRPC looks at this when it is first used. Without it, a child forked from a process that has used gRPC hangs.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "1")

with warnings.catch_warnings():  # importing the client turns on every warning of the process
    warnings.simplefilter("ignore")
    import weaviate  # noqa: F401

from gallery.vectors.weaviate.store import WeaviateStore, open_weaviate

__all__ = ["WeaviateStore", "open_weaviate"]
