"""Objects in a bucket, through the JSON API."""

from __future__ import annotations

import base64
import os
import re
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import google_crc32c
from google.api_core.exceptions import PreconditionFailed
from google.auth.credentials import AnonymousCredentials, Signing
from google.cloud import storage
from google.cloud.storage.exceptions import DataCorruption

from gallery.addresses import Address
from gallery.errors import Invalid, NotFound
from gallery.objects.base import KEY, check_key
from gallery.objects.gcs.connections import Patience, widen
from gallery.objects.gcs.errors import edge
from gallery.objects.gcs.pause import Pause
from gallery.objects.gcs.signing import default_credentials, signing_credentials

ENDPOINT = "https://storage.googleapis.com"
EMULATOR = "STORAGE_EMULATOR_HOST"
BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")
FOREVER = "public, max-age=31536000, immutable"
"""For keys that name their content."""
PRIVATE = "private, no-cache"


@dataclass
class Session:
    """The client of one process, and who signs for it once that was asked."""

    client: storage.Client
    signer: Signing | None = None


class GcsObjects:
    """Objects below a prefix of a bucket, checked by CRC32C on the way there and back.

    Calls are repeated after 429, 5xx and cut connections, for `timeout` seconds and one attempt more at most: an
    added object is guarded by a precondition, and a put one only replaces itself. Nothing is asked of Google
    before the first call, and each process has a client of its own.
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
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        self._project = project
        self._emulator = os.environ.get(EMULATOR)
        self._endpoint = (self._emulator or ENDPOINT).rstrip("/")
        self._patience = Patience.of(timeout)
        self._pause = Pause(self.address) if fail_fast else nullcontext()
        self._sessions: dict[int, Session] = {}

    def put(self, key: str, data: bytes, content_type: str = "application/octet-stream") -> None:
        check_key(key)
        with edge(self._bucket, f"write {key}"):
            self._upload(key, data, content_type, PRIVATE)

    def add(self, key: str, data: bytes, content_type: str = "application/octet-stream") -> bool:
        check_key(key)
        with edge(self._bucket, f"write {key}"):
            there = self._of_bucket().get_blob(self._prefix + key, **self._waiting)
            if there is not None and (there.size or not data):
                return False
            generation = 0 if there is None else there.generation
            try:
                self._upload(key, data, content_type, FOREVER, if_generation_match=generation)
            except PreconditionFailed:
                return False  # somebody else added it meanwhile, or a try of ours whose answer was lost
        return True

    def get(self, key: str) -> bytes:
        blob = self._blob(key)
        try:
            with self._pause, edge(self._bucket, f"read {key}", "object"):
                data: bytes = blob.download_as_bytes(checksum="crc32c", **self._waiting)
                # The client does not check what it got in several parts, after a cut connection, nor what came without
                # a checksum: Google gives one with every object, a proxy's page has none.
                if blob.crc32c != _crc32c(data):
                    raise DataCorruption(None, "the bytes do not have the object's checksum")
        except NotFound as error:
            raise NotFound(f"{self.address}: no object {key}") from error
        return data

    def sizes(self, prefix: str = "") -> dict[str, int]:
        with edge(self._bucket, "list objects"):
            found = self._client.list_blobs(
                self._of_bucket(),
                prefix=self._prefix + prefix,
                fields="items(name,size),nextPageToken",
                **self._waiting,
            )
            sizes = {blob.name.removeprefix(self._prefix): int(blob.size) for blob in found}
        # Folders that the console makes, and whatever else is no key of ours, could not be got or deleted.
        return {key: size for key, size in sorted(sizes.items()) if KEY.fullmatch(key)}

    def delete(self, key: str) -> None:
        blob = self._blob(key)
        with suppress(NotFound), edge(self._bucket, f"delete {key}", "object"):
            blob.delete(**self._waiting)

    def public_url(self, key: str) -> str:
        # Neither a key nor a bucket or prefix that was let in holds anything that would need quoting.
        return f"{self._endpoint}/{self._bucket}/{self._prefix}{check_key(key)}"

    def signed_url(self, key: str, seconds: int) -> str:
        check_key(key)
        try:
            with edge(self._bucket, f"sign the address of {key}", "account"):
                url: str = self._blob(key).generate_signed_url(
                    version="v4",
                    expiration=timedelta(seconds=seconds),
                    credentials=self._signer(),
                    api_access_endpoint=self._endpoint,
                    query_parameters={"userProject": self._project} if self._project else None,
                )
        except Invalid as error:
            raise Invalid(f"{error}; or set GALLERY_DELIVERY=app, which needs no signatures") from error
        return url

    @property
    def _waiting(self) -> dict[str, Any]:
        return {"retry": self._patience.retry, "timeout": self._patience.timeout}

    @property
    def _session(self) -> Session:
        process = os.getpid()
        session = self._sessions.get(process)
        if session is None:
            # No lock, which a fork could copy while it is held: of two threads at once, the first one's is kept.
            session = self._sessions.setdefault(process, Session(self._new_client()))
        return session

    @property
    def _client(self) -> storage.Client:
        return self._session.client

    def _new_client(self) -> storage.Client:
        # Otherwise the client asks in the background what the bucket is, for traces that nobody collects; that
        # takes a role more than we need, and names no project that would pay.
        os.environ.setdefault("DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA", "true")
        with edge(self._bucket, "use objects"):
            credentials = AnonymousCredentials() if self._emulator else default_credentials()
            client = storage.Client(project=None, credentials=credentials)
            widen(client._http)
        return client

    def _signer(self) -> Signing:
        session = self._session
        if session.signer is None:
            # An emulator is spoken to without credentials, but checks no signatures: those there are will do.
            credentials = default_credentials() if self._emulator else session.client._credentials
            session.signer = signing_credentials(credentials, self._patience)
        return session.signer

    def _of_bucket(self) -> storage.Bucket:
        return self._client.bucket(self._bucket, user_project=self._project)

    def _blob(self, key: str) -> storage.Blob:
        check_key(key)
        return self._of_bucket().blob(self._prefix + key)

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
        blob.upload_from_string(
            data,
            content_type,
            if_generation_match=if_generation_match,
            checksum="crc32c",
            crc32c_checksum_value=_crc32c(data),  # so that Google refuses other bytes, rather than store them
            **self._waiting,
        )


def _crc32c(data: bytes) -> str:
    return base64.b64encode(google_crc32c.value(data).to_bytes(4, "big")).decode()


def open_gcs(address: Address, *, fail_fast: bool = False) -> GcsObjects:
    """The store of the address; nothing is asked of Google until the first call.

    With `fail_fast` it gives up soon, and while Google does not answer it fails at once. Options: `timeout`, the seconds
    that a call may be repeated for (30, or 3 with `fail_fast`), and `project`, which pays for requests to a
    Requester Pays bucket. STORAGE_EMULATOR_HOST names an emulator.
    """
    bucket, _, prefix = address.location.partition("/")
    if not BUCKET.fullmatch(bucket):
        raise Invalid(f"{address.text}: {bucket!r} is not a bucket's name; write gs://bucket/prefix")
    prefix = prefix.strip("/")
    if prefix:
        check_key(prefix)
    emulator = os.environ.get(EMULATOR)
    if emulator and urlsplit(emulator).scheme not in ("http", "https"):
        raise Invalid(f"{EMULATOR}={emulator}: write it with its scheme, such as http://localhost:4443")
    timeout = address.integer("timeout") or (3 if fail_fast else 30)
    project = address.string("project")
    return GcsObjects(bucket, prefix, timeout=timeout, project=project, fail_fast=fail_fast)
