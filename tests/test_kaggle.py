"""The Kaggle dataset: the real client against a server of ours, at the port of the client's TEST environment."""

from __future__ import annotations

import base64
import gc
import json
import logging
import os
import resource
import ssl
import subprocess
import sys
import threading
import time
import traceback
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from email.utils import formatdate
from pathlib import Path

import pytest
import requests

from gallery.datasets.base import DATASETS, no_progress
from gallery.datasets.kaggle import (
    KaggleDataset,
    credentials,
    download,
    patience,
    progress,
    refusals,
    service,
    shelf,
)
from gallery.errors import GalleryError, Invalid, Unavailable
from tests.fakes.archives import artists_csv, write_zip
from tests.fakes.kaggle import DATASET, PORT, SIGNATURE, KaggleStandin, Place

TOKEN = "KGAT_pl4nted-t0ken"
PAIR = ("planted-user", "pl4nted-k3y")
ADDRESS = f"kaggle://{DATASET}"
COPY = "GALLERY_DATASET=file://"

Open = Callable[..., KaggleDataset]


@pytest.fixture(autouse=True)
def _account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An account of the test's, nobody's real one, and patience for a test."""
    for name in list(os.environ):
        if name.startswith("KAGGLE_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "person"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("KAGGLE_API_ENVIRONMENT", "TEST")
    monkeypatch.setenv("KAGGLE_API_TOKEN", TOKEN)
    monkeypatch.setattr(patience, "PAUSES_S", (0.01, 0.01, 0.01))
    monkeypatch.setattr(patience, "TIMEOUT_S", (2.0, 0.3))


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """Two versions of about 4 MB, of bytes that do not pack."""
    folder = tmp_path_factory.mktemp("archives")
    made = {}
    for version in (1, 2):
        files = {f"Ann_Ax/Ann_Ax_{place}.jpg": os.urandom(400_000) for place in range(8 + version)}
        made[version] = write_zip(folder / f"{version}.zip", files, artists_csv(["Ann Ax"]))
    return made


@pytest.fixture
def kaggle(archives: dict[int, Path]) -> Iterator[KaggleStandin]:
    with KaggleStandin(token=TOKEN, pair=PAIR) as standin:
        standin.publish(1, archives[1])
        yield standin


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def opened(home: Path) -> Open:
    """Opens the dataset; each time as another process would, knowing nothing but what is in the home."""

    def make(options: str = "") -> KaggleDataset:
        dataset = DATASETS.open(ADDRESS + options, home=home)
        assert isinstance(dataset, KaggleDataset)
        return dataset

    return make


def fetched(dataset: KaggleDataset, progress: Callable[[str], None] = no_progress) -> int:
    """Fetches; the number of files in the archive."""
    archive = dataset.fetch(progress)
    try:
        return len(archive.entries())
    finally:
        archive.close()


def folder(home: Path) -> Path:
    return home / "kaggle" / DATASET


def kept(home: Path) -> set[str]:
    """What lies in the dataset's folder, but for the lock."""
    return {path.name for path in folder(home).iterdir()} - {"lock"}


def whole(version: int) -> set[str]:
    return {f"version-{version}.zip", f"version-{version}.verified.json"}


# Addresses


@pytest.mark.parametrize(
    "location",
    [
        "",
        "owner",
        "owner/",
        "/name",
        "owner/name/3",
        "owner/na me",
        "owner/näme",
        "owner/..",
        "../name",
        "-o/name",
    ],
)
def test_an_address_is_exactly_owner_and_name(location: str, home: Path) -> None:
    with pytest.raises(Invalid, match="is not kaggle://owner/name"):
        DATASETS.open(f"kaggle://{location}", home=home)
    assert not home.exists()


def test_secrets_in_an_address_are_refused_and_not_repeated(home: Path) -> None:
    for address in (f"kaggle://me:{TOKEN}@o/n", f"kaggle://{TOKEN}@o/n", f"kaggle://o/n?key={TOKEN}"):
        with pytest.raises(Invalid) as caught:
            DATASETS.open(address, home=home)
        assert TOKEN not in str(caught.value)


