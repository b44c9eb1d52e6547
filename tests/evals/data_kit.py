"""A small data folder made by hand: wheels, EMER-v2 with eight clips, stored predictions."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import wheel_kit

NAMES = tuple(f"clip{number}" for number in range(8))
LABELS = (
    ("joy", "merry"), ("grim",), ("upset", "grim"), ("gladly",), ("rage",), ("bliss",), ("sorrow",),
    ("joy",),
)  # fmt: skip
GOOD = (("bliss",), ("sorrow",), ("anger",), ("joy",), ("rage",), ("joy",), ("grief", "low"), ())
EXPLAINED = 'In the video, {0}. In the audio, {1}. In the text, the subtitle says, "{2}." So.'
SEEN = (
    "the person smiles happily", "the brows are furrowed", "the person frowns", "she smiles",
    "he glares", "a wide smile is seen", "tears are in the eyes", "the face is calm",
)  # fmt: skip


def write_folder(root: Path) -> Path:
    """Write the folder and return it."""
    wheel_kit.write_files(root)
    rows = [
        (n, f"在视频中，他微笑。；在音频中，语速较快。；在文本中，“好{i}。”；", _explained(i))  # noqa: RUF001
        for i, n in enumerate(NAMES)
    ]
    write_csv(root / "emer_v2.csv", [("name", "chinese", "english"), *rows])
    write_labels(root / "emer_v2_labels.csv", LABELS)
    (root / "predictions").mkdir()
    write_labels(root / "predictions" / "good.csv", GOOD)
    return root


def write_labels(path: Path, labels: Sequence[Sequence[str]], names: Sequence[str] = NAMES) -> Path:
    """Write a file of labels."""
    rows = [(n, str(list(found))) for n, found in zip(names, labels, strict=True)]
    return write_csv(path, [("name", "openset"), *rows])


def write_csv(path: Path, rows: Sequence[Sequence[str]]) -> Path:
    """Write rows as CSV."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
    return path


def _explained(place: int) -> str:
    return EXPLAINED.format(SEEN[place], "the voice is loud and fast", f"Word {place}")
