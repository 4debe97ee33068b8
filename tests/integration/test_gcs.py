"""The Google Cloud Storage adapter: the real client against fake-gcs-server, behind a proxy that can fail."""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import os
import traceback
import urllib.request
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import google_crc32c
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from gallery.errors import Invalid, NotFound, Unavailable
from gallery.objects.base import IMAGES, ObjectStore
from gallery.objects.gcs import GcsObjects, circuit_breaker, open_gcs
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
from tests.fakes.processes import HANG_GUARD_S

# isort: split
# After the adapter, which silences what this warns about on its first import.
import google.auth.credentials

BUCKET = "paintings"
KEY = "originals/ab/abcd.png"


@pytest.fixture(autouse=True)
def _no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    if request.cls is not TestRealBucket:
        without_credentials(monkeypatch, tmp_path)


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    """The endpoint of a fake server with the bucket in it."""
    with fake_gcs() as endpoint:
        create_bucket(endpoint, BUCKET)
        yield endpoint


@pytest.fixture
def objects(bucket: str, monkeypatch: pytest.MonkeyPatch) -> GcsObjects:
    """A store below an unused prefix."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", bucket)
    return GcsObjects(BUCKET, uuid.uuid4().hex)


@pytest.fixture
def trouble(bucket: str) -> Iterator[Proxy]:
    with proxy(bucket) as server:
        yield server


@pytest.fixture
def troubled(trouble: Proxy, monkeypatch: pytest.MonkeyPatch) -> GcsObjects:
    """A store behind the proxy."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", trouble.endpoint)
    return GcsObjects(BUCKET, uuid.uuid4().hex, timeout=HANG_GUARD_S)


class TestGcsObjects(ObjectStoreContract):
    @pytest.fixture
    def objects(self, bucket: str, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", bucket)
        return GcsObjects(BUCKET, uuid.uuid4().hex)


@pytest.mark.skipif("GALLERY_TEST_GCS" not in os.environ, reason="GALLERY_TEST_GCS names no bucket")
@pytest.mark.filterwarnings("ignore:Your application has authenticated using end user credentials")
class TestRealBucket(ObjectStoreContract):
    @pytest.fixture
    def objects(self) -> Iterator[ObjectStore]:
        named = os.environ["GALLERY_TEST_GCS"].removeprefix("gs://").strip("/")
        store = open_gcs(IMAGES.parse(f"gs://{named}/test-{uuid.uuid4().hex}"))
        yield store
        for key in store.sizes():
            store.delete(key)


def stat(objects: GcsObjects, key: str) -> Any:
    """Return the bucket's metadata of the object."""
    return objects._bucket().get_blob(objects._prefix + key)


# Reading and writing


def test_added_objects_may_be_cached_forever_and_replaced_ones_not(objects: GcsObjects) -> None:
    objects.add(KEY, b"image", "image/png")
    objects.put("plan.json", b"{}", "application/json")
    added, put = stat(objects, KEY), stat(objects, "plan.json")
    assert (added.content_type, added.cache_control) == ("image/png", "public, max-age=31536000, immutable")
    assert (put.content_type, put.cache_control) == ("application/json", "private, no-cache")


def test_an_object_too_large_for_one_request_comes_back_whole(objects: GcsObjects) -> None:
    data = os.urandom(1000) * 9000
    assert objects.add("large", data)
    assert objects.get("large") == data
    assert objects.add("large", data) is None


def test_an_existing_object_is_not_sent_again(trouble: Proxy, troubled: GcsObjects) -> None:
    troubled.add(KEY, b"once")
    troubled.add(KEY, b"once")
    assert sum(request.startswith("POST /upload") for request in trouble.seen) == 1


def test_a_precondition_lets_one_of_two_writers_add(trouble: Proxy, troubled: GcsObjects) -> None:
    """Both see no object."""
    trouble.faults.append(Fault("GET", KEY.replace("/", "%2F"), status=404, message="No such object"))
    troubled.put(KEY, b"first")
    assert troubled.add(KEY, b"second") is None
    assert any("ifGenerationMatch=0" in request for request in trouble.seen)
    assert troubled.get(KEY) == b"first"


@pytest.mark.slow
def test_a_listing_has_all_pages_and_only_the_needed_fields(trouble: Proxy, troubled: GcsObjects) -> None:
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda number: troubled.put(f"n/{number:04}", b"x"), range(1100)))
    assert list(troubled.sizes("n/")) == [f"n/{number:04}" for number in range(1100)]
    queries = [parse_qs(urlsplit(request).query) for request in trouble.seen if request.startswith("GET")]
    assert {query["fields"][0] for query in queries} == {"items(name,size,crc32c),nextPageToken"}


