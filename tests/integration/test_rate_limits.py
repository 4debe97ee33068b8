"""Rate limits: a client over its limit gets a 429 with Retry-After; others do not. The storage may fail."""

from __future__ import annotations

import contextlib
import logging
import socket
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from gallery.errors import Invalid
from gallery.settings import Settings
from serving import create_app, rate_counters
from serving.rate_limits import EXTENSION, IMAGES_PER_PAGE
from tests.fakes.collection import drawing, encoded, stocked
from tests.fakes.processes import HANG_GUARD_S, free_port, redis_server
from tests.fakes.web import app_with, upload

LIMITED = {"rate_limit": "3/hour", "upload_rate_limit": "off"}
SEARCH = "/?q=sea"


@pytest.fixture
def make(settings_with: Callable[..., Settings]) -> Callable[..., FlaskClient]:
    return lambda **given: app_with(settings_with(**{**LIMITED, **given})).test_client()


def statuses(client: FlaskClient, path: str = SEARCH, times: int = 4, **how: object) -> list[int]:
    return [client.get(path, **how).status_code for _ in range(times)]  # type: ignore[arg-type]


def who(address: str, forwarded: str = "") -> dict[str, object]:
    """Arguments of a request from that address, with X-Forwarded-For."""
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    return {"environ_base": {"REMOTE_ADDR": address}, "headers": headers}


def test_a_page_over_the_limit_is_a_429_with_retry_after(make: Callable[..., FlaskClient]) -> None:
    client = make()
    assert statuses(client) == [200, 200, 200, 429]
    answer = client.get(SEARCH)
    assert answer.mimetype == "text/html" and "Too many requests" in answer.text
    assert 1 <= int(answer.headers["Retry-After"]) <= 3_600


def test_an_api_call_over_the_limit_is_a_429_problem(make: Callable[..., FlaskClient]) -> None:
    client = make()
    assert statuses(client, "/api/v1/search?q=sea") == [200, 200, 200, 429]
    answer = client.get("/api/v1/search?q=sea")
    assert answer.mimetype == "application/problem+json" and answer.get_json()["status"] == 429
    assert 1 <= int(answer.headers["Retry-After"]) <= 3_600


def test_all_pages_share_one_limit_and_unknown_addresses_count(make: Callable[..., FlaskClient]) -> None:
    client = make()
    paths = ["/artists", "/nothing", "/api/v1/artists", "/works/none"]
    assert [client.get(path).status_code for path in paths] == [200, 404, 200, 429]


def test_static_files_and_health_are_never_limited(make: Callable[..., FlaskClient]) -> None:
    client = make(rate_limit="1/hour")
    page = client.get(SEARCH).text
    assert client.get(SEARCH).status_code == 429
    style = next(part for part in page.split('"') if part.startswith("/static/"))
    for path in (style, "/healthz", "/readyz"):
        assert statuses(client, path, 6) == [200] * 6


def test_images_have_a_larger_limit_of_their_own(make: Callable[..., FlaskClient]) -> None:
    client = make(rate_limit="1/hour")
    page = client.get(SEARCH).text
    image = next(part for part in page.split('"') if part.startswith("/images/"))
    assert statuses(client, image, IMAGES_PER_PAGE) == [200] * IMAGES_PER_PAGE
    answer = client.get(image)
    assert answer.status_code == 429 and "immutable" not in answer.headers["Cache-Control"]
    assert 1 <= int(answer.headers["Retry-After"]) <= 3_600
    assert statuses(client, image, 1, **who("192.0.2.2")) == [200]


def test_uploads_have_their_own_limit(make: Callable[..., FlaskClient]) -> None:
    client = make(rate_limit="100/hour", upload_rate_limit="2/hour")
    assert [upload(client).status_code for _ in range(3)] == [200, 200, 429]
    assert upload(client, path="/api/v1/search").status_code == 429
    assert client.post("/", data={"q": "sea"}, follow_redirects=True).status_code == 200
    assert client.get(SEARCH).status_code == 200


def test_an_upload_that_is_not_an_image_counts(make: Callable[..., FlaskClient]) -> None:
    client = make(rate_limit="off", upload_rate_limit="2/hour")
    assert [upload(client, b"none").status_code for _ in range(3)] == [415, 415, 429]


def test_off_means_no_limit(make: Callable[..., FlaskClient]) -> None:
    client = make(rate_limit="off")
    assert statuses(client, times=30) == [200] * 30
    assert upload(client, encoded(drawing("#c08020", 1))).status_code == 200


