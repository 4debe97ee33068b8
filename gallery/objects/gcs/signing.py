"""Who signs addresses: a key at hand, or IAM on behalf of the service account that this machine runs as."""

from __future__ import annotations

import base64
from typing import Any

import google.auth
from google.api_core import exceptions
from google.auth import credentials as auth
from google.auth import crypt
from google.auth.transport.requests import AuthorizedSession, Request
from google.oauth2 import service_account

from gallery.errors import Invalid
from gallery.objects.gcs.connections import Patience, widen
from gallery.objects.gcs.errors import SIGNER, how_to_sign

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
"""For the bucket and for IAM; what may be done is up to the roles that were granted."""
IAM = "https://iamcredentials.googleapis.com"
TOKEN = "https://oauth2.googleapis.com/token"


class IamSigner(crypt.Signer):
    """Signs by IAM's signBlob. Raises what `gallery.objects.gcs.errors.edge` understands.

    google.auth.iam.Signer does the same, but waits two minutes for each answer and hides its status.
    """

    def __init__(self, session: AuthorizedSession, email: str, patience: Patience) -> None:
        self._session = session
        self._url = f"{IAM}/v1/projects/-/serviceAccounts/{email}:signBlob"
        self._patience = patience

    @property
    def key_id(self) -> None:
        """IAM chooses the key."""

    def sign(self, message: bytes) -> bytes:
        """The RSA-SHA256 signature."""
        blob = self._patience.retry(self._ask)({"payload": base64.b64encode(message).decode()})
        return base64.b64decode(blob)

    def _ask(self, payload: dict[str, str]) -> str:
        response = self._session.post(self._url, json=payload, timeout=self._patience.timeout)
        if response.status_code != 200:
            raise exceptions.from_http_response(response)
        signed: str = response.json()["signedBlob"]
        return signed


def signing_credentials(credentials: Any, patience: Patience) -> auth.Signing:
    """Credentials that can sign, from the ones that this process has. Raises Invalid where none can."""
    if isinstance(credentials, auth.Signing):
        return credentials
    email = getattr(credentials, "service_account_email", None)
    if email == "default":  # Compute's metadata server is only asked for the name with the first token
        credentials.refresh(Request())
        email = credentials.service_account_email
    if not email:
        raise Invalid(
            "cannot sign addresses: these credentials are no service account's. Name one's key in "
            "GOOGLE_APPLICATION_CREDENTIALS, or with " + SIGNER + " on a service account run `gcloud auth "
            "application-default login --impersonate-service-account=EMAIL`. " + how_to_sign("EMAIL")
        )
    signer = IamSigner(widen(AuthorizedSession(credentials)), email, patience)
    return service_account.Credentials(signer, email, TOKEN)


def default_credentials() -> Any:
    """Application Default Credentials. Raises google.auth's errors."""
    found, _ = google.auth.default(scopes=[SCOPE])
    return found