@pytest.mark.parametrize("version", ["0", "-1", "latest", "1.5", ""])
def test_a_pinned_version_is_a_number_from_one(version: str, home: Path) -> None:
    with pytest.raises(Invalid, match="version must be a whole number from 1"):
        DATASETS.open(f"{ADDRESS}?version={version}", home=home)


def test_opening_asks_nothing_and_writes_nothing(opened: Open, home: Path) -> None:
    dataset = opened("?version=3")
    assert dataset.address == f"{ADDRESS}?version=3" and not dataset.generated
    assert not home.exists()


# Versions and what is fetched


def test_the_version_is_asked_for_without_a_download(kaggle: KaggleStandin, opened: Open, home: Path) -> None:
    assert opened().version() == "1"
    assert [seen.place for seen in kaggle.seen] == ["GetDataset"]
    assert not home.exists()


def test_a_fetched_archive_is_what_kaggle_holds(
    kaggle: KaggleStandin, opened: Open, home: Path, archives: dict[int, Path]
) -> None:
    said: list[str] = []
    dataset = opened()
    dataset.version()
    assert fetched(dataset, said.append) == 10
    assert (folder(home) / "version-1.zip").read_bytes() == archives[1].read_bytes()
    assert kept(home) == whole(1)
    assert [seen.version for seen in kaggle.at("DownloadDataset")] == [1], "just the version that was told"
    assert said == ["downloading 3.6 MB", f"version 1 of {ADDRESS} is here and sound"]


def test_nothing_is_downloaded_or_checked_twice(kaggle: KaggleStandin, opened: Open) -> None:
    fetched(opened())
    said: list[str] = []
    assert fetched(opened(), said.append) == 10
    assert len(kaggle.at("storage")) == 1 and said == []


def test_after_its_version_was_asked_a_dataset_stays_with_it(
    kaggle: KaggleStandin, opened: Open, archives: dict[int, Path]
) -> None:
    dataset = opened()
    dataset.version()
    kaggle.publish(2, archives[2])
    assert fetched(dataset) == 10
    assert dataset.version() == "2" and fetched(dataset) == 11


def test_a_pinned_version_is_fetched_though_there_is_a_newer(
    kaggle: KaggleStandin, opened: Open, archives: dict[int, Path]
) -> None:
    kaggle.publish(2, archives[2])
    dataset = opened("?version=1")
    assert dataset.version() == "1" and fetched(dataset) == 10
    with pytest.raises(Invalid, match="no such version yet, the newest is 2"):
        opened("?version=3").version()


def test_a_new_version_replaces_the_old_only_once_it_is_verified(
    kaggle: KaggleStandin, opened: Open, home: Path, archives: dict[int, Path]
) -> None:
    fetched(opened())
    kaggle.publish(2, archives[2])
    kaggle.fail("storage", "damage", times=2)
    with pytest.raises(Invalid, match="arrived damaged twice") as caught:
        fetched(opened())
    assert str(folder(home) / "version-1.zip") in str(caught.value)
    assert whole(1) <= kept(home)
    assert fetched(opened()) == 11
    assert kept(home) == whole(2)


def test_an_archive_of_another_layout_does_not_replace_the_last_good_one(
    kaggle: KaggleStandin, opened: Open, home: Path, tmp_path: Path
) -> None:
    fetched(opened())
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("readme.txt", "moved elsewhere")
    kaggle.publish(2, tmp_path / "other.zip")
    for _ in range(2):
        with pytest.raises(Invalid, match=r"holds no artists\.csv"):
            fetched(opened())
    assert kept(home) == whole(1) | whole(2)
    assert len(kaggle.at("storage")) == 2, "a wrong layout is no reason to download again"


def test_an_archive_that_was_truncated_since_is_fetched_again(
    kaggle: KaggleStandin, opened: Open, home: Path
) -> None:
    fetched(opened())
    path = folder(home) / "version-1.zip"
    os.truncate(path, 1_000_000)
    said: list[str] = []
    assert fetched(opened(), said.append) == 10
    assert "will be replaced" in said[1] and len(kaggle.at("storage")) == 2


