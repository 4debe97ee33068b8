"""Translate errors of the Weaviate client, gRPC and httpx into `gallery.errors`."""

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
    "GALLERY_VECTORS_SEARCH_KEY, or GALLERY_VECTORS_KEY if that is not set, must be allowed to read "
    "collections, their data and aliases"
)

TRY_AGAIN = "try again, and if it keeps failing read the server's log"

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
"""No answer arrived; the connection is not used again."""

FAILED: tuple[type[Exception], ...] = (
    client.ResponseCannotBeDecodedError,
    client.EmptyResponseError,
    client.WeaviateQueryError,  # its subclasses cover batches, deletions and tenants
    client.WeaviateInsertManyAllFailedError,
    client.WeaviateBatchValidationError,
    client.BackupFailedError,
    client.BackupCanceledError,
    client.ExportFailedError,
    client.ExportCanceledError,
    client._BatchStreamShutdownError,
    httpx.HTTPError,
    # The client raises these when it parses an answer that is not from Weaviate.
    AssertionError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)
"""An answer arrived, but it was an error or could not be parsed."""

INVALID: tuple[type[Exception], ...] = (
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
"""The request itself is wrong."""

_GONE = re.compile(r"could not find class|class \S+ (not found|doesn't exist)|collection \S+ not found", re.I)


class CallFailed(Exception):
    """A gRPC call failed with this status. The client's own exceptions do not keep the status."""

    def __init__(self, code: grpc.StatusCode, details: str) -> None:
        super().__init__(f"{code.name}: {details}")
        self.code, self.details = code, details


TRANSLATED: tuple[type[Exception], ...] = (
    *(CallFailed, client.UnexpectedStatusCodeError),
    *(*INVALID, *UNREACHABLE, *FAILED),
)
"""Every exception that `translate` accepts."""


def is_unreachable(error: Exception) -> bool:
    """Return True if no answer arrived, so the connection may be at fault."""
    if isinstance(error, CallFailed):
        return error.code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
    return isinstance(error, UNREACHABLE)


def is_quick(error: Exception) -> bool:
    """Return True if the server was unreachable without a timeout, so an immediate retry costs little."""
    slow = (client.WeaviateTimeoutError, httpx.TimeoutException)
    if isinstance(error, CallFailed):
        return error.code is grpc.StatusCode.UNAVAILABLE
    return is_unreachable(error) and not isinstance(error, slow)


def translate(error: Exception, server: str, doing: str, *, writing: bool) -> GalleryError:
    """Return the error as a GalleryError.

    `doing` describes the call, such as "searching build x"; `writing` chooses which key the message names.
    """
    detail = re.sub(r"\s+", " ", str(error)).strip()[:300]
    if isinstance(error, CallFailed):
        detail = error.details[:300]
        return _by_code(error.code, detail, server, doing, writing)
    if isinstance(error, client.UnexpectedStatusCodeError):
        return _by_status(error.status_code, detail, server, doing, writing)
    if isinstance(error, INVALID):
        return Invalid(f"Weaviate at {server} failed while {doing}: {detail}")
    if isinstance(error, UNREACHABLE):
        return Unavailable(
            f"cannot reach Weaviate at {server} while {doing} ({detail or type(error).__name__}); "
            "is it running, is the address right, is the gRPC port open?"
        )
    return Unavailable(
        f"unexpected response from Weaviate at {server} while {doing} ({type(error).__name__}: {detail}); "
        "check the address and any proxy in between"
    )


def _by_code(code: grpc.StatusCode, detail: str, server: str, doing: str, writing: bool) -> GalleryError:
    codes = grpc.StatusCode
    if code in (codes.UNAVAILABLE, codes.DEADLINE_EXCEEDED, codes.CANCELLED):
        return Unavailable(
            f"cannot reach Weaviate at {server} while {doing} ({detail}); "
            "is it running, is the gRPC port open?"
        )
    if code is codes.UNAUTHENTICATED:
        return _unauthenticated(server)
    if code is codes.PERMISSION_DENIED:
        return _forbidden(server, doing, detail, writing)
    if _GONE.search(detail):
        return NotFound(f"Weaviate at {server} failed while {doing}: {detail}")
    if "maximum results" in detail or code in (
        *(codes.INVALID_ARGUMENT, codes.FAILED_PRECONDITION, codes.OUT_OF_RANGE, codes.UNIMPLEMENTED),
    ):
        return Invalid(f"Weaviate at {server} failed while {doing}: {detail}")
    return Unavailable(f"Weaviate at {server} failed while {doing} ({code.name}: {detail}); {TRY_AGAIN}")


def _by_status(status: int, detail: str, server: str, doing: str, writing: bool) -> GalleryError:
    if status == 401:
        return _unauthenticated(server)
    if status == 403:
        return _forbidden(server, doing, detail, writing)
    if status == 404:
        return NotFound(f"Weaviate at {server} failed while {doing}: {detail}")
    if status == 429 or status >= 500:
        return Unavailable(f"Weaviate at {server} failed while {doing} ({detail}); {TRY_AGAIN}")
    return Invalid(f"Weaviate at {server} failed while {doing}: {detail}")


def _unauthenticated(server: str) -> Invalid:
    return Invalid(
        f"Weaviate at {server}: GALLERY_VECTORS_KEY is missing or wrong, "
        "or GALLERY_VECTORS_SEARCH_KEY when searching"
    )


def _forbidden(server: str, doing: str, detail: str, writing: bool) -> Invalid:
    return Invalid(f"Weaviate at {server} forbids {doing} ({detail}): {LOADER if writing else SEARCHER}")
