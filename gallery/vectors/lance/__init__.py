"""The embedded vector store: LanceDB tables in a local folder, which a pipeline writes while a web app reads.

    <folder>/LIVE            name of the live build
    <folder>/<build>.json    manifest of the build
    <folder>/<build>.lance   its rows and indexes

A build is written once, indexed when it is sealed, and only read from then on, so it never changes under a reader.
"""

from __future__ import annotations

import os

# Read at import: without it each new table is logged to stderr as a warning.
os.environ.setdefault("LANCEDB_LOG", "error")

from gallery.vectors.lance.store import LIVE, LanceStore, open_lance

__all__ = ["LIVE", "LanceStore", "open_lance"]
