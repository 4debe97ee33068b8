"""Google Cloud Storage as object store: the contract, what goes wrong on the way, and who signs addresses."""

from __future__ import annotations

import base64
import hashlib
import inspect
import json
import logging
import os
import time
import traceback
import urllib.request
import uuid
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import google_crc32c
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from gallery.errors import GalleryError, Invalid, NotFound, Unavailable
from gallery.objects.base import IMAGES, ObjectStore
from gallery.objects.gcs import GcsObjects, open_gcs
from gallery.objects.gcs.errors import CLIENT_ERRORS, gallery_error, said
from tests.contracts.object_store import ObjectStoreContract
from tests.fakes.gcs import (
    Fault,
    Proxy,
    create_bucket,
    fake_gcs,
    proxy,
    service_account_key,
    without_credentials,
)

# isort: split
# After the adapter, which quiets what these warn of when first imported.
import google.api_core.exceptions
import google.auth.credentials
import google.auth.exceptions
import google.cloud.exceptions
import google.cloud.storage.exceptions
import google.resumable_media
import requests

BUCKET = "paintings"
KEY = "originals/ab/abcd.png"
DENIAL = (
    "loader@gallery.iam.gserviceaccount.com does not have {0} access to the Google Cloud Storage object. "
    "Permission '{0}' denied on resource (or it may not exist)."
)


@pytest.fixture(autouse=True)
def _no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Nobody's credentials but the test's own, and no question to a metadata server."""
    if request.cls is TestRealBucket:
        return
    without_credentials(monkeypatch, tmp_path)


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    """The endpoint of a fake server with the bucket in it."""
    with fake_gcs() as endpoint:
        create_bucket(endpoint, BUCKET)
        yield endpoint


@pytest.fixture
def objects(bucket: str, monkeypatch: pytest.MonkeyPatch) -> GcsObjects:
    """A store below a prefix that nobody has used."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", bucket)
    return GcsObjects(BUCKET, uuid.uuid4().hex)


@pytest.fixture
def trouble(bucket: str) -> Iterator[Proxy]:
    with proxy(bucket) as server:
        yield server


