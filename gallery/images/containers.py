"""Separate the pixels of an image file from its metadata.

Decoders read metadata before pixels, and refuse a file whose metadata is broken. `split` keeps the parts of a
file that describe its pixels, and reads the two facts that matter for showing them: the EXIF orientation and
the colour profile. Broken metadata is dropped, and so is what follows the image. A file whose structure is
damaged is left for the decoder to refuse.
"""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import dataclass

MAX_PARTS = 100_000
"""Maximum number of segments or chunks that are read. Those of images have some kilobytes each."""
MAX_PNG_PROFILE_BYTES = 1_000_000
"""Maximum size of an unpacked colour profile. Those of printers take about half of it."""

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
END_OF_JPEG = b"\xff\xd9"


@dataclass(frozen=True)
class Contents:
    """The parts of a file.

    `pixels` is the file without metadata; a JPEG's always ends with an end marker. `orientation` is that of
    EXIF, 1 to 8, or None where the decoder knows it (AVIF, HEIC). `profile` is an ICC profile, unchecked.
    `scans` is the number of a JPEG's scans, otherwise 0; `ended` says whether it had its end marker.
    """

    pixels: bytes
    orientation: int | None = 1
    profile: bytes | None = None
    scans: int = 0
    ended: bool = True


def split(data: bytes) -> Contents:
    """Return the parts of a file."""
    if data.startswith(b"\xff\xd8\xff"):
        return _split_jpeg(data)
    if data.startswith(PNG_SIGNATURE):
        return _split_png(data)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _split_webp(data)
    if data[:2] in (b"II", b"MM") and set(data[2:4]) in ({0, 42}, {0, 43}):
        return _split_tiff(data)
    if data[4:8] == b"ftyp":
        return Contents(_without_exif_item(data), orientation=None)
    return Contents(data)


# JPEG (ITU-T T.81, annex B; JFIF 1.02; ICC.1:2010, B.4)

_JPEG_MARKER = re.compile(rb"\xff([^\x00\xff\xd0-\xd7])")
"""A marker. Stuffed bytes, fill bytes and restart markers are part of a scan's data."""
EXIF_HEADER = b"Exif\0\0"
"""What a JPEG writes before EXIF data (EXIF 3.0, 4.7.2)."""
_EXIF_HEADERS = re.compile(rb"(?:Exif\0\0)*")
_SOI, _EOI, _SOS, _TEM = 0xD8, 0xD9, 0xDA, 0x01
_APP0, _APP1, _APP2, _APP14, _APP15, _COM = 0xE0, 0xE1, 0xE2, 0xEE, 0xEF, 0xFE
_TABLES_AND_FRAMES = {*range(0xC0, 0xD0), *range(0xDA, 0xE0)}


def _split_jpeg(data: bytes) -> Contents:
    view = memoryview(data)
    kept: list[bytes | memoryview] = [b"\xff\xd8"]
    profile: dict[int, bytes] = {}
    orientation, scans, ended, position = 0, 0, False, 2
    for _ in range(MAX_PARTS):
        match = _JPEG_MARKER.search(data, position)
        if not match:
            if scans:
                kept.append(view[position:])
            break
        kind, start = match[1][0], match.end() - 2
        if scans:  # what lies between markers is the data of a scan
            kept.append(view[position : match.start()])
        position = match.end()
        if kind == _EOI:
            ended = True
            break
        if kind in (_SOI, _TEM):
            continue
        length = int.from_bytes(view[position : position + 2], "big")
        body = data[position + 2 : position + length]
        if length < 2 or len(body) != length - 2:
            continue
        position += length
        if kind == _APP1 and body.startswith(EXIF_HEADER):
            orientation = orientation or _orientation(body)
        elif kind == _APP2 and body[:12] == b"ICC_PROFILE\0" and len(body) > 14:
            profile.setdefault(body[12], body[14:])
        decides = kind in _TABLES_AND_FRAMES or (
            # libjpeg derives the colour space from these two (jdapimin.c), and ignores shorter ones
            (kind == _APP0 and body[:5] == b"JFIF\0" and len(body) >= 14)
            or (kind == _APP14 and body[:5] == b"Adobe" and len(body) >= 12)
        )
        if decides or (scans and not _APP0 <= kind <= _APP15 and kind != _COM):
            kept.append(view[start:position])
        scans += kind == _SOS
    kept.append(END_OF_JPEG)
    icc = b"".join(profile[number] for number in sorted(profile)) or None
    return Contents(b"".join(kept), orientation or 1, icc, scans, ended)


