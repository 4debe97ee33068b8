"""`python -m tests.fakes.weaviate --port-file F [--api-key KEY ...] [--search-key KEY ...]`

Writes "REST-port gRPC-port" to the file once it listens, and runs until it is terminated. On the REST port,
`POST /_faults {"call": "BatchObjects", "fault": "500", "times": 3}` adds a fault; `DELETE /_faults` clears.
"""

from __future__ import annotations

import argparse
import signal
import threading
from pathlib import Path

from tests.fakes.weaviate import FakeWeaviate


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fakes.weaviate")
    parser.add_argument("--port-file", type=Path, required=True)
    parser.add_argument("--api-key", action="append", default=[], help="a key that may do all")
    parser.add_argument("--search-key", action="append", default=[], help="a key that may only read")
    parser.add_argument("--version", default="1.40.2")
    given = parser.parse_args()
    keys = {**dict.fromkeys(given.api_key, "loader"), **dict.fromkeys(given.search_key, "search")}
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with FakeWeaviate(version=given.version, keys=keys) as server:
        unfinished = given.port_file.with_suffix(".part")
        unfinished.write_text(f"{server.ports[0]} {server.ports[1]}\n", "utf-8")
        unfinished.replace(given.port_file)
        stop.wait()


if __name__ == "__main__":
    main()