@pytest.fixture
def troubled(trouble: Proxy, monkeypatch: pytest.MonkeyPatch) -> GcsObjects:
    """A store with the trouble in between, which gives up after 2 s."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", trouble.endpoint)
    return GcsObjects(BUCKET, uuid.uuid4().hex, timeout=2)


class TestGcsObjects(ObjectStoreContract):
    @pytest.fixture
    def objects(self, bucket: str, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", bucket)
        return GcsObjects(BUCKET, uuid.uuid4().hex)


@pytest.mark.filterwarnings("ignore:Your application has authenticated using end user credentials")
class TestRealBucket(ObjectStoreContract):
    @pytest.fixture
    def objects(self) -> Iterator[ObjectStore]:
        named = os.environ.get("GALLERY_TEST_GCS")
        if not named:
            pytest.skip("GALLERY_TEST_GCS names no bucket")
        store = open_gcs(
            IMAGES.parse(f"gs://{named.removeprefix('gs://').strip('/')}/test-{uuid.uuid4().hex}")
        )
        yield store
        for key in store.sizes():
            store.delete(key)


def stat(objects: GcsObjects, key: str) -> Any:
    """What the bucket knows of the object."""
    return objects._of_bucket().get_blob(objects._prefix + key)


# -- what is written


def test_checksums_are_made_in_c() -> None:
    assert google_crc32c.implementation == "c"


def test_what_names_its_content_may_be_kept_for_ever_and_what_is_replaced_may_not(
    objects: GcsObjects,
) -> None:
    objects.add(KEY, b"picture", "image/png")
    objects.put("plan.json", b"{}", "application/json")
    added, put = stat(objects, KEY), stat(objects, "plan.json")
    assert (added.content_type, added.cache_control) == ("image/png", "public, max-age=31536000, immutable")
    assert (put.content_type, put.cache_control) == ("application/json", "private, no-cache")


def test_an_object_too_large_for_one_request_comes_back_whole(objects: GcsObjects) -> None:
    data = os.urandom(1000) * 9000
    assert objects.add("large", data) is True
    assert objects.get("large") == data
    assert objects.add("large", data) is False


def test_what_is_there_is_not_sent_again(trouble: Proxy, troubled: GcsObjects) -> None:
    troubled.add(KEY, b"once")
    troubled.add(KEY, b"once")
    assert sum(request.startswith("POST /upload") for request in trouble.seen) == 1


def test_two_writers_of_one_key_are_told_apart_by_the_bucket(trouble: Proxy, troubled: GcsObjects) -> None:
    """Both see it absent; the precondition lets one of them write."""
    trouble.faults.append(Fault("GET", KEY.replace("/", "%2F"), status=404, message="No such object"))
    troubled.put(KEY, b"first")
    assert troubled.add(KEY, b"second") is False
    assert any("ifGenerationMatch=0" in request for request in trouble.seen)
    assert troubled.get(KEY) == b"first"


def test_a_listing_goes_on_after_the_first_page_and_asks_for_no_more_than_it_needs(
    trouble: Proxy, troubled: GcsObjects
) -> None:
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda number: troubled.put(f"n/{number:04}", b"x"), range(1100)))
    assert list(troubled.sizes("n/")) == [f"n/{number:04}" for number in range(1100)]
    asked = [parse_qs(urlsplit(request).query) for request in trouble.seen if request.startswith("GET")]
    assert {query["fields"][0] for query in asked} == {"items(name,size),nextPageToken"}


def test_folders_that_the_console_makes_are_no_objects(objects: GcsObjects) -> None:
    objects._of_bucket().blob(objects._prefix + "originals/").upload_from_string(b"")
    objects.put(KEY, b"x")
    assert list(objects.sizes()) == [KEY]


def test_a_store_without_a_prefix_has_the_whole_bucket(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", bucket)
    create_bucket(bucket, "whole")
    whole, part = IMAGES.open("gs://whole"), IMAGES.open("gs://whole/a/b/")
    whole.put("a/b/c", b"x")
    assert part.get("c") == b"x" and part.sizes() == {"c": 1} and whole.sizes() == {"a/b/c": 1}
    assert (whole.address, part.address) == ("gs://whole", "gs://whole/a/b")


def test_forty_threads_share_one_client_without_losing_a_connection(
    objects: GcsObjects, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING), ThreadPoolExecutor(40) as pool:
        assert all(pool.map(lambda number: objects.add(f"t/{number}", b"x" * 20_000), range(200)))
    assert len(objects.sizes("t/")) == 200
    assert [record.getMessage() for record in caplog.records] == []


def test_a_forked_process_makes_a_client_of_its_own(objects: GcsObjects) -> None:
    objects.put("a", b"x")
    before = objects._client
    read, write = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # 3.12 and later: forking beside threads
        child = os.fork()
    if child == 0:
        own = objects._client is not before and objects.get("a") == b"x"
        os.write(write, b"own" if own else b"shared")
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(read, 10) == b"own"
    os.close(read), os.close(write)
    assert objects._client is before


# -- addresses


@pytest.mark.parametrize(
    "address",
    [
        "gs://", "gs:///a", "gs://a", "gs://UPPER", "gs://a_b/../c", "gs://abc/a//b", "gs://abc/ä", "gs://abc?zone=1",
        "gs://abc?timeout=0", "gs://abc?timeout=x", "gs://abc?project=", "gs://-abc",
    ],
)  # fmt: skip
def test_a_mistaken_address_is_invalid(address: str) -> None:
    with pytest.raises(Invalid):
        IMAGES.open(address)


def test_an_emulator_without_its_scheme_is_invalid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "localhost:4443")
    with pytest.raises(Invalid, match="http://localhost:4443"):
        IMAGES.open("gs://paintings")


def test_opening_asks_nothing_of_google() -> None:
    store = IMAGES.open("gs://paintings/a?timeout=5")
    assert store.public_url(KEY) == f"https://storage.googleapis.com/paintings/a/{KEY}"


def test_the_project_that_pays_is_named_in_every_request(trouble: Proxy, troubled: GcsObjects) -> None:
    store = open_gcs(IMAGES.parse(f"{troubled.address}?project=payer-1&timeout=2"))
    store.add(KEY, b"x")
    store.put(KEY, b"y")
    store.get(KEY)
    store.sizes()
    store.delete(KEY)
    assert trouble.seen and all("userProject=payer-1" in request for request in trouble.seen)


# -- what passes


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_passes_is_tried_again(trouble: Proxy, troubled: GcsObjects, status: int) -> None:
    trouble.faults += [
        Fault("POST", "/upload", 2, status, "later"),
        Fault("GET", "alt=media", 2, status, "later"),
    ]
    assert troubled.add(KEY, b"bytes") is True
    assert troubled.get(KEY) == b"bytes"
    assert [fault.times for fault in trouble.faults] == [0, 0]


@pytest.mark.parametrize("damage", ["reset", "cut"])
def test_a_cut_connection_is_tried_again(trouble: Proxy, troubled: GcsObjects, damage: str) -> None:
    data = os.urandom(100_000)
    troubled.put(KEY, data)
    trouble.faults += [Fault("GET", "alt=media", 1, damage=damage), Fault("DELETE", times=1, damage=damage)]
    assert troubled.get(KEY) == data
    troubled.delete(KEY)
    assert troubled.sizes() == {}
    assert [fault.times for fault in trouble.faults] == [0, 0]


def test_a_write_whose_answer_was_lost_is_written_once(trouble: Proxy, troubled: GcsObjects) -> None:
    trouble.faults.append(Fault("POST", "/upload", 1, damage="late"))
    assert troubled.add(KEY, b"bytes") is False  # it is there, though nobody said so
    trouble.faults.append(Fault("POST", "/upload", 1, damage="late"))
    troubled.put("other", b"bytes")
    assert troubled.sizes() == {KEY: 5, "other": 5}


def test_what_does_not_pass_is_unavailable_in_bounded_time(trouble: Proxy, troubled: GcsObjects) -> None:
    trouble.faults.append(Fault("GET", times=1000, status=503, message="backend error"))
    start = time.monotonic()
    with pytest.raises(
        Unavailable, match=r"cannot read originals/ab/abcd\.png in gs://paintings.*backend error"
    ):
        troubled.get(KEY)
    assert 0.5 < time.monotonic() - start < 5


def test_a_server_that_is_not_there_is_unavailable(monkeypatch: pytest.MonkeyPatch, trouble: Proxy) -> None:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:9")
    store = GcsObjects(BUCKET, timeout=1)
    acts = [
        lambda: store.put("a", b""),
        lambda: store.add("a", b""),
        lambda: store.get("a"),
        lambda: store.sizes(),
    ]
    with ThreadPoolExecutor(4) as pool:
        for error in pool.map(raised_by, acts):
            assert isinstance(error, Unavailable) and "ConnectionError" in str(error)


def raised_by(act: Any) -> BaseException:
    with pytest.raises(GalleryError) as caught:
        act()
    return caught.value


def test_corrupted_bytes_are_not_given_out(trouble: Proxy, troubled: GcsObjects) -> None:
    troubled.put(KEY, b"bytes that matter")
    trouble.faults.append(Fault("GET", "alt=media", 1, damage="corrupt"))
    with pytest.raises(Unavailable, match="checksum"):
        troubled.get(KEY)
    assert troubled.get(KEY) == b"bytes that matter"


def test_bytes_fetched_in_two_parts_are_checked_too(trouble: Proxy, troubled: GcsObjects) -> None:
    troubled.put(KEY, os.urandom(100_000))
    trouble.faults += [
        Fault("GET", "alt=media", 1, damage="cut"),
        Fault("GET", "alt=media", 1, damage="corrupt"),
    ]
    with pytest.raises(Unavailable, match="checksum"):
        troubled.get(KEY)


@pytest.mark.parametrize("length", [10, 9_000_000])
def test_the_bucket_is_told_the_checksum_of_what_it_is_sent(
    trouble: Proxy, troubled: GcsObjects, length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that it refuses other bytes instead of keeping them: a bad object would count as present for ever."""
    sent: list[bytes] = []
    request = requests.Session.request

    def spied(self: requests.Session, method: str, url: str, data: Any = None, **others: Any) -> Any:
        sent.append(data if isinstance(data, bytes) else b"")
        return request(self, method, url, data=data, **others)

    monkeypatch.setattr(requests.Session, "request", spied)
    data = b"x" * length
    troubled.put(KEY, data)
    checksum = base64.b64encode(google_crc32c.value(data).to_bytes(4, "big"))
    assert any(b'"crc32c": "%b"' % checksum in body for body in sent)


