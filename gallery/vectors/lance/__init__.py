"""The embedded vector store: LanceDB tables in a local folder, written by a pipeline while a web app reads.

    <folder>/LIVE            name of the live build
    <folder>/<build>.json    manifest of the build
    <folder>/<build>.lance   its rows and indexes

A build is written, indexed and sealed once, and then only read, so it never changes under a reader.
"""

from __future__ import annotations

import os

# LanceDB reads this on import; otherwise it logs a warning to stderr for each new table.
os.environ.setdefault("LANCEDB_LOG", "error")

from gallery.vectors.lance.store import LIVE, LanceStore, open_lance

__all__ = ["LIVE", "LanceStore", "open_lance"]
