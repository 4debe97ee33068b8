"""Decoding untrusted pictures: limits before pixels, upright, in sRGB.

Every way in goes through `open_image`, for the archive's files and for visitors' uploads alike.
"""

from __future__ import annotations

import io
import math
import struct
import zlib

import numpy as np
from PIL import ExifTags, Image, ImageCms, ImageOps, UnidentifiedImageError

from gallery.errors import Invalid

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
"""What we decode; Pillow knows more, some of which start other programs (EPS) or are seldom looked at."""

MAX_PASSES = 20
"""Times the pixel limit that a JPEG's scans may go over, all pixels together. Each scan of a progressive one is a pass
over all of its pixels, about 2 ns each: cameras write 1 scan, encoders about 10, and a small file may hold thousands."""

Image.MAX_IMAGE_PIXELS = (
    None  # Pillow's own guess at a limit; ours is a setting, checked below before any pixel
)

# What Pillow's decoders raise for damaged files; anything else would be a bug, and is let through.
DAMAGED = (
    OSError,
    RuntimeError,
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


HEAVY = {"WEBP", "AVIF", "I", "F"}
"""Formats and modes of which half as many pixels are taken: they are held several times over while they are decoded."""


class TooManyPixels(Invalid):
    """The picture claims more pixels than the limit, in pixels; none was decoded."""

    def __init__(self, message: str, limit: int) -> None:
        super().__init__(message)
        self.limit = limit


def open_image(data: bytes, *, max_pixels: int, side: int | None = None) -> Image.Image:
    """The picture as RGB in sRGB, upright, the first frame where there are several, on white where transparent.

    With `side`, the picture may come out smaller, its shorter side still at least `side` pixels: a JPEG is decoded
    so, at a fraction of the cost, and others are reduced before anything else takes memory. Raises TooManyPixels, or
    Invalid with the reason in words that fit "<file>: <reason>".
    """
    if not data:
        raise Invalid("the file is empty")
    try:
        picture: Image.Image = Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError:
        raise Invalid(
            "this is not a picture (JPEG, PNG, WebP, GIF, TIFF, BMP and AVIF are understood)"
        ) from None
    except DAMAGED as error:
        raise Invalid(f"the picture is damaged ({error})") from error
    width, height = picture.size
    limit = max_pixels // 2 if HEAVY & {picture.format, picture.mode} else max_pixels
    if width * height > limit:
        raise TooManyPixels(
            f"the picture is {width} x {height} pixels, over the limit of {limit / 1e6:.0f} million", limit
        )
    if (
        picture.format in ("JPEG", "MPO")
        and data.count(b"\xff\xda") * width * height > MAX_PASSES * max_pixels
    ):
        raise Invalid("the picture has more scans than any camera or program writes")
    try:
        if side is not None and min(width, height) > side:
            scale = side / min(width, height)
            picture.draft(picture.mode, (math.ceil(width * scale), math.ceil(height * scale)))
        picture.load()
        if side is not None:
            picture = _reduced(picture, side)
        ImageOps.exif_transpose(picture, in_place=True)  # copies of large pictures are what memory goes into
        return _to_srgb(picture)
    except DAMAGED as error:
        raise Invalid(f"the picture is damaged ({error})") from error


LYING = (5, 6, 7, 8)
"""The EXIF orientations of a picture that lies on one of its sides."""


def _reduced(picture: Image.Image, side: int) -> Image.Image:
    # Twice the side stays, for a good filter to take to the last size.
    factor = min(picture.size) // (2 * side)
    if factor < 2:
        return picture
    info, exif = picture.info, picture.getexif()
    if picture.mode in ("L", "RGB", "RGBA", "CMYK"):
        picture = picture.reduce(factor)
    else:  # palettes and deep pixels cannot be averaged before they are converted
        picture = picture.resize(
            (picture.width // factor, picture.height // factor), Image.Resampling.NEAREST
        )
    picture.info = {**info, "exif": exif.tobytes()}
    return picture


def picture_size(data: bytes) -> tuple[int, int]:
    """Width and height in pixels of a picture that `open_image` has accepted, upright, without decoding it."""
    with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
        width, height = picture.size
        turned = picture.getexif().get(ExifTags.Base.Orientation, 1) in LYING
    return (height, width) if turned else (width, height)


def _to_srgb(picture: Image.Image) -> Image.Image:
    profile = picture.info.get("icc_profile")
    if picture.mode in ("I;16", "I;16B", "I;16L", "I"):
        # 16 bits of grey; Pillow's own convert would clip everything above 255 to white
        deep = np.asarray(picture).clip(0, 65535)
        deep >>= 8
        picture = Image.fromarray(deep.astype(np.uint8))
    elif picture.mode == "F":
        values = np.nan_to_num(np.asarray(picture, dtype=np.float32), posinf=0, neginf=0)
        lowest, highest = float(values.min()), float(values.max())
        values /= max(abs(lowest), abs(highest)) or 1.0  # so that no difference is endless
        lowest, highest = float(values.min()), float(values.max())
        values -= lowest
        values *= 255 / ((highest - lowest) or 1.0)
        picture = Image.fromarray(values.astype(np.uint8))
    if picture.mode == "LAB":
        picture = (
            ImageCms.profileToProfile(picture, ImageCms.createProfile("LAB"), _SRGB, outputMode="RGB")
            or picture
        )
    if picture.has_transparency_data:
        rgba = picture if picture.mode == "RGBA" else picture.convert("RGBA")
        picture = Image.new("RGB", rgba.size, "white")
        picture.paste(rgba, mask=rgba.getchannel("A"))
    elif profile and picture.mode in ("RGB", "CMYK", "L"):
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            picture = ImageCms.profileToProfile(picture, source, _SRGB, outputMode="RGB") or picture
        except (ImageCms.PyCMSError, OSError):
            pass  # a broken or mismatched profile: the plain conversion below is what every viewer falls back to
    return picture if picture.mode == "RGB" else picture.convert("RGB")
