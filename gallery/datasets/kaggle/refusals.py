"""What went wrong at Kaggle, in our words. They quote nothing that a request held: not a key, not a signed address."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import requests
from urllib3.exceptions import ReadTimeoutError

from gallery.datasets.kaggle import patience
from gallery.datasets.kaggle.credentials import HOW
from gallery.datasets.kaggle.patience import OtherContent, Transient
from gallery.datasets.kaggle.progress import duration
from gallery.errors import GalleryError, Invalid, Unavailable

A_DAY_S = 86_400.0


def translated(error: Exception, dataset: str) -> GalleryError:
    """What went wrong with a request for ``owner/name``: Invalid, Unavailable, or Transient where a new try may help."""
    response = getattr(error, "response", None)
    if response is not None:
        return _refusal(response, dataset)
    if any(isinstance(inner, ssl.SSLCertVerificationError) for inner in _chain(error)):
        return Unavailable(
            "the connection to Kaggle is not secure: its certificate is not trusted here. Behind a proxy that opens "
            "connections, REQUESTS_CA_BUNDLE names its certificate"
        )
    if isinstance(error, requests.exceptions.ProxyError):
        return Transient("the proxy of HTTPS_PROXY or HTTP_PROXY does not let us through to Kaggle")
    if isinstance(error, requests.ConnectTimeout):
        return Transient(f"Kaggle cannot be reached: no connection within {patience.TIMEOUT_S[0]:g} s")
    if isinstance(error, requests.Timeout) or any(isinstance(arg, ReadTimeoutError) for arg in error.args):
        return Transient(f"Kaggle did not answer within {patience.TIMEOUT_S[1]:g} s")
    if isinstance(error, requests.exceptions.InvalidJSONError):
        return not_kaggle()
    if isinstance(error, requests.exceptions.ChunkedEncodingError | requests.exceptions.SSLError):
        return Transient("the connection to Kaggle was cut")
    return Transient(f"Kaggle cannot be reached ({_reason(error)})")


def _refusal(response: requests.Response, dataset: str) -> GalleryError:
    status, host = _status(response), host_of(response)
    title, page = f"kaggle://{dataset}", f"https://www.kaggle.com/datasets/{dataset}"
    if status == 429:
        wait = _retry_after(response)
        if wait is None or wait <= patience.LONGEST_WAIT_S:
            return Transient(f"{host} takes no more requests for now (429)", wait)
        until = datetime.fromtimestamp(time.time() + wait, UTC)
        return Transient(
            f"{host} takes no more requests until {until:%Y-%m-%d %H:%M} UTC, {duration(wait)} from now (429)",
            wait,
        )
    if status == 416:
        return OtherContent("the archive is shorter than what was downloaded of it")
    if status >= 500 or status == 408:
        return Transient(f"{host} is not well (it answered {status})")
    if response.history and status in (400, 401, 403):  # of the storage; a new signature may do
        return Transient(
            f"{host} refused the address that Kaggle gave out ({status}); is this machine's clock right?"
        )
    if status == 401:
        return Invalid(f"Kaggle does not accept the credentials (401): wrong, expired or revoked. {HOW}")
    if status == 403:
        return Invalid(
            f"Kaggle does not let this account have {title} (403). Open {page} with it, accept the terms "
            "if it asks for that, and check that the dataset is public or shared with the account"
        )
    if status == 404:
        return Invalid(
            f"Kaggle has no {title} (404), or not that version: a typing mistake in GALLERY_DATASET, "
            f"or it is private or gone; see {page}"
        )
    return Invalid(f"{host} refused the request for {title} (it answered {status})")


def not_kaggle() -> Unavailable:
    """For an answer in which nothing is as Kaggle writes it."""
    return Unavailable(
        "something else than Kaggle answered: a proxy's or a log-in page, perhaps? Open https://www.kaggle.com "
        "from this machine"
    )


def host_of(response: requests.Response) -> str:
    """Who answered, for a person: the archive lies at a storage service that Kaggle redirects to."""
    return "Kaggle's storage" if response.history else "Kaggle"


def _status(response: requests.Response) -> int:
    """The status that counts: Kaggle may answer 200 with an error's number in the body."""
    if response.status_code == 200:
        code = response.json().get("code")  # read before, or the client would not have raised an error
        return code if isinstance(code, int) else 500
    return response.status_code


def _retry_after(response: requests.Response) -> float | None:
    """Seconds from now, from a Retry-After of either form."""
    given = response.headers.get("Retry-After", "").strip()
    if given.isdecimal():
        return min(float(given), A_DAY_S)
    try:
        return max(0.0, min(parsedate_to_datetime(given).timestamp() - time.time(), A_DAY_S))
    except ValueError:
        return None


def _reason(error: BaseException) -> str:
    """The system's words at the bottom of an error ("Connection refused"); its class where there are none."""
    words = (inner.strerror for inner in _chain(error) if isinstance(inner, OSError) and inner.strerror)
    return next(words, type(error).__name__)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what it came from."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
