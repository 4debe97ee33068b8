"""The connection to a Weaviate server: one for each process, opened when first used and again after it failed."""

from __future__ import annotations

import os
import re
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import grpc
import httpx
from weaviate import WeaviateClient
from weaviate.classes.init import AdditionalConfig, Auth, Timeout
from weaviate.config import GrpcConfig
from weaviate.connect import ConnectionParams
from weaviate.exceptions import WeaviateStartUpError

from gallery.errors import GalleryError, Invalid, Unavailable
from gallery.vectors.weaviate.translation import TRANSLATED, CallFailed, is_quick, is_unreachable, translated

Result = TypeVar("Result")

OLDEST = (1, 32)
"""The first version of Weaviate with aliases."""
WRITING_S = 60.0
"""How long a write or a change of the schema may take, in seconds."""
PAUSE_S = 1.0
"""For how long a connection that could not be opened is not tried again, so that those who wait need not in turn."""

CHANNEL = [
    # Without it gRPC keeps a broken TCP connection, and its growing pauses, for the next channel to the server.
    ("grpc.use_local_subchannel_pool", 1),
    # gRPC reads http_proxy by itself, for 127.0.0.1 too; the REST half of the client does not.
    ("grpc.enable_http_proxy", 0),
]


@dataclass(frozen=True)
class Server:
    """Where the server is: host names (an IPv6 address in brackets) and ports of its REST and gRPC halves."""

    host: str
    port: int
    grpc_host: str
    grpc_port: int
    secure: bool

    def __str__(self) -> str:
        other = "" if self.grpc_host == self.host else f"{self.grpc_host}:"
        return f"{self.host}:{self.port} (gRPC {other}{self.grpc_port})"


class _Promptly(grpc.UnaryUnaryClientInterceptor):  # type: ignore[misc]
    """Raises what a call fails with past the client, which would try for 63 s more and forget the status."""

    def intercept_unary_unary(self, continuation: Callable[..., Any], details: Any, request: Any) -> Any:
        outcome = continuation(details, request)
        code = outcome.code()
        if code is not grpc.StatusCode.OK:
            raise CallFailed(code, outcome.details() or code.name)
        return outcome


class _Params(ConnectionParams):
    # The one place where the client lets its channel be wrapped; a test sees to it that the bound holds.
    def _grpc_channel(self, *args: Any, **kwargs: Any) -> Any:
        return grpc.intercept_channel(super()._grpc_channel(*args, **kwargs), _Promptly())


class _Open:
    """A connected client and how many calls use it; closed after the last one once it is retired."""

    def __init__(self, client: WeaviateClient) -> None:
        self.client = client
        self.users = 0
        self.retired = False


