"""The Qdrant store: in a folder, over REST to a fake server, and on a real server (GALLERY_TEST_QDRANT)."""

from __future__ import annotations

import multiprocessing
import os
import socket
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from qdrant_client import models

from gallery.errors import Corrupted, GalleryError, Invalid, NotFound, Unavailable
from gallery.vectors.base import VECTORS, VectorStore
from gallery.vectors.filters import Filter
from gallery.vectors.qdrant import open_qdrant
from gallery.vectors.qdrant.collection import QdrantCollection
from gallery.vectors.qdrant.store import QdrantStore
from tests.contracts.vector_store import (
    FINGERPRINT,
    VectorStoreContract,
    artist,
    build,
    ids,
    random_rows,
    row,
    rows,
    work,
)
from tests.fakes.processes import HANG_GUARD_S
from tests.fakes.qdrant import FakeQdrant, served


def opened(address: str, api_key: str | None = None) -> QdrantStore:
    return open_qdrant(VECTORS.parse(address), api_key=api_key)


@pytest.mark.slow
class TestFolder(VectorStoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[VectorStore]:
        store = opened(f"qdrant://{tmp_path}/not/there/yet")
        yield store
        store.close()

    def test_reading_makes_no_folder(self, store: VectorStore, tmp_path: Path) -> None:
        store.live(), store.builds(), store.drop("one")
        with pytest.raises(NotFound):
            store.open("one")
        assert list(tmp_path.iterdir()) == []

    def test_a_closed_folder_can_be_read_again(self, store: QdrantStore) -> None:
        store.create(build()).upsert([work("x")], rows(row(1)))
        store.seal("one"), store.publish("one")
        store.close()
        live = store.live()
        assert live is not None and live.ready
        assert ids(store.open(live.name).search(row(1), 5, fingerprint=FINGERPRINT, text="x")) == ["x"]

    def test_two_stores_of_one_process_share_a_folder(self, store: QdrantStore, tmp_path: Path) -> None:
        store.create(build())
        (tmp_path / "link").symlink_to(tmp_path / "not")
        other = opened(f"qdrant://{tmp_path}/link/there/yet?collection=other")
        assert other.builds() == []
        other.create(build("two"))
        assert [one.name for one in store.builds()] == ["one"]

    def test_a_folder_that_another_process_has_open_says_what_to_use(
        self, store: QdrantStore, tmp_path: Path
    ) -> None:
        with _Holder(store.address):
            for ask in (store.live, store.builds, lambda: store.create(build())):
                with pytest.raises(Unavailable, match=r"another process has .*qdrant://host:6333.*lance:///"):
                    ask()
        assert [one.name for one in store.builds()] == ["held"]  # free again

    def test_closing_lets_another_process_have_the_folder(self, store: QdrantStore) -> None:
        store.create(build())
        store.close()
        with _Holder(store.address):
            pass
        assert {one.name for one in store.builds()} == {"one", "held"}

    def test_a_damaged_folder_is_unavailable_and_says_where(self, store: QdrantStore, tmp_path: Path) -> None:
        store.create(build())
        store.close()
        for text in ("", "not json", "[]", '{"aliases": {}}'):
            (tmp_path / "not" / "there" / "yet" / "meta.json").write_text(text)
            with pytest.raises(Unavailable, match=r"there/yet.*gallery refresh"):
                store.live()

    def test_threads_may_read_and_write_at_once(self, store: QdrantStore) -> None:
        collection = store.create(build())

        def use(thread: int) -> int:
            for number in range(10):
                collection.upsert([work(f"{thread}-{number}")], rows(row(1, number)))
                collection.search(row(1), 5, fingerprint=FINGERPRINT)
            return len(collection.facets().artists)

        with ThreadPoolExecutor(8) as threads:
            assert list(threads.map(use, range(8))) == [1] * 8
        assert collection.count() == 80

    def test_a_folder_that_cannot_be_made_is_unavailable(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(Unavailable, match="creating build one"):
            opened(f"qdrant://{tmp_path}/file/folder").create(build())


class _Holder:
    """Another process, which creates the build "held" in a folder and keeps it open during a `with`."""

    def __init__(self, address: str) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._ours, theirs = spawn.Pipe()
        self._process = spawn.Process(target=_hold, args=(address, theirs))

    def __enter__(self) -> None:
        self._process.start()
        assert self._ours.poll(HANG_GUARD_S) and self._ours.recv() == "held"

    def __exit__(self, *_: object) -> None:
        self._ours.send("enough")
        self._process.join(HANG_GUARD_S)
        self._ours.close()
        assert self._process.exitcode == 0


def _hold(address: str, pipe: Connection) -> None:
    opened(address).create(build("held"))
    pipe.send("held")
    pipe.recv()


@pytest.mark.slow
class TestOverTheWire(VectorStoreContract):
    @pytest.fixture
    def fake(self) -> FakeQdrant:
        return FakeQdrant()

    @pytest.fixture
    def address(self, fake: FakeQdrant) -> Iterator[str]:
        with served(fake) as location:
            yield f"qdrant://{location}"

    @pytest.fixture
    def store(self, address: str) -> Iterator[VectorStore]:
        store = opened(address)
        yield store
        store.close()

    def test_reading_writes_nothing(self, store: VectorStore, fake: FakeQdrant) -> None:
        store.live(), store.builds(), store.drop("one")
        assert fake.requests and {request.split()[0] for request in fake.requests} == {"GET"}

    def test_every_write_waits(self, store: VectorStore, fake: FakeQdrant) -> None:
        collection = store.create(build())
        collection.upsert([work("x")], rows(row(1)))
        collection.delete(["x"])
        writes = [request for request in fake.requests if "/points" in request or "/index" in request]
        assert len(writes) == 7 and all("wait=true" in request for request in writes)

    def test_many_works_are_written_in_several_requests(self, store: VectorStore, fake: FakeQdrant) -> None:
        collection = store.create(build())
        collection.upsert([work(f"{number}") for number in range(600)], random_rows(600))
        assert sum("PUT" in request and "/points" in request for request in fake.requests) == 3
        assert collection.count() == 600

    def test_publishing_is_one_request(self, store: VectorStore, fake: FakeQdrant) -> None:
        store.create(build())
        store.seal("one")
        fake.requests.clear()
        store.publish("one")
        assert [request for request in fake.requests if not request.startswith("GET")] == [
            "POST /collections/aliases"
        ]

    def test_a_collection_is_made_as_the_address_says(self, address: str, fake: FakeQdrant) -> None:
        store = opened(f"{address}?shards=3&replication=2&quantization=int8&collection=other")
        store.create(build())
        (made,) = fake.created
        assert (made.shard_number, made.replication_factor, made.write_consistency_factor) == (3, 2, 2)
        assert made.quantization_config is not None
        assert opened(address).builds() == []
        assert [one.name for one in store.builds()] == ["one"]

    def test_a_base_may_be_a_prefix_of_another(self, address: str) -> None:
        opened(f"{address}?collection=art_two").create(build("1"))
        store = opened(f"{address}?collection=art")
        assert store.builds() == []
        with pytest.raises(Corrupted, match="not a readable build of this gallery"):
            store.open("two_1")
        store.drop("two_1")
        assert len(opened(f"{address}?collection=art_two").builds()) == 1

    def test_a_collection_that_is_not_a_build_is_not_dropped(self, address: str, fake: FakeQdrant) -> None:
        for name in ("mine", "mine_one"):
            fake._qdrant.create_collection(name)
        store = opened(f"{address}?collection=mine")
        store.drop("one")
        assert store.builds() == []
        with pytest.raises(Invalid, match="mine_one"):
            store.create(build("one"))
        with pytest.raises(Invalid, match=r"mine .*\?collection="):
            store.create(build("two"))
        with pytest.raises(Invalid, match=r"mine .*\?collection="):
            store.live()
        assert len(fake._qdrant.get_collections().collections) == 2

    def test_an_old_server_is_refused_before_anything_is_created(
        self, store: VectorStore, fake: FakeQdrant
    ) -> None:
        fake.version = "1.15.4"
        with pytest.raises(Invalid, match=r"1\.15\.4.*1\.16"):
            store.create(build())
        assert fake.created == []

    def test_the_key_goes_with_each_request_and_into_no_message(self, address: str, fake: FakeQdrant) -> None:
        fake.key = "s3cret"
        store = opened(address, "s3cret")
        store.create(build()).upsert([work("x")], rows(row(1)))
        for wrong in (None, "wr0ng"):
            with pytest.raises(Invalid, match="GALLERY_VECTORS_KEY") as caught:
                opened(address, wrong).live()
            assert "wr0ng" not in str(caught.value) + repr(caught.value.__cause__)
        assert "s3cret" not in repr(store) + str(vars(store))

    @pytest.mark.parametrize(
        ("status", "body", "expected", "said"),
        [
            (400, b'{"status": {"error": "bad vector"}}', Invalid, "bad vector"),
            (403, b"forbidden", Invalid, "GALLERY_VECTORS_KEY"),
            (404, b"", NotFound, "404"),
            (408, b"", Unavailable, "try again"),
            (413, b"", Invalid, "413"),
            (429, b"{}", Unavailable, "try again"),
            (500, b'{"status": {"error": "disk full"}}', Unavailable, "disk full"),
            (503, b"<html>", Unavailable, "try again"),
            (200, b"<html>", Invalid, "GALLERY_VECTORS"),
            (200, b'{"result": null}', Invalid, "GALLERY_VECTORS"),
            (200, b'{"result": {"points": 3}}', Invalid, "GALLERY_VECTORS"),
        ],
    )
    def test_each_failure_says_what_failed_and_what_to_do(
        self,
        store: VectorStore,
        fake: FakeQdrant,
        status: int,
        body: bytes,
        expected: type[GalleryError],
        said: str,
    ) -> None:
        collection = store.create(build())
        fake.failing = (status, body)
        with pytest.raises(expected, match=said) as caught:
            collection.upsert([work("culprit")], rows(row(1)))
        assert "culprit" in str(caught.value) and "of build one" in str(caught.value)
        with pytest.raises(expected):
            collection.search(row(1), 1, fingerprint=FINGERPRINT)


def test_a_count_by_field_is_complete_however_many_values(tmp_path: Path) -> None:
    store = opened(f"qdrant://{tmp_path}")
    collection = store.create(build())
    many = [
        work(f"{n:04}", artist(f"p{n % 2}", styles=tuple(f"g{n * 6 + i}" for i in range(6))))
        for n in range(200)
    ]
    collection.upsert(many, random_rows(200))
    assert len(collection.facets().styles) == 1_200
    assert len(collection.facets(Filter(artists=("p1",))).styles) == 600
    store.close()


@pytest.mark.parametrize("how", ["", "?grpc={port}"])
def test_the_error_for_a_missing_server_says_what_to_check(how: str) -> None:
    with socket.socket() as taken:  # bound, but nobody listens
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        store = opened(f"qdrant://127.0.0.1:{port}{how.format(port=port)}")
        with pytest.raises(Unavailable, match="GALLERY_VECTORS") as caught:
            store.live()
        assert str(port) in str(caught.value)
        store.close()


def test_every_request_can_be_sent_by_grpc() -> None:
    """A request that gRPC's messages cannot express would fail before the connection, not as Unavailable."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        store = opened(f"qdrant://127.0.0.1:{port}?grpc={port}&quantization=int8")
        collection = QdrantCollection(store._provider, "artwork_one", build())
        where = Filter(
            artists=("a",), exclude_artists=("b",), styles=("c",), active_from=1800, active_to=1900
        )
        sought = models.SparseVector(indices=[1], values=[1.0])
        asks: list[Callable[[], object]] = [
            lambda: store.create(build()),
            store.builds,
            lambda: collection.upsert([work("x")], rows(row(1))),
            lambda: collection.delete(["x"]),
            lambda: collection.count(where),
            collection.ids,
            lambda: collection.vectors(["x"]),
            lambda: collection.works(where),
            lambda: collection.facets(where),
            lambda: collection.search(row(1), 1, fingerprint=FINGERPRINT, where=where),
            lambda: collection._matching(sought, row(1), where, 1),
        ]
        for ask in asks:
            with pytest.raises(Unavailable, match="UNAVAILABLE over gRPC"):
                ask()
        store.close()


def test_a_server_that_never_answers_times_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        store = opened(f"qdrant://127.0.0.1:{silent.getsockname()[1]}?timeout=1")
        with pytest.raises(Unavailable, match=r"reading the live build.*timed out"):
            store.live()
        store.close()


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("qdrant://", "qdrant://host:6333, or qdrant:///"),
        ("qdrants:///folder", "write it like qdrants://host"),
        ("qdrant://host/folder", "qdrant://host:6333"),
        ("qdrant://host:port", "write it like qdrant://host:6333"),
        ("qdrant://host:70000", "range"),
        ("qdrant://host?grpc=no", "grpc"),
        ("qdrant://host?timeout=0", "timeout"),
        ("qdrant://host?replication=0", "replication"),
        ("qdrant://host?shards=-1", "shards"),
        ("qdrant://host?quantization=int4", "one of int8, none"),
        ("qdrant://host?collection=a/b", "collection"),
        ("qdrant://host?colection=a", "unknown option"),
        ("qdrant:///folder?shards=2", "unknown option"),
    ],
)
def test_an_invalid_address_is_refused(address: str, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        VECTORS.open(address, api_key=None)


@pytest.mark.parametrize(
    "address", ["qdrant://host", "qdrants://host:443?grpc=6334", "qdrant://[::1]:7000", "qdrant:///folder"]
)
def test_opening_does_not_connect(address: str) -> None:
    assert VECTORS.open(address, api_key="key").address == address


class TestServer(VectorStoreContract):
    """On a real server; also by gRPC where the address has ?grpc=."""

    @pytest.fixture
    def store(self) -> Iterator[VectorStore]:
        named = os.environ.get("GALLERY_TEST_QDRANT")
        if not named:
            pytest.skip("GALLERY_TEST_QDRANT names no Qdrant server")
        base = f"gallery-test-{uuid.uuid4().hex}"
        store = opened(f"{named}{'&' if '?' in named else '?'}collection={base}")
        try:
            yield store
        finally:
            with store._provider.client("cleaning up") as client:
                for collection in client.get_collections().collections:
                    if collection.name.startswith(f"{base}_"):
                        client.delete_collection(collection.name)
            store.close()

    def test_a_quantized_score_is_still_the_cosine(self, store: QdrantStore) -> None:
        store._quantized = True
        collection = store.create(build())
        vectors = random_rows(300)
        collection.upsert([work(f"{n:03}") for n in range(300)], vectors)
        for hit in collection.search(row(1, 2), 20, fingerprint=FINGERPRINT):
            assert hit.score == pytest.approx(float(vectors[int(hit.artwork.id)] @ row(1, 2)), abs=1e-5)
