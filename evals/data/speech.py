"""Labelled speech: a folder of EmoDB or RAVDESS files, or a table of paths.

EmoDB names its files by speaker, sentence and emotion (Burkhardt et al. 2005), RAVDESS by
seven numbers (Livingstone & Russo 2018). A CSV has the columns path, label and speaker.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emer.evals.data.tables import Row, read_table
from emer.tools.errors import ConfigError
from emer.tools.voice.model import word_of

SOUNDS = {".wav", ".flac", ".mp3", ".m4a", ".ogg", ".opus", ".mp4", ".mkv", ".mov", ".webm"}
EMODB = re.compile(r"(?P<speaker>\d\d)[ab]\d\d(?P<emotion>[WLEAFTN])[a-z]?")
RAVDESS = re.compile(r"\d\d-\d\d-(?P<emotion>0[1-8])-\d\d-\d\d-\d\d-(?P<speaker>\d\d)")
EMODB_LABELS = {
    "W": "anger", "L": "boredom", "E": "disgust", "A": "fear", "F": "happiness",
    "T": "sadness", "N": "neutral",
}  # fmt: skip
RAVDESS_LABELS = {
    "01": "neutral", "02": "calm", "03": "happy", "04": "sad", "05": "angry", "06": "fearful",
    "07": "disgust", "08": "surprised",
}  # fmt: skip
COLUMNS = ("path", "label", "speaker")


@dataclass(frozen=True, slots=True)
class Utterance:
    """A file of speech, its label as one word, its speaker, and its corpus."""

    path: Path
    label: str
    speaker: str
    corpus: str


def read_speech(source: Path) -> tuple[Utterance, ...]:
    """Utterances of a folder, or of a CSV, in the order of their paths.

    Labels of the same meaning ("anger", "ang") become one word. A folder may hold a
    `labels.csv` instead of named files. `ConfigError` names what cannot be read.
    """
    table = source / "labels.csv" if source.is_dir() else source
    if table.is_file() and table.suffix.lower() == ".csv":
        found = list(_of_table(table))
    elif source.is_dir():
        found = list(_of_names(source))
    else:
        raise ConfigError(f"{source} is no folder and no .csv")
    if not found:
        raise ConfigError(
            f"{source} holds no labelled speech: files named as EmoDB's (03a01Wa.wav) or "
            f"RAVDESS's (03-01-05-01-01-01-01.wav), or labels.csv with {', '.join(COLUMNS)}"
        )
    return tuple(sorted(found, key=lambda each: str(each.path)))


def half_of_speakers(utterances: Sequence[Utterance], seed: int) -> frozenset[str]:
    """Half of the speakers of each corpus, by a seed; the rounded-down half."""
    chosen: list[str] = []
    generator = np.random.default_rng(seed)
    for corpus in sorted({each.corpus for each in utterances}):
        speakers = sorted({each.speaker for each in utterances if each.corpus == corpus})
        order = generator.permutation(len(speakers))
        chosen += [speakers[n] for n in order[: len(speakers) // 2]]
    return frozenset(chosen)


def counted(utterances: Sequence[Utterance]) -> str:
    """Files, speakers and labels in words, for a table's lead."""
    labels = Counter(each.label for each in utterances)
    speakers = len({each.speaker for each in utterances})
    listed = ", ".join(f"{label} {n}" for label, n in labels.most_common())
    return f"{len(utterances)} files of {speakers} speakers ({listed})"


def _of_names(folder: Path) -> Iterator[Utterance]:
    for path in folder.rglob("*"):
        if path.suffix.lower() not in SOUNDS:
            continue
        if match := EMODB.fullmatch(path.stem):
            label, corpus = EMODB_LABELS[match["emotion"]], "EmoDB"
        elif match := RAVDESS.fullmatch(path.stem):
            label, corpus = RAVDESS_LABELS[match["emotion"]], "RAVDESS"
        else:
            continue
        yield Utterance(path, word_of(label), f"{corpus} {match['speaker']}", corpus)


def _of_table(table: Path) -> Iterator[Utterance]:
    read = read_table(table, {name: (name,) for name in COLUMNS}, key=None)
    yield from (_of_row(row, table) for row in read.rows)


def _of_row(row: Row, table: Path) -> Utterance:
    empty = [name for name in COLUMNS if not row[name]]
    if empty:
        raise ConfigError(f"{table} row {row.number}: {empty[0]} is empty")
    path = table.parent / row["path"]
    if not path.is_file():
        raise ConfigError(f"{table} row {row.number}: there is no file {path}")
    label = word_of(row["label"].casefold())
    return Utterance(path, label, row["speaker"], table.parent.name or table.stem)
