"""Official files: catalogue, folders, download.

The official files that measurements read: what each is, where it comes from, its licence.

The table is catalogue.csv. `sha256` is of a copy whose scores were checked; where it is
empty we never held the whole file, and a download is checked against the git blob id that
the host lists for the pinned commit.

Where the data are: --data, else EMER_TEST_DATA, else ../shared, else what was pulled.

Files are found under our names or their authors', anywhere in the folder down to a depth.

`emer-eval data pull`: the official files, from their repositories, at pinned commits.

A file is written only when its checksum holds: the sha256 of the catalogue, or, where the
catalogue has none, the git blob id that the host lists for the pinned commit. A download
that was cut off goes on where it stopped.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from emer.evals.data.tables import Row, read_table
from emer.evals.data.wheels import EDITIONS, WHEELS, Edition, read_lexicon
from emer.evals.metrics.wheel import Lexicon
from emer.tools.errors import ConfigError, EmerError
from emer.tools.runtime.device import home
from emer.tools.types import Record

if TYPE_CHECKING:
    import httpx


TABLE = Path(__file__).parent / "catalogue.csv"
_COLUMNS = ("key", "file", "accepts", "what", "repository", "commit", "path", "sha256", "licence")


class Origin(Record):
    """A file at a commit of a public GitHub repository."""

    repository: str
    commit: str
    path: str
    sha256: str | None

    @property
    def named(self) -> str:
        """The origin as a person reads it."""
        return f"github.com/{self.repository} at {self.commit[:8]}, {self.path}"


class Entry(Record):
    """A file: our name for it, the name its authors gave it, and its origin."""

    key: str
    file: PurePosixPath
    """Where it stands in a data folder of ours."""
    accepts: PurePosixPath | None
    """The end of the path it has in a checkout of its authors' repository."""
    what: str
    licence: str
    origin: Origin | None

    def fits(self, relative: PurePosixPath) -> bool:
        """Tell whether a path within a data folder ends as this file's does."""
        return any(
            relative.parts[-len(known.parts) :] == known.parts
            for known in (self.file, self.accepts)
            if known is not None
        )


@cache
def catalogue() -> tuple[Entry, ...]:
    """Return every entry, in the order of the table."""
    table = read_table(TABLE, {column: (column,) for column in _COLUMNS}, key="key")
    return tuple(_entry(row) for row in table.rows)


def entry(key: str) -> Entry:
    """Return the entry with this key."""
    return next(e for e in catalogue() if e.key == key)


def _entry(row: Row) -> Entry:
    origin = Origin(
        repository=row["repository"],
        commit=row["commit"],
        path=row["path"],
        sha256=row["sha256"] or None,
    )
    return Entry(
        key=row["key"],
        file=PurePosixPath(row["file"]),
        accepts=PurePosixPath(row["accepts"]) if row["accepts"] else None,
        what=row["what"],
        licence=row["licence"],
        origin=origin if row["repository"] else None,
    )


DEPTH = 5
MEDIA = ("video", "audio", "openface_face", "features")
"""Folders with one file per clip, which hold none of the tables."""
SUFFIX = (".csv", ".xlsx", ".zip", ".npz")


class DataMissing(ConfigError):
    """A file that a measurement needs is not there; the message says how to get it."""


@dataclass(frozen=True)
class DataFolder:
    """A folder with any of the catalogue's files."""

    root: Path

    @cached_property
    def files(self) -> Mapping[str, Path]:
        """The catalogue's files that are here, by key; our own name wins."""
        here = list(_tables(self.root))
        found: dict[str, Path] = {}
        for item in catalogue():
            fitting = [p for p in here if item.fits(p)]
            ours = [p for p in fitting if p.name == item.file.name]
            if fitting:
                found[item.key] = self.root / min(ours or fitting, key=lambda p: len(p.parts))
        return found

    def path(self, key: str) -> Path:
        """Return a file's path; `DataMissing` says how to get it."""
        if key not in self.files:
            item = entry(key)
            way = (
                f"`emer-eval data pull`, or put {item.file} there"
                if item.origin
                else "(not public)"
            )
            raise DataMissing(f"no {item.file.name} in {self.root} ({item.what}): {way}")
        return self.files[key]

    def tables(self, folder: str) -> tuple[Path, ...]:
        """Return the CSV files of the folders of this name ("predictions"), by name."""
        here = [p for p in _tables(self.root) if p.parent.name == folder and p.suffix == ".csv"]
        return tuple(self.root / path for path in sorted(here))

    def lexicon(self, edition: Edition = "2026") -> Lexicon:
        """Return the wheel lexicon of an edition."""
        if edition not in EDITIONS:
            raise ConfigError(f"no wheel lexicon {edition!r}; there are {', '.join(EDITIONS)}")
        wheels = {wheel: self.path(wheel) for wheel in WHEELS}
        return read_lexicon(self.path(f"forms_{edition}"), self.path("synonyms"), wheels, edition)


def data_folder(given: Path | None = None) -> DataFolder:
    """Return the data folder; `ConfigError` for a given one that is none.

    Without `given`, the first there is of: $EMER_TEST_DATA, ../shared, the folder that
    `emer-eval data pull` fills (which need not be there yet).
    """
    if given is not None:
        if not given.is_dir():
            raise ConfigError(f"--data {given} is not a folder")
        return DataFolder(given)
    beside = Path(os.environ.get("EMER_TEST_DATA", "../shared")) / "data" / "emer"
    return DataFolder(beside if beside.is_dir() else pulled_folder())


def pulled_folder() -> Path:
    """Return the folder that `emer-eval data pull` fills when no other is named."""
    return home() / "data"


def _tables(root: Path) -> Iterator[PurePosixPath]:
    """Yield the tables below a folder, relative to it, in a fixed order; links are followed."""
    for folder, inner, files in os.walk(root, followlinks=True):
        here = Path(folder).relative_to(root)
        deep = len(here.parts) >= DEPTH
        inner[:] = [] if deep else sorted(d for d in inner if d not in MEDIA and d[0] != ".")
        for file in sorted(files):
            if file.lower().endswith(SUFFIX):
                yield PurePosixPath((here / file).as_posix())


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