# PNG (third edition, 5 and 11)


def _split_png(data: bytes) -> Contents:
    view = memoryview(data)
    kept: list[bytes | memoryview] = [PNG_SIGNATURE]
    position, color_type, entries = len(PNG_SIGNATURE), -1, 0
    orientation, profile = 0, None
    for _ in range(MAX_PARTS):
        if position + 12 > len(data):
            break
        length, kind = struct.unpack_from(">I4s", data, position)
        chunk = view[position : position + 12 + length]
        position += 12 + length
        body = chunk[8:-4]
        if not kind[0] & 0x20:  # critical: the first letter is a capital
            kept.append(chunk)
            if kind == b"IHDR" and len(body) >= 13:
                color_type = body[9]
            elif kind == b"PLTE":
                entries = length // 3
            elif kind == b"IEND":
                break
        elif len(chunk) == 12 + length and zlib.crc32(chunk[4:-4]) == int.from_bytes(chunk[-4:], "big"):
            if kind == b"tRNS" and length in {0: {2}, 2: {6}, 3: range(1, entries + 1)}.get(color_type, ()):
                kept.append(chunk)
            elif kind == b"eXIf":
                orientation = orientation or _orientation(bytes(body))
            elif kind == b"iCCP" and profile is None:  # one, since unpacking thousands would take seconds
                profile = _unpacked_profile(bytes(body))
    return Contents(b"".join(kept), orientation or 1, profile or None)


def _unpacked_profile(body: bytes) -> bytes:
    """Return the profile of a PNG, empty if it is broken or too large."""
    compressed = body.partition(b"\0")[2][1:]
    unpacker = zlib.decompressobj()
    try:
        profile = unpacker.decompress(compressed, MAX_PNG_PROFILE_BYTES)
    except zlib.error:
        return b""
    return b"" if unpacker.unconsumed_tail else profile


# WebP (RFC 9649, 2)

