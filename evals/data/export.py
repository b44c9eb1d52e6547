"""EMER CSV files from runs: what was explained, and perhaps reviewed, becomes a dataset.

Two files as EMER-v2 is published: final-EMER-reason.csv (name, chinese, english) and
check-openset.csv (name, openset). `--data` on their folder reads them back.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from emer.agents.types import Explanation
from emer.evals.data.clips import show_labels
from emer.graphs.trace.events import Header
from emer.graphs.trace.jsonl import read_trace
from emer.tools.errors import ConfigError

REASONS, LABELS = "final-EMER-reason.csv", "check-openset.csv"


@dataclass(frozen=True, slots=True)
class Explained:
    """A clip's name, its explanation, and the file that holds it."""

    name: str
    explanation: Explanation
    source: Path


def read_explained(paths: Sequence[Path]) -> list[Explained]:
    """Return the explanations of traces, of runs of emer-eval and of `emer ask --json`.

    `ConfigError` names a file that is none of them, a run without an end, and two
    explanations of one clip.
    """
    found = [explained for path in paths for explained in _read(path)]
    seen: dict[str, Path] = {}
    for explained in found:
        if explained.name in seen:
            raise ConfigError(
                f"{explained.source}: {explained.name} was already explained in "
                f"{seen[explained.name]}; keep one of them"
            )
        seen[explained.name] = explained.source
    if not found:
        raise ConfigError("there is no explanation in these files")
    return found


def write_dataset(found: Sequence[Explained], folder: Path) -> tuple[Path, Path]:
    """Write both files; `ConfigError` if one is there already or cannot be written."""
    reasons, labels = folder / REASONS, folder / LABELS
    for path in (reasons, labels):
        if path.exists():
            raise ConfigError(f"{path} is there already; choose another --to, or move it")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(reasons, ("name", "chinese", "english"), [(e.name, "", _text(e)) for e in found])
        _write(labels, ("name", "openset"), [(e.name, show_labels(_labels(e))) for e in found])
    except OSError as error:
        raise ConfigError(f"{folder} cannot be written: {error.strerror}") from error
    return reasons, labels


def _read(path: Path) -> Iterator[Explained]:
    try:
        first = path.read_text(encoding="utf-8").split("\n", 1)[0]
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
    if '"event":"run"' in first.replace(" ", ""):
        yield from _from_run(path)
    elif path.suffix == ".json":
        yield _from_answer(path)
    else:
        yield _from_trace(path)


def _from_trace(path: Path) -> Explained:
    trace = read_trace(path)
    if trace.finished is None:
        raise ConfigError(f"{path}: the run did not come to an end, so there is nothing to keep")
    return Explained(_clip(trace.header), trace.finished.explanation, path)


def _from_run(path: Path) -> Iterator[Explained]:
    for line in path.read_text(encoding="utf-8").splitlines()[1:]:
        made = json.loads(line)
        if made["explanation"] is not None:
            yield Explained(made["name"], Explanation.model_validate(made["explanation"]), path)


def _from_answer(path: Path) -> Explained:
    """Return the explanation that `emer ask --json` printed, perhaps edited by hand."""
    try:
        record = json.loads(path.read_text(encoding="utf-8-sig"))
        explanation = Explanation.model_validate(record["explanation"])
        return Explained(Path(record["clip"]["name"]).stem, explanation, path)
    except (ValueError, KeyError, TypeError, ValidationError) as error:
        said = str(error).splitlines()[0]
        raise ConfigError(f"{path} is not what `emer ask --json` prints: {said}") from error


def _clip(header: Header) -> str:
    return Path(header.clip.name).stem


def _text(explained: Explained) -> str:
    return " ".join(sentence.text for sentence in explained.explanation.sentences)


def _labels(explained: Explained) -> tuple[str, ...]:
    return tuple(label.name for label in explained.explanation.labels)


def _write(path: Path, header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])
