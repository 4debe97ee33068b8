"""`gallery doctor`: checks that every configured service can be reached and used."""

from __future__ import annotations

import shutil
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from http.client import HTTPException
from importlib.metadata import version
from pathlib import Path

import numpy as np

from gallery.errors import GalleryError, Invalid, Unavailable
from gallery.installation import install_command
from gallery.models import Artist, Artwork, Build, StoredImage
from gallery.objects.base import ObjectStore
from gallery.services import Services
from gallery.settings import Settings
from gallery.vectors.base import VectorStore

MIN_FREE_BYTES = 1_000_000_000
"""Free space at GALLERY_HOME below which a refresh is likely to fail."""
FETCH_TIMEOUT_S = 10
"""Time limit for downloading an image from its public or signed URL."""


class NotYet(GalleryError):
    """Nothing is wrong, but the first refresh has not made what a check needs."""


class Status(StrEnum):
    """The outcome of a check."""

    OK = "ok"
    NOT_YET = "not yet"
    FAILED = "failed"


@dataclass(frozen=True)
class Finding:
    """The result of one check; `advice` is the remedy, empty if the check passed."""

    check: str
    status: Status
    result: str
    advice: str


def examine(settings: Settings, *, web: bool = False) -> list[Finding]:
    """Run every check and return the findings. Removes the objects and builds that it creates.

    With `web`, check only what the web app needs, with its keys, and write nothing.
    """
    services, reader = Services(settings), Services(settings, searching=True)
    images = ("images", "check GALLERY_IMAGES")
    delivery = ("delivery", "check GALLERY_DELIVERY and GALLERY_IMAGES")
    encoder = _try("encoder", "check GALLERY_ENCODER", lambda: _encoder(reader))
    search = (
        _try(
            "searching",
            "check GALLERY_VECTORS and GALLERY_VECTORS_SEARCH_KEY",
            lambda: _searching(reader.vectors),
        ),
        _try("collection", "run `gallery refresh`", lambda: _collection(reader)),
    )
    if web:
        return [
            _try(*images, lambda: _stored_image(reader)),
            _try(*delivery, lambda: _delivery(reader)),
            encoder,
            *search,
        ]
    return [
        _try("home", "set GALLERY_HOME to a writable folder with free space", lambda: _home(settings.home)),
        _try("dataset", "check GALLERY_DATASET", lambda: _dataset(services)),
        _try(*images, lambda: _objects(services.images)),
        _try(*delivery, lambda: _delivery_of_probe(services)),
        _try("tables", "check GALLERY_TABLES", lambda: _objects(services.tables)),
        encoder,
        _try("vectors", "check GALLERY_VECTORS and GALLERY_VECTORS_KEY", lambda: _vectors(services.vectors)),
        *search,
    ]


