"""Where the data are: --data, else EMER_TEST_DATA, else ../shared, else what was pulled.

Files are found under our names or their authors', anywhere in the folder down to a depth.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from emer.evals.data.catalogue import catalogue, entry
from emer.evals.data.wheels import EDITIONS, WHEELS, Edition, read_lexicon
from emer.evals.metrics.wheel import Lexicon
from emer.tools.errors import ConfigError
from emer.tools.machine import home

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
