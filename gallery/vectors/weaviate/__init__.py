"""The Weaviate store: one collection of a server per build, and an alias for the live one.

A build is the collection `Artwork_<build>`. Its manifest is the collection's description, which can be
rewritten, is created and deleted together with the collection, and is part of backups. The alias `Artwork`
points to the live build.

Aliases need Weaviate 1.32. Use 1.39 or newer: since then, read repair on a replicated cluster keeps all
properties, and a write through a dangling alias does not create a collection. Set AUTOSCHEMA_ENABLED=false on
the server.
"""

from __future__ import annotations

import warnings

with warnings.catch_warnings():  # importing the client turns on all warnings
    warnings.simplefilter("ignore")
    import weaviate  # noqa: F401

from gallery.vectors.weaviate.store import WeaviateStore, open_weaviate

__all__ = ["WeaviateStore", "open_weaviate"]
