"""The search engine: it follows the live build, and never compares vectors of two encoders."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from gallery.background import Closeness
from gallery.catalog import Build
from gallery.encoders import open_encoder
from gallery.encoders.fake import FakeEncoder
from gallery.errors import Invalid, NotFound, Unavailable
from gallery.mix import LikeWork, Mix, Part, Words
from gallery.ports import Ports
from gallery.search import Results, SearchEngine
from gallery.settings import Settings
from gallery.vectors.filters import Filter
from gallery.vectors.memory import MemoryStore
from tests.contracts.vector_store import artist, work

COLOURS = ["red", "orange", "gold", "green", "teal", "blue", "navy", "purple"]
SHADES = [f"hsl({hue}, 80%, {light}%)" for hue in range(0, 360, 30) for light in (35, 65)]


def stocked(
    store: MemoryStore, name: str, encoder_address: str = "fake", colours: list[str] = COLOURS
) -> None:
    """Publish a build of one plain picture a colour, by two artists."""
    encoder = open_encoder(encoder_address)
    count = len(colours)
    build = Build(
        name, encoder.address, encoder.fingerprint, encoder.dim, count, "x", "1", False, "2026-01-01"
    )
    works = [
        work(colour, artist("warm" if place < count // 2 else "cold")) for place, colour in enumerate(colours)
    ]
    rows = encoder.embed_images([Image.new("RGB", (40, 40), colour) for colour in colours])
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


def search(engine: SearchEngine, *parts: Part, k: int = 24) -> Results:
    return engine.search(Mix(parts), k)


def ids(found: Results) -> list[str]:
    return [hit.artwork.id for hit in found.hits]


def test_without_a_collection_it_says_what_to_do(ports: Ports) -> None:
    with pytest.raises(Unavailable, match="gallery refresh"):
        search(SearchEngine(ports), Words("red"))


def test_a_picture_finds_itself_first_with_a_score_of_one(ports: Ports, store: MemoryStore) -> None:
    stocked(store, "one")
    engine = SearchEngine(ports)
    for colour in COLOURS:
        first = search(engine, engine.picture(Image.new("RGB", (64, 30), colour))).hits[0]
        assert first.artwork.id == colour and first.score == pytest.approx(1, abs=1e-3)


def test_scores_are_scaled_to_what_the_encoder_can_reach(
    ports: Ports, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    stocked(store, "one")
    plain = SearchEngine(ports).like("red", 7).hits
    monkeypatch.setattr(type(ports.encoder), "best_score", 0.5, raising=False)
    scaled = SearchEngine(ports).like("red", 7).hits
    assert [hit.score for hit in scaled] == pytest.approx(
        [max(-1.0, min(1.0, hit.score * 2)) for hit in plain], abs=1e-5
    )


def test_works_like_one_leave_it_out_and_are_as_many_as_asked(ports: Ports, store: MemoryStore) -> None:
    stocked(store, "one")
    found = SearchEngine(ports).like("red", 3)
    assert len(found.hits) == 3 and "red" not in ids(found)
    with pytest.raises(NotFound):
        SearchEngine(ports).like("mauve", 3)


def test_every_kind_of_part_is_filtered_and_capped(ports: Ports, store: MemoryStore) -> None:
    stocked(store, "one")
    engine = SearchEngine(ports)
    picture = engine.picture(Image.new("RGB", (9, 9), "red"))
    for part in (Words("x"), picture, LikeWork("red"), Words("x", -1)):
        cold = engine.search(Mix((part,), Filter(artists=("cold",))), 9)
        assert {hit.artwork.artist.slug for hit in cold.hits} == {"cold"}
        assert len(cold.hits) == cold.searched == 4
        assert len(engine.search(Mix((part,), per_artist=1), 9).hits) <= 2


def test_pages_follow_one_another_without_the_works_asked_for(ports: Ports, store: MemoryStore) -> None:
    stocked(store, "one")
    engine, mix = SearchEngine(ports), Mix((LikeWork("red"), LikeWork("blue", -1.0)))
    whole = ids(engine.search(mix, 24))
    assert sorted(whole) == sorted(set(COLOURS) - {"red", "blue"})
    for k in (1, 2, 5, 6):
        seen: list[str] = []
        offset: int | None = 0
        while offset is not None:
            found = engine.search(mix, k, offset)
            assert len(found.hits) == min(k, 6 - len(seen))
            seen += ids(found)
            offset = found.next
        assert seen == whole


def test_moving_away_turns_the_order_round(ports: Ports, store: MemoryStore) -> None:
    stocked(store, "one")
    engine = SearchEngine(ports)
    assert ids(search(engine, LikeWork("red", -1))) == ids(search(engine, LikeWork("red")))[::-1]


def test_a_mix_lies_between_its_parts_and_weights_move_it(ports: Ports, store: MemoryStore) -> None:
    stocked(store, "one", colours=SHADES)
    engine = SearchEngine(ports)
    red, blue = (engine.picture(Image.new("RGB", (9, 9), colour)) for colour in ("red", "blue"))

    def towards_red(weight: float) -> float:
        found = search(engine, dataclasses.replace(red, weight=weight), blue)
        return float(np.mean([hit.pulls[0].likeness for hit in found.hits[:5]]))

    assert towards_red(0.25) < towards_red(1) < towards_red(4)


def test_pulls_add_up_to_the_order(ports: Ports, store: MemoryStore) -> None:
    stocked(store, "one", colours=SHADES)
    engine = SearchEngine(ports)
    picture = engine.picture(Image.new("RGB", (9, 9), "teal"))
    parts = (Words("a harbour"), dataclasses.replace(picture, weight=2.0), LikeWork(SHADES[3], -0.5))
    hits = engine.search(Mix(parts), 24).hits
    sums = [sum(pull.moves for pull in hit.pulls) for hit in hits]
    assert all(first >= second - 0.03 for first, second in pairwise(sums))  # rounded
    assert {len(hit.pulls) for hit in hits} == {3}
    assert {hit.pulls for hit in search(engine, Words("a harbour")).hits} == {()}


def test_parts_of_one_weight_move_the_order_equally_whatever_their_scale(
    ports: Ports, store: MemoryStore
) -> None:
    stocked(store, "one", colours=SHADES)
    engine = SearchEngine(ports)
    hits = search(engine, Words("a harbour"), engine.picture(Image.new("RGB", (9, 9), "teal"))).hits
    spans = [np.ptp([hit.pulls[part].moves for hit in hits]) for part in (0, 1)]
    assert 0.4 < spans[0] / spans[1] < 2.5


def test_parts_that_cancel_each_other_out_are_refused(ports: Ports, store: MemoryStore) -> None:
    stocked(store, "one")
    engine = SearchEngine(ports)
    with pytest.raises(Invalid, match="cancel"):
        search(engine, LikeWork("red"), LikeWork("red", -1))
    with pytest.raises(Invalid, match="nothing to search for"):
        search(engine)


def test_words_of_the_catalogue_come_first_and_are_named(ports: Ports, store: MemoryStore) -> None:
    stocked(store, "one")
    hits = search(SearchEngine(ports), Words("something by Warm")).hits
    assert {hit.artwork.artist.slug for hit in hits[:4]} == {"warm"}
    assert [hit.named for hit in hits] == [("warm",)] * 4 + [()] * 4
    assert not any(hit.weak for hit in hits[:4])


def test_words_to_avoid_name_nothing(ports: Ports, store: MemoryStore) -> None:
    stocked(store, "one")
    assert {hit.named for hit in search(SearchEngine(ports), Words("warm", -1)).hits} == {()}


def test_a_large_collection_is_judged_and_a_small_one_is_not(ports: Ports, store: MemoryStore) -> None:
    stocked(store, "one")
    assert {hit.closeness for hit in SearchEngine(ports).like("red", 9).hits} == {Closeness.UNKNOWN}
    stocked(store, "two", colours=SHADES)
    hits = SearchEngine(ports).like(SHADES[0], 24).hits
    assert Closeness.UNKNOWN not in {hit.closeness for hit in hits}
    strengths = [hit.strength for hit in hits if hit.strength is not None]
    assert len(strengths) == len(hits) and strengths == sorted(strengths, reverse=True)


def test_it_follows_the_build_that_is_published(ports: Ports, store: MemoryStore) -> None:
    stocked(store, "one")
    engine = SearchEngine(ports)
    assert search(engine, Words("red")).build.name == "one"
    stocked(store, "two", colours=SHADES)
    found = search(engine, Words("red"))
    assert found.build.name == "two" and found.hits[0].strength is not None


def test_a_named_encoder_refuses_a_collection_by_another(
    settings_with: Callable[..., Settings], store: MemoryStore
) -> None:
    stocked(store, "one", "fake://?dim=16")
    ports = Ports(settings_with(encoder="fake"))
    ports.vectors = store
    with pytest.raises(Unavailable, match=r"set GALLERY_ENCODER=fake://\?dim=16 or run"):
        search(SearchEngine(ports), Words("red"))


def test_auto_takes_the_encoder_that_the_collection_names(
    settings_with: Callable[..., Settings], store: MemoryStore
) -> None:
    ports = Ports(settings_with(encoder="auto"))
    ports.vectors = store
    engine = SearchEngine(ports)
    for name, address in (("one", "fake://?dim=16"), ("two", "fake")):
        stocked(store, name, address)
        assert search(engine, Words("red")).build.encoder == open_encoder(address).address


def test_a_query_made_before_another_encoder_went_live_is_refused(
    settings_with: Callable[..., Settings], store: MemoryStore
) -> None:
    ports = Ports(settings_with(encoder="auto"))
    ports.vectors = store
    stocked(store, "one")
    engine = SearchEngine(ports)
    picture = engine.picture(Image.new("RGB", (9, 9), "red"))
    stocked(store, "two", "fake://?dim=16")
    with pytest.raises(Invalid, match="upload it again"):
        search(engine, picture)


def test_a_query_is_never_mixed_up_with_another_of_the_same_length(ports: Ports, store: MemoryStore) -> None:
    stocked(store, "one")
    engine = SearchEngine(ports)
    picture = dataclasses.replace(engine.picture(Image.new("RGB", (9, 9), "red")), fingerprint="other")
    assert picture.vector.dtype == np.float32
    with pytest.raises(Invalid):
        search(engine, picture)


def test_a_liked_work_takes_no_place_of_its_artist(ports: Ports, store: MemoryStore) -> None:
    stocked(store, "one")
    engine = SearchEngine(ports)
    first = engine.search(Mix((LikeWork("red"),), per_artist=1), 1)
    rest = engine.search(Mix((LikeWork("red"),), per_artist=1), 5, offset=1)
    assert [hit.artwork.artist.slug for hit in (*first.hits, *rest.hits)] == ["warm", "cold"]
    assert first.next == 1 and rest.next is None


def test_words_of_the_catalogue_are_left_to_it_by_an_encoder_that_does_not_know_art(
    ports: Ports, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    stocked(store, "one")
    asked: list[str] = []
    embed = FakeEncoder.embed_texts
    monkeypatch.setattr(
        FakeEncoder, "embed_texts", lambda self, texts: (asked.extend(texts), embed(self, texts))[1]
    )
    search(SearchEngine(ports), Words("realist snow"))
    monkeypatch.setattr(FakeEncoder, "knows_art", False)
    search(SearchEngine(ports), Words("realist snow"))
    assert asked == ["realist snow", "snow"]
