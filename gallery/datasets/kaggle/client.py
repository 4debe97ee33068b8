"""Requests to Kaggle for one dataset: its newest version, and the archive of a version.

Uses `kagglesdk`, the layer of Kaggle's client that makes the requests, and not `kaggle.api` above it, which
logs in on import and whose download can corrupt an archive (docs/decisions/001-kaggle-client.md).

Errors are raised without the `requests` error as their cause: it quotes URLs, and the archive's URL is
signed.
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

from gallery.datasets.kaggle import retry
from gallery.datasets.kaggle.credentials import find_credentials
from gallery.datasets.kaggle.errors import host_of, translate, unexpected_response
from gallery.datasets.kaggle.retry import ContentChanged
from gallery.errors import Invalid, Unavailable

CHUNK_BYTES = 1 << 16
"""Size of the chunks read; a cut connection loses at most one."""

T = TypeVar("T")


@dataclass(frozen=True)
class Download:
    """An archive from byte `start` on. `total` is the size of the whole archive in bytes, None if unknown.

    `validator` (ETag or Last-Modified) identifies this exact content in later requests for the rest.
    """

    start: int
    total: int | None
    validator: str | None
    chunks: Iterator[bytes]


class DatasetClient:
    """Kaggle's API for one dataset. Methods raise Invalid, Unavailable, or Transient if a retry may help."""

    def __init__(self, owner: str, name: str) -> None:
        self._owner, self._name = owner, name
        self._dataset = f"{owner}/{name}"

    def newest_version(self) -> int:
        """Return the newest version's number."""
        request = ApiGetDatasetRequest()
        request.owner_slug, request.dataset_slug = self._owner, self._name
        with self._open() as client:
            answer = self._call(lambda: client.datasets.dataset_api_client.get_dataset(request))
        version = answer.current_version_number
        if not isinstance(version, int) or version < 1:
            raise Unavailable(
                f"Kaggle lists no version of {self._dataset}; see https://www.kaggle.com/datasets/{self._dataset}"
            )
        return version

    @contextmanager
    def download(self, version: int, start: int, validator: str | None) -> Iterator[Download]:
        """Yield the version's archive: from byte `start` if it still matches `validator`, else all of it."""
        request = ApiDownloadDatasetRequest()
        request.owner_slug, request.dataset_slug = self._owner, self._name
        request.dataset_version_number = version
        with self._open() as client:
            # Kaggle redirects to a storage service, which receives these headers but not the credentials.
            headers = {"Accept-Encoding": "identity"}
            if start and validator:
                headers |= {"Range": f"bytes={start}-", "If-Range": validator}
            _session(client).headers.update(headers)
            response = self._call(lambda: client.datasets.dataset_api_client.download_dataset(request))
            with response:
                yield self._download(response, start)

    def _open(self) -> KaggleClient:
        """Return a client with no explicit environment, so that KAGGLE_API_ENVIRONMENT applies."""
        credentials = find_credentials()
        try:
            client = KaggleClient(
                username=credentials.username,
                password=credentials.key,
                api_token=credentials.token,
                user_agent="artwork-gallery",
            )
            session = _session(client)
        except Exception as error:  # the SDK raises exactly this class
            raise Invalid(f"KAGGLE_API_ENVIRONMENT is not usable: {error}") from error
        for scheme in ("https://", "http://"):
            session.mount(scheme, TimeoutAdapter())
        logging.getLogger("urllib3.connectionpool").addFilter(_hide_query)
        return client

    def _call(self, call: Callable[[], T]) -> T:
        try:
            return call()
        except (requests.RequestException, HTTPError) as error:
            translated = translate(error, self._dataset)
        except (ValueError, TypeError, AttributeError, KeyError):
            translated = unexpected_response()  # the SDK could not parse the answer
        raise translated

    def _download(self, response: requests.Response, start: int) -> Download:
        length = response.headers.get("Content-Length", "")
        total = int(length) if length.isdecimal() else None
        resumed = response.status_code == 206
        if resumed:
            # "bytes 920-2299/2300"
            span, _, size = response.headers.get("Content-Range", "").partition("/")
            if not span.startswith(f"bytes {start}-") or not size.isdecimal():
                raise ContentChanged(f"{host_of(response)} sent a different byte range than requested")
            total = int(size)
        validator = response.headers.get("ETag") or response.headers.get("Last-Modified")
        if validator and validator.startswith("W/"):  # a weak ETag does not identify exact bytes
            validator = None
        return Download(start if resumed else 0, total, validator, self._chunks(response))

    def _chunks(self, response: requests.Response) -> Iterator[bytes]:
        chunks = response.iter_content(CHUNK_BYTES)
        while chunk := self._call(lambda: next(chunks, b"")):
            yield chunk


class TimeoutAdapter(HTTPAdapter):
    """Applies `TIMEOUT_S`, because the SDK sends requests without a time limit."""

    def send(self, *args: Any, **options: Any) -> requests.Response:
        return super().send(*args, **{**options, "timeout": options.get("timeout") or retry.TIMEOUT_S})


def _session(client: KaggleClient) -> requests.Session:
    """Return the SDK's private session: the only place to set time limits and byte ranges."""
    http = client.http_client()
    http.__enter__()
    session: requests.Session = http._session
    return session


def _hide_query(record: logging.LogRecord) -> bool:
    """Log filter that removes the query string from URLs, because it contains the archive URL's signature."""
    if isinstance(record.args, tuple):
        record.args = tuple(arg.partition("?")[0] if isinstance(arg, str) else arg for arg in record.args)
    return True
