"""What a refresh does when a call to a service fails, for each kind of call and of fault.

    python -m tests.chaos.faults     # writes the outcomes into the tables of docs/reliability.md

The services are in this process but for the bucket; the clients are the real ones, over the wire.
"""

from __future__ import annotations

import copy
import hashlib
import json
import re
import shutil
import tempfile
import time
import urllib.request
import zipfile
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import dagster as dg
import pytest

from gallery.datasets.kaggle import retry
from gallery.errors import GalleryError
from gallery.objects import gcs
from gallery.services import Services
from gallery.settings import Settings, read_settings
from gallery.vectors import weaviate
from gallery.vectors.weaviate.schema import from_description
from pipelines import lock, steps
from pipelines.runner import run_refresh
from tests.fakes.archives import artists_csv, picture, write_zip
from tests.fakes.gcs import Fault, Proxy, create_bucket, fake_gcs, proxy
from tests.fakes.kaggle import DATASET, SIGNATURE, FakeKaggle
from tests.fakes.weaviate import FakeWeaviate

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- faults: python -m tests.chaos.faults -->", "<!-- end of faults -->"
STATUSES = ("429", "500")
KINDS = ("refused", "reset", ", ".join(STATUSES), "slow", "wrong")
"""Kinds of faults: no connection, one that is cut, two statuses, a late answer, an invalid answer."""
EVEN_ONCE = "; even once"
"""End of a cell of the tables: the refresh also stops if the call fails only once."""
FOR_EVER = 10**6
TIMEOUT_S, LATE_S = 1.0, 2.0
"""How long the client of a slow service waits, and how long that service takes, in seconds."""
PATIENT_S = 60.0
"""How long the other clients wait. They get their answers at once, even if the machine is busy."""
ARTISTS = ("Painter A", "Painter B", "Painter C")
WORKS = 2
MAX_CALLS = 200
"""Calls that a refresh may make to a service that fails; more would mean that it retries without end."""
PREFIX = "gallery"

NAMED = {
    "Kaggle": r"Kaggle",
    "images' bucket": r"gs://pictures",
    "tables' bucket": r"gs://tables",
    "Weaviate": r"Weaviate",
}
"""How the message of a refresh that stops names each service."""
REMEDIES = ("try again", "is it running", "check the address", "GALLERY_DATASET=file://")
"""Remedies, one of which the message names."""
NEVER = re.compile(r"Traceback|dagster|site-packages|KGAT_|" + SIGNATURE, re.I)
"""What the message never contains."""


@dataclass(frozen=True)
class Call:
    """A kind of call to a service, by the name that docs/reliability.md gives it."""

    service: str
    name: str
    where: str
    """Its name in the fake server."""


CALLS = (
    Call("Kaggle", "newest version", "GetDataset"),
    Call("Kaggle", "address of the archive", "DownloadDataset"),
    Call("Kaggle", "the archive itself", "storage"),
    Call("images' bucket", "list", "GET  /storage/v1/b/pictures/o?"),
    Call("images' bucket", "look for an object", "GET  /storage/v1/b/pictures/o/"),
    Call("images' bucket", "download", "GET  /download/storage/v1/b/pictures/"),
    Call("images' bucket", "upload", "POST  /upload/storage/v1/b/pictures/"),
    Call("images' bucket", "delete", "DELETE  /storage/v1/b/pictures/"),
    Call("tables' bucket", "list", "GET  /storage/v1/b/tables/o?"),
    Call("tables' bucket", "download", "GET  /download/storage/v1/b/tables/"),
    Call("tables' bucket", "upload", "POST  /upload/storage/v1/b/tables/"),
    Call("tables' bucket", "delete", "DELETE  /storage/v1/b/tables/"),
    Call("Weaviate", "connect: version", "meta"),
    Call("Weaviate", "connect: readiness", "ready"),
    Call("Weaviate", "read a manifest, list builds", "GET schema"),
    Call("Weaviate", "create a build", "POST schema"),
    Call("Weaviate", "write works", "BatchObjects"),
    Call("Weaviate", "search, read works", "Search"),
    Call("Weaviate", "count works", "Aggregate"),
    Call("Weaviate", "seal a build", "PUT schema"),
    Call("Weaviate", "move the alias", "PUT aliases"),
    Call("Weaviate", "read the alias", "GET aliases"),
    Call("Weaviate", "drop a build", "DELETE schema"),
)


