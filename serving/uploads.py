"""Uploaded images: from the request's bytes to a term of a search, in memory and within limits."""

from __future__ import annotations

import dataclasses
import io
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from flask import request
from flask_babel import gettext
from PIL import Image
from werkzeug.datastructures import MultiDict

from gallery.errors import Invalid
from gallery.images.decode import TooManyPixels, open_image
from gallery.images.derivatives import shrink
from gallery.search.query import ImageTerm, Preview
from gallery.vectors.base import Collection
from serving.context import state
from serving.errors import Busy, Rejected
from serving.i18n import number
from serving.rate_limits import rate_limits

FILE_FIELD = "image"
WORK_FIELD = "work"
"""Names a work of the collection whose image is to be cropped, in place of an upload."""
BOX_FIELDS = ("x", "y", "w", "h")
"""The part of the image to use: left and upper edge, width and height, as shares of the upright image."""
MIN_SHARE = 0.02
"""The smallest part of a side that can be used."""

PREVIEW_SIDES = (112, 96, 80, 64, 48, 32)
"""Longer sides of the preview in pixels; the first of them is taken that makes it at most MAX_PREVIEW_BYTES."""
MAX_PREVIEW_BYTES = 800
PREVIEW_QUALITY = 30
TURN_TIMEOUT_S = 5.0
"""How long an upload waits for its turn."""
MAX_DETAIL = 16
"""A part of an image is decoded at most this many times larger than the whole would be."""


@dataclass(frozen=True)
class Box:
    """A part of an image, in shares of its sides."""

    x: float
    y: float
    w: float
    h: float

    @classmethod
    def parse(cls, values: MultiDict[str, str]) -> Box | None:
        """Return the box in a form's fields; None where they are empty or name the whole image. Raises Rejected."""
        given = [values.get(name, "").strip() for name in BOX_FIELDS]
        if not any(given):
            return None
        texts = [text or default for text, default in zip(given, ("0", "0", "1", "1"), strict=True)]
        if not all(re.fullmatch(r"[0-9]?(\.[0-9]{1,9})?", text) and text for text in texts):
            raise Rejected(gettext("The detail must be given as numbers from 0 to 1, such as 0.25."))
        return cls.within(*map(float, texts))

    @classmethod
    def within(cls, x: float = 0.0, y: float = 0.0, w: float = 1.0, h: float = 1.0) -> Box | None:
        """Return the box cut off at the image's edges; None where it is the whole image. Raises Rejected."""
        if x > 1 - MIN_SHARE or y > 1 - MIN_SHARE or min(w, h) < MIN_SHARE or max(w, h) > 1:
            raise Rejected(gettext("The selected detail is empty. Choose a larger one, inside the image."))
        box = cls(x, y, min(w, 1 - x), min(h, 1 - y))
        return None if min(box.w, box.h) > 0.995 else box

    def crop(self, image: Image.Image) -> Image.Image:
        """Return this part of the image, at least one pixel of it."""
        left, upper = int(self.x * image.width), int(self.y * image.height)
        right = max(left + 1, round((self.x + self.w) * image.width))
        lower = max(upper + 1, round((self.y + self.h) * image.height))
        return image.crop((left, upper, min(right, image.width), min(lower, image.height)))


def read_upload(collection: Collection) -> ImageTerm | None:
    """Return the image that this request uploads, or the part of a work that it names; None where it does neither.

    Raises Rejected for a file that is not an image or too large, NotFound for an unknown work, Busy, Unavailable.
    """
    data, box = _uploaded_bytes(), Box.parse(request.form)
    if data is None and request.form.get(WORK_FIELD):
        data = state().services.images.get(collection.get(request.form[WORK_FIELD]).image.large)
    return None if data is None else encode(collection, data, box)


def encode(collection: Collection, data: bytes, box: Box | None = None, weight: float = 1.0) -> ImageTerm:
    """Return the image in a file's bytes, or that part of it, as a term with its token and its preview.

    Waits for its turn. Raises Rejected for a file that is not an image or too large, Busy, Unavailable.
    """
    max_bytes = state().settings.max_upload
    if len(data) > max_bytes:
        raise Rejected(
            gettext(
                "This image is larger than %(limit)s MB. Please use a smaller one.",
                limit=number(max_bytes / 1e6, 0),
            ),
            413,
        )
    rate_limits().count_upload()
    with _turn():
        return _encode(collection, data, box, weight)


def preview_of(image: Image.Image) -> Preview:
    """Return a WebP copy that is small enough for an address."""
    for side in PREVIEW_SIDES:
        copy, buffer = shrink(image, side), io.BytesIO()
        copy.save(buffer, "WEBP", quality=PREVIEW_QUALITY, method=6)
        if buffer.tell() <= MAX_PREVIEW_BYTES:
            break
    return Preview(buffer.getvalue(), *copy.size)


def _uploaded_bytes() -> bytes | None:
    """Return the bytes of the first file that was chosen; a phone's camera is a field of the same name."""
    for file in request.files.getlist(FILE_FIELD):
        if file.filename:
            return file.stream.read()
    return None


@contextmanager
def _turn() -> Iterator[None]:
    decoders = state().decoders
    if not decoders.acquire(timeout=TURN_TIMEOUT_S):
        raise Busy(f"an upload waited {TURN_TIMEOUT_S} s for its turn")
    try:
        yield
    finally:
        decoders.release()


def _encode(collection: Collection, data: bytes, box: Box | None, weight: float) -> ImageTerm:
    engine, settings = state().engine, state().settings
    side = max(engine.encoder_for(collection.build).image_side, PREVIEW_SIDES[0])
    detail = min(MAX_DETAIL, math.ceil(1 / min(box.w, box.h))) if box else 1
    try:
        image = open_image(data, max_pixels=settings.max_upload_pixels, side=side * detail)
    except TooManyPixels as error:
        raise Rejected(
            gettext(
                "This image has too many pixels; the limit is %(limit)s million.",
                limit=number(error.limit / 1e6, 0),
            ),
            413,
        ) from error
    except Invalid as error:
        # The decoder's own message may quote its internals, so visitors do not see it.
        raise Rejected(
            gettext(
                "This file is not an image, or it is damaged. "
                "We accept JPEG, PNG, WebP, GIF, TIFF, BMP and AVIF."
            ),
            415,
        ) from error
    if box:
        image = box.crop(image)
    term = engine.image_term(collection, image, weight)
    return state().tokens.sign(dataclasses.replace(term, preview=preview_of(image)))
