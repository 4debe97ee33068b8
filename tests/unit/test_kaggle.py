"""The Kaggle adapter without a server: addresses, credentials, errors, the archive cache and progress."""

from __future__ import annotations

import json
import os
import re
import ssl
import threading
import time
import traceback
from email.utils import formatdate
from pathlib import Path

import pytest
import requests

from gallery.datasets.base import DATASETS, no_progress
from gallery.datasets.kaggle.cache import ArchiveCache
from gallery.datasets.kaggle.credentials import find_credentials
from gallery.datasets.kaggle.errors import translate
from gallery.datasets.kaggle.progress import TransferProgress
from gallery.datasets.kaggle.retry import Retrier, Transient
from gallery.errors import Invalid, Unavailable
from tests.fakes.processes import HANG_GUARD_S

SECRET = "pl4nted-s3cret"
DATASET = "owner/name"
KEY_FILE = json.dumps({"username": "someone", "key": SECRET})


@pytest.fixture(autouse=True)
def person(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return the empty home folder of a user without Kaggle credentials."""
    for name in list(os.environ):
        if name.startswith(("KAGGLE_", "XDG_CONFIG")):
            monkeypatch.delenv(name)
    folder = tmp_path / "person"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    return folder


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


# Addresses


@pytest.mark.parametrize(
    "location",
    ["", "owner", "owner/", "/name", "owner/name/3", "owner/na me", "owner/näme", "owner/..", "../name",
     "-o/name"],
)  # fmt: skip
def test_an_address_is_exactly_owner_and_name(location: str, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="write it like kaggle://"):
        DATASETS.open(f"kaggle://{location}", home=tmp_path / "home")


@pytest.mark.parametrize(
    "address", [f"kaggle://me:{SECRET}@o/n", f"kaggle://{SECRET}@o/n", f"kaggle://o/n?key={SECRET}"]
)
def test_secrets_in_an_address_are_refused_and_not_repeated(address: str, tmp_path: Path) -> None:
    with pytest.raises(Invalid) as caught:
        DATASETS.open(address, home=tmp_path / "home")
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("version", ["0", "-1", "latest", "1.5", ""])
def test_a_pinned_version_is_a_whole_number_from_one(version: str, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="version must be a whole number from 1"):
        DATASETS.open(f"kaggle://{DATASET}?version={version}", home=tmp_path / "home")


def test_opening_creates_nothing(tmp_path: Path) -> None:
    dataset = DATASETS.open(f"kaggle://{DATASET}?version=3", home=tmp_path / "home")
    assert dataset.address == f"kaggle://{DATASET}?version=3" and not dataset.generated
    assert not (tmp_path / "home").exists()


# Credentials


@pytest.mark.parametrize("file", [".kaggle/access_token", ".kaggle/access_token.txt"])
def test_a_token_is_found_in_the_files_of_kaggles_client(file: str, person: Path) -> None:
    write(person / file, SECRET + "\n")
    assert find_credentials().token == SECRET


@pytest.mark.parametrize("file", [".kaggle/kaggle.json", ".config/kaggle/kaggle.json"])
def test_a_key_is_found_in_the_files_of_kaggles_client(file: str, person: Path) -> None:
    write(person / file, KEY_FILE)
    found = find_credentials()
    assert (found.username, found.key, found.token) == ("someone", SECRET, None)


def test_variables_win_over_the_key_file_and_a_token_wins_over_both(
    person: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(person / "other" / "kaggle.json", json.dumps({"username": "someone", "key": "from-the-file"}))
    monkeypatch.setenv("KAGGLE_CONFIG_DIR", str(person / "other"))
    assert find_credentials().key == "from-the-file"
    monkeypatch.setenv("KAGGLE_KEY", "from-the-variable\n")
    assert (find_credentials().username, find_credentials().key) == ("someone", "from-the-variable")
    monkeypatch.setenv("KAGGLE_API_TOKEN", str(write(person / "token", "from-the-named-file")))
    assert find_credentials().token == "from-the-named-file"
    monkeypatch.setenv("KAGGLE_API_TOKEN", "long" * 2_000)  # longer than a file name may be
    assert find_credentials().token == "long" * 2_000


def test_missing_credentials_come_with_instructions(person: Path) -> None:
    with pytest.raises(
        Invalid, match=r"no Kaggle credentials found\. Create .* https://www\.kaggle\.com/settings"
    ):
        find_credentials()
    assert list(person.iterdir()) == []


@pytest.mark.parametrize("text", ["", "{", "[]", "null", f'"{SECRET}"', f'{{"key": "{SECRET}"'])
def test_an_invalid_key_file_is_reported_without_its_content(text: str, person: Path) -> None:
    write(person / ".kaggle" / "kaggle.json", text)
    with pytest.raises(Invalid, match=r"is not a valid kaggle\.json") as caught:
        find_credentials()
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_a_token_that_fits_no_header_is_reported_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAGGLE_API_TOKEN", f"two words {SECRET}")
    with pytest.raises(Invalid, match="contain invalid characters") as caught:
        find_credentials()
    assert SECRET not in str(caught.value)


def test_credentials_do_not_show_their_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAGGLE_USERNAME", "someone")
    monkeypatch.setenv("KAGGLE_KEY", SECRET)
    assert SECRET not in repr(find_credentials())


# Errors


def refused(status: int, body: object = None, **headers: str) -> requests.HTTPError:
    response = requests.Response()
    response.status_code = status
    response._content = json.dumps(body or {}).encode()
    response.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    return requests.HTTPError(f"for url: https://storage/?X-Goog-Signature={SECRET}", response=response)


@pytest.mark.parametrize("in_body", [False, True])
@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "rejected the credentials (401)"),
        (403, f"Open https://www.kaggle.com/datasets/{DATASET} with it, accept the terms"),
        (404, "Check GALLERY_DATASET for a typing mistake"),
        (400, "refused the request for kaggle://owner/name (status 400)"),
    ],
)
def test_each_refusal_has_its_own_message(status: int, words: str, in_body: bool) -> None:
    error = translate(refused(200, {"code": status}) if in_body else refused(status), DATASET)
    assert type(error) is Invalid and words in str(error) and SECRET not in str(error)


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
def test_server_errors_are_transient(status: int) -> None:
    assert type(translate(refused(status), DATASET)) is Transient


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("20", 20), ("1e999", None), ("-3", None), ("soon", None), ("", None), (formatdate(0, usegmt=True), 0)],
)
def test_a_wait_is_read_from_retry_after(value: str, seconds: float | None) -> None:
    error = translate(refused(429, Retry_After=value), DATASET)
    assert isinstance(error, Transient) and error.retry_after == seconds


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_a_long_wait_is_reported_with_its_end(form: str) -> None:
    value = "7200" if form == "seconds" else formatdate(time.time() + 7200, usegmt=True)
    error = translate(refused(429, Retry_After=value), DATASET)
    assert isinstance(error, Transient) and (error.retry_after or 0) > 3600
    assert "accepts no requests until 20" in str(error) and "UTC" in str(error)


@pytest.mark.parametrize(
    ("cause", "kind", "words"),
    [
        (ssl.SSLCertVerificationError(1, "certificate verify failed"), Unavailable, "REQUESTS_CA_BUNDLE"),
        (ssl.SSLEOFError(8, "EOF occurred in violation of protocol"), Transient, "was cut"),
    ],
)
def test_an_untrusted_certificate_is_not_taken_for_a_cut_connection(
    cause: Exception, kind: type, words: str
) -> None:
    error = requests.exceptions.SSLError(f"for url: https://storage/?X-Goog-Signature={SECRET}")
    error.__cause__ = cause
    translated = translate(error, DATASET)
    assert type(translated) is kind and words in str(translated) and SECRET not in str(translated)


# Retries


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that would have been made."""
    made: list[float] = []
    monkeypatch.setattr(time, "sleep", made.append)
    return made


def failing(*errors: Exception) -> object:
    """A call that raises these errors in turn and then returns 1."""
    left = list(errors)

    def call() -> int:
        if left:
            raise left.pop(0)
        return 1

    return call


def test_a_transient_failure_is_retried_after_growing_pauses(pauses: list[float]) -> None:
    lines: list[str] = []
    errors = [Transient("busy"), Transient("busy", retry_after=20), Transient("busy")]
    assert Retrier(lines.append).run(failing(*errors)) == 1  # type: ignore[arg-type]
    assert all(least <= pause <= 1.5 * least for least, pause in zip([1, 20, 9], pauses, strict=True))
    assert re.fullmatch(r"busy; trying again in (2\d|30) s", lines[1])


def test_clients_that_failed_together_do_not_retry_together(pauses: list[float]) -> None:
    for _ in range(5):
        assert Retrier(no_progress).run(failing(Transient("busy", retry_after=20))) == 1  # type: ignore[arg-type]
    assert len(set(pauses)) == 5 and min(pauses) >= 20


def test_retries_end_after_the_third_and_before_a_long_wait(pauses: list[float]) -> None:
    for errors in ([Transient("busy")] * 4, [Transient("busy", retry_after=1800)]):
        with pytest.raises(Transient):
            Retrier(no_progress).run(failing(*errors))  # type: ignore[arg-type]
    assert len(pauses) == 3


# The cache


def test_another_process_waits_for_the_lock(tmp_path: Path) -> None:
    cache, lines, waiting = ArchiveCache(tmp_path), list[str](), threading.Event()

    def progress(line: str) -> None:
        lines.append(line)
        waiting.set()

    def wait() -> None:
        with cache.lock(progress):
            lines.append("locked")

    other = threading.Thread(target=wait)
    with cache.lock(no_progress):
        other.start()
        assert waiting.wait(HANG_GUARD_S)
        assert lines == ["waiting for another process to fetch the dataset"]
    other.join(HANG_GUARD_S)
    assert lines[1:] == ["locked"]


def test_an_unusable_folder_names_its_setting(tmp_path: Path) -> None:
    (tmp_path / "kaggle").write_text("in the way")
    with (
        pytest.raises(Invalid, match="check GALLERY_HOME"),
        ArchiveCache(tmp_path / "kaggle").lock(no_progress),
    ):
        pass


# Progress


def test_progress_tells_how_much_how_fast_and_how_long(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    lines: list[str] = []
    known = TransferProgress(lines.append, 2_300_000_000, 1_000_000_000)
    unknown = TransferProgress(lines.append, None, 0)
    for _ in range(5):
        now[0] += 5
        known.add(100_000_000)
        unknown.add(100_000_000)
    assert lines[:2] == [
        "downloaded 1.20GB of 2.30GB, 20.0MB/s, 00:55 left",
        "downloaded 200MB, 20.0MB/s",
    ]
    assert len(lines) == 4, "a line for every ten seconds"
