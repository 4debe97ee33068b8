"""Decode an image of any supported format to upright RGB in sRGB.

Only pixels decide whether an image is accepted. Metadata is used where it helps (orientation, colour profile)
and ignored where it is broken. Untrusted images are decoded by `gallery.images.sandbox`, which calls this
module in a process with limits.
"""

from __future__ import annotations

import io
import math
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pi_heif import register_heif_opener
from PIL import AvifImagePlugin, ExifTags, Image, ImageCms, ImageFile, UnidentifiedImageError

from gallery.errors import Invalid

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF")
"""Formats that are decoded. Of Pillow's others, some start programs (EPS), some are rarely reviewed."""
FORMAT_NAMES = "JPEG, PNG, WebP, GIF, TIFF, BMP, AVIF or HEIC"

MAX_REDUCTION = 8
"""A baseline JPEG that is decoded at a reduced size may have this many times the pixel limit: the decoder
keeps only the reduced rows in memory. 8 times 50 million covers the cameras of phones (200 million)."""
BYTES_PER_PIXEL = 16
"""Memory that decoding and conversion may take for each pixel. 16-bit grey passes through two 32-bit arrays,
RGBA through a copy on white."""
COEFFICIENT_BYTES = 6
"""Memory for each pixel of a progressive JPEG: a 16-bit coefficient for each of three components."""

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
PNG_COLOR_CHUNKS = {b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"eXIf"}
"""Ancillary chunks that say how to show the pixels. All others are dropped unread."""
MAX_PNG_PROFILE_BYTES = 1_000_000
"""Maximum size of an unpacked colour profile. Pillow refuses images with larger ones."""

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
    FORMATS or "MPO".
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
    if size := _webp_size(data):  # WebP's decoder takes memory for two frames as soon as it is opened
        _check_size("WEBP", size, size, max_pixels)
        reserve(BYTES_PER_PIXEL * math.prod(size))
    try:
        image: Image.Image = Image.open(io.BytesIO(_without_metadata(data)), formats=FORMATS)
        width, height = image.size
        name = image.format or ""
        if longest is not None and width * height:
            side = max(1, -(-longest * min(width, height) // max(width, height)))
        if side is not None and min(width, height) > side:
            scale = side / min(width, height)
            image.draft(image.mode, (math.ceil(width * scale), math.ceil(height * scale)))
    except UnidentifiedImageError:
        raise Invalid(f"this is not an image in {FORMAT_NAMES} format") from None
    except DECODE_ERRORS as error:
        raise Invalid(f"the image is damaged ({error})") from error
    progressive = "progressive" in image.info
    _check_size(name, (width, height), (width, height) if progressive else image.size, max_pixels, image.mode)
    coefficients = COEFFICIENT_BYTES * width * height if progressive else 0
    reserve(BYTES_PER_PIXEL * image.width * image.height + coefficients)
    try:
        _load(image, data)
        orientation = _orientation(image)  # after loading, when Pillow has turned a TIFF
        if side is not None:
            image = _reduced(image, side)
        if orientation in TRANSPOSITIONS:
            image = _transposed(image, TRANSPOSITIONS[orientation])
        pixels = _to_srgb(image)
    except DECODE_ERRORS as error:
        raise Invalid(f"the image is damaged ({error})") from error
    if orientation in TURNED_BY_90_DEGREES:
        width, height = height, width
    return Decoded(pixels, width, height, name)


def _check_size(
    name: str, whole: tuple[int, int], decoded: tuple[int, int], max_pixels: int, mode: str = ""
) -> None:
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


def _without_metadata(data: bytes) -> bytes:
    """Return a PNG without the chunks that do not describe its pixels; other formats as they are.

    Pillow reads all text and checks all CRCs before any pixel, and refuses the image if one is wrong.
    """
    if not data.startswith(PNG_SIGNATURE):
        return data
    return b"".join((PNG_SIGNATURE, *_needed_chunks(memoryview(data))))


def _needed_chunks(data: memoryview) -> Iterator[memoryview]:
    # Views, not copies: the sandbox lets the file be held in memory twice, not three times.
    start = len(PNG_SIGNATURE)
    while start + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, start)
        chunk = data[start : start + 12 + length]
        start += 12 + length
        if kind[0] & 0x20:  # ancillary: the first letter is lower case (PNG specification, 5.4)
            intact = len(chunk) == 12 + length and zlib.crc32(chunk[4:-4]) == int.from_bytes(
                chunk[-4:], "big"
            )
            if kind not in PNG_COLOR_CHUNKS or not intact:
                continue
            if kind == b"iCCP" and not _is_small_profile(bytes(chunk[8:-4])):
                continue
        yield chunk
    yield data[start:]


def _is_small_profile(body: bytes) -> bool:
    compressed = body.partition(b"\0")[2][1:]
    unpacker = zlib.decompressobj()
    try:
        unpacker.decompress(compressed, MAX_PNG_PROFILE_BYTES)
    except zlib.error:
        return False
    return not unpacker.unconsumed_tail


def _load(image: Image.Image, data: bytes) -> None:
    try:
        image.load()
    except OSError:
        if image.format not in ("JPEG", "MPO") or image.info.get("progressive") or data.endswith(b"\xff\xd9"):
            raise
        _load_without_end(image)


def _load_without_end(image: Image.Image) -> None:
    """Load a JPEG whose end marker is missing. Raises OSError if pixels are missing too.

    libjpeg fills blocks that are missing with zero coefficients, which is grey (jdhuff.c). The setting
    concerns the whole process, but only the sandbox, which decodes one image at a time, gets such files.
    """
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        image.load()
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = False
    corner = image.crop((max(0, image.width - 4), image.height - 1, image.width, image.height))
    if all(low == high and low in (0, 127, 128) for low, high in _extremes(corner)):
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
    info = image.info
    if image.mode in ("L", "RGB", "RGBA", "CMYK"):
        image = image.reduce(factor)
    else:  # palettes and 16-bit pixels cannot be averaged before conversion
        image = image.resize((image.width // factor, image.height // factor), Image.Resampling.NEAREST)
    image.info = info
    return image


def _transposed(image: Image.Image, method: Image.Transpose) -> Image.Image:
    info = image.info
    image = image.transpose(method)
    image.info = info
    return image


def _to_srgb(image: Image.Image) -> Image.Image:
    profile = image.info.get("icc_profile")
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
