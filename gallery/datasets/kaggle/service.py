"""Kaggle over the wire: which version a dataset has, and the bytes of one. Its errors become ours here.

Spoken through `kagglesdk`, the layer of Kaggle's client that makes the requests. The layer above it, `kaggle.api`, will
not do in a library: importing it asks Kaggle about the token, without a time limit, and prints to stdout; `authenticate`
ends the process where there are no credentials. Its download prints, says nothing of how far it is, and replaces a
half-finished file with the text of an error.

What a request raises is not made the cause of ours: requests quotes addresses, and the archive's carries a signature.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import requests
from kagglesdk import KaggleClient
from kagglesdk.datasets.types.dataset_api_service import ApiDownloadDatasetRequest, ApiGetDatasetRequest
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

from gallery.datasets.base import ProgressCallback
from gallery.datasets.kaggle import patience
from gallery.datasets.kaggle.credentials import find_credentials
from gallery.datasets.kaggle.patience import OtherContent, Patience, Transient
from gallery.datasets.kaggle.refusals import host_of, not_kaggle, translated
from gallery.errors import Invalid, Unavailable

CHUNK = 1 << 16
"""Bytes held at once; what is held when a connection is cut is lost."""

T = TypeVar("T")


@dataclass(frozen=True)
class Body:
    """The bytes of an archive on their way: from `start` on, `total` in the whole archive where that is told.

    `validator` names this very content, for asking for the rest of it later; None where nothing does.
    """

    start: int
    total: int | None
    validator: str | None
    content_type: str
    chunks: Iterator[bytes]


class KaggleService:
    """What Kaggle says of one dataset. Every method raises Invalid, or Unavailable (Transient: trying again may help)."""

    def __init__(self, owner: str, name: str) -> None:
        self._owner, self._name = owner, name
        self._dataset = f"{owner}/{name}"

    def current_version(self, progress: ProgressCallback) -> int:
        """The number of the newest version, asked for a few times if need be."""
        request = ApiGetDatasetRequest()
        request.owner_slug, request.dataset_slug = self._owner, self._name
        tries = Patience(progress)
        while True:
            try:
                with self._client() as client:
                    answer = self._ask(lambda: client.datasets.dataset_api_client.get_dataset(request))
                version = answer.current_version_number
                if not isinstance(version, int) or version < 1:
                    raise Unavailable(
                        f"Kaggle names no version of {self._dataset}; see https://www.kaggle.com/datasets/{self._dataset}"
                    )
                return version
            except Transient as trouble:
                reason = trouble
            tries.wait(reason)

    @contextmanager
    def archive(self, version: int, *, start: int = 0, validator: str | None = None) -> Iterator[Body]:
        """The archive of a version; from byte `start` on if it is still the content that `validator` names."""
        request = ApiDownloadDatasetRequest()
        request.owner_slug, request.dataset_slug = self._owner, self._name
        request.dataset_version_number = version
        with self._client() as client:
            # Kaggle redirects to a storage service. What is asked for here goes along, as the credentials do not.
            wanted = {"Accept-Encoding": "identity"}
            if start and validator:
                wanted |= {"Range": f"bytes={start}-", "If-Range": validator}
            _session(client).headers.update(wanted)
            response = self._ask(lambda: client.datasets.dataset_api_client.download_dataset(request))
            try:
                yield self._body(response, start)
            finally:
                response.close()

    def _client(self) -> KaggleClient:
        """A client that names no environment, so that KAGGLE_API_ENVIRONMENT counts; production where it is unset."""
        credentials = find_credentials()
        try:
            client = KaggleClient(
                username=credentials.username,
                password=credentials.key,
                api_token=credentials.token,
                user_agent="artwork-gallery",
            )
            session = _session(client)
        except Exception as error:  # the client raises this very class
            raise Invalid(f"KAGGLE_API_ENVIRONMENT names nothing that can be asked: {error}") from error
        for scheme in ("https://", "http://"):
            session.mount(scheme, _Impatient())
        logging.getLogger("urllib3.connectionpool").addFilter(_without_query)
        return client

    def _ask(self, call: Callable[[], T]) -> T:
        try:
            return call()
        except (requests.RequestException, HTTPError) as error:
            trouble = translated(error, self._dataset)
        except (ValueError, TypeError, AttributeError, KeyError):
            trouble = not_kaggle()  # the client read something else than what Kaggle answers
        raise trouble

    def _body(self, response: requests.Response, start: int) -> Body:
        length = response.headers.get("Content-Length", "")
        total = int(length) if length.isdecimal() else None
        if response.status_code == 206:
            # "bytes 920-2299/2300"; anything but what was asked for is not taken for it.
            span, _, whole = response.headers.get("Content-Range", "").partition("/")
            if not span.startswith(f"bytes {start}-") or not whole.isdecimal():
                raise OtherContent(f"{host_of(response)} sent another part of the archive than was asked for")
            total = int(whole)
        validator = response.headers.get("ETag") or response.headers.get("Last-Modified")
        if validator and validator.startswith("W/"):  # names no exact bytes
            validator = None
        return Body(
            start if response.status_code == 206 else 0,
            total,
            validator,
            response.headers.get("Content-Type", "no type"),
            self._chunks(response),
        )

    def _chunks(self, response: requests.Response) -> Iterator[bytes]:
        chunks = response.iter_content(CHUNK)
        while chunk := self._ask(lambda: next(chunks, b"")):
            yield chunk


class _Impatient(HTTPAdapter):
    """Gives up after `TIMEOUT_S`; the client would wait for ever."""

    def send(self, *args: Any, **given: Any) -> requests.Response:
        return super().send(*args, **{**given, "timeout": given.get("timeout") or patience.TIMEOUT_S})


def _session(client: KaggleClient) -> requests.Session:
    """The client's session, which it does not hand out; time limits and byte ranges can be asked for nowhere else."""
    http = client.http_client()
    http.__enter__()
    session: requests.Session = http._session
    return session


def _without_query(record: logging.LogRecord) -> bool:
    """A log filter that lets everything pass, but for the query of an address: the archive's signature stands there."""
    if isinstance(record.args, tuple):
        record.args = tuple(arg.partition("?")[0] if isinstance(arg, str) else arg for arg in record.args)
    return True
