"""Clients of a Qdrant server, or of a local folder that the client library reads and writes itself.

Both provide the client through a context manager, which translates the errors raised inside it.
"""

from __future__ import annotations

import pickle
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

import grpc
from qdrant_client import QdrantClient
from qdrant_client.common.client_exceptions import QdrantException, ResourceExhaustedResponse
from qdrant_client.http.exceptions import ApiException, ResponseHandlingException, UnexpectedResponse

from gallery.errors import GalleryError, Invalid, NotFound, Unavailable

KEY_ADVICE = "set GALLERY_VECTORS_KEY to a key that it accepts"
ADDRESS_ADVICE = "check that GALLERY_VECTORS is the address of a Qdrant server, and that it is running"

# ValueError: a reply that is not JSON, or not of the expected shape. AssertionError: an empty reply.
SERVER_ERRORS = (ApiException, QdrantException, grpc.RpcError, ValueError, AssertionError)
FOLDER_ERRORS = (
    OSError,
    RuntimeError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    EOFError,
    sqlite3.Error,
    pickle.PickleError,
)


class ClientProvider(Protocol):
    """Provides the client of one server or folder."""

    address: str
    local: bool

    def exists(self) -> bool:
        """Return False if nothing was written yet, so that callers can read without creating the folder."""

    def client(self, doing: str) -> AbstractContextManager[QdrantClient]:
        """Provide the client inside a `with`, translating its errors to Invalid, NotFound or Unavailable.

        `doing` describes the call in messages, such as "writing works x, y".
        """

    def close(self) -> None:
        """Release connections and locks; the next use opens them again."""


class ServerClient:
    """A Qdrant server, over gRPC if `grpc_port` is set, else over REST."""

    local = False

    def __init__(
        self,
        address: str,
        host: str,
        port: int,
        *,
        https: bool,
        grpc_port: int | None,
        timeout_s: int,
        api_key: str | None,
    ) -> None:
        self.address = address
        self._host, self._port, self._https = host, port, https
        self._grpc_port, self._timeout_s, self._api_key = grpc_port, timeout_s, api_key
        self._lock = threading.Lock()
        self._opened: QdrantClient | None = None

    def exists(self) -> bool:
        return True

    @contextmanager
    def client(self, doing: str) -> Iterator[QdrantClient]:
        try:
            yield self._client()
        except GalleryError:
            raise
        except SERVER_ERRORS as error:
            raise _translate(error, doing, self.address) from error

    def close(self) -> None:
        with self._lock:
            if self._opened is not None:
                self._opened.close()
            self._opened = None

    def _client(self) -> QdrantClient:
        with self._lock:
            if self._opened is None:
                self._opened = QdrantClient(
                    host=self._host,
                    port=self._port,
                    https=self._https,
                    grpc_port=self._grpc_port or 6334,
                    prefer_grpc=self._grpc_port is not None,
                    timeout=self._timeout_s,
                    # As a header: the client warns about keys over http, common in private networks.
                    headers={"api-key": self._api_key} if self._api_key else None,
                    check_compatibility=False,  # it only warns, in a thread; `create` checks the version
                )
            return self._opened


