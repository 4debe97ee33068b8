"""HTTP connections to Google: retries, time limits and pool size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import requests
from google.api_core.retry import Retry
from google.auth.transport.requests import AuthorizedSession
from google.cloud.storage.retry import DEFAULT_RETRY
from requests.adapters import HTTPAdapter

POOL_CONNECTIONS = 256
"""Most connections kept open: as many as the settings allow threads."""
CONNECT_TIMEOUT_S, READ_TIMEOUT_S = 10.0, 15.0
"""Limits of one attempt; shorter than the time for retries, so that a silent server does not use it up."""


@dataclass(frozen=True)
class CallPolicy:
    """The client's `retry` and `timeout` options; the latter is seconds to connect and to wait for bytes."""

    retry: Retry
    timeout: tuple[float, float]

    @classmethod
    def within(cls, seconds: int) -> CallPolicy:
        """Return a policy that retries after 429, 5xx and cut connections for this many seconds."""
        retry = DEFAULT_RETRY.with_delay(initial=0.25, maximum=8.0, multiplier=2.0).with_timeout(seconds)
        return cls(retry, (min(CONNECT_TIMEOUT_S, seconds), min(READ_TIMEOUT_S, seconds)))


def configure(session: AuthorizedSession) -> AuthorizedSession:
    """Return the session, prepared for many threads; by default it keeps only ten connections."""
    adapter = HTTPAdapter(pool_maxsize=POOL_CONNECTIONS)
    if not session.is_mtls:  # mTLS needs its own adapter, with the client certificate
        session.mount("https://", adapter)
    session.mount("http://", adapter)
    session.hooks["response"].append(_read_error)
    return session


def _read_error(response: requests.Response, **_: Any) -> None:
    """Read an error's body, because a download that is retried leaves it unread and the connection open."""
    if response.status_code >= 400:
        response.content  # noqa: B018