# -- what does not pass


@pytest.mark.parametrize(
    ("status", "message", "reason", "kind", "words"),
    [
        (404, "The specified bucket does not exist.", "notFound", Invalid, "gcloud storage buckets create gs://paintings --location"),
        (403, DENIAL.format("storage.objects.get"), "forbidden", Invalid, "--member=serviceAccount:loader@gallery.iam.gserviceaccount.com --role=roles/storage.objectViewer"),
        (403, DENIAL.format("storage.objects.create"), "forbidden", Invalid, "storage.objects.create is missing; `gcloud storage buckets add-iam-policy-binding gs://paintings"),
        (403, DENIAL.format("storage.objects.delete"), "forbidden", Invalid, "--role=roles/storage.objectUser"),
        (403, "Caller does not have required permission to use project payer. Grant the caller the roles/serviceusage.serviceUsageConsumer role, or a custom role with the serviceusage.services.use permission", "USER_PROJECT_DENIED", Invalid, "roles/serviceusage.serviceUsageConsumer"),
        (403, "Request is prohibited by organization's policy.", "vpcServiceControls", Invalid, "forbidden: Request is prohibited"),
        (403, "The billing account for the owning project is disabled in state absent", "accountDisabled", Invalid, "gcloud billing projects link"),
        (403, "Cloud Storage JSON API has not been used in project 12 before or it is disabled.", "accessNotConfigured", Invalid, "gcloud services enable"),
        (403, "The rate of requests is too high.", "rateLimitExceeded", Unavailable, "try again"),
        (400, "Bucket is a requester pays bucket but no user project provided.", "required", Invalid, "?project=PROJECT"),
        (400, "User project specified in the request is invalid.", "invalid", Invalid, "?project=PROJECT"),
        (400, "Invalid argument.", "invalid", Invalid, "Google answered 400: Invalid argument."),
        (409, "Conflict.", "conflict", Unavailable, "Google answered 409"),
        (401, "Anonymous caller does not have storage.objects.get access.", "required", Invalid, "gcloud auth application-default login"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("act", ["get", "sizes", "put", "add", "delete"])
def test_what_does_not_pass_says_what_mends_it(
    trouble: Proxy,
    troubled: GcsObjects,
    act: str,
    status: int,
    message: str,
    reason: str,
    kind: type[GalleryError],
    words: str,
) -> None:
    for method in ("GET", "POST", "DELETE"):
        trouble.faults.append(Fault(method, times=10, status=status, message=message, reason=reason))
    given = {"sizes": (), "put": (KEY, b"x"), "add": (KEY, b"x")}.get(act, (KEY,))
    with pytest.raises(kind) as caught:
        getattr(troubled, act)(*given)
    assert words in str(caught.value)
    assert "gs://paintings" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_object_that_is_not_there_is_told_from_a_bucket_that_is_not(
    trouble: Proxy, troubled: GcsObjects
) -> None:
    trouble.faults.append(
        Fault("GET", status=404, message=f"No such object: {BUCKET}/x/{KEY}", reason="notFound")
    )
    with pytest.raises(NotFound, match=f"no object {KEY}"):
        troubled.get(KEY)
    nowhere = GcsObjects("no-such-bucket")
    for act in (lambda: nowhere.put("a", b""), lambda: nowhere.add("a", b""), nowhere.sizes):
        with pytest.raises(Invalid, match="gcloud storage buckets create gs://no-such-bucket"):
            act()


def test_bytes_that_the_bucket_finds_damaged_may_be_sent_again(trouble: Proxy, troubled: GcsObjects) -> None:
    said = 'Provided CRC32C "AAAAAA==" doesn\'t match calculated CRC32C "Nks/tw==".'
    trouble.faults.append(Fault("POST", status=400, message=said, reason="invalid"))
    with pytest.raises(Unavailable, match="CRC32C"):
        troubled.put(KEY, b"x")


def test_without_credentials_the_command_is_named() -> None:
    with pytest.raises(
        Invalid, match=r"gcloud auth application-default login.*GOOGLE_APPLICATION_CREDENTIALS"
    ):
        GcsObjects(BUCKET).get(KEY)


def test_a_key_file_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for content in (None, "no json", "{}", '{"type": "service_account"}'):
        path = tmp_path / "key.json"
        if content is not None:
            path.write_text(content)
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
        with pytest.raises(Invalid, match=r"no Google credentials that can be used \(.*key\.json"):
            GcsObjects(BUCKET).get(KEY)


# -- signing


@pytest.fixture
def private_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: Proxy) -> rsa.RSAPrivateKey:
    """A service account's key that GOOGLE_APPLICATION_CREDENTIALS names; its tokens come from the troubled proxy."""
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "key.json"))
    return service_account_key(tmp_path / "key.json", f"{trouble.endpoint}/token")


