"""The connection to a Weaviate server: opened on first use, reopened after a failure."""

from __future__ import annotations

import re
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import grpc
import httpx
from weaviate import WeaviateClient
from weaviate.classes.init import AdditionalConfig, Auth, Timeout
from weaviate.config import GrpcConfig
from weaviate.connect import ConnectionParams
from weaviate.exceptions import WeaviateStartUpError

from gallery.errors import GalleryError, Invalid, Unavailable
from gallery.vectors.weaviate.errors import TRANSLATED, CallFailed, is_quick, is_unreachable, translate

Result = TypeVar("Result")

MIN_VERSION = (1, 32)
"""First version of Weaviate with aliases."""
WRITE_TIMEOUT_S = 60.0
"""Seconds that a write or a change of the schema may take."""
RECONNECT_PAUSE_S = 1.0
"""Seconds after a failed attempt to connect in which calls fail at once, so that they do not queue up."""

CHANNEL_OPTIONS = [
    # Otherwise a new channel to the same server inherits the broken connection and its growing pauses.
    ("grpc.use_local_subchannel_pool", 1),
    # gRPC uses http_proxy even for 127.0.0.1; the client's REST half does not use it.
    ("grpc.enable_http_proxy", 0),
]


@dataclass(frozen=True)
class Endpoint:
    """Host names (an IPv6 address in brackets) and ports of the server's REST and gRPC interfaces."""

    host: str
    port: int
    grpc_host: str
    grpc_port: int
    secure: bool

    def __str__(self) -> str:
        other = "" if self.grpc_host == self.host else f"{self.grpc_host}:"
        return f"{self.host}:{self.port} (gRPC {other}{self.grpc_port})"


class FailFastInterceptor(grpc.UnaryUnaryClientInterceptor):  # type: ignore[misc]
    """Raises a failed call as CallFailed: the client itself would retry for 63 s and drop the status."""

    def intercept_unary_unary(self, continuation: Callable[..., Any], details: Any, request: Any) -> Any:
        outcome = continuation(details, request)
        code = outcome.code()
        if code is not grpc.StatusCode.OK:
            raise CallFailed(code, outcome.details() or code.name)
        return outcome


class FailFastParams(ConnectionParams):
    """Connection parameters that add the interceptor to the gRPC channel; the client has no public way."""

    def _grpc_channel(self, *args: Any, **kwargs: Any) -> Any:
        return grpc.intercept_channel(super()._grpc_channel(*args, **kwargs), FailFastInterceptor())


@dataclass(eq=False)
class OpenClient:
    """A connected client and the number of calls in progress; once retired, the last call closes it."""

    client: WeaviateClient
    users: int = 0
    retired: bool = False


