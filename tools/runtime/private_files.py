"""Files that only their owner can open (0700, 0600), whatever the umask.

What a run leaves (traces, evidence, threads, exemplars, logs) holds what a person said. Folders
that other people's files share are never changed, only the files that are made in them.
"""

from __future__ import annotations

import os
import re
import sqlite3
import stat
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

FOLDER, FILE = 0o700, 0o600
OTHERS: Final = 0o077
"""Permission bits of the group and of everyone else."""
DATABASE_ENDS = ("", "-wal", "-shm", "-journal")
"""Ends of the files of an SQLite database; SQLite gives new ones the mode of the first."""

CONTENT: Final[Mapping[str, re.Pattern[str]]] = {
    "traces": re.compile(r".*\.jsonl"),
    "memory": re.compile(r"exemplars|index.*"),
    "memory/exemplars": re.compile(r"\.?x.*\.json.*"),
    "logs": re.compile(r"native\.log"),
    "failures": re.compile(r"emer-failure-.*\.txt"),
    "demo": re.compile(r"demo\.mp4"),
}
"""Files in the folders of a home; a folder with others is taken for the user's own."""
_DATABASE = re.compile(r"(evidence|threads)\.sqlite.*")
_HOME = re.compile(rf"{'|'.join(CONTENT)}|weights|data|evals|trust.*|{_DATABASE.pattern}")

_creation = threading.Lock()


def private_folder(folder: Path) -> None:
    """Make a folder, and those above it that are missing, for the owner alone."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        with suppress(FileExistsError):  # another process was faster
            path.mkdir(mode=FOLDER)
            path.chmod(FOLDER)
    folder.mkdir(exist_ok=True)  # raises for what is no folder


def private_opener(path: str, flags: int) -> int:
    """`opener` of `open()` for a file that is made or written for the owner alone."""
    descriptor = os.open(path, flags | os.O_CLOEXEC, FILE)
    with suppress(OSError):  # a file of another user
        os.fchmod(descriptor, FILE)
    return descriptor


def private_database(path: Path) -> None:
    """Make the empty file of an SQLite database, or narrow its files.

    An existing file is not opened: closing it would release SQLite's locks of this process.
    """
    private_folder(path.parent)
    with _creation, suppress(FileExistsError):
        os.close(private_opener(str(path), os.O_WRONLY | os.O_CREAT | os.O_EXCL))
    for end in DATABASE_ENDS:
        _narrow(Path(f"{path}{end}"))


def erase_deleted(connection: sqlite3.Connection) -> bool:
    """Rewrite a database without deleted rows; False while another process reads it."""
    connection.commit()
    try:
        connection.execute("PRAGMA temp_store=MEMORY")
        connection.execute("VACUUM")
        busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.OperationalError:
        return False
    return not busy


def narrow_home(home: Path) -> None:
    """Close a home, and the folders in it that emer made, to other users."""
    home = Path(os.path.realpath(home))
    with suppress(OSError):
        if all(_HOME.fullmatch(entry.name) for entry in home.iterdir()):
            _narrow(home)
        for path in _databases(home):
            _narrow(path)
    for name, content in CONTENT.items():
        folder = home / name
        with suppress(OSError):
            if _is_open(folder) and all(content.fullmatch(p.name) for p in folder.iterdir()):
                for path in (*filter(Path.is_file, folder.iterdir()), folder):
                    _narrow(path)


def open_to_others(home: Path) -> list[Path]:
    """The folders and databases of a home that other users of the machine can open."""
    home = Path(os.path.realpath(home))
    if not _is_open(home):
        return []
    parts = (*_databases(home), *(home / name for name in CONTENT))
    return [home, *filter(_is_open, parts)]


def _databases(home: Path) -> list[Path]:
    return sorted(path for path in home.glob("*.sqlite*") if _DATABASE.fullmatch(path.name))


def _is_open(path: Path) -> bool:
    with suppress(OSError):
        mode = path.lstat().st_mode
        return bool(mode & OTHERS) and not stat.S_ISLNK(mode)
    return False


def _narrow(path: Path) -> None:
    """Take the rights of others from a file or folder of this user, not from links."""
    with suppress(OSError):
        facts = path.lstat()
        own = facts.st_uid == os.geteuid() and not facts.st_mode & stat.S_ISVTX
        if own and _is_open(path):
            path.chmod(stat.S_IMODE(facts.st_mode) & ~OTHERS)
