"""Decode an image of any supported format to upright RGB in sRGB.

Only pixels decide whether an image is accepted. Metadata is used where it helps (orientation, colour profile)
and ignored where it is broken. Untrusted images are decoded by `gallery.images.sandbox`, which calls this
module in a process with limits.
"""

from __future__ import annotations

import hashlib
import io
import math
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from pi_heif import register_heif_opener
from PIL import AvifImagePlugin, ExifTags, Image, ImageCms, UnidentifiedImageError

from gallery.errors import Invalid
from gallery.images.containers import END_OF_JPEG, Contents, split

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF")
"""Formats that are decoded. Of Pillow's others, some start programs (EPS), some are rarely reviewed."""
FORMAT_NAMES = "JPEG, PNG, WebP, GIF, TIFF, BMP, AVIF or HEIC"

MAX_REDUCTION = 8
"""A baseline JPEG that is decoded at a reduced size may have this many times the pixel limit: the decoder
keeps only the reduced rows in memory. 8 times 50 million covers the cameras of phones (200 million)."""
BYTES_PER_PIXEL = 16
"""Memory that decoding and conversion may take for each pixel. 16-bit grey passes through two 32-bit arrays,
RGBA through a copy on white."""
COEFFICIENT_BYTES = 2
"""Memory for each pixel and component of a progressive JPEG, which is decoded as a whole."""
MAX_SCANNED_PIXELS = 1_000_000_000
"""Maximum number of pixels times scans of a JPEG: each scan is a pass over all blocks, even if it is empty.
Enough for 20 scans of 50 million pixels; encoders make about ten."""

MAX_SIDE_PIXELS = 100_000
"""Maximum width and height. Decoders take time and memory for each row: 10 s for a TIFF of 1 x 50 million."""

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

HALF_LIMIT = {"WEBP", "AVIF", "HEIF", "I", "F"}
"""Formats and modes with half the pixel limit: several copies are in memory while they are decoded."""

TRANSPOSITIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""How to turn an image upright, by its EXIF orientation (EXIF 3.0, tag 0x0112)."""
TURNED_BY_90_DEGREES = (5, 6, 7, 8)

_FILLER = b"".join(bytes(range(255)) + b"\xff%c" % marker for marker in (*range(0xD0, 0xD8), 0xD0))
"""Data for a JPEG's scan, with all restart markers: where a restart is due, a scan needs the right one to
go on."""

_SRGB = ImageCms.createProfile("sRGB")

Image.MAX_IMAGE_PIXELS = None  # Pillow's own limit; settings give another, which `decode` checks
AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # each thread's stack counts as memory
register_heif_opener(thumbnails=False)


class TooManyPixels(Invalid):
    """The image claims more pixels than `limit`; nothing was decoded."""

    def __init__(self, message: str, limit: int) -> None:
        super().__init__(message)
        self.limit = limit


@dataclass(frozen=True, eq=False)
class Decoded:
    """The pixels of an image, as RGB in sRGB, and what is known about the whole.

    `width` and `height` are those of the upright image before any reduction, in pixels; `format` is one of
    FORMATS.
    """

    image: Image.Image
    width: int
    height: int
    format: str


def open_image(
    data: bytes, *, max_pixels: int, side: int | None = None, longest: int | None = None
) -> Image.Image:
    """Decode an image that this project made, in this process; see `decode`. Raises Invalid."""
    return decode(data, max_pixels=max_pixels, side=side, longest=longest).image


def decode(
    data: bytes,
    *,
    max_pixels: int,
    side: int | None = None,
    longest: int | None = None,
    reserve: Callable[[int], None] = lambda size: None,
) -> Decoded:
    """Return the image as RGB in sRGB: upright, the first frame of several, on white where transparent.

    With `side`, the image may come out smaller, with a shorter side of at least `side` pixels. A JPEG is
    decoded at that size, at a fraction of the cost; other formats are reduced right after decoding. `longest`
    is the same for the longer side. `reserve` is called before decoding, with the number of bytes that it may
    take.

    Raises TooManyPixels or Invalid, whose messages can follow "<file>: ".
    """
    if not data:
        raise Invalid("the file is empty")
    contents = split(data)
    # WebP's decoder takes memory for two frames as soon as it is opened.
    if size := _webp_size(contents.pixels):
        _check_size("WEBP", size, size, max_pixels)
        reserve(BYTES_PER_PIXEL * math.prod(size))
    try:
        image = _opened(contents.pixels)
        width, height = image.size
        name = image.format or ""
        if longest is not None and width * height:
            side = max(1, -(-longest * min(width, height) // max(width, height)))
        if side is not None and min(width, height) > side:
            _draft(image, side / min(width, height))
    except UnidentifiedImageError:
        raise Invalid(f"this is not an image in {FORMAT_NAMES} format") from None
    except DECODE_ERRORS as error:
        raise Invalid(f"the image is damaged ({error})") from error
    whole = "progressive" in image.info or contents.scans > 1  # the decoder keeps coefficients of the whole
    _check_size(name, (width, height), (width, height) if whole else image.size, max_pixels, image.mode)
    if contents.scans * width * height > MAX_SCANNED_PIXELS:
        raise Invalid(f"the image has {width} x {height} pixels in {contents.scans} scans; that is too many")
    coefficients = COEFFICIENT_BYTES * len(image.getbands()) * width * height if whole else 0
    reserve(BYTES_PER_PIXEL * image.width * image.height + coefficients)
    try:
        image.load()
        if name == "JPEG":
            _check_complete(image, contents, width * height, reserve)
        orientation = contents.orientation or _orientation(image)
        profile = contents.profile or image.info.get("icc_profile")
        if side is not None:
            image = _reduced(image, side)
        if orientation in TRANSPOSITIONS:
            image = image.transpose(TRANSPOSITIONS[orientation])
        pixels = _to_srgb(image, profile)
    except DECODE_ERRORS as error:
        raise Invalid(f"the image is damaged ({error})") from error
    if orientation in TURNED_BY_90_DEGREES:
        width, height = height, width
    return Decoded(pixels, width, height, name)


def _check_size(
    name: str, whole: tuple[int, int], decoded: tuple[int, int], max_pixels: int, mode: str = ""
) -> None:
    if max(whole) > MAX_SIDE_PIXELS:
        raise Invalid(f"the image has {whole[0]} x {whole[1]} pixels; a side has at most {MAX_SIDE_PIXELS}")
    limit = max_pixels // 2 if HALF_LIMIT & {name, mode} else max_pixels
    if math.prod(decoded) > limit or math.prod(whole) > limit * (1 if decoded == whole else MAX_REDUCTION):
        raise TooManyPixels(
            f"the image has {whole[0]} x {whole[1]} pixels, over the limit of {limit / 1e6:.0f} million",
            limit,
        )


def _webp_size(data: bytes) -> tuple[int, int] | None:
    """Return the width and height that a WebP claims (RFC 9649, 2.5 to 2.7); None for other formats."""
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP" or len(data) < 30:
        return None
    kind = data[12:16]
    if kind == b"VP8X":
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    return int.from_bytes(data[26:28], "little") & 0x3FFF, int.from_bytes(data[28:30], "little") & 0x3FFF


def _opened(pixels: bytes) -> Image.Image:
    return Image.open(io.BytesIO(pixels), formats=FORMATS)


def _draft(image: Image.Image, scale: float) -> None:
    """If this is a JPEG, have it decoded at this scale or a larger one."""
    image.draft(image.mode, (math.ceil(image.width * scale), math.ceil(image.height * scale)))


def _check_complete(
    image: Image.Image, contents: Contents, pixels: int, reserve: Callable[[int], None]
) -> None:
    """Raise OSError for a JPEG that ends before its last pixels.

    libjpeg shows blocks that are missing in grey (jdhuff.c). Where the end marker was missing, or the last
    pixels are grey, the image is decoded again with extra bytes before its end marker: a complete scan
    ignores them, and an incomplete one reads them as data. An image with a scan for each colour is always
    decoded again, since its last scan may be cut; for progressive images that would take too long.
    """
    last = image.crop((max(0, image.width - 4), image.height - 1, image.width, image.height))
    is_grey = all(low == high and low in (127, 128) for low, high in _extremes(last))
    by_color = contents.scans > 1 and "progressive" not in image.info
    if contents.ended and not is_grey and not by_color:
        return
    if contents.scans > 1:  # the last scans add little to a small image
        scale, memory = 1.0, (BYTES_PER_PIXEL + COEFFICIENT_BYTES * len(image.getbands())) * pixels
    else:
        scale, memory = 1 / MAX_REDUCTION, BYTES_PER_PIXEL * pixels // MAX_REDUCTION**2
    digests = set()
    for filler in (b"", _FILLER):
        reserve(memory + 2 * len(contents.pixels))
        probe = _opened(contents.pixels.removesuffix(END_OF_JPEG) + filler + END_OF_JPEG)
        _draft(probe, scale)
        digests.add(hashlib.sha256(probe.tobytes()).digest())
    if len(digests) > 1:
        raise OSError("the file ends before the last pixels")


def _extremes(image: Image.Image) -> list[tuple[float, float]]:
    return [channel.getextrema() for channel in image.split()]  # type: ignore[misc]


def _orientation(image: Image.Image) -> int:
    try:
        value = image.getexif().get(ExifTags.Base.Orientation, 1)
        return int(value)
    except DECODE_ERRORS:
        return 1


def _reduced(image: Image.Image, side: int) -> Image.Image:
    # Keep twice the size, so that a better filter can do the last step.
    factor = min(image.size) // (2 * side)
    if factor < 2:
        return image
    if image.mode in ("L", "RGB", "RGBA", "CMYK"):
        return image.reduce(factor)
    # palettes and 16-bit pixels cannot be averaged before conversion
    return image.resize((image.width // factor, image.height // factor), Image.Resampling.NEAREST)


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    image = _to_8_bits(image)
    alpha = None
    if image.has_transparency_data:
        grey = image.mode in ("LA", "La")
        rgba = image.convert("RGBA")
        alpha, image = rgba.getchannel("A"), rgba.convert("L" if grey else "RGB")
    elif image.mode == "P":
        image = image.convert("RGB")
    if profile and image.mode in ("RGB", "CMYK", "L"):
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            image = ImageCms.profileToProfile(image, source, _SRGB, outputMode="RGB") or image
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            pass  # a broken or mismatched profile is ignored, as viewers do
    if image.mode != "RGB":
        image = image.convert("RGB")
    if alpha is None:
        return image
    white = Image.new("RGB", image.size, "white")
    white.paste(image, mask=alpha)
    return white


def _to_8_bits(image: Image.Image) -> Image.Image:
    """Return the image with 8 bits a channel; 16-bit, float and Lab images change their mode."""
    if image.mode in ("I;16", "I;16B", "I;16L", "I"):
        import numpy as np

        # 16-bit grey; Pillow's own conversion clips everything above 255 to white
        deep = np.asarray(image).clip(0, 65535)
        deep >>= 8
        return Image.fromarray(deep.astype(np.uint8))
    if image.mode == "F":
        import numpy as np

        values = np.nan_to_num(np.asarray(image, dtype=np.float32), posinf=0, neginf=0)
        lowest, highest = float(values.min()), float(values.max())
        values /= max(abs(lowest), abs(highest)) or 1.0  # so that the range below cannot overflow
        lowest, highest = float(values.min()), float(values.max())
        values -= lowest
        values *= 255 / ((highest - lowest) or 1.0)
        return Image.fromarray(values.astype(np.uint8))
    if image.mode == "LAB":
        lab = ImageCms.createProfile("LAB")
        return ImageCms.profileToProfile(image, lab, _SRGB, outputMode="RGB") or image
    return image
