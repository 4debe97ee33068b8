"""REST: meta, schema, aliases, and `/_faults`, which only the fake has."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from tests.fakes.weaviate.data import Data, Refused, capital

if TYPE_CHECKING:
    from tests.fakes.weaviate.server import FakeWeaviate

Answer = tuple[int, Any]


def handler_of(server: FakeWeaviate) -> type[BaseHTTPRequestHandler]:
    """Return the request handler class of a fake server."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # the client keeps connections open
        disable_nagle_algorithm = True  # headers and body are two writes: else the second waits 40 ms

        def log_message(self, *args: Any) -> None:
            pass

        def any_verb(self) -> None:
            raw = self.rfile.read(int(self.headers.get("content-length") or 0))
            body = json.loads(raw) if raw else None
            if server.stopping.is_set():  # the client kept this connection open
                self._hang_up()
                return
            parts = [unquote(part) for part in urlsplit(self.path).path.strip("/").split("/")]
            try:
                if parts == ["_faults"]:
                    self._switch(body)
                    return
                self._answer(parts[1:], body)
            except Refused as refused:
                self._send(refused.status, {"error": [{"message": refused.message}]})

        do_GET = do_POST = do_PUT = do_DELETE = any_verb

        def _switch(self, body: Any) -> None:
            if self.command == "DELETE":
                server.faults.clear()
            else:
                try:
                    server.faults.add(**body)
                except (TypeError, ValueError) as error:
                    raise Refused(400, str(error)) from error
            self._send(200, {})

        def _answer(self, parts: list[str], body: Any) -> None:
            call = parts[-1] if parts[0] == ".well-known" else parts[0]
            server.calls.append(f"{self.command} {'/'.join(parts)}")
            fault = server.faults.next(call, f"{self.command} {call}")
            kind = fault.kind if fault else ""
            if kind == "refuse":
                self._hang_up()
                return
            if kind in ("429", "500"):
                raise Refused(int(kind), "a fault")
            if kind == "garbage":
                self._send(200, ["nonsense"])
                return
            if parts[0] != ".well-known":
                self._check(parts)
            with server.data.lock:
                status, answer = route(server, self.command, parts, body)
            if fault and kind == "slow":
                server.stopping.wait(fault.seconds)
            if kind == "reset":
                self._hang_up()
                return
            self._send(status, answer)

        def _check(self, parts: list[str]) -> None:
            role = server.role(self.headers.get("authorization"))
            if role is None:
                raise Refused(401, "anonymous access not enabled, please provide an auth scheme")
            if role == "search" and self.command != "GET":
                action = f"{ {'POST': 'create', 'PUT': 'update'}.get(self.command, 'delete') }_{parts[0]}"
                denial = "authorization, forbidden action: user 'search' has insufficient permissions to"
                raise Refused(403, f"{denial} {action}")

        def _hang_up(self) -> None:
            """Reset the connection."""
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            with contextlib.suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True

        def _send(self, status: int, answer: Any) -> None:
            data = b"" if answer is None else json.dumps(answer).encode()
            with contextlib.suppress(OSError):  # the client may have given up
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

    return Handler


def route(server: FakeWeaviate, verb: str, parts: list[str], body: Any) -> Answer:
    """Return the status and JSON of the response."""
    data: Data = server.data
    match verb, parts:
        case "GET", [".well-known", "ready" | "live"]:
            return (200 if server.ready else 503), None
        case "GET", [".well-known", _]:
            return 404, None  # no single sign-on
        case "GET", ["meta"]:
            limit = {"grpcMaxMessageSize": 104_858_000}
            return 200, {"hostname": server.url, "version": server.version, "modules": {}, **limit}
        case "GET", ["schema"]:
            return 200, {"classes": [one.config for one in data.collections.values()]}
        case "POST", ["schema"]:
            return 200, data.create(body)
        case "GET", ["schema", name]:
            return 200, data.resolve(name).config
        case "PUT", ["schema", name]:
            data.update(name, body)
            return 200, body
        case "DELETE", ["schema", name]:  # says 200 either way, resolves no alias and leaves one dangling
            data.collections.pop(capital(name), None)
            return 200, None
        case "GET", ["aliases"]:
            return 200, {"aliases": [{"alias": alias, "class": name} for alias, name in data.aliases.items()]}
        case "POST", ["aliases"]:
            data.create_alias(body["alias"], body["class"])
            return 200, {"alias": capital(body["alias"]), "class": capital(body["class"])}
        case _, ["aliases", name] if capital(name) not in data.aliases:
            return 404, None
        case "GET", ["aliases", name]:
            return 200, {"alias": capital(name), "class": data.aliases[capital(name)]}
        case "PUT", ["aliases", name]:
            data.move_alias(name, body["class"])
            return 200, {"alias": capital(name), "class": data.aliases[capital(name)]}
        case "DELETE", ["aliases", name]:
            del data.aliases[capital(name)]
            return 204, None
    raise Refused(501, f"{verb} /{'/'.join(parts)} is not implemented by the fake")
