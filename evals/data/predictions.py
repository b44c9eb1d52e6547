"""Prediction files: CSV (name, openset) and the challenges' -openset.npz.

Nothing is dropped silently: a clip without a prediction, or a prediction for no clip, is an
error that names the row, unless the caller asks for the part that matches; then it is
counted in a note.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

from emer.evals.data.clips import BadList, parse_labels, read_labels
from emer.evals.data.tables import BadTable, check_size, read_table

COLUMNS = {
    "labels": ("openset", "labels", "label", "emotions", "ov_labels"),
    "text": ("description", "reason", "reasons", "explanation", "chi_reasons"),
}
"""AffectGPT's column "answer" has the labels in a sentence: no explanation."""


@dataclass(frozen=True)
class Predictions:
    """A system's stored answers by clip, with the place of each in the file and notes."""

    path: Path
    labels: Mapping[str, tuple[str, ...]]
    texts: Mapping[str, str]
    places: Mapping[str, str]
    """Clip to "FILE row 7, column name"."""
    notes: tuple[str, ...] = ()
    has_labels: bool = True


def read_predictions(path: Path, *, text_only: bool = False) -> Predictions:
    """Predictions of a CSV or .npz file; `BadTable` names the faulty cell.

    With `text_only`, a file without a label column is fine: its texts count.
    """
    if path.suffix == ".npz":
        return _from_npz(path)
    needed = {"name": ("name", "names")}
    columns = needed if text_only else {**needed, "labels": COLUMNS["labels"]}
    optional = {key: COLUMNS[key] for key in (("labels", "text") if text_only else ("text",))}
    table = read_table(path, columns, optional)
    has_labels = "labels" in table.headers
    labels = {row["name"]: read_labels(table, row) for row in table.rows}
    texts = {row["name"]: row["text"] for row in table.rows if row["text"]}
    if not has_labels and not texts:
        raise BadTable(f"{path} row 1: neither a label column nor a text column")
    places = {row["name"]: table.where(row, "name") for row in table.rows}
    notes = [*table.notes]
    empty = [row for row in table.rows if has_labels and not labels[row["name"]]]
    if empty:
        notes.append(f"{table.where(empty[0], 'labels')}: empty prediction; {len(empty)} of "
                     f"{len(table.rows)} are, each scores 0")  # fmt: skip
    # the scorer takes a cell with another separator for one label
    odd = [row for row in table.rows if any(mark in row["labels"] for mark in ";；、|")]  # noqa: RUF001
    if odd:
        notes.append(f"{table.where(odd[0], 'labels')}: {odd[0]['labels']!r} is not split at "
                     f"';', only at commas ({len(odd)} such rows)")  # fmt: skip
    return Predictions(path, labels, texts, places, tuple(notes), has_labels)


def matched(
    clips: Sequence[str], predictions: Predictions, *, partial: bool = False
) -> tuple[str, ...]:
    """Notes on how predictions and clips match; `BadTable` where they do not.

    With `partial` only a file that matches nothing is an error.
    """
    places = predictions.places
    unknown = [name for name in places if name not in set(clips)]
    absent = [name for name in clips if name not in places]
    hits = len(clips) - len(absent)
    notes: list[str] = []
    if unknown:
        notes.append(
            f"{places[unknown[0]]}: {unknown[0]!r} is none of the {len(clips)} labelled clips "
            f"({len(unknown)} such rows, {hits} match)"
        )
    if absent:
        notes.append(
            f"{predictions.path}, column name: no row for clip {absent[0]!r} ({len(absent)} of "
            f"{len(clips)} clips have none, {hits} match)"
        )
    if notes and (not partial or not hits):
        way = "; --partial scores what matches and counts absent ones as empty" if hits else ""
        raise BadTable(notes[0] + way)
    return tuple(notes)


def _from_npz(path: Path) -> Predictions:
    # the challenges' submission file: the arrays filenames and fileitems, no pickles
    import numpy as np

    check_size(path)
    try:
        with np.load(path, allow_pickle=False) as stored:
            names, items = (stored[key].tolist() for key in ("filenames", "fileitems"))
    except (ValueError, KeyError, OSError, MemoryError, BadZipFile) as error:
        raise BadTable(
            f"{path}: no -openset.npz with text arrays filenames and fileitems ({error}); "
            "pickled ones are not read, save it as CSV with the columns name, openset"
        ) from error
    places = {name: f"{path} item {place}, array filenames" for place, name in enumerate(names, 1)}
    if len(places) != len(names):
        raise BadTable(f"{path}, array filenames: {len(names) - len(places)} names are there twice")
    try:
        labels = {n: parse_labels(str(i)) for n, i in zip(names, items, strict=True)}
    except BadList as error:
        raise BadTable(f"{path}, array fileitems: not a list of labels: {error}") from error
    return Predictions(path, labels, {}, places)
