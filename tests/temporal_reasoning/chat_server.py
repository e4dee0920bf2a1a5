"""A server on loopback that speaks the chat protocol and replays what a test wants."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = Callable[[BaseHTTPRequestHandler], None]


class ChatServer:
    """Where it is, and what it was asked."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str | None] = []


@contextlib.contextmanager
def chat_server(*replies: Reply) -> Iterator[ChatServer]:
    """Answers the n-th request with the n-th reply, later ones with the last."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            server.requests.append(json.loads(body) | {"path": self.path})
            server.keys.append(self.headers.get("Authorization"))
            reply = replies[min(len(server.requests), len(replies)) - 1]
            with contextlib.suppress(OSError):  # the client may have gone
                reply(self)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listener:
        listener.daemon_threads = True
        server = ChatServer(f"http://127.0.0.1:{listener.server_address[1]}")
        thread = threading.Thread(target=listener.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            listener.shutdown()


def raw(content: bytes, status: int = 200, **headers: str) -> Reply:
    """These bytes, whatever they are."""

    def reply(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    return reply


def says(text: str) -> Reply:
    """An answer in the form of the protocol with this text."""
    message = {"role": "assistant", "content": text}
    return raw(json.dumps({"choices": [{"index": 0, "message": message}]}).encode())


def sentences(*pairs: tuple[str, list[Any]]) -> Reply:
    """An answer with these sentences, each with what it cites."""
    return says(json.dumps({"sentences": [{"text": text, "cites": own} for text, own in pairs]}))


def silent(seconds: float) -> Reply:
    """Nothing for a while."""

    def reply(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(seconds)

    return reply


def dripping(seconds: float) -> Reply:
    """A byte now and then: always alive, never done."""

    def reply(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "100000")
        handler.end_headers()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            handler.wfile.write(b" ")
            handler.wfile.flush()
            time.sleep(0.05)

    return reply


def dripping_headers(seconds: float) -> Reply:
    """A byte of a header now and then: the content never begins."""

    def reply(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Wait: ")
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            handler.wfile.write(b"x")
            handler.wfile.flush()
            time.sleep(0.05)
        handler.close_connection = True

    return reply


def endless() -> Reply:
    """Far more than an answer can hold."""

    def reply(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(10**9))
        handler.end_headers()
        for _ in range(64):
            handler.wfile.write(b"x" * 65_536)

    return reply


def hangs_up() -> Reply:
    """The connection ends in the middle of the answer."""

    def reply(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b'{"choices": [')
        handler.close_connection = True

    return reply