def string_to_sign(url: str) -> bytes:
    """What Google would verify the signature of, made here from its documentation.

    https://cloud.google.com/storage/docs/authentication/canonical-requests
    """
    parts = urlsplit(url)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    query.pop("X-Goog-Signature")
    canonical_query = "&".join(f"{quote(name, '~')}={quote(query[name], '~')}" for name in sorted(query))
    request = f"GET\n{parts.path}\n{canonical_query}\nhost:{parts.netloc}\n\nhost\nUNSIGNED-PAYLOAD"
    date, scope = query["X-Goog-Date"], query["X-Goog-Credential"].partition("/")[2]
    return f"GOOG4-RSA-SHA256\n{date}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}".encode()


def check_signature(url: str, key: rsa.RSAPrivateKey) -> dict[str, str]:
    """The address's parameters, its signature verified as Google would."""
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    signature = bytes.fromhex(query["X-Goog-Signature"])
    key.public_key().verify(signature, string_to_sign(url), padding.PKCS1v15(), hashes.SHA256())
    return query


def test_a_signed_address_can_be_fetched_and_its_signature_is_right(
    objects: GcsObjects, private_key: rsa.RSAPrivateKey
) -> None:
    objects.add(KEY, b"a picture", "image/png")
    url = objects.signed_url(KEY, 600)
    query = check_signature(url, private_key)
    assert query["X-Goog-Expires"] == "600"
    assert query["X-Goog-Credential"].startswith("signer@gallery.iam.gserviceaccount.com/")
    for address in (url, objects.public_url(KEY)):
        with urllib.request.urlopen(address) as answer:
            assert answer.read() == b"a picture"
            assert answer.headers["Content-Type"] == "image/png"
            assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"