def test_the_consoles_folders_are_not_objects(objects: GcsObjects) -> None:
    objects._bucket().blob(objects._prefix + "originals/").upload_from_string(b"")
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


def test_every_request_names_the_project_that_pays(trouble: Proxy, troubled: GcsObjects) -> None:
    store = open_gcs(IMAGES.parse(f"{troubled.address}?project=payer-1"))
    store.add(KEY, b"x")
    store.put(KEY, b"y")
    store.get(KEY)
    store.sizes()
    store.delete(KEY)
    assert trouble.seen and all("userProject=payer-1" in request for request in trouble.seen)


# Retries


@pytest.mark.parametrize("status", [429, 503])
def test_a_transient_status_is_retried(trouble: Proxy, troubled: GcsObjects, status: int) -> None:
    trouble.faults += [
        Fault("POST", "/upload", 2, status, "later"),
        Fault("GET", "alt=media", 2, status, "later"),
    ]
    assert troubled.add(KEY, b"bytes")
    assert troubled.get(KEY) == b"bytes"
    assert [fault.times for fault in trouble.faults] == [0, 0]


@pytest.mark.parametrize("damage", ["reset", "cut"])
def test_a_cut_connection_is_retried(trouble: Proxy, troubled: GcsObjects, damage: str) -> None:
    data = os.urandom(100_000)
    troubled.put(KEY, data)
    trouble.faults += [Fault("GET", "alt=media", 1, damage=damage), Fault("DELETE", times=1, damage=damage)]
    assert troubled.get(KEY) == data
    troubled.delete(KEY)
    assert troubled.sizes() == {}
    assert [fault.times for fault in trouble.faults] == [0, 0]


def test_a_write_whose_answer_was_lost_is_written_once(trouble: Proxy, troubled: GcsObjects) -> None:
    trouble.faults.append(Fault("POST", "/upload", 1, damage="late"))
    assert troubled.add(KEY, b"bytes") is None  # the retry finds the object of the first attempt
    trouble.faults.append(Fault("POST", "/upload", 1, damage="late"))
    troubled.put("other", b"bytes")
    assert troubled.sizes() == {KEY: 5, "other": 5}


@pytest.mark.parametrize("act", ["get", "put", "add", "sizes"])
def test_a_failure_that_stays_is_unavailable(act: str, trouble: Proxy, troubled: GcsObjects) -> None:
    store = open_gcs(IMAGES.parse(f"{troubled.address}?timeout=2"))
    for method in ("GET", "POST"):
        trouble.faults.append(Fault(method, times=1000, status=503, message="backend error"))
    arguments = {"get": (KEY,), "sizes": ()}.get(act, (KEY, b"x"))
    with pytest.raises(Unavailable, match=r"cannot .* in gs://paintings: .*backend error"):
        getattr(store, act)(*arguments)
    assert 1 < len(trouble.seen) < 20


def test_a_server_that_does_not_exist_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:9")
    with pytest.raises(Unavailable, match="ConnectionError"):
        GcsObjects(BUCKET, timeout=1).get("a")


