"""Uploaded images: decoding and encoding them, in memory and within limits."""

from __future__ import annotations

import dataclasses
import io
import math
import re
from dataclasses import dataclass

from flask import request
from flask_babel import gettext
from PIL import Image
from werkzeug.datastructures import MultiDict

from gallery.errors import Invalid, Unavailable
from gallery.images.decode import TooManyPixels
from gallery.images.derivatives import shrink
from gallery.images.sandbox import decode_untrusted
from gallery.search.query import ImageTerm, Preview
from gallery.vectors.base import Collection
from serving.context import state
from serving.errors import Busy, Rejected
from serving.i18n import number
from serving.rate_limits import client_key, rate_limits

FILE_FIELD = "image"
WORK_FIELD = "work"
"""The form field with the id of a work whose image is cropped, instead of an upload."""
BOX_FIELDS = ("x", "y", "w", "h")
"""Form fields of the detail: left edge, top edge, width and height, as fractions of the upright image."""
MIN_SHARE = 0.02
"""Minimum width and height of a detail, as a fraction of the image."""

PREVIEW_SIDES = (112, 96, 80, 64, 48, 32)
"""Longer sides of previews in pixels; the first one with at most MAX_PREVIEW_BYTES is used."""
MAX_PREVIEW_BYTES = 800
PREVIEW_QUALITY = 30
MAX_DETAIL = 16
"""Maximum factor by which an image is decoded larger so that a small detail is sharp."""


@dataclass(frozen=True)
class Box:
    """A detail of an image, as fractions of its width and height."""

    x: float
    y: float
    w: float
    h: float

    @classmethod
    def parse(cls, values: MultiDict[str, str]) -> Box | None:
        """Return the box in a form's fields, or None for the whole image. Raises Rejected."""
        given = [values.get(name, "").strip() for name in BOX_FIELDS]
        if not any(given):
            return None
        texts = [text or default for text, default in zip(given, ("0", "0", "1", "1"), strict=True)]
        if not all(re.fullmatch(r"[0-9]?(\.[0-9]{1,9})?", text) and text for text in texts):
            raise Rejected(gettext("The detail must be given as numbers from 0 to 1, such as 0.25."))
        return cls.within(*map(float, texts))

    @classmethod
    def within(cls, x: float = 0.0, y: float = 0.0, w: float = 1.0, h: float = 1.0) -> Box | None:
        """Return the box clipped to the image, None for the whole image. Raises Rejected if too small."""
        if x > 1 - MIN_SHARE or y > 1 - MIN_SHARE or min(w, h) < MIN_SHARE or max(w, h) > 1:
            raise Rejected(
                gettext("The selected detail is too small or outside the image. Please select another one.")
            )
        box = cls(x, y, min(w, 1 - x), min(h, 1 - y))
        return None if min(box.w, box.h) > 0.995 else box

    def crop(self, image: Image.Image) -> Image.Image:
        """Return this detail of the image, at least one pixel."""
        left, upper = int(self.x * image.width), int(self.y * image.height)
        right = max(left + 1, round((self.x + self.w) * image.width))
        lower = max(upper + 1, round((self.y + self.h) * image.height))
        return image.crop((left, upper, min(right, image.width), min(lower, image.height)))


def read_upload(collection: Collection) -> ImageTerm | None:
    """Return the uploaded image of this request or the detail of a work; None if there is neither.

    Raises Rejected if the file is not an image or too large, NotFound for an unknown work, Busy, Unavailable.
    """
    data, box = _uploaded_bytes(), Box.parse(request.form)
    if data is None and request.form.get(WORK_FIELD):
        data = state().services.images.get(collection.get(request.form[WORK_FIELD]).image.large)
    return None if data is None else encode(collection, data, box)


def encode(collection: Collection, data: bytes, box: Box | None = None, weight: float = 1.0) -> ImageTerm:
    """Decode and encode a file, or a detail of it; return a term with token and preview.

    Waits for a decoder, see `Decoders`. Raises Rejected if the file is not an image or too large, Busy,
    Unavailable.
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
    with state().decoders.turn(client_key()):
        return _encode(collection, data, box, weight)


def preview_of(image: Image.Image) -> Preview:
    """Return a WebP preview that is small enough for an address."""
    for side in PREVIEW_SIDES:
        copy, buffer = shrink(image, side), io.BytesIO()
        copy.save(buffer, "WEBP", quality=PREVIEW_QUALITY, method=6)
        if buffer.tell() <= MAX_PREVIEW_BYTES:
            break
    return Preview(buffer.getvalue(), *copy.size)


def _uploaded_bytes() -> bytes | None:
    """Return the bytes of the first file. There are two fields of this name, for files and for the camera."""
    for file in request.files.getlist(FILE_FIELD):
        data = file.stream.read()
        if data or file.filename:  # a browser sends an empty part for a field without a file
            return data
    return None


def _encode(collection: Collection, data: bytes, box: Box | None, weight: float) -> ImageTerm:
    engine, settings = state().engine, state().settings
    side = max(engine.encoder_for(collection.build).image_side, PREVIEW_SIDES[0])
    detail = min(MAX_DETAIL, math.ceil(1 / min(box.w, box.h))) if box else 1
    try:
        image = decode_untrusted(data, max_pixels=settings.max_upload_pixels, side=side * detail).image
    except TooManyPixels as error:
        raise Rejected(
            gettext(
                "This image has too many pixels; the limit is %(limit)s million.",
                limit=number(error.limit / 1e6, 0),
            ),
            413,
        ) from error
    except Unavailable as error:  # says nothing about the collection
        raise Busy(str(error)) from error
    except Invalid as error:
        # The decoder's message may contain internal details, so visitors do not see it.
        raise Rejected(
            gettext(
                "This file is not an image, or it is damaged. "
                "We accept JPEG, PNG, WebP, GIF, TIFF, BMP, AVIF and HEIC."
            ),
            415,
        ) from error
    if box:
        image = box.crop(image)
    term = engine.image_term(collection, image, weight)
    return state().tokens.sign(dataclasses.replace(term, preview=preview_of(image)))
