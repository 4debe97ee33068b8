"""A collection of real paintings with the offline encoder: counts, and whether images are found again.

Needs GALLERY_TEST_DATA; takes about a minute.
"""

from __future__ import annotations

import io
from pathlib import Path

import dagster as dg
import pytest
from PIL import Image

from gallery.images.decode import open_image
from gallery.models import Artwork
from gallery.search.engine import SearchEngine
from gallery.search.query import SearchQuery
from gallery.services import Services
from gallery.settings import read_settings
from pipelines.runner import run_refresh

Built = tuple[Services, dict[str, object]]


@pytest.fixture(scope="module")
def built(real_archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Built:
    home = tmp_path_factory.mktemp("real")
    services = Services(read_settings(home=home, dataset=f"file://{real_archive}", encoder="offline"))
    with dg.DagsterInstance.ephemeral() as instance:
        return services, run_refresh(services, lambda _: None, instance)


@pytest.fixture(scope="module")
def some(built: Built) -> list[Artwork]:
    services, counts = built
    return services.vectors.open(str(counts["build"])).works(limit=1_000)[::5]


def altered(data: bytes) -> Image.Image:
    """A tenth cropped off each side, the longer side shrunk to 200 pixels, JPEG quality 40."""
    picture = open_image(data, max_pixels=10**9)
    width, height = picture.size
    cropped = picture.crop((width // 10, height // 10, width - width // 10, height - height // 10))
    cropped.thumbnail((200, 200))
    buffer = io.BytesIO()
    cropped.save(buffer, "JPEG", quality=40)
    return open_image(buffer.getvalue(), max_pixels=10**9)


def test_the_counts_are_the_known_ones(built: Built) -> None:
    counts = built[1]
    known = {
        "artists": 42,
        "files": 731,
        "works": 698,
        "duplicates": 33,
        "quarantined": 0,
        "sampled": 515,
        "indexed": 515,
    }
    assert {name: counts[name] for name in known} == known


def test_a_picture_of_the_collection_finds_itself_first(built: Built, some: list[Artwork]) -> None:
    engine = SearchEngine(built[0])
    collection = engine.live_collection()
    for work in some:
        picture = open_image(built[0].images.get(work.image.original), max_pixels=10**9, side=260)
        query = SearchQuery((engine.image_term(collection, picture),), limit=1)
        first = engine.search(collection, query).hits[0]
        assert first.artwork.id == work.id and first.score > 0.999


def test_an_altered_copy_finds_its_original_in_the_top_five_nine_times_in_ten(
    built: Built, some: list[Artwork]
) -> None:
    engine = SearchEngine(built[0])
    collection = engine.live_collection()
    found = 0
    for work in some:
        image = altered(built[0].images.get(work.image.original))
        query = SearchQuery((engine.image_term(collection, image),), limit=5)
        found += work.id in [hit.artwork.id for hit in engine.search(collection, query).hits]
    assert found >= 0.9 * len(some), f"{found} of {len(some)}"


def test_every_name_is_right_and_every_artist_has_years(built: Built) -> None:
    collection = built[0].vectors.open(str(built[1]["build"]))
    artists = {work.artist for work in collection.works(limit=1_000)}
    assert "Albrecht Dürer" in {artist.name for artist in artists}
    assert all(artist.birth and artist.death and artist.styles and artist.summary for artist in artists)
    assert not [artist.name for artist in artists if any(odd in artist.name for odd in "╠├ΓÃ�_")]
