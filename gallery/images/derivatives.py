"""The smaller copies of a picture that pages show, and what is read off it once for the catalogue."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

from gallery.images.decode import FORMATS, open_image, picture_size

QUALITY = 82
"""WebP quality: no visible loss at thumbnail sizes, about a third of the bytes of JPEG 90."""
METHOD = 2
"""WebP effort, 0 to 6. Three takes twice as long for 3 % fewer bytes."""
VERSION = 1
"""Part of every derivative's key: raise it when the same original would give other bytes."""

EXTENSIONS = {
    "JPEG": "jpg",
    "MPO": "jpg",
    "PNG": "png",
    "WEBP": "webp",
    "GIF": "gif",
    "BMP": "bmp",
    "TIFF": "tif",
    "AVIF": "avif",
}
CONTENT_TYPES = {
    "jpg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "gif": "image/gif",
    "bmp": "image/bmp",
    "tif": "image/tiff",
    "avif": "image/avif",
}


@dataclass(frozen=True)
class ImageInfo:
    """What one decoding of a picture tells: upright size in pixels, mean colour, perceptual hash, file extension.

    `phash` is a 64-bit difference hash in hex: pictures that look the same differ in few bits.
    """

    width: int
    height: int
    color: str
    phash: str
    extension: str


def inspect_image(data: bytes, *, max_pixels: int) -> ImageInfo:
    """What the picture is like, having decoded all of it. Raises Invalid with the reason where that fails."""
    picture = open_image(data, max_pixels=max_pixels, side=64)
    width, height = picture_size(data)
    with Image.open(io.BytesIO(data), formats=FORMATS) as opened:
        extension = EXTENSIONS[opened.format or ""]
    red, green, blue = np.asarray(picture.resize((1, 1), Image.Resampling.BOX))[0, 0]
    return ImageInfo(width, height, f"#{red:02x}{green:02x}{blue:02x}", difference_hash(picture), extension)


def difference_hash(picture: Image.Image) -> str:
    """64 bits in hex, one for each step of brightness along an 8 x 9 thumbnail (dHash, Krawetz 2013).

    https://www.hackerfactor.com/blog/index.php?/archives/529-Kind-of-Like-That.html
    """
    grey = np.asarray(picture.convert("L").resize((9, 8), Image.Resampling.BOX), dtype=np.int16)
    return np.packbits(grey[:, 1:] > grey[:, :-1]).tobytes().hex()


def shrink(picture: Image.Image, side: int) -> Image.Image:
    """The picture with its longer side at most `side` pixels; a smaller one is never enlarged."""
    copy = picture.copy()
    copy.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return copy


def webp(picture: Image.Image) -> bytes:
    """The picture as WebP."""
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", quality=QUALITY, method=METHOD)
    return buffer.getvalue()


def thumbnails(data: bytes, sides: tuple[int, ...], *, max_pixels: int) -> list[bytes]:
    """WebP copies, one for each longer side in pixels, in the order given. Raises Invalid."""
    width, height = picture_size(data)
    largest = max(sides)
    # The decoder is told the shorter side it may stop at, so that the longer one still reaches `largest`.
    shorter = -(-largest * min(width, height) // max(width, height))
    picture = open_image(data, max_pixels=max_pixels, side=max(1, shorter))
    made: dict[int, bytes] = {}
    for side in sorted(set(sides), reverse=True):
        picture = shrink(picture, side)
        made[side] = webp(picture)
    return [made[side] for side in sides]