@dataclass(frozen=True)
class Outcome:
    """The result of a refresh: its error message, "" if it completed, and how many calls met a fault."""

    message: str
    met: int
    new: bool
    """The new version is live afterwards."""

    @property
    def label(self) -> str:
        """The result in the tables of docs/reliability.md."""
        return ("stops" if self.message else "completes") + (
            ", published" if self.message and self.new else ""
        )


@dataclass
class Kept:
    """A state to return to."""

    home: Path
    buckets: dict[str, dict[str, bytes]]
    collections: dict[str, Any]
    aliases: dict[str, str]


@dataclass
class World:
    """The services, the settings that lead to them, and the state after the first refreshes.

    `tables` says where the pipeline's tables are: in a "bucket", or in a "folder", which is faster and enough
    for faults of other services.
    """

    folder: Path
    kaggle: FakeKaggle
    weaviate: FakeWeaviate
    gcs: str
    """The bucket's server, past the proxy."""
    proxy: Proxy
    patch: pytest.MonkeyPatch
    instance: dg.DagsterInstance
    kept: dict[str, Kept] = field(default_factory=dict)
    tables: str = "folder"
    version: int = 0
    refresh_started: float = 0.0
    slow: str = ""
    """The service that is slow at the moment. Its client waits only TIMEOUT_S."""

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def settings(self) -> Settings:
        tables = f"gs://tables/{PREFIX}" if self.tables == "bucket" else f"file://{self.home / 'tables'}"
        return read_settings(
            home=self.home,
            dataset=f"kaggle://{DATASET}",
            images=f"gs://pictures/{PREFIX}",
            tables=tables,
            vectors=self.weaviate.address,
            encoder="fake",
            workers=2,
        )

    # -- refreshes and versions

    def refresh(self) -> Outcome:
        """Run the pipeline as `gallery refresh` does, in this process."""
        message, self.refresh_started = "", time.time()
        services = Services(self.settings)
        for store in (services.images, services.tables):
            # Where answers come at once, a few retries do.
            if isinstance(store, gcs.GcsObjects) and not self.slow:
                store._policy = gcs_policy(TIMEOUT_S / 2, PATIENT_S)
        try:
            run_refresh(services, lambda _: None, self.instance)
        except GalleryError as error:
            message = str(error)
        met = self.kaggle.met + self.proxy.met + self.weaviate.faults.met
        if hasattr(services.vectors, "close"):
            services.vectors.close()
        return Outcome(message, met, self.live_version() == self.version)

    def publish(self, version: int) -> None:
        """A new version of the dataset on Kaggle, in which each artist's first work is another picture."""
        self.version = version
        path = self.folder / f"version-{version}.zip"
        if not path.exists():
            files = {
                f"{name.replace(' ', '_')}/{name.replace(' ', '_')}_{number}.jpg": picture(
                    place * 100 + number + (1_000 * version if number == 1 else 0)
                )
                for place, name in enumerate(ARTISTS)
                for number in range(1, WORKS + 1)
            }
            write_zip(path, files, artists_csv(list(ARTISTS)))
        self.kaggle.publish(version, path)

    # -- faults

    def fail(self, call: Call, kind: str, times: int = FOR_EVER) -> None:
        """From now on the next `times` calls go wrong in this way."""
        self.slow = call.service if kind == "slow" else ""
        self.set_timeouts()
        if call.service == "Kaggle":
            cut = "cut" if call.where == "storage" else "half"
            how: Any = {"refused": "refuse", "reset": cut, "slow": "stall", "wrong": "page"}.get(
                kind, "status"
            )
            more = {"status": int(kind)} if how == "status" else {}
            self.kaggle.fail(call.where, how, times=times, **more)  # type: ignore[arg-type]
        elif call.service == "Weaviate":
            other = {"refused": "refuse", "wrong": "garbage"}
            self.weaviate.faults.add(call.where, other.get(kind, kind), times, LATE_S)
        else:
            method, path = call.where.split(" ", 1)
            midway = "cut" if method == "GET" else "late"
            damage = {"refused": "reset", "reset": midway, "slow": "slow", "wrong": "page"}.get(kind, "")
            status = 0 if damage else int(kind)
            self.proxy.faults.append(
                Fault(method, path, times, status, message="a fault", damage=damage, seconds=LATE_S)
            )

    def set_timeouts(self) -> None:
        """Let the client of the slow service wait for TIMEOUT_S, and the others for PATIENT_S."""
        kaggle, bucket, vectors = (
            TIMEOUT_S if name in self.slow else PATIENT_S for name in ("Kaggle", "bucket", "Weaviate")
        )
        connection = weaviate.connection.Connection
        self.patch.setattr(retry, "TIMEOUT_S", (kaggle, kaggle))
        self.patch.setattr(
            gcs.connections.CallPolicy,
            "within",
            classmethod(lambda cls, _: gcs_policy(2 * TIMEOUT_S, bucket)),
        )
        self.patch.setattr(weaviate.connection, "WRITE_TIMEOUT_S", vectors)
        self.patch.setattr(
            weaviate.store, "Connection", lambda server, key, _: connection(server, key, vectors)
        )

    def heal(self) -> None:
        """Everything works again."""
        self.slow = ""
        self.set_timeouts()
        self.kaggle.clear()
        self.weaviate.faults.clear()
        self.proxy.faults.clear()
        self.proxy.seen.clear()
        self.proxy.met = 0

    # -- the stored state, read past the faults

    def live_version(self) -> int:
        """The dataset's version that is live. Fails where what is live is not whole."""
        data = self.weaviate.data
        with data.lock:
            held = data.collections[data.aliases["Artwork"]]
            build = from_description(held.config["description"])
            payloads = [json.loads(one.properties["payload"]) for one in held.objects.values()]
        assert build is not None and build.ready, build
        assert len(payloads) == build.works == len(ARTISTS) * WORKS
        shown = {payload["image"][name] for payload in payloads for name in ("original", "large", "small")}
        missing = shown - {key.removeprefix(f"{PREFIX}/") for key in self.objects("pictures")}
        assert not missing, f"live works without their pictures: {sorted(missing)}"
        with zip_digests(self.folder / f"version-{build.version}.zip") as digests:
            assert {payload["sha256"] for payload in payloads} == digests
        return int(build.version)

    def check_search(self) -> None:
        """Every live work is found by its own vector, through a client that meets no fault."""
        services = Services(self.settings, searching=True)
        try:
            live = services.vectors.live()
            assert live is not None
            collection = services.vectors.open(live.name)
            works = collection.works()
            assert collection.count() == len(works) == len(ARTISTS) * WORKS
            rows = collection.vectors([work.id for work in works])
            for work, row in zip(works, rows, strict=True):
                (hit,) = collection.search(row, 1, fingerprint=live.fingerprint)
                assert hit.artwork.id == work.id and hit.score > 0.999
        finally:
            services.vectors.close()  # type: ignore[attr-defined]

    def ready_builds(self) -> int:
        """Return the number of complete builds. Incomplete ones are kept for a day."""
        with self.weaviate.data.lock:
            described = [held.config["description"] for held in self.weaviate.data.collections.values()]
        builds = [from_description(text) for text in described]
        return sum(build is not None and build.ready for build in builds)

    # -- the server of the buckets, past the proxy

    def objects(self, bucket: str) -> dict[str, str]:
        """Names and MD5 digests."""
        with urllib.request.urlopen(f"{self.gcs}/storage/v1/b/{bucket}/o") as answer:
            return {one["name"]: one["md5Hash"] for one in json.load(answer).get("items", ())}

    def _request(self, method: str, path: str, data: bytes | None = None) -> bytes:
        request = urllib.request.Request(
            f"{self.gcs}{path}", data, {"Content-Type": "application/octet-stream"}, method=method
        )
        with urllib.request.urlopen(request) as answer:
            body: bytes = answer.read()
            return body

    # -- states

    def keep(self) -> None:
        """Remember the state as it is now, for `restore`."""
        home = self.folder / f"kept-{self.tables}"
        shutil.copytree(self.home, home)
        buckets = {
            bucket: {
                name: self._request("GET", f"/storage/v1/b/{bucket}/o/{quote(name, safe='')}?alt=media")
                for name in self.objects(bucket)
            }
            for bucket in ("pictures", "tables")
        }
        data = self.weaviate.data
        self.kept[self.tables] = Kept(
            home, buckets, copy.deepcopy(data.collections), copy.deepcopy(data.aliases)
        )

    def restore(self, tables: str) -> None:
        """Go back to the state after the first refreshes."""
        self.heal()
        self.tables = tables
        kept = self.kept[tables]
        shutil.rmtree(self.home)
        shutil.copytree(kept.home, self.home)
        for bucket, wanted in kept.buckets.items():
            held = self.objects(bucket)
            for name in held.keys() - wanted.keys():
                self._request("DELETE", f"/storage/v1/b/{bucket}/o/{quote(name, safe='')}")
            for name, data in wanted.items():
                if held.get(name) != b64encode(hashlib.md5(data).digest()).decode():
                    target = f"/upload/storage/v1/b/{bucket}/o?uploadType=media&name={quote(name, safe='')}"
                    self._request("POST", target, data)
        with self.weaviate.data.lock:
            self.weaviate.data.collections = copy.deepcopy(kept.collections)
            self.weaviate.data.aliases = copy.deepcopy(kept.aliases)

    def _forget(self) -> None:
        shutil.rmtree(self.home, ignore_errors=True)
        for bucket in ("pictures", "tables"):
            for name in self.objects(bucket):
                self._request("DELETE", f"/storage/v1/b/{bucket}/o/{quote(name, safe='')}")
        self.weaviate.data.collections, self.weaviate.data.aliases = {}, {}

    def begin(self, *places: str) -> None:
        """Refresh versions 1 and 2, so that the next refresh drops a build, for each place of the tables."""
        for tables in places:
            self._forget()
            self.tables = tables
            for version in (1, 2):
                self.publish(version)
                first = self.refresh()
                assert not first.message, first.message
            self.keep()