def test_while_the_bucket_does_not_answer_most_readers_fail_at_once(
    trouble: Proxy, troubled: GcsObjects, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(circuit_breaker, "OPEN_S", HANG_GUARD_S)
    store = open_gcs(IMAGES.parse(f"{troubled.address}?timeout=1"), fail_fast=True)
    trouble.faults.append(Fault("GET", times=1000, damage="slow", seconds=5))

    def read(number: int) -> None:
        with pytest.raises(Unavailable):
            store.get(f"a/{number}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(read, range(100)))
    assert len(trouble.seen) <= 8, "four threads, two attempts each"


# Checksums


def test_corrupted_bytes_are_not_returned(trouble: Proxy, troubled: GcsObjects) -> None:
    troubled.put(KEY, b"bytes that matter")
    trouble.faults.append(Fault("GET", "alt=media", 1, damage="corrupt"))
    with pytest.raises(Unavailable, match="checksum"):
        troubled.get(KEY)
    assert troubled.get(KEY) == b"bytes that matter"


def test_a_resumed_download_is_checked_too(trouble: Proxy, troubled: GcsObjects) -> None:
    troubled.put(KEY, os.urandom(100_000))
    trouble.faults += [
        Fault("GET", "alt=media", 1, damage="cut"),
        Fault("GET", "alt=media", 1, damage="corrupt"),
    ]
    with pytest.raises(Unavailable, match="checksum"):
        troubled.get(KEY)


def test_a_proxys_page_is_not_taken_for_an_object(trouble: Proxy, troubled: GcsObjects) -> None:
    troubled.put(KEY, b"bytes")
    trouble.faults.append(Fault("GET", "alt=media", 1, damage="page"))
    with pytest.raises(Unavailable, match="checksum"):
        troubled.get(KEY)


@pytest.mark.parametrize("length", [10, 9_000_000])
def test_an_upload_carries_its_checksum(trouble: Proxy, troubled: GcsObjects, length: int) -> None:
    """Google then rejects damaged bytes. Once stored, they would never be uploaded again."""
    data = b"x" * length
    troubled.put(KEY, data)
    checksum = base64.b64encode(google_crc32c.value(data).to_bytes(4, "big")).decode()
    assert checksum in trouble.checksums


# Refusals


@pytest.mark.parametrize("act", ["get", "sizes", "put", "add", "delete"])
def test_a_refusal_is_not_retried_and_names_what_fixes_it(
    trouble: Proxy, troubled: GcsObjects, act: str
) -> None:
    message = "loader@gallery.iam.gserviceaccount.com does not have storage.objects.get access"
    for method in ("GET", "POST", "DELETE"):
        trouble.faults.append(Fault(method, times=10, status=403, message=message, reason="forbidden"))
    arguments = {"sizes": (), "put": (KEY, b"x"), "add": (KEY, b"x")}.get(act, (KEY,))
    with pytest.raises(Invalid, match="gcloud storage buckets add-iam-policy-binding gs://paintings"):
        getattr(troubled, act)(*arguments)
    assert len(trouble.seen) == 1


def test_a_missing_object_is_distinguished_from_a_missing_bucket(
    trouble: Proxy, troubled: GcsObjects
) -> None:
    message = f"No such object: {BUCKET}/x/{KEY}"
    trouble.faults.append(Fault("GET", status=404, message=message, reason="notFound"))
    with pytest.raises(NotFound, match=f"no object {KEY}"):
        troubled.get(KEY)
    nowhere = GcsObjects("no-such-bucket")
    for act in (lambda: nowhere.put("a", b""), lambda: nowhere.add("a", b""), nowhere.sizes):
        with pytest.raises(Invalid, match="gcloud storage buckets create gs://no-such-bucket"):
            act()


def test_an_upload_session_is_in_no_traceback(trouble: Proxy, troubled: GcsObjects) -> None:
    trouble.faults.append(Fault("PUT", "upload_id=", 9, 403, "That is forbidden.", "forbidden"))
    with pytest.raises(Invalid) as caught:
        troubled.put(KEY, b"x" * 9_000_000)
    assert "upload_id" not in "".join(traceback.format_exception(caught.value))


# Signed addresses


@pytest.fixture
def private_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: Proxy) -> rsa.RSAPrivateKey:
    """A service account's key, named by GOOGLE_APPLICATION_CREDENTIALS; its tokens come from the proxy."""
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "key.json"))
    return service_account_key(tmp_path / "key.json", f"{trouble.endpoint}/token")


def string_to_sign(url: str) -> bytes:
    """Return the string that is signed, built here from Google's documentation.

    https://cloud.google.com/storage/docs/authentication/canonical-requests
    """
    parts = urlsplit(url)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    query.pop("X-Goog-Signature")
    canonical_query = "&".join(f"{quote(name, '~')}={quote(query[name], '~')}" for name in sorted(query))
    request = f"GET\n{parts.path}\n{canonical_query}\nhost:{parts.netloc}\n\nhost\nUNSIGNED-PAYLOAD"
    date, scope = query["X-Goog-Date"], query["X-Goog-Credential"].partition("/")[2]
    return f"GOOG4-RSA-SHA256\n{date}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}".encode()


def verified_query(url: str, key: rsa.RSAPrivateKey) -> dict[str, str]:
    """Verify the signature of the address; return its parameters."""
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    signature = bytes.fromhex(query["X-Goog-Signature"])
    key.public_key().verify(signature, string_to_sign(url), padding.PKCS1v15(), hashes.SHA256())
    return query


def test_a_signed_address_opens_the_object_and_has_a_valid_signature(
    objects: GcsObjects, private_key: rsa.RSAPrivateKey
) -> None:
    objects.add(KEY, b"an image", "image/png")
    url = objects.signed_url(KEY, 600)
    query = verified_query(url, private_key)
    assert query["X-Goog-Expires"] == "600"
    assert query["X-Goog-Credential"].startswith("signer@gallery.iam.gserviceaccount.com/")
    for address in (url, objects.public_url(KEY)):
        with urllib.request.urlopen(address) as answer:
            assert answer.read() == b"an image"
            assert answer.headers["Content-Type"] == "image/png"
            assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"


