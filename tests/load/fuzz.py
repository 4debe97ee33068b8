"""Send hostile images and requests to a running server, and report errors, times and memory.

    GALLERY_RATE_LIMIT=off GALLERY_UPLOAD_RATE_LIMIT=off gallery serve &
    python -m tests.load.fuzz --pid $! --images 2000 --requests 3000

The exit code is 1 if there is a 5xx without Retry-After, a response after more than MAX_S, one of /healthz
after more than MAX_HEALTH_S, or more than MAX_GROWTH_MB of growth. Times mean something on an idle machine
only; the load is reported.
"""

from __future__ import annotations

import http.client
import json
import multiprocessing
import os
import random
import string
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Event as EventType
from pathlib import Path
from typing import Any
from urllib.parse import quote_from_bytes, urlencode

import click

from gallery.images.decode import FORMATS
from tests.fakes.servers import upload_form
from tests.integration.hostile_input.files import mutated, seeds

MAX_S = 2.0
MAX_HEALTH_S = 0.1
MAX_GROWTH_MB = 300
LARGER_SIDE = 640
"""Side of every fourth image, in pixels."""
TIMEOUT_S = 60
FORM, MULTIPART, JSON = (
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=b",
    "application/json",
)
PATHS = (
    *("/", "/artists", "/artists/ada-amber", "/works/x", "/works/%00", "/map", "/map/x", "/readyz", "//x"),
    *("/images/originals/x.jpg", "/static/x/y.css", "/%2e%2e/x", "/%ff", "/api", "/api/v1/search"),
    *("/api/v1/works", "/api/v1/works/x", "/api/v1/works/x/similar", "/api/v1/artists", "/api/v1/facets"),
    *("/api/v1/builds/live", "/api/v1/openapi.json"),
)
FIELDS = (
    *(
        "q",
        "q_weight",
        "exclude",
        "image",
        "image_weight",
        "like",
        "unlike",
        "like_weight",
        "artist",
        "style",
    ),
    *("nationality", "exclude_artist", "active_from", "active_to", "per_artist", "limit", "offset", "cursor"),
    *("drop", "work", "x", "y", "w", "h", "lang", "k", "filters", "images", "data", "token", "crop", "id"),
)
VALUES: tuple[Any, ...] = (
    *("sea", "", " ", "0", "-1", "1e309", "nan", "9" * 400, "\0", "\u202e", "\ud83c", "a" * 9_000, "%00"),
    *("'; --", "<b>", "é", "٣", "\r\nX: y", 0, 1, -1, 10**30, 1e308, 0.5, True, None, [], {}, [[]]),
)
HEADERS: dict[str, tuple[str, ...]] = {
    "Host": ("", "x", "xn--99999999999", "a b", "[::", "user@host", "x" * 300, "\xff", "a:99999999"),
    "Accept": ("application/json", "*/*;q=nan", ", ".join(["a/b;q=0.1"] * 500), "\xff"),
    "Accept-Language": ("de", "de;q=x", ",".join(["en"] * 2_000), "-" * 500, "\xff"),
    "Accept-Encoding": ("gzip", "gzip;q=0", "br;q=2,*;q=x", ",".join(["gzip"] * 2_000)),
    "If-None-Match": ("*", '"x"', "W/", ", ".join(['"a"'] * 3_000), "\xff"),
    "If-Modified-Since": ("yesterday", "Thu, 01 Jan 99999 00:00:00 GMT"),
    "Range": (
        "bytes=0-",
        "bytes=" + ",".join(["0-0"] * 2_000),
        "bytes=9-1",
        "x=1",
        "bytes=" + "9" * 400 + "-",
    ),
    "Content-Type": (
        FORM,
        MULTIPART,
        JSON,
        "",
        "multipart/form-data",
        "text/plain; charset=utf-7",
        "x" * 5_000,
    ),
    "Content-Encoding": ("gzip", "deflate", "x"),
    "X-Forwarded-For": ("1.2.3.4", "x", ",".join(["1.2.3.4"] * 2_000)),
    "Cookie": ("a=b", "a=" * 10_000),
    "Origin": ("null", "https://evil.example", "\xff"),
    "HX-Target": ("main", "x" * 500),
    "Expect": ("100-continue", "x"),
    "Authorization": ("Basic x", "Bearer " + "x" * 10_000),
}


@dataclass(frozen=True)
class Sent:
    """A request: kind, method, address, body and headers."""

    kind: str
    method: str
    target: str
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