@contextmanager
def zip_digests(path: Path) -> Iterator[set[str]]:
    """The SHA-256 of every picture in the archive."""
    with closing(zipfile.ZipFile(path)) as archive:
        names = [name for name in archive.namelist() if name.endswith(".jpg")]
        yield {hashlib.sha256(archive.read(name)).hexdigest() for name in names}


@contextmanager
def world(folder: Path, *places: str) -> Iterator[World]:
    """Run the services, with a live collection and short time limits; `places` are those of the tables."""
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        hurry(patch)
        direct = stack.enter_context(fake_gcs())
        for bucket in ("pictures", "tables"):
            create_bucket(direct, bucket)
        between = stack.enter_context(proxy(direct))
        kaggle = stack.enter_context(FakeKaggle(port=0))
        kaggle.redirect_sdk(patch)
        server = stack.enter_context(FakeWeaviate())
        instance = stack.enter_context(dg.DagsterInstance.ephemeral())
        for name, value in {
            "STORAGE_EMULATOR_HOST": between.endpoint,
            "KAGGLE_API_TOKEN": "KGAT_token",
            "KAGGLE_API_ENVIRONMENT": "TEST",
            "KAGGLE_CONFIG_DIR": str(folder / "kaggle"),
            "NO_PROXY": "127.0.0.1,localhost",
            "no_proxy": "127.0.0.1,localhost",
        }.items():
            patch.setenv(name, value)
        patch.delenv("DAGSTER_HOME", raising=False)
        patch.chdir(folder)
        made = World(folder, kaggle, server, direct, between, patch, instance)
        # Each refresh stands for a process of its own, which has ended when the next one starts.
        patch.setattr(lock, "owner_died", lambda record: record.acquired_at < made.refresh_started)
        made.set_timeouts()
        made.begin(*places)
        yield made


