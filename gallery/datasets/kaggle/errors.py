"""Translates failed requests to Kaggle. Messages never quote the request, its key or its signed URL."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import requests
from urllib3.exceptions import ReadTimeoutError

from gallery.datasets.kaggle import retry
from gallery.datasets.kaggle.credentials import SETUP_HINT
from gallery.datasets.kaggle.retry import ContentChanged, Transient
from gallery.errors import GalleryError, Invalid, Unavailable

DAY_S = 86_400.0


def translate(error: Exception, dataset: str) -> GalleryError:
    """Return the error to raise for a failed request for the dataset ``owner/name``."""
    response = getattr(error, "response", None)
    if response is not None:
        return _refusal(response, dataset)
    if any(isinstance(inner, ssl.SSLCertVerificationError) for inner in _chain(error)):
        return Unavailable(
            "the certificate of the connection to Kaggle is not trusted on this machine. Behind a proxy that "
            "inspects traffic, set REQUESTS_CA_BUNDLE to the proxy's certificate"
        )
    if isinstance(error, requests.exceptions.ProxyError):
        return Transient("the proxy in HTTPS_PROXY or HTTP_PROXY did not connect to Kaggle")
    if isinstance(error, requests.ConnectTimeout):
        return Transient(f"cannot reach Kaggle: no connection within {retry.TIMEOUT_S[0]:g} s")
    if isinstance(error, requests.Timeout) or any(isinstance(arg, ReadTimeoutError) for arg in error.args):
        return Transient(f"Kaggle did not answer within {retry.TIMEOUT_S[1]:g} s")
    if isinstance(error, requests.exceptions.InvalidJSONError):
        return unexpected_response()
    if isinstance(error, requests.exceptions.ChunkedEncodingError | requests.exceptions.SSLError):
        return Transient("the connection to Kaggle was cut")
    return Transient(f"cannot reach Kaggle ({_reason(error)})")


def _refusal(response: requests.Response, dataset: str) -> GalleryError:
    status, host = _status(response), host_of(response)
    title, page = f"kaggle://{dataset}", f"https://www.kaggle.com/datasets/{dataset}"
    if status == 429:
        wait = _retry_after(response)
        if wait is None or wait <= retry.MAX_RETRY_AFTER_S:
            return Transient(f"{host} limits requests (429)", wait)
        until = datetime.fromtimestamp(time.time() + wait, UTC)
        return Transient(f"{host} accepts no requests until {until:%Y-%m-%d %H:%M} UTC (429)", wait)
    if status == 416:
        return ContentChanged("the archive is shorter than the partial download")
    if status >= 500 or status == 408:
        return Transient(f"{host} has a problem (status {status})")
    if response.history and status in (400, 401, 403):  # from storage: a new signature may help
        return Transient(
            f"{host} refused the download address that Kaggle issued ({status}); check this machine's clock"
        )
    if status == 401:
        return Invalid(f"Kaggle rejected the credentials (401): wrong, expired or revoked. {SETUP_HINT}")
    if status == 403:
        return Invalid(
            f"this Kaggle account has no access to {title} (403). Open {page} with it, accept the terms if "
            "asked, and check that the dataset is public or shared with the account"
        )
    if status == 404:
        return Invalid(
            f"{title}, or that version of it, does not exist on Kaggle (404). Check GALLERY_DATASET for a "
            f"typing mistake; the dataset may also be private or deleted: {page}"
        )
    return Invalid(f"{host} refused the request for {title} (status {status})")


def unexpected_response() -> Unavailable:
    """Return the error for a response that does not look like Kaggle's."""
    return Unavailable(
        "unexpected response from Kaggle's address, perhaps a proxy's page or a login page; open "
        "https://www.kaggle.com from this machine"
    )


def host_of(response: requests.Response) -> str:
    """Return a name for the server that answered: Kaggle redirects downloads to a storage service."""
    return "Kaggle's storage" if response.history else "Kaggle"


def _status(response: requests.Response) -> int:
    """Return the effective status: Kaggle may answer 200 with an error code in the body."""
    if response.status_code == 200:
        code = response.json().get("code")  # valid JSON: the SDK parsed it before raising
        return code if isinstance(code, int) else 500
    return response.status_code


def _retry_after(response: requests.Response) -> float | None:
    """Return the wait in seconds from Retry-After (seconds or a date), at most a day, or None."""
    value = response.headers.get("Retry-After", "").strip()
    if value.isdecimal():
        return min(float(value), DAY_S)
    try:
        return max(0.0, min(parsedate_to_datetime(value).timestamp() - time.time(), DAY_S))
    except ValueError:
        return None


def _reason(error: BaseException) -> str:
    """Return the operating system's message, such as "Connection refused", else the error's class."""
    messages = (inner.strerror for inner in _chain(error) if isinstance(inner, OSError) and inner.strerror)
    return next(messages, type(error).__name__)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield the error and its causes."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