@dataclass
class Report:
    """What happened, by kind of request."""

    statuses: Counter[str] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)
    slow: list[str] = field(default_factory=list)
    longest_s: float = 0.0


def images(count: int, chance: random.Random) -> Iterator[Sent]:
    """Yield uploads of mutated files, each format in turn, to the pages and the API."""
    small, large = seeds(), seeds(LARGER_SIDE)
    everything = [data for kind in small.values() for data in kind]
    for number in range(count):
        name = FORMATS[number % len(FORMATS)]
        whole = large if chance.random() < 0.25 else small
        data = mutated(chance.choice(whole[name]), chance, chance.choice(everything))
        target = chance.choice(("/", "/api/v1/search"))
        yield Sent(name, "POST", target, upload_form(data), (("Content-Type", MULTIPART),))


def requests(count: int, chance: random.Random) -> Iterator[Sent]:
    """Yield requests with odd addresses, forms, JSON and headers."""
    makers = (_address, _form, _parts, _json, _json, _bytes)
    for _ in range(count):
        sent = chance.choice(makers)(chance)
        odd = chance.sample(sorted(HEADERS), chance.choice((0, 0, 1, 2, 5)))
        given = {**dict(sent.headers), **{name: chance.choice(HEADERS[name]) for name in odd}}
        yield Sent(sent.kind, sent.method, sent.target, sent.body, tuple(given.items()))


def _name(chance: random.Random) -> str:
    return chance.choice(FIELDS) if chance.random() < 0.8 else "".join(chance.choices(string.printable, k=5))


def _pairs(chance: random.Random, most: int) -> list[tuple[str, str]]:
    count = chance.choice((1, 3, 10, most))
    return [(_name(chance), str(chance.choice(VALUES))) for _ in range(count)]


def _address(chance: random.Random) -> Sent:
    method = chance.choice(("GET", "GET", "GET", "HEAD", "OPTIONS", "DELETE", "PUT", "PATCH", "X"))
    query = urlencode(_pairs(chance, 300), errors="replace")[: chance.choice((500, 7_000, 20_000))]
    return Sent("address", method, f"{chance.choice(PATHS)}?{query}")


def _form(chance: random.Random) -> Sent:
    body = urlencode(_pairs(chance, 20_000), errors="replace").encode()
    return Sent("form", "POST", chance.choice(("/", "/api/v1/search")), body, (("Content-Type", FORM),))


def _parts(chance: random.Random) -> Sent:
    names = (
        '; filename=""',
        '; filename="a.jpg"',
        "",
        '; filename="\xff"',
        "; filename*=x''%ff",
        "; " + "x" * 2_000,
    )
    body = b"".join(
        b'--b\r\nContent-Disposition: form-data; name="%b"%b\r\n\r\n%b\r\n'
        % (
            name.encode("utf-8", "replace"),
            chance.choice(names).encode("latin-1"),
            value.encode("utf-8", "replace"),
        )
        for name, value in _pairs(chance, 1_000)
    )
    return Sent(
        "parts",
        "POST",
        chance.choice(("/", "/api/v1/search")),
        body + b"--b--\r\n",
        (("Content-Type", MULTIPART),),
    )


