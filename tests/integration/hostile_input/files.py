"""Hostile image files: mutated, truncated, polyglot, and decompression bombs."""

from __future__ import annotations

import gzip
import io
import random
import struct
import zipfile
import zlib
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from gallery.images.decode import FORMATS, MAX_SCANNED_PIXELS
from tests.fakes.archives import HEIC, png_chunk, saved

SIDE = 48
"""Side of the images that are mutated, in pixels: small, so that thousands can be tried."""


XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><a b="c"/></x:xmpmeta>'
SCAN = b"\xff\xda\0\x08\1\1\0\1\x3f\0"
"""A scan of a JPEG without pixels."""


def picture(seed: int = 0, side: int = SIDE) -> Image.Image:
    """An image of noise on a gradient, which compresses badly in every format."""
    rng = np.random.default_rng(seed)
    slope = np.linspace(0, 160, side)[:, None, None] + rng.integers(0, 90, (side, side, 3))
    return Image.fromarray(slope.astype(np.uint8))


def profile() -> bytes:
    """A colour profile like those that cameras embed."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def exif() -> Image.Exif:
    """Metadata with an orientation, a name, a place and a nested block."""
    data = Image.Exif()
    data[0x0112], data[0x010F] = 6, "Maker"
    data.get_ifd(0x8769)[0x9003] = "2020:01:01 00:00:00"
    data.get_ifd(0x8825)[1] = "N"
    return data


def texts() -> PngInfo:
    """Text chunks of a PNG, of all three kinds."""
    info = PngInfo()
    info.add_text("Comment", "plain")
    info.add_text("Packed", "text " * 50, zip=True)
    info.add_itxt("XML:com.adobe.xmp", XMP.decode(), zip=True)
    return info


def many_scans(image: Image.Image, count: int) -> bytes:
    """A progressive JPEG with this many more scans than a camera writes."""
    return saved(image, "JPEG", progressive=True)[:-2] + SCAN * count + b"\xff\xd9"


def seeds(side: int = SIDE) -> dict[str, list[bytes]]:
    """Valid images in several variants of every accepted format, by the format's name."""
    image, more = picture(side=side), [picture(n, side) for n in (1, 2)]
    frames = {"save_all": True, "append_images": more}
    rich = {"exif": exif(), "icc_profile": profile(), "xmp": XMP}
    tags = {"tiffinfo": {270: "a title", 315: "Somebody", 700: XMP}}
    found = {
        "JPEG": [
            saved(image, "JPEG"),
            saved(image, "JPEG", progressive=True, **rich),
            saved(image.convert("CMYK"), "JPEG"),
            many_scans(image, 60),
        ],
        "PNG": [
            saved(image, "PNG", pnginfo=texts(), **rich),
            saved(image.convert("P"), "PNG"),
            saved(image, "PNG", **frames),
        ],
        "WEBP": [
            saved(image, "WEBP", **rich),
            saved(image, "WEBP", lossless=True),
            saved(image, "WEBP", **frames),
        ],
        "GIF": [
            saved(image, "GIF"),
            saved(image, "GIF", **frames),
            saved(image.convert("L"), "GIF", transparency=0),
        ],
        "BMP": [saved(image, "BMP"), saved(image.convert("P"), "BMP"), saved(image.convert("1"), "BMP")],
        "TIFF": [
            saved(image, "TIFF", compression=kind)
            for kind in ("raw", "tiff_lzw", "tiff_deflate", "packbits", "jpeg")
        ]
        + [
            saved(image, "TIFF", **rich),
            saved(image, "TIFF", **tags),
            saved(image, "TIFF", **frames),
            tiled_tiff(),
        ],
        "AVIF": [saved(image, "AVIF", speed=10), saved(image, "AVIF", speed=10, **rich)],
    }
    found["HEIF"] = [HEIC]
    assert set(found) == set(FORMATS)
    return found


def tiled_tiff(side: int = 64, tile: int = 64) -> bytes:
    """A grey TIFF of one tile, whose size is independent of the image's."""
    packed = zlib.compress(picture(side=tile).convert("L").tobytes())
    values = {
        256: side, 257: side, 258: 8, 259: 8, 262: 1, 277: 1, 284: 1,
        322: tile, 323: tile, 324: 8, 325: len(packed),
    }  # fmt: skip
    tags = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in values.items())
    directory = struct.pack("<H", len(values)) + tags + bytes(4)
    return b"II*\0" + struct.pack("<I", 8 + len(packed)) + packed + directory


