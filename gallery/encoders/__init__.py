"""Encoders by address: ``open_encoder("auto")``, ``"offline"``, ``"fake"``, or a CLIP model's id or folder."""

from __future__ import annotations

import logging
from urllib.parse import parse_qsl, urlsplit

from gallery.encoders.base import Encoder, Vectors
from gallery.errors import GalleryError, Invalid

__all__ = ["DEFAULT_CLIP", "Encoder", "Vectors", "open_encoder"]

DEFAULT_CLIP = "clip-ViT-B-32"
"""The model of `auto`: vectors of 512 floats, 600 MB of weights."""

log = logging.getLogger(__name__)


def open_encoder(address: str, *, batch_size: int = 32) -> Encoder:
    """Return the encoder at an address; its weights are loaded when first needed.

    - ``auto``: CLIP (`DEFAULT_CLIP`) if its weights are on this disk or the hub answers, else ``offline``, with a
      warning in the log. The decision takes at most 3 seconds; the encoder's `address` tells which one it is.
    - ``offline``: two small models shipped in Python packages.
    - ``fake`` or ``fake://?dim=16``: for tests.
    - anything else: a folder, or else a sentence-transformers model id such as ``clip-ViT-B-32``.

    `batch_size` is the largest number of images or texts per forward pass. Raises Invalid for an address that
    cannot work: empty, an unknown option, a missing or unsuitable folder, missing libraries.
    """
    address = address.strip()
    if not address:
        raise Invalid("The encoder's address is empty; use auto, offline, a CLIP model's id or a folder.")
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
    if hub.cached(repository):
        return clip
    try:
        hub.ask(repository)
    except GalleryError as exc:
        log.warning(
            "CLIP (%s) is not on this disk and cannot be fetched: %s Using the offline encoder, whose results are "
            "weaker. For CLIP, make the hub reachable once, or name a folder that holds the model; name the encoder "
            "'offline' to choose it without this warning.",
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
            f"{address!r} is not an encoder's address; the fake one takes dim alone: fake://?dim=16."
        )
    if not dim.isascii() or not dim.isdigit() or int(dim) < 2:
        raise Invalid(f"dim must be a whole number of 2 or more, not {dim!r}, in {address!r}.")
    return FakeEncoder(int(dim))
