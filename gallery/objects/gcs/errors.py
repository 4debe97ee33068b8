"""Translates the errors of Google's clients.

Messages name the role or command that fixes the problem. They never contain a signature, a token or the URL
of an upload session.
"""

from __future__ import annotations

import http.client
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import requests
import urllib3.exceptions
from google import resumable_media as media
from google.api_core import exceptions as api
from google.auth import exceptions as auth
from google.cloud.storage.exceptions import InvalidPathError

from gallery.errors import GalleryError, Invalid, NotFound, Unavailable

Missing = Literal["bucket", "object", "account"]

CLIENT_ERRORS = (
    api.GoogleAPIError,
    auth.GoogleAuthError,
    media.InvalidResponse,
    media.DataCorruption,
    InvalidPathError,
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    OSError,
)
"""All errors that the clients raise for problems outside this program."""

LOGIN_HINT = (
    "run `gcloud auth application-default login`, or set GOOGLE_APPLICATION_CREDENTIALS to the key of a "
    "service account"
)
SIGNER_ROLE = "roles/iam.serviceAccountTokenCreator"
READER_ROLE, WRITER_ROLE = "roles/storage.objectViewer", "roles/storage.objectUser"

TRANSIENT_STATUSES = {408, 409, 410, 412, 425, 429, 499}
"""Statuses below 500 after which the same call may succeed."""
RATE_PATTERN = re.compile(r"rateLimitExceeded|quotaExceeded|RATE_LIMIT|RESOURCE_EXHAUSTED", re.I)
BILLING_PATTERN = re.compile(
    r"billing account|billing.{0,20}(disabled|not enabled)|accountDisabled|BILLING_DISABLED", re.I
)
REQUESTER_PAYS_PATTERN = re.compile(r"requester pays|user ?project|UserProject", re.I)
API_DISABLED_PATTERN = re.compile(r"accessNotConfigured|SERVICE_DISABLED|has not been used in project", re.I)
CHECKSUM_PATTERN = re.compile(r"crc32c|md5|doesn't match calculated", re.I)
PERMISSION_PATTERN = re.compile(
    r"\b(?:storage\.[a-z]+|iam\.serviceAccounts|serviceusage\.services)\.[A-Za-z]+\b"
)
ACCOUNT_PATTERN = re.compile(r"[\w.+-]+@[\w.-]+\w")
DENIED_PATTERN = re.compile(r"PERMISSION_DENIED|['\"]code['\"]: 403")
MISSING_BUCKET_PATTERN = re.compile(r"bucket\b.{0,80}(does not exist|not found)", re.I)

SECRET_PATTERN = re.compile(
    r"(?i)((?:x-goog-signature|signature|upload_id|access_token|refresh_token|client_secret|assertion|token)"
    r"['\"]?\s*[=:]\s*['\"]?|bearer\s+)[^\s&'\",}]+|ya29\.[\w.-]+|-----BEGIN[^-]+-----.*"
)
MAX_MESSAGE_CHARS = 300


@contextmanager
def translate_errors(bucket: str, action: str, missing: Missing = "bucket") -> Iterator[None]:
    """Raise the clients' errors within the block as Invalid, NotFound or Unavailable.

    `action` completes "cannot …", as in "read a/b.jpg". `missing` is what a 404 means unless it mentions the
    bucket.
    """
    try:
        yield
    except CLIENT_ERRORS as error:
        # Keep secrets out of tracebacks: an upload session's URL, for example, works without credentials.
        cause = None if SECRET_PATTERN.search(str(error)) else error
        raise translate(error, bucket, action, missing) from cause


def translate(error: Exception, bucket: str, action: str, missing: Missing = "bucket") -> GalleryError:
    """Return the error to raise for one of CLIENT_ERRORS."""
    if missing != "bucket" and _status(error) == 404 and not MISSING_BUCKET_PATTERN.search(message_of(error)):
        if missing == "object":
            return NotFound(f"gs://{bucket}: cannot {action}: no such object")
        return Invalid(f"cannot {action} in gs://{bucket}: {message_of(error)}. {how_to_sign('EMAIL')}")
    kind, reason = _explain(error, bucket)
    return kind(f"cannot {action} in gs://{bucket}: {reason}")


def _explain(error: Exception, bucket: str) -> tuple[type[GalleryError], str]:
    match error:
        case api.RetryError():
            cause = error.cause if isinstance(error.cause, CLIENT_ERRORS) else None
            last = f"; last error: {_explain(cause, bucket)[1]}" if cause else ""
            return Unavailable, f"gave up after several attempts{last}"
        case auth.GoogleAuthError():
            return _explain_credentials(error, bucket)
        case api.GoogleAPICallError() | media.InvalidResponse():
            return _explain_response(error, bucket)
        case media.DataCorruption():
            return Unavailable, "the bytes do not match the object's checksum; try again"
        case api.GoogleAPIError() | InvalidPathError() | requests.exceptions.InvalidURL():
            return Invalid, message_of(error)
        case requests.exceptions.MissingSchema() | requests.exceptions.InvalidSchema():
            return Invalid, "STORAGE_EMULATOR_HOST must be a URL such as http://localhost:4443"
        case _:
            # The message dumps an object with the requested URL; the name of the class is clearer.
            return Unavailable, f"no complete response from Google ({type(error).__name__}); try again"