STRUCTURES = (
    *(b"ispe", b"clap", b"irot", b"iloc", b"iprp", b"av1C", b"hvcC", b"pixi", b"colr"),  # AVIF and HEIF
    *(b"VP8X", b"ANMF", b"ALPH", b"ICCP", b"EXIF", b"XMP "),  # WebP
    *(b"IHDR", b"fcTL", b"acTL", b"iCCP", b"eXIf", b"PLTE", b"tEXt", b"zTXt", b"iTXt"),  # PNG
    *(b"Exif\0\0", b"ICC_PROFILE", b"http://ns.adobe.com", b"<x:xmpmeta"),
    *(b"\xff\xc0", b"\xff\xc2", b"\xff\xda", b"\xff\xe1", b"\xff\xe2", b"\x21\xf9", b"\x2c"),  # JPEG and GIF
    *(struct.pack("<H", tag) for tag in (256, 257, 258, 259, 273, 277, 278, 279, 322, 323, 324, 325)),  # TIFF
    *(struct.pack("<H", tag) for tag in (270, 274, 315, 338, 700, 34_665, 34_675, 34_853)),  # its metadata
)
"""Names of boxes, frames, strips, tiles and metadata, whose numbers are mutated."""
NUMBERS = (0, 1, 2, 64, 255, 4_096, 16_384, 46_336, 2**16 - 1, 2**24, 2**31 - 1, 2**32 - 1)


def with_another_number(out: bytearray, chance: random.Random) -> None:
    """Change a number of one of the STRUCTURES that the file has."""
    found = [place for name in STRUCTURES if (place := out.find(name)) >= 0]
    if not found:
        return
    place = chance.choice(found) + chance.randrange(2, 24)
    number = chance.choice(NUMBERS)
    size = 2 if number < 2**16 and chance.random() < 0.5 else 4
    out[place : place + size] = number.to_bytes(size, chance.choice(("big", "little")))


def mutated(data: bytes, chance: random.Random, donor: bytes) -> bytes:
    """The file with random damage, of kinds that happen or that attackers cause."""
    out = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        place = chance.randrange(len(out)) if out else 0
        early = min(place, chance.randrange(256))  # headers are where damage has most effect
        match chance.randrange(13):
            case 0:
                out[early : early + 1] = bytes([chance.randrange(256)])
            case 1:
                out[place : place + 1] = bytes([chance.randrange(256)])
            case 2:
                del out[place:]
            case 3:
                del out[place : place + chance.randrange(1, 64)]
            case 4:
                out[place:place] = bytes(chance.randrange(256) for _ in range(chance.randrange(1, 64)))
            case 5:
                out[early : early + 4] = chance.choice(
                    (b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\0")
                )
            case 6:
                out[early : early + 2] = struct.pack("<H", chance.choice((0, 1, 255, 32767, 65535)))
            case 7:
                out[place:place] = out[place : place + 200] * chance.randrange(1, 20)
            case 8:
                out[place:] = donor[place:]
            case _:
                with_another_number(out, chance)
    return with_valid_checksums(bytes(out)) if chance.random() < 0.7 else bytes(out)


def with_valid_checksums(data: bytes) -> bytes:
    """The file with valid checksums if it is a PNG: decoders stop at an invalid one."""
    if not data.startswith(b"\x89PNG"):
        return data
    out, place = bytearray(data), 8
    while place + 12 <= len(out):
        end = place + 8 + int.from_bytes(out[place : place + 4], "big")
        out[end : end + 4] = struct.pack(">I", zlib.crc32(out[place + 4 : end]))
        place = end + 4
    return bytes(out)


def png(width: int, height: int, *chunks: bytes, pixels: bytes = b"", kind: int = 2, depth: int = 8) -> bytes:
    """A PNG of that size, with these chunks before its pixels, which may be too few."""
    head = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0))
    data = png_chunk(b"IDAT", pixels or zlib.compress(b"\0" * (height * (3 * width + 1)), 9))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(chunks) + data + png_chunk(b"IEND", b"")


