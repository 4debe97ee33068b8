"""The Weaviate store: the contract, and failures of a server on the network.

Runs against a fake server, and against the real server that GALLERY_TEST_WEAVIATE names, such as
weaviate://localhost:8080?grpc=50051, with the key GALLERY_TEST_WEAVIATE_KEY if it needs one.
"""

from __future__ import annotations

import inspect
import logging
import os
import socket
import threading
import uuid
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from weaviate import exceptions as client

from gallery.errors import Corrupted, Invalid, Unavailable
from gallery.vectors.base import VECTORS, VectorStore
from gallery.vectors.filters import Filter
from gallery.vectors.weaviate import WeaviateStore, errors, ranking
from gallery.vectors.weaviate.schema import uuid_of
from tests.contracts.vector_store import DIM, FINGERPRINT, VectorStoreContract, artist, build, row, rows, work
from tests.fakes.processes import HANG_GUARD_S, wait_for
from tests.fakes.weaviate import FakeWeaviate

REAL = os.environ.get("GALLERY_TEST_WEAVIATE")


def fill(store: VectorStore, name: str = "one", works: int = 4) -> None:
    """Publish a build with this number of works: w0, w1, …"""
    ids = [f"w{number}" for number in range(works)]
    store.create(build(name)).upsert(
        [work(id) for id in ids], rows(*[row(1, place) for place in range(works)])
    )
    store.seal(name)
    store.publish(name)


def own_prefix() -> str:
    return "Test" + uuid.uuid4().hex[:12]


class TestFakeServer(VectorStoreContract):
    @pytest.fixture
    def store(self, shared_server: FakeWeaviate, connect: Callable[..., WeaviateStore]) -> VectorStore:
        return connect(f"{shared_server.address}&collection={own_prefix()}")


class RealServerContract(VectorStoreContract):
    @pytest.fixture
    def store(self, connect: Callable[..., WeaviateStore]) -> Iterator[VectorStore]:
        prefix = own_prefix()
        address = f"{REAL}{'&' if '?' in str(REAL) else '?'}collection={prefix}"
        store = connect(address, os.environ.get("GALLERY_TEST_WEAVIATE_KEY"))
        yield store

        def clean(client: object) -> None:
            client.alias.delete(alias_name=prefix)  # type: ignore[attr-defined]
            client.collections.delete([store._options.collection(one.name) for one in store.builds()])  # type: ignore[attr-defined]

        store._connection.call("cleaning up", clean, writing=True)


if REAL:
    TestRealServer = RealServerContract
else:

    @pytest.mark.skip(reason="GALLERY_TEST_WEAVIATE names no server")
    def test_a_real_server_keeps_the_contract() -> None: ...


# -- addresses


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("weaviate://", "write it like weaviate://host:8080"),
        ("weaviate://host:port", "write it like weaviate://host:8080"),
        ("weaviate://host:8080/path", "write it like weaviate://host:8080"),
        ("weaviate://host?grpc=", "grpc"),
        ("weaviate://host:8080?grpc=8080", "cannot share a port"),
        ("weaviate://host?grpc=99999", "host:port"),
        ("weaviate://user:secret@host", "remove the user and password"),
        ("weaviate://host?collection=artwork", "collection must be"),
        ("weaviate://host?collection=Art_work", "collection must be"),
        ("weaviate://host?quantization=pq", "one of rq8, none"),
        ("weaviate://host?consistency=SOME", "one of ONE, QUORUM, ALL"),
        ("weaviate://host?replication=0", "replication must be"),
        ("weaviate://host?shards=x", "shards must be"),
        ("weaviate://host?timeout=0", "timeout must be"),
        ("weaviate://host?speed=1", "unknown option 'speed'"),
    ],
)
def test_an_invalid_address_is_refused(address: str, problem: str) -> None:
    with pytest.raises(Invalid, match=problem) as caught:
        VECTORS.open(address, api_key=None)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("weaviate://host", "host:8080 (gRPC 50051)"),
        ("weaviates://host", "host:443 (gRPC 50051)"),
        ("weaviates://host?grpc=grpc-host:443", "host:443 (gRPC grpc-host:443)"),
        ("weaviate://[::1]:80?grpc=81", "[::1]:80 (gRPC 81)"),
    ],
)
def test_an_address_gives_both_endpoints(
    connect: Callable[..., WeaviateStore], address: str, expected: str
) -> None:
    endpoint = connect(address)._connection.endpoint
    assert str(endpoint) == expected and endpoint.secure == address.startswith("weaviates")


