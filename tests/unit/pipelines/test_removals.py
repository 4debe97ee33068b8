"""What the dataset may lose before a run stops."""

from __future__ import annotations

import dataclasses

import pytest

from gallery.models import Artist
from gallery.objects.memory import MemoryObjects
from gallery.vectors.memory import MemoryStore
from pipelines.defs.catalog.removals import lost_facts, removed_works
from pipelines.defs.collection.manifests import ARTIST_FACTS, load_manifest, save_manifest
from pipelines.tables import FILES
from tests.contracts.vector_store import work

EMPTY = {"years": {"birth": None, "death": None}, "bio": {"bio": ""}, "link": {"wikipedia": ""}}
EMPTY |= {name: {name: ()} for name in ("styles", "nationalities")}
ARTISTS = {
    f"a{n}": Artist(f"a{n}", f"A {n}", 1800, 1850, ("Realism",), ("French",), "s", "b", "https://x.org")
    for n in range(10)
}


@pytest.mark.parametrize("fact", ARTIST_FACTS)
@pytest.mark.parametrize(("lost", "stops"), [(0, False), (1, False), (2, False), (3, True), (10, True)])
def test_a_kind_of_fact_may_be_lost_by_few_artists(fact: str, lost: int, stops: bool) -> None:
    tables, store = MemoryObjects(), MemoryStore()
    save_manifest(tables, store, "b1", [work(f"w{slug}", artist) for slug, artist in ARTISTS.items()])
    live = load_manifest(tables, store, "b1")
    assert live is not None and lost_facts(live, ARTISTS, 0.0) == []
    blanked = {slug: dataclasses.replace(ARTISTS[slug], **EMPTY[fact]) for slug in sorted(ARTISTS)[:lost]}
    assert lost_facts(live, ARTISTS | blanked, 0.2) == (
        [f"{fact} of {lost} of 10 artists, such as A 0"] if stops else []
    )
    assert lost_facts(live, {slug: ARTISTS[slug] for slug in ("a8", "a9")}, 0.0) == []  # artists who are gone


def test_removed_works_that_are_duplicates_now_are_counted() -> None:
    tables, store = MemoryObjects(), MemoryStore()
    save_manifest(tables, store, "b1", [work(id, file=f"{id}.jpg") for id in ("w1", "w2", "w3")])
    live = load_manifest(tables, store, "b1")
    assert live is not None
    files = FILES.frame([{"path": "w2.jpg", "status": "duplicate"}, {"path": "w1.jpg", "status": "kept"}])
    assert removed_works(live, {"w1"}, files) == ({"w2", "w3"}, 1)
