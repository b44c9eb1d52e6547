"""What emer stores is for its owner alone, whatever the umask; folders of others stay."""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from emer.graphs.checkpoints import Checkpoints
from emer.tools.evidence_store import EvidenceStore
from emer.tools.runtime.private_files import (
    erase_deleted,
    narrow_home,
    open_to_others,
    private_folder,
    private_opener,
)
from emer.tools.types import Observation


@pytest.fixture(params=[0o000, 0o022, 0o077])
def any_umask(request):
    """Run the test under several umasks."""
    before = os.umask(request.param)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def modes(folder: Path) -> set[int]:
    """Return the modes of all files below a folder."""
    return {mode(path) for path in folder.rglob("*") if path.is_file()}


def make(path: Path, permissions: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{}")
    path.chmod(permissions)
    return path


@pytest.mark.usefixtures("any_umask")
def test_folders_and_files_are_made_for_the_owner(tmp_path):
    private_folder(tmp_path / "a" / "b")
    with open(tmp_path / "a" / "b" / "file", "x", opener=private_opener) as file:
        file.write("words")
    assert mode(tmp_path / "a") == mode(tmp_path / "a" / "b") == 0o700
    assert mode(tmp_path / "a" / "b" / "file") == 0o600


@pytest.mark.usefixtures("any_umask")
@pytest.mark.parametrize("database", [EvidenceStore, Checkpoints])
def test_a_database_and_its_journals(tmp_path, database):
    with closing(database(tmp_path / "home" / "x.sqlite")) as opened:
        if database is Checkpoints:
            opened.last_state("talk")
        assert len(list((tmp_path / "home").iterdir())) == 3  # with -wal and -shm
        assert modes(tmp_path / "home") == {0o600} and mode(tmp_path / "home") == 0o700


def test_an_open_database_of_an_older_version_is_narrowed(tmp_path):
    path = tmp_path / "evidence.sqlite"
    with closing(sqlite3.connect(path)) as old:
        old.execute("PRAGMA journal_mode=WAL")
        old.execute("CREATE TABLE x (y)")
        for end in ("", "-wal", "-shm"):
            Path(f"{path}{end}").chmod(0o644)
        with closing(EvidenceStore(path)):
            assert modes(tmp_path) == {0o600}


def test_the_locks_of_a_database_outlive_a_second_opening(tmp_path):
    """Closing any descriptor of a file would release the locks of this process on it."""
    path = tmp_path / "x.sqlite"
    with closing(EvidenceStore(path)), closing(sqlite3.connect(path)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        with closing(EvidenceStore(path)):
            pass
        locks = Path("/proc/locks")
        if locks.exists():
            inode = Path(f"{path}-shm").stat().st_ino
            assert f":{inode} " in locks.read_text()


def test_a_home_of_an_older_version_is_closed(tmp_path):
    home = tmp_path / "home"
    for name in ("traces/a.jsonl", "memory/exemplars/x1.json", "logs/native.log", "threads.sqlite"):
        make(home / name, 0o644)
    for folder in (home, home / "traces", home / "memory", home / "memory" / "exemplars"):
        folder.chmod(0o755)
    assert home in open_to_others(home) and home / "traces" in open_to_others(home)
    narrow_home(home)
    assert modes(home) == {0o600} and open_to_others(home) == []
    assert {mode(home), mode(home / "traces"), mode(home / "memory" / "exemplars")} == {0o700}


def test_a_folder_with_other_files_stays_as_it_is(tmp_path):
    mine = make(tmp_path / "letter.txt", 0o644)
    own = make(tmp_path / "logs" / "server.log", 0o644)
    trace = make(tmp_path / "traces" / "a.jsonl", 0o644)
    for folder in (tmp_path, own.parent, trace.parent):
        folder.chmod(0o755)
    narrow_home(tmp_path)
    assert mode(tmp_path) == mode(own.parent) == 0o755 and mode(mine) == mode(own) == 0o644
    assert mode(trace) == 0o600 and mode(trace.parent) == 0o700
    assert open_to_others(tmp_path) == [tmp_path, own.parent]


def test_rows_that_were_deleted_earlier_are_erased(tmp_path):
    path = tmp_path / "x.sqlite"
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA secure_delete=OFF")
        database.execute("CREATE TABLE x (y)")
        database.executemany("INSERT INTO x VALUES (?)", [("zebra " * 20,)] * 500)
        database.commit()
        database.execute("DELETE FROM x WHERE rowid > 1")
        database.execute("UPDATE x SET y = 'owl'")
        database.commit()
        assert b"zebra" in path.read_bytes()
        assert erase_deleted(database)
        assert b"zebra" not in path.read_bytes() and b"owl" in path.read_bytes()


@pytest.mark.slow  # waits for the lock of a reader as long as a run would
def test_a_reader_keeps_what_was_deleted_and_that_is_said(tmp_path):
    path = tmp_path / "x.sqlite"
    with closing(EvidenceStore(path)) as store, closing(sqlite3.connect(path)) as reader:
        store.put("k", Observation(tool="fake", modality="face", missing="a zebra"), "abc")
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM observation").fetchone() == (1,)
        assert not store.remove(["abc"])
        reader.rollback()
        assert store.remove(["abc"]) and store.held(["abc"]) == ((0, 0), (0, 0))


def test_links_are_not_followed(tmp_path):
    target = make(tmp_path / "outside.txt", 0o644)
    home = tmp_path / "home"
    (home / "traces").mkdir(parents=True, mode=0o755)
    (home / "traces" / "a.jsonl").symlink_to(target)
    narrow_home(home)
    assert mode(target) == 0o644