def test_an_archive_that_was_only_touched_is_checked_and_kept(
    kaggle: KaggleStandin, opened: Open, home: Path
) -> None:
    fetched(opened())
    os.utime(folder(home) / "version-1.zip", (1, 1))
    said: list[str] = []
    assert fetched(opened(), said.append) == 10
    assert len(said) == 1 and "checking" in said[0]
    (folder(home) / "version-1.verified.json").write_text("{")
    assert fetched(opened()) == 10
    assert len(kaggle.at("storage")) == 1


# Downloads that are cut


def test_a_cut_download_is_resumed_at_once_and_only_the_rest_is_sent(
    kaggle: KaggleStandin, opened: Open, archives: dict[int, Path]
) -> None:
    kaggle.fail("storage", "cut", at=0.4)
    said: list[str] = []
    assert fetched(opened(), said.append) == 10
    whole_size = archives[1].stat().st_size
    first, second = kaggle.at("storage")
    assert first.range is None and first.sent == int(whole_size * 0.4)
    assert second.range and second.sent == whole_size - int(second.range[6:-1])
    assert whole_size - first.sent <= second.sent < whole_size - first.sent + 2 * service.CHUNK
    assert (
        "was cut" in said[1]
        and "trying again" in said[1]
        and said[2].startswith("going on with the download")
    )


def test_a_download_given_up_goes_on_the_next_time(kaggle: KaggleStandin, opened: Open, home: Path) -> None:
    kaggle.fail("storage", "cut", at=0.4)
    kaggle.fail("storage", "status", status=503, times=3)
    with pytest.raises(Unavailable, match=r"storage is not well.*503.*what came so far is kept"):
        fetched(opened())
    assert kept(home) == {"version-1.zip.part", "version-1.part.json"}
    kaggle.seen.clear()
    assert fetched(opened()) == 10
    (seen,) = kaggle.at("storage")
    assert seen.range and seen.sent < 2_500_000
    assert kept(home) == whole(1)


def test_a_killed_process_leaves_a_download_that_goes_on(
    kaggle: KaggleStandin, opened: Open, home: Path
) -> None:
    kaggle.fail("storage", "stall", at=0.6)
    child = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "from pathlib import Path; from gallery.datasets.base import DATASETS; "
            "from gallery.datasets.kaggle import progress; progress.SAY_EVERY_S = 0; "
            f"DATASETS.open({ADDRESS!r}, home=Path({str(home)!r})).fetch(lambda line: print(line, flush=True))",
        ],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[1],
    )
    try:
        assert child.stdout and any(" of " in line for line in child.stdout)  # something is on the disk
    finally:
        child.kill()
        child.communicate()
    assert fetched(opened()) == 10
    assert kaggle.at("storage")[-1].range


def test_a_connection_that_brings_much_each_time_is_resumed_without_end(
    kaggle: KaggleStandin, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "WORTHWHILE", 100_000)
    for share in range(1, 9):
        kaggle.fail("storage", "cut", at=share / 10)
    assert fetched(opened()) == 10
    assert len(kaggle.at("storage")) == 9


def test_content_that_changed_since_it_was_begun_is_begun_again(
    kaggle: KaggleStandin, opened: Open, home: Path, archives: dict[int, Path]
) -> None:
    kaggle.fail("storage", "cut", times=4, at=0.4)
    with pytest.raises(Unavailable, match="was cut"):
        fetched(opened())
    kaggle.publish(1, archives[2])  # packed anew
    said: list[str] = []
    assert fetched(opened(), said.append) == 11
    assert kaggle.at("storage")[-1].sent == archives[2].stat().st_size
    assert "another one than what was begun" in said[0]
    assert (folder(home) / "version-1.zip").read_bytes() == archives[2].read_bytes()


def test_a_part_that_was_not_asked_for_is_not_taken(kaggle: KaggleStandin, opened: Open) -> None:
    kaggle.fail("storage", "cut", at=0.4)
    kaggle.fail("storage", "other-range")
    assert fetched(opened()) == 10
    assert [bool(seen.range) for seen in kaggle.at("storage")] == [False, True, False]


def test_a_range_beyond_the_end_begins_again(kaggle: KaggleStandin, opened: Open) -> None:
    kaggle.fail("storage", "cut", at=0.4)
    kaggle.fail("storage", "status", status=416)
    assert fetched(opened()) == 10
    assert [bool(seen.range) for seen in kaggle.at("storage")] == [False, True, False]


