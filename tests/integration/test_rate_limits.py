"""Rate limits: a client over its limit gets a 429 with Retry-After, others do not, and a storage that fails breaks nothing."""

from __future__ import annotations

import contextlib
import logging
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import redis
from flask.testing import FlaskClient

from gallery.errors import Invalid
from gallery.settings import Settings
from serving import create_app
from tests.fakes.collection import drawing, encoded, stocked
from tests.fakes.servers import HANG_GUARD_S, app_with, free_port
from tests.fakes.web import upload

LIMITED = {"rate_limit": "3/hour", "upload_rate_limit": "off"}
SEARCH = "/?q=sea"


@pytest.fixture
def make(settings_with: Callable[..., Settings]) -> Callable[..., FlaskClient]:
    return lambda **given: app_with(settings_with(**{**LIMITED, **given})).test_client()


def statuses(client: FlaskClient, path: str = SEARCH, times: int = 4, **how: object) -> list[int]:
    return [client.get(path, **how).status_code for _ in range(times)]  # type: ignore[arg-type]


def who(address: str, forwarded: str = "") -> dict[str, object]:
    """A request from that address, which says that it was forwarded."""
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    return {"environ_base": {"REMOTE_ADDR": address}, "headers": headers}


def test_a_page_too_many_is_429_with_a_page_that_says_when(make: Callable[..., FlaskClient]) -> None:
    client = make()
    assert statuses(client) == [200, 200, 200, 429]
    answer = client.get(SEARCH)
    assert answer.mimetype == "text/html" and "Too many requests" in answer.text
    assert 1 <= int(answer.headers["Retry-After"]) <= 3_600


def test_an_api_answer_too_many_is_429_as_a_problem(make: Callable[..., FlaskClient]) -> None:
    client = make()
    assert statuses(client, "/api/v1/search?q=sea") == [200, 200, 200, 429]
    answer = client.get("/api/v1/search?q=sea")
    assert answer.mimetype == "application/problem+json" and answer.get_json()["status"] == 429
    assert 1 <= int(answer.headers["Retry-After"]) <= 3_600


def test_all_pages_count_together_and_so_does_what_does_not_exist(make: Callable[..., FlaskClient]) -> None:
    client = make()
    paths = ["/artists", "/nothing", "/api/v1/artists", "/works/none"]
    assert [client.get(path).status_code for path in paths] == [200, 404, 200, 429]


def test_pictures_styles_and_health_are_never_limited(make: Callable[..., FlaskClient]) -> None:
    client = make(rate_limit="1/hour")
    page = client.get(SEARCH).text
    assert client.get(SEARCH).status_code == 429
    picture = next(part for part in page.split('"') if part.startswith("/images/"))
    style = next(part for part in page.split('"') if part.startswith("/static/"))
    for path in (picture, style, "/healthz", "/readyz"):
        assert statuses(client, path, 6) == [200] * 6


def test_uploads_have_a_limit_of_their_own(make: Callable[..., FlaskClient]) -> None:
    client = make(rate_limit="100/hour", upload_rate_limit="2/hour")
    assert [upload(client).status_code for _ in range(3)] == [200, 200, 429]
    assert upload(client, path="/api/v1/search").status_code == 429
    assert client.post("/", data={"q": "sea"}, follow_redirects=True).status_code == 200
    assert client.get(SEARCH).status_code == 200


def test_an_upload_that_is_no_picture_counts_too(make: Callable[..., FlaskClient]) -> None:
    client = make(rate_limit="off", upload_rate_limit="2/hour")
    assert [upload(client, b"none").status_code for _ in range(3)] == [415, 415, 429]


def test_off_is_off(make: Callable[..., FlaskClient]) -> None:
    client = make(rate_limit="off")
    assert statuses(client, times=30) == [200] * 30
    assert upload(client, encoded(drawing("#c08020", 1))).status_code == 200


def test_the_window_passes(make: Callable[..., FlaskClient], monkeypatch: pytest.MonkeyPatch) -> None:
    client = make(rate_limit="2/minute")
    now = time.time()
    assert statuses(client, times=3)[-1] == 429
    monkeypatch.setattr("time.time", lambda: now + 61)
    assert client.get(SEARCH).status_code == 200


def test_clients_are_told_apart_by_their_address(make: Callable[..., FlaskClient]) -> None:
    client = make()
    assert statuses(client, **who("192.0.2.1"))[-1] == 429
    assert statuses(client, times=1, **who("192.0.2.2")) == [200]


def test_addresses_of_one_ipv6_network_are_one_client(make: Callable[..., FlaskClient]) -> None:
    client = make()
    answers = [statuses(client, times=1, **who(f"2001:db8::{n}"))[0] for n in range(1, 5)]
    assert answers == [200, 200, 200, 429]
    assert statuses(client, times=1, **who("2001:db8:0:1::1")) == [200]


def test_a_forged_address_is_not_believed_without_a_proxy(
    make: Callable[..., FlaskClient], caplog: pytest.LogCaptureFixture
) -> None:
    client = make()
    answers = [statuses(client, times=1, **who("192.0.2.1", f"198.51.100.{n}"))[0] for n in range(4)]
    assert answers == [200, 200, 200, 429]
    assert [record.message for record in caplog.records].count(
        next(record.message for record in caplog.records if "GALLERY_TRUSTED_PROXIES" in record.message)
    ) == 1


