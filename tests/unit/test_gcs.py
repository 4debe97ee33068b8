"""The Google Cloud Storage adapter without a server: addresses, error messages and the circuit breaker."""

from __future__ import annotations

import inspect
import json
import time
from pathlib import Path
from types import ModuleType

import pytest

from gallery.errors import GalleryError, Invalid, NotFound, Unavailable
from gallery.objects.base import IMAGES
from gallery.objects.gcs import GcsObjects
from gallery.objects.gcs.circuit_breaker import OPEN_S, CircuitBreaker
from gallery.objects.gcs.errors import CLIENT_ERRORS, message_of, translate
from tests.fakes.gcs import without_credentials

# isort: split
# After the adapter, which silences what these warn about on their first import.
import google.api_core.exceptions
import google.auth.exceptions
import google.cloud.exceptions
import google.cloud.storage.exceptions
import google.resumable_media
import google_crc32c
import requests

BUCKET = "paintings"


@pytest.fixture(autouse=True)
def _no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    without_credentials(monkeypatch, tmp_path)


# Addresses


@pytest.mark.parametrize(
    "address",
    [
        "gs://", "gs:///a", "gs://a", "gs://UPPER", "gs://a_b/../c", "gs://abc/a//b", "gs://abc/ä", "gs://abc?zone=1",
        "gs://abc?timeout=0", "gs://abc?timeout=x", "gs://abc?project=", "gs://-abc",
    ],
)  # fmt: skip
def test_a_wrong_address_is_invalid(address: str) -> None:
    with pytest.raises(Invalid):
        IMAGES.open(address)


def test_an_emulator_without_a_scheme_is_invalid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "localhost:4443")
    with pytest.raises(Invalid, match="must be a URL such as http://localhost:4443"):
        IMAGES.open("gs://paintings")


def test_opening_calls_nothing() -> None:
    store = IMAGES.open("gs://paintings/a?timeout=5")
    assert store.public_url("b.png") == "https://storage.googleapis.com/paintings/a/b.png"


def test_checksums_are_computed_in_c() -> None:
    assert google_crc32c.implementation == "c"


# Credentials


def test_missing_credentials_come_with_the_command_that_creates_them() -> None:
    with pytest.raises(
        Invalid, match=r"gcloud auth application-default login.*GOOGLE_APPLICATION_CREDENTIALS"
    ):
        GcsObjects(BUCKET).get("a")


