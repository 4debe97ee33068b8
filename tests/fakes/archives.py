"""Small archives in Kaggle's layout."""

from __future__ import annotations

import base64
import csv
import io
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

COLUMNS = ("id", "name", "years", "genre", "nationality", "bio", "wikipedia", "paintings")

HEIC = base64.b64decode(
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAX1tZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAA"
    "ACJpbG9jAAAAAERAAAEAAQAAAAABoQABAAAAAAAAAEMAAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABodmMxAAAAAA5waXRt"
    "AAAAAAABAAAA/WlwcnAAAADdaXBjbwAAAHZodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMA"
    "AAMAHroCQGEAAQAqQgEBA3AAAAMAkAAAAwAAAwAeoCCBBZbq5Ka5uAhoMCAAAAMDIAAAAwAhYgABAAZEAcFzwIkAAAATY29scm5j"
    "bHgAAQANAAaAAAAAFGlzcGUAAAAAAAAAQAAAAEAAAAAoY2xhcAAAAEAAAAABAAAAMAAAAAEAAAAAAAAAAv////AAAAACAAAAEHBp"
    "eGkAAAAAAwgICAAAABhpcG1hAAAAAAAAAAEAAQWBAgMFhAAAAEttZGF0AAAAPygBr1jm9Oq//+2/OR+QE/+dufV/89vr/tM9r+jp"
    "QfholqIVLVsH0XEUAvhKqIWGAIY0Sq4AJ/kdqGCWe52ejA=="
)
"""An image of 64 x 48 pixels, its left half blue and its right half red. The HEIC plugin cannot encode."""


def picture(seed: int, size: tuple[int, int] = (120, 90), format: str = "JPEG", mode: str = "RGB") -> bytes:
    """Return an image file of smooth coloured patches, different for each seed."""
    patches = np.random.default_rng(seed).integers(0, 255, (5, 6, 3), dtype=np.uint8)
    image = Image.fromarray(patches).resize(size, Image.Resampling.BICUBIC).convert(mode)
    return saved(image, format)


def saved(image: Image.Image, format: str, **options: object) -> bytes:
    """Return the image as a file."""
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def png_chunk(kind: bytes, body: bytes, *, wrong_crc: bool = False) -> bytes:
    """Return a chunk of a PNG."""
    crc = zlib.crc32(kind + body) ^ wrong_crc
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", crc)


def png_claiming(width: int, height: int) -> bytes:
    """Return a damaged PNG whose header claims this size."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", head)
        + png_chunk(b"IDAT", zlib.compress(b"\0" * 100))
        + png_chunk(b"IEND", b"")
    )


def artists_csv(
    names: Mapping[str, str] | list[str], columns: tuple[str, ...] = COLUMNS, blank: tuple[str, ...] = ()
) -> bytes:
    """Return an artists.csv with these columns empty. The values of a mapping are the artists' years."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(columns)
    for place, name in enumerate(names):
        years = names[name] if isinstance(names, Mapping) else "1840 - 1926"
        row = {
            "id": place,
            "name": name,
            "years": years,
            "genre": "Realism,Impressionism" if place % 2 else "Realism",
            "nationality": "French" if place % 2 else "Dutch",
            "bio": f"{name} (French: [nɔ̃]; 1 May 1840 – 2 June 1926) was invented for a test. That is all.",
            "wikipedia": "https://en.wikipedia.org/wiki/Painting",
            "paintings": 3,
        }
        writer.writerow(["" if column in blank else row[column] for column in columns])
    return buffer.getvalue().encode()


def write_zip(path: Path, files: Mapping[str, bytes], artists: bytes | None) -> Path:
    """Write a zip and return its path. Files are under images/images/, unless their name begins with "/"."""
    with zipfile.ZipFile(path, "w") as archive:
        if artists is not None:
            archive.writestr("artists.csv", artists)
        for name, data in files.items():
            archive.writestr(name[1:] if name.startswith("/") else f"images/images/{name}", data)
    return path


def write_folder(root: Path, files: Mapping[str, bytes], artists: bytes | None) -> Path:
    """Write the files to a folder, under images/images/, and return its path."""
    for name, data in files.items():
        file = root / "images" / "images" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    if artists is not None:
        root.mkdir(parents=True, exist_ok=True)
        (root / "artists.csv").write_bytes(artists)
    return root
