"""A small server with the shape of Kaggle's API, for the real client in its TEST environment.

It answers what is asked about one dataset: its newest version, and the download of any, as a redirect to a storage
address with a signature, which takes no credentials but byte ranges. Faults are switched on in-process with `fail`, or
from another process:

    python -m tests.fakes.kaggle --archive ZIP [--port 7777] [--version 1] [--dataset OWNER/NAME] [--token TOKEN]

    curl -X POST localhost:7777/control -d '{"fail": "storage", "how": "cut", "at": 0.4, "times": 1}'
    curl -X POST localhost:7777/control -d '{"publish": "/path/to/new.zip", "version": 2}'
    curl -X POST localhost:7777/control -d '{"clear": true}'
    curl localhost:7777/control          # what was asked so far, as JSON
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import hashlib
import json
import os
import re
import socket
import struct
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Literal
from urllib.parse import urlsplit

PORT = 7777
"""The port that the client's TEST environment asks at; nothing can change it."""
DATASET = "ikarus777/best-artworks-of-all-time"
SERVICE = "/api/v1/datasets.DatasetApiService/"
SIGNATURE = "5ign4ture0fTheSt0rage"
"""What no log or message may repeat."""
CHUNK = 1 << 16

Place = Literal["GetDataset", "DownloadDataset", "storage"]
How = Literal["status", "refuse", "half", "cut", "stall", "page", "damage", "huge", "unsized", "other-range"]


@dataclass
class Fault:
    """What goes wrong at a place for the next `times` requests there.

    status: answers with `status` and `headers`.  refuse: resets the connection.  half: resets it in the middle of the
    headers, but not of the archive's, which are cut.  cut: closes the connection at the share `at` of the archive.
    stall: sends up to there and then nothing.  page: a web page.  damage: a byte in the middle is another one.
    huge: announces `length` bytes.  unsized: announces no length.  other-range: a part that was not asked for.
    """

    place: Place
    how: How
    times: int = 1
    status: int = 500
    headers: Mapping[str, str] = field(default_factory=dict)
    at: float = 0.4
    length: int = 0
    code_in_body: bool = False
    """Answer 200 and tell the status in the body only."""


@dataclass
class Seen:
    """A request: the place, the range it asked for, the version it asked for or of, and the bytes sent back."""

    place: str
    range: str | None = None
    version: int | None = None
    sent: int = 0


class FakeKaggle:
    """The server; a context manager that serves from threads of this process.

    Credentials that are not `token` or `pair` are refused; without either any will do, but none will not.
    """

    def __init__(
        self,
        *,
        dataset: str = DATASET,
        port: int = PORT,
        token: str | None = None,
        pair: tuple[str, str] | None = None,
    ) -> None:
        self.dataset, self.token, self.pair = dataset, token, pair
        self.seen: list[Seen] = []
        self.archives: dict[int, tuple[Path, str]] = {}
        self.newest = 0
        self.stopping = threading.Event()
        self._faults: list[Fault] = []
        self.met = 0
        """Requests that met a fault since they were last cleared."""
        self._lock = threading.Lock()
        try:
            self.http = _Server(("127.0.0.1", port), _Handler)
        except OSError as error:
            raise RuntimeError(
                f"port {port} cannot be had ({error.strerror}); Kaggle's client asks there in its TEST environment, "
                "so end what holds it, another run of these tests perhaps"
            ) from error
        self.http.standin = self
        self._thread = threading.Thread(
            target=self.http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )

    def publish(self, version: int, archive: Path) -> None:
        """Make the archive the content of the version, and the version the newest."""
        digest = hashlib.md5(f"{version}".encode())
        with archive.open("rb") as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
        self.archives[version] = (archive, f'"{digest.hexdigest()}"')
        self.newest = version

    def fail(self, place: Place, how: How, **more: Any) -> None:
        """Let the next requests there go wrong; see `Fault`."""
        with self._lock:
            self._faults.append(Fault(place, how, **more))

    def clear(self) -> None:
        """No more faults, and nothing seen yet."""
        with self._lock:
            self._faults.clear()
            self.seen.clear()
            self.met = 0

    def note(self, seen: Seen) -> Fault | None:
        """Write a request down; the fault that it shall meet, if any."""
        with self._lock:
            self.seen.append(seen)
            for fault in self._faults:
                if fault.place == seen.place and fault.times > 0:
                    fault.times -= 1
                    self.met += 1
                    return fault
        return None

    def at(self, place: Place) -> list[Seen]:
        """The requests seen at a place, in order."""
        return [seen for seen in self.seen if seen.place == place]

    def __enter__(self) -> FakeKaggle:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopping.set()
        self.http.shutdown()
        self._thread.join()
        self.http.server_close()


