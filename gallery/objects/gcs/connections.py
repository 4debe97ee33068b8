"""HTTP connections to Google: retries, time limits, and the size of the pool."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import requests
from google.api_core.retry import Retry
from google.auth.transport.requests import AuthorizedSession
from google.cloud.storage.retry import DEFAULT_RETRY
from requests.adapters import HTTPAdapter

POOL_SIZE = 256
"""Connections kept open, at most: as many as the settings allow threads."""
CONNECT_TIMEOUT_S, READ_TIMEOUT_S = 10.0, 15.0
"""Limits of one attempt. Shorter than the time for retries, or one silent server would use all of it."""


@dataclass(frozen=True)
class CallPolicy:
    """The client's `retry` option, and its `timeout` option: seconds to connect and to wait for bytes."""

    retry: Retry
    timeout: tuple[float, float]

    @classmethod
    def within(cls, seconds: int) -> CallPolicy:
        """Retry after 429, 5xx and cut connections, with growing pauses, for this many seconds."""
        retry = DEFAULT_RETRY.with_delay(initial=0.25, maximum=8.0, multiplier=2.0).with_timeout(seconds)
        return cls(retry, (min(CONNECT_TIMEOUT_S, seconds), min(READ_TIMEOUT_S, seconds)))


def configure(session: AuthorizedSession) -> AuthorizedSession:
    """Prepare the session for many threads: by default it keeps ten connections and drops the rest."""
    adapter = HTTPAdapter(pool_maxsize=POOL_SIZE)
    if not session.is_mtls:  # mTLS needs its own adapter, with the client certificate
        session.mount("https://", adapter)
    session.mount("http://", adapter)
    session.hooks["response"].append(_read_error)
    return session


def _read_error(response: requests.Response, **_: Any) -> None:
    """Read an error's body: before a retry, downloads leave it unread and its connection open."""
    if response.status_code >= 400:
        response.content  # noqa: B018
