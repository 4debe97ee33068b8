"""Smaller copies of an image for pages, and the facts about it for the catalogue."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from gallery.images.sandbox import decode_untrusted

QUALITY = 82
"""WebP quality: no visible loss at thumbnail sizes, a third of the bytes of JPEG 90."""
METHOD = 2
"""WebP effort, 0 to 6; 3 takes twice as long for 3 % fewer bytes."""
VERSION = 1
"""Part of every copy's key; increase it when the same original would give different bytes."""

EXTENSIONS = {
    "JPEG": "jpg",
    "PNG": "png",
    "WEBP": "webp",
    "GIF": "gif",
    "BMP": "bmp",
    "TIFF": "tif",
    "AVIF": "avif",
    "HEIF": "heic",
}
CONTENT_TYPES = {
    "jpg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "gif": "image/gif",
    "bmp": "image/bmp",
    "tif": "image/tiff",
    "avif": "image/avif",
    "heic": "image/heic",
}


@dataclass(frozen=True)
class ImageInfo:
    """Facts about an image: upright size in pixels, mean colour ``#rrggbb``, perceptual hash, extension.

    `phash` is a 64-bit difference hash in hex; similar images differ in few bits. `pixels` is the SHA-256, in
    hex, of the image at the size of its largest thumbnail: equal for files that differ in metadata or
    lossless compression alone.
    """

    width: int
    height: int
    color: str
    phash: str
    extension: str
    pixels: str


@dataclass(frozen=True, eq=False)
class DecodedImage:
    """An image that was decoded once, for everything that is made from it.

    `image` is RGB, upright, and reduced to what the thumbnails need.
    """

    info: ImageInfo
    image: Image.Image

    def thumbnails(self, sides: Sequence[int]) -> list[bytes]:
        """Return WebP copies, one for each longer side in pixels, in the given order."""
        image = self.image
        made: dict[int, bytes] = {}
        for side in sorted(set(sides), reverse=True):
            image = shrink(image, side)
            made[side] = webp(image)
        return [made[side] for side in sides]


def decode_image(data: bytes, *, longest: int, max_pixels: int) -> DecodedImage:
    """Decode an image once, large enough for thumbnails of `longest` pixels. Raises Invalid."""
    decoded = decode_untrusted(data, max_pixels=max_pixels, longest=longest)
    image, extension = decoded.image, EXTENSIONS[decoded.format]
    red, green, blue = np.asarray(image.resize((1, 1), Image.Resampling.BOX))[0, 0]
    size = f"{decoded.width} {decoded.height} {image.width} {image.height} ".encode()
    info = ImageInfo(
        width=decoded.width,
        height=decoded.height,
        color=f"#{red:02x}{green:02x}{blue:02x}",
        phash=difference_hash(image),
        extension=extension,
        pixels=hashlib.sha256(size + image.tobytes()).hexdigest(),
    )
    return DecodedImage(info, image)


def inspect_image(data: bytes, *, max_pixels: int) -> ImageInfo:
    """Return the facts about an image, after decoding all of it. Raises Invalid if that fails."""
    return decode_image(data, longest=64, max_pixels=max_pixels).info


def difference_hash(image: Image.Image) -> str:
    """Return 64 bits in hex: where brightness rises along the rows of a 9 x 8 copy (dHash, Krawetz 2013).

    https://www.hackerfactor.com/blog/index.php?/archives/529-Kind-of-Like-That.html
    """
    grey = np.asarray(image.convert("L").resize((9, 8), Image.Resampling.BOX), dtype=np.int16)
    return np.packbits(grey[:, 1:] > grey[:, :-1]).tobytes().hex()


def shrink(image: Image.Image, side: int) -> Image.Image:
    """Return a copy whose longer side is at most `side` pixels; smaller images are not enlarged."""
    copy = image.copy()
    copy.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return copy


def webp(image: Image.Image) -> bytes:
    """Return the image as WebP."""
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=QUALITY, method=METHOD)
    return buffer.getvalue()


def thumbnails(data: bytes, sides: Sequence[int], *, max_pixels: int) -> list[bytes]:
    """Return WebP copies, one for each longer side in pixels, in the given order. Raises Invalid."""
    return decode_image(data, longest=max(sides), max_pixels=max_pixels).thumbnails(sides)