def test_the_project_that_pays_is_signed_too(private_key: rsa.RSAPrivateKey) -> None:
    url = GcsObjects(BUCKET, "a", project="payer-1").signed_url(KEY, 60)
    assert url.startswith(f"https://storage.googleapis.com/{BUCKET}/a/{KEY}?")
    assert check_signature(url, private_key)["userProject"] == "payer-1"


def test_a_key_that_was_revoked_says_so_without_the_assertion(
    trouble: Proxy, private_key: rsa.RSAPrivateKey
) -> None:
    trouble.faults.append(Fault("POST", "/token", 100, 400))
    with pytest.raises(Invalid, match=r"have expired or were revoked.*gcloud auth application-default login"):
        GcsObjects(BUCKET, timeout=2).get(KEY)


class Machine(google.auth.credentials.Credentials):
    """What a machine of Google's has: a token and a service account's name, told with the first token; no key."""

    service_account_email = "default"

    def __init__(self, email: str = "vm@gallery.iam.gserviceaccount.com") -> None:
        super().__init__()
        self._email = email

    def refresh(self, request: object) -> None:
        self.token, self.service_account_email = "ya29.token", self._email


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, trouble: Proxy) -> Machine:
    """Such credentials in place of the default ones, IAM being at the troubled proxy."""
    credentials = Machine()
    monkeypatch.setattr("gallery.objects.gcs.store.default_credentials", lambda: credentials)
    monkeypatch.setattr("gallery.objects.gcs.signing.IAM", trouble.endpoint)
    return credentials


