"""HTTP connections to Google: how many are kept, and how long to try over them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import requests
from google.api_core.retry import Retry
from google.auth.transport.requests import AuthorizedSession
from google.cloud.storage.retry import DEFAULT_RETRY
from requests.adapters import HTTPAdapter

KEPT = 256
"""Connections kept open, at most: as many as the settings allow threads."""
CONNECTING, WAITING = 10.0, 15.0
"""Seconds for a connection to be made and for the next bytes of an answer to come, at most; less than a call may be
repeated for, or one answer that never comes would be all that was tried."""


@dataclass(frozen=True)
class Patience:
    """How long to try: the retries, and for one attempt the seconds to connect and to wait for bytes."""

    retry: Retry
    timeout: tuple[float, float]

    @classmethod
    def of(cls, seconds: int) -> Patience:
        """Tries again after 429, 5xx and cut connections, ever more slowly, until so many seconds have passed."""
        retry = DEFAULT_RETRY.with_delay(initial=0.25, maximum=8.0, multiplier=2.0).with_timeout(seconds)
        return cls(retry, (min(CONNECTING, seconds), min(WAITING, seconds)))


def widen(session: AuthorizedSession) -> AuthorizedSession:
    """The session, fit for many threads: by itself it keeps ten connections and drops what more threads open."""
    adapter = HTTPAdapter(pool_maxsize=KEPT)
    if not session.is_mtls:  # that needs its own adapter, with the client's certificate
        session.mount("https://", adapter)
    session.mount("http://", adapter)
    session.hooks["response"].append(_read_error)
    return session


def _read_error(response: requests.Response, **_: Any) -> None:
    """A download that is tried again leaves the error's body unread, and with it a connection that nobody closes."""
    if response.status_code >= 400:
        response.content  # noqa: B018  # reading it gives the connection back
