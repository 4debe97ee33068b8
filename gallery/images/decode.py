"""Decodes untrusted images: checks limits before decoding, turns them upright, converts to sRGB.

`open_image` is the only way in, both for archives and for uploads.
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
"""Formats that are decoded. Of Pillow's others, some start programs (EPS), some are rarely reviewed."""

MAX_JPEG_PASSES = 20
"""Limit of a JPEG's pixels times its scans, as a multiple of the pixel limit. A scan of a progressive JPEG is
a pass over all pixels, about 2 ns each: cameras write 1, encoders about 10, a hostile file thousands."""

Image.MAX_IMAGE_PIXELS = None  # Pillow's built-in limit; ours is a setting, checked before decoding

DECODE_ERRORS = (
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
"""What Pillow's decoders raise for damaged files. Anything else is a bug and is not caught."""

HALF_LIMIT = {"WEBP", "AVIF", "I", "F"}
"""Formats and modes with half the pixel limit: several copies are in memory while they are decoded."""

ROTATED_ORIENTATIONS = (5, 6, 7, 8)
"""EXIF orientations of an image that is turned by 90 degrees."""

_SRGB = ImageCms.createProfile("sRGB")


class TooManyPixels(Invalid):
    """The image claims more pixels than `limit`; nothing was decoded."""

    def __init__(self, message: str, limit: int) -> None:
        super().__init__(message)
        self.limit = limit


def open_image(
    data: bytes, *, max_pixels: int, side: int | None = None, longest: int | None = None
) -> Image.Image:
    """Return the image as RGB in sRGB: upright, the first frame of several, on white where transparent.

    With `side`, the image may come out smaller, with a shorter side of at least `side` pixels. A JPEG is
    decoded at that size, at a fraction of the cost; other formats are reduced right after decoding. `longest`
    is the same for the longer side.
    Raises TooManyPixels, or Invalid with a reason that reads well after "<file>: ".
    """
    if not data:
        raise Invalid("the file is empty")
    try:
        image: Image.Image = Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError:
        raise Invalid("this is not an image in JPEG, PNG, WebP, GIF, TIFF, BMP or AVIF format") from None
    except DECODE_ERRORS as error:
        raise Invalid(f"the image is damaged ({error})") from error
    width, height = image.size
    if longest is not None and width * height:
        side = max(1, -(-longest * min(width, height) // max(width, height)))
    limit = max_pixels // 2 if HALF_LIMIT & {image.format, image.mode} else max_pixels
    if width * height > limit:
        raise TooManyPixels(
            f"the image has {width} x {height} pixels, over the limit of {limit / 1e6:.0f} million", limit
        )
    if (
        image.format in ("JPEG", "MPO")
        and data.count(b"\xff\xda") * width * height > MAX_JPEG_PASSES * max_pixels
    ):
        raise Invalid("the JPEG has more scans than any camera or program writes")
    try:
        if side is not None and min(width, height) > side:
            scale = side / min(width, height)
            image.draft(image.mode, (math.ceil(width * scale), math.ceil(height * scale)))
        image.load()
        if side is not None:
            image = _reduced(image, side)
        ImageOps.exif_transpose(image, in_place=True)  # in place: a copy would double the memory
        return _to_srgb(image)
    except DECODE_ERRORS as error:
        raise Invalid(f"the image is damaged ({error})") from error


def _reduced(image: Image.Image, side: int) -> Image.Image:
    # Keep twice the size, so that a better filter can do the last step.
    factor = min(image.size) // (2 * side)
    if factor < 2:
        return image
    info, exif = image.info, image.getexif()
    if image.mode in ("L", "RGB", "RGBA", "CMYK"):
        image = image.reduce(factor)
    else:  # palettes and 16-bit pixels cannot be averaged before conversion
        image = image.resize((image.width // factor, image.height // factor), Image.Resampling.NEAREST)
    image.info = {**info, "exif": exif.tobytes()}
    return image


def image_size(data: bytes) -> tuple[int, int]:
    """Return upright width and height in pixels, without decoding, of an image that `open_image` accepts."""
    with Image.open(io.BytesIO(data), formats=FORMATS) as image:
        width, height = image.size
        rotated = image.getexif().get(ExifTags.Base.Orientation, 1) in ROTATED_ORIENTATIONS
    return (height, width) if rotated else (width, height)


def _to_srgb(image: Image.Image) -> Image.Image:
    profile = image.info.get("icc_profile")
    if image.mode in ("I;16", "I;16B", "I;16L", "I"):
        # 16-bit grey; Pillow's own conversion clips everything above 255 to white
        deep = np.asarray(image).clip(0, 65535)
        deep >>= 8
        image = Image.fromarray(deep.astype(np.uint8))
    elif image.mode == "F":
        values = np.nan_to_num(np.asarray(image, dtype=np.float32), posinf=0, neginf=0)
        lowest, highest = float(values.min()), float(values.max())
        values /= max(abs(lowest), abs(highest)) or 1.0  # so that the range below cannot overflow
        lowest, highest = float(values.min()), float(values.max())
        values -= lowest
        values *= 255 / ((highest - lowest) or 1.0)
        image = Image.fromarray(values.astype(np.uint8))
    if image.mode == "LAB":
        image = (
            ImageCms.profileToProfile(image, ImageCms.createProfile("LAB"), _SRGB, outputMode="RGB") or image
        )
    if image.has_transparency_data:
        rgba = image if image.mode == "RGBA" else image.convert("RGBA")
        image = Image.new("RGB", rgba.size, "white")
        image.paste(rgba, mask=rgba.getchannel("A"))
    elif profile and image.mode in ("RGB", "CMYK", "L"):
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            image = ImageCms.profileToProfile(image, source, _SRGB, outputMode="RGB") or image
        except (ImageCms.PyCMSError, OSError):
            pass  # a broken or mismatched profile is ignored, as viewers do
    return image if image.mode == "RGB" else image.convert("RGB")
