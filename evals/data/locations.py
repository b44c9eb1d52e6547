"""Official data files: the catalogue, their places on disk, and their download.

Folder: --data, else EMER_TEST_DATA, else ../shared, else what `emer-eval data pull` filled.
Files are recognised by our names or their authors', anywhere in it down to a depth.

The table is catalogue.csv. A download is checked against the sha256 of a copy whose scores were
checked, or, where no whole copy was available, against the git blob id that GitHub lists for the
pinned commit.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path, PurePosixPath
from typing import Literal
from urllib.parse import quote

from emer.evals.data.tables import Row, read_table
from emer.evals.data.wheels import WHEELS, Edition, read_forms, read_synonyms, read_wheel
from emer.evals.metrics.wheel import Lexicon
from emer.tools.errors import ConfigError
from emer.tools.runtime.device import home
from emer.tools.types import Record
from emer.tools.weights.transfer import (
    DownloadFailed,
    TransferFailed,
    download_file,
    get_json,
    matches,
)

TABLE = Path(__file__).parent / "catalogue.csv"
RAW = "https://raw.githubusercontent.com"
API = "https://api.github.com"
LARGEST_TABLE = 200_000_000
"""Bytes of a file of the catalogue, whose sizes are not listed (chosen by us)."""
DEPTH = 5
MEDIA = ("video", "audio", "openface_face", "features")
"""Folders with one file per clip, which hold none of the tables."""
SUFFIX = (".csv", ".xlsx", ".zip", ".npz")
_COLUMNS = ("key", "file", "accepts", "what", "repository", "commit", "path", "sha256", "licence")

State = Literal["here", "pulled", "refused", "unreachable"]


class DataMissing(ConfigError):
    """A file that a measurement needs is absent; the message says how to get it."""


class Origin(Record):
    """A file at a commit of a public GitHub repository."""

    repository: str
    commit: str
    path: str
    sha256: str | None

    @property
    def named(self) -> str:
        return f"github.com/{self.repository} at {self.commit[:8]}, {self.path}"


class Entry(Record):
    """A file of the catalogue: our name for it, its authors' name, and its origin."""

    key: str
    file: PurePosixPath
    """Its path in a data folder of ours."""
    accepts: PurePosixPath | None
    """The end of its path in a checkout of its authors' repository."""
    what: str
    licence: str
    origin: Origin | None

    def fits(self, relative: PurePosixPath) -> bool:
        names = [name.parts for name in (self.file, self.accepts) if name is not None]
        return any(relative.parts[-len(parts) :] == parts for parts in names)


@dataclass(frozen=True, slots=True)
class Pulled:
    """Result of one download, and what it was checked against."""

    entry: Entry
    path: Path
    state: State
    detail: str


@dataclass(frozen=True)
class DataFolder:
    """A folder with any of the catalogue's files."""

    root: Path

    @cached_property
    def files(self) -> Mapping[str, Path]:
        """The catalogue's files that are here, by key; our own name wins."""
        tables = list(_tables(self.root))
        paths: dict[str, Path] = {}
        for item in catalogue():
            fitting = [p for p in tables if item.fits(p)]
            ours = [p for p in fitting if p.name == item.file.name]
            if fitting:
                paths[item.key] = self.root / min(ours or fitting, key=lambda p: len(p.parts))
        return paths

    def path(self, key: str) -> Path:
        """File's path; `DataMissing` says how to get it."""
        if key not in self.files:
            item = next(entry for entry in catalogue() if entry.key == key)
            put = f"`emer-eval data pull`, or put {item.file} there"
            way = put if item.origin else "(not public)"
            raise DataMissing(f"no {item.file.name} in {self.root} ({item.what}): {way}")
        return self.files[key]

    def tables(self, folder: str) -> tuple[Path, ...]:
        """CSV files of the folders of this name ("predictions"), by name."""
        tables = sorted(_tables(self.root))
        chosen = [path for path in tables if path.parent.name == folder and path.suffix == ".csv"]
        return tuple(self.root / path for path in chosen)

    def lexicon(self, edition: Edition = "2026") -> Lexicon:
        wheels = {wheel: self.path(wheel) for wheel in WHEELS}
        forms, synonyms = self.path(f"forms_{edition}"), self.path("synonyms")
        return Lexicon(
            edition=edition,
            forms=read_forms(forms),
            synonyms=read_synonyms(synonyms),
            wheels=tuple(read_wheel(name, path) for name, path in wheels.items()),
        )


