"""Metadata never decides whether an image is accepted; it is used where it is sound."""

from __future__ import annotations

import io
import os
import re
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from gallery.errors import Invalid
from gallery.images.containers import MAX_PARTS, split
from gallery.images.sandbox import decode_untrusted
from tests.fakes.archives import picture, png_chunk, saved
from tests.integration.hostile_input.files import seeds

LIMIT = 50_000_000
ORIENTATION = 0x0112


def decoded(data: bytes) -> np.ndarray:
    return np.asarray(decode_untrusted(data, max_pixels=LIMIT).image)


# Files with metadata of any content


def segment(kind: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, kind, 2 + len(body)) + body


def png_with(*chunks: bytes) -> bytes:
    data = picture(1, format="PNG")
    header_end = 8 + 25
    return data[:header_end] + b"".join(chunks) + data[header_end:]


def tiff_with(*entries: tuple[int, int, int, bytes], compression: str = "raw") -> bytes:
    """Return a TIFF with these entries: tag, type, number of values, and four bytes of values or place."""
    data = saved(Image.open(io.BytesIO(picture(1))), "TIFF", compression=compression)
    (start,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, start)
    rows = [data[start + 2 + 12 * row :][:12] for row in range(count)]
    rows += [struct.pack("<HHI4s", *entry) for entry in entries]
    rows.sort(key=lambda row: row[:2][::-1])
    head = data[:4] + struct.pack("<I", len(data))
    return head + data[8:] + struct.pack("<H", len(rows)) + b"".join(rows) + bytes(4)


def exif_of(*entries: tuple[int, int, int, bytes]) -> bytes:
    rows = b"".join(struct.pack(">HHI4s", *entry) for entry in sorted(entries))
    return b"Exif\0\0MM\0*\0\0\0\x08" + struct.pack(">H", len(entries)) + rows + bytes(4)


BODIES = st.builds(
    lambda prefix, rest: prefix + rest,
    st.sampled_from(
        [
            *(
                b"",
                b"JFIF\0",
                b"Adobe",
                b"ICC_PROFILE\0\1",
                b"MPF\0",
                b"FPXR\0",
                b"Photoshop 3.0\0" + b"8BIM",
            ),
            *(b"http://ns.adobe.com/xap/1.0/\0", b"Exif\0\0II*\0", exif_of(), exif_of()[6:]),
        ]
    ),
    st.binary(max_size=30),
)
JPEG_PARTS = st.builds(segment, st.sampled_from([*range(0xE0, 0xF0), 0xFE]), BODIES)
PNG_NAMES = st.sampled_from([b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"eXIf", b"tEXt", b"iTXt", b"pHYs"])
PNG_PARTS = st.builds(
    lambda kind, body, wrong: png_chunk(bytes([kind[0] | 0x20]) + kind[1:], body, wrong_crc=wrong),
    PNG_NAMES | st.binary(min_size=4, max_size=4),
    BODIES,
    st.booleans(),
)
WEBP_PARTS = st.builds(
    lambda kind, length, body: struct.pack("<4sI", kind, length) + body,
    st.sampled_from([b"EXIF", b"XMP ", b"junk"]),
    st.sampled_from([0, 1, 30, 2**32 - 1]),  # right or wrong
    BODIES,
)
TIFF_TAGS = st.sampled_from([274, 270, 282, 296, 305, 306, 700, 33723, 34377, 34665, 34675, 34853])
TIFF_ENTRIES = st.tuples(
    TIFF_TAGS,
    st.integers(0, 18),
    st.sampled_from([0, 1, 4, 5, 100, 2**32 - 1]),
    st.binary(min_size=4, max_size=4),
)


@settings(deadline=None, max_examples=60)
@given(parts=st.lists(JPEG_PARTS, max_size=3), progressive=st.booleans(), ended=st.booleans())
def test_no_segment_of_a_jpeg_decides(parts: list[bytes], progressive: bool, ended: bool) -> None:
    data = saved(Image.open(io.BytesIO(picture(1))), "JPEG", progressive=progressive)
    scan = data.index(b"\xff\xda")
    data = data[:2] + b"".join(parts) + data[2:scan] + b"".join(parts) + data[scan:]
    assert sorted(decoded(data if ended else data[:-2]).shape) == [3, 90, 120]


@settings(deadline=None, max_examples=60)
@given(st.lists(PNG_PARTS, max_size=3), st.sampled_from(["L", "RGB", "P", "RGBA"]))
def test_no_ancillary_chunk_of_a_png_decides(parts: list[bytes], mode: str) -> None:
    data = saved(Image.open(io.BytesIO(picture(1))).convert(mode), "PNG")
    pixels = data.index(b"IDAT") - 4
    data = data[:33] + b"".join(parts) + data[33:pixels] + b"".join(parts) + data[pixels:]
    assert sorted(decoded(data).shape) == [3, 90, 120]


