"""The sample gallery: 16 drawn images by four invented artists, in memory."""

from __future__ import annotations

import dataclasses
import hashlib
import io
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from gallery.encoders.opening import open_encoder
from gallery.images.derivatives import inspect_image, thumbnails
from gallery.models import Artist, Artwork, Build, StoredImage
from gallery.objects.memory import MemoryObjects
from gallery.search.query import ImageTerm, Preview, SearchQuery, WorkTerm
from gallery.services import Services
from gallery.settings import Settings
from gallery.vectors.base import Vectors
from gallery.vectors.memory import MemoryStore
from serving.describe import ResolvedTerm

ARTISTS = (
    Artist("ada-amber", "Ada Amber", 1840, 1926, ("Impressionism",), ("French",), "Ada painted light.",
        "Ada painted light. It was a long life.", "https://en.wikipedia.org/wiki/Ada"),
    Artist("bo-blue", "Bo Blue", 1881, 1973, ("Cubism", "Surrealism"), ("Spanish",), "Bo painted corners.",
        "", "https://en.wikipedia.org/wiki/Bo"),
    Artist("ché-cyan", "Ché “Cyan” <b>", None, 1516, (), ("Dutch",), "", "", ""),
    Artist("dee-dun", "Dee Dun", 1932, None, ("Impressionism",), ("French", "Spanish"), "Dee paints dust.",
        "", "https://en.wikipedia.org/wiki/Dee"),
)  # fmt: skip
IMAGE = ImageTerm(np.eye(48, dtype=np.float32)[0], "fake/48/1", preview=Preview(b"webp", 4, 3))
"""An uploaded image, encoded."""
COLORS = ("#c08020", "#2040c0", "#20b0b0", "#807060")
EACH = 4


def drawing(color: str, number: int, size: tuple[int, int] = (120, 90)) -> Image.Image:
    """Return an image of one colour with a disc, whose position depends on the number."""
    picture = Image.new("RGB", size, color)
    x, y = 10 + 18 * number, 10 + 11 * number
    ImageDraw.Draw(picture).ellipse((x, y, x + 30, y + 30), fill="#f0e8d8")
    return picture


def encoded(picture: Image.Image, format: str = "PNG") -> bytes:
    """Return the image as a file."""
    buffer = io.BytesIO()
    picture.save(buffer, format)
    return buffer.getvalue()


@cache
def stock() -> tuple[tuple[Artwork, ...], dict[str, bytes], Vectors]:
    """Return sixteen works, their image objects by key, and their rows by the fake encoder."""
    works, pictures = [], []
    objects: dict[str, bytes] = {}
    for artist, color in zip(ARTISTS, COLORS, strict=True):
        for number in range(EACH):
            pictures.append(drawing(color, number, (120, 90) if number % 2 else (90, 120)))
            data = encoded(pictures[-1])
            look, sha256 = inspect_image(data, max_pixels=10**6), hashlib.sha256(data).hexdigest()
            name = f"{sha256[:2]}/{sha256}"
            keys = (f"originals/{name}.png", f"thumbs/{name}-80.webp", f"thumbs/{name}-40.webp")
            objects |= zip(keys, (data, *thumbnails(data, (80, 40), max_pixels=10**6)), strict=True)
            picture = StoredImage(*keys, look.width, look.height, look.color)
            file = f"images/images/{artist.slug}/{number}.png"
            works.append(Artwork(sha256[:16], artist, file, sha256, picture))
    return tuple(works), objects, open_encoder("fake").embed_images(pictures)


def stocked(settings: Settings, *, publish: bool = True, **facts: Any) -> Services:
    """Return services over memory stores with the works in the build "one"; `facts` replace its fields."""
    works, objects, rows = stock()
    services = Services(settings)
    services.images, services.vectors, services.encoder = MemoryObjects(), MemoryStore(), open_encoder("fake")
    for key, data in objects.items():
        services.images.put(key, data)
    build = Build(
        name="one",
        encoder=services.encoder.address,
        fingerprint=services.encoder.fingerprint,
        dim=services.encoder.dim,
        works=len(works),
        dataset="file:///srv/private/paintings.zip",
        version="v7",
        generated=False,
        created_at="2026-03-04T05:06:07+00:00",
    )
    build = dataclasses.replace(build, **facts)
    services.vectors.create(build).upsert(works, rows)
    services.vectors.seal(build.name)
    if publish:
        services.vectors.publish(build.name)
    return services


def resolved(query: SearchQuery, artists: Mapping[str, str]) -> tuple[ResolvedTerm, ...]:
    """Return the resolved terms of the query; `artists` maps the ids of works to artists' names."""
    return tuple(
        ResolvedTerm(
            "A",
            term,
            0,
            "",
            _by(artists[term.id]) if isinstance(term, WorkTerm) and term.id in artists else None,
        )
        for term in query.terms
    )


def _by(name: str) -> Artwork:
    artist = Artist(name, name, None, None, (), (), "", "", "")
    return Artwork("x", artist, "x.png", "x", StoredImage("o", "l", "s", 1, 1, "#000000"))
