"""Single files and listings from a host, within limits of time and size.

`pooch` checks what arrives: NAME.part beside the target gets its name once the checksum holds.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar
from urllib.parse import urlsplit

from emer.tools.errors import EmerError
from emer.tools.runtime.cancellation import Call
from emer.tools.runtime.connections import bound
from emer.tools.runtime.device import machine
from emer.tools.runtime.time_limit import TimeLimitExceeded, call_with_limit

Result = TypeVar("Result")
Progress = Callable[[int, int | None], None]
"""Called with the bytes that have arrived and, if known, those of the whole."""

LEAST = 10_000
"""Bytes that arrive within `network.stall` seconds, or the download counts as stalled."""
LARGEST, LARGEST_LISTING = 20_000_000_000, 16_000_000
"""Bytes of a file whose size no catalogue says, and of a listing."""
UNREACHABLE = ("ConnectError", "ConnectTimeout", "ConnectionError", "ProxyError")
"""Errors of both HTTP libraries, by class name, over a host that does not answer."""


class DownloadFailed(EmerError):
    """A file could not be downloaded or has the wrong checksum; it is not kept."""


class TransferFailed(DownloadFailed):
    """A download that did not come to its end: no answer, or a connection that broke."""


class Unreachable(TransferFailed):
    """No network, or no such host."""


def download_file(
    url: str,
    path: Path,
    checksum: str | None,
    progress: Progress = lambda here, whole: None,
    most: int = LARGEST,
) -> str:
    """Download one file with pooch; returns its sha256.

    Args:
        url: Where the file is.
        path: Its final name, given once the checksum holds.
        checksum: sha256, git blob id (40 digits), or None if no checksum is published.
        progress: Called with the bytes so far.
        most: Bytes after which it is broken off.

    Raises:
        DownloadFailed: The host does not have the file, broke off, or sent another file.
    """
    part = path.with_name(f"{path.name}.part")  # a folder, with one for each download under way
    if part.is_file():  # earlier versions resumed from it
        part.unlink()
    part.mkdir(parents=True, exist_ok=True)
    try:
        with TemporaryDirectory(dir=part, ignore_cleanup_errors=True) as folder:
            whole = _retrieve(url, Path(folder) / path.name, checksum, progress, most)
            sha = sha256(whole)
            os.replace(whole, path)
        shutil.rmtree(part, ignore_errors=True)  # with what killed downloads left
    except FileNotFoundError as error:  # another download of it was faster and cleared `part`
        if not (matches(path, checksum) if checksum else path.is_file()):
            raise DownloadFailed(f"{part} was removed before {url} was whole; ask again") from error
        sha = sha256(path)
    finally:
        with suppress(OSError):  # another download of it is under way
            part.rmdir()
    return sha


def get_json(url: str) -> Any:
    """JSON that a host answers; `DownloadFailed` if there is none."""

    def read() -> Any:
        with _client(LARGEST_LISTING) as client:
            return client.get(url).raise_for_status().json()

    with _request_errors(url):
        return call_with_limit(read, machine().network.total)


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def matches(path: Path, checksum: str) -> bool:
    """True if a file has a checksum: a sha256, or a git blob id (sha1, 40 digits)."""
    if not path.is_file():
        return False
    if len(checksum) != 40:
        return sha256(path) == checksum.lower()
    content = path.read_bytes()  # git's id is for small files; large ones have a sha256
    blob = b"blob %d\0" % len(content) + content
    return hashlib.sha1(blob, usedforsecurity=False).hexdigest() == checksum.lower()


def _retrieve(url: str, path: Path, checksum: str | None, progress: Progress, most: int) -> Path:
    import pooch

    pooch.get_logger().setLevel("ERROR")
    known = checksum if checksum and len(checksum) == 64 else None
    total: int | None = None

    def transfer(_url: str, target: str, _pooch: object) -> None:
        def work(report: Progress) -> int | None:
            return _transfer(url, Path(target), report, most)

        nonlocal total
        total = within_limits(work, progress)

    try:
        with _request_errors(url):
            whole = Path(pooch.retrieve(url, known, path.name, path.parent, downloader=transfer))
        if checksum is not None and not matches(whole, checksum):  # a git blob id
            raise ValueError(checksum)
    except ValueError as error:  # pooch's error for a wrong checksum
        pinned = f"the file that is pinned ({checksum or '':.12})"
        raise DownloadFailed(f"{url} is not {pinned}; not kept") from error
    if checksum is None and not total:  # nothing else shows that it is whole
        raise DownloadFailed(f"{url} does not say how long it is, and has no checksum")
    return whole


def _transfer(url: str, target: Path, report: Progress, most: int) -> int | None:
    """Write what a host sends into a file; returns the length that it announced."""
    with _client(most) as client, client.stream("GET", url) as answer, target.open("wb") as file:
        answer.raise_for_status()
        length = answer.headers.get("Content-Length", "")
        total, here = (int(length) if length.isdecimal() else None), 0
        if total is not None and total > most:
            raise DownloadFailed(f"{url} has {total / 1e6:.0f} MB, not {most / 1e6:.0f} at most")
        for piece in answer.iter_raw():
            here += file.write(piece)
            report(here, total)
        return total


def _client(most: int) -> Any:
    """HTTP client whose replies have at most so many bytes."""
    import httpx

    client = httpx.Client(follow_redirects=True, timeout=machine().network.stall)
    bound(client, most)
    return client


def within_limits(
    work: Callable[[Progress], Result], progress: Progress, call: Call | None = None
) -> Result:
    """Result of a download, given up when it stalls or is not whole in time.

    Args:
        work: Downloads, and reports the bytes so far.
        progress: Called with them.
        call: The call whose connections end then; by default one of its own.
    """
    limits, here = machine().network, 0
    since, seen = time.monotonic(), 0

    def report(size: int, whole: int | None) -> None:
        nonlocal here
        here = size
        progress(size, whole)

    def watch() -> None:
        nonlocal since, seen
        if here >= seen + LEAST:
            since, seen = time.monotonic(), here
        elif time.monotonic() - since > limits.stall:
            raise TimeLimitExceeded(f"less than {LEAST // 1000} kB in {limits.stall:g} s")

    return call_with_limit(lambda: work(report), limits.download, call=call, watch=watch)


@contextmanager
def _request_errors(url: str) -> Iterator[None]:
    """Turn errors of the HTTP library, and limits, into `DownloadFailed`."""
    import httpx

    try:
        yield
    except httpx.HTTPStatusError as error:
        raise DownloadFailed(f"{url} answers {error.response.status_code}") from error
    except (httpx.HTTPError, httpx.InvalidURL, TimeLimitExceeded) as error:
        raise failure(url, error, f"{url} broke off; ask again") from error


def failure(url: str, error: BaseException, what: str) -> TransferFailed:
    """One-line error for what a library raised, with the root cause."""
    root = error
    while root.__context__ is not None:
        root = root.__context__
    cause = f"{type(root).__name__}: {' '.join(str(root).split())[:200]}"
    if type(error).__name__ in UNREACHABLE:
        parts = urlsplit(url)
        return Unreachable(f"{parts.scheme}://{parts.netloc} cannot be reached ({cause})")
    return TransferFailed(f"{what} ({cause})")