def test_the_signature_covers_the_project_that_pays(private_key: rsa.RSAPrivateKey) -> None:
    url = GcsObjects(BUCKET, "a", project="payer-1").signed_url(KEY, 60)
    assert url.startswith(f"https://storage.googleapis.com/{BUCKET}/a/{KEY}?")
    assert verified_query(url, private_key)["userProject"] == "payer-1"


def test_a_revoked_key_is_reported(trouble: Proxy, private_key: rsa.RSAPrivateKey) -> None:
    trouble.faults.append(Fault("POST", "/token", 100, 400))
    with pytest.raises(Invalid, match=r"have expired or were revoked.*gcloud auth application-default login"):
        GcsObjects(BUCKET).get(KEY)


class MachineCredentials(google.auth.credentials.Credentials):
    """The credentials of a Google machine: no key; the service account's name comes with the first token."""

    service_account_email = "default"

    def refresh(self, request: object) -> None:
        self.token, self.service_account_email = "ya29.token", "vm@gallery.iam.gserviceaccount.com"


@pytest.fixture
def on_a_machine(monkeypatch: pytest.MonkeyPatch, trouble: Proxy) -> None:
    """Such credentials are the default ones, and IAM is behind the proxy."""
    credentials = MachineCredentials()
    monkeypatch.setattr("gallery.objects.gcs.store.default_credentials", lambda: credentials)
    monkeypatch.setattr("gallery.objects.gcs.signing.IAM_URL", trouble.endpoint)


@pytest.mark.usefixtures("on_a_machine")
class TestSigningWithIam:
    def test_iam_signs_without_a_key(self, private_key: rsa.RSAPrivateKey, trouble: Proxy) -> None:
        asked: list[str] = []

        def sign_blob(authorization: str, body: dict[str, str]) -> dict[str, str]:
            asked.append(authorization)
            payload = base64.b64decode(body["payload"])
            signature = private_key.sign(payload, padding.PKCS1v15(), hashes.SHA256())
            return {"keyId": "1", "signedBlob": base64.b64encode(signature).decode()}

        path = "/v1/projects/-/serviceAccounts/vm@gallery.iam.gserviceaccount.com:signBlob"
        trouble.services[path] = sign_blob
        trouble.faults += [Fault("POST", "signBlob", 1, 503), Fault("POST", "signBlob", 1, damage="reset")]
        query = verified_query(GcsObjects(BUCKET).signed_url(KEY, 600), private_key)
        assert query["X-Goog-Credential"].startswith("vm@gallery.iam.gserviceaccount.com/")
        assert asked == ["Bearer ya29.token"]
        assert len(trouble.seen) == 3

    @pytest.mark.parametrize(
        ("status", "message", "kind", "words"),
        [
            (403, "Permission 'iam.serviceAccounts.signBlob' denied on resource (or it may not exist).",
             Invalid, "iam.serviceAccounts.signBlob is missing"),
            (404, "Not found; Gaia id not found for email vm@gallery.iam.gserviceaccount.com", Invalid,
             "Gaia id not found for email"),
            (503, "backend error", Unavailable, "backend error"),
        ],
    )  # fmt: skip
    def test_a_failure_of_iam_is_reported(
        self, trouble: Proxy, status: int, message: str, kind: type[Exception], words: str
    ) -> None:
        trouble.faults.append(Fault("POST", "signBlob", 1000, status, message, "reason"))
        with pytest.raises(kind) as caught:
            GcsObjects(BUCKET, timeout=1).signed_url(KEY, 600)
        assert "cannot sign the URL" in str(caught.value) and words in str(caught.value)
        if kind is Invalid:
            assert "gcloud iam service-accounts add-iam-policy-binding" in str(caught.value)


def test_a_persons_credentials_cannot_sign(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    person = {
        "type": "authorized_user",
        "client_id": "1",
        "client_secret": "s",
        "refresh_token": "r",
        "quota_project_id": "p",
    }
    (tmp_path / "person.json").write_text(json.dumps(person))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "person.json"))
    with pytest.raises(Invalid) as caught:
        GcsObjects(BUCKET).signed_url(KEY, 60)
    for words in (
        "roles/iam.serviceAccountTokenCreator",
        "GOOGLE_APPLICATION_CREDENTIALS",
        "GALLERY_DELIVERY=app",
        "gcloud",
    ):
        assert words in str(caught.value)
