"""A fake Qdrant server: the REST requests that this project makes, answered by the client's in-memory Qdrant.

It does not have what only a server has: approximate search, payload indexes, quantization, several copies.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel
from qdrant_client import QdrantClient, models


class FakeQdrant:
    """A server of that version, which requires `key` if it is set.

    `requests` has the "METHOD /path?query" of each request. While `failing` is set, it is every response.
    """

    def __init__(self, version: str = "1.20.0", key: str | None = None) -> None:
        self.version, self.key = version, key
        self.requests: list[str] = []
        self.indexes: list[tuple[str, str]] = []
        self.created: list[models.CreateCollection] = []
        self.failing: tuple[int, bytes] | None = None
        self._lock = threading.Lock()
        self._qdrant = QdrantClient(":memory:")

    def answer(self, method: str, url: str, body: bytes, key: str | None) -> tuple[int, bytes]:
        with self._lock:
            self.requests.append(f"{method} {url}")
            if self.failing:
                return self.failing
            if self.key and key != self.key:
                return 401, b"Must provide an API key or an Authorization bearer token"
            for pattern, respond in ROUTES:
                match = re.fullmatch(pattern, f"{method} {urlsplit(url).path}")
                if match:
                    try:
                        result = respond(self, self._qdrant, json.loads(body or b"{}"), *match.groups())
                    except ValueError as error:
                        said = {"status": {"error": str(error)}, "time": 0.0}
                        return 404 if "not found" in str(error) else 400, json.dumps(said).encode()
                    if pattern == "GET /":
                        return 200, json.dumps(result).encode()
                    return 200, json.dumps({"result": _json(result), "status": "ok", "time": 0.0}).encode()
            return 405, b""

    def _create(self, qdrant: QdrantClient, body: Any, name: str) -> bool:
        asked = models.CreateCollection(**body)
        self.created.append(asked)
        return qdrant.create_collection(
            name,
            vectors_config=asked.vectors,
            sparse_vectors_config=asked.sparse_vectors,
            metadata=asked.metadata,
        )

    def _query(self, qdrant: QdrantClient, body: Any, name: str) -> Any:
        asked = models.QueryRequest(**body)
        return qdrant.query_points(
            name,
            query=asked.query,
            using=asked.using,
            prefetch=asked.prefetch,
            query_filter=asked.filter,
            limit=asked.limit or 10,
            with_payload=asked.with_payload,
        )

    def _scroll(self, qdrant: QdrantClient, body: Any, name: str) -> Any:
        asked = models.ScrollRequest(**body)
        points, after = qdrant.scroll(
            name,
            scroll_filter=asked.filter,
            limit=asked.limit,
            offset=asked.offset,
            with_payload=asked.with_payload,
        )
        return models.ScrollResult(points=points, next_page_offset=after)

    def _retrieve(self, qdrant: QdrantClient, body: Any, name: str) -> Any:
        asked = models.PointRequest(**body)
        return qdrant.retrieve(
            name, asked.ids, with_payload=asked.with_payload, with_vectors=asked.with_vector or False
        )

    def _facet(self, qdrant: QdrantClient, body: Any, name: str) -> Any:
        asked = models.FacetRequest(**body)
        if (name, asked.key) not in self.indexes:
            raise ValueError(f"No appropriate index for faceting: `{asked.key}`")
        return qdrant.facet(name, asked.key, facet_filter=asked.filter, limit=asked.limit or 10)

    def _index(self, qdrant: QdrantClient, body: Any, name: str) -> Any:
        self.indexes.append((name, models.CreateFieldIndex(**body).field_name))
        return models.UpdateResult(operation_id=0, status=models.UpdateStatus.COMPLETED)


Responder = Callable[..., Any]
COLLECTION = r"/collections/([^/]+)"
ROUTES: list[tuple[str, Responder]] = [
    ("GET /", lambda fake, qdrant, body: {"title": "qdrant", "version": fake.version}),
    ("GET /collections", lambda fake, qdrant, body: qdrant.get_collections()),
    (
        "POST /collections/aliases",
        lambda fake, qdrant, body: qdrant.update_collection_aliases(
            models.ChangeAliasesOperation(**body).actions
        ),
    ),
    (f"GET {COLLECTION}", lambda fake, qdrant, body, name: qdrant.get_collection(name)),
    (
        f"GET {COLLECTION}/exists",
        lambda fake, qdrant, body, name: {"exists": qdrant.collection_exists(name)},
    ),
    (f"PUT {COLLECTION}", FakeQdrant._create),
    (
        f"PATCH {COLLECTION}",
        lambda fake, qdrant, body, name: qdrant.update_collection(
            name, metadata=models.UpdateCollection(**body).metadata
        ),
    ),
    (f"DELETE {COLLECTION}", lambda fake, qdrant, body, name: qdrant.delete_collection(name)),
    (f"PUT {COLLECTION}/index", FakeQdrant._index),
    (
        f"PUT {COLLECTION}/points",
        lambda fake, qdrant, body, name: qdrant.upsert(name, models.PointsList(**body).points),
    ),
    (
        f"POST {COLLECTION}/points/delete",
        lambda fake, qdrant, body, name: qdrant.delete(name, models.PointIdsList(**body)),
    ),
    (
        f"POST {COLLECTION}/points/count",
        lambda fake, qdrant, body, name: qdrant.count(name, models.CountRequest(**body).filter),
    ),
    (f"POST {COLLECTION}/points/query", FakeQdrant._query),
    (f"POST {COLLECTION}/points/scroll", FakeQdrant._scroll),
    (f"POST {COLLECTION}/points", FakeQdrant._retrieve),
    (f"POST {COLLECTION}/facet", FakeQdrant._facet),
]


def _json(result: Any) -> Any:
    if isinstance(result, BaseModel):
        return result.model_dump(mode="json")
    return [_json(one) for one in result] if isinstance(result, list) else result


@contextmanager
def served(fake: FakeQdrant) -> Iterator[str]:
    """Serve the fake until the end of the block; yield its "host:port"."""

    class Handler(BaseHTTPRequestHandler):
        def _respond(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, answer = fake.answer(self.command, self.path, body, self.headers.get("api-key"))
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = _respond

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