def test_behind_a_proxy_the_address_that_it_saw_counts(make: Callable[..., FlaskClient]) -> None:
    client = make(trusted_proxies=1)
    assert statuses(client, **who("10.0.0.1", "198.51.100.1"))[-1] == 429
    assert statuses(client, times=1, **who("10.0.0.1", "198.51.100.2")) == [200]
    # What the client wrote before the proxy added its own is not believed.
    assert statuses(client, times=1, **who("10.0.0.1", "203.0.113.9, 198.51.100.1")) == [429]


def test_behind_two_proxies_the_second_from_the_right_counts(make: Callable[..., FlaskClient]) -> None:
    client = make(trusted_proxies=2)
    answers = [
        statuses(client, times=1, **who("10.0.0.1", f"203.0.113.{n}, 198.51.100.1, 10.0.0.2"))[0]
        for n in range(4)
    ]
    assert answers == [200, 200, 200, 429]


@pytest.mark.parametrize("forwarded", ["", "rubbish", ",", "a" * 5_000, "[::1", "198.51.100.1:80", "\xff"])
def test_nonsense_from_a_proxy_is_no_error(make: Callable[..., FlaskClient], forwarded: str) -> None:
    assert statuses(make(trusted_proxies=1), times=1, **who("10.0.0.1", forwarded)) == [200]


# -- the storage


@contextlib.contextmanager
def redis_server(folder: Path, port: int) -> Iterator[str]:
    """The address of a Redis that runs until the block ends."""
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    process = subprocess.Popen([*command, "--requirepass", "pass-word"], stdout=subprocess.DEVNULL)
    address = f"redis://:pass-word@127.0.0.1:{port}"
    try:
        with redis.Redis.from_url(address) as probe:
            for _ in range(200):
                with contextlib.suppress(redis.ConnectionError):
                    probe.ping()
                    break
                time.sleep(0.02)
        yield address
    finally:
        process.terminate()
        process.wait(10)


needs_redis = pytest.mark.skipif(not shutil.which("redis-server"), reason="there is no redis-server here")


@needs_redis
def test_replicas_with_one_storage_count_together(make: Callable[..., FlaskClient], tmp_path: Path) -> None:
    with redis_server(tmp_path, free_port()) as address:
        one, other = make(rate_storage=address), make(rate_storage=address)
        assert statuses(one, times=2) + statuses(other, times=2) == [200, 200, 200, 429]
        assert 1 <= int(other.get(SEARCH).headers["Retry-After"]) <= 3_600


@needs_redis
def test_a_storage_that_goes_away_leaves_each_replica_counting_by_itself(
    make: Callable[..., FlaskClient], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with redis_server(tmp_path, free_port()) as address:
        client = make(rate_storage=address)
        assert statuses(client, times=1) == [200]
    assert statuses(client) == [200, 200, 200, 429]
    assert "falling back" in caplog.text and "pass-word" not in caplog.text


def test_a_storage_that_is_not_there_keeps_nobody_out(
    make: Callable[..., FlaskClient], caplog: pytest.LogCaptureFixture
) -> None:
    client = make(rate_storage=f"redis://:pass-word@127.0.0.1:{free_port()}", upload_rate_limit="9/hour")
    assert statuses(client) == [200, 200, 200, 429]
    assert any(record.levelno >= logging.WARNING for record in caplog.records)
    assert "pass-word" not in caplog.text


def test_a_storage_that_never_answers_holds_nobody_up(make: Callable[..., FlaskClient]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, ThreadPoolExecutor(1) as pool:
        client = make(rate_storage=f"redis://127.0.0.1:{silent.getsockname()[1]}")
        assert pool.submit(statuses, client, times=3).result(HANG_GUARD_S) == [200, 200, 200]
        # Only the first request waits for it; the app counts the others itself.
        assert len(accepted(silent)) <= 2


def accepted(listener: socket.socket) -> list[socket.socket]:
    """The connections that wait to be accepted, closed."""
    listener.setblocking(False)
    found: list[socket.socket] = []
    with contextlib.suppress(BlockingIOError):
        while True:
            found.append(listener.accept()[0])
    for connection in found:
        connection.close()
    return found


@pytest.mark.parametrize(
    "address", ["redis://host:no-port", "redis://[::1", "redis://:pass-word@host:99999999"]
)
def test_a_storage_that_cannot_be_is_said_without_its_password(
    settings_with: Callable[..., Settings], address: str
) -> None:
    settings = settings_with(**LIMITED, rate_storage=address)
    with pytest.raises(Invalid, match="GALLERY_RATE_STORAGE") as caught:
        create_app(settings, services=stocked(settings))
    assert "pass-word" not in str(caught.value)


@pytest.mark.parametrize("given", [{"rate_limit": "many"}, {"rate_limit": "0/minute"}, {"upload_rate_limit": "9"}, {"rate_storage": "file:///x"}, {"rate_storage": "redis://"}, {"trusted_proxies": -1}])  # fmt: skip
def test_settings_that_make_no_sense_are_refused(
    settings_with: Callable[..., Settings], given: dict[str, object]
) -> None:
    with pytest.raises(Invalid, match=next(iter(given)).upper()):
        settings_with(**given)
