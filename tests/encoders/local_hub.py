"""A hub on this machine: as much of Hugging Face's protocol as fetching a model takes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote, urlsplit

REVISION = "0123456789abcdef0123456789abcdef01234567"


@contextmanager
def serve(
    root: Path, licence: str = "mit", refused: str | None = None
) -> Iterator[tuple[str, list[str]]]:
    """Serve the models in ``root/organisation/name``; yields the address and what was asked for.

    Addresses that hold ``refused`` are answered with 418, which no client tries again.
    """
    asked: list[str] = []

    class Hub(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def do_GET(self) -> None:
            self._answer(with_body=True)

        def _answer(self, with_body: bool) -> None:
            path = unquote(urlsplit(self.path).path)
            asked.append(f"{self.command} {path} {self.headers.get('user-agent')}")
            parts = path.strip("/").split("/")
            if refused is not None and refused in path:
                self._send(418, b"{}", with_body)
            elif parts[:2] == ["api", "models"]:
                self._describe(root / parts[2] / parts[3], parts[4:], with_body)
            elif parts[2:3] == ["resolve"]:
                self._send_file(root / parts[0] / parts[1] / "/".join(parts[4:]), with_body)
            else:
                self._send(404, b"{}", with_body)

        def _describe(self, model: Path, rest: list[str], with_body: bool) -> None:
            known = rest[:1] != ["revision"] or rest[1] in (REVISION, "main")
            if not model.is_dir() or not known:
                code = "RevisionNotFound" if model.is_dir() else "RepoNotFound"
                self._send(404, b"{}", with_body, {"X-Error-Code": code})
                return
            files = sorted(path for path in model.rglob("*") if path.is_file())
            entries = [
                {"rfilename": path.relative_to(model).as_posix(), "size": path.stat().st_size}
                for path in files
            ]
            if rest[:1] == ["tree"]:
                tree = [
                    {
                        "type": "file",
                        "path": entry["rfilename"],
                        "size": entry["size"],
                        "oid": REVISION,
                    }
                    for entry in entries
                ]
                self._send(200, json.dumps(tree).encode(), with_body)
                return
            values = {
                "id": "/".join(model.parts[-2:]),
                "sha": REVISION,
                "siblings": entries,
                "cardData": {"license": licence},
                "private": False,
                "tags": [],
            }
            self._send(200, json.dumps(values).encode(), with_body)

        def _send_file(self, path: Path, with_body: bool) -> None:
            if not path.is_file():
                self._send(404, b"", with_body, {"X-Error-Code": "EntryNotFound"})
                return
            content = path.read_bytes()
            etag = hashlib.sha256(content).hexdigest()
            headers = {"ETag": f'"{etag}"', "X-Repo-Commit": REVISION}
            self._send(200, content, with_body, headers)

        def _send(
            self, status: int, body: bytes, with_body: bool, headers: dict[str, str] | None = None
        ) -> None:
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if with_body:
                self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