def iam_of(key: rsa.RSAPrivateKey, asked: list[str]) -> Any:
    """IAM's signBlob with this key; `asked` gets each request's authorization."""

    def sign_blob(authorization: str, body: dict[str, str]) -> dict[str, str]:
        asked.append(authorization)
        signature = key.sign(base64.b64decode(body["payload"]), padding.PKCS1v15(), hashes.SHA256())
        return {"keyId": "1", "signedBlob": base64.b64encode(signature).decode()}

    return sign_blob


def test_iam_signs_where_there_is_no_key(
    machine: Machine, private_key: rsa.RSAPrivateKey, trouble: Proxy
) -> None:
    asked: list[str] = []
    path = "/v1/projects/-/serviceAccounts/vm@gallery.iam.gserviceaccount.com:signBlob"
    trouble.services[path] = iam_of(private_key, asked)
    trouble.faults += [Fault("POST", "signBlob", 1, 503), Fault("POST", "signBlob", 1, damage="reset")]
    url = GcsObjects(BUCKET).signed_url(KEY, 600)
    query = check_signature(url, private_key)
    assert query["X-Goog-Credential"].startswith("vm@gallery.iam.gserviceaccount.com/")
    assert asked == ["Bearer ya29.token"]
    assert len(trouble.seen) == 3


def test_iam_that_may_not_sign_says_which_role_is_missing(machine: Machine, trouble: Proxy) -> None:
    denied = "Permission 'iam.serviceAccounts.signBlob' denied on resource (or it may not exist)."
    trouble.faults.append(Fault("POST", "signBlob", 9, 403, denied, "forbidden"))
    with pytest.raises(Invalid) as caught:
        GcsObjects(BUCKET).signed_url(KEY, 600)
    for words in ("iam.serviceAccounts.signBlob is missing", "roles/iam.serviceAccountTokenCreator", "gcloud iam service-accounts add-iam-policy-binding"):  # fmt: skip
        assert words in str(caught.value)


def test_a_service_account_that_is_gone_is_invalid(machine: Machine, trouble: Proxy) -> None:
    gone = "Not found; Gaia id not found for email vm@gallery.iam.gserviceaccount.com"
    trouble.faults.append(Fault("POST", "signBlob", 9, 404, gone, "notFound"))
    with pytest.raises(Invalid, match="Gaia id not found for email"):
        GcsObjects(BUCKET).signed_url(KEY, 600)


def test_iam_that_does_not_answer_is_unavailable_in_bounded_time(machine: Machine, trouble: Proxy) -> None:
    trouble.faults.append(Fault("POST", "signBlob", 1000, 503))
    start = time.monotonic()
    with pytest.raises(Unavailable, match="cannot sign the address"):
        GcsObjects(BUCKET, timeout=1).signed_url(KEY, 600)
    assert time.monotonic() - start < 4


