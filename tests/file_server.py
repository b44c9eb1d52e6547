"""A real file server on loopback that can break off, stall, or hide lengths."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

from tests.serving import LocalServer, running


@dataclass
class Shared:
    """What is served, and how the server behaves."""

    files: dict[str, bytes]
    lengths: bool = True
    """Whether it says how long a file is."""
    breaks: list[int] = field(default_factory=list)
    """Bytes after which the next answers break off, in turn."""
    stall: threading.Event | None = None
    """Set when half of a file was sent; the rest never comes."""
    asked: list[str] = field(default_factory=list)
    """Each path that was asked for."""


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
        shared = self.server.shared
        shared.asked.append(self.path)
        content = shared.files.get(self.path)
        self.send_response(404 if content is None else 200)
        body = b"no such file" if content is None else content
        if shared.lengths:
            self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        if content is not None and shared.stall is not None:
            self.wfile.write(body[: len(body) // 2])
            shared.stall.set()
            self.connection.recv(1)  # until the client hangs up
            return
        if content is not None and shared.breaks:
            body = body[: shared.breaks.pop(0)]
        self.wfile.write(body)

    def log_message(self, *given: object) -> None:
        pass
