"""The search engine: it follows the live build, and never compares vectors of two encoders."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from gallery.encoders import open_encoder
from gallery.encoders.fake import FakeEncoder
from gallery.errors import Invalid, NotFound, Unavailable
from gallery.models import Build
from gallery.search.calibration import Relevance
from gallery.search.engine import Results, SearchEngine
from gallery.search.query import SearchQuery, Term, TextTerm, WorkTerm
from gallery.services import Services
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
def services(settings_with: Callable[..., Settings]) -> Services:
    services = Services(settings_with())
    services.vectors = MemoryStore()
    return services


@pytest.fixture
def store(services: Services) -> MemoryStore:
    assert isinstance(services.vectors, MemoryStore)
    return services.vectors


def search(engine: SearchEngine, *parts: Term, k: int = 24) -> Results:
    return engine.search(SearchQuery(parts), k)


def ids(found: Results) -> list[str]:
    return [hit.artwork.id for hit in found.hits]


def test_without_a_collection_it_says_what_to_do(services: Services) -> None:
    with pytest.raises(Unavailable, match="gallery refresh"):
        search(SearchEngine(services), TextTerm("red"))


def test_a_picture_finds_itself_first_with_a_score_of_one(services: Services, store: MemoryStore) -> None:
    stocked(store, "one")
    engine = SearchEngine(services)
    for colour in COLOURS:
        first = search(engine, engine.picture(Image.new("RGB", (64, 30), colour))).hits[0]
        assert first.artwork.id == colour and first.score == pytest.approx(1, abs=1e-3)


def test_scores_are_scaled_to_what_the_encoder_can_reach(
    services: Services, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    stocked(store, "one")
    plain = SearchEngine(services).like("red", 7).hits
    monkeypatch.setattr(type(services.encoder), "best_score", 0.5, raising=False)
    scaled = SearchEngine(services).like("red", 7).hits
    assert [hit.score for hit in scaled] == pytest.approx(
        [max(-1.0, min(1.0, hit.score * 2)) for hit in plain], abs=1e-5
    )


def test_works_like_one_leave_it_out_and_are_as_many_as_asked(services: Services, store: MemoryStore) -> None:
    stocked(store, "one")
    found = SearchEngine(services).like("red", 3)
    assert len(found.hits) == 3 and "red" not in ids(found)
    with pytest.raises(NotFound):
        SearchEngine(services).like("mauve", 3)


def test_every_kind_of_part_is_filtered_and_capped(services: Services, store: MemoryStore) -> None:
    stocked(store, "one")
    engine = SearchEngine(services)
    picture = engine.picture(Image.new("RGB", (9, 9), "red"))
    for part in (TextTerm("x"), picture, WorkTerm("red"), TextTerm("x", -1)):
        cold = engine.search(SearchQuery((part,), Filter(artists=("cold",))), 9)
        assert {hit.artwork.artist.slug for hit in cold.hits} == {"cold"}
        assert len(cold.hits) == cold.searched == 4
        assert len(engine.search(SearchQuery((part,), per_artist=1), 9).hits) <= 2


def test_pages_follow_one_another_without_the_works_asked_for(services: Services, store: MemoryStore) -> None:
    stocked(store, "one")
    engine, mix = SearchEngine(services), SearchQuery((WorkTerm("red"), WorkTerm("blue", -1.0)))
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


def test_moving_away_turns_the_order_round(services: Services, store: MemoryStore) -> None:
    stocked(store, "one")
    engine = SearchEngine(services)
    assert ids(search(engine, WorkTerm("red", -1))) == ids(search(engine, WorkTerm("red")))[::-1]


def test_a_mix_lies_between_its_parts_and_weights_move_it(services: Services, store: MemoryStore) -> None:
    stocked(store, "one", colours=SHADES)
    engine = SearchEngine(services)
    red, blue = (engine.picture(Image.new("RGB", (9, 9), colour)) for colour in ("red", "blue"))

    def towards_red(weight: float) -> float:
        found = search(engine, dataclasses.replace(red, weight=weight), blue)
        return float(np.mean([hit.contributions[0].likeness for hit in found.hits[:5]]))

    assert towards_red(0.25) < towards_red(1) < towards_red(4)


def test_pulls_add_up_to_the_order(services: Services, store: MemoryStore) -> None:
    stocked(store, "one", colours=SHADES)
    engine = SearchEngine(services)
    picture = engine.picture(Image.new("RGB", (9, 9), "teal"))
    parts = (TextTerm("a harbour"), dataclasses.replace(picture, weight=2.0), WorkTerm(SHADES[3], -0.5))
    hits = engine.search(SearchQuery(parts), 24).hits
    sums = [sum(contribution.delta for contribution in hit.contributions) for hit in hits]
    assert all(first >= second - 0.03 for first, second in pairwise(sums))  # rounded
    assert {len(hit.contributions) for hit in hits} == {3}
    assert {hit.contributions for hit in search(engine, TextTerm("a harbour")).hits} == {()}


def test_parts_of_one_weight_move_the_order_equally_whatever_their_scale(
    services: Services, store: MemoryStore
) -> None:
    stocked(store, "one", colours=SHADES)
    engine = SearchEngine(services)
    hits = search(engine, TextTerm("a harbour"), engine.picture(Image.new("RGB", (9, 9), "teal"))).hits
    spans = [np.ptp([hit.contributions[part].delta for hit in hits]) for part in (0, 1)]
    assert 0.4 < spans[0] / spans[1] < 2.5


def test_parts_that_cancel_each_other_out_are_refused(services: Services, store: MemoryStore) -> None:
    stocked(store, "one")
    engine = SearchEngine(services)
    with pytest.raises(Invalid, match="cancel"):
        search(engine, WorkTerm("red"), WorkTerm("red", -1))
    with pytest.raises(Invalid, match="nothing to search for"):
        search(engine)


def test_words_of_the_catalogue_come_first_and_are_named(services: Services, store: MemoryStore) -> None:
    stocked(store, "one")
    hits = search(SearchEngine(services), TextTerm("something by Warm")).hits
    assert {hit.artwork.artist.slug for hit in hits[:4]} == {"warm"}
    assert [hit.matched_terms for hit in hits] == [("warm",)] * 4 + [()] * 4
    assert not any(hit.weak for hit in hits[:4])


def test_words_to_avoid_name_nothing(services: Services, store: MemoryStore) -> None:
    stocked(store, "one")
    assert {hit.matched_terms for hit in search(SearchEngine(services), TextTerm("warm", -1)).hits} == {()}


def test_a_large_collection_is_judged_and_a_small_one_is_not(services: Services, store: MemoryStore) -> None:
    stocked(store, "one")
    assert {hit.relevance for hit in SearchEngine(services).like("red", 9).hits} == {Relevance.UNKNOWN}
    stocked(store, "two", colours=SHADES)
    hits = SearchEngine(services).like(SHADES[0], 24).hits
    assert Relevance.UNKNOWN not in {hit.relevance for hit in hits}
    strengths = [hit.z_score for hit in hits if hit.z_score is not None]
    assert len(strengths) == len(hits) and strengths == sorted(strengths, reverse=True)


def test_it_follows_the_build_that_is_published(services: Services, store: MemoryStore) -> None:
    stocked(store, "one")
    engine = SearchEngine(services)
    assert search(engine, TextTerm("red")).build.name == "one"
    stocked(store, "two", colours=SHADES)
    found = search(engine, TextTerm("red"))
    assert found.build.name == "two" and found.hits[0].z_score is not None


def test_a_named_encoder_refuses_a_collection_by_another(
    settings_with: Callable[..., Settings], store: MemoryStore
) -> None:
    stocked(store, "one", "fake://?dim=16")
    services = Services(settings_with(encoder="fake"))
    services.vectors = store
    with pytest.raises(Unavailable, match=r"set GALLERY_ENCODER=fake://\?dim=16 or run"):
        search(SearchEngine(services), TextTerm("red"))


def test_auto_takes_the_encoder_that_the_collection_names(
    settings_with: Callable[..., Settings], store: MemoryStore
) -> None:
    services = Services(settings_with(encoder="auto"))
    services.vectors = store
    engine = SearchEngine(services)
    for name, address in (("one", "fake://?dim=16"), ("two", "fake")):
        stocked(store, name, address)
        assert search(engine, TextTerm("red")).build.encoder == open_encoder(address).address


def test_a_query_made_before_another_encoder_went_live_is_refused(
    settings_with: Callable[..., Settings], store: MemoryStore
) -> None:
    services = Services(settings_with(encoder="auto"))
    services.vectors = store
    stocked(store, "one")
    engine = SearchEngine(services)
    picture = engine.picture(Image.new("RGB", (9, 9), "red"))
    stocked(store, "two", "fake://?dim=16")
    with pytest.raises(Invalid, match="upload it again"):
        search(engine, picture)


def test_a_query_is_never_mixed_up_with_another_of_the_same_length(
    services: Services, store: MemoryStore
) -> None:
    stocked(store, "one")
    engine = SearchEngine(services)
    picture = dataclasses.replace(engine.picture(Image.new("RGB", (9, 9), "red")), fingerprint="other")
    assert picture.vector.dtype == np.float32
    with pytest.raises(Invalid):
        search(engine, picture)


def test_a_liked_work_takes_no_place_of_its_artist(services: Services, store: MemoryStore) -> None:
    stocked(store, "one")
    engine = SearchEngine(services)
    first = engine.search(SearchQuery((WorkTerm("red"),), per_artist=1), 1)
    rest = engine.search(SearchQuery((WorkTerm("red"),), per_artist=1), 5, offset=1)
    assert [hit.artwork.artist.slug for hit in (*first.hits, *rest.hits)] == ["warm", "cold"]
    assert first.next == 1 and rest.next is None


def test_words_of_the_catalogue_are_left_to_it_by_an_encoder_that_does_not_know_art(
    services: Services, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    stocked(store, "one")
    asked: list[str] = []
    embed = FakeEncoder.embed_texts
    monkeypatch.setattr(
        FakeEncoder, "embed_texts", lambda self, texts: (asked.extend(texts), embed(self, texts))[1]
    )
    search(SearchEngine(services), TextTerm("realist snow"))
    monkeypatch.setattr(FakeEncoder, "understands_art_terms", False)
    search(SearchEngine(services), TextTerm("realist snow"))
    assert asked == ["realist snow", "snow"]