# -- what a collection looks like


def test_the_schema_states_every_option(server: FakeWeaviate, connect: Callable[..., WeaviateStore]) -> None:
    connect(f"{server.address}&quantization=rq8&replication=3&shards=2").create(build())
    config = server.data.collections["Artwork_one"].config
    assert {
        one["name"]: (
            one["dataType"][0],
            one.get("tokenization"),
            one["indexFilterable"],
            one["indexSearchable"],
        )
        for one in config["properties"]
    } == {
        "work_id": ("text", "field", True, False),
        "file": ("text", "field", True, False),
        "artist": ("text", "field", True, False),
        "styles": ("text[]", "field", True, False),
        "nationalities": ("text[]", "field", True, False),
        "life_start": ("int", None, True, False),
        "life_end": ("int", None, True, False),
        "words": ("text", "word", False, True),
        "payload": ("text", "word", False, False),
    }
    ranged = {one["name"] for one in config["properties"] if one["indexRangeFilters"]}
    assert ranged == {"life_start", "life_end"}
    index = config["vectorConfig"]["default"]["vectorIndexConfig"]
    assert index["distance"] == "cosine" and index["rq"]["enabled"] and index["rq"]["bits"] == 8
    assert config["replicationConfig"]["factor"] == 3 and config["shardingConfig"]["desiredCount"] == 2


@pytest.mark.parametrize("level", ["ONE", "QUORUM", "ALL"])
def test_searches_work_at_every_consistency_level(
    server: FakeWeaviate, connect: Callable[..., WeaviateStore], level: str
) -> None:
    store = connect(f"{server.address}&consistency={level}")
    fill(store)
    assert store.open("one").search(row(1), 1, fingerprint=FINGERPRINT)[0].artwork.id == "w0"


def test_two_prefixes_share_a_server(server: FakeWeaviate, connect: Callable[..., WeaviateStore]) -> None:
    here, there = connect(server.address), connect(f"{server.address}&collection=Other")
    fill(here)
    assert there.builds() == [] and there.live() is None
    fill(there, "two")
    assert [one.name for one in here.builds()] == ["one"]


def test_a_collection_that_is_not_a_build_is_ignored(
    server: FakeWeaviate, store: WeaviateStore, caplog: pytest.LogCaptureFixture
) -> None:
    server.data.create({"class": "Artwork_theirs", "vectorConfig": {}, "description": "not a manifest"})
    fill(store)
    with caplog.at_level(logging.WARNING):
        assert [one.name for one in store.builds()] == ["one"]
    assert "Artwork_theirs" in caplog.text
    with pytest.raises(Corrupted, match="not a readable build"):
        store.open("theirs")
    with pytest.raises(Invalid, match="not dropped"):
        store.drop("theirs")
    assert "Artwork_theirs" in server.data.collections


# -- the live build


def test_asking_for_the_live_build_is_one_call(server: FakeWeaviate, store: WeaviateStore) -> None:
    fill(store)
    store.live()
    server.calls.clear()
    live = store.live()
    assert live is not None and store.open(live.name).build == live
    assert server.calls == ["GET schema/Artwork"]


def test_a_reader_follows_what_another_publishes(
    server: FakeWeaviate, connect: Callable[..., WeaviateStore]
) -> None:
    reader, writer = connect(server.address), connect(server.address)
    for name in ("one", "two"):
        fill(writer, name)
        live = reader.live()
        assert live is not None and live.name == name


