"""Uploaded pictures: from the request's bytes to something to search by, in memory and within limits."""

from __future__ import annotations

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
from serving.errors import Busy, Rejected
from serving.language import number
from serving.rate_limits import rate_limits
from serving.site import Site
from serving.tokens import Upload

FIELD = "picture"
WORK = "of"
"""The field that names a work of the collection whose picture is to be cropped, in place of an upload."""
BOX = ("x", "y", "w", "h")
"""The part to use: its left and upper edge, width and height, as shares of the upright picture."""
SMALLEST = 0.02
"""Share of a side that a part must have at least."""

COPY_SIDES = (112, 96, 80, 64, 48, 32)
COPY_BYTES = 800
"""The copy that is shown back has the first of these longer sides with which it is this small."""
COPY_QUALITY = 30
WAIT = 5.0
"""Seconds that an upload waits for its turn."""
DETAIL = 16
"""A part of a picture is decoded at most this many times larger than the whole would be."""


@dataclass(frozen=True)
class Box:
    """A part of a picture, in shares of its sides."""

    x: float
    y: float
    w: float
    h: float

    @classmethod
    def parse(cls, values: MultiDict[str, str]) -> Box | None:
        """The box in a form's fields; None where they are empty or name the whole picture. Raises Rejected."""
        given = [values.get(name, "").strip() for name in BOX]
        if not any(given):
            return None
        usual = ("0", "0", "1", "1")
        texts = [text or default for text, default in zip(given, usual, strict=True)]
        if not all(re.fullmatch(r"[0-9]?(\.[0-9]{1,9})?", text) and text for text in texts):
            raise Rejected(
                gettext("The part of the picture must be given as shares from 0 to 1, such as 0.25.")
            )
        x, y, w, h = map(float, texts)
        if x > 1 - SMALLEST or y > 1 - SMALLEST or min(w, h) < SMALLEST or max(w, h) > 1:
            raise Rejected(
                gettext("That part of the picture is empty. Choose a larger one, inside the picture.")
            )
        box = cls(x, y, min(w, 1 - x), min(h, 1 - y))
        return None if min(box.w, box.h) > 0.995 else box

    def of(self, picture: Image.Image) -> Image.Image:
        """The part as a picture, of one pixel at least."""
        left, upper = int(self.x * picture.width), int(self.y * picture.height)
        right = max(left + 1, round((self.x + self.w) * picture.width))
        lower = max(upper + 1, round((self.y + self.h) * picture.height))
        return picture.crop((left, upper, min(right, picture.width), min(lower, picture.height)))


def uploaded(site: Site) -> Upload | None:
    """The picture that this request uploads, or the part of a work that it names; None where it does neither.

    Raises Rejected for what is no picture or too large, NotFound for no work, Busy, Unavailable.
    """
    data, box = _sent(site), Box.parse(request.form)
    if data is None and request.form.get(WORK):
        work = site.engine.work(request.form[WORK])
        data = site.services.images.get(work.image.large)
    if data is None:
        return None
    return looked_at(site, data, box)


def looked_at(site: Site, data: bytes, box: Box | None = None) -> Upload:
    """The picture in a file's bytes, or the part of it, encoded when its turn has come.

    Raises Rejected for what is no picture or too large, Busy, Unavailable.
    """
    if len(data) > site.settings.max_upload:
        limit = number(site.settings.max_upload / 1e6, 0)
        raise Rejected(
            gettext("The picture is larger than %(limit)s MB. Try a smaller copy of it.", limit=limit), 413
        )
    rate_limits().count_upload()
    with _turn(site):
        return _upload(site, data, box)


def _sent(site: Site) -> bytes | None:
    """The bytes of the first file that was chosen; a phone's camera is a field of the same name."""
    for file in request.files.getlist(FIELD):
        if file.filename:
            return file.stream.read()
    return None


@contextmanager
def _turn(site: Site) -> Iterator[None]:
    if not site.decoders.acquire(timeout=WAIT):
        raise Busy(f"no upload could be decoded within {WAIT} s")
    try:
        yield
    finally:
        site.decoders.release()


def _upload(site: Site, data: bytes, box: Box | None) -> Upload:
    limit = site.settings.max_upload_pixels
    side = max(site.engine.encoder_for(site.live()).image_side, COPY_SIDES[0])
    detail = min(DETAIL, math.ceil(1 / min(box.w, box.h))) if box else 1
    try:
        picture = open_image(data, max_pixels=limit, side=side * detail)
    except TooManyPixels as error:
        raise Rejected(
            gettext(
                "The picture has too many pixels; the limit is %(limit)s million.",
                limit=number(error.limit / 1e6, 0),
            ),
            413,
        ) from error
    except Invalid as error:
        # The decoder's own words may quote its internals, so they are not passed on.
        raise Rejected(
            gettext(
                "This file is not a picture, or it is damaged. "
                "JPEG, PNG, WebP, GIF, TIFF, BMP and AVIF are understood."
            ),
            415,
        ) from error
    if box:
        picture = box.of(picture)
    copy, size = tiny(picture)
    return Upload(site.engine.picture(picture), copy, *size)


def tiny(picture: Image.Image) -> tuple[bytes, tuple[int, int]]:
    """A WebP copy small enough for an address, and its size in pixels."""
    for side in COPY_SIDES:
        copy, buffer = shrink(picture, side), io.BytesIO()
        copy.save(buffer, "WEBP", quality=COPY_QUALITY, method=6)
        if buffer.tell() <= COPY_BYTES:
            break
    return buffer.getvalue(), copy.size