def test_the_limit_resets_after_its_window(
    make: Callable[..., FlaskClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make(rate_limit="2/minute")
    now = time.time()
    assert statuses(client, times=3)[-1] == 429
    monkeypatch.setattr("time.time", lambda: now + 61)
    assert client.get(SEARCH).status_code == 200


def test_threads_that_count_at_the_same_time_lose_nothing(
    make: Callable[..., FlaskClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_counters, "SWEEP_INTERVAL_S", 0.0)
    limiter = make().application.extensions[EXTENSION]._limiter
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for storage in (limiter._storage, limiter._fallback_storage):
            with ThreadPoolExecutor(16) as threads:
                list(threads.map(lambda place, to=storage: to.incr(f"key {place % 3}", 60), range(3_000)))
                list(threads.map(lambda place, to=storage: to.incr(f"old {place % 7}", 0), range(3_000)))
            assert [storage.get(f"key {place}") for place in range(3)] == [1_000] * 3
            storage.incr("the next", 60)
            assert len(storage._counters) == 4  # expired ones are deleted
    finally:
        sys.setswitchinterval(interval)


def test_clients_are_distinguished_by_address(make: Callable[..., FlaskClient]) -> None:
    client = make()
    assert statuses(client, **who("192.0.2.1"))[-1] == 429
    assert statuses(client, times=1, **who("192.0.2.2")) == [200]


def test_addresses_of_one_ipv6_network_are_one_client(make: Callable[..., FlaskClient]) -> None:
    client = make()
    answers = [statuses(client, times=1, **who(f"2001:db8::{n}"))[0] for n in range(1, 5)]
    assert answers == [200, 200, 200, 429]
    assert statuses(client, times=1, **who("2001:db8:0:1::1")) == [200]


def test_a_forwarded_address_is_ignored_without_a_proxy(
    make: Callable[..., FlaskClient], caplog: pytest.LogCaptureFixture
) -> None:
    client = make()
    answers = [statuses(client, times=1, **who("192.0.2.1", f"198.51.100.{n}"))[0] for n in range(4)]
    assert answers == [200, 200, 200, 429]
    assert [record.message for record in caplog.records].count(
        next(record.message for record in caplog.records if "GALLERY_TRUSTED_PROXIES" in record.message)
    ) == 1


def test_behind_a_proxy_the_address_it_reports_counts(make: Callable[..., FlaskClient]) -> None:
    client = make(trusted_proxies=1)
    assert statuses(client, **who("10.0.0.1", "198.51.100.1"))[-1] == 429
    assert statuses(client, times=1, **who("10.0.0.1", "198.51.100.2")) == [200]
    # Addresses that the client sent itself, left of the proxy's, are ignored.
    assert statuses(client, times=1, **who("10.0.0.1", "203.0.113.9, 198.51.100.1")) == [429]


def test_behind_two_proxies_the_second_from_the_right_counts(make: Callable[..., FlaskClient]) -> None:
    client = make(trusted_proxies=2)
    answers = [
        statuses(client, times=1, **who("10.0.0.1", f"203.0.113.{n}, 198.51.100.1, 10.0.0.2"))[0]
        for n in range(4)
    ]
    assert answers == [200, 200, 200, 429]


@pytest.mark.parametrize("forwarded", ["", "rubbish", ",", "a" * 5_000, "[::1", "198.51.100.1:80", "\xff"])
def test_an_invalid_forwarded_address_is_not_an_error(
    make: Callable[..., FlaskClient], forwarded: str
) -> None:
    assert statuses(make(trusted_proxies=1), times=1, **who("10.0.0.1", forwarded)) == [200]


# -- the storage


def test_replicas_with_one_storage_count_together(make: Callable[..., FlaskClient], tmp_path: Path) -> None:
    with redis_server(tmp_path, "pass-word") as address:
        one, other = make(rate_storage=address), make(rate_storage=address)
        assert statuses(one, times=2) + statuses(other, times=2) == [200, 200, 200, 429]
        assert 1 <= int(other.get(SEARCH).headers["Retry-After"]) <= 3_600


def test_each_replica_counts_on_its_own_while_the_storage_is_down(
    make: Callable[..., FlaskClient], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with redis_server(tmp_path, "pass-word") as address:
        client = make(rate_storage=address)
        assert statuses(client, times=1) == [200]
    assert statuses(client) == [200, 200, 200, 429]
    assert "falling back" in caplog.text and "pass-word" not in caplog.text


def test_requests_are_answered_without_the_storage(
    make: Callable[..., FlaskClient], caplog: pytest.LogCaptureFixture
) -> None:
    client = make(rate_storage=f"redis://:pass-word@127.0.0.1:{free_port()}", upload_rate_limit="9/hour")
    assert statuses(client) == [200, 200, 200, 429]
    assert any(record.levelno >= logging.WARNING for record in caplog.records)
    assert "pass-word" not in caplog.text


def test_requests_are_answered_when_the_storage_does_not_respond(make: Callable[..., FlaskClient]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, ThreadPoolExecutor(1) as pool:
        client = make(rate_storage=f"redis://127.0.0.1:{silent.getsockname()[1]}")
        assert pool.submit(statuses, client, times=3).result(HANG_GUARD_S) == [200, 200, 200]
        # Only the first request waits for it; the app counts the others itself.
        assert len(accepted(silent)) <= 2


def accepted(listener: socket.socket) -> list[socket.socket]:
    """Accept and close the connections that wait."""
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
def test_the_error_about_an_invalid_storage_omits_its_password(
    settings_with: Callable[..., Settings], address: str
) -> None:
    settings = settings_with(**LIMITED, rate_storage=address)
    with pytest.raises(Invalid, match="GALLERY_RATE_STORAGE") as caught:
        create_app(settings, services=stocked(settings))
    assert "pass-word" not in str(caught.value)


@pytest.mark.parametrize(
    "given",
    [
        {"rate_limit": "many"},
        {"rate_limit": "0/minute"},
        {"upload_rate_limit": "9"},
        {"rate_storage": "file:///x"},
        {"rate_storage": "redis://"},
        {"trusted_proxies": -1},
    ],
)
def test_invalid_settings_are_rejected(
    settings_with: Callable[..., Settings], given: dict[str, object]
) -> None:
    with pytest.raises(Invalid, match=next(iter(given)).upper()):
        settings_with(**given)
