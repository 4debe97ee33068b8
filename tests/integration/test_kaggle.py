"""The Kaggle adapter: the real SDK against a fake server on the port of the SDK's TEST environment."""

from __future__ import annotations

import base64
import logging
import os
import resource
import subprocess
import sys
import traceback
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gallery.datasets.base import DATASETS, no_progress
from gallery.datasets.kaggle import KaggleDataset, cache, client, credentials, download, retry
from gallery.errors import GalleryError, Invalid, Unavailable
from gallery.services import Services
from gallery.settings import Settings
from pipelines.defs.catalog.archive import fetch_listed
from pipelines.records import DatasetRecord
from tests.fakes.archives import artists_csv, write_zip
from tests.fakes.kaggle import DATASET, SIGNATURE, FakeKaggle, Place
from tests.fakes.processes import HANG_GUARD_S

TOKEN = "KGAT_pl4nted-t0ken"
PAIR = ("planted-user", "pl4nted-k3y")
ADDRESS = f"kaggle://{DATASET}"
ALTERNATIVE = "GALLERY_DATASET=file://"

Open = Callable[..., KaggleDataset]


@pytest.fixture(autouse=True)
def person(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Set up an account of the test's own, and short pauses between attempts. Return the home folder."""
    for name in list(os.environ):
        if name.startswith("KAGGLE_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    (tmp_path / "person").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "person"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("KAGGLE_API_ENVIRONMENT", "TEST")
    monkeypatch.setenv("KAGGLE_API_TOKEN", TOKEN)
    monkeypatch.setattr(retry, "RETRY_DELAYS_S", (0.01, 0.01, 0.01))
    monkeypatch.setattr(retry, "TIMEOUT_S", (HANG_GUARD_S, HANG_GUARD_S))
    return tmp_path / "person"


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """Two versions of about 4 MB, of bytes that do not compress."""
    root = tmp_path_factory.mktemp("archives")
    made = {}
    for version in (1, 2):
        files = {f"Ann_Ax/Ann_Ax_{place}.jpg": os.urandom(400_000) for place in range(8 + version)}
        made[version] = write_zip(root / f"{version}.zip", files, artists_csv(["Ann Ax"]))
    return made


@pytest.fixture
def kaggle(archives: dict[int, Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeKaggle]:
    with FakeKaggle(port=0, token=TOKEN, pair=PAIR) as fake:
        fake.redirect_sdk(monkeypatch)
        fake.publish(1, archives[1])
        yield fake


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def opened(home: Path) -> Open:
    """Return a function that opens the dataset as a new process does."""

    def make(options: str = "") -> KaggleDataset:
        dataset = DATASETS.open(ADDRESS + options, home=home)
        assert isinstance(dataset, KaggleDataset)
        return dataset

    return make


def fetched(dataset: KaggleDataset, progress: Callable[[str], None] = no_progress) -> int:
    """Fetch; return the number of files in the archive."""
    archive = dataset.fetch(progress)
    try:
        return len(archive.entries())
    finally:
        archive.close()


def folder(home: Path) -> Path:
    return home / "kaggle" / DATASET


def files(home: Path) -> set[str]:
    """The names of the files in the dataset's folder, without the lock."""
    return {path.name for path in folder(home).iterdir()} - {"lock"}


def complete(version: int) -> set[str]:
    return {f"version-{version}.zip", f"version-{version}.verified.json"}


# Versions


def test_the_version_is_read_without_a_download(kaggle: FakeKaggle, opened: Open, home: Path) -> None:
    assert opened().version() == "1"
    assert [seen.place for seen in kaggle.seen] == ["GetDataset"]
    assert not home.exists()


def test_a_fetched_archive_is_what_kaggle_has(
    kaggle: FakeKaggle, opened: Open, home: Path, archives: dict[int, Path]
) -> None:
    lines: list[str] = []
    dataset = opened()
    dataset.version()
    assert fetched(dataset, lines.append) == 10
    assert (folder(home) / "version-1.zip").read_bytes() == archives[1].read_bytes()
    assert files(home) == complete(1)
    assert [seen.version for seen in kaggle.at("DownloadDataset")] == [1]
    assert lines == ["downloading 3.60MB", f"downloaded and verified version 1 of {ADDRESS}"]


def test_nothing_is_downloaded_or_checked_twice(kaggle: FakeKaggle, opened: Open) -> None:
    fetched(opened())
    lines: list[str] = []
    assert fetched(opened(), lines.append) == 10
    assert len(kaggle.at("storage")) == 1 and lines == []


def test_a_dataset_fetches_the_version_that_it_returned(
    kaggle: FakeKaggle, opened: Open, archives: dict[int, Path]
) -> None:
    dataset = opened()
    dataset.version()
    kaggle.publish(2, archives[2])
    assert fetched(dataset) == 10
    assert dataset.version() == "2" and fetched(dataset) == 11


def test_every_step_of_a_run_reads_the_version_that_was_listed(
    kaggle: FakeKaggle,
    home: Path,
    archives: dict[int, Path],
    settings_with: Callable[..., Settings],
) -> None:
    settings = settings_with(dataset=ADDRESS, home=home)
    listing = Services(settings)
    DatasetRecord(address=ADDRESS, version=listing.dataset.version(), generated=False).save(listing.tables)
    kaggle.publish(2, archives[2])
    for _ in range(2):
        with closing(fetch_listed(Services(settings))) as archive:  # as a step in another process
            assert len(archive.entries()) == 10
    assert [seen.place for seen in kaggle.seen] == ["GetDataset", "DownloadDataset", "storage"]


def test_a_pinned_version_is_fetched_although_there_is_a_newer_one(
    kaggle: FakeKaggle, opened: Open, archives: dict[int, Path]
) -> None:
    kaggle.publish(2, archives[2])
    dataset = opened("?version=1")
    assert dataset.version() == "1" and fetched(dataset) == 10
    with pytest.raises(Invalid, match="does not exist yet; the newest version is 2"):
        opened("?version=3").version()


def test_a_new_version_replaces_the_old_one_only_once_it_is_verified(
    kaggle: FakeKaggle, opened: Open, home: Path, archives: dict[int, Path]
) -> None:
    fetched(opened())
    kaggle.publish(2, archives[2])
    kaggle.fail("storage", "damage", times=2)
    with pytest.raises(Invalid, match="was damaged in two downloads") as caught:
        fetched(opened())
    assert str(folder(home) / "version-1.zip") in str(caught.value)
    assert complete(1) <= files(home)
    assert fetched(opened()) == 11
    assert files(home) == complete(2)


def test_an_archive_of_another_layout_does_not_replace_the_last_good_one(
    kaggle: FakeKaggle, opened: Open, home: Path, tmp_path: Path
) -> None:
    fetched(opened())
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("readme.txt", "moved")
    kaggle.publish(2, tmp_path / "other.zip")
    for _ in range(2):
        with pytest.raises(Invalid, match=r"artists\.csv"):
            fetched(opened())
    assert files(home) == complete(1) | complete(2)
    assert len(kaggle.at("storage")) == 2, "a wrong layout is no reason to download again"


def test_a_truncated_archive_is_fetched_again(kaggle: FakeKaggle, opened: Open, home: Path) -> None:
    fetched(opened())
    os.truncate(folder(home) / "version-1.zip", 1_000_000)
    lines: list[str] = []
    assert fetched(opened(), lines.append) == 10
    assert "will be replaced" in lines[1] and len(kaggle.at("storage")) == 2


def test_an_archive_that_was_only_touched_is_checked_and_kept(
    kaggle: FakeKaggle, opened: Open, home: Path
) -> None:
    fetched(opened())
    os.utime(folder(home) / "version-1.zip", (1, 1))
    lines: list[str] = []
    assert fetched(opened(), lines.append) == 10
    assert len(lines) == 1 and "checking" in lines[0]
    (folder(home) / "version-1.verified.json").write_text("{")
    assert fetched(opened()) == 10
    assert len(kaggle.at("storage")) == 1


# Interrupted downloads


def test_after_a_cut_only_the_rest_is_sent(
    kaggle: FakeKaggle, opened: Open, archives: dict[int, Path]
) -> None:
    kaggle.fail("storage", "cut", at=0.4)
    lines: list[str] = []
    assert fetched(opened(), lines.append) == 10
    size = archives[1].stat().st_size
    first, second = kaggle.at("storage")
    assert first.range is None and first.sent == int(size * 0.4)
    assert second.range and second.sent == size - int(second.range[6:-1])
    assert size - first.sent <= second.sent < size - first.sent + 2 * client.CHUNK_BYTES
    assert "was cut" in lines[1] and "trying again" in lines[1] and lines[2].startswith("resuming")


def test_a_failed_download_is_resumed_by_the_next_fetch(kaggle: FakeKaggle, opened: Open, home: Path) -> None:
    kaggle.fail("storage", "cut", at=0.4)
    kaggle.fail("storage", "status", status=503, times=3)
    with pytest.raises(Unavailable, match=r"storage has a problem.*503.*partial download is kept"):
        fetched(opened())
    assert files(home) == {"version-1.zip.part", "version-1.part.json"}
    kaggle.seen.clear()
    assert fetched(opened()) == 10
    (seen,) = kaggle.at("storage")
    assert seen.range and seen.sent < 2_500_000
    assert files(home) == complete(1)


def test_a_killed_process_leaves_a_download_that_can_be_resumed(
    kaggle: FakeKaggle, opened: Open, home: Path
) -> None:
    kaggle.fail("storage", "stall", at=0.6)
    code = (
        "from pathlib import Path; from gallery.datasets.base import DATASETS; "
        "from gallery.datasets.kaggle import progress; progress.REPORT_INTERVAL_S = 0; "
        "from kagglesdk import kaggle_env; "
        f"kaggle_env._env_to_endpoint[kaggle_env.KaggleEnv.TEST] = 'http://localhost:{kaggle.port}'; "
        f"DATASETS.open({ADDRESS!r}, home=Path({str(home)!r})).fetch(lambda line: print(line, flush=True))"
    )
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout and any(" of " in line for line in child.stdout)  # something is on the disk
    finally:
        child.kill()
        child.communicate()
    assert fetched(opened()) == 10
    assert kaggle.at("storage")[-1].range


def test_cuts_after_much_data_do_not_count_as_failures(
    kaggle: FakeKaggle, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "RETRY_RESET_BYTES", 100_000)
    for share in range(1, 9):
        kaggle.fail("storage", "cut", at=share / 10)
    assert fetched(opened()) == 10
    assert len(kaggle.at("storage")) == 9


def test_a_changed_archive_is_downloaded_from_the_start(
    kaggle: FakeKaggle, opened: Open, home: Path, archives: dict[int, Path]
) -> None:
    kaggle.fail("storage", "cut", times=4, at=0.4)
    with pytest.raises(Unavailable, match="was cut"):
        fetched(opened())
    kaggle.publish(1, archives[2])
    lines: list[str] = []
    assert fetched(opened(), lines.append) == 11
    assert kaggle.at("storage")[-1].sent == archives[2].stat().st_size
    assert "has changed since the download began" in lines[0]
    assert (folder(home) / "version-1.zip").read_bytes() == archives[2].read_bytes()


@pytest.mark.parametrize("how", ["other-range", "status"])
def test_without_the_requested_range_the_download_starts_over(
    how: str, kaggle: FakeKaggle, opened: Open
) -> None:
    kaggle.fail("storage", "cut", at=0.4)
    kaggle.fail("storage", how, status=416)  # type: ignore[arg-type]
    assert fetched(opened()) == 10
    assert [bool(seen.range) for seen in kaggle.at("storage")] == [False, True, False]


def test_an_archive_of_unknown_length_is_fetched(kaggle: FakeKaggle, opened: Open) -> None:
    kaggle.fail("storage", "unsized")
    lines: list[str] = []
    assert fetched(opened(), lines.append) == 10
    assert lines[0] == "downloading an archive of unknown size"


def test_a_complete_partial_download_is_only_checked(kaggle: FakeKaggle, opened: Open, home: Path) -> None:
    fetched(opened())
    archive = cache.ArchiveCache(folder(home))
    archive.archive_path(1).rename(archive.partial_path(1))
    archive.set_partial(1, cache.PartialDownload('"x"', archive.partial_size(1)))
    assert fetched(opened()) == 10
    assert len(kaggle.at("storage")) == 1


def test_memory_does_not_grow_with_the_archive(kaggle: FakeKaggle, opened: Open, tmp_path: Path) -> None:
    peaks = []
    for version, megabytes in ((2, 8), (3, 64)):
        image = os.urandom(1 << 20)
        content = {f"Ann_Ax/Ann_Ax_{place}.jpg": image for place in range(megabytes)}
        kaggle.publish(version, write_zip(tmp_path / "large.zip", content, artists_csv(["Ann Ax"])))
        tracemalloc.start()
        fetched(opened())
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + (1 << 20)


# Damage


def test_a_damaged_download_is_repeated_from_the_start(kaggle: FakeKaggle, opened: Open) -> None:
    kaggle.fail("storage", "damage")
    lines: list[str] = []
    assert fetched(opened(), lines.append) == 10
    assert [seen.range for seen in kaggle.at("storage")] == [None, None]
    assert "is damaged (wrong checksum of images/images/Ann_Ax/Ann_Ax_" in lines[1]


def test_a_second_damaged_download_is_kept_for_inspection_and_not_resumed(
    kaggle: FakeKaggle, opened: Open, home: Path
) -> None:
    kaggle.fail("storage", "damage", times=2)
    with pytest.raises(Invalid, match="was damaged in two downloads") as caught:
        fetched(opened())
    assert str(folder(home) / "version-1.zip.part") in str(caught.value)
    assert files(home) == {"version-1.zip.part"}
    assert fetched(opened()) == 10
    assert kaggle.at("storage")[-1].range is None


def test_a_truncated_zip_of_the_announced_length_is_damaged(
    kaggle: FakeKaggle, opened: Open, archives: dict[int, Path], tmp_path: Path
) -> None:
    (tmp_path / "half.zip").write_bytes(archives[1].read_bytes()[:2_000_000])
    kaggle.publish(1, tmp_path / "half.zip")
    with pytest.raises(Invalid, match="File is not a zip file"):
        fetched(opened())


@pytest.mark.parametrize("place", ["GetDataset", "DownloadDataset", "storage"])
def test_a_web_page_overwrites_nothing(place: Place, kaggle: FakeKaggle, opened: Open, home: Path) -> None:
    kaggle.fail("storage", "cut", at=0.4, times=4)
    with pytest.raises(Unavailable):
        fetched(opened())
    before = (folder(home) / "version-1.zip.part").read_bytes()
    kaggle.fail(place, "page")
    with pytest.raises(Unavailable, match=r"a proxy's page or a login page"):
        fetched(opened())
    assert (folder(home) / "version-1.zip.part").read_bytes() == before
    assert fetched(opened()) == 10


# The disk


def test_a_disk_that_is_too_small_is_reported_before_anything_is_written(
    kaggle: FakeKaggle, opened: Open, home: Path
) -> None:
    kaggle.fail("storage", "huge", length=10**16)
    with pytest.raises(Invalid, match=r"free; the download needs 10\.0PB.*GALLERY_HOME"):
        fetched(opened())
    assert files(home) == set()


def test_a_resumed_download_needs_space_for_the_rest_only(
    kaggle: FakeKaggle, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    kaggle.fail("storage", "cut", at=0.9, times=4)
    with pytest.raises(Unavailable):
        fetched(opened())
    checks: list[tuple[int, int]] = []
    monkeypatch.setattr(
        download, "_check_disk_space", lambda _, needed, freed: checks.append((needed, freed))
    )
    fetched(opened())
    ((needed, freed),) = checks
    assert needed < 500_000 and freed == 0


def test_bytes_written_before_the_disk_was_full_are_kept(
    kaggle: FakeKaggle, opened: Open, home: Path
) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, before[1]))
    try:
        with pytest.raises(Invalid, match=r"cannot write .*version-1\.zip\.part \(File too large\).*is kept"):
            fetched(opened())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert (folder(home) / "version-1.zip.part").stat().st_size == 1_500_000
    assert fetched(opened()) == 10
    assert kaggle.at("storage")[-1].range == "bytes=1500000-"


# Refusals and failures


@pytest.mark.parametrize("place", ["GetDataset", "DownloadDataset"])
@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_a_refusal_is_not_tried_again(place: Place, status: int, kaggle: FakeKaggle, opened: Open) -> None:
    kaggle.fail(place, "status", status=status, times=9)
    with pytest.raises(Invalid, match=str(status)):
        fetched(opened())
    assert len(kaggle.at(place)) == 1


def test_a_key_pair_is_accepted(kaggle: FakeKaggle, opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KAGGLE_API_TOKEN")
    monkeypatch.setenv("KAGGLE_USERNAME", PAIR[0])
    monkeypatch.setenv("KAGGLE_KEY", PAIR[1])
    assert fetched(opened()) == 10


@pytest.mark.parametrize("place", ["GetDataset", "DownloadDataset", "storage"])
@pytest.mark.parametrize("how", ["status", "cut"])
def test_a_transient_failure_is_retried(place: Place, how: str, kaggle: FakeKaggle, opened: Open) -> None:
    kaggle.fail(place, how, status=503, times=3)  # type: ignore[arg-type]
    assert fetched(opened()) == 10


def test_a_failure_that_stays_is_unavailable(kaggle: FakeKaggle, opened: Open) -> None:
    kaggle.fail("GetDataset", "status", status=503, times=99)
    with pytest.raises(Unavailable, match=r"Kaggle has a problem .*503"):
        opened().version()
    assert len(kaggle.seen) == 4


def test_after_a_refused_signature_a_new_one_is_requested(kaggle: FakeKaggle, opened: Open) -> None:
    kaggle.fail("storage", "status", status=403)
    assert fetched(opened()) == 10
    assert len(kaggle.at("DownloadDataset")) == 2


@pytest.mark.parametrize("place", ["GetDataset", "DownloadDataset", "storage"])
def test_a_silent_server_is_given_up(
    place: Place, kaggle: FakeKaggle, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry, "RETRY_DELAYS_S", (0.01,))
    kaggle.fail(place, "stall", times=2, at=0.4)
    with monkeypatch.context() as patch, pytest.raises(Unavailable, match=r"did not answer within 0\.5 s"):
        patch.setattr(retry, "TIMEOUT_S", (HANG_GUARD_S, 0.5))
        fetched(opened())
    assert fetched(opened()) == 10


# Without Kaggle


def test_an_unreachable_server_is_unavailable_with_the_reason(opened: Open) -> None:
    with pytest.raises(Unavailable, match=r"cannot reach Kaggle \(Connection refused") as caught:
        opened().version()
    assert ALTERNATIVE not in str(caught.value)


@pytest.mark.parametrize("options", ["", "?version=1"])
@pytest.mark.parametrize("method", ["version", "fetch"])
def test_a_cached_archive_is_named_but_not_used_unasked(
    options: str,
    method: str,
    opened: Open,
    home: Path,
    archives: dict[int, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with FakeKaggle(port=0) as kaggle:
        kaggle.redirect_sdk(monkeypatch)
        kaggle.publish(1, archives[1])
        fetched(opened())
    with pytest.raises(Unavailable) as caught:
        getattr(opened(options), method)()
    path = str(caught.value).partition(ALTERNATIVE)[2].split()[0]
    archive = DATASETS.open(f"file://{path}", home=home).fetch()
    assert len(archive.entries()) == 10
    archive.close()


def test_an_unreachable_proxy_is_reported_without_its_password(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://me:pl4nted-pr0xy@127.0.0.1:9")
    with pytest.raises(Unavailable, match="the proxy in HTTPS_PROXY or HTTP_PROXY") as caught:
        opened().version()
    assert "pl4nted-pr0xy" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("name", ["MOON", "STAGING"])
def test_an_unusable_environment_is_reported(
    name: str, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAGGLE_API_ENVIRONMENT", name)
    with pytest.raises(Invalid, match="KAGGLE_API_ENVIRONMENT is not usable"):
        opened().version()


# Secrets

FAILURES: dict[str, Callable[[FakeKaggle], None]] = {
    "401": lambda kaggle: kaggle.fail("GetDataset", "status", status=401),
    "storage 403": lambda kaggle: kaggle.fail("storage", "status", status=403, times=9),
    "storage 418": lambda kaggle: kaggle.fail("storage", "status", status=418, times=9),
    "storage cut": lambda kaggle: kaggle.fail("storage", "cut", times=9),
    "storage stall": lambda kaggle: kaggle.fail("storage", "stall", times=9),
    "page": lambda kaggle: kaggle.fail("storage", "page"),
    "damage": lambda kaggle: kaggle.fail("storage", "damage", times=2),
}


@pytest.mark.parametrize(("kind", "failure"), [*(("token", name) for name in FAILURES), ("pair", "401")])
def test_no_secret_is_in_a_log_line_message_or_traceback(
    kind: str,
    failure: str,
    kaggle: FakeKaggle,
    opened: Open,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if kind == "pair":
        monkeypatch.delenv("KAGGLE_API_TOKEN")
        monkeypatch.setenv("KAGGLE_USERNAME", PAIR[0])
        monkeypatch.setenv("KAGGLE_KEY", PAIR[1])
    monkeypatch.setattr(retry, "RETRY_DELAYS_S", (0.01,))
    if failure == "storage stall":
        monkeypatch.setattr(retry, "TIMEOUT_S", (HANG_GUARD_S, 0.5))
    caplog.set_level(logging.DEBUG)
    caplog.set_level(
        logging.DEBUG, "urllib3"
    )  # whose level the Kubernetes client sets, once it has been imported
    dataset = opened()
    texts: list[str] = []
    FAILURES[failure](kaggle)
    with pytest.raises(GalleryError) as caught:
        fetched(dataset, texts.append)
    error: BaseException | None = caught.value
    while error is not None:  # the whole chain, shown in a traceback or not
        texts += [*traceback.format_exception(error), repr(error), repr(vars(error))]
        error = error.__cause__ or error.__context__
    assert "/api/v1/datasets" in caplog.text, "requests are logged, so the check below means something"
    out, err = capsys.readouterr()
    texts += [caplog.text, repr(vars(dataset)), dataset.address, repr(credentials.find_credentials())]
    basic = base64.b64encode(":".join(PAIR).encode()).decode()
    for secret in (TOKEN, PAIR[1], basic, SIGNATURE):
        assert not any(secret in text for text in texts)
    assert out == "" and err == ""


def test_nothing_is_printed_asked_or_created_where_kaggles_client_would(
    person: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a process without credentials or a terminal."""
    monkeypatch.delenv("KAGGLE_API_TOKEN")
    code = (
        "from pathlib import Path\n"
        "from gallery.datasets.base import DATASETS\n"
        "from gallery.errors import Invalid\n"
        f"try: DATASETS.open({ADDRESS!r}, home=Path('unused')).version()\n"
        "except Invalid: print('refused')"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "refused\n", "")
    assert list(person.iterdir()) == []
