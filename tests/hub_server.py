"""A real server on loopback that speaks as much of the Hugging Face hub as a download needs."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.serving import LocalServer, running

LARGE = (".safetensors", ".bin")
"""What the hub keeps as LFS files, and lists with a sha256."""


@dataclass
class Repository:
    """A repository: its files by revision, and what the hub pretends of them."""

    name: str
    revisions: Mapping[str, Mapping[str, bytes]]
    head: str
    lies: Mapping[str, bytes | None] = field(default_factory=dict)
    """Files whose content is not what is listed; None for one that cannot be had."""
    breaks: list[int] = field(default_factory=list)
    """Bytes after which the next large files break off, in turn."""
    gated: bool = False
    """Whether files are given only to who accepted the licence."""
    stall: threading.Event | None = None
    """Set when half of a large file was sent; the rest never comes."""
    asked: list[str] = field(default_factory=list)
    """The paths that were asked for."""
    sent: list[str] = field(default_factory=list)
    """The files whose content was sent, whole or in part."""
    tokens: list[str | None] = field(default_factory=list)
    agents: list[str | None] = field(default_factory=list)

    def listing(self, revision: str) -> dict[str, Any]:
        files = self.revisions[revision]
        return {
            "id": self.name,
            "modelId": self.name,
            "sha": revision,
            "siblings": [_listed(name, files[name]) for name in sorted(files)],
        }


class HubServer(LocalServer):
    def __init__(self, repository: Repository) -> None:
        super().__init__(_Handler)
        self.repository = repository


def serving_hub(repository: Repository) -> AbstractContextManager[HubServer]:
    """Return a hub with one repository, at work in a thread of its own."""
    return running(HubServer(repository))


def blob(content: bytes) -> str:
    """Return the git blob id of a content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def _listed(name: str, content: bytes) -> dict[str, Any]:
    row: dict[str, Any] = {"rfilename": name, "size": len(content), "blobId": blob(content)}
    if name.endswith(LARGE):
        sha = hashlib.sha256(content).hexdigest()
        row["lfs"] = {"sha256": sha, "size": len(content), "pointerSize": 130}
    return row


def _in_tree(name: str, content: bytes) -> dict[str, Any]:
    row: dict[str, Any] = {"type": "file", "path": name, "size": len(content), "oid": blob(content)}
    if name.endswith(LARGE):
        sha = hashlib.sha256(content).hexdigest()
        row["lfs"] = {"oid": sha, "size": len(content), "pointerSize": 130}
    return row


class _Handler(BaseHTTPRequestHandler):
    server: HubServer
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, body: bool) -> None:
        repository = self.server.repository
        path = self.path.partition("?")[0]
        repository.asked.append(path)
        repository.tokens.append(self.headers["Authorization"])
        repository.agents.append(self.headers["User-Agent"])
        if match := re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/revision/([^/]+))?", path):
            revision = match[2] or repository.head
            if match[1] == repository.name and revision in repository.revisions:
                listing = json.dumps(repository.listing(revision)).encode()
                return self._send(200, listing, {"Content-Type": "application/json"}, body)
        if match := re.fullmatch(r"/api/models/([^/]+/[^/]+)/tree/([^/]+)", path):
            files = repository.revisions.get(match[2], {})
            tree = json.dumps([_in_tree(name, files[name]) for name in sorted(files)]).encode()
            return self._send(200, tree, {"Content-Type": "application/json"}, body)
        if match := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            files = repository.revisions.get(match[2], {})
            if match[1] == repository.name and repository.gated:
                return self._send(403, b"{}", {"X-Error-Code": "GatedRepo"}, body)
            if match[1] == repository.name and match[3] in files:
                return self._file(match[3], match[2], files[match[3]], body)
        missing = {"X-Error-Code": "RepoNotFound", "X-Error-Message": "no such repository"}
        self._send(404, b"{}", missing, body)

    def _file(self, name: str, revision: str, listed: bytes, body: bool) -> None:
        content = self.server.repository.lies.get(name, listed)
        if content is None:
            return self._send(404, b"{}", {"X-Error-Code": "EntryNotFound"}, body)
        tag = hashlib.sha256(listed).hexdigest() if name.endswith(LARGE) else blob(listed)
        facts = {"X-Repo-Commit": revision, "ETag": f'"{tag}"', "Accept-Ranges": "bytes"}
        wanted = self.headers.get("Range")
        start = int(wanted.removeprefix("bytes=").partition("-")[0]) if wanted else 0
        if start:
            facts["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        if body:
            self.server.repository.sent.append(name)
        weights = body and name.endswith(LARGE)
        self._send(206 if start else 200, content[start:], facts, body, may_break=weights)

    def _send(
        self,
        status: int,
        content: bytes,
        facts: Mapping[str, str],
        body: bool,
        may_break: bool = False,
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        for name, value in facts.items():
            self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        if may_break and self.server.repository.breaks:
            content = content[: self.server.repository.breaks.pop(0)]
        stall = self.server.repository.stall
        if may_break and stall is not None:
            self.wfile.write(content[: len(content) // 2])
            stall.set()
            self.connection.recv(1)  # until the client hangs up
        elif body:
            self.wfile.write(content)

    def log_message(self, *given: object) -> None:
        pass
