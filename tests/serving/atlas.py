"""A map of the small collection."""

from __future__ import annotations

import numpy as np

from gallery.atlas import Atlas, Spot, layout_key, tile_name
from gallery.images.derivatives import webp
from gallery.ports import Ports
from tests.serving.collection import ARTISTS, drawing, stock

DIGEST = "0123456789ab"


def hang(ports: Ports, build: str = "one", *, of: int | None = None, but: int = 0) -> Atlas:
    """A map of the small collection without its last `but` works, each painter a row, with all of its tiles."""
    works = stock()[0]
    columns = len(works) // len(ARTISTS)
    slugs = [artist.slug for artist in ARTISTS]
    genres = ("Impressionism", "Cubism")
    spots = tuple(
        Spot(
            work.id,
            place % columns,
            place // columns,
            slugs.index(work.artist.slug),
            genres.index(work.artist.genres[0]) if work.artist.genres else -1,
            work.picture.color,
            work.picture.small,
            work.picture.width,
            work.picture.height,
        )
        for place, work in enumerate(works[: len(works) - but])
    )
    artists = tuple((artist.slug, artist.name) for artist in ARTISTS)
    atlas = Atlas(build, DIGEST, of or len(spots), columns, len(ARTISTS), artists, genres, spots)
    for zoom in range(atlas.zoom + 1):
        for x, y in np.ndindex(1 << zoom, 1 << zoom):
            key = atlas.folder + tile_name(zoom, int(x), int(y))
            ports.images.put(key, webp(drawing("#806040", zoom, (256, 256))))
    ports.images.put(layout_key(build), atlas.to_json())
    return atlas