def _try(name: str, advice: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding(name, Status.OK, check(), "")
    except NotYet as reason:
        return Finding(name, Status.NOT_YET, str(reason), "run `gallery refresh`")
    except (GalleryError, OSError) as error:
        return Finding(name, Status.FAILED, str(error), advice)
    except ModuleNotFoundError as error:
        return Finding(name, Status.FAILED, str(error), f"run {install_command('encoders,pipeline,web')}")


def _home(home: Path) -> str:
    home.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(home).free
    if free < MIN_FREE_BYTES:
        raise Invalid(
            f"{home} has only {free / 1e6:,.0f} MB free; a refresh needs room for the archive and its tables"
        )
    probe = home / f".probe-{uuid.uuid4().hex}"
    probe.touch()
    probe.unlink()
    return f"{home}, {free / 1e9:,.0f} GB free"


def _dataset(services: Services) -> str:
    address = services.dataset.address
    client = f" (client {version('kagglesdk')})" if address.startswith("kaggle:") else ""
    return f"{address}, version {services.dataset.version()}{client}"


def _objects(store: ObjectStore) -> str:
    key, data = f"doctor/{uuid.uuid4().hex}", b"probe"
    store.put(key, data)
    try:
        if store.get(key) != data or store.sizes("doctor/").get(key) != len(data):
            raise Invalid(f"{store.address} returned something other than what was written")
    finally:
        store.delete(key)
    client = f" (client {version('google-cloud-storage')})" if store.address.startswith("gs:") else ""
    return f"{store.address}: write, read, list and delete work{client}"


def _live(services: Services) -> Build:
    build = services.vectors.live()
    if build is None:
        raise NotYet("no build is published yet")
    return build


def _image_key(services: Services) -> str:
    """Return the key of a stored image of the live collection."""
    work = next(iter(services.vectors.open(_live(services).name).works(limit=1)), None)
    if work is None:
        raise Invalid("the live build has no works")
    return work.image.small


def _stored_image(services: Services) -> str:
    data = services.images.get(_image_key(services))
    return f"{services.images.address}: read an image of {len(data):,} bytes"


def _delivery_of_probe(services: Services) -> str:
    if services.settings.delivery == "app":
        return "images are served by the app"
    key = f"doctor/{uuid.uuid4().hex}.webp"
    services.images.add(key, b"probe", "image/webp")
    try:
        return _delivery(services, key)
    finally:
        services.images.delete(key)


def _delivery(services: Services, key: str = "") -> str:
    """Download an image from its URL, as a visitor's browser does: that of the key, or a stored one."""
    how = services.settings.delivery
    if how == "app":
        return "images are served by the app"
    key = key or _image_key(services)
    data = services.images.get(key)
    url = (
        services.images.public_url(key)
        if how == "public"
        else services.images.signed_url(key, services.settings.signed_for)
    )
    try:
        with urllib.request.urlopen(url, timeout=FETCH_TIMEOUT_S) as answer:
            got = answer.read(len(data) + 1)
    except urllib.error.HTTPError as error:
        raise Invalid(f"an image's {how} URL answers {error.code}{_hint(how, error.code)}") from None
    except (
        OSError,
        ValueError,
        HTTPException,
    ) as error:  # not quoted: it contains the URL, which may be signed
        raise Unavailable(f"an image's {how} URL cannot be reached ({type(error).__name__})") from None
    if got != data:
        raise Invalid(f"an image's {how} URL returns something other than what is stored")
    return f"an image was downloaded from its {how} URL"


def _hint(how: str, status: int) -> str:
    if how == "public" and status in (401, 403):
        return (
            "; the bucket is not public: gcloud storage buckets add-iam-policy-binding gs://BUCKET "
            "--member=allUsers --role=roles/storage.objectViewer, or set GALLERY_DELIVERY=signed"
        )
    return "; check this machine's clock" if status in (400, 403) else ""


def _encoder(services: Services) -> str:
    services.encoder.load()
    row = services.encoder.embed_texts(["a probe"])[0]
    return f"{services.encoder.label}, {len(row)} floats, {services.encoder.fingerprint}"


def _vectors(store: VectorStore) -> str:
    before = len(store.builds())
    name = f"probe{uuid.uuid4().hex[:12]}"
    now = datetime.now(UTC).isoformat(timespec="microseconds")
    build = Build(name, "doctor", "doctor", 8, 1, "doctor", "1", False, now)
    artist = Artist("probe", "Probe", None, None, (), (), "", "", "")
    work = Artwork(str(uuid.uuid4()), artist, "probe", "00", StoredImage("o", "l", "s", 1, 1, "#000000"))
    row = np.eye(1, 8, dtype=np.float32)
    collection = store.create(build)
    try:
        collection.upsert([work], row)
        hits = collection.search(row[0], 1, fingerprint="doctor")
        if [hit.artwork for hit in hits] != [work] or collection.ids() != {work.id}:
            raise Invalid(f"{store.address} returned something other than what was written")
    finally:
        store.drop(name)
    builds = "1 build" if before == 1 else f"{before} builds"
    return f"{store.version()}, {store.address}: {builds}; created, searched and dropped a probe build"


def _searching(store: VectorStore) -> str:
    build = store.live()
    if build is None:
        return f"{store.address} answers; no build is published yet"
    return f"{store.address}: {store.open(build.name).count()} works of build {build.name} are readable"


def _collection(services: Services) -> str:
    build = _live(services)
    count = services.vectors.open(build.name).count()
    if count != build.works:
        raise Invalid(f"live build {build.name} has {count} of {build.works} works")
    if services.settings.encoder != "auto" and services.encoder.fingerprint != build.fingerprint:
        raise Invalid(
            f"live build {build.name} was made with {build.encoder}, but GALLERY_ENCODER is "
            f"{services.settings.encoder}"
        )
    created = build.created_at[:16].replace("T", " ")
    return f"build {build.name}, {count} works, made {created} UTC with {build.encoder}"