class Connection:
    """Calls of a Weaviate server, their errors translated. May be used from several threads, and after a fork."""

    def __init__(self, server: Server, api_key: str | None, timeout_s: float) -> None:
        self.server = server
        self._api_key = api_key
        self._timeout_s = timeout_s
        self._start_over()
        self._finalizer = weakref.finalize(self, _close, self._state)
        _CONNECTIONS.add(self)

    def call(self, doing: str, what: Callable[[WeaviateClient], Result], *, writing: bool = False) -> Result:
        """What the function returns for a connected client.

        Runs it again, once, where the connection turns out to have been lost; so it must be safe to repeat. Raises
        Invalid, NotFound, or Unavailable.
        """
        for last in (False, True):
            held = self._acquire(doing)
            try:
                return what(held.client)
            except TRANSLATED as error:
                if is_unreachable(error):
                    self._retire(held)
                    if is_quick(error) and not last:
                        continue
                raise self._ours(error, doing, writing) from error
            finally:
                self._release(held)
        raise AssertionError("the second try returns or raises")

    def close(self) -> None:
        """Close the connection; the next call opens another."""
        _close(self._state)

    def _ours(self, error: Exception, doing: str, writing: bool) -> GalleryError:
        ours = translated(error, str(self.server), doing, writing=writing)
        if self._api_key and self._api_key in str(ours):
            return type(ours)(str(ours).replace(self._api_key, "***"))
        return ours

    def _start_over(self) -> None:
        """Forget whatever was open, as a forked child must: gRPC's threads are not in it."""
        self._lock = threading.Lock()
        self._failed: tuple[float, str] = (-PAUSE_S, "")
        # Apart from the connection, so that the finalizer can hold it.
        self._state: dict[str, Any] = {"open": None, "pid": os.getpid(), "lock": self._lock}

    def _acquire(self, doing: str) -> _Open:
        with self._lock:
            held: _Open | None = self._state["open"]
            if held is None:
                active_from, problem = self._failed
                if time.monotonic() - active_from < PAUSE_S:
                    raise Unavailable(problem)
                try:
                    held = self._state["open"] = _Open(self._connect())
                except Unavailable as error:
                    self._failed = (time.monotonic(), str(error))
                    raise
                except TRANSLATED as error:
                    ours = self._ours(error, doing, writing=False)
                    if isinstance(ours, Unavailable):
                        self._failed = (time.monotonic(), str(ours))
                    raise ours from error
            held.users += 1
            return held

    def _release(self, held: _Open) -> None:
        with self._lock:
            held.users -= 1
            done = held.retired and held.users == 0
        if done:
            held.client.close()

    def _retire(self, held: _Open) -> None:
        with self._lock:
            held.retired = True
            if self._state["open"] is held:
                self._state["open"] = None

    def _connect(self) -> WeaviateClient:
        """A connected client, the server's version known to be good and the server to be ready."""
        server = self.server
        client = WeaviateClient(
            connection_params=_Params.from_params(
                http_host=server.host,
                http_port=server.port,
                http_secure=server.secure,
                grpc_host=server.grpc_host,
                grpc_port=server.grpc_port,
                grpc_secure=server.secure,
            ),
            auth_client_secret=Auth.api_key(self._api_key) if self._api_key else None,
            additional_config=AdditionalConfig(
                timeout=Timeout(init=self._timeout_s, query=self._timeout_s, insert=WRITING_S),
                grpc_config=GrpcConfig(channel_options=CHANNEL),
            ),
            # They ask a package index on each connect, and fail behind a proxy that answers in its stead.
            skip_init_checks=True,
        )
        try:
            try:
                client.connect()
            except WeaviateStartUpError as error:
                if "is not supported" in str(error):  # older still; the client has a bound of its own
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
        if not found or (int(found[1]), int(found[2])) < OLDEST:
            raise self._too_old(f"it is version {version or 'unknown'}")

    def _too_old(self, said: str) -> Invalid:
        return Invalid(
            f"Weaviate at {self.server} is too old ({said}): "
            f"aliases need {OLDEST[0]}.{OLDEST[1]}, and 1.39 or newer is best"
        )

    def _check_ready(self) -> None:
        scheme = "https" if self.server.secure else "http"
        url = f"{scheme}://{self.server.host}:{self.server.port}/v1/.well-known/ready"
        # Without TLS there is nothing to verify, and reading all certificates takes longer than the call.
        answer = httpx.get(url, timeout=self._timeout_s, trust_env=False, verify=self.server.secure)
        status = answer.status_code
        if status != 200:
            raise Unavailable(
                f"Weaviate at {self.server} is not ready yet (HTTP {status}); wait and try again"
            )


_CONNECTIONS: weakref.WeakSet[Connection] = weakref.WeakSet()
_INHERITED: list[Any] = []
"""What a forked child got from its parent. Kept, since closing it would hang, and losing it warns."""


def _close(state: dict[str, Any]) -> None:
    if state["pid"] != os.getpid():
        return
    with state["lock"]:
        held: _Open | None = state["open"]
        state["open"] = None
        if held is None:
            return
        held.retired = True
        if held.users:
            return  # whoever uses it closes it
    held.client.close()


def _after_fork() -> None:
    for connection in list(_CONNECTIONS):
        _INHERITED.append(connection._state["open"])
        connection._finalizer.detach()
        connection._start_over()
        connection._finalizer = weakref.finalize(connection, _close, connection._state)


os.register_at_fork(after_in_child=_after_fork)
