"""The sets that a data folder holds, by name, and reading one of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from emer.evals.data.clips import read_clips
from emer.evals.data.emer import read_version1, read_version2
from emer.evals.data.locations import DataFolder
from emer.evals.data.mer import mer_sets, read_mer
from emer.evals.data.types import Dataset
from emer.tools.errors import ConfigError

DEFAULT_SET = "emer-v2"


def sets_in(folder: DataFolder) -> dict[str, Callable[[], Dataset]]:
    """Readers of the sets in a folder, by name."""
    readers: dict[str, Callable[[], Dataset]] = {}
    if "emer_v2_labels" in folder.files:
        readers[DEFAULT_SET] = partial(read_version2, folder)
    if {"emer_v1_en", "emer_v1_zh"} <= folder.files.keys():
        readers["emer-v1"] = partial(read_version1, folder)
    layouts = mer_sets(folder.root).items()
    return readers | {name: partial(read_mer, folder.root, layout) for name, layout in layouts}


def read_set(
    folder: DataFolder, name: str | None = None, gold: Path | None = None, clips: Path | None = None
) -> Dataset:
    """A set by name, or the clips of a CSV file; `ConfigError` lists the names.

    Args:
        folder: Data folder.
        name: Name of a set in it, by default emer-v2, else the only one.
        gold: CSV file with labels, instead of a set of the folder.
        clips: Folder of its media files.

    """
    if gold is not None:
        if name is not None:
            raise ConfigError(f"--set {name} and --gold {gold} name two sets; leave one out")
        if clips is not None and not clips.is_dir():
            raise ConfigError(f"--clips {clips} is not a folder")
        return read_clips(gold, (clips,) if clips else ())
    readers = sets_in(folder)
    if not readers:
        raise ConfigError(
            f"{folder.root} holds no set: `emer-eval data` says what is missing and how to get "
            "it; --gold FILE.csv scores against labels of your own"
        )
    only = next(iter(readers)) if len(readers) == 1 else DEFAULT_SET
    chosen = name or only
    if chosen not in readers:
        names = ", ".join(readers)
        raise ConfigError(f"--set {name or 'NAME'}: in {folder.root} there are {names}")
    return readers[chosen]()