def hurry(patch: pytest.MonkeyPatch) -> None:
    """Shorten all waits and time limits of the clients and the pipeline, and retry once."""
    soon = (0.01,)
    patch.setattr(steps, "RETRY_POLICY", dg.RetryPolicy(max_retries=1, delay=0.01))
    patch.setattr(retry, "RETRY_DELAYS_S", soon)
    patch.setattr(weaviate.collection, "RETRY_PAUSES_S", soon)
    patch.setattr(weaviate.connection, "RECONNECT_PAUSE_S", 0.0)


def gcs_policy(retries_s: float, timeout_s: float) -> gcs.connections.CallPolicy:
    """Retry calls to a bucket for so long, and wait for each answer for so long."""
    soon = gcs.connections.DEFAULT_RETRY.with_delay(initial=0.01, maximum=0.1, multiplier=2.0)
    return gcs.connections.CallPolicy(soon.with_timeout(retries_s), (timeout_s, timeout_s))


def failing_refreshes(made: World, call: Call) -> dict[str, Outcome]:
    """Refresh once for each kind of fault, while every such call fails, and return the outcomes by kind.

    After each, the live collection is complete and can be searched, past the faults. Where the kind is two
    statuses, every other call meets the second one.
    """
    outcomes: dict[str, Outcome] = {}
    for kind in KINDS:
        made.restore("bucket" if call.service == "tables' bucket" else "folder")
        made.publish(3)
        made.fail(call, _statuses(kind)[CALLS.index(call) % 2])
        outcomes[kind] = made.refresh()
        made.heal()
        made.check_search()
    return outcomes