@dataclass
class ConnectionState:
    """The current client, in an object of its own so that the finalizer need not refer to the connection."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    current: OpenClient | None = None

    def close(self) -> None:
        with self.lock:
            current, self.current = self.current, None
            if current is None:
                return
            current.retired = True
            if current.users:
                return  # the last user closes it
        current.client.close()


class Connection:
    """Calls to a Weaviate server, with translated errors. Thread-safe, but not usable after a fork."""

    def __init__(self, endpoint: Endpoint, api_key: str | None, timeout_s: float) -> None:
        self.endpoint = endpoint
        self._api_key = api_key
        self._timeout_s = timeout_s
        self._state = ConnectionState()
        self._failed_at = -RECONNECT_PAUSE_S
        self._failure = ""
        weakref.finalize(self, self._state.close)

    def call(
        self, doing: str, function: Callable[[WeaviateClient], Result], *, writing: bool = False
    ) -> Result:
        """Call the function with a connected client and return its result.

        Calls it a second time if the connection was lost, so it must be safe to repeat. `doing` describes the
        call in messages. Raises Invalid, NotFound or Unavailable.
        """
        for last in (False, True):
            opened = self._acquire(doing)
            try:
                return function(opened.client)
            except TRANSLATED as error:
                if is_unreachable(error):
                    self._retire(opened)
                    if is_quick(error) and not last:
                        continue
                raise self._translate(error, doing, writing) from error
            finally:
                self._release(opened)
        raise AssertionError("the second try returns or raises")

    def close(self) -> None:
        """Close the connection; the next call opens another."""
        self._state.close()

    def _translate(self, error: Exception, doing: str, writing: bool) -> GalleryError:
        translated = translate(error, str(self.endpoint), doing, writing=writing)
        if self._api_key and self._api_key in str(translated):
            return type(translated)(str(translated).replace(self._api_key, "***"))
        return translated

    def _acquire(self, doing: str) -> OpenClient:
        with self._state.lock:
            if self._state.current is None:
                if time.monotonic() - self._failed_at < RECONNECT_PAUSE_S:
                    raise Unavailable(self._failure)
                try:
                    self._state.current = OpenClient(self._connect())
                except Unavailable as error:
                    self._failed_at, self._failure = time.monotonic(), str(error)
                    raise
                except TRANSLATED as error:
                    problem = self._translate(error, doing, writing=False)
                    if isinstance(problem, Unavailable):
                        self._failed_at, self._failure = time.monotonic(), str(problem)
                    raise problem from error
            self._state.current.users += 1
            return self._state.current

    def _release(self, opened: OpenClient) -> None:
        with self._state.lock:
            opened.users -= 1
            done = opened.retired and opened.users == 0
        if done:
            opened.client.close()

    def _retire(self, opened: OpenClient) -> None:
        with self._state.lock:
            opened.retired = True
            if self._state.current is opened:
                self._state.current = None

    def _connect(self) -> WeaviateClient:
        """Return a connected client of a server that is ready and new enough."""
        endpoint = self.endpoint
        client = WeaviateClient(
            connection_params=FailFastParams.from_params(
                http_host=endpoint.host,
                http_port=endpoint.port,
                http_secure=endpoint.secure,
                grpc_host=endpoint.grpc_host,
                grpc_port=endpoint.grpc_port,
                grpc_secure=endpoint.secure,
            ),
            auth_client_secret=Auth.api_key(self._api_key) if self._api_key else None,
            additional_config=AdditionalConfig(
                timeout=Timeout(init=self._timeout_s, query=self._timeout_s, insert=WRITE_TIMEOUT_S),
                grpc_config=GrpcConfig(channel_options=CHANNEL_OPTIONS),
            ),
            # The checks ask a package index on every connect, and fail if a proxy answers instead.
            skip_init_checks=True,
        )
        try:
            try:
                client.connect()
            except WeaviateStartUpError as error:
                if "is not supported" in str(error):  # older than the client's own minimum
                    raise self._too_old(str(error)) from error
                raise
            self._check_version(str(client.get_meta()["version"]))
            self._check_ready()
        except BaseException:
            client.close()
            raise
        return client

    def _check_version(self, version: str) -> None:
        found = re.match(r"(\d+)\.(\d+)", version)
        if not found or (int(found[1]), int(found[2])) < MIN_VERSION:
            raise self._too_old(f"it is version {version or 'unknown'}")

    def _too_old(self, detail: str) -> Invalid:
        return Invalid(
            f"Weaviate at {self.endpoint} is too old ({detail}): "
            f"aliases need {MIN_VERSION[0]}.{MIN_VERSION[1]}; use 1.39 or newer"
        )

    def _check_ready(self) -> None:
        scheme = "https" if self.endpoint.secure else "http"
        url = f"{scheme}://{self.endpoint.host}:{self.endpoint.port}/v1/.well-known/ready"
        # Without TLS there is nothing to verify, and loading the certificates takes longer than the call.
        reply = httpx.get(url, timeout=self._timeout_s, trust_env=False, verify=self.endpoint.secure)
        if reply.status_code != 200:
            raise Unavailable(
                f"Weaviate at {self.endpoint} is not ready yet (HTTP {reply.status_code}); try again later"
            )
