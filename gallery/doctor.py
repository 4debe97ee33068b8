"""Can each configured part be opened, and what to do if not."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass

from gallery.errors import GalleryError, Invalid
from gallery.objects import ObjectStore
from gallery.ports import Ports
from gallery.settings import Settings


@dataclass(frozen=True)
class Finding:
    """What was found of one part: `what` is a fact, `advice` what to do, empty where all is well."""

    part: str
    ok: bool
    what: str
    advice: str


def examine(settings: Settings) -> list[Finding]:
    """A finding for each part. Does nothing that lasts: a probe object is written, read and removed."""
    ports = Ports(settings)
    return [
        _try("dataset", "check GALLERY_DATASET", lambda: _dataset(ports)),
        _try("images", "check GALLERY_IMAGES", lambda: _objects(ports.images)),
        _try("tables", "check GALLERY_TABLES", lambda: _objects(ports.tables)),
        _try("encoder", "check GALLERY_ENCODER", lambda: _encoder(ports)),
        _try("vectors", "check GALLERY_VECTORS", lambda: _vectors(ports)),
        _try("collection", "run `gallery refresh`", lambda: _collection(ports)),
    ]


def _try(part: str, advice: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(part, True, look(), "")
    except GalleryError as error:
        return Finding(part, False, str(error), advice)
    except OSError as error:
        return Finding(part, False, str(error), advice)
    except ModuleNotFoundError as error:
        return Finding(part, False, str(error), "pip install 'artwork-gallery[encoders,pipeline,web]'")


def _dataset(ports: Ports) -> str:
    return f"{ports.dataset.address}, version {ports.dataset.version()}"


def _objects(store: ObjectStore) -> str:
    key, data = f"doctor/{uuid.uuid4().hex}", b"probe"
    store.put(key, data)
    try:
        if store.get(key) != data or store.sizes("doctor/").get(key) != len(data):
            raise Invalid(f"{store.address} does not give back what was written to it")
    finally:
        store.delete(key)
    return f"{store.address}: written, read, listed, deleted"


def _encoder(ports: Ports) -> str:
    ports.encoder.load()
    row = ports.encoder.embed_texts(["a probe"])[0]
    return f"{ports.encoder.label}, {len(row)} floats, {ports.encoder.fingerprint}"


def _vectors(ports: Ports) -> str:
    builds = ports.vectors.builds()
    return f"{ports.vectors.address}: {len(builds)} builds"


def _collection(ports: Ports) -> str:
    build = ports.vectors.live()
    if build is None:
        raise Invalid("nothing is published yet")
    held = ports.vectors.open(build.name).count()
    if held != build.works:
        raise Invalid(f"live build {build.name} holds {held} works of {build.works}")
    if ports.settings.encoder != "auto" and ports.encoder.fingerprint != build.fingerprint:
        raise Invalid(
            f"live build {build.name} was made by {build.encoder}, GALLERY_ENCODER is {ports.settings.encoder}"
        )
    return f"build {build.name}, {held} works, made {build.created_at[:16].replace('T', ' ')} UTC with {build.encoder}"
