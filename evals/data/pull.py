"""`emer-eval data pull`: the official files, from their repositories, at pinned commits.

A file is written only when its checksum holds: the sha256 of the catalogue, or, where the
catalogue has none, the git blob id that the host lists for the pinned commit. A download
that was cut off goes on where it stopped.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from emer.evals.data.catalogue import Entry, Origin
from emer.tools.errors import EmerError

if TYPE_CHECKING:
    import httpx

RAW = "https://raw.githubusercontent.com"
API = "https://api.github.com"
TIMEOUT = 30.0

State = Literal["here", "pulled", "refused", "unreachable"]


class PullFailed(EmerError):
    """A file that could not be had, or was not what it should be; nothing was written."""


@dataclass(frozen=True, slots=True)
class Pulled:
    """What became of one file, and what it was checked against."""

    entry: Entry
    path: Path
    state: State
    detail: str


@dataclass(frozen=True)
class Host:
    """Where files and their blob ids are asked for."""

    client: httpx.Client
    raw: str = RAW
    api: str = API

    def file(self, origin: Origin) -> str:
        """Return the address of a file's bytes."""
        return f"{self.raw}/{origin.repository}/{origin.commit}/{quote(origin.path)}"

    def blob(self, origin: Origin) -> str:
        """Return the git blob id that the host lists for a file at its commit."""
        path = PurePosixPath(origin.path)
        folder = quote("" if path.parent == PurePosixPath(".") else str(path.parent))
        address = f"{self.api}/repos/{origin.repository}/contents/{folder}"
        answer = self.client.get(address, params={"ref": origin.commit})
        if answer.status_code != 200:
            raise PullFailed(f"{address} answers {answer.status_code}: its blob id is not known")
        for item in answer.json():
            if item["name"] == path.name:
                return str(item["sha"])
        raise PullFailed(f"{origin.named}: the host does not list it")


def open_host(raw: str = RAW, api: str = API) -> Host:
    """Return the host; redirects are followed, and nothing is sent but the request."""
    import httpx

    return Host(httpx.Client(follow_redirects=True, timeout=TIMEOUT), raw, api)


def pull(
    entries: Iterable[Entry],
    folder: Path,
    host: Host,
    done: Callable[[Pulled], None] = lambda _: None,
) -> list[Pulled]:
    """Return what became of each file that has an origin; one that fails stops no other."""
    found: list[Pulled] = []
    for entry in entries:
        if entry.origin is None:
            continue
        found.append(_pull(entry, entry.origin, folder / entry.file, host))
        done(found[-1])
    return found


def _pull(entry: Entry, origin: Origin, path: Path, host: Host) -> Pulled:
    import httpx

    try:
        check = f"sha256 {origin.sha256[:12]}" if origin.sha256 else ""
        wanted = origin.sha256 or host.blob(origin)
        check = check or f"git blob {wanted[:12]}, as the host lists it; no sha256 is pinned"
        if path.exists() and holds(path.read_bytes(), wanted):
            return Pulled(entry, path, "here", check)
        _download(host.client, host.file(origin), path, wanted)
        return Pulled(entry, path, "pulled", check)
    except PullFailed as error:
        return Pulled(entry, path, "refused", str(error))
    except (httpx.HTTPError, OSError) as error:
        return Pulled(entry, path, "unreachable", f"{type(error).__name__}: {error}")


def holds(data: bytes, wanted: str) -> bool:
    """Tell whether bytes have a checksum: a sha256, or (40 digits) a git blob id."""
    if len(wanted) == 40:
        return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest() == wanted
    return hashlib.sha256(data).hexdigest() == wanted


def _download(client: httpx.Client, address: str, path: Path, wanted: str) -> None:
    """Write a file once its checksum holds; until then it is a .part file beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    _fetch(client, address, part)
    if not holds(part.read_bytes(), wanted):
        part.unlink()
        raise PullFailed(f"{address} is not the file that is pinned ({wanted[:12]}); not written")
    os.replace(part, path)


def _fetch(client: httpx.Client, address: str, part: Path) -> None:
    """Append what is missing to the .part file, or begin again if the host gives all."""
    have = part.stat().st_size if part.exists() else 0
    headers = {"Accept-Encoding": "identity"}  # a range of compressed bytes is of no use
    if have:
        headers["Range"] = f"bytes={have}-"
    with client.stream("GET", address, headers=headers) as answer:
        if answer.status_code == 416:  # nothing is missing
            return
        if answer.status_code not in (200, 206):
            raise PullFailed(f"{address} answers {answer.status_code}")
        with part.open("ab" if answer.status_code == 206 else "wb") as file:
            for chunk in answer.iter_bytes():
                file.write(chunk)