@pytest.mark.parametrize("content", [None, "no json", "{}", '{"type": "service_account"}'])
def test_an_unusable_key_file_is_named(
    content: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "key.json"
    if content is not None:
        path.write_text(content)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
    with pytest.raises(Invalid, match=r"no usable Google credentials \(.*key\.json"):
        GcsObjects(BUCKET).get("a")


# Errors

DENIAL = (
    "loader@gallery.iam.gserviceaccount.com does not have {0} access to the Google Cloud Storage object. "
    "Permission '{0}' denied on resource (or it may not exist)."
)


@pytest.mark.parametrize(
    ("status", "message", "reason", "kind", "words"),
    [
        (404, "The specified bucket does not exist.", "notFound", Invalid,
         "gcloud storage buckets create gs://paintings --location"),
        (403, DENIAL.format("storage.objects.get"), "forbidden", Invalid,
         "--member=serviceAccount:loader@gallery.iam.gserviceaccount.com --role=roles/storage.objectViewer"),
        (403, DENIAL.format("storage.objects.create"), "forbidden", Invalid,
         "storage.objects.create is missing; `gcloud storage buckets add-iam-policy-binding gs://paintings"),
        (403, DENIAL.format("storage.objects.delete"), "forbidden", Invalid,
         "--role=roles/storage.objectUser"),
        (403,
         "Caller does not have required permission to use project payer. Grant the caller the "
         "roles/serviceusage.serviceUsageConsumer role, or a custom role with the "
         "serviceusage.services.use permission", "USER_PROJECT_DENIED", Invalid,
         "gcloud projects add-iam-policy-binding PROJECT --member=serviceAccount:EMAIL "
         "--role=roles/serviceusage.serviceUsageConsumer"),
        (403, "Request is prohibited by organization's policy.", "vpcServiceControls", Invalid,
         "forbidden: Request is prohibited"),
        (403, "The billing account for the owning project is disabled in state absent", "accountDisabled",
         Invalid, "gcloud billing projects link"),
        (403, "Cloud Storage JSON API has not been used in project 12 before or it is disabled.",
         "accessNotConfigured", Invalid, "gcloud services enable"),
        (403, "The rate of requests is too high.", "rateLimitExceeded", Unavailable, "try again"),
        (400, "Bucket is a requester pays bucket but no user project provided.", "required", Invalid,
         "?project=PROJECT"),
        (400, "User project specified in the request is invalid.", "invalid", Invalid, "?project=PROJECT"),
        (400, "Invalid argument.", "invalid", Invalid, "status 400: Invalid argument."),
        (400, 'Provided CRC32C "AAAAAA==" doesn\'t match calculated CRC32C "Nks/tw==".', "invalid",
         Unavailable, "CRC32C"),
        (409, "Conflict.", "conflict", Unavailable, "status 409"),
        (401, "Anonymous caller does not have storage.objects.get access.", "required", Invalid,
         "gcloud auth application-default login"),
    ],
)  # fmt: skip
def test_a_refusal_names_what_fixes_it(
    status: int, message: str, reason: str, kind: type[GalleryError], words: str
) -> None:
    response = requests.Response()
    response.status_code = status
    response.request = requests.Request("GET", "http://localhost/").prepare()
    body = {"error": {"message": message, "errors": [{"reason": reason}]}}
    response._content = json.dumps(body).encode()
    for error in (
        google.api_core.exceptions.from_http_response(response),
        google.resumable_media.InvalidResponse(response, "words"),
    ):
        translated = translate(error, BUCKET, "read a.png")
        assert type(translated) is kind and words in str(translated)
        assert str(translated).startswith("cannot read a.png in gs://paintings: ")


@pytest.mark.parametrize(
    "error",
    [
        google.auth.exceptions.RefreshError("Unable to acquire impersonated credentials", "{}"),
        google.auth.exceptions.TransportError("Error calling sign_bytes: {}"),
    ],
)
def test_denied_impersonation_names_the_missing_role(error: Exception) -> None:
    answer = (
        "{'error': {'code': 403, 'message': \"Permission 'iam.serviceAccounts.getAccessToken' denied on "
        "resource\", 'status': 'PERMISSION_DENIED'}}"
    )
    translated = translate(type(error)(*(arg.replace("{}", answer) for arg in error.args)), BUCKET, "sign")
    assert isinstance(translated, Invalid)
    assert "iam.serviceAccounts.getAccessToken is missing" in str(translated)
    assert "roles/iam.serviceAccountTokenCreator" in str(translated)


def exceptions_in(*modules: ModuleType) -> list[type[Exception]]:
    programming_error = google.api_core.exceptions.AsyncRestUnsupportedParameterError
    found = {
        member
        for module in modules
        for _, member in inspect.getmembers(module, inspect.isclass)
        if issubclass(member, Exception)
        and not issubclass(member, (Warning, programming_error))
        and member.__module__.startswith(("google.", "requests."))
    }
    return sorted(found, key=lambda kind: (kind.__module__, kind.__name__))


CLIENT_EXCEPTIONS = exceptions_in(
    google.api_core.exceptions,
    google.auth.exceptions,
    google.cloud.exceptions,
    google.cloud.storage.exceptions,
    google.resumable_media,
    requests.exceptions,
)
TRANSIENT_NAMES = (
    "Timeout",
    "TooMany",
    "Unavailable",
    "Deadline",
    "Connection",
    "Internal",
    "Gateway",
    "DataCorruption",
    "Aborted",
)


def instance_of(kind: type[Exception]) -> Exception:
    response = requests.Response()
    response.status_code, response._content = 503, b"later"
    for arguments in (
        (response, "words"),
        ("words", "document", 0),
        ("words", ValueError("cause")),
        ("words",),
    ):
        try:
            return kind(*arguments)
        except TypeError:
            continue
    raise AssertionError(f"{kind} takes other arguments")


def test_every_error_of_the_clients_is_translated() -> None:
    assert len(CLIENT_EXCEPTIONS) > 60
    for kind in CLIENT_EXCEPTIONS:
        assert issubclass(kind, CLIENT_ERRORS), kind
        translated = translate(instance_of(kind), BUCKET, "do it")
        assert isinstance(translated, (Invalid, NotFound, Unavailable)), kind
        assert str(translated).startswith("cannot do it in gs://paintings: "), kind
        if kind.__name__.startswith(TRANSIENT_NAMES):
            assert isinstance(translated, Unavailable), kind


@pytest.mark.parametrize(
    "text",
    [
        "GET https://x/?X-Goog-Signature=5ec2e7&a=1", "PUT https://x/o?uploadType=resumable&upload_id=5ec2e7",
        "Authorization: Bearer 5ec2e7", "{'access_token': '5ec2e7'}", '{"refresh_token":"5ec2e7"}',
        "ya29.5ec2e7-x",
        "assertion=5ec2e7", "-----BEGIN PRIVATE KEY----- 5ec2e7",
    ],
)  # fmt: skip
def test_messages_contain_no_secret(text: str) -> None:
    assert "5ec2e7" not in message_of(ValueError(text))


# The circuit breaker


def test_after_a_failure_calls_fail_at_once_until_a_probe_succeeds(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    breaker = CircuitBreaker("gs://paintings")

    def call(error: Exception | None = None) -> None:
        with breaker:
            if error:
                raise error

    with pytest.raises(Unavailable, match="slow"):
        call(Unavailable("slow"))
    with pytest.raises(Unavailable, match="did not answer a moment ago; try again"):
        call()
    now[0] += OPEN_S
    with breaker, pytest.raises(Unavailable, match="a moment ago"):
        call()  # a second call while the first one probes
    call(None)


def test_a_missing_object_does_not_open_the_circuit() -> None:
    breaker = CircuitBreaker("gs://paintings")
    with pytest.raises(NotFound), breaker:
        raise NotFound("no object a")
    with breaker:
        pass
