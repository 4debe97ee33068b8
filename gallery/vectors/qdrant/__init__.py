"""The Qdrant store: one collection per build, and an alias for the live one.

    <base>_<build>    a collection; its metadata is the build's manifest, its points are the works
    <base>            the alias of the live build

A point has the vector `image`, the sparse vector `words`, which Qdrant weights by inverse document frequency,
and a payload: the fields for filters, and the work as JSON. Point ids are UUIDs derived from the works' ids,
since Qdrant accepts only numbers and UUIDs.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from gallery.addresses import Address
from gallery.errors import Invalid
from gallery.vectors.qdrant.client import FolderClient, ServerClient
from gallery.vectors.qdrant.store import QdrantStore

_FOLDERS: dict[Path, FolderClient] = {}


def open_qdrant(address: Address, *, api_key: str | None) -> QdrantStore:
    """Return the store at ``qdrant://host:6333``, ``qdrants://host`` (https) or ``qdrant:///folder``.

    Does not connect or create anything yet. A folder ignores the key. Raises Invalid for a wrong address.
    """
    base = address.string("collection") or ""
    if address.scheme == "qdrant" and address.location.startswith("/"):
        if others := address.given - {"collection"}:
            raise Invalid(f"{address.text}: unknown option {min(others)!r}; a folder takes only collection")
        # One client per folder, whatever the spelling of its path: a second one would find it locked.
        folder = address.path.resolve()
        return QdrantStore(_FOLDERS.setdefault(folder, FolderClient(f"qdrant://{folder}", folder)), base)
    host, port = _host(address)
    server = ServerClient(
        address.text,
        host,
        port,
        https=address.scheme == "qdrants",
        grpc_port=address.integer("grpc"),
        timeout_s=address.integer("timeout") or 0,
        api_key=api_key,
    )
    return QdrantStore(
        server,
        base,
        shards=address.integer("shards"),
        replication=address.integer("replication") or 1,
        quantized=address.string("quantization") == "int8",
    )


def _host(address: Address) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{address.location}")
        host, port = parts.hostname or "", parts.port or 6333
    except ValueError as error:
        raise Invalid(f"{address.text}: {error}") from error
    return f"[{host}]" if ":" in host else host, port
