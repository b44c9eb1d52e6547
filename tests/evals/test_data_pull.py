"""Files are pulled from a real server, checked, gone on with, and never written when wrong."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path, PurePosixPath

import pytest

from emer.evals.data.locations import Entry, Host, Origin, catalogue, open_host, pull

DATA = b"name,openset\n" + b"clip,happy\n" * 9_000
BLOB = hashlib.sha1(b"blob %d\0" % len(DATA) + DATA).hexdigest()
SHA = hashlib.sha256(DATA).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves one file, from a byte on if asked, and the listing of its folder."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, str | None]] = []
        self.cut: int | None = None
        self.ranges = True
        self.blob = BLOB

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        self.server.asked.append((self.path, wanted))
        if self.path.startswith("/repos/"):
            listing = [{"name": "other.csv", "sha": "0" * 40},
                       {"name": "labels (1).csv", "sha": self.server.blob}]  # fmt: skip
            self._send(200, json.dumps(listing).encode())
        elif not self.path.startswith("/owner/repo/abc/dir/labels%20"):
            self._send(404, b"no")
        elif wanted and self.server.ranges:
            self._send(206, DATA[int(wanted.removeprefix("bytes=").rstrip("-")) :])
        else:
            self._send(200, DATA)

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: self.server.cut])
        self.server.cut = None
        self.close_connection = True

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield made
        made.shutdown()
        thread.join()


@pytest.fixture
def host(server: Server) -> Iterator[Host]:
    made = open_host(server.address, server.address)
    with made.client:
        yield made


def item(sha256: str | None = SHA, path: str = "dir/labels (1).csv") -> Entry:
    origin = Origin(repository="owner/repo", commit="abc", path=path, sha256=sha256)
    return Entry(key="k", file=PurePosixPath("sub/labels.csv"), accepts=None, what="w",
                 licence="l", origin=origin)  # fmt: skip


def test_a_file_is_written_when_its_sha256_holds(host: Host, tmp_path: Path) -> None:
    (done,) = pull([item()], tmp_path, host)
    assert (done.state, done.path.read_bytes()) == ("pulled", DATA)
    assert [p.name for p in done.path.parent.iterdir()] == ["labels.csv"]


def test_without_a_pinned_sha256_the_listed_blob_id_is_checked(
    host: Host, server: Server, tmp_path: Path
) -> None:
    (done,) = pull([item(None)], tmp_path, host)
    assert done.state == "pulled"
    assert "no sha256 is pinned" in done.detail
    assert server.asked[0][0] == "/repos/owner/repo/contents/dir?ref=abc"
    server.blob = "1" * 40
    (refused,) = pull([item(None)], tmp_path / "other", host)
    assert refused.state == "refused"


@pytest.mark.parametrize("before", [None, b"mine"])
def test_a_wrong_checksum_writes_nothing(host: Host, tmp_path: Path, before: bytes | None) -> None:
    target = tmp_path / "sub" / "labels.csv"
    if before:
        target.parent.mkdir()
        target.write_bytes(before)
    (done,) = pull([item("0" * 64)], tmp_path, host)
    assert done.state == "refused"
    assert "is not the file that is pinned" in done.detail
    assert [p.read_bytes() for p in target.parent.iterdir()] == ([before] if before else [])


def test_what_is_here_is_not_fetched_again(host: Host, server: Server, tmp_path: Path) -> None:
    pull([item()], tmp_path, host)
    asked = len(server.asked)
    (done,) = pull([item()], tmp_path, host)
    assert done.state == "here"
    assert len(server.asked) == asked


def test_a_download_that_was_cut_off_goes_on(host: Host, server: Server, tmp_path: Path) -> None:
    server.cut = 50_000
    (broken,) = pull([item()], tmp_path, host)
    assert broken.state == "unreachable"
    assert not broken.path.exists()
    kept = (tmp_path / "sub" / "labels.csv.part").stat().st_size
    assert 0 < kept <= 50_000
    (done,) = pull([item()], tmp_path, host)
    assert (done.state, done.path.read_bytes()) == ("pulled", DATA)
    assert server.asked[-1][1] == f"bytes={kept}-"


def test_a_host_without_ranges_is_begun_again(host: Host, server: Server, tmp_path: Path) -> None:
    server.cut, server.ranges = 50_000, False
    pull([item()], tmp_path, host)
    (done,) = pull([item()], tmp_path, host)
    assert (done.state, done.path.read_bytes()) == ("pulled", DATA)


def test_one_file_that_fails_stops_no_other(host: Host, tmp_path: Path) -> None:
    absent, found = pull([item(path="dir/none.csv"), item()], tmp_path, host)
    assert (absent.state, found.state) == ("refused", "pulled")
    assert "404" in absent.detail


def test_a_host_that_is_not_there_is_said(tmp_path: Path, server: Server) -> None:
    port = server.server_port
    server.shutdown()
    server.server_close()
    made = open_host(f"http://127.0.0.1:{port}", f"http://127.0.0.1:{port}")
    with made.client:
        (done,) = pull([item()], tmp_path, made)
    assert done.state == "unreachable"


def test_every_origin_is_pinned_to_a_whole_commit() -> None:
    for entry in catalogue():
        if entry.origin is not None:
            assert len(entry.origin.commit) == 40
            assert entry.origin.sha256 is None or len(entry.origin.sha256) == 64
            assert not entry.file.is_absolute()
            assert ".." not in entry.file.parts