def data_folder(folder: Path | None = None) -> DataFolder:
    """Data folder; `ConfigError` if `folder` is no folder.

    Without `folder`, the first of $EMER_TEST_DATA, ../shared, and the folder that
    `emer-eval data pull` fills (which need not exist yet).
    """
    if folder is not None:
        if not folder.is_dir():
            raise ConfigError(f"--data {folder} is not a folder")
        return DataFolder(folder)
    beside = Path(os.environ.get("EMER_TEST_DATA", "../shared")) / "data" / "emer"
    return DataFolder(beside if beside.is_dir() else pulled_folder())


def pulled_folder() -> Path:
    """Folder that `emer-eval data pull` fills when no other is named."""
    return home() / "data"


@cache
def catalogue() -> tuple[Entry, ...]:
    """All entries in the order of the table."""
    table = read_table(TABLE, {column: (column,) for column in _COLUMNS}, key="key")
    return tuple(_entry(row) for row in table.rows)


def pull(
    entries: Iterable[Entry],
    folder: Path,
    mirror: str | None = None,
    done: Callable[[Pulled], None] = lambda _: None,
) -> list[Pulled]:
    """Download files into a folder; one that fails stops no other.

    Args:
        entries: Files of the catalogue; those without an origin are left out.
        folder: Where they are written, once their checksum holds.
        mirror: URL of a host that serves what both hosts of GitHub do.
        done: Called after each file.

    """
    results: list[Pulled] = []
    for entry in entries:
        if entry.origin is not None:
            results.append(_pull(entry, entry.origin, folder / entry.file, mirror))
            done(results[-1])
    return results


def _pull(entry: Entry, origin: Origin, path: Path, mirror: str | None) -> Pulled:
    url = f"{mirror or RAW}/{origin.repository}/{origin.commit}/{quote(origin.path)}"
    try:
        checksum = origin.sha256 or _blob_id(origin, mirror or API)
        blob = f"git blob {checksum[:12]}, as the host lists it; no sha256 is pinned"
        check = f"sha256 {checksum[:12]}" if origin.sha256 else blob
        if matches(path, checksum):
            return Pulled(entry, path, "here", check)
        download_file(url, path, checksum, most=LARGEST_TABLE)
        return Pulled(entry, path, "pulled", check)
    except DownloadFailed as error:
        unreachable = isinstance(error, TransferFailed)
        return Pulled(entry, path, "unreachable" if unreachable else "refused", str(error))
    except OSError as error:
        return Pulled(entry, path, "unreachable", f"{type(error).__name__}: {error}")


def _blob_id(origin: Origin, api: str) -> str:
    folder, _, name = origin.path.rpartition("/")
    contents = f"{api}/repos/{origin.repository}/contents/{quote(folder)}"
    listing = get_json(f"{contents}?ref={origin.commit}")
    ids = {str(item["name"]): str(item["sha"]) for item in listing}
    if name not in ids:
        raise DownloadFailed(f"{origin.named}: the host does not list it")
    return ids[name]


def _entry(row: Row) -> Entry:
    cells = {column: row[column] or None for column in _COLUMNS}
    fields = {key: cells.pop(key) for key in ("key", "file", "accepts", "what", "licence")}
    return Entry.model_validate({**fields, "origin": cells if row["repository"] else None})


def _tables(root: Path) -> Iterator[PurePosixPath]:
    # in a fixed order; links are followed
    for folder, inner, files in os.walk(root, followlinks=True):
        relative = Path(folder).relative_to(root)
        deep = len(relative.parts) >= DEPTH
        inner[:] = [] if deep else sorted(d for d in inner if d not in MEDIA and d[0] != ".")
        for file in sorted(files):
            if file.lower().endswith(SUFFIX):
                yield PurePosixPath((relative / file).as_posix())
