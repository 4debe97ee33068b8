"""Credentials that sign URLs: a key file, or IAM on behalf of this machine's service account."""

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
from gallery.objects.gcs.connections import CallPolicy, configure
from gallery.objects.gcs.errors import SIGNER_ROLE, how_to_sign

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
"""Covers the bucket and IAM; access is limited by the granted roles."""
IAM_URL = "https://iamcredentials.googleapis.com"
TOKEN_URL = "https://oauth2.googleapis.com/token"


class IamSigner(crypt.Signer):
    """Signs with IAM's signBlob. Raises errors that `translate_errors` handles.

    Replaces google.auth.iam.Signer, which does not retry after 429 and cut connections and reports every
    status as a TransportError, and Blob.generate_signed_url(access_token=), which waits up to 120 s for each
    response.
    """

    def __init__(self, session: AuthorizedSession, email: str, policy: CallPolicy) -> None:
        self._session = session
        self._url = f"{IAM_URL}/v1/projects/-/serviceAccounts/{email}:signBlob"
        self._policy = policy

    @property
    def key_id(self) -> None:
        """None: IAM chooses the key."""

    def sign(self, message: bytes) -> bytes:
        """Return the RSA-SHA256 signature of the message."""
        blob = self._policy.retry(self._post)({"payload": base64.b64encode(message).decode()})
        return base64.b64decode(blob)

    def _post(self, payload: dict[str, str]) -> str:
        response = self._session.post(self._url, json=payload, timeout=self._policy.timeout)
        if response.status_code != 200:
            raise exceptions.from_http_response(response)
        signed: str = response.json()["signedBlob"]
        return signed


def signing_credentials(credentials: Any, policy: CallPolicy) -> auth.Signing:
    """Return credentials that can sign, based on `credentials`. Raises Invalid if these cannot sign."""
    if isinstance(credentials, auth.Signing):
        return credentials
    email = getattr(credentials, "service_account_email", None)
    if email == "default":  # on Compute Engine the first token brings the email
        credentials.refresh(Request())
        email = credentials.service_account_email
    if not email:
        raise Invalid(
            "cannot sign URLs: these credentials do not belong to a service account. Set "
            "GOOGLE_APPLICATION_CREDENTIALS to a service account's key, or, with "
            f"{SIGNER_ROLE} on a service account, run `gcloud auth application-default login "
            f"--impersonate-service-account=EMAIL`. {how_to_sign('EMAIL')}"
        )
    signer = IamSigner(configure(AuthorizedSession(credentials)), email, policy)
    return service_account.Credentials(signer, email, TOKEN_URL)


def default_credentials() -> Any:
    """Return Application Default Credentials. Raises the errors of google.auth."""
    found, _ = google.auth.default(scopes=[SCOPE])
    return found