def refresh_with_single_faults(made: World, calls: Sequence[Call], kind: str) -> Outcome:
    """Refresh while the first of each of these calls to a service fails, and return the outcome."""
    made.restore("bucket" if calls[0].service == "tables' bucket" else "folder")
    made.publish(3)
    with pytest.MonkeyPatch.context() as patch:
        # Several of the calls may be made in one step.
        patch.setattr(steps, "RETRY_POLICY", dg.RetryPolicy(max_retries=len(calls), delay=0.01))
        for call in calls:
            made.fail(call, _statuses(kind)[1 - CALLS.index(call) % 2], times=1)
        outcome = made.refresh()
    made.heal()
    made.check_search()
    return outcome


def _statuses(kind: str) -> tuple[str, str]:
    return STATUSES if kind == ", ".join(STATUSES) else (kind, kind)


def check_failing(made: World, call: Call) -> None:
    """Check a row of the tables in docs/reliability.md: messages, calls, and that the next run repairs."""
    for kind, outcome in failing_refreshes(made, call).items():
        assert outcome.met, f"{kind}: the call was never made"
        check_outcome(call.service, outcome)
        assert outcome.label == documented()[call, kind].removesuffix(EVEN_ONCE), kind
    repaired = made.refresh()
    assert not repaired.message and repaired.new
    assert made.ready_builds() <= made.settings.keep_builds or call.name == "drop a build"


def check_single_faults(made: World, service: str, kind: str) -> None:
    """Check that a refresh completes although every call to the service fails once.

    The calls marked "even once" in docs/reliability.md are checked alone: each stops the refresh.
    """
    calls = [call for call in CALLS if call.service == service]
    stopping = [call for call in calls if documented()[call, kind].endswith(EVEN_ONCE)]
    enduring = [call for call in calls if call not in stopping]
    if enduring:
        outcome = refresh_with_single_faults(made, enduring, kind)
        assert not outcome.message and outcome.new and outcome.met == len(enduring), outcome
    for call in stopping:
        outcome = refresh_with_single_faults(made, [call], kind)
        assert outcome.message
        check_outcome(service, outcome)
        repaired = made.refresh()
        assert not repaired.message and repaired.new


def check_outcome(service: str, outcome: Outcome) -> None:
    """Check that the message names the service and a remedy, and that the number of retries is bounded."""
    assert outcome.met <= MAX_CALLS
    if outcome.message:
        assert re.search(NAMED[service], outcome.message), outcome.message
        assert any(remedy in outcome.message for remedy in REMEDIES), outcome.message
        assert not NEVER.search(outcome.message), outcome.message


def tables(cells: dict[tuple[Call, str], str]) -> str:
    """Return the tables as Markdown, one for each service."""
    lines = []
    for service in dict.fromkeys(call.service for call in CALLS):
        lines += ["", f"| {service} | {' | '.join(KINDS)} |", "| --- " * (len(KINDS) + 1) + "|"]
        for call in CALLS:
            if call.service == service:
                lines.append(f"| {call.name} | {' | '.join(cells[call, kind] for kind in KINDS)} |")
    return "\n".join([*lines, ""])


def documented() -> dict[tuple[Call, str], str]:
    """Return the cells of the tables in docs/reliability.md."""
    service, cells = "", {}
    for line in PAGE.read_text("utf-8").partition(BEGIN)[2].partition(END)[0].splitlines():
        name, *told = [part.strip() for part in line.strip("|").split("|")]
        if told == list(KINDS):
            service = name
        for call in CALLS:
            if (call.service, call.name) == (service, name):
                cells |= {(call, kind): text for kind, text in zip(KINDS, told, strict=True)}
    return cells


def main() -> None:
    """Write what happens into the tables, and print each message."""
    cells = {}
    with tempfile.TemporaryDirectory() as folder, world(Path(folder), "folder", "bucket") as made:
        for call in CALLS:
            for kind, outcome in failing_refreshes(made, call).items():
                once = refresh_with_single_faults(made, [call], kind)
                cells[call, kind] = outcome.label + (EVEN_ONCE if once.message else "")
                print(f"{call.service}: {call.name}: {kind}: {cells[call, kind]}")
                print(f"  {outcome.message}\n  {once.message}", flush=True)
    page = PAGE.read_text("utf-8")
    before, after = page.partition(BEGIN)[0], page.partition(END)[2]
    PAGE.write_text(before + BEGIN + "\n" + tables(cells) + END + after, "utf-8")


if __name__ == "__main__":
    main()