def test_a_rebuilt_build_of_the_same_name_is_seen(
    server: FakeWeaviate, connect: Callable[..., WeaviateStore]
) -> None:
    reader, writer = connect(server.address), connect(server.address)
    fill(writer)
    reader.live()
    fill(writer, "two")
    writer.drop("one")
    writer.create(build("one", "2027-01-01T00:00:00+00:00"))
    writer.seal("one")
    writer.publish("one")
    live = reader.live()
    assert live is not None and live.created_at.startswith("2027")
    assert reader.open("one").build == live


def test_publishing_repairs_a_dangling_alias(server: FakeWeaviate, store: WeaviateStore) -> None:
    fill(store)
    fill(store, "two")
    del server.data.collections["Artwork_two"]
    with pytest.raises(Corrupted, match=r"Artwork_two, which is gone.*gallery rollback"):
        store.live()
    store.publish("one")
    live = store.live()
    assert live is not None and live.name == "one"


def test_a_collection_with_the_name_of_the_alias_is_reported(
    server: FakeWeaviate, store: WeaviateStore
) -> None:
    server.data.create({"class": "Artwork", "vectorConfig": {}})
    assert store.live() is None
    store.create(build())
    store.seal("one")
    with pytest.raises(Invalid, match="collection called Artwork"):
        store.publish("one")


def test_a_build_dropped_under_a_reader_is_corrupted(
    server: FakeWeaviate, connect: Callable[..., WeaviateStore]
) -> None:
    reader = connect(server.address)
    fill(reader)
    held = reader.open("one")
    del server.data.collections["Artwork_one"]
    with pytest.raises(Corrupted, match="is gone"):
        held.search(row(1), 1, fingerprint=FINGERPRINT)
    with pytest.raises(Corrupted, match="is gone"):
        held.upsert([work("x")], rows(row(1)))
    assert "Artwork_one" not in server.data.collections


# -- hybrid search


def test_a_hybrid_search_is_two_queries(server: FakeWeaviate, store: WeaviateStore) -> None:
    fill(store, works=7)
    held = store.open("one")
    server.calls.clear()
    held.search(row(1), 3, fingerprint=FINGERPRINT, text="w3")
    assert server.calls == ["Search", "Search"]


