"""An object store in a bucket, through the JSON API."""

from __future__ import annotations

import base64
import os
from contextlib import nullcontext, suppress
from datetime import timedelta
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import google_crc32c
from google.api_core.exceptions import PreconditionFailed
from google.auth.credentials import AnonymousCredentials, Signing
from google.cloud import storage
from google.cloud.storage.exceptions import DataCorruption

from gallery.addresses import Address
from gallery.errors import Invalid, NotFound
from gallery.objects.base import KEY_PATTERN, check_key
from gallery.objects.gcs.circuit_breaker import CircuitBreaker
from gallery.objects.gcs.connections import CallPolicy, configure
from gallery.objects.gcs.errors import translate_errors
from gallery.objects.gcs.signing import default_credentials, signing_credentials

ENDPOINT = "https://storage.googleapis.com"
EMULATOR_VARIABLE = "STORAGE_EMULATOR_HOST"
IMMUTABLE_CACHE_CONTROL = "public, max-age=31536000, immutable"
"""Cache-Control of added objects, whose keys are derived from their content."""
PRIVATE_CACHE_CONTROL = "private, no-cache"


class GcsObjects:
    """Objects below a prefix of a bucket, with CRC32C checksums on upload and download. Thread-safe.

    Calls are retried after 429, 5xx and cut connections, for at most `timeout` seconds plus one attempt.
    Retries are safe: `add` has a precondition, and a repeated `put` is idempotent. Creating the object sends
    no request.
    """

    def __init__(
        self,
        bucket: str,
        prefix: str = "",
        *,
        timeout: int = 30,
        project: str | None = None,
        fail_fast: bool = False,
    ) -> None:
        self.address = f"gs://{bucket}/{prefix}" if prefix else f"gs://{bucket}"
        self._name = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        self._project = project
        self._emulator = os.environ.get(EMULATOR_VARIABLE)
        self._endpoint = (self._emulator or ENDPOINT).rstrip("/")
        self._policy = CallPolicy.within(timeout)
        self._breaker = CircuitBreaker(self.address) if fail_fast else nullcontext()

    def put(self, key: str, data: bytes, content_type: str = "application/octet-stream") -> None:
        check_key(key)
        with translate_errors(self._name, f"write {key}"):
            self._upload(key, data, content_type, PRIVATE_CACHE_CONTROL)

    def add(
        self, key: str, data: bytes, content_type: str = "application/octet-stream", *, replace: bool = False
    ) -> str | None:
        check_key(key)
        with translate_errors(self._name, f"write {key}"):
            generation = None
            if not replace:
                existing = self._bucket().get_blob(self._prefix + key, **self._options)
                if existing is not None and (existing.size or not data):
                    return None
                generation = 0 if existing is None else existing.generation
            try:
                self._upload(key, data, content_type, IMMUTABLE_CACHE_CONTROL, if_generation_match=generation)
            except PreconditionFailed:
                return None  # added by another writer, or by an attempt whose response was lost
        return _etag(len(data), _crc32c(data))

    def get(self, key: str) -> bytes:
        blob = self._blob(key)
        try:
            with self._breaker, translate_errors(self._name, f"read {key}", "object"):
                # The client's own check skips resumed downloads and responses without a checksum, such as a
                # proxy's page. Google sends a checksum with every object.
                data: bytes = blob.download_as_bytes(checksum=None, **self._options)
                if blob.crc32c != _crc32c(data):
                    raise DataCorruption(None, "wrong checksum")
        except NotFound as error:
            raise NotFound(f"{self.address}: no object {key}") from error
        return data

    def sizes(self, prefix: str = "") -> dict[str, int]:
        return {key: int(blob.size) for key, blob in self._list(prefix).items()}

    def etags(self, prefix: str = "") -> dict[str, str]:
        # Not the bucket's own etag, which also changes with an object's metadata.
        return {key: _etag(int(blob.size), blob.crc32c or "") for key, blob in self._list(prefix).items()}

    def _list(self, prefix: str) -> dict[str, storage.Blob]:
        with translate_errors(self._name, "list objects"):
            found = self._client.list_blobs(
                self._bucket(),
                prefix=self._prefix + prefix,
                fields="items(name,size,crc32c),nextPageToken",
                **self._options,
            )
            blobs = {blob.name.removeprefix(self._prefix): blob for blob in found}
        # Leave out names that are not valid keys, such as the folders that the console creates.
        return {key: blob for key, blob in sorted(blobs.items()) if KEY_PATTERN.fullmatch(key)}

    def delete(self, key: str) -> None:
        blob = self._blob(key)
        with suppress(NotFound), translate_errors(self._name, f"delete {key}", "object"):
            blob.delete(**self._options)

    def remove_leftovers(self) -> int:
        return 0  # an upload that was not finished leaves no object

    def public_url(self, key: str) -> str:
        # Keys, prefixes and bucket names contain only characters that need no quoting.
        return f"{self._endpoint}/{self._name}/{self._prefix}{check_key(key)}"

    def signed_url(self, key: str, seconds: int) -> str:
        check_key(key)
        try:
            with translate_errors(self._name, f"sign the URL of {key}", "account"):
                url: str = self._blob(key).generate_signed_url(
                    version="v4",
                    expiration=timedelta(seconds=seconds),
                    credentials=self._signer,
                    api_access_endpoint=self._endpoint,
                    query_parameters={"userProject": self._project} if self._project else None,
                )
        except Invalid as error:
            raise Invalid(f"{error}; or set GALLERY_DELIVERY=app, which needs no signatures") from error
        return url

    @property
    def _options(self) -> dict[str, Any]:
        return {"retry": self._policy.retry, "timeout": self._policy.timeout}

    @cached_property
    def _client(self) -> storage.Client:
        # Two simultaneous first calls may create two clients, of which one is dropped.
        # The variable disables background requests for bucket metadata. They serve tracing, need another role
        # and name no project to bill.
        os.environ.setdefault("DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA", "true")
        with translate_errors(self._name, "use objects"):
            credentials = AnonymousCredentials() if self._emulator else default_credentials()
            client = storage.Client(project=None, credentials=credentials)
            configure(client._http)
        return client

    @cached_property
    def _signer(self) -> Signing:
        # An emulator is called without credentials but does not check signatures, so any credentials will do.
        credentials = default_credentials() if self._emulator else self._client._credentials
        return signing_credentials(credentials, self._policy)

    def _bucket(self) -> storage.Bucket:
        return self._client.bucket(self._name, user_project=self._project)

    def _blob(self, key: str) -> storage.Blob:
        check_key(key)
        return self._bucket().blob(self._prefix + key)

    def _upload(
        self,
        key: str,
        data: bytes,
        content_type: str,
        cache_control: str,
        if_generation_match: int | None = None,
    ) -> None:
        blob = self._blob(key)
        blob.cache_control = cache_control
        # With a checksum, Google rejects an upload that was damaged in transit instead of storing it.
        blob.upload_from_string(
            data, content_type, if_generation_match=if_generation_match, checksum="crc32c", **self._options
        )


def _crc32c(data: bytes) -> str:
    return base64.b64encode(google_crc32c.value(data).to_bytes(4, "big")).decode()


def _etag(size: int, crc32c: str) -> str:
    return f"{size}-{crc32c}"


def open_gcs(address: Address, *, fail_fast: bool = False) -> GcsObjects:
    """Return the store of the address, without calling Google. Raises Invalid.

    With `fail_fast`, it gives up after 3 s instead of 30, and reads fail immediately for 2 s after a failed
    read. Options: `timeout`, the seconds within which a call is retried, and `project`, which is billed for
    requests to a Requester Pays bucket. STORAGE_EMULATOR_HOST is the URL of an emulator.
    """
    bucket, _, prefix = address.location.partition("/")
    prefix = prefix.strip("/")
    emulator = os.environ.get(EMULATOR_VARIABLE)
    if emulator and urlsplit(emulator).scheme not in ("http", "https"):
        raise Invalid(f"{EMULATOR_VARIABLE}={emulator} must be a URL such as http://localhost:4443")
    timeout = address.integer("timeout") or (3 if fail_fast else 30)
    project = address.string("project")
    return GcsObjects(bucket, prefix, timeout=timeout, project=project, fail_fast=fail_fast)
