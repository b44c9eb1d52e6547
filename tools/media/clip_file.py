"""The file of a clip: opened once, hashed, and checked for changes."""

from __future__ import annotations

import hashlib
import os
import stat
import weakref
from pathlib import Path
from typing import Final

from emer.tools.errors import ClipError

PLAYLISTS: Final = {
    b"#EXTM3U": "an HLS playlist",
    b"ffconcat": "an ffconcat list",
    b"[playlist]": "a playlist",
    b"<?xml": "an XML text, such as a playlist",
    b"<MPD": "a DASH playlist",
    b"<asx": "a playlist",
    b"[Reference]": "a playlist",
    b"v=0": "a description of streams (SDP)",
}
"""First bytes of texts that name other files, for a clear message; none is ever opened."""


class ClipFile:
    """A local regular file, held open: what is hashed is what is decoded."""

    def __init__(self, path: Path) -> None:
        """Open and hash the file; `ClipError` when it is no file that can be read."""
        self.path = path
        self.descriptor = _open(path)
        self._closed = weakref.finalize(self, os.close, self.descriptor)
        self._identity = _identity(os.fstat(self.descriptor))
        _check_content(path, self.descriptor)
        self.sha256 = _sha256(self.descriptor)

    def check_unchanged(self) -> None:
        """`ClipError` where the file was written, replaced or removed since it was opened."""
        try:
            same = (
                self._identity
                == _identity(os.fstat(self.descriptor))
                == _identity(os.stat(self.path))
            )
        except OSError:
            same = False
        if not same:
            raise ClipError(
                f"{self.path} was changed while it was being read; nothing of it was stored, "
                "ask again when it is complete"
            )


def _open(path: Path) -> int:
    """Descriptor of a regular file; opening a named pipe does not wait for its writer."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError as error:
        raise ClipError(f"no such file: {path}") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ClipError(f"{path} cannot be read: {reason}") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ClipError(f"{path} is not a file; name one clip")
    return descriptor


def _check_content(path: Path, descriptor: int) -> None:
    try:
        first = os.pread(descriptor, 64, 0)
    except OSError as error:
        raise ClipError(f"{path} cannot be read: {error.strerror}") from error
    if not first:
        raise ClipError(f"{path} is empty (0 bytes)")
    text = first.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for start, kind in PLAYLISTS.items():
        if text.startswith(start.lower()):
            raise ClipError(f"{path} is {kind}, which names other files; give the clip itself")


def _identity(facts: os.stat_result) -> tuple[int, ...]:
    return (facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns)


def _sha256(descriptor: int) -> str:
    with open(os.dup(descriptor), "rb") as file:
        file.seek(0)
        return hashlib.file_digest(file, "sha256").hexdigest()
