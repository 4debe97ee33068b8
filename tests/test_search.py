"""The search engine: it follows the live build, and never compares vectors of two encoders."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from gallery.catalog import Build
from gallery.encoders import open_encoder
from gallery.errors import Invalid, NotFound, Unavailable
from gallery.ports import Ports
from gallery.search import SearchEngine
from gallery.settings import Settings
from gallery.vectors.filters import Filter
from gallery.vectors.memory import MemoryStore
from tests.contracts.vector_store import artist, work

COLOURS = ["red", "orange", "gold", "green", "teal", "blue", "navy", "purple"]


def stocked(store: MemoryStore, name: str, encoder_address: str = "fake") -> None:
    """Publish a build of one plain picture a colour, by two artists."""
    encoder = open_encoder(encoder_address)
    build = Build(name, encoder.address, encoder.fingerprint, encoder.dim, 8, "x", "1", False, "2026-01-01")
    works = [work(colour, artist("warm" if place < 4 else "cold")) for place, colour in enumerate(COLOURS)]
    rows = encoder.embed_images([Image.new("RGB", (40, 40), colour) for colour in COLOURS])
    store.create(build).upsert(works, rows)
    store.seal(name)
    store.publish(name)


@pytest.fixture
def ports(settings_with: Callable[..., Settings]) -> Ports:
    ports = Ports(settings_with())
    ports.vectors = MemoryStore()
    return ports


@pytest.fixture
def store(ports: Ports) -> MemoryStore:
    assert isinstance(ports.vectors, MemoryStore)
    return ports.vectors


def test_without_a_collection_it_says_what_to_do(ports: Ports) -> None:
    with pytest.raises(Unavailable, match="gallery refresh"):
        SearchEngine(ports).by_text("red", 1)


def test_a_picture_finds_itself_first_with_a_score_of_one(ports: Ports, store: MemoryStore) -> None:
    stocked(store, "one")
    engine = SearchEngine(ports)
    for colour in COLOURS:
        first = engine.by_picture(engine.picture_query(Image.new("RGB", (64, 30), colour)), 3).hits[0]
        assert first.artwork.id == colour and first.score == pytest.approx(1, abs=1e-3)


def test_scores_are_scaled_to_what_the_encoder_can_reach(
    ports: Ports, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    stocked(store, "one")
    plain = SearchEngine(ports).like("red", 7).hits
    monkeypatch.setattr(type(ports.encoder), "best_score", 0.5, raising=False)
    scaled = SearchEngine(ports).like("red", 7).hits
    assert [hit.score for hit in scaled] == [min(1.0, hit.score * 2) for hit in plain]


def test_works_like_one_leave_it_out_and_are_as_many_as_asked(ports: Ports, store: MemoryStore) -> None:
    stocked(store, "one")
    hits = SearchEngine(ports).like("red", 3).hits
    assert len(hits) == 3 and "red" not in {hit.artwork.id for hit in hits}
    with pytest.raises(NotFound):
        SearchEngine(ports).like("mauve", 3)


def test_filters_reach_every_kind_of_search(ports: Ports, store: MemoryStore) -> None:
    stocked(store, "one")
    engine, cold = SearchEngine(ports), Filter(artists=("cold",))
    query = engine.picture_query(Image.new("RGB", (9, 9), "red"))
    for hits in (
        engine.by_text("x", 9, cold).hits,
        engine.by_picture(query, 9, cold).hits,
        engine.like("red", 9, cold).hits,
    ):
        assert {hit.artwork.artist.slug for hit in hits} == {"cold"} and len(hits) == 4


def test_more_by_an_artist_leaves_the_work_at_hand_out(ports: Ports, store: MemoryStore) -> None:
    stocked(store, "one")
    assert {one.id for one in SearchEngine(ports).works_by("warm", 10, leave_out="red")} == {
        "orange",
        "gold",
        "green",
    }
    assert len(SearchEngine(ports).works_by("warm", 2, leave_out="red")) == 2
    with pytest.raises(NotFound):
        SearchEngine(ports).works_by("nobody", 2)


def test_it_follows_the_build_that_is_published(ports: Ports, store: MemoryStore) -> None:
    stocked(store, "one")
    engine = SearchEngine(ports)
    assert engine.by_text("red", 1).build.name == "one"
    stocked(store, "two")
    assert engine.by_text("red", 1).build.name == "two"


def test_a_named_encoder_refuses_a_collection_by_another(
    settings_with: Callable[..., Settings], store: MemoryStore
) -> None:
    stocked(store, "one", "fake://?dim=16")
    ports = Ports(settings_with(encoder="fake"))
    ports.vectors = store
    with pytest.raises(Unavailable, match=r"set GALLERY_ENCODER=fake://\?dim=16 or run"):
        SearchEngine(ports).by_text("red", 1)


def test_auto_takes_the_encoder_that_the_collection_names(
    settings_with: Callable[..., Settings], store: MemoryStore
) -> None:
    ports = Ports(settings_with(encoder="auto"))
    ports.vectors = store
    engine = SearchEngine(ports)
    for name, address in (("one", "fake://?dim=16"), ("two", "fake")):
        stocked(store, name, address)
        assert engine.by_text("red", 1).build.encoder == open_encoder(address).address


def test_a_query_made_before_another_encoder_went_live_is_refused(
    settings_with: Callable[..., Settings], store: MemoryStore
) -> None:
    ports = Ports(settings_with(encoder="auto"))
    ports.vectors = store
    stocked(store, "one")
    engine = SearchEngine(ports)
    query = engine.picture_query(Image.new("RGB", (9, 9), "red"))
    stocked(store, "two", "fake://?dim=16")
    with pytest.raises(Invalid, match="upload it again"):
        engine.by_picture(query, 1)


def test_a_query_is_never_mixed_up_with_another_of_the_same_length(ports: Ports, store: MemoryStore) -> None:
    stocked(store, "one")
    engine = SearchEngine(ports)
    query = dataclasses.replace(engine.picture_query(Image.new("RGB", (9, 9), "red")), fingerprint="other")
    assert query.vector.dtype == np.float32
    with pytest.raises(Invalid):
        engine.by_picture(query, 1)
