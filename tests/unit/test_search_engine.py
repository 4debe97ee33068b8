"""The search engine: it follows the live build, and never compares vectors of two encoders."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from gallery.encoders.fake import FakeEncoder
from gallery.encoders.opening import open_encoder
from gallery.errors import Invalid, NotFound, Unavailable
from gallery.models import Build
from gallery.search.calibration import Relevance
from gallery.search.engine import Results, SearchEngine
from gallery.search.query import ImageTerm, InvalidQuery, SearchQuery, Term, TextTerm, WorkTerm
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


def search(engine: SearchEngine, *terms: Term, limit: int = 24) -> Results:
    return find(engine, SearchQuery(terms, limit=limit))


def find(engine: SearchEngine, query: SearchQuery) -> Results:
    return engine.search(engine.live_collection(), query)


def image_term(engine: SearchEngine, colour: str, size: tuple[int, int] = (9, 9)) -> ImageTerm:
    return engine.image_term(engine.live_collection(), Image.new("RGB", size, colour))


def ids(found: Results) -> list[str]:
    return [hit.artwork.id for hit in found.hits]


def test_without_a_collection_the_error_says_what_to_do(services: Services) -> None:
    with pytest.raises(Unavailable, match="gallery refresh"):
        search(SearchEngine(services), TextTerm("red"))


def test_an_image_finds_itself_first_with_a_score_of_one(services: Services, store: MemoryStore) -> None:
    stocked(store, "one")
    engine = SearchEngine(services)
    for colour in COLOURS:
        first = search(engine, image_term(engine, colour, (64, 30))).hits[0]
        assert first.artwork.id == colour and first.score == pytest.approx(1, abs=1e-3)


def test_scores_are_scaled_to_what_the_encoder_can_reach(
    services: Services, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    stocked(store, "one")
    plain = search(SearchEngine(services), WorkTerm("red"), limit=7).hits
    monkeypatch.setattr(type(services.encoder), "best_score", 0.5, raising=False)
    scaled = search(SearchEngine(services), WorkTerm("red"), limit=7).hits
    assert [hit.score for hit in scaled] == pytest.approx(
        [max(-1.0, min(1.0, hit.score * 2)) for hit in plain], abs=1e-5
    )


def test_similar_works_leave_out_the_work_itself(services: Services, store: MemoryStore) -> None:
    stocked(store, "one")
    found = search(SearchEngine(services), WorkTerm("red"), limit=3)
    assert len(found.hits) == 3 and "red" not in ids(found)
    with pytest.raises(NotFound):
        search(SearchEngine(services), WorkTerm("mauve"), limit=3)


def test_every_kind_of_term_respects_the_filter_and_per_artist(
    services: Services, store: MemoryStore
) -> None:
    stocked(store, "one")
    engine = SearchEngine(services)
    picture = image_term(engine, "red")
    for term in (TextTerm("x"), picture, WorkTerm("red"), TextTerm("x", -1)):
        cold = find(engine, SearchQuery((term,), Filter(artists=("cold",)), limit=9))
        assert {hit.artwork.artist.slug for hit in cold.hits} == {"cold"}
        assert len(cold.hits) == cold.searched == 4
        assert len(find(engine, SearchQuery((term,), per_artist=1, limit=9)).hits) <= 2


def test_pages_follow_one_another_without_the_works_among_the_terms(
    services: Services, store: MemoryStore
) -> None:
    stocked(store, "one")
    engine, query = SearchEngine(services), SearchQuery((WorkTerm("red"), WorkTerm("blue", -1.0)))
    whole = ids(find(engine, query))
    assert sorted(whole) == sorted(set(COLOURS) - {"red", "blue"})
    for limit in (1, 2, 5, 6):
        seen: list[str] = []
        offset: int | None = 0
        while offset is not None:
            found = find(engine, dataclasses.replace(query, limit=limit, offset=offset))
            assert len(found.hits) == min(limit, 6 - len(seen))
            seen += ids(found)
            offset = found.next_offset
        assert seen == whole


def test_a_search_ends_at_the_depth_of_the_store(
    services: Services, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    stocked(store, "one")
    monkeypatch.setattr("gallery.vectors.memory.MemoryCollection.max_depth", 5)
    engine, query = SearchEngine(services), SearchQuery((TextTerm("red"),), limit=3)
    for per_artist, term in ((None, TextTerm("red")), (4, TextTerm("red")), (None, WorkTerm("red"))):
        query = SearchQuery((term,), limit=3, per_artist=per_artist)
        more = find(engine, query).next_offset
        assert more
        last = find(engine, query.at(more))
        assert 1 <= len(last.hits) <= 2 and last.next_offset is None
        with pytest.raises(InvalidQuery, match="ends after 5 results"):
            find(engine, query.at(5))


def test_a_negative_weight_reverses_the_order(services: Services, store: MemoryStore) -> None:
    stocked(store, "one")
    engine = SearchEngine(services)
    assert ids(search(engine, WorkTerm("red", -1))) == ids(search(engine, WorkTerm("red")))[::-1]


def test_weights_move_the_results_between_two_terms(services: Services, store: MemoryStore) -> None:
    stocked(store, "one", colours=SHADES)
    engine = SearchEngine(services)
    red, blue = (image_term(engine, colour) for colour in ("red", "blue"))

    def towards_red(weight: float) -> float:
        found = search(engine, dataclasses.replace(red, weight=weight), blue)
        return float(np.mean([hit.contributions[0].similarity for hit in found.hits[:5]]))

    assert towards_red(0.25) < towards_red(1) < towards_red(4)


def test_contributions_add_up_to_the_order(services: Services, store: MemoryStore) -> None:
    stocked(store, "one", colours=SHADES)
    engine = SearchEngine(services)
    picture = image_term(engine, "teal")
    terms = (TextTerm("a harbour"), dataclasses.replace(picture, weight=2.0), WorkTerm(SHADES[3], -0.5))
    hits = search(engine, *terms).hits
    sums = [sum(contribution.delta for contribution in hit.contributions) for hit in hits]
    assert all(first >= second - 0.03 for first, second in pairwise(sums))  # rounded
    assert {len(hit.contributions) for hit in hits} == {3}
    assert {hit.contributions for hit in search(engine, TextTerm("a harbour")).hits} == {()}


def test_terms_of_equal_weight_change_the_order_equally(services: Services, store: MemoryStore) -> None:
    stocked(store, "one", colours=SHADES)
    engine = SearchEngine(services)
    hits = search(engine, TextTerm("a harbour"), image_term(engine, "teal")).hits
    spans = [np.ptp([hit.contributions[part].delta for hit in hits]) for part in (0, 1)]
    assert 0.4 < spans[0] / spans[1] < 2.5


def test_terms_that_cancel_each_other_out_are_rejected(services: Services, store: MemoryStore) -> None:
    stocked(store, "one")
    engine = SearchEngine(services)
    with pytest.raises(Invalid, match="cancel"):
        search(engine, WorkTerm("red"), WorkTerm("red", -1))
    with pytest.raises(Invalid, match="the search is empty"):
        search(engine)


def test_works_that_match_by_text_come_first(services: Services, store: MemoryStore) -> None:
    stocked(store, "one")
    hits = search(SearchEngine(services), TextTerm("something by Warm")).hits
    assert {hit.artwork.artist.slug for hit in hits[:4]} == {"warm"}
    assert [hit.matched_terms for hit in hits] == [("warm",)] * 4 + [()] * 4
    assert not any(hit.weak for hit in hits[:4])


def test_excluded_words_match_nothing(services: Services, store: MemoryStore) -> None:
    stocked(store, "one")
    assert {hit.matched_terms for hit in search(SearchEngine(services), TextTerm("warm", -1)).hits} == {()}


def test_relevance_is_known_in_large_collections_only(services: Services, store: MemoryStore) -> None:
    stocked(store, "one")
    assert {hit.relevance for hit in search(SearchEngine(services), WorkTerm("red"), limit=9).hits} == {
        Relevance.UNKNOWN
    }
    stocked(store, "two", colours=SHADES)
    hits = search(SearchEngine(services), WorkTerm(SHADES[0]), limit=24).hits
    assert Relevance.UNKNOWN not in {hit.relevance for hit in hits}
    strengths = [hit.z_score for hit in hits if hit.z_score is not None]
    assert len(strengths) == len(hits) and strengths == sorted(strengths, reverse=True)


def test_the_live_collection_is_the_one_last_published(services: Services, store: MemoryStore) -> None:
    stocked(store, "one")
    engine = SearchEngine(services)
    assert search(engine, TextTerm("red")).build.name == "one"
    stocked(store, "two", colours=SHADES)
    found = search(engine, TextTerm("red"))
    assert found.build.name == "two" and found.hits[0].z_score is not None


def test_a_named_encoder_rejects_a_collection_made_by_another(
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


def test_an_image_encoded_for_another_collection_is_rejected(
    settings_with: Callable[..., Settings], store: MemoryStore
) -> None:
    services = Services(settings_with(encoder="auto"))
    services.vectors = store
    stocked(store, "one")
    engine = SearchEngine(services)
    picture = image_term(engine, "red")
    stocked(store, "two", "fake://?dim=16")
    with pytest.raises(Invalid, match="upload it again"):
        search(engine, picture)


def test_an_image_of_another_encoder_with_the_same_dimension_is_rejected(
    services: Services, store: MemoryStore
) -> None:
    stocked(store, "one")
    engine = SearchEngine(services)
    picture = dataclasses.replace(image_term(engine, "red"), fingerprint="other")
    assert picture.vector.dtype == np.float32
    with pytest.raises(Invalid):
        search(engine, picture)


def test_a_liked_work_does_not_count_towards_per_artist(services: Services, store: MemoryStore) -> None:
    stocked(store, "one")
    engine = SearchEngine(services)
    first = find(engine, SearchQuery((WorkTerm("red"),), per_artist=1, limit=1))
    rest = find(engine, SearchQuery((WorkTerm("red"),), per_artist=1, limit=5, offset=1))
    assert [hit.artwork.artist.slug for hit in (*first.hits, *rest.hits)] == ["warm", "cold"]
    assert first.next_offset == 1 and rest.next_offset is None


def test_an_encoder_without_art_terms_gets_the_text_without_catalog_words(
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
