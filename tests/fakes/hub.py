"""A fake Hugging Face hub: the responses that finding and fetching a model need."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@contextmanager
def serving_model(repository: str, folder: Path) -> Iterator[str]:
    """Run a hub with one model, whose files are in the folder, until the block ends; yield its address."""
    files = {
        file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()
    }

    class Hub(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.answer(with_body=False)

        def do_GET(self) -> None:
            self.answer(with_body=True)

        def answer(self, *, with_body: bool) -> None:
            path = self.path.split("?")[0]
            if path.startswith(f"/api/models/{repository}/tree/"):
                entries = [
                    {"type": "file", "path": name, "size": len(body), "oid": _tag(body)}
                    for name, body in files.items()
                ]
                self.send(json.dumps(entries).encode(), with_body)
            elif path.startswith(f"/api/models/{repository}"):
                siblings = [{"rfilename": name} for name in files]
                model = {"id": repository, "sha": COMMIT, "siblings": siblings}
                self.send(json.dumps(model).encode(), with_body)
            elif path.startswith(f"/{repository}/resolve/") and path.split("/", 5)[5] in files:
                self.send(files[path.split("/", 5)[5]], with_body)
            else:
                self.send_response(404)
                self.send_header("X-Error-Code", "RepoNotFound")
                self.send_header("Content-Length", "0")
                self.end_headers()

        def send(self, body: bytes, with_body: bool) -> None:
            self.send_response(200)
            self.send_header("ETag", f'"{_tag(body)}"')
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if with_body:
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def _tag(body: bytes) -> str:
    return hashlib.sha1(body).hexdigest()
