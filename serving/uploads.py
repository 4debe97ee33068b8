"""Uploaded pictures: from the request's bytes to something to search by, in memory and within limits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flask import request

from gallery.errors import Invalid
from gallery.images.decode import TooManyPixels, open_picture
from gallery.images.derivatives import shrink, webp
from serving.errors import Busy, Rejected
from serving.site import Site
from serving.tokens import Upload

FIELD, TOKEN = "picture", "token"

COPY_SIDE = 320
"""Longer side in pixels of the copy that is shown back: twice what the page shows, about 15 KB."""
WAIT = 5.0
"""Seconds that an upload waits for its turn."""


def uploaded(site: Site, words: str) -> Upload | None:
    """The picture that this request uploads, or without words names by its signed field; None where there is neither.

    Raises Rejected for what is no picture or too large, Busy, Unavailable.
    """
    file = request.files.get(FIELD)
    if file and file.filename:
        data = file.stream.read()
        if len(data) > site.settings.max_upload:
            limit = site.settings.max_upload / 1e6
            raise Rejected(f"The picture is larger than {limit:.0f} MB. Try a smaller copy of it.", 413)
        with _turn(site):
            return _upload(site, data)
    token = request.form.get(TOKEN)
    if token and not words:
        upload = site.tokens.read(token)
        if upload.query.fingerprint != site.live().fingerprint:
            raise Rejected(
                "The collection has changed since this picture was uploaded. Please upload it again."
            )
        return upload
    return None


@contextmanager
def _turn(site: Site) -> Iterator[None]:
    if not site.decoders.acquire(timeout=WAIT):
        raise Busy(f"no upload could be decoded within {WAIT} s")
    try:
        yield
    finally:
        site.decoders.release()


def _upload(site: Site, data: bytes) -> Upload:
    limit = site.settings.max_upload_pixels
    side = max(site.engine.encoder_for(site.live()).image_side, COPY_SIDE)
    try:
        picture = open_picture(data, max_pixels=limit, side=side)
    except TooManyPixels as error:
        raise Rejected(
            f"The picture has too many pixels; the limit is {limit / 1e6:,.0f} million.", 413
        ) from error
    except Invalid as error:
        # The decoder's own words may quote its internals, so they are not passed on.
        raise Rejected(
            "This file is not a picture, or it is damaged. JPEG, PNG, WebP, GIF, TIFF, BMP and AVIF are understood.",
            415,
        ) from error
    copy = shrink(picture, COPY_SIDE)
    return Upload(site.engine.picture_query(picture), webp(copy), *copy.size)
