"""Files of the benchmark are pulled from a real server, checked, and never written when wrong."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

from emer.evals.data.locations import Entry, Origin, catalogue, pull
from tests.fixtures.servers.files import FileServer, Shared, serving_files

DATA = b"name,openset\n" + b"clip,happy\n" * 9_000
BLOB = hashlib.sha1(b"blob %d\0" % len(DATA) + DATA).hexdigest()
SHA = hashlib.sha256(DATA).hexdigest()
LISTING = "/repos/owner/repo/contents/dir?ref=abc"


@pytest.fixture
def server() -> Iterator[FileServer]:
    with serving_files(Shared({"/owner/repo/abc/dir/labels%20%281%29.csv": DATA})) as running:
        yield running


def list_blob(server: FileServer, blob: str) -> None:
    """Have the server list the file of its folder with this git blob id."""
    listing = [{"name": "other.csv", "sha": "0" * 40}, {"name": "labels (1).csv", "sha": blob}]
    server.shared.files[LISTING] = json.dumps(listing).encode()


def item(sha256: str | None = SHA, path: str = "dir/labels (1).csv") -> Entry:
    origin = Origin(repository="owner/repo", commit="abc", path=path, sha256=sha256)
    return Entry(key="k", file=PurePosixPath("sub/labels.csv"), accepts=None, what="w",
                 licence="l", origin=origin)  # fmt: skip


def test_a_file_is_written_when_its_sha256_holds(server: FileServer, tmp_path: Path) -> None:
    (done,) = pull([item()], tmp_path, server.url)
    assert (done.state, done.path.read_bytes()) == ("pulled", DATA)
    assert [p.name for p in done.path.parent.iterdir()] == ["labels.csv"]


def test_without_a_pinned_sha256_the_listed_blob_id_is_checked(
    server: FileServer, tmp_path: Path
) -> None:
    list_blob(server, BLOB)
    (done,) = pull([item(None)], tmp_path, server.url)
    assert done.state == "pulled"
    assert "no sha256 is pinned" in done.detail
    assert server.shared.asked[0] == LISTING
    list_blob(server, "1" * 40)
    (refused,) = pull([item(None)], tmp_path / "other", server.url)
    assert refused.state == "refused"


@pytest.mark.parametrize("before", [None, b"mine"])
def test_a_wrong_checksum_writes_nothing(
    server: FileServer, tmp_path: Path, before: bytes | None
) -> None:
    target = tmp_path / "sub" / "labels.csv"
    if before:
        target.parent.mkdir()
        target.write_bytes(before)
    (done,) = pull([item("0" * 64)], tmp_path, server.url)
    assert done.state == "refused"
    assert "is not the file that is pinned" in done.detail
    assert [p.read_bytes() for p in target.parent.iterdir()] == ([before] if before else [])


def test_what_is_here_is_not_downloaded_again(server: FileServer, tmp_path: Path) -> None:
    pull([item()], tmp_path, server.url)
    asked = len(server.shared.asked)
    (done,) = pull([item()], tmp_path, server.url)
    assert done.state == "here"
    assert len(server.shared.asked) == asked


def test_a_file_that_breaks_off_is_pulled_the_next_time(server: FileServer, tmp_path: Path) -> None:
    server.shared.breaks = [50_000]
    (broken,) = pull([item()], tmp_path, server.url)
    assert broken.state == "unreachable" and "broke off" in broken.detail
    assert [*(tmp_path / "sub").iterdir()] == []
    (done,) = pull([item()], tmp_path, server.url)
    assert (done.state, done.path.read_bytes()) == ("pulled", DATA)


def test_one_file_that_fails_stops_no_other(server: FileServer, tmp_path: Path) -> None:
    absent, unlisted, here = pull(
        [item(path="dir/none.csv"), item(None), item()], tmp_path, server.url
    )
    assert (absent.state, unlisted.state, here.state) == ("refused", "refused", "pulled")
    assert "404" in absent.detail and "404" in unlisted.detail


@pytest.mark.parametrize("sha256", [SHA, None])
def test_an_unreachable_host_is_said(tmp_path: Path, sha256: str | None) -> None:
    (done,) = pull([item(sha256)], tmp_path, "http://127.0.0.1:9")
    assert done.state == "unreachable"
    assert done.detail.startswith("http://127.0.0.1:9 cannot be reached")


def test_every_origin_is_pinned_to_a_whole_commit() -> None:
    for entry in catalogue():
        if entry.origin is not None:
            assert len(entry.origin.commit) == 40
            assert entry.origin.sha256 is None or len(entry.origin.sha256) == 64
            assert not entry.file.is_absolute()
            assert ".." not in entry.file.parts
