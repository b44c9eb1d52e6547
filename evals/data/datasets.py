"""Datasets by name: EMER's files, MER folders, and labels of one's own.

MER2023 to MER2026 are read as their organisers' baseline code reads them (MERTools). The .npz
files of their processed folders are pickles and are not read; the CSV files say the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from emer.evals.data.clips import read_clips
from emer.evals.data.emer import read_version1, read_version2
from emer.evals.data.locations import DataFolder
from emer.evals.data.types import Dataset
from emer.tools.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Layout:
    """A label file of a challenge, its media folders and its subtitle file."""

    year: str
    table: str
    folders: tuple[str, ...] = ("video", "audio")
    subtitles: str = "subtitle_chieng.csv"

    @property
    def name(self) -> str:
        return f"{self.year}/{Path(self.table).stem}"


_2023 = "transcription-engchi-polish.csv"
LAYOUTS = (
    *(Layout("mer2023", f"{part}-label.csv", (part, "video", "audio"), _2023)
      for part in ("train", "test1", "test2", "test3")),
    Layout("mer2024", "label-disdim.csv", ("video-labeled", "video", "audio"),
           "transcription-merge.csv"),
    *(Layout("mer2025", f"{table}.csv") for table in (
        "track1_train_disdim", "track1_test_dis", "track2_train_ovmerd",
        "track2_train_mercaptionplus", "track2_test", "track3_train_ovmerd",
        "track3_train_mercaptionplus", "track_all_candidates")),
    *(Layout("mer2026", f"{table}.csv") for table in (
        "track1_train", "track1_test", "track2_train_human", "track2_train_mercaptionplus",
        "track2_test", "track1_track2_candidate")),
)  # fmt: skip

TERMS = {
    "mer2023": "huggingface.co/datasets/MERChallenge/MER2023 (sign the EULA there)",
    "mer2024": "huggingface.co/datasets/MERChallenge/MER2024, or the EULA of MERTools/MER2024",
    "mer2025": "huggingface.co/datasets/MERChallenge/MER2025 (gated form)",
    "mer2026": "huggingface.co/datasets/MERChallenge/MER2026 (gated form)",
}
"""How a licensed user gets each; we can neither fetch nor pass on the clips."""


def mer_sets(root: Path) -> dict[str, Layout]:
    """Challenges' label files that a folder holds, by the set's name.

    Two years share a file name; the other files of the folder tell which it is.
    """
    layouts = [layout for layout in LAYOUTS if (root / layout.table).is_file()]
    tables = {year: {x.table for x in layouts if x.year == year} for year in TERMS}
    for year, other in (("mer2025", "mer2026"), ("mer2026", "mer2025")):
        if tables[year] and tables[other] and not tables[year] - tables[other]:
            layouts = [layout for layout in layouts if layout.year != year]
    return {layout.name: layout for layout in layouts}


def read_mer(root: Path, layout: Layout) -> Dataset:
    folders = [root / folder for folder in layout.folders if (root / folder).is_dir()]
    words = root / layout.subtitles
    return read_clips(root / layout.table, folders, words if words.is_file() else None, layout.name)


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
