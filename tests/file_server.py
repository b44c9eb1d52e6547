"""A real server on loopback that gives files in parts, and breaks off where it is told to."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

from tests.serving import LocalServer, running


@dataclass
class Shared:
    """What is served, and how the server behaves."""

    files: dict[str, bytes]
    ranges: bool = True
    """Whether it can go on where a download broke off."""
    lengths: bool = True
    """Whether it says how long a file is."""
    breaks: list[int] = field(default_factory=list)
    """Bytes after which the next answers break off, in turn."""
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    """Each path that was asked for, with its range."""


class FileServer(LocalServer):
    def __init__(self, shared: Shared) -> None:
        super().__init__(_Handler)
        self.shared = shared


def serving_files(shared: Shared) -> AbstractContextManager[FileServer]:
    """Return a server of these files, at work in a thread of its own."""
    return running(FileServer(shared))


class _Handler(BaseHTTPRequestHandler):
    server: FileServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        shared, wanted = self.server.shared, self.headers.get("Range")
        shared.asked.append((self.path, wanted))
        content = shared.files.get(self.path)
        if content is None:
            self._send(404, b"no such file")
            return
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and shared.ranges else 0
        if start and start >= len(content):
            self._send(416, b"")
            return
        self._send(206 if start else 200, content[start:], start, len(content))

    def _send(self, status: int, body: bytes, start: int = 0, whole: int = 0) -> None:
        shared = self.server.shared
        self.send_response(status)
        if shared.lengths:
            self.send_header("Content-Length", str(len(body)))
        if status == 206:
            self.send_header("Content-Range", f"bytes {start}-{whole - 1}/{whole}")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        if status in (200, 206) and shared.breaks:
            body = body[: shared.breaks.pop(0)]
        self.wfile.write(body)

    def log_message(self, *given: object) -> None:
        pass
