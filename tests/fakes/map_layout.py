"""A map of the sample gallery."""

from __future__ import annotations

import numpy as np

from gallery.images.derivatives import webp
from gallery.map_layout import MapItem, MapLayout, layout_key, tile_name
from gallery.services import Services
from tests.fakes.collection import ARTISTS, drawing, stock

DIGEST = "0123456789ab"


def hang(services: Services, build: str = "one", *, of: int | None = None, but: int = 0) -> MapLayout:
    """Store and return a map of the sample gallery without its last `but` works: a row per artist."""
    works = stock()[0]
    columns = len(works) // len(ARTISTS)
    slugs = [artist.slug for artist in ARTISTS]
    styles = ("Impressionism", "Cubism")
    items = tuple(
        MapItem(
            work.id,
            place % columns,
            place // columns,
            slugs.index(work.artist.slug),
            styles.index(work.artist.styles[0]) if work.artist.styles else -1,
            work.image.color,
            work.image.small,
            work.image.width,
            work.image.height,
        )
        for place, work in enumerate(works[: len(works) - but])
    )
    artists = tuple((artist.slug, artist.name) for artist in ARTISTS)
    layout = MapLayout(build, DIGEST, of or len(items), columns, len(ARTISTS), artists, styles, items)
    for zoom in range(layout.zoom + 1):
        for x, y in np.ndindex(1 << zoom, 1 << zoom):
            key = layout.folder + tile_name(zoom, int(x), int(y))
            services.images.put(key, webp(drawing("#806040", zoom, (256, 256))))
    services.images.put(layout_key(build), layout.to_json())
    return layout