def test_pages_do_not_overlap_where_a_deeper_ranking_begins(
    server: FakeWeaviate, store: WeaviateStore
) -> None:
    vectors = np.random.default_rng(5).normal(size=(400, DIM)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    works = [work(f"{number:03}", artist(f"p{number % 3}")) for number in range(400)]
    collection = store.create(build())
    collection.upsert(works, vectors)
    pages = [
        [
            hit.artwork.id
            for hit in collection.search(row(1), 24, text="p1", fingerprint=FINGERPRINT, offset=offset)
        ]
        for offset in range(0, 400, 24)
    ]
    assert sorted(id for page in pages for id in page) == [one.id for one in works]


# -- sizes


@pytest.mark.slow
def test_more_works_than_one_query_returns(
    server: FakeWeaviate, connect: Callable[..., WeaviateStore]
) -> None:
    server.maximum_results = 10_000
    store = connect(
        f"{server.address}&timeout={HANG_GUARD_S}"
    )  # the fake server is slow with this many works
    count = 10_500
    vectors = np.random.default_rng(3).normal(size=(count, DIM)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    works = [work(f"{number:05}", artist(f"a{number % 150:03}")) for number in range(count)]
    collection = store.create(build())
    collection.upsert(works, vectors)
    wanted = {one.id for one in works}
    assert collection.count() == count and collection.ids() == wanted
    assert [one.id for one in collection.works(limit=20_000)] == sorted(wanted)
    assert [one.id for one in collection.works(limit=20, offset=10_400)] == sorted(wanted)[10_400:10_420]
    assert len(collection.facets().artists) == 150 and set(collection.facets().artists.values()) == {70}
    hits = collection.search(row(1), 5, fingerprint=FINGERPRINT, offset=9_995)
    order = np.lexsort((np.arange(count), -np.round(vectors @ row(1), 6)))
    assert [int(hit.artwork.id) for hit in hits] == list(order[9_995:10_000])
    with pytest.raises(Invalid, match="at most 10000 results"):
        collection.search(row(1), 6, fingerprint=FINGERPRINT, offset=9_995)
    collection.delete(sorted(wanted)[:10_200])
    assert collection.ids() == set(sorted(wanted)[10_200:])


def test_deleting_more_than_one_call_deletes(server: FakeWeaviate, store: WeaviateStore) -> None:
    fill(store, works=7)
    server.maximum_results = 2
    store.open("one").delete([f"w{number}" for number in range(6)])
    server.maximum_results = 10_000
    assert store.open("one").ids() == {"w6"}


def test_facets_are_complete_if_the_server_cuts_them(server: FakeWeaviate, store: WeaviateStore) -> None:
    collection = store.create(build())
    painters = [artist(f"a{number:03}", styles=(f"g{number}",)) for number in range(120)]
    collection.upsert([work(one.slug, one) for one in painters], rows(*[row(1)] * 120))
    server.maximum_groups = 100
    facets = collection.facets()
    assert len(facets.artists) == len(facets.styles) == 120 and facets.nationalities == {"French": 120}
    assert collection.facets(Filter(styles=("g7",))).artists == {"a007": 1}


def test_an_artist_who_fills_the_ranking_does_not_hide_others(
    store: WeaviateStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranking, "MAX_RESULTS", 40)
    collection = store.create(build())
    near = [work(f"n{number:02}", artist("near")) for number in range(60)]
    far = [work(f"f{number}", artist(f"far{number}")) for number in range(5)]
    vectors = [row(1, number / 1000) for number in range(60)] + [row(1, 1 + number) for number in range(5)]
    collection.upsert([*near, *far], rows(*vectors))
    hits = collection.search(row(1), 5, fingerprint=FINGERPRINT, per_artist=2)
    assert [hit.artwork.id for hit in hits] == ["n00", "n01", "f0", "f1", "f2"]


def test_large_works_are_sent_in_several_messages(server: FakeWeaviate, store: WeaviateStore) -> None:
    verbose = artist()
    verbose = type(verbose)(**{**verbose.__dict__, "bio": "x" * 1_000_000})
    store.create(build()).upsert([work(f"w{number}", verbose) for number in range(12)], rows(*[row(1)] * 12))
    assert server.calls.count("BatchObjects") == 12 and store.open("one").count() == 12


def test_ids_that_differ_only_in_case_are_two_objects() -> None:
    plain = str(uuid.uuid4())
    assert len({uuid_of(plain), uuid_of(plain.upper()), uuid_of("{" + plain + "}"), plain}) == 4


# -- keys


def test_the_search_key_searches_and_cannot_write(
    guarded: FakeWeaviate, connect: Callable[..., WeaviateStore]
) -> None:
    fill(connect(guarded.address, "loading-key"))
    reader = connect(guarded.address, "searching-key")
    live = reader.live()
    assert live is not None and live.name == "one"
    collection = reader.open("one")
    assert collection.search(row(1), 1, fingerprint=FINGERPRINT)[0].artwork.id == "w0"
    assert collection.count() == 4 and collection.facets().artists == {"a": 4} and len(collection.ids()) == 4
    for write in (
        lambda: reader.create(build("two")),
        lambda: reader.seal("one"),
        lambda: reader.publish("one"),
        lambda: collection.upsert([work("x")], rows(row(1))),
        lambda: collection.delete(["w0"]),
    ):
        with pytest.raises(Invalid, match=r"insufficient permissions.*GALLERY_VECTORS_KEY") as caught:
            write()
        assert "searching-key" not in str(caught.value)
    assert collection.count() == 4


@pytest.mark.parametrize("key", [None, "wrong-key"])
def test_a_missing_or_wrong_key_is_reported(
    guarded: FakeWeaviate, connect: Callable[..., WeaviateStore], key: str | None
) -> None:
    with pytest.raises(Invalid, match="GALLERY_VECTORS_KEY is missing or wrong") as caught:
        connect(guarded.address, key).live()
    assert "wrong-key" not in str(caught.value)


def test_a_revoked_key_is_reported(guarded: FakeWeaviate, connect: Callable[..., WeaviateStore]) -> None:
    store = connect(guarded.address, "loading-key")
    fill(store)
    held = store.open("one")
    del guarded.keys["loading-key"]
    for read in (store.live, held.count):
        with pytest.raises(Invalid, match="GALLERY_VECTORS_KEY is missing or wrong"):
            read()


# -- versions


@pytest.mark.parametrize("version", ["1.26.4", "1.31.9"])
def test_a_server_without_aliases_is_refused(connect: Callable[..., WeaviateStore], version: str) -> None:
    with FakeWeaviate(version=version) as server, pytest.raises(Invalid, match=r"1\.32"):
        connect(server.address).live()


@pytest.mark.parametrize("version", ["1.32.0", "1.37.4", "1.41.0-rc.0"])
def test_newer_servers_work(connect: Callable[..., WeaviateStore], version: str) -> None:
    with FakeWeaviate(version=version) as server:
        store = connect(server.address)
        fill(store)
        assert store.open("one").search(row(1), 1, fingerprint=FINGERPRINT)[0].score == 1.0


# -- failures


def calls(store: WeaviateStore) -> dict[str, Callable[[], object]]:
    """One call of each kind, by the name that the fake has for it."""
    held = store.open("one")
    return {
        "schema": store.live,
        "aliases": lambda: store.drop("nobody"),
        "Search": lambda: held.search(row(1), 1, fingerprint=FINGERPRINT),
        "BatchObjects": lambda: held.upsert([work("x"), work("y")], rows(row(1), row(1))),
        "BatchDelete": lambda: held.delete(["w1"]),
        "Aggregate": held.count,
    }


@pytest.mark.parametrize("fault", ["refuse", "reset", "429", "500", "garbage"])
@pytest.mark.parametrize("call", ["schema", "aliases", "Search", "BatchObjects", "BatchDelete", "Aggregate"])
def test_a_failing_call_is_unavailable_until_it_works_again(
    server: FakeWeaviate, store: WeaviateStore, call: str, fault: str
) -> None:
    fill(store)
    act = calls(store)[call]
    server.faults.add(call, fault)
    with pytest.raises(Unavailable) as caught:
        act()
    assert server.address[11:20] in str(caught.value) or "build one" in str(caught.value)
    server.faults.clear()
    act()


@pytest.mark.parametrize("fault", ["refuse", "500", "slow"])
@pytest.mark.parametrize("call", ["meta", "ready"])
def test_a_server_that_is_starting_is_unavailable(
    server: FakeWeaviate, connect: Callable[..., WeaviateStore], call: str, fault: str
) -> None:
    store = connect(f"{server.address}&timeout=1")
    server.faults.add(call, fault, seconds=HANG_GUARD_S)
    with pytest.raises(Unavailable):
        store.live()
    server.faults.clear()
    wait_for(lambda: succeeds(store.live))


def succeeds(act: Callable[[], object]) -> bool:
    """Return False if the call raises Unavailable."""
    try:
        act()
    except Unavailable:
        return False
    return True


def test_a_server_that_is_not_ready_says_so(server: FakeWeaviate, store: WeaviateStore) -> None:
    server.ready = False
    with pytest.raises(Unavailable, match="not ready yet"):
        store.live()


def test_a_write_is_retried(server: FakeWeaviate, store: WeaviateStore) -> None:
    fill(store)
    for fault in ("refuse", "reset", "429", "500", "lose", "reject"):
        server.faults.add("BatchObjects", fault, times=1)
        store.open("one").upsert([work(fault), work(f"{fault}2")], rows(row(1), row(1)))
    assert store.open("one").count() == 4 + 12


def test_an_error_names_the_works_that_failed(server: FakeWeaviate, store: WeaviateStore) -> None:
    collection = store.create(build())
    server.faults.add("BatchObjects", "reject")
    with pytest.raises(Unavailable, match=r"works first, third \(shard is read-only"):
        collection.upsert([work("first"), work("second"), work("third")], rows(row(1), row(1), row(1)))
    with pytest.raises(Unavailable, match=r"works only \(.*shard is read-only"):
        collection.upsert([work("only")], rows(row(1)))


def test_silently_lost_objects_are_noticed(server: FakeWeaviate, store: WeaviateStore) -> None:
    collection = store.create(build())
    server.faults.add("BatchObjects", "lose")
    with pytest.raises(Unavailable, match="accepted works second, but they are not there"):
        collection.upsert([work("first"), work("second")], rows(row(1), row(1)))


def test_a_slow_query_times_out(
    server: FakeWeaviate, store: WeaviateStore, connect: Callable[..., WeaviateStore]
) -> None:
    fill(store)
    impatient = connect(f"{server.address}&timeout=2").open("one")
    server.faults.add("Search", "slow", seconds=HANG_GUARD_S)
    with pytest.raises(Unavailable, match="cannot reach Weaviate at 127"):
        impatient.search(row(1), 1, fingerprint=FINGERPRINT)


def test_the_error_for_a_missing_server_says_what_to_check(connect: Callable[..., WeaviateStore]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    store = connect(f"weaviate://127.0.0.1:{port}?grpc=1")
    with pytest.raises(
        Unavailable, match=rf"cannot reach Weaviate at 127\.0\.0\.1:{port} \(gRPC 1.*is it running"
    ):
        store.live()


def test_a_closed_grpc_port_is_reported(server: FakeWeaviate, connect: Callable[..., WeaviateStore]) -> None:
    fill(connect(server.address))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    store = connect(f"weaviate://127.0.0.1:{server.ports[0]}?grpc={port}")
    with pytest.raises(Unavailable, match="is the gRPC port open"):
        store.open("one").count()


def test_a_restarted_server_is_found_again(
    connect: Callable[..., WeaviateStore],
) -> None:
    with FakeWeaviate() as first:
        store = connect(f"{first.address}&timeout=5")
        fill(store)

        def page() -> object:
            live = store.live()
            assert live is not None
            return store.open(live.name).search(row(1), 1, fingerprint=FINGERPRINT)

        page()
    for _ in range(3):
        with pytest.raises(Unavailable):
            page()
    with FakeWeaviate(ports=first.ports, data=first.data):
        wait_for(lambda: succeeds(page))


def test_threads_share_a_connection_that_is_lost_and_reopened(
    server: FakeWeaviate, store: WeaviateStore
) -> None:
    fill(store)
    held = store.open("one")
    outcomes: list[str] = []

    def visit() -> None:
        for _ in range(10):
            try:
                hits = held.search(row(1), 4, fingerprint=FINGERPRINT)
                outcomes.append("right" if hits[0].artwork.id == "w0" else "wrong")
            except Unavailable:
                outcomes.append("unavailable")

    visitors = [threading.Thread(target=visit) for _ in range(6)]
    server.faults.add("Search", "refuse", times=20)
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join()
    assert len(outcomes) == 60 and "wrong" not in outcomes and "right" in outcomes


# -- errors


def test_every_exception_of_the_client_is_translated() -> None:
    classes = [
        one
        for _, one in inspect.getmembers(client, inspect.isclass)
        if issubclass(one, Exception) and one.__module__ == client.__name__
    ]
    assert len(classes) > 30
    unmapped = [
        one.__name__
        for one in classes
        if one is not client.WeaviateBaseError  # only ever raised as one of its children
        and not issubclass(one, errors.TRANSLATED)
    ]
    assert unmapped == []
