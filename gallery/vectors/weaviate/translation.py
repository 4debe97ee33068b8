"""The errors of the Weaviate client, of gRPC and of httpx as ours."""

from __future__ import annotations

import re

import grpc
import httpx
from weaviate import exceptions as client

from gallery.errors import GalleryError, Invalid, NotFound, Unavailable

LOADER = (
    "GALLERY_VECTORS_KEY must be the loader's key, which may create, write and drop collections and aliases"
)
SEARCHER = (
    "GALLERY_VECTORS_SEARCH_KEY, or GALLERY_VECTORS_KEY where that is unset, must be allowed to read collections, "
    "their data and aliases"
)

TRY_AGAIN = "try again, and if it stays so look into its log"

UNREACHABLE: tuple[type[Exception], ...] = (
    client.WeaviateConnectionError,
    client.WeaviateStartUpError,
    client.WeaviateGRPCUnavailableError,
    client.WeaviateTimeoutError,
    client.WeaviateRetryError,
    client.WeaviateClosedClientError,
    client.WeaviateBatchFailedToReestablishStreamError,
    httpx.TransportError,
)
"""No answer came; the connection is not used again."""

BROKEN: tuple[type[Exception], ...] = (
    client.ResponseCannotBeDecodedError,
    client.EmptyResponseError,
    client.WeaviateQueryError,  # and what derives from it, of batches, deletions and tenants
    client.WeaviateInsertManyAllFailedError,
    client.WeaviateBatchValidationError,
    client.BackupFailedError,
    client.BackupCanceledError,
    client.ExportFailedError,
    client.ExportCanceledError,
    client._BatchStreamShutdownError,
    httpx.HTTPError,
    # What the client raises when it takes apart an answer that is not one of Weaviate's.
    AssertionError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)
"""An answer came, and it was a failure or made no sense."""

WRONG: tuple[type[Exception], ...] = (
    client.AuthenticationFailedError,
    client.MissingScopeError,
    client.ObjectAlreadyExistsError,
    client.SchemaValidationError,
    client.AdditionalPropertiesError,
    client.InvalidDataModelError,
    client.WeaviateEmbeddedInvalidVersionError,
    client.WeaviateInvalidInputError,
    client.WeaviateAddInvalidPropertyError,
    client.WeaviateInsertInvalidPropertyError,
    client.WeaviateUnsupportedFeatureError,
    client.WeaviateAgentsNotInstalledError,
    client.WeaviateProtobufIncompatibility,
    httpx.InvalidURL,
)
"""Asked for something that cannot be."""

_GONE = re.compile(r"could not find class|class \S+ (not found|doesn't exist)|collection \S+ not found", re.I)


class CallFailed(Exception):
    """A gRPC call failed with this status. The client's own exceptions do not say which."""

    def __init__(self, code: grpc.StatusCode, details: str) -> None:
        super().__init__(f"{code.name}: {details}")
        self.code, self.details = code, details


TRANSLATED: tuple[type[Exception], ...] = (
    *(CallFailed, client.UnexpectedStatusCodeError),
    *(*WRONG, *UNREACHABLE, *BROKEN),
)
"""All of them."""


def is_unreachable(error: Exception) -> bool:
    """True where no answer came, so that the connection may be at fault."""
    if isinstance(error, CallFailed):
        return error.code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
    return isinstance(error, UNREACHABLE)


def is_quick(error: Exception) -> bool:
    """True where the call failed without the server taking its time, so that trying again at once costs little."""
    slow = (client.WeaviateTimeoutError, httpx.TimeoutException)
    if isinstance(error, CallFailed):
        return error.code is grpc.StatusCode.UNAVAILABLE
    return is_unreachable(error) and not isinstance(error, slow)


def translated(error: Exception, server: str, doing: str, *, writing: bool) -> GalleryError:
    """The error as one of ours. `doing` is such as "searching build x"."""
    said = re.sub(r"\s+", " ", str(error)).strip()[:300]
    if isinstance(error, CallFailed):
        said = error.details[:300]
        return _by_code(error.code, said, server, doing, writing)
    if isinstance(error, client.UnexpectedStatusCodeError):
        return _by_status(error.status_code, said, server, doing, writing)
    if isinstance(error, WRONG):
        return Invalid(f"Weaviate at {server}, {doing}: {said}")
    if isinstance(error, UNREACHABLE):
        return Unavailable(
            f"cannot reach Weaviate at {server}, {doing} ({said or type(error).__name__}); "
            "is it running, is the address right, is the gRPC port open?"
        )
    return Unavailable(
        f"what answered for Weaviate at {server} made no sense, {doing} ({type(error).__name__}: {said}); try again, and "
        "if it stays so look whether the address is right and what stands between"
    )


def _by_code(code: grpc.StatusCode, said: str, server: str, doing: str, writing: bool) -> GalleryError:
    codes = grpc.StatusCode
    if code in (codes.UNAVAILABLE, codes.DEADLINE_EXCEEDED, codes.CANCELLED):
        return Unavailable(
            f"cannot reach Weaviate at {server}, {doing} ({said}); is it running, is the gRPC port open?"
        )
    if code is codes.UNAUTHENTICATED:
        return _unknown(server)
    if code is codes.PERMISSION_DENIED:
        return _forbidden(server, doing, said, writing)
    if _GONE.search(said):
        return NotFound(f"Weaviate at {server}, {doing}: {said}")
    if "maximum results" in said or code in (
        *(codes.INVALID_ARGUMENT, codes.FAILED_PRECONDITION, codes.OUT_OF_RANGE, codes.UNIMPLEMENTED),
    ):
        return Invalid(f"Weaviate at {server}, {doing}: {said}")
    return Unavailable(f"Weaviate at {server} failed, {doing} ({code.name}: {said}); {TRY_AGAIN}")


def _by_status(status: int, said: str, server: str, doing: str, writing: bool) -> GalleryError:
    if status == 401:
        return _unknown(server)
    if status == 403:
        return _forbidden(server, doing, said, writing)
    if status == 404:
        return NotFound(f"Weaviate at {server}, {doing}: {said}")
    if status == 429 or status >= 500:
        return Unavailable(f"Weaviate at {server} failed, {doing} ({said}); {TRY_AGAIN}")
    return Invalid(f"Weaviate at {server}, {doing}: {said}")


def _unknown(server: str) -> Invalid:
    return Invalid(
        f"Weaviate at {server}: GALLERY_VECTORS_KEY is missing or wrong, or GALLERY_VECTORS_SEARCH_KEY when searching"
    )


def _forbidden(server: str, doing: str, said: str, writing: bool) -> Invalid:
    return Invalid(f"Weaviate at {server} forbids {doing} ({said}): {LOADER if writing else SEARCHER}")