def test_an_archive_of_unknown_length_is_fetched_and_checked(kaggle: KaggleStandin, opened: Open) -> None:
    kaggle.fail("storage", "unsized")
    said: list[str] = []
    assert fetched(opened(), said.append) == 10
    assert said[0] == "downloading; Kaggle does not say how much"


def test_a_complete_part_is_only_checked(kaggle: KaggleStandin, opened: Open, home: Path) -> None:
    fetched(opened())
    place = shelf.Shelf(folder(home))
    place.archive(1).rename(place.part(1))
    place.set_origin(1, shelf.Origin('"x"', place.part(1).stat().st_size))
    assert fetched(opened()) == 10
    assert len(kaggle.at("storage")) == 1


# Damage


def test_a_damaged_download_is_made_once_more_from_the_start(kaggle: KaggleStandin, opened: Open) -> None:
    kaggle.fail("storage", "damage")
    said: list[str] = []
    assert fetched(opened(), said.append) == 10
    assert [seen.range for seen in kaggle.at("storage")] == [None, None]
    assert len(said) == 4
    assert "is damaged (images/images/Ann_Ax/Ann_Ax_" in said[1] and "Bad CRC-32" in said[1]


def test_damage_twice_is_told_kept_to_look_at_and_not_gone_on_with(
    kaggle: KaggleStandin, opened: Open, home: Path
) -> None:
    kaggle.fail("storage", "damage", times=2)
    with pytest.raises(Invalid, match="arrived damaged twice") as caught:
        fetched(opened())
    assert str(folder(home) / "version-1.zip.part") in str(caught.value)
    assert kept(home) == {"version-1.zip.part"}
    assert fetched(opened()) == 10
    assert kaggle.at("storage")[-1].range is None


def test_a_zip_that_ends_too_early_is_found_out_though_its_length_is_as_announced(
    kaggle: KaggleStandin, opened: Open, archives: dict[int, Path], tmp_path: Path
) -> None:
    (tmp_path / "half.zip").write_bytes(archives[1].read_bytes()[:2_000_000])
    kaggle.publish(1, tmp_path / "half.zip")
    with pytest.raises(Invalid, match="its list of files: File is not a zip file"):
        fetched(opened())


@pytest.mark.parametrize("place", ["GetDataset", "DownloadDataset", "storage"])
def test_a_web_page_is_no_archive_and_overwrites_nothing(
    place: Place, kaggle: KaggleStandin, opened: Open, home: Path
) -> None:
    kaggle.fail("storage", "cut", at=0.4, times=4)
    with pytest.raises(Unavailable):
        fetched(opened())
    before = (folder(home) / "version-1.zip.part").read_bytes()
    kaggle.fail(place, "page")
    with pytest.raises(Unavailable, match=r"a proxy's or a log-in page"):
        fetched(opened())
    assert (folder(home) / "version-1.zip.part").read_bytes() == before
    assert fetched(opened()) == 10


# The disk


def test_a_disk_too_small_is_told_before_anything_is_written(
    kaggle: KaggleStandin, opened: Open, home: Path
) -> None:
    kaggle.fail("storage", "huge", length=10**16)
    with pytest.raises(Invalid, match=r"of room and the download needs 10000000 GB.*GALLERY_HOME"):
        fetched(opened())
    assert kept(home) == set()


def test_what_is_there_already_needs_no_room_again(
    kaggle: KaggleStandin, opened: Open, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kaggle.fail("storage", "cut", at=0.9, times=4)
    with pytest.raises(Unavailable):
        fetched(opened())
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(download, "_check_room", lambda _, coming, back: asked.append((coming, back)))
    fetched(opened())
    ((coming, back),) = asked
    assert coming < 500_000 and back == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_disk_that_fills_up_is_told_by_its_own_words(
    kaggle: KaggleStandin, opened: Open, home: Path
) -> None:
    folder(home).mkdir(parents=True)
    (folder(home) / "version-1.zip.part").symlink_to("/dev/full")
    with pytest.raises(
        Invalid, match=r"cannot be written to .*version-1\.zip\.part \(No space left on device\)"
    ):
        fetched(opened())


def test_bytes_written_before_the_disk_refused_are_kept_and_gone_on_from(
    kaggle: KaggleStandin, opened: Open, home: Path
) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, before[1]))  # a disk that takes so much and no more
    try:
        with pytest.raises(Invalid, match=r"File too large.*is kept"):
            fetched(opened())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert (folder(home) / "version-1.zip.part").stat().st_size == 1_500_000
    assert fetched(opened()) == 10
    assert kaggle.at("storage")[-1].range == "bytes=1500000-"


