"""Decoding untrusted pictures: limits before pixels, upright, in sRGB.

Every way in goes through `open_picture`, for the archive's files and for visitors' uploads alike.
"""

from __future__ import annotations

import io
import math
import struct
import zlib

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from gallery.errors import Invalid

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
"""What we decode; Pillow knows more, some of which start other programs (EPS) or are seldom looked at."""

MAX_SCANS = 100
"""Scans in one JPEG. Cameras write 1 and progressive encoders about 10; each costs a pass over all the pixels,
so a small file of a thousand scans would hold a decoder for minutes."""

Image.MAX_IMAGE_PIXELS = (
    None  # Pillow's own guess at a limit; ours is a setting, checked below before any pixel
)

# What Pillow's decoders raise for damaged files; anything else would be a bug, and is let through.
DAMAGED = (
    OSError,
    SyntaxError,
    ValueError,
    IndexError,
    KeyError,
    TypeError,
    OverflowError,
    EOFError,
    struct.error,
    zlib.error,
)

_SRGB = ImageCms.createProfile("sRGB")


class TooManyPixels(Invalid):
    """The picture claims more pixels than the limit; none was decoded."""


def open_picture(data: bytes, *, max_pixels: int, side: int | None = None) -> Image.Image:
    """The picture as RGB in sRGB, upright, the first frame where there are several, on white where transparent.

    With `side`, a JPEG may be decoded smaller (its shorter side stays at least `side` pixels), at a fraction of
    the cost. Raises Invalid (TooManyPixels for that) with the reason, in words that fit "<file>: <reason>".
    """
    if not data:
        raise Invalid("the file is empty")
    try:
        picture = Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError:
        raise Invalid(
            "this is not a picture (JPEG, PNG, WebP, GIF, TIFF, BMP and AVIF are understood)"
        ) from None
    except DAMAGED as error:
        raise Invalid(f"the picture is damaged ({error})") from error
    width, height = picture.size
    if width * height > max_pixels:
        raise TooManyPixels(
            f"the picture is {width} x {height} pixels, over the limit of {max_pixels / 1e6:.0f} million"
        )
    if picture.format in ("JPEG", "MPO") and data.count(b"\xff\xda") > MAX_SCANS:
        raise Invalid(f"the picture has over {MAX_SCANS} scans, which no camera writes")
    try:
        if side is not None and min(width, height) > side:
            scale = side / min(width, height)
            picture.draft(picture.mode, (math.ceil(width * scale), math.ceil(height * scale)))
        picture.load()
        return _to_srgb(ImageOps.exif_transpose(picture))
    except DAMAGED as error:
        raise Invalid(f"the picture is damaged ({error})") from error


def picture_size(data: bytes) -> tuple[int, int]:
    """Width and height in pixels of a picture that `open_picture` has accepted, upright, without decoding it."""
    with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
        width, height = picture.size
        turned = picture.getexif().get(0x0112, 1) in (
            5,
            6,
            7,
            8,
        )  # EXIF orientation: the four that lie on a side
    return (height, width) if turned else (width, height)


def _to_srgb(picture: Image.Image) -> Image.Image:
    profile = picture.info.get("icc_profile")
    if picture.mode in ("I;16", "I;16B", "I;16L", "I"):
        # 16 bits of grey; Pillow's own convert would clip everything above 255 to white
        picture = Image.fromarray((np.asarray(picture).astype(np.int64).clip(0, 65535) >> 8).astype(np.uint8))
    elif picture.mode == "F":
        values = np.nan_to_num(np.asarray(picture, dtype=np.float64))
        span = values.max() - values.min() or 1.0
        picture = Image.fromarray(((values - values.min()) / span * 255).astype(np.uint8))
    if picture.mode == "LAB":
        picture = (
            ImageCms.profileToProfile(picture, ImageCms.createProfile("LAB"), _SRGB, outputMode="RGB")
            or picture
        )
    if picture.has_transparency_data:
        rgba = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
    elif profile and picture.mode in ("RGB", "CMYK", "L"):
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            picture = ImageCms.profileToProfile(picture, source, _SRGB, outputMode="RGB") or picture
        except (ImageCms.PyCMSError, OSError):
            pass  # a broken or mismatched profile: the plain conversion below is what every viewer falls back to
    return picture.convert("RGB")
