"""A fake of Kaggle's API for one dataset, for the real SDK in its TEST environment.

It serves the newest version's number, and each version as a redirect to a signed address of a storage
service, which takes byte ranges and no credentials. Faults are set with `fail`, or from another process:

    python -m tests.fakes.kaggle --archive ZIP [--port 7777] [--version 1] [--dataset OWNER/NAME] [--token T]

    curl -X POST localhost:7777/control -d '{"fail": "storage", "how": "cut", "at": 0.4, "times": 1}'
    curl -X POST localhost:7777/control -d '{"publish": "/path/to/new.zip", "version": 2}'
    curl -X POST localhost:7777/control -d '{"clear": true}'
    curl localhost:7777/control          # the requests so far, as JSON
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

import pytest
from kagglesdk import kaggle_env
from kagglesdk.kaggle_env import KaggleEnv

PORT = 7777
"""The port of the SDK's TEST environment. No setting changes it, but requests can be sent elsewhere: in this
process by `redirect_sdk`, in others through `sdk_environment`."""
DATASET = "ikarus777/best-artworks-of-all-time"
SERVICE = "/api/v1/datasets.DatasetApiService/"
SIGNATURE = "5ign4ture0fTheSt0rage"
"""Must not appear in any log or message."""
CHUNK = 1 << 16

Place = Literal["GetDataset", "DownloadDataset", "storage"]
How = Literal["status", "refuse", "half", "cut", "stall", "page", "damage", "huge", "unsized", "other-range"]


@dataclass
class Fault:
    """What goes wrong with the next `times` requests at a place.

    status: answer with `status` and `headers`.  refuse: reset the connection.  half: reset it within the
    headers (not for the archive).  cut: close the connection at the share `at` of the archive.  stall: send
    up to there, then nothing.  page: a web page.  damage: change a byte in the middle.  huge: announce
    `length` bytes.  unsized: announce no length.  other-range: send another range than requested.
    """

    place: Place
    how: How
    times: int = 1
    status: int = 500
    headers: Mapping[str, str] = field(default_factory=dict)
    at: float = 0.4
    length: int = 0
    code_in_body: bool = False
    """Answer 200, with the status in the body only."""


@dataclass
class Seen:
    """A request: its place, range and version, and the number of bytes sent back."""

    place: str
    range: str | None = None
    version: int | None = None
    sent: int = 0


def sdk_environment(port: int, token: str) -> dict[str, str]:
    """Return variables that send the SDK of another process to a server at this port, as its proxy."""
    proxy, direct = f"http://127.0.0.1:{port}", "127.0.0.1"
    return {
        "KAGGLE_API_TOKEN": token,
        "KAGGLE_API_ENVIRONMENT": "TEST",
        "HTTP_PROXY": proxy,
        "http_proxy": proxy,
        "NO_PROXY": direct,
        "no_proxy": direct,
    }


class FakeKaggle:
    """The server, as a context manager; serves from threads of this process.

    Accepts the credentials `token` and `pair`; without either, any credentials.
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
        """Requests that met a fault since `clear`."""
        self._lock = threading.Lock()
        try:
            self.http = _Server(("127.0.0.1", port), _Handler)
        except OSError as error:
            raise RuntimeError(
                f"cannot listen on port {port} ({error.strerror}), which Kaggle's SDK needs in its TEST "
                "environment; is another run of these tests using it?"
            ) from error
        self.http.fake = self
        self.port = self.http.server_port
        self._thread = threading.Thread(
            target=self.http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )

    def redirect_sdk(self, patch: pytest.MonkeyPatch) -> None:
        """Send the SDK's requests in this process to this server, whatever its port."""
        patch.setitem(kaggle_env._env_to_endpoint, KaggleEnv.TEST, f"http://localhost:{self.port}")

    def publish(self, version: int, archive: Path) -> None:
        """Publish the archive as this version, which becomes the newest."""
        digest = hashlib.md5(f"{version}".encode())
        with archive.open("rb") as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
        self.archives[version] = (archive, f'"{digest.hexdigest()}"')
        self.newest = version

    def fail(self, place: Place, how: How, **more: Any) -> None:
        """Add a fault for the next requests at a place; see `Fault`."""
        with self._lock:
            self._faults.append(Fault(place, how, **more))

    def clear(self) -> None:
        """Remove all faults, and forget the requests seen."""
        with self._lock:
            self._faults.clear()
            self.seen.clear()
            self.met = 0

    def note(self, seen: Seen) -> Fault | None:
        """Record a request; return the fault that it meets, if any."""
        with self._lock:
            self.seen.append(seen)
            for fault in self._faults:
                if fault.place == seen.place and fault.times > 0:
                    fault.times -= 1
                    self.met += 1
                    return fault
        return None

    def at(self, place: Place) -> list[Seen]:
        """Return the requests seen at a place, in order."""
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
    fake: FakeKaggle
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        return  # a client that closed the connection


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        return

    def parse_request(self) -> bool:
        parsed = super().parse_request()
        if parsed:
            self.path = re.sub(r"^http://[^/]+", "", self.path)  # a proxy is asked for a whole address
        return parsed

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
            self._json(200, {"seen": [asdict(seen) for seen in self.server.fake.seen]})
        elif self.path.startswith("/storage/"):
            self._storage()
        else:
            self._refuse(404)

    def _control(self, body: dict[str, Any]) -> None:
        fake = self.server.fake
        try:
            if "publish" in body:
                fake.publish(int(body["version"]), Path(body["publish"]))
            elif "fail" in body:
                fake.fail(body.pop("fail"), body.pop("how"), **body)
            elif body.get("clear"):
                fake.clear()
            else:
                raise ValueError("none of publish, fail, clear")
        except (KeyError, TypeError, ValueError, OSError) as error:
            self._json(400, {"error": str(error)})
        else:
            self._json(200, {})

    def _service(self, name: str, body: dict[str, Any]) -> None:
        fake = self.server.fake
        version = body.get("datasetVersionNumber")
        fault = fake.note(Seen(name, self.headers.get("Range"), version))
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
            fake.stopping.wait(30)
        elif fault and fault.how in ("refuse", "half"):
            self._reset(b"HTTP/1.1 302 Found\r\nLocat" if fault.how == "half" else b"")
        elif fault and fault.how == "cut":
            self.close_connection = True
        elif f"{body.get('ownerSlug')}/{body.get('datasetSlug')}" != fake.dataset:
            self._refuse(404)
        elif name == "GetDataset":
            self._json(200, {"id": 1, "ref": fake.dataset, "title": "x", "currentVersionNumber": fake.newest})
        elif name == "DownloadDataset" and (version or fake.newest) in fake.archives:
            self.send_response(302)
            # Another name of this machine, because the real storage is another host.
            where = f"http://127.0.0.1:{self.server.server_port}/storage/{version or fake.newest}.zip"
            self.send_header("Location", f"{where}?X-Goog-Signature={SIGNATURE}")
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self._refuse(404)

    def _known(self) -> bool:
        fake, given = self.server.fake, self.headers.get("Authorization", "")
        good = [f"Bearer {fake.token}"] if fake.token else []
        if fake.pair:
            good.append("Basic " + base64.b64encode(":".join(fake.pair).encode()).decode())
        return given in good if good else bool(given)

    def _storage(self) -> None:
        fake = self.server.fake
        version = int(re.sub(r"\D", "", urlsplit(self.path).path))
        seen = Seen("storage", self.headers.get("Range"), version)
        fault = fake.note(seen)
        if f"X-Goog-Signature={SIGNATURE}" not in self.path or self.headers.get("Authorization"):
            self._refuse(400)  # as the real one does for two kinds of credentials
            return
        if fault and fault.how == "status":
            self._refuse(fault.status, fault.headers)
        elif fault and fault.how == "page":
            self._page()
        elif fault and fault.how == "refuse":
            self._reset()
        else:
            self._send_archive(seen, *fake.archives[version], fault)

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
                seen.sent += len(chunk)  # before the client gets it and a test looks
                self.wfile.write(chunk)
        if how == "stall":
            self.server.fake.stopping.wait(30)
        if how in ("cut", "huge", "stall"):
            self.close_connection = True

    def _json(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        self._send(status, "application/json", json.dumps(body).encode(), headers)

    def _refuse(self, status: int, headers: Mapping[str, str] | None = None) -> None:
        self._json(status, {"code": status, "message": f"refused with {status}"}, headers)

    def _reset(self, first: bytes = b"") -> None:
        """Send the bytes and reset the connection."""
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
    """Serve until the process ends."""
    parser = argparse.ArgumentParser(description="A fake of Kaggle's API.")
    parser.add_argument("--archive", type=Path, required=True)
    parser.add_argument("--port", type=int, default=PORT)
    parser.add_argument("--version", type=int, default=1)
    parser.add_argument("--dataset", default=DATASET)
    parser.add_argument("--token", default=None, help="the only access token that is accepted")
    given = parser.parse_args()
    with FakeKaggle(dataset=given.dataset, port=given.port, token=given.token) as fake:
        fake.publish(given.version, given.archive)
        print(
            f"serving {given.dataset}, version {given.version}, on port {given.port} (pid {os.getpid()})",
            flush=True,
        )
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
