"""One file over HTTP, checked before it gets its name; a broken-off download goes on later.

What has arrived lies beside the target as NAME.part. Only when its checksum holds does it get
the target's name, so that nothing half-written is ever taken for the file.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from emer.tools.errors import EmerError

if TYPE_CHECKING:
    import httpx

TIMEOUT = 30.0
"""Seconds without a byte after which a connection counts as broken."""

TRIES = 4
"""Connections made for one file, as long as each brings something more."""

BLOCK = 1 << 20

Progress = Callable[[int, int | None], None]
"""Told the bytes that are here, and the bytes there will be if the host says."""


class FetchFailed(EmerError):
    """A file that could not be had, or is not what it should be; nothing has its name."""


class Unreachable(FetchFailed):
    """A host to which there is no way: no network, or a host that is not there."""


def reaching(host: str, error: Exception) -> Unreachable | None:
    """Return the error for a host that could not be reached, None if that is not what failed.

    Told by name: the hub's client has an HTTP library of its own.
    """
    if type(error).__name__ not in ("ConnectError", "ConnectTimeout"):
        return None
    return Unreachable(f"{host} cannot be reached ({type(error).__name__}: {error})")


def open_client() -> httpx.Client:
    """Return an HTTP client that follows redirects and sends nothing but the request."""
    import httpx

    return httpx.Client(follow_redirects=True, timeout=TIMEOUT)


def fetch(
    client: httpx.Client,
    address: str,
    path: Path,
    wanted: str | None,
    told: Progress = lambda here, whole: None,
) -> str:
    """Get the file at `address` to `path` and return its sha256.

    `wanted` is its sha256, its git blob id (40 digits), or None where nobody publishes one.
    `FetchFailed` says what was wrong; what has arrived of an unfinished file stays for the
    next time. `OSError` when it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    with _alone(part):
        if wanted is None:  # nothing would tell that two halves are not of one file
            part.unlink(missing_ok=True)
        _complete(client, address, part, told, sized=wanted is None)
        found = sha256(part)
        if wanted is not None and not holds(part, wanted):
            part.unlink()
            raise FetchFailed(
                f"{address} is not the file that is pinned ({wanted[:12]}, it is {found[:12]}); "
                "not kept"
            )
        os.replace(part, path)
    return found


def holds(path: Path, wanted: str) -> bool:
    """Tell whether a file has a checksum: a sha256, or (40 digits) a git blob id."""
    return (git_blob(path) if len(wanted) == 40 else sha256(path)) == wanted.lower()


def sha256(path: Path) -> str:
    """Return a file's sha256 in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def git_blob(path: Path) -> str:
    """Return the id git gives a file's content: the sha1 of its length and its bytes."""
    found = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            found.update(block)
    return found.hexdigest()


def _complete(
    client: httpx.Client, address: str, part: Path, told: Progress, *, sized: bool
) -> None:
    """Make the .part file whole, with a new connection where one broke.

    With `sized` the host must say how long the file is: nothing else tells a whole one.
    """
    import httpx

    for tried in range(1, TRIES + 1):
        before = _size(part)
        try:
            return _append(client, address, part, told, sized)
        except httpx.TransportError as error:
            if tried == TRIES or (tried > 1 and _size(part) == before):
                raise reaching(_host(address), error) or FetchFailed(
                    f"{address} broke off after {_size(part)} bytes "
                    f"({type(error).__name__}: {error}); ask again to go on from there"
                ) from error
            time.sleep(0.2 * tried)


def _host(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def _append(client: httpx.Client, address: str, part: Path, told: Progress, sized: bool) -> None:
    """Append what is missing, or begin again if the host gives all of it."""
    have = _size(part)
    headers = {"Accept-Encoding": "identity"}  # a range of compressed bytes is of no use
    if have:
        headers["Range"] = f"bytes={have}-"
    with client.stream("GET", address, headers=headers) as answer:
        if answer.status_code == 416:  # nothing is missing, or the file is another one
            return
        if answer.status_code not in (200, 206):
            raise FetchFailed(f"{address} answers {answer.status_code}")
        goes_on = answer.status_code == 206 and _begins_at(answer, have)
        if answer.status_code == 206 and not goes_on:
            raise FetchFailed(f"{address} gives another part than was asked for")
        here = have if goes_on else 0
        length = answer.headers.get("content-length")
        whole = here + int(length) if length else None
        if sized and whole is None:
            raise FetchFailed(f"{address} does not say how long it is, and has no checksum")
        with part.open("ab" if goes_on else "wb") as file:
            told(here, whole)
            for chunk in answer.iter_bytes():  # as it comes: what has come is kept
                file.write(chunk)
                here += len(chunk)
                told(here, whole)


def _begins_at(answer: httpx.Response, have: int) -> bool:
    return str(answer.headers.get("content-range", "")).startswith(f"bytes {have}-")


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


@contextmanager
def _alone(part: Path) -> Iterator[None]:
    """Keep other processes from the same .part file; where the system cannot, go on."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    with part.with_name(f"{part.name}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise FetchFailed(f"{part.stem} is being got by another process") from error
        try:
            yield
        finally:
            Path(file.name).unlink(missing_ok=True)