def zeros(megabytes: int) -> bytes:
    """That many megabytes of zeros, compressed to a thousandth: one compressed block repeated."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(b"\0" * 1_000_000) + packer.flush(zlib.Z_FULL_FLUSH)
    checksum = (megabytes * 1_000_000 % 65_521) << 16 | 1  # Adler-32 of nothing but zeros
    return b"\x78\xda" + block * megabytes + b"\3\0" + struct.pack(">I", checksum)


TAGS = [
    (256, 3, 1, 4),
    (257, 3, 1, 4),
    (258, 3, 1, 8),
    (259, 3, 1, 1),
    (262, 3, 1, 1),
    (273, 4, 1, 8),
    (277, 3, 1, 1),
    (278, 3, 1, 4),
    (279, 4, 1, 16),
]
PAGE = struct.pack("<H", len(TAGS)) + b"".join(struct.pack("<HHII", *tag) for tag in TAGS)


def tiff(pages: int, *, circle: bool = False) -> bytes:
    """A TIFF of 4 x 4 pixels with that many pages; if `circle`, the last one refers to the first."""
    size = len(PAGE) + 4
    following = [24 + size * number for number in range(1, pages)] + [24 if circle else 0]
    return (
        b"II*\0"
        + struct.pack("<I", 24)
        + b"\x80" * 16
        + b"".join(PAGE + struct.pack("<I", each) for each in following)
    )


def jpeg_with(marker: int, body: bytes, times: int = 1) -> bytes:
    """A JPEG with a segment of that marker before its pixels, repeated."""
    whole = saved(picture(), "JPEG")
    segment = b"\xff" + bytes([marker]) + struct.pack(">H", len(body) + 2) + body
    return whole[:2] + segment * times + whole[2:]


def exif_loop() -> bytes:
    """Metadata whose directories refer to each other and themselves."""
    entries = (
        struct.pack("<HHII", 0x8769, 4, 1, 8)
        + struct.pack("<HHII", 0x8825, 4, 1, 8)
        + struct.pack("<HHII", 0xA005, 4, 1, 8)
    )
    return b"Exif\0\0II*\0" + struct.pack("<I", 8) + struct.pack("<H", 3) + entries + struct.pack("<I", 8)


def long_animation(format: str, frames: int) -> bytes:
    """A file with thousands of frames."""
    if format == "GIF":
        one = saved(picture(side=8).convert("P"), "GIF")
        start = one.index(b"\x2c")
        return one[:start] + one[start:-1] * frames + b";"
    others = [Image.new("RGB", (4, 4), (n % 256, n // 256, 0)) for n in range(1, frames)]
    return saved(Image.new("RGB", (4, 4)), format, save_all=True, append_images=others)


def zipped(data: bytes) -> bytes:
    """A zip archive that holds the data."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.png", data)
    return buffer.getvalue()


def text() -> bytes:
    """A chunk of compressed text, 50 MB uncompressed."""
    return png_chunk(b"zTXt", b"Comment\0\0" + zeros(50))


SCRIPT = b"<script>alert(1)</script>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)">' + SCRIPT + b"</svg>"


