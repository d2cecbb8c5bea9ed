"""A model hub in this process: the few endpoints that fetching a model asks, over folders on disk."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

REVISION = "c0ffee" + "0" * 34


@dataclass
class Hub:
    """Its address, the models it has (`owner/name` to folder), those behind a gate, and every path it was asked for."""

    address: str = ""
    models: dict[str, Path] = field(default_factory=dict)
    gated: set[str] = field(default_factory=set)
    down: bool = False
    asked: list[str] = field(default_factory=list)

    @property
    def fetched(self) -> set[str]:
        """Names of the files it handed out."""
        return {path.split(f"/resolve/{REVISION}/")[1] for path in self.asked if f"/resolve/{REVISION}/" in path}


@contextmanager
def running_hub() -> Iterator[Hub]:
    """A hub that serves until the block ends."""
    hub = Hub()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *words: object) -> None:
            """Tests have nothing to read here."""

        def do_HEAD(self) -> None:
            _answer(self, hub, body=False)

        def do_GET(self) -> None:
            _answer(self, hub, body=True)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()


def _answer(handler: BaseHTTPRequestHandler, hub: Hub, *, body: bool) -> None:
    path = unquote(urlsplit(handler.path).path).strip("/")
    hub.asked.append(path)
    words = path.split("/")
    api = words[:2] == ["api", "models"]
    name = "/".join(words[2:4] if api else words[:2])
    folder = hub.models.get(name)
    if hub.down:
        _send(handler, 503, b"{}", body)
    elif folder is None:
        _send(handler, 404, b'{"error": "Repository not found"}', body, {"X-Error-Code": "RepoNotFound"})
    elif api:
        _about(handler, folder, words[4:], body)
    elif name in hub.gated:
        _send(handler, 403, b"{}", body, {"X-Error-Code": "GatedRepo"})
    else:
        _file(handler, folder / "/".join(words[4:]), body)


def _about(handler: BaseHTTPRequestHandler, folder: Path, rest: list[str], body: bool) -> None:
    """`/api/models/NAME`, `…/revision/REVISION`, `…/tree/REVISION`."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    named = [path.relative_to(folder).as_posix() for path in files]
    if rest and rest[1] not in ("main", REVISION):
        _send(handler, 404, b'{"error": "Revision"}', body, {"X-Error-Code": "RevisionNotFound"})
    elif rest and rest[0] == "tree":
        tree = [
            {"type": "file", "path": name, "size": path.stat().st_size, "oid": _digest(path)}
            for name, path in zip(named, files, strict=True)
        ]
        _send(handler, 200, json.dumps(tree).encode(), body)
    else:
        about = {"id": "x/y", "sha": REVISION, "siblings": [{"rfilename": name} for name in named]}
        _send(handler, 200, json.dumps(about).encode(), body)


def _file(handler: BaseHTTPRequestHandler, path: Path, body: bool) -> None:
    if not path.is_file():
        _send(handler, 404, b"", body, {"X-Error-Code": "EntryNotFound"})
        return
    headers = {"ETag": f'"{_digest(path)}"', "X-Repo-Commit": REVISION}
    _send(handler, 200, path.read_bytes(), body, headers)


def _digest(path: Path) -> str:
    return hashlib.sha1(path.read_bytes()).hexdigest()


def _send(
    handler: BaseHTTPRequestHandler, status: int, data: bytes, body: bool, headers: dict[str, str] | None = None
) -> None:
    handler.send_response(status)
    for key, value in {"Content-Type": "application/json", "Content-Length": str(len(data)), **(headers or {})}.items():
        handler.send_header(key, value)
    handler.end_headers()
    if body:
        handler.wfile.write(data)
