"""What the Google clients raise, as ours: the one edge of this adapter.

Messages name the role or the command that mends what happened, and never a signature, token or upload session.
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
"""Everything that the clients raise when something outside goes wrong."""

LOG_IN = "run `gcloud auth application-default login`, or name a service account's key in GOOGLE_APPLICATION_CREDENTIALS"
SIGNER = "roles/iam.serviceAccountTokenCreator"
READER, WRITER = "roles/storage.objectViewer", "roles/storage.objectUser"

PASSING = {408, 409, 410, 412, 425, 429, 499}
"""Statuses below 500 that the same call may not meet again."""
RATE = re.compile(r"rateLimitExceeded|quotaExceeded|RATE_LIMIT|RESOURCE_EXHAUSTED", re.I)
BILLING = re.compile(
    r"billing account|billing.{0,20}(disabled|not enabled)|accountDisabled|BILLING_DISABLED", re.I
)
REQUESTER_PAYS = re.compile(r"requester pays|user ?project|UserProject", re.I)
SWITCHED_OFF = re.compile(r"accessNotConfigured|SERVICE_DISABLED|has not been used in project", re.I)
CHECKSUM = re.compile(r"crc32c|md5|doesn't match calculated", re.I)
PERMISSION = re.compile(r"\b(?:storage\.[a-z]+|iam\.serviceAccounts|serviceusage\.services)\.[A-Za-z]+\b")
ACCOUNT = re.compile(r"[\w.+-]+@[\w.-]+\w")
DENIED = re.compile(r"PERMISSION_DENIED|['\"]code['\"]: 403")
NO_BUCKET = re.compile(r"bucket\b.{0,80}(does not exist|not found)", re.I)

SECRET = re.compile(
    r"(?i)((?:x-goog-signature|signature|upload_id|access_token|refresh_token|client_secret|assertion|token)"
    r"['\"]?\s*[=:]\s*['\"]?|bearer\s+)[^\s&'\",}]+|ya29\.[\w.-]+|-----BEGIN[^-]+-----.*"
)
LONGEST = 300


@contextmanager
def edge(bucket: str, doing: str, missing: Missing = "bucket") -> Iterator[None]:
    """Raises what the clients raise inside as Invalid, NotFound or Unavailable.

    `doing` is such as "read a/b.jpg"; `missing` is what a 404 is about, where it does not say that it is the bucket.
    """
    try:
        yield
    except CLIENT_ERRORS as error:
        # A client's own message may hold an upload session, which needs no other key: then it goes into no traceback.
        raise gallery_error(error, bucket, doing, missing) from (None if SECRET.search(str(error)) else error)


def gallery_error(error: Exception, bucket: str, doing: str, missing: Missing = "bucket") -> GalleryError:
    """The error to raise for one of CLIENT_ERRORS."""
    if missing != "bucket" and _status(error) == 404 and not NO_BUCKET.search(said(error)):
        if missing == "object":
            return NotFound(f"gs://{bucket}: cannot {doing}: there is no such object")
        return Invalid(f"cannot {doing} in gs://{bucket}: {said(error)}. {how_to_sign('EMAIL')}")
    kind, why = _told(error, bucket)
    return kind(f"cannot {doing} in gs://{bucket}: {why}")


def _told(error: Exception, bucket: str) -> tuple[type[GalleryError], str]:
    match error:
        case api.RetryError():
            cause = error.cause if isinstance(error.cause, CLIENT_ERRORS) else None
            last = f"; the last: {_told(cause, bucket)[1]}" if cause else ""
            return Unavailable, f"gave up after several tries{last}"
        case auth.GoogleAuthError():
            return _told_of_credentials(error, bucket)
        case api.GoogleAPICallError() | media.InvalidResponse():
            return _told_of_answer(error, bucket)
        case media.DataCorruption():
            return Unavailable, "the bytes do not have the checksum that the bucket gives; try again"
        case api.GoogleAPIError() | InvalidPathError() | requests.exceptions.InvalidURL():
            return Invalid, said(error)
        case requests.exceptions.MissingSchema() | requests.exceptions.InvalidSchema():
            return Invalid, "STORAGE_EMULATOR_HOST must be like http://localhost:4443"
        case _:
            # Its text is the dump of an object, with the address that was asked; its name says what happened.
            return Unavailable, f"no whole answer from Google ({type(error).__name__}); try again"


def _told_of_credentials(error: auth.GoogleAuthError, bucket: str) -> tuple[type[GalleryError], str]:
    cause = error.args[0] if error.args else None
    text = said(error)
    answer = " ".join(str(part) for part in error.args)
    if DENIED.search(answer):  # credentials that ask IAM put its answer among their arguments
        return Invalid, _told_of_denial(said(auth.GoogleAuthError(answer)), bucket)
    if error.retryable or isinstance(cause, auth.TransportError):
        return Unavailable, f"Google gave no access token: {text}; try again"
    match error:
        case auth.TransportError() | auth.TimeoutError() | auth.ResponseError():
            why = type(cause).__name__ if isinstance(cause, Exception) else text
            return Unavailable, f"no answer from Google's sign-in ({why}); try again"
        case auth.RefreshError() | auth.OAuthError() | auth.UserAccessTokenError():
            return Invalid, f"the credentials have expired or were revoked: {text}; {LOG_IN}"
        case auth.DefaultCredentialsError():
            return Invalid, f"there are no Google credentials that can be used ({text}); {LOG_IN}"
        case _:
            return Invalid, f"the credentials cannot be used: {text}; {LOG_IN}"


def _told_of_answer(
    error: api.GoogleAPICallError | media.InvalidResponse, bucket: str
) -> tuple[type[GalleryError], str]:
    code, text = _status(error), said(error)
    if code == 404:
        create = f"`gcloud storage buckets create gs://{bucket} --location=…`"
        return Invalid, f"there is no such bucket; {create}"
    if code == 401:
        return Invalid, f"the credentials were refused: {text}; {LOG_IN}"
    if code in (400, 403):
        if RATE.search(text) or (code == 400 and CHECKSUM.search(text)):
            return Unavailable, f"{text}; try again"
        if BILLING.search(text):
            project = "`gcloud billing projects link PROJECT --billing-account=ACCOUNT`"
            return Invalid, f"billing is disabled for the project of the bucket: {text}; {project}"
        if REQUESTER_PAYS.search(text):
            payer = f"gs://{bucket}/…?project=PROJECT"
            return Invalid, f"{text}; name the project that pays for requests: {payer}"
        if SWITCHED_OFF.search(text):
            enable = "`gcloud services enable storage.googleapis.com iamcredentials.googleapis.com`"
            return Invalid, f"{text}; {enable}"
    if code == 403:
        return Invalid, _told_of_denial(text, bucket)
    if code in PASSING or code >= 500 or code < 400:
        return Unavailable, f"Google answered {code or 'something unknown'}: {text}; try again"
    return Invalid, f"Google answered {code}: {text}"


def _told_of_denial(text: str, bucket: str) -> str:
    permission = PERMISSION.search(text)
    if permission is None:
        return f"that is forbidden: {text}; grant {WRITER} on the bucket"
    account = ACCOUNT.search(text)
    who = account[0] if account else "EMAIL"
    member = f"{'user' if account and not who.endswith('gserviceaccount.com') else 'serviceAccount'}:{who}"
    name = permission[0]
    if name.startswith("iam."):
        return f"{name} is missing. {how_to_sign('EMAIL')}"
    if name.startswith("serviceusage."):
        role = "roles/serviceusage.serviceUsageConsumer"
        return f"{name} is missing; `gcloud projects add-iam-policy-binding PROJECT --member={member} --role={role}`"
    role = READER if name.endswith((".get", ".list")) else WRITER
    grant = f"`gcloud storage buckets add-iam-policy-binding gs://{bucket} --member={member} --role={role}`"
    return f"{name} is missing; {grant}"


def how_to_sign(email: str) -> str:
    """The command that lets a service account sign addresses as itself."""
    member = f"--member=serviceAccount:{email} --role={SIGNER}"
    return (
        f"Signing needs {SIGNER} on the service account: "
        f"`gcloud iam service-accounts add-iam-policy-binding {email} {member}`"
    )


def said(error: Exception) -> str:
    """What the error says, one line without secrets: the message of Google's JSON where there is one."""
    response = getattr(error, "response", None)
    text = ""
    if isinstance(response, requests.Response):
        try:
            body = response.json()["error"]
            text = f"{body['message']} {' '.join(item.get('reason', '') for item in body.get('errors', ()))}"
        except (ValueError, KeyError, TypeError, AttributeError):
            text = response.text
    else:
        # Of several arguments the first is for people; the others dump the answer of the token endpoint.
        text = str(error.args[0]) if error.args else type(error).__name__
    text = SECRET.sub("…", " ".join(text.split()))
    return text[:LONGEST].strip() or type(error).__name__


def _status(error: Exception) -> int:
    if isinstance(error, api.GoogleAPICallError) and error.code is not None:
        return int(error.code)
    if isinstance(error, media.InvalidResponse):
        return int(getattr(error.response, "status_code", 0))
    return 400 if isinstance(error, api.ClientError) else 0
