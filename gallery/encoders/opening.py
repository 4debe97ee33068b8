"""Opens an encoder by its address: `auto`, `offline`, `fake`, or a CLIP model's id or folder."""

from __future__ import annotations

import logging
from urllib.parse import parse_qsl, urlsplit

from gallery.encoders.base import Encoder
from gallery.errors import GalleryError, Invalid

DEFAULT_CLIP = "clip-ViT-B-32"
"""The CLIP model that `auto` uses: vectors of 512 floats, 600 MB of weights."""

log = logging.getLogger(__name__)


def open_encoder(address: str, *, batch_size: int = 32) -> Encoder:
    """Return the encoder at an address; its weights are loaded on first use.

    - ``auto``: CLIP (`DEFAULT_CLIP`) if its weights are on this disk or the hub answers; otherwise
      ``offline``, with a warning in the log. Takes at most 3 seconds; see the encoder's `address`.
    - ``offline``: two small models that come in Python packages.
    - ``fake`` or ``fake://?dim=16``: for tests.
    - anything else: a folder, or else a sentence-transformers model id such as ``clip-ViT-B-32``.

    `batch_size` is the largest number of images or texts per forward pass. Raises Invalid for an empty
    address, an unknown option, a missing or unsuitable folder, or missing libraries.
    """
    address = address.strip()
    if not address:
        raise Invalid("The encoder's address is empty; use auto, offline, or a CLIP model's id or folder.")
    if batch_size < 1:
        raise Invalid(f"An encoder's batch size must be at least 1, not {batch_size}.")
    if address == "auto":
        return _clip_or_offline(batch_size)
    if address == "offline":
        return _offline(batch_size)
    if address == "fake" or address.startswith("fake:"):
        return _fake(address)
    return _clip(address, batch_size)


def _clip_or_offline(batch_size: int) -> Encoder:
    from gallery.encoders import hub

    clip = _clip(DEFAULT_CLIP, batch_size)
    repository = hub.repository(DEFAULT_CLIP)
    if hub.cached_model(repository):
        return clip
    try:
        hub.model_info(repository)
    except GalleryError as exc:
        log.warning(
            "CLIP (%s) is not on this disk and cannot be downloaded: %s Using the offline encoder, which "
            "gives weaker results. To use CLIP, make the hub reachable once, or set GALLERY_ENCODER to a "
            "folder that contains the model. To choose the offline encoder without this warning, set "
            "GALLERY_ENCODER=offline.",
            DEFAULT_CLIP,
            exc,
        )
        return _offline(batch_size)
    return clip


def _clip(address: str, batch_size: int) -> Encoder:
    from gallery.encoders.clip import ClipEncoder

    return ClipEncoder(address, batch_size=batch_size)


def _offline(batch_size: int) -> Encoder:
    from gallery.encoders.offline import OfflineEncoder

    return OfflineEncoder(batch_size=batch_size)


def _fake(address: str) -> Encoder:
    from gallery.encoders.fake import FakeEncoder

    url = urlsplit(address)
    options = dict(parse_qsl(url.query, keep_blank_values=True))
    dim = options.pop("dim", "48")
    if options or url.netloc or url.path not in ("", "fake"):
        raise Invalid(
            f"{address!r} is not a valid encoder address; the fake encoder has the form fake://?dim=16."
        )
    if not dim.isascii() or not dim.isdigit() or int(dim) < 2:
        raise Invalid(f"In {address!r}, dim must be a whole number of 2 or more, not {dim!r}.")
    return FakeEncoder(int(dim))
