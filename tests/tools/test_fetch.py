"""Downloads from a real server: broken off, gone on with, wrong, and never half-written."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from emer.tools.weights.download import (
    TRIES,
    FetchFailed,
    fetch,
    git_blob,
    holds,
    open_client,
    sha256,
)
from tests.file_server import Shared, serving_files

CONTENT = np.random.default_rng(1).bytes(300_000)
SHA = hashlib.sha256(CONTENT).hexdigest()


def get(shared: Shared, path: Path, wanted: str | None = SHA, name: str = "/w.pt") -> list[int]:
    """Fetch from a server; return the bytes that were told of."""
    seen: list[int] = []
    with serving_files(shared) as server, open_client() as client:
        fetch(client, server.url + name, path, wanted, lambda here, whole: seen.append(here))
    return seen


def only(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def test_a_file_gets_its_name_when_its_checksum_holds(tmp_path):
    seen = get(Shared({"/w.pt": CONTENT}), tmp_path / "deep" / "w.pt")
    assert (tmp_path / "deep" / "w.pt").read_bytes() == CONTENT
    assert only(tmp_path / "deep") == ["w.pt"] and seen[-1] == len(CONTENT)


def test_a_connection_that_breaks_is_made_again_where_it_broke(tmp_path):
    shared = Shared({"/w.pt": CONTENT}, breaks=[100_000, 50_000])
    get(shared, tmp_path / "w.pt")
    assert (tmp_path / "w.pt").read_bytes() == CONTENT
    assert [wanted for _, wanted in shared.asked] == [None, "bytes=100000-", "bytes=150000-"]


def test_what_has_arrived_stays_and_is_gone_on_with_next_time(tmp_path):
    with pytest.raises(FetchFailed, match="broke off after 1000 bytes"):
        get(Shared({"/w.pt": CONTENT}, breaks=[1000, *[0] * TRIES]), tmp_path / "w.pt")
    assert only(tmp_path) == ["w.pt.part"]
    shared = Shared({"/w.pt": CONTENT})
    get(shared, tmp_path / "w.pt")
    assert shared.asked == [("/w.pt", "bytes=1000-")] and only(tmp_path) == ["w.pt"]


def test_a_host_that_cannot_go_on_is_begun_anew(tmp_path):
    shared = Shared({"/w.pt": CONTENT}, ranges=False, breaks=[1000])
    get(shared, tmp_path / "w.pt")
    assert (tmp_path / "w.pt").read_bytes() == CONTENT


@pytest.mark.parametrize("content", [b"something else", CONTENT[:-1], CONTENT + b"x", b""])
def test_what_is_not_the_pinned_file_is_not_kept(tmp_path, content):
    with pytest.raises(FetchFailed, match="not the file that is pinned"):
        get(Shared({"/w.pt": content}), tmp_path / "w.pt")
    assert only(tmp_path) == []


def test_a_stale_part_of_another_file_does_not_last(tmp_path):
    (tmp_path / "w.pt.part").write_bytes(b"old" * 500)
    with pytest.raises(FetchFailed, match="not the file that is pinned"):
        get(Shared({"/w.pt": CONTENT}), tmp_path / "w.pt")
    get(Shared({"/w.pt": CONTENT}), tmp_path / "w.pt")
    assert (tmp_path / "w.pt").read_bytes() == CONTENT


def test_a_whole_part_needs_only_its_name(tmp_path):
    (tmp_path / "w.pt.part").write_bytes(CONTENT)
    get(Shared({"/w.pt": CONTENT}), tmp_path / "w.pt")
    assert only(tmp_path) == ["w.pt"]


def test_without_a_checksum_a_file_is_never_put_together_from_two(tmp_path):
    (tmp_path / "w.pt.part").write_bytes(b"old")
    shared = Shared({"/w.pt": CONTENT})
    get(shared, tmp_path / "w.pt", wanted=None)
    assert shared.asked == [("/w.pt", None)]
    with pytest.raises(FetchFailed, match="does not say how long"):
        get(Shared({"/w.pt": CONTENT}, lengths=False), tmp_path / "v.pt", wanted=None)


def test_a_file_that_was_there_stays_until_the_new_one_is_whole(tmp_path):
    (tmp_path / "w.pt").write_bytes(b"good")
    with pytest.raises(FetchFailed):
        get(Shared({"/w.pt": b"bad"}), tmp_path / "w.pt")
    assert (tmp_path / "w.pt").read_bytes() == b"good"


def test_no_file_and_no_host_are_said_on_one_line(tmp_path):
    with pytest.raises(FetchFailed, match="answers 404"):
        get(Shared({}), tmp_path / "w.pt")
    with open_client() as client, pytest.raises(FetchFailed, match="ConnectError"):
        fetch(client, "http://127.0.0.1:9/w.pt", tmp_path / "w.pt", SHA)
    assert only(tmp_path) == []


def test_two_processes_do_not_write_one_file(tmp_path):
    code = (
        "import fcntl, sys, time; f = open(sys.argv[1], 'w'); fcntl.flock(f, fcntl.LOCK_EX);"
        "print('held', flush=True); sys.stdin.read()"
    )
    lock = tmp_path / "w.pt.part.lock"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None and other.stdout.readline() == b"held\n"
        with pytest.raises(FetchFailed, match="being got by another process"):
            get(Shared({"/w.pt": CONTENT}), tmp_path / "w.pt")
        other.communicate(b"")
    get(Shared({"/w.pt": CONTENT}), tmp_path / "w.pt")


def test_a_checksum_is_a_sha256_or_a_git_blob_id(tmp_path):
    file = tmp_path / "hello"
    file.write_bytes(b"hello\n")
    assert git_blob(file) == "ce013625030ba8dba906f756967f9e9ca394464a"  # git hash-object
    assert holds(file, git_blob(file)) and holds(file, sha256(file).upper())
    assert not holds(file, "0" * 40) and not holds(file, "0" * 64)