def _explain_credentials(error: auth.GoogleAuthError, bucket: str) -> tuple[type[GalleryError], str]:
    cause = error.args[0] if error.args else None
    text = message_of(error)
    answer = " ".join(str(part) for part in error.args)
    if DENIED_PATTERN.search(answer):  # credentials that call IAM keep its answer in their arguments
        return Invalid, _explain_denial(message_of(auth.GoogleAuthError(answer)), bucket)
    if error.retryable or isinstance(cause, auth.TransportError):
        return Unavailable, f"Google issued no access token: {text}; try again"
    match error:
        case auth.TransportError() | auth.TimeoutError() | auth.ResponseError():
            reason = type(cause).__name__ if isinstance(cause, Exception) else text
            return Unavailable, f"no response from Google's sign-in ({reason}); try again"
        case auth.RefreshError() | auth.OAuthError() | auth.UserAccessTokenError():
            return Invalid, f"the credentials have expired or were revoked: {text}; {LOGIN_HINT}"
        case auth.DefaultCredentialsError():
            return Invalid, f"no usable Google credentials ({text}); {LOGIN_HINT}"
        case _:
            return Invalid, f"the credentials cannot be used: {text}; {LOGIN_HINT}"


def _explain_response(
    error: api.GoogleAPICallError | media.InvalidResponse, bucket: str
) -> tuple[type[GalleryError], str]:
    code, text = _status(error), message_of(error)
    if code == 404:
        create = f"`gcloud storage buckets create gs://{bucket} --location=…`"
        return Invalid, f"the bucket does not exist; {create}"
    if code == 401:
        return Invalid, f"Google rejected the credentials: {text}; {LOGIN_HINT}"
    if code in (400, 403):
        if RATE_PATTERN.search(text) or (code == 400 and CHECKSUM_PATTERN.search(text)):
            return Unavailable, f"{text}; try again"
        if BILLING_PATTERN.search(text):
            link = "`gcloud billing projects link PROJECT --billing-account=ACCOUNT`"
            return Invalid, f"billing is disabled for the bucket's project: {text}; {link}"
        if REQUESTER_PAYS_PATTERN.search(text):
            payer = f"gs://{bucket}/…?project=PROJECT"
            return Invalid, f"{text}; name the project that pays for requests: {payer}"
        if API_DISABLED_PATTERN.search(text):
            enable = "`gcloud services enable storage.googleapis.com iamcredentials.googleapis.com`"
            return Invalid, f"{text}; {enable}"
    if code == 403:
        return Invalid, _explain_denial(text, bucket)
    if code in TRANSIENT_STATUSES or code >= 500 or code < 400:
        return Unavailable, f"Google answered with status {code or 'unknown'}: {text}; try again"
    return Invalid, f"Google answered with status {code}: {text}"


def _explain_denial(text: str, bucket: str) -> str:
    permission = PERMISSION_PATTERN.search(text)
    if permission is None:
        return f"forbidden: {text}; grant {WRITER_ROLE} on the bucket"
    account = ACCOUNT_PATTERN.search(text)
    email = account[0] if account else "EMAIL"
    is_user = account and not email.endswith("gserviceaccount.com")
    member = f"{'user' if is_user else 'serviceAccount'}:{email}"
    name = permission[0]
    if name.startswith("iam."):
        return f"the permission {name} is missing. {how_to_sign('EMAIL')}"
    if name.startswith("serviceusage."):
        target, role = "projects add-iam-policy-binding PROJECT", "roles/serviceusage.serviceUsageConsumer"
    else:
        target = f"storage buckets add-iam-policy-binding gs://{bucket}"
        role = READER_ROLE if name.endswith((".get", ".list")) else WRITER_ROLE
    return f"the permission {name} is missing; `gcloud {target} --member={member} --role={role}`"


def how_to_sign(email: str) -> str:
    """Return the command that lets a service account sign URLs as itself."""
    return (
        f"Signing needs {SIGNER_ROLE} on the service account: `gcloud iam service-accounts "
        f"add-iam-policy-binding {email} --member=serviceAccount:{email} --role={SIGNER_ROLE}`"
    )


def message_of(error: Exception) -> str:
    """Return the error's message, from Google's JSON if possible, on one line and without secrets."""
    response = getattr(error, "response", None)
    if isinstance(response, requests.Response):
        try:
            body = response.json()["error"]
            text = f"{body['message']} {' '.join(item.get('reason', '') for item in body.get('errors', ()))}"
        except (ValueError, KeyError, TypeError, AttributeError):
            text = response.text
    else:
        # The first argument is the message; the others may dump the token endpoint's answer.
        text = str(error.args[0]) if error.args else ""
    text = SECRET_PATTERN.sub("…", " ".join(text.split()))
    return text[:MAX_MESSAGE_CHARS].strip() or type(error).__name__


def _status(error: Exception) -> int:
    if isinstance(error, api.GoogleAPICallError) and error.code is not None:
        return int(error.code)
    if isinstance(error, media.InvalidResponse):
        return int(getattr(error.response, "status_code", 0))
    return 400 if isinstance(error, api.ClientError) else 0