def test_credentials_that_are_a_persons_cannot_sign(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    person = {"type": "authorized_user", "client_id": "1", "client_secret": "s", "refresh_token": "r", "quota_project_id": "p"}  # fmt: skip
    (tmp_path / "person.json").write_text(json.dumps(person))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "person.json"))
    with pytest.raises(Invalid) as caught:
        GcsObjects(BUCKET).signed_url(KEY, 60)
    for words in ("roles/iam.serviceAccountTokenCreator", "GOOGLE_APPLICATION_CREDENTIALS", "GALLERY_DELIVERY=app", "gcloud"):  # fmt: skip
        assert words in str(caught.value)


def test_impersonation_that_is_denied_says_which_role_is_missing() -> None:
    answer = "{'error': {'code': 403, 'message': \"Permission 'iam.serviceAccounts.getAccessToken' denied on resource\", 'status': 'PERMISSION_DENIED'}}"  # fmt: skip
    for error in (
        google.auth.exceptions.RefreshError("Unable to acquire impersonated credentials", answer),
        google.auth.exceptions.TransportError(f"Error calling sign_bytes: {answer}"),
    ):
        told = gallery_error(error, BUCKET, "sign")
        assert isinstance(told, Invalid)
        assert "iam.serviceAccounts.getAccessToken is missing" in str(told)
        assert "roles/iam.serviceAccountTokenCreator" in str(told)


# -- the edge


def exceptions_of(*modules: ModuleType) -> list[type[Exception]]:
    return sorted(
        {
            found
            for module in modules
            for _, found in inspect.getmembers(module, inspect.isclass)
            if issubclass(found, Exception)
            and not issubclass(found, Warning)
            and found.__module__.startswith(("google.", "requests."))
            and found
            is not google.api_core.exceptions.AsyncRestUnsupportedParameterError  # a mistake in code
        },
        key=lambda found: (found.__module__, found.__name__),
    )


RAISED = exceptions_of(
    google.api_core.exceptions,
    google.auth.exceptions,
    google.cloud.exceptions,
    google.cloud.storage.exceptions,
    google.resumable_media,
    requests.exceptions,
)
SIGN_OF_PASSING = ("Timeout", "TooMany", "Unavailable", "Deadline", "Connection", "Internal", "Gateway", "DataCorruption", "Aborted")  # fmt: skip


def made(kind: type[Exception]) -> Exception:
    """One of that kind, whatever it is made of."""
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


@pytest.mark.parametrize("kind", RAISED, ids=lambda kind: f"{kind.__module__}.{kind.__name__}")
def test_every_error_of_the_clients_has_its_place(kind: type[Exception]) -> None:
    assert issubclass(kind, CLIENT_ERRORS)
    told = gallery_error(made(kind), BUCKET, "do it")
    assert isinstance(told, (Invalid, NotFound, Unavailable))
    assert str(told).startswith("cannot do it in gs://paintings: ")
    if kind.__name__.startswith(SIGN_OF_PASSING):
        assert isinstance(told, Unavailable)


def test_the_walk_found_them() -> None:
    assert len(RAISED) > 60


@pytest.mark.parametrize(
    "text",
    [
        "GET https://x/?X-Goog-Signature=5ec2e7&a=1", "PUT https://x/o?uploadType=resumable&upload_id=5ec2e7",
        "Authorization: Bearer 5ec2e7", "{'access_token': '5ec2e7'}", '{"refresh_token":"5ec2e7"}', "ya29.5ec2e7-x",
        "assertion=5ec2e7", "-----BEGIN PRIVATE KEY----- 5ec2e7",
    ],
)  # fmt: skip
def test_no_secret_is_said(text: str) -> None:
    assert "5ec2e7" not in said(ValueError(text))


def test_an_upload_session_is_in_no_traceback(trouble: Proxy, troubled: GcsObjects) -> None:
    trouble.faults.append(Fault("PUT", "upload_id=", 9, 403, "That is forbidden.", "forbidden"))
    with pytest.raises(Invalid) as caught:
        troubled.put(KEY, b"x" * 9_000_000)
    assert "upload_id" not in "".join(traceback.format_exception(caught.value))