def bombs() -> dict[str, Callable[[], bytes]]:
    """Functions that make files which need far more time or memory than their size suggests."""
    return {
        "pixels claimed": lambda: png(65_000, 65_000, pixels=zlib.compress(b"\0" * 99)),
        "as many pixels as are allowed": lambda: png(7_000, 7_000),
        "as many pixels as are allowed, one row": lambda: png(49_000_000, 1),
        "as many deep pixels as are allowed": lambda: png(7_000, 7_000, pixels=zeros(400), kind=6, depth=16),
        "more pixels than the size says": lambda: png(4, 4, pixels=zeros(400)),
        "a profile": lambda: png(4, 4, png_chunk(b"iCCP", b"icc\0\0" + zeros(100))),
        "text": lambda: png(4, 4, text()),
        "texts": lambda: png(4, 4, *[text()] * 100),
        "international text": lambda: png(4, 4, png_chunk(b"iTXt", b"Comment\0\1\0\0\0" + zeros(50))),
        "a profile of nothing but tags": lambda: png(
            4,
            4,
            png_chunk(
                b"iCCP",
                b"icc\0\0" + zlib.compress(profile()[:128] + struct.pack(">I", 2**24) + b"\xff" * 10_000),
            ),
        ),
        "metadata in a circle": lambda: jpeg_with(0xE1, exif_loop()),
        "a page in a circle": lambda: tiff(3, circle=True),
        "huge metadata": lambda: jpeg_with(0xE1, b"Exif\0\0" + b"\xff" * 65_000, 100),
        "huge comments": lambda: jpeg_with(0xFE, b"c" * 65_000, 140),
        "a profile in 255 parts": lambda: jpeg_with(0xE2, b"ICC_PROFILE\0\1\xff" + b"p" * 65_000, 140),
        "thousands of scans": lambda: many_scans(picture(side=900), 20_000),
        "as many scans as are allowed": lambda: many_scans(
            Image.new("RGB", (7_000, 7_000)), MAX_SCANNED_PIXELS // 7_000**2 - 10
        ),
        "thousands of frames, GIF": lambda: long_animation("GIF", 20_000),
        "thousands of frames, PNG": lambda: long_animation("PNG", 3_000),
        "thousands of frames, WebP": lambda: long_animation("WEBP", 2_000),
        "thousands of pages": lambda: tiff(30_000),
        "a TIFF of one packed strip": lambda: saved(
            Image.new("L", (7_000, 7_000)), "TIFF", compression="tiff_deflate"
        ),
        "a TIFF of floats": lambda: saved(Image.new("F", (4_990, 4_990)), "TIFF", compression="tiff_deflate"),
        "a TIFF of whole numbers": lambda: saved(
            Image.new("I", (4_990, 4_990)), "TIFF", compression="tiff_lzw"
        ),
        "a TIFF in Lab": lambda: saved(Image.new("LAB", (7_000, 7_000)), "TIFF", compression="tiff_deflate"),
        "a GIF as large as its kind gets": lambda: saved(Image.new("P", (7_000, 7_000)), "GIF"),
        "as many clear pixels as are allowed, in a row": lambda: png(
            12_000_000, 4, pixels=zeros(193), kind=6
        ),
        "a WebP of one colour": lambda: saved(
            Image.new("RGBA", (4_990, 4_990)), "WEBP", lossless=True, method=0
        ),
        "a WebP of one colour, too large": lambda: saved(
            Image.new("RGBA", (7_000, 7_000)), "WEBP", lossless=True, method=0
        ),
        "an AVIF of one colour": lambda: saved(Image.new("RGBA", (4_990, 4_990)), "AVIF", speed=10),
        "a packed file": lambda: gzip.compress(b"\0" * 5_000_000),
        "a zip in a zip": lambda: zipped(zipped(b"\0" * 5_000_000)),
    }


PROLOGUE = b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>'


def polyglots() -> dict[str, Callable[[], bytes]]:
    """Return functions that make files which are valid in two formats, or not in the one they claim."""

    def saved_as(format: str) -> bytes:
        return saved(picture(), format)

    return {
        "GIF and script": lambda: b"GIF89a/*" + saved_as("GIF")[8:] + b"*/=1;alert(1)//",
        "GIF then script": lambda: saved_as("GIF") + SCRIPT,
        "JPEG with HTML in its comment": lambda: jpeg_with(0xFE, b"<!doctype html>" + SCRIPT),
        "JPEG then HTML": lambda: saved_as("JPEG") + b"<!doctype html>" + SCRIPT,
        "JPEG then zip": lambda: saved_as("JPEG") + zipped(b"x"),
        "zip": lambda: zipped(saved_as("JPEG")),
        "PDF": lambda: b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF",
        "PDF then JPEG": lambda: b"%PDF-1.7\n" + saved_as("JPEG"),
        "SVG": lambda: SVG,
        "SVG with a prologue": lambda: PROLOGUE + SVG,
        "HTML": lambda: b"<!doctype html>" + SCRIPT,
        "EPS": lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EOF",
        "Windows metafile": lambda: b"\xd7\xcd\xc6\x9a" + b"\0" * 64,
        "ICO": lambda: saved(picture(side=32), "ICO"),
        "PPM": lambda: b"P6 4 4 255\n" + b"\0" * 48,
        "program": lambda: b"\x7fELF" + b"\0" * 200,
    }