class FolderClient:
    """A folder that only one process at a time can open: the client loads all of it and keeps it locked."""

    local = True

    def __init__(self, address: str, folder: Path) -> None:
        self.address = address
        self._folder = folder
        self._lock = threading.RLock()  # the local client is not thread-safe
        self._opened: QdrantClient | None = None

    def exists(self) -> bool:
        return (self._folder / "meta.json").exists()

    @contextmanager
    def client(self, doing: str) -> Iterator[QdrantClient]:
        with self._lock:
            client = self._client(doing)
            try:
                yield client
            except GalleryError:
                raise
            except FOLDER_ERRORS as error:
                problem = f"{doing}: {str(error)[:200]} ({self.address})"
                if isinstance(error, ValueError):
                    raise NotFound(problem) if "not found" in str(error) else Invalid(problem) from error
                raise Unavailable(f"{problem}; check free space and permissions") from error

    def close(self) -> None:
        with self._lock:
            if self._opened is not None:
                self._opened.close()
            self._opened = None

    def _client(self, doing: str) -> QdrantClient:
        if self._opened is not None:
            return self._opened
        try:
            self._check_lock(doing)
            client = QdrantClient(path=str(self._folder), force_disable_check_same_thread=True)
        except FOLDER_ERRORS as error:
            if "already accessed by another instance" in str(error):
                raise self._locked(doing) from error
            raise Unavailable(
                f"{doing}: {self._folder} cannot be opened ({type(error).__name__}: {str(error)[:200]}); "
                "if it is damaged, move it away and run `gallery refresh`"
            ) from error
        self._opened = client
        return client

    def _check_lock(self, doing: str) -> None:
        """Raise Unavailable if another process has the folder open.

        The client checks this too, but only after it has loaded the whole folder.
        """
        import portalocker  # imported here, as in the client: the import fails on a read-only system

        try:
            with (self._folder / ".lock").open("r+") as file:
                portalocker.lock(file, portalocker.LockFlags.EXCLUSIVE | portalocker.LockFlags.NON_BLOCKING)
                portalocker.unlock(file)
        except FileNotFoundError:
            return
        except portalocker.exceptions.LockException as error:
            raise self._locked(doing) from error

    def _locked(self, doing: str) -> Unavailable:
        return Unavailable(
            f"{doing}: another process has {self._folder} open, and only one can; stop that process, or set "
            "GALLERY_VECTORS to a server (qdrant://host:6333) or to lance:///folder, which several can share"
        )


def _translate(error: Exception, doing: str, address: str) -> GalleryError:
    """Return an error of the server's client as a GalleryError."""
    if isinstance(error, UnexpectedResponse):
        return _of_status(error.status_code or 0, _answer(error), doing, address)
    if isinstance(error, ResourceExhaustedResponse):
        return Unavailable(
            f"{doing}: {address} is overloaded; try again in {error.retry_after_s} s ({error})"
        )
    if isinstance(error, ResponseHandlingException) and not isinstance(error.source, ValueError):
        reason = str(error.source) or type(error.source).__name__
        return Unavailable(f"{doing}: no answer from {address} ({reason[:200]}); {ADDRESS_ADVICE}")
    if isinstance(error, grpc.RpcError):
        return _of_grpc(error, doing, address)
    return Invalid(
        f"{doing}: unexpected response from {address}; "
        "check that GALLERY_VECTORS is the address of a Qdrant server"
    )


def _of_status(status: int, answer: str, doing: str, address: str) -> GalleryError:
    detail = f"{doing}: {address} answered {status}{f' ({answer})' if answer else ''}"
    if status in (401, 403):
        return Invalid(f"{detail}; {KEY_ADVICE}")
    if status == 404:
        return NotFound(detail)
    if status in (408, 429) or status >= 500:
        return Unavailable(f"{detail}; it may be overloaded or starting, so try again")
    return Invalid(detail)


def _of_grpc(error: grpc.RpcError, doing: str, address: str) -> GalleryError:
    # The error of a failed call is also a grpc.Call, which the type does not say.
    code = error.code() if isinstance(error, grpc.Call) else grpc.StatusCode.UNKNOWN
    details = (error.details() or "")[:200] if isinstance(error, grpc.Call) else str(error)[:200]
    detail = f"{doing}: {address} answered {code.name} over gRPC ({details})"
    if code in (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED):
        return Invalid(f"{detail}; {KEY_ADVICE}")
    if code is grpc.StatusCode.NOT_FOUND:
        return NotFound(detail)
    if code in (
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.ALREADY_EXISTS,
        grpc.StatusCode.FAILED_PRECONDITION,
        grpc.StatusCode.OUT_OF_RANGE,
        grpc.StatusCode.UNIMPLEMENTED,
    ):
        return Invalid(detail)
    return Unavailable(f"{detail}; {ADDRESS_ADVICE}")


def _answer(error: UnexpectedResponse) -> str:
    """Return the server's error message, or its reason phrase if the reply is not Qdrant's; shortened."""
    try:
        detail = str(error.structured()["status"]["error"])
    except (ValueError, LookupError, TypeError):
        detail = error.reason_phrase
    return detail.partition("\n")[0][:200]