def test_a_home_that_cannot_be_written_to_is_told(kaggle: KaggleStandin, opened: Open, home: Path) -> None:
    home.mkdir()
    (home / "kaggle").write_text("in the way")
    with pytest.raises(Invalid, match="GALLERY_HOME"):
        fetched(opened())


# What Kaggle refuses


@pytest.mark.parametrize("in_body", [False, True])
@pytest.mark.parametrize("place", ["GetDataset", "DownloadDataset"])
@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, r"does not accept the credentials.*kaggle\.com/settings"),
        (403, rf"accept the terms|https://www\.kaggle\.com/datasets/{DATASET}"),
        (404, r"typing mistake in GALLERY_DATASET.*private"),
        (400, r"refused the request.*400"),
    ],
)
def test_each_refusal_has_its_own_words_and_is_not_tried_again(
    place: Place, status: int, words: str, in_body: bool, kaggle: KaggleStandin, opened: Open
) -> None:
    kaggle.fail(place, "status", status=status, code_in_body=in_body, times=9)
    with pytest.raises(Invalid, match=words):
        fetched(opened())
    assert len(kaggle.at(place)) == 1


def test_a_wrong_token_is_refused(
    kaggle: KaggleStandin, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAGGLE_API_TOKEN", "of yesterday")
    with pytest.raises(Invalid, match="characters that none has"):
        opened().version()
    monkeypatch.setenv("KAGGLE_API_TOKEN", "of-yesterday")
    with pytest.raises(Invalid, match=r"\(401\): wrong, expired or revoked"):
        opened().version()


def test_a_dataset_that_is_not_there_is_told(kaggle: KaggleStandin, home: Path) -> None:
    with pytest.raises(Invalid, match=r"no kaggle://ikarus777/best-artwork \(404\)"):
        DATASETS.open("kaggle://ikarus777/best-artwork", home=home).version()


@pytest.mark.parametrize("place", ["GetDataset", "DownloadDataset", "storage"])
@pytest.mark.parametrize("status", [500, 502, 503, 504, 408])
def test_a_service_that_is_not_well_is_asked_again_a_few_times(
    place: Place, status: int, kaggle: KaggleStandin, opened: Open
) -> None:
    kaggle.fail(place, "status", status=status, times=3)
    assert fetched(opened()) == 10


def test_a_service_that_stays_unwell_is_unavailable(kaggle: KaggleStandin, opened: Open) -> None:
    kaggle.fail("GetDataset", "status", status=503, times=99)
    with pytest.raises(Unavailable, match=r"Kaggle is not well .*503"):
        opened().version()
    assert len(kaggle.seen) == 4


def test_a_signed_address_that_is_refused_is_asked_for_anew(kaggle: KaggleStandin, opened: Open) -> None:
    kaggle.fail("storage", "status", status=403)
    assert fetched(opened()) == 10
    assert len(kaggle.at("DownloadDataset")) == 2


def test_a_short_wait_that_kaggle_asks_for_is_sat_out(kaggle: KaggleStandin, opened: Open) -> None:
    kaggle.fail("DownloadDataset", "status", status=429, headers={"Retry-After": "1"})
    said: list[str] = []
    began = time.monotonic()
    assert fetched(opened(), said.append) == 10
    assert time.monotonic() - began >= 1
    assert said[0] == "Kaggle takes no more requests for now (429); trying again in 1 s"


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_a_long_wait_is_told_and_not_sat_out(form: str, kaggle: KaggleStandin, opened: Open) -> None:
    later = time.time() + 1800
    after = "1800" if form == "seconds" else formatdate(later, usegmt=True)
    kaggle.fail("GetDataset", "status", status=429, headers={"Retry-After": after}, times=9)
    with pytest.raises(Unavailable, match=r"until \d{4}-\d\d-\d\d \d\d:\d\d UTC, 30 min from now"):
        opened().version()
    assert len(kaggle.seen) == 1


@pytest.mark.parametrize("after", [None, "soon", "1e999", "-3"])
def test_a_wait_of_unknown_length_is_ours_to_choose(
    after: str | None, kaggle: KaggleStandin, opened: Open
) -> None:
    kaggle.fail("GetDataset", "status", status=429, headers={"Retry-After": after} if after else {})
    assert opened().version() == "1"


@pytest.mark.parametrize("place", ["GetDataset", "DownloadDataset", "storage"])
def test_silence_is_not_waited_out(
    place: Place, kaggle: KaggleStandin, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "PAUSES_S", (0.01,))
    kaggle.fail(place, "stall", times=2, at=0.4)
    with pytest.raises(Unavailable, match=r"did not answer within 0\.3 s"):
        fetched(opened())
    assert fetched(opened()) == 10


def test_a_connection_cut_before_an_answer_is_tried_again(kaggle: KaggleStandin, opened: Open) -> None:
    kaggle.fail("GetDataset", "cut")
    kaggle.fail("DownloadDataset", "cut")
    assert fetched(opened()) == 10


# Without Kaggle


def test_kaggle_out_of_reach_is_unavailable_and_tells_why(opened: Open) -> None:
    with pytest.raises(Unavailable, match=r"Kaggle cannot be reached \(Connection refused") as caught:
        opened().version()
    assert "file://" not in str(caught.value)


def test_the_archive_that_is_here_is_named_but_not_used_without_being_asked(
    opened: Open, home: Path, archives: dict[int, Path]
) -> None:
    with KaggleStandin() as kaggle:
        kaggle.publish(1, archives[1])
        fetched(opened())
    for dataset in (opened(), opened("?version=1")):
        for act in (dataset.version, dataset.fetch):
            with pytest.raises(Unavailable) as caught:
                act()
            named = str(caught.value).partition(COPY)[2].split()[0]
            assert len(DATASETS.open(f"file://{named}", home=home).fetch().entries()) == 10
    gc.collect()


def test_a_busy_port_is_told_by_the_standin(kaggle: KaggleStandin) -> None:
    with pytest.raises(RuntimeError, match="port 7777 cannot be had"):
        KaggleStandin()


def test_a_proxy_out_of_reach_is_told_without_its_password(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://me:pl4nted-pr0xy@127.0.0.1:9")
    with pytest.raises(Unavailable, match="the proxy of HTTPS_PROXY or HTTP_PROXY") as caught:
        opened().version()
    assert "pl4nted-pr0xy" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    ("cause", "kind", "words"),
    [
        (ssl.SSLCertVerificationError(1, "certificate verify failed"), Unavailable, "REQUESTS_CA_BUNDLE"),
        (ssl.SSLEOFError(8, "EOF occurred in violation of protocol"), patience.Transient, "was cut"),
    ],
)
def test_a_certificate_that_is_not_trusted_is_another_thing_than_a_cut(
    cause: Exception, kind: type, words: str
) -> None:
    error = requests.exceptions.SSLError("for url: https://storage/?X-Goog-Signature=" + SIGNATURE)
    error.__cause__ = cause
    told = refusals.translated(error, DATASET)
    assert type(told) is kind and words in str(told) and SIGNATURE not in str(told)


@pytest.mark.parametrize("name", ["MOON", "STAGING"])
def test_an_environment_that_cannot_be_asked_is_told(
    name: str, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAGGLE_API_ENVIRONMENT", name)
    with pytest.raises(Invalid, match="KAGGLE_API_ENVIRONMENT names nothing"):
        opened().version()


# Several at once


def test_two_that_fetch_at_once_download_once(kaggle: KaggleStandin, opened: Open, home: Path) -> None:
    said: list[str] = []
    waiting = threading.Event()

    def progress(line: str) -> None:
        said.append(line)
        waiting.set()

    counts: list[int] = []
    other = threading.Thread(target=lambda: counts.append(fetched(opened(), progress)))
    with shelf.Shelf(folder(home)).lock(no_progress):
        other.start()
        assert waiting.wait(5)
        assert said == ["waiting for another process that is fetching the dataset"]
        assert kaggle.at("storage") == []
    counts.append(fetched(opened()))
    other.join(10)
    assert counts == [10, 10] and len(kaggle.at("storage")) == 1


# Credentials


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The home folder of somebody who has set nothing up yet."""
    monkeypatch.delenv("KAGGLE_API_TOKEN")
    (tmp_path / "person").mkdir()
    return tmp_path / "person"


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


KEY_FILE = json.dumps({"username": PAIR[0], "key": PAIR[1]})


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (".kaggle/access_token", TOKEN + "\n"),
        (".kaggle/access_token.txt", TOKEN),
        (".kaggle/kaggle.json", KEY_FILE),
        (".config/kaggle/kaggle.json", KEY_FILE),
    ],
)
def test_credentials_are_found_in_the_files_of_kaggles_client(
    file: str, text: str, person: Path, kaggle: KaggleStandin, opened: Open
) -> None:
    write(person / file, text)
    assert fetched(opened()) == 10


def test_credentials_are_found_in_the_variables_of_kaggles_client(
    person: Path, kaggle: KaggleStandin, opened: Open, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write(tmp_path / "elsewhere" / "kaggle.json", json.dumps({"username": "someone", "key": "stale"}))
    monkeypatch.setenv("KAGGLE_CONFIG_DIR", str(tmp_path / "elsewhere"))
    with pytest.raises(Invalid, match="401"):
        opened().version()
    monkeypatch.setenv("KAGGLE_USERNAME", PAIR[0])
    monkeypatch.setenv("KAGGLE_KEY", PAIR[1] + "\n")
    assert opened().version() == "1"
    monkeypatch.setenv("KAGGLE_API_TOKEN", str(tmp_path / "token"))
    write(tmp_path / "token", TOKEN)
    assert credentials.find_credentials().token == TOKEN, (
        "a file's name will do for the token, as for the client"
    )


def test_no_credentials_are_told_with_how_to_get_them(
    person: Path, kaggle: KaggleStandin, opened: Open
) -> None:
    with pytest.raises(
        Invalid, match=r"no Kaggle credentials\. Make an API token at https://www\.kaggle\.com/settings"
    ):
        opened().version()
    assert kaggle.seen == [] and list(person.iterdir()) == []


@pytest.mark.parametrize("text", ["", "{", "[]", "null", f'"{PAIR[1]}"', f'{{"key": "{PAIR[1]}"'])
def test_a_spoiled_key_file_is_told_without_its_content(text: str, person: Path, opened: Open) -> None:
    write(person / ".kaggle" / "kaggle.json", text)
    with pytest.raises(Invalid, match=r"is not the kaggle\.json that Kaggle gives out") as caught:
        opened().version()
    assert PAIR[1] not in "".join(traceback.format_exception(caught.value))


def test_a_token_longer_than_a_file_name_may_be_is_no_trouble(
    opened: Open, monkeypatch: pytest.MonkeyPatch, archives: dict[int, Path]
) -> None:
    monkeypatch.setenv("KAGGLE_API_TOKEN", "long" * 2_000)
    with KaggleStandin(token="long" * 2_000) as kaggle:
        kaggle.publish(1, archives[1])
        assert opened().version() == "1"


def test_the_storage_gets_no_credentials(kaggle: KaggleStandin, opened: Open) -> None:
    assert fetched(opened()) == 10  # the stand-in's storage refuses whoever sends any


BREAKAGES: dict[str, Callable[[KaggleStandin], None]] = {
    "401": lambda kaggle: kaggle.fail("GetDataset", "status", status=401),
    "storage 403": lambda kaggle: kaggle.fail("storage", "status", status=403, times=9),
    "storage 400": lambda kaggle: kaggle.fail("storage", "status", status=418, times=9),
    "storage cut": lambda kaggle: kaggle.fail("storage", "cut", times=9),
    "storage stall": lambda kaggle: kaggle.fail("storage", "stall", times=9),
    "page": lambda kaggle: kaggle.fail("storage", "page"),
    "damage": lambda kaggle: kaggle.fail("storage", "damage", times=2),
}


@pytest.mark.parametrize("breakage", ["none", *BREAKAGES])
@pytest.mark.parametrize("kind", ["token", "pair"])
def test_no_secret_is_in_any_log_line_message_or_traceback(
    kind: str,
    breakage: str,
    kaggle: KaggleStandin,
    opened: Open,
    person: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if kind == "token":
        monkeypatch.setenv("KAGGLE_API_TOKEN", TOKEN)
    else:
        monkeypatch.setenv("KAGGLE_USERNAME", PAIR[0])
        monkeypatch.setenv("KAGGLE_KEY", PAIR[1])
    caplog.set_level(logging.DEBUG)
    dataset = opened()
    told: list[str] = []
    if breakage == "none":
        fetched(dataset, told.append)
        assert "storage/1.zip" in caplog.text, "the requests are in the log, so this looks at something"
    else:
        BREAKAGES[breakage](kaggle)
        with pytest.raises(GalleryError) as caught:
            fetched(dataset, told.append)
        error: BaseException | None = caught.value
        while error is not None:  # whether it would be shown or not
            told += [*traceback.format_exception(error), repr(error), repr(vars(error))]
            error = error.__cause__ or error.__context__
    out, err = capsys.readouterr()
    told += [
        caplog.text,
        repr(dataset),
        repr(vars(dataset)),
        str(dataset.address),
        repr(credentials.find_credentials()),
    ]
    basic = base64.b64encode(":".join(PAIR).encode()).decode()
    for secret in (TOKEN, PAIR[1], basic, SIGNATURE):
        assert not any(secret in text for text in told)
    assert out == "" and err == ""


def test_nothing_is_printed_asked_or_made_where_kaggles_client_would(person: Path) -> None:
    """In a process of its own, without credentials or a terminal: only our own words, and no folder in the home."""
    code = (
        "from pathlib import Path; from gallery.datasets.base import DATASETS; from gallery.errors import Invalid\n"
        f"try: DATASETS.open({ADDRESS!r}, home=Path('unused')).version()\n"
        "except Invalid: print('told')"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=30,
        check=False,
        cwd=Path(__file__).parents[1],
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "told\n", "")
    assert list(person.iterdir()) == []


# What is said


def test_progress_tells_how_far_how_fast_and_how_long(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    said: list[str] = []
    counter = progress.Progress(said.append, "downloading", 2_300_000_000)
    for _ in range(23):
        now[0] += 2.5
        counter.add(100_000_000)
    assert said[0] == "downloading 0.2 of 2.3 GB, 40 MB/s, about 52 s left"
    assert len(said) == 11


def test_slow_progress_is_told_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    said: list[str] = []
    counter = progress.Progress(said.append, "downloading", 2_300_000_000)
    for _ in range(120):
        now[0] += 1
        counter.add(500_000)
    assert said[0] == "downloading 0 of 2.3 GB, 500 kB/s, about 76 min left"
    assert len(said) == 4


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "0 bytes"), (999, "999 bytes"), (1_000, "1 kB"), (34_600_000, "35 MB"), (2_300_000_000, "2.3 GB")],
)
def test_sizes_are_told_for_people(count: int, words: str) -> None:
    assert progress.size(count) == words


# The stand-in as a process of its own


def test_the_standin_serves_as_a_process_and_takes_faults_over_the_wire(
    opened: Open, archives: dict[int, Path]
) -> None:
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.fakes.kaggle", "--archive", str(archives[1]), "--token", TOKEN],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[1],
    )

    def control(**body: object) -> None:
        request = urllib.request.Request(f"http://127.0.0.1:{PORT}/control", json.dumps(body).encode())
        urllib.request.urlopen(request, timeout=5).close()

    try:
        assert child.stdout and "serving" in child.stdout.readline()
        control(fail="storage", how="cut", at=0.4)
        assert fetched(opened()) == 10
        with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/control", timeout=5) as answer:
            seen = json.load(answer)["seen"]
        assert [bool(one["range"]) for one in seen if one["place"] == "storage"] == [False, True]
        control(publish=str(archives[2]), version=2)
        assert opened().version() == "2"
    finally:
        child.terminate()
        child.communicate()