@settings(deadline=None, max_examples=60)
@given(st.lists(WEBP_PARTS, max_size=3), st.booleans(), st.sampled_from([0, 12, 2**32 - 2]))
def test_no_other_chunk_of_a_webp_decides(parts: list[bytes], lossless: bool, length: int) -> None:
    image = Image.open(io.BytesIO(picture(1)))
    data = saved(image, "WEBP", lossless=lossless, exif=exif_of()) + b"".join(parts)
    assert sorted(decoded(data[:4] + struct.pack("<I", length) + data[8:]).shape) == [3, 90, 120]


@settings(deadline=None, max_examples=60)
@given(st.lists(TIFF_ENTRIES, max_size=4), st.sampled_from(["raw", "tiff_lzw", "jpeg"]))
def test_no_descriptive_entry_of_a_tiff_decides(
    entries: list[tuple[int, int, int, bytes]], compression: str
) -> None:
    assert sorted(decoded(tiff_with(*entries, compression=compression)).shape) == [3, 90, 120]


@settings(deadline=None, max_examples=30)
@given(BODIES)
def test_no_exif_of_an_avif_decides(body: bytes) -> None:
    exif = Image.Exif()
    exif[270] = "x" * 100
    data = saved(Image.open(io.BytesIO(picture(1))), "AVIF", exif=exif, speed=10)
    at = data.index(b"MM\0*")
    assert decoded(data[:at] + body + data[at + len(body) :]).shape == (90, 120, 3)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "GIF", "BMP", "WEBP"])
@pytest.mark.parametrize(
    "tail", [b"", b"\0" * 40, os.urandom(200_000), b"\xff\xda" * 50_000, b"\xff\xd8" + bytes(99)]
)
def test_what_follows_the_image_is_ignored(format: str, tail: bytes) -> None:
    assert decoded(picture(1, format=format) + tail).shape == (90, 120, 3)


# Metadata that is used


ODD_EXIF = [
    pytest.param(tag, kind, count, value, id=f"{tag:#06x} of type {kind}, {count} times")
    for tag in (0x011A, 0x0128, 0x8769, 0x9214, 0x927C, 0xA002, ORIENTATION + 1)
    for kind, count, value in [
        (2, 6, b"\0\0\0\x90"),
        (3, 0, b"\0\0\0\0"),
        (5, 70_000, b"\xff\xff\xff\xf0"),
        (11, 1, b"\x7f\xc0\0\0"),
    ]
]


@pytest.mark.parametrize(("tag", "kind", "count", "value"), ODD_EXIF)
def test_odd_metadata_is_ignored_and_the_orientation_used(
    tag: int, kind: int, count: int, value: bytes
) -> None:
    turned = (ORIENTATION, 3, 1, b"\0\x06\0\0")
    for size in ((60, 40), (1200, 800)):
        data = saved(Image.new("RGB", size, "red"), "JPEG", exif=exif_of(turned, (tag, kind, count, value)))
        decoded = decode_untrusted(data, max_pixels=LIMIT, side=30)
        assert (decoded.width, decoded.height) == size[::-1]
        assert decoded.image.width < decoded.image.height


@pytest.mark.parametrize("headers", range(4))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_the_orientation_is_found_after_any_number_of_headers(format: str, headers: int) -> None:
    exif = b"Exif\0\0" * headers + exif_of((ORIENTATION, 3, 1, b"\0\x06\0\0"))[6:]
    data = picture(1, format=format)
    if format == "JPEG":
        data = data[:2] + segment(0xE1, b"Exif\0\0" + exif) + data[2:]
    elif format == "PNG":
        data = png_with(png_chunk(b"eXIf", exif))
    else:
        data += struct.pack("<4sI", b"EXIF", len(exif)) + exif + b"\0" * (len(exif) % 2)
    assert decoded(data).shape == (120, 90, 3)