class _Server(ThreadingHTTPServer):
    standin: FakeKaggle
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        return  # a client that hung up; what matters is seen at its side


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        return

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or "{}")
        if self.path == "/control":
            self._control(body)
        elif self.path.startswith(SERVICE):
            self._service(self.path.removeprefix(SERVICE), body)
        else:
            self._refuse(404)

    def do_GET(self) -> None:
        if self.path == "/control":
            self._json(200, {"seen": [asdict(seen) for seen in self.server.standin.seen]})
        elif self.path.startswith("/storage/"):
            self._storage()
        else:
            self._refuse(404)

    def _control(self, body: dict[str, Any]) -> None:
        standin = self.server.standin
        try:
            if "publish" in body:
                standin.publish(int(body["version"]), Path(body["publish"]))
            elif "fail" in body:
                standin.fail(body.pop("fail"), body.pop("how"), **body)
            elif body.get("clear"):
                standin.clear()
            else:
                raise ValueError("none of publish, fail, clear")
        except (KeyError, TypeError, ValueError, OSError) as error:
            self._json(400, {"error": str(error)})
        else:
            self._json(200, {})

    def _service(self, name: str, body: dict[str, Any]) -> None:
        standin = self.server.standin
        version = body.get("datasetVersionNumber")
        fault = standin.note(Seen(name, self.headers.get("Range"), version))
        if not self._known():
            self._refuse(401)
        elif fault and fault.how == "status":
            if fault.code_in_body:
                self._json(200, {"code": fault.status, "message": "no"})
            else:
                self._refuse(fault.status, fault.headers)
        elif fault and fault.how == "page":
            self._page()
        elif fault and fault.how == "stall":
            standin.stopping.wait(30)
        elif fault and fault.how in ("refuse", "half"):
            self._reset(b"HTTP/1.1 302 Found\r\nLocat" if fault.how == "half" else b"")
        elif fault and fault.how == "cut":
            self.close_connection = True
        elif f"{body.get('ownerSlug')}/{body.get('datasetSlug')}" != standin.dataset:
            self._refuse(404)
        elif name == "GetDataset":
            self._json(
                200, {"id": 1, "ref": standin.dataset, "title": "x", "currentVersionNumber": standin.newest}
            )
        elif name == "DownloadDataset" and (version or standin.newest) in standin.archives:
            self.send_response(302)
            # By another name of this machine, as the real storage is another host.
            where = f"http://127.0.0.1:{self.server.server_port}/storage/{version or standin.newest}.zip"
            self.send_header("Location", f"{where}?X-Goog-Signature={SIGNATURE}")
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self._refuse(404)

    def _known(self) -> bool:
        standin, given = self.server.standin, self.headers.get("Authorization", "")
        good = [f"Bearer {standin.token}"] if standin.token else []
        if standin.pair:
            good.append("Basic " + base64.b64encode(":".join(standin.pair).encode()).decode())
        return given in good if good else bool(given)

    def _storage(self) -> None:
        standin = self.server.standin
        version = int(re.sub(r"\D", "", urlsplit(self.path).path))
        seen = Seen("storage", self.headers.get("Range"), version)
        fault = standin.note(seen)
        if f"X-Goog-Signature={SIGNATURE}" not in self.path or self.headers.get("Authorization"):
            self._refuse(400)  # as the real one does where it gets two kinds of credentials
            return
        if fault and fault.how == "status":
            self._refuse(fault.status, fault.headers)
        elif fault and fault.how == "page":
            self._page()
        elif fault and fault.how == "refuse":
            self._reset()
        else:
            self._send_archive(seen, *standin.archives[version], fault)

    def _send_archive(self, seen: Seen, path: Path, tag: str, fault: Fault | None) -> None:
        how = fault.how if fault else None
        size = path.stat().st_size
        asked = re.fullmatch(r"bytes=(\d+)-", seen.range or "")
        start = int(asked[1]) if asked and self.headers.get("If-Range", tag) == tag else 0
        if start >= size:
            self._refuse(416)
            return
        self.send_response(206 if start else 200)
        if start:
            first = start - 1 if how == "other-range" else start
            self.send_header("Content-Range", f"bytes {first}-{size - 1}/{size}")
        if how == "unsized":
            self.send_header("Connection", "close")
            self.close_connection = True
        else:
            self.send_header("Content-Length", str(fault.length if fault and how == "huge" else size - start))
        self.send_header("Content-Type", "application/zip")
        self.send_header("ETag", tag)
        self.send_header("Accept-Ranges", "bytes")
        self.end_headers()
        end = int(size * fault.at) if fault and how in ("cut", "stall") else size
        with path.open("rb") as file:
            file.seek(start)
            while file.tell() < end:
                chunk = bytearray(file.read(min(CHUNK, end - file.tell())))
                place = size // 2 - (file.tell() - len(chunk))
                if how == "damage" and 0 <= place < len(chunk):
                    chunk[place] ^= 0xFF
                seen.sent += len(chunk)  # before the client can have got it, and a test look
                self.wfile.write(chunk)
        if how == "stall":
            self.server.standin.stopping.wait(30)
        if how in ("cut", "huge", "stall"):
            self.close_connection = True

    def _json(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        self._send(status, "application/json", json.dumps(body).encode(), headers)

    def _refuse(self, status: int, headers: Mapping[str, str] | None = None) -> None:
        self._json(status, {"code": status, "message": f"refused with {status}"}, headers)

    def _reset(self, first: bytes = b"") -> None:
        """Close the connection with a reset, after the bytes."""
        self.wfile.write(first)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def _page(self) -> None:
        self._send(200, "text/html", b"<!doctype html><title>Log in</title>" + b"<p>please</p>" * 100)

    def _send(self, status: int, kind: str, data: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {
            **(headers or {}),
            "Content-Type": kind,
            "Content-Length": str(len(data)),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)


def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(description="A stand-in for Kaggle's API.")
    parser.add_argument("--archive", type=Path, required=True)
    parser.add_argument("--port", type=int, default=PORT)
    parser.add_argument("--version", type=int, default=1)
    parser.add_argument("--dataset", default=DATASET)
    parser.add_argument("--token", default=None, help="the only access token that is accepted")
    given = parser.parse_args()
    with FakeKaggle(dataset=given.dataset, port=given.port, token=given.token) as standin:
        standin.publish(given.version, given.archive)
        print(
            f"serving {given.dataset}, version {given.version}, on port {given.port} (pid {os.getpid()})",
            flush=True,
        )
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
