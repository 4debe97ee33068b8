"""The REST and gRPC servers, on two ports."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent import futures
from http.server import ThreadingHTTPServer
from types import TracebackType

import grpc
from weaviate.proto.v1 import weaviate_pb2_grpc

from tests.fakes.weaviate.data import Data
from tests.fakes.weaviate.faults import Faults
from tests.fakes.weaviate.grpc_side import Gate, Service
from tests.fakes.weaviate.rest import handler_of

LIMIT = 104_858_000
"""The largest message in bytes."""


class FakeWeaviate:
    """A server that runs until the end of the `with` block.

    `keys` maps API keys to "loader", which may do everything, or "search", which may only read. Without keys,
    none is required. With the `ports` and `data` of a stopped server, it is that server after a restart.
    `calls` has the calls so far, such as "GET schema/Artwork" or "Search".
    """

    def __init__(
        self,
        *,
        version: str = "1.40.2",
        keys: Mapping[str, str] | None = None,
        ports: tuple[int, int] = (0, 0),
        data: Data | None = None,
        maximum_results: int = 10_000,
        maximum_groups: int = 1_000_000,
        hybrid_results: int = 100,
    ) -> None:
        self.version, self.keys, self.ports, self.ready = version, dict(keys or {}), ports, True
        self.maximum_results, self.maximum_groups = maximum_results, maximum_groups
        self.hybrid_results = hybrid_results
        self.data = data or Data()
        self.faults = Faults()
        self.calls: list[str] = []
        self.stopping = threading.Event()

    def role(self, authorization: str | None) -> str | None:
        """Return the role of an Authorization header, or None if its key is unknown."""
        if not self.keys:
            return "loader"
        return self.keys.get((authorization or "").removeprefix("Bearer "))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.ports[0]}"

    @property
    def address(self) -> str:
        """The value for GALLERY_VECTORS."""
        return f"weaviate://127.0.0.1:{self.ports[0]}?grpc={self.ports[1]}"

    def __enter__(self) -> FakeWeaviate:
        self._http = ThreadingHTTPServer(("127.0.0.1", self.ports[0]), handler_of(self))
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        self._grpc = grpc.server(
            futures.ThreadPoolExecutor(16),
            interceptors=[Gate(self)],
            options=[("grpc.max_receive_message_length", LIMIT), ("grpc.max_send_message_length", LIMIT)],
        )
        weaviate_pb2_grpc.add_WeaviateServicer_to_server(Service(self), self._grpc)
        self.ports = (
            self._http.server_address[1],
            self._grpc.add_insecure_port(f"127.0.0.1:{self.ports[1]}"),
        )
        self._grpc.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopping.set()
        self._grpc.stop(None).wait()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()
