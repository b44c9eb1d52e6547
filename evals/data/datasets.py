"""From a folder or a file to a dataset: which sets there are, and reading one of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from emer.evals.data.clips import read_clips
from emer.evals.data.emer import read_version1, read_version2
from emer.evals.data.locations import DataFolder
from emer.evals.data.mer import mer_sets, read_mer
from emer.evals.data.types import Dataset
from emer.tools.errors import ConfigError

FIRST = "emer-v2"
"""The set that is meant when none is named."""

Reader = Callable[[], Dataset]


def sets_in(folder: DataFolder) -> dict[str, Reader]:
    """Return a reader for each set that a folder holds, by its name."""
    found: dict[str, Reader] = {}
    if "emer_v2_labels" in folder.files:
        found[FIRST] = lambda: read_version2(folder)
    if {"emer_v1_en", "emer_v1_zh"} <= folder.files.keys():
        found["emer-v1"] = lambda: read_version1(folder)
    for name, layout in mer_sets(folder.root).items():
        found[name] = lambda chosen=layout: read_mer(folder.root, chosen)  # type: ignore[misc]
    return found


def read_set(folder: DataFolder, name: str | None = None, gold: Path | None = None,
             clips: Path | None = None) -> Dataset:  # fmt: skip
    """Return a set by name, or the clips of a CSV file (`gold`) with media in `clips`.

    Without a name: emer-v2, else the only set there is. `ConfigError` lists what there is.
    """
    if gold is not None:
        if name is not None:
            raise ConfigError(f"--set {name} and --gold {gold} name two sets; leave one out")
        if clips is not None and not clips.is_dir():
            raise ConfigError(f"--clips {clips} is not a folder")
        return read_clips(gold, (clips,) if clips else ())
    found = sets_in(folder)
    if not found:
        raise ConfigError(
            f"{folder.root} holds no set: `emer-eval data` says what is missing and how to get "
            "it; --gold FILE.csv scores against labels of your own"
        )
    chosen = name or (FIRST if FIRST in found else next(iter(found)))
    if chosen not in found or (name is None and FIRST not in found and len(found) > 1):
        raise ConfigError(f"--set {name or 'NAME'}: in {folder.root} there are {_listed(found)}")
    return found[chosen]()


def _listed(found: Mapping[str, Reader]) -> str:
    return ", ".join(found)