def test_the_first_orientation_of_a_jpeg_is_used() -> None:
    none, data = exif_of(), picture(1)
    upright, turned = (exif_of((ORIENTATION, 3, 1, bytes([0, value, 0, 0]))) for value in (1, 6))
    for bodies, shape in (((none, turned), (120, 90, 3)), ((upright, turned), (90, 120, 3))):
        assert decoded(data[:2] + b"".join(segment(0xE1, body) for body in bodies) + data[2:]).shape == shape


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
@pytest.mark.parametrize("side", [None, 40])
def test_the_size_is_that_of_the_upright_image(format: str, orientation: int, side: int | None) -> None:
    image = Image.new("RGB", (320, 160), "black")
    image.paste("white", (0, 0, 160, 160))
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    options = {"exif": exif} if format != "TIFF" else {"tiffinfo": {ORIENTATION: orientation}}
    decoded = decode_untrusted(saved(image, format, **options), max_pixels=LIMIT, side=side)
    expected = (320, 160) if orientation < 5 else (160, 320)
    assert (decoded.width, decoded.height) == expected
    assert decoded.image.width * expected[1] == decoded.image.height * expected[0]
    pixels = np.asarray(decoded.image.convert("L"))
    first = pixels[: pixels.shape[0] // 2] if orientation >= 5 else pixels[:, : pixels.shape[1] // 2]
    assert (first.mean() > 200) == (orientation in (1, 4, 5, 6))


LONG = zlib.compress(bytes(3_000_000))


@pytest.mark.parametrize(
    "added",
    [
        png_chunk(b"zTXt", b"Comment\0\0" + LONG),
        png_chunk(b"iTXt", b"Comment\0\x01\0\0\0" + LONG),
        png_chunk(b"iCCP", b"profile\0\0" + LONG),
        png_chunk(b"iCCP", b"profile\0\0no deflate"),
        png_chunk(b"tEXt", b"Comment\0x", wrong_crc=True),
        png_chunk(b"eXIf", b"MM\0*", wrong_crc=True),
        png_chunk(b"prVt", bytes(100), wrong_crc=True),
        png_chunk(b"eXIf", b"rubbish"),
    ],
)
def test_a_png_is_used_whatever_its_other_chunks_hold(added: bytes) -> None:
    assert decoded(png_with(added)).shape == (90, 120, 3)


def profile_with_red_and_green_exchanged() -> bytes:
    """Return sRGB's profile with the tags of two primaries renamed (ICC.1:2010, 7.3)."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile.replace(b"rXYZ", b"gxyz", 1).replace(b"gXYZ", b"rXYZ", 1).replace(b"gxyz", b"gXYZ", 1)


@pytest.mark.parametrize(
    ("format", "mode"),
    [(format, "RGB") for format in ("JPEG", "PNG", "WEBP", "TIFF", "AVIF")]
    + [("PNG", "RGBA"), ("PNG", "P"), ("WEBP", "RGBA"), ("TIFF", "RGBA")],
)
def test_a_colour_profile_is_used_in_every_format_and_mode(format: str, mode: str) -> None:
    image = Image.new("RGB", (16, 16), (200, 30, 30))
    image = image.quantize(4) if mode == "P" else image.convert(mode)
    other = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    for profile, expected in [
        (profile_with_red_and_green_exchanged(), (30, 200, 30)),
        (other, (200, 30, 30)),  # a profile of another colour space is ignored
    ]:
        shown = decoded(saved(image, format, icc_profile=profile))[0, 0].astype(int)
        assert np.abs(shown - expected).max() <= 12, shown


# Files that end early


def cut_jpeg(share: float, *, progressive: bool = False, mode: str = "RGB", tail: bytes = b"") -> bytes:
    data = saved(
        Image.open(io.BytesIO(picture(1, (640, 480)))).convert(mode), "JPEG", progressive=progressive
    )
    return data[: int(len(data) * share) if share < 1 else -2] + tail


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_without_its_end_marker_is_used(mode: str, progressive: bool) -> None:
    data = cut_jpeg(1, progressive=progressive, mode=mode)
    assert np.array_equal(decoded(data), decoded(data + b"\xff\xd9"))


@pytest.mark.parametrize("colour", [(0, 0, 0), (127, 127, 127), (128, 128, 128), (255, 255, 255)])
@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("end", [b"", b"\xff\xd9"])
def test_the_colour_of_the_last_pixels_does_not_decide(
    colour: tuple[int, int, int], progressive: bool, end: bytes
) -> None:
    data = saved(Image.new("RGB", (120, 90), colour), "JPEG", progressive=progressive)
    assert decoded(data[:-2] + end).shape == (90, 120, 3)


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("share", [0.3, 0.5, 0.9, 0.98])
@pytest.mark.parametrize("tail", [b"", b"\xff\xd9"])
def test_a_jpeg_that_misses_pixels_is_refused(mode: str, share: float, tail: bytes) -> None:
    with pytest.raises(Invalid, match="damaged"):
        decoded(cut_jpeg(share, mode=mode, tail=tail))


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.9, 0.98])
def test_a_progressive_jpeg_within_a_scan_is_refused(share: float) -> None:
    with pytest.raises(Invalid, match="damaged"):
        decoded(cut_jpeg(share, progressive=True))


@pytest.mark.parametrize("interval", [{"restart_marker_blocks": 1}, {"restart_marker_rows": 1}])
@pytest.mark.parametrize("end", [b"", b"\xff\xd9"])
def test_a_jpeg_that_ends_where_a_restart_is_due_is_refused(interval: dict[str, int], end: bytes) -> None:
    data = saved(Image.open(io.BytesIO(picture(1))), "JPEG", **interval)
    assert decoded(data[:-2] + end).shape == (90, 120, 3)
    restarts = [match.start() for match in re.finditer(rb"\xff[\xd0-\xd7]", data)]
    for at in restarts[:: max(1, len(restarts) // 10)]:
        with pytest.raises(Invalid, match="damaged"):
            decoded(data[:at] + end)


def test_a_jpeg_with_a_scan_for_each_colour_is_used_if_all_are_complete() -> None:
    image = Image.open(io.BytesIO(picture(1)))
    scans = [saved(channel, "JPEG") for channel in image.convert("YCbCr").split()]
    first = scans[0]
    frame, start = first.index(b"\xff\xc0"), first.index(b"\xff\xda")
    components = b"".join(bytes([number, 0x11, 0]) for number in (1, 2, 3))
    data = first[:frame] + segment(0xC0, first[frame + 4 : frame + 9] + b"\3" + components)
    data += first[frame + 13 : start]
    for number, scan in enumerate(scans, 1):
        data += segment(0xDA, bytes([1, number, 0, 0, 63, 0])) + scan[start + 10 : -2]
    for end in (b"", b"\xff\xd9"):
        assert np.abs(decoded(data + end).astype(int) - np.asarray(image)).mean() < 5
        for missing in range(20, len(data) - start - 300, 500):
            with pytest.raises(Invalid, match="damaged"):
                decoded(data[:-missing] + end)


@pytest.mark.parametrize("start", [0, 15, 2**31, 2**63 - 1, 2**63, 2**64 - 1])
def test_a_directory_may_start_nowhere(start: int) -> None:
    big = b"II+\0\x08\0\0\0" + struct.pack("<Q", start)
    assert split(big).pixels == big
    data = picture(1)
    assert decoded(data[:2] + segment(0xE1, b"Exif\0\0" + big) + data[2:]).shape == (90, 120, 3)


def test_a_file_may_end_anywhere() -> None:
    for files in seeds().values():
        for data in files:
            for end in (*range(min(100, len(data))), *range(100, len(data), 97)):
                split(data[:end])  # raises nothing: the decoder says what is missing


# Work


def test_the_chunks_of_a_large_png_are_copied_once() -> None:
    body = bytes(20_000_000)  # the sandbox allows for one copy of the file, and 64 MB
    data = png_with(png_chunk(b"IDAT", body))
    tracemalloc.start()
    try:
        assert split(data).pixels == data
        assert tracemalloc.get_traced_memory()[1] < 1.1 * len(data)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("first", [b"profile", b"", bytes(2_000_000)], ids=["sound", "empty", "too large"])
def test_only_the_first_profile_of_a_png_is_unpacked(first: bytes) -> None:
    chunks = [png_chunk(b"iCCP", b"name\0\0" + zlib.compress(body)) for body in (first, b"another")]
    assert split(png_with(*chunks)).profile == (b"profile" if first == b"profile" else None)


def test_many_scans_of_many_pixels_are_refused() -> None:
    data = saved(Image.new("L", (640, 480)), "JPEG", progressive=True)
    scan = data[data.rindex(b"\xff\xda") : -2]
    assert decoded(data[:-2] + scan * 100 + data[-2:]).shape == (480, 640, 3)
    with pytest.raises(Invalid, match="640 x 480 pixels in 4006 scans; that is too many"):
        decoded(data[:-2] + scan * 4_000 + data[-2:])


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xd8\xff" + b"\xff\xd8" * 1_000_000,
        b"\xff\xd8\xff\xda\0\2" + b"\xff\1" * 1_000_000,
        b"\x89PNG\r\n\x1a\n" + png_chunk(b"IDAT", b"") * 400_000,
        b"RIFF\0\0\0\0WEBP" + b"ALPH\0\0\0\0" * 400_000,
    ],
    ids=["segments", "scan", "chunks", "RIFF"],
)
def test_only_so_many_parts_are_read(data: bytes) -> None:
    assert len(split(data).pixels) <= 13 * MAX_PARTS