_WEBP_PIXELS = (b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF")
_WEBP_METADATA_FLAGS = 0x20 | 0x08 | 0x04
"""Flags of VP8X that announce a colour profile, EXIF and XMP."""


def _split_webp(data: bytes) -> Contents:
    view = memoryview(data)
    kept: list[bytes | memoryview] = []
    orientation, profile, position = 1, None, 12
    for _ in range(MAX_PARTS):
        if position + 8 > len(data):
            break
        kind, length = struct.unpack_from("<4sI", data, position)
        chunk = view[position : position + 8 + length]
        position += len(chunk) + (length & 1)
        body = chunk[8:]
        if kind in _WEBP_PIXELS:
            if kind == b"VP8X" and body:
                chunk = memoryview(bytearray(chunk))
                chunk[8] &= ~_WEBP_METADATA_FLAGS
            kept += (chunk, b"\0" * (len(chunk) & 1))
        elif len(body) == length and kind == b"EXIF":
            orientation = _orientation(bytes(body)) or 1
        elif len(body) == length and kind == b"ICCP":
            profile = bytes(body)
    chunks = b"".join(kept)
    return Contents(struct.pack("<4sI4s", b"RIFF", 4 + len(chunks), b"WEBP") + chunks, orientation, profile)


# AVIF and HEIC (ISO/IEC 23008-12; their orientation is a property of the image, not that of EXIF)

_EXIF_ITEM = re.compile(rb"(infe(?:\x02.{7}|\x03.{9}))Exif", re.DOTALL)
"""An item of type "Exif" in the list of items (ISO/IEC 14496-12, 8.11.6), versions 2 and 3."""


def _without_exif_item(data: bytes) -> bytes:
    """Return the file with EXIF as an item of unknown type, which decoders ignore; nothing moves."""
    return _EXIF_ITEM.sub(rb"\1free", data)


# TIFF (revision 6.0, 2) and EXIF, which has the same structure

_ORIENTATION, _PROFILE = 274, 34675
_INTEGERS = {1: "B", 3: "H", 4: "I", 16: "Q"}
"""The types of entries that hold non-negative whole numbers, in the notation of `struct`."""
_NO_DIRECTORY = (KeyError, ValueError, OverflowError, struct.error)
_TIFF_PIXEL_TAGS = {
    *range(254, 260),  # kind of page, width, height, bits, compression
    262,  # photometric interpretation
    266,  # fill order
    *(273, 277, 278, 279),  # strips, samples of a pixel
    *(284, 292, 293),  # planes, options of fax compression
    *(317, 320),  # predictor, palette
    *range(322, 326),  # tiles
    *(332, 334, 338, 339),  # inks, extra samples, format of samples
    *(347, *range(512, 522)),  # JPEG
    *range(529, 533),  # YCbCr, reference of black and white
}


@dataclass(frozen=True)
class _Directory:
    """The first directory of a TIFF: where it starts and the layout of its entries."""

    order: str
    big: bool
    start: int
    entries: list[tuple[int, int, int, bytes]]
    """Tag, type, number of values, and the values or their place."""

    @classmethod
    def read(cls, data: bytes) -> _Directory:
        """Raises one of _NO_DIRECTORY if the file has no directory, or a cut one."""
        order = {b"II": "<", b"MM": ">"}[data[:2]]
        big = 43 in data[2:4]
        (start,) = struct.unpack_from(order + ("Q" if big else "I"), data, 8 if big else 4)
        (count,) = struct.unpack_from(order + ("Q" if big else "H"), data, start)
        layout = struct.Struct(order + ("HHQ8s" if big else "HHI4s"))
        first = start + (8 if big else 2)
        stop = first + count * layout.size
        if stop > len(data):
            raise ValueError("the directory is cut")
        return cls(order, big, start, list(layout.iter_unpack(memoryview(data)[first:stop])))

    def integer(self, tag: int) -> int | None:
        """Return the first value of an entry of whole numbers, None if there is none."""
        for found, kind, count, value in self.entries:
            if found == tag and kind in _INTEGERS and count:
                layout = self.order + _INTEGERS[kind]
                if struct.calcsize(layout) * count <= len(value):
                    return int(struct.unpack_from(layout, value)[0])
        return None

    def blob(self, data: bytes, tag: int) -> bytes | None:
        """Return the bytes of an entry that lie elsewhere in the file, None if they are missing or cut."""
        for found, kind, count, value in self.entries:
            if found == tag and kind in (1, 7) and count > len(value):
                (at,) = struct.unpack(self.order + ("Q" if self.big else "I"), value)
                return data[at : at + count] if at + count <= len(data) else None
        return None

    def packed(self, tags: set[int]) -> bytes:
        """Return the directory with the entries of these tags only, as the last one of its file."""
        layout = struct.Struct(self.order + ("HHQ8s" if self.big else "HHI4s"))
        rows = [layout.pack(*entry) for entry in self.entries if entry[0] in tags]
        count = struct.pack(self.order + ("Q" if self.big else "H"), len(rows))
        return count + b"".join(rows) + bytes(8 if self.big else 4)


def _split_tiff(data: bytes) -> Contents:
    try:
        directory = _Directory.read(data)
    except _NO_DIRECTORY:
        return Contents(data)
    packed, view = directory.packed(_TIFF_PIXEL_TAGS), memoryview(data)
    pixels = b"".join((view[: directory.start], packed, view[directory.start + len(packed) :]))
    orientation = directory.integer(_ORIENTATION) or 1
    return Contents(pixels, orientation, directory.blob(data, _PROFILE))


def _orientation(exif: bytes) -> int:
    """Return the orientation of EXIF data in TIFF's structure, 0 if it is missing or broken."""
    headers = _EXIF_HEADERS.match(exif)  # some programs write it twice, or where it does not belong
    exif = exif[headers.end() :] if headers else exif
    try:
        return _Directory.read(exif).integer(_ORIENTATION) or 0
    except _NO_DIRECTORY:
        return 0