def _json(chance: random.Random) -> Sent:
    def value(depth: int) -> Any:
        match chance.randrange(4 if depth else 1):
            case 0 | 1:
                return chance.choice(VALUES)
            case 2:
                return [value(depth - 1) for _ in range(chance.choice((1, 3, 30)))]
            case _:
                return {_name(chance): value(depth - 1) for _ in range(chance.choice((1, 3, 30)))}

    extreme = chance.choice((10, 1_000, 100_000, 900_000))
    body = chance.choice(
        (
            lambda: json.dumps({_name(chance): value(3) for _ in range(5)}),
            lambda: json.dumps({_name(chance): value(2) for _ in range(5)}),
            lambda: json.dumps({f"{number:x}": 0 for number in range(extreme)}),
            lambda: '{"images": ' + "[" * extreme + "]" * extreme + "}",
            lambda: '{"q": ' * extreme + "1" + "}" * extreme,
            lambda: json.dumps({"images": [{"data": "A" * extreme, "x": 0}] * 5}),
            lambda: json.dumps({"like": [{"id": "x"}] * (extreme // 10)}),
            lambda: '{"q": "sea", "limit": ' + "9" * extreme + "}",
            lambda: json.dumps({"q": "sea"}) * 3,
        )
    )()
    return Sent(
        "JSON", "POST", "/api/v1/search", body.encode("utf-8", "surrogatepass"), (("Content-Type", JSON),)
    )


def _bytes(chance: random.Random) -> Sent:
    body = chance.randbytes(chance.choice((0, 10, 1_000, 70_000)))
    target = chance.choice(PATHS) + "?" + quote_from_bytes(chance.randbytes(20))
    return Sent("bytes", "POST", target, body, (("Content-Type", chance.choice(HEADERS["Content-Type"])),))


def send(port: int, sent: Sent) -> tuple[int, bool]:
    """Return the status, and whether the response has Retry-After; 0 if the server closed the connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    names = [name for name, _ in sent.headers]
    try:
        connection.putrequest(sent.method, sent.target, skip_host="Host" in names, skip_accept_encoding=True)
        for name, value in sent.headers:
            connection.putheader(name, value.encode("latin-1"))
        if sent.body or sent.method == "POST":
            connection.putheader("Content-Length", str(len(sent.body)))
        connection.endheaders(sent.body)
        response = connection.getresponse()
        response.read()
        return response.status, response.headers["Retry-After"] is not None
    except (BrokenPipeError, ConnectionResetError, http.client.BadStatusLine):
        return 0, False
    finally:
        connection.close()


def memory_mb(pid: int) -> tuple[float, float]:
    """Return the resident memory of the process now and at its peak, in MB."""
    facts = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return tuple(int(facts[name].split()[0]) / 1_000 for name in ("VmRSS", "VmHWM"))  # type: ignore[return-value]


def watch(port: int, over: EventType, longest_s: Synchronized[float]) -> None:
    """Measure /healthz until the event is set, in a process that making requests does not delay."""
    while not over.wait(0.2):
        started = time.monotonic()
        send(port, Sent("health", "GET", "/healthz"))
        longest_s.value = max(longest_s.value, time.monotonic() - started)


@click.command()
@click.option("--pid", type=int, required=True, help="Process of the server.")
@click.option("--port", type=int, default=8000, show_default=True)
@click.option("--images", "image_count", default=2_000, show_default=True)
@click.option("--requests", "request_count", default=3_000, show_default=True)
@click.option("--clients", default=2, show_default=True)
@click.option("--seed", default=1, show_default=True)
def main(pid: int, port: int, image_count: int, request_count: int, clients: int, seed: int) -> None:
    chance, report, lock, over = random.Random(seed), Report(), threading.Lock(), multiprocessing.Event()
    todo = chain(images(image_count, chance), requests(request_count, chance))
    for number, data in enumerate(seeds().values()):  # so that caches and libraries do not count as growth
        send(port, Sent("warm-up", "GET", f"/?q=sea+{number}"))
        send(port, Sent("warm-up", "POST", "/", upload_form(data[0]), (("Content-Type", MULTIPART),)))
    before = memory_mb(pid)[0]

    def take() -> Sent | None:
        with lock:
            return next(todo, None)

    def work() -> None:
        for sent in iter(take, None):
            started = time.monotonic()
            status, may_retry = send(port, sent)
            seconds = time.monotonic() - started
            shown = (
                f"{status} {seconds:.1f} s {sent.kind} {sent.method} {sent.target[:60]} {sent.body[:60]!r}"
            )
            shown += f" of {len(sent.body)} {str(sent.headers)[:200]}"
            with lock:
                report.statuses[f"{'image' if sent.kind in FORMATS else sent.kind} {status}"] += 1
                report.longest_s = max(report.longest_s, seconds)
                if seconds > MAX_S:
                    report.slow.append(shown)
                if status >= 500 and not may_retry:
                    report.errors.append(shown)

    threads = [threading.Thread(target=work) for _ in range(clients)]
    health_s = multiprocessing.Value("d", 0.0)
    watcher = multiprocessing.Process(target=watch, args=(port, over, health_s))
    watcher.start()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    over.set()
    watcher.join()
    now, peak = memory_mb(pid)
    for name, count in sorted(report.statuses.items()):
        print(f"{count:6} {name}")
    print(*report.errors, *sorted(report.slow)[:20], sep="\n")
    print(f"longest {report.longest_s:.2f} s, {len(report.slow)} over {MAX_S:g} s")
    print(f"longest of /healthz {health_s.value:.2f} s; load {os.getloadavg()[0]:.1f}")
    print(f"memory {before:.0f} MB, then {now:.0f} MB, peak {peak:.0f} MB")
    held_up = health_s.value > MAX_HEALTH_S
    sys.exit(bool(report.errors or report.slow or held_up or now - before > MAX_GROWTH_MB))


if __name__ == "__main__":
    main()
